package difftest

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
)

const typingTrace = repository + "/testdata/traces/typing.json.gz"

var updateTrace = flag.Bool("update", false, "write the trace that the typist makes")

// letter is what the typist writes.
const letter = `Dear Marguerite,

thank you for the parcel 📦. The three jars of quince jelly came through the snow without a crack, although the postman had to leave them under the bench, because the gate was frozen shut again. We opened the first one on Sunday. Ilse says it tastes of the garden behind your old house, and I think she is right 😊.

You asked how the ferry business goes. It goes slowly. Since the ice came we carry mostly firewood, now and then a goat 🐐, and once a grand piano: it took eleven men and a good deal of singing to get it up the ramp. The new timetable hangs in the café, in large letters, and still everybody asks me when we leave. I answer “when the tea is finished”, which is more or less true.

The children have built a harbour of snow in front of the schoolhouse, with a lighthouse that has a real lamp in it. At night one can see it from the other shore 🏠. Old Bjørn claims that he steered by it on Thursday. He also claims to have seen two moons, so make of that what you like 🌙🌙.

On Tuesday the glazier came at last and put a new pane into the kitchen window. He would take no money for it; he wanted to be ferried across, with his bicycle, his dog and a mirror as tall as a door, which he has promised to a bride in Långvik. I never saw the hills so beautiful as in that mirror, upside down and shaking 🏔. Halfway over the dog discovered the other dog in it. We lost ten minutes, and one of my oars.

In the evenings we read. Ilse has reached the ninth volume of the history of lighthouses, and reads aloud whatever is funny, which is more than you would think. I am still at the book that you lent us, because I keep going back to the beginning to see who everybody is: Σοφία is the aunt and not the housekeeper, I have that now.

Please write and tell me whether the train to Kraków 🚂 still stops at your village, and at what hour. If it does, we shall come in March, all four of us 👩‍👩‍👧‍👦, and bring the accordion. If it does not, we shall come anyway, on foot if need be, only later.

With love from this side of the water,
Adalbert
`

// typist writes a letter key by key, with slips that are corrected at once or later, words put in and taken out,
// and sentences that are moved. The same seed gives the same trace.
type typist struct {
	*rand.Rand
	text   []rune
	cursor int // in text
	txns   []traceEntry
	now    []patch // of the entry under way
}

func newTypist() *typist {
	return &typist{Rand: rand.New(rand.NewPCG(1, 1))}
}

func (p *typist) write(content string) *trace {
	for paragraph := range strings.SplitAfterSeq(content, "\n\n") {
		for word := range strings.SplitAfterSeq(paragraph, " ") {
			p.typeWord(word)
		}
		p.revise()
	}
	return &trace{EndContent: string(p.text), Txns: p.txns}
}

func (p *typist) chance(percent int) bool { return p.IntN(100) < percent }

// edit replaces a stretch of the text, in the entry under way, and leaves the cursor behind it.
func (p *typist) edit(start, end int, inserted string) {
	p.now = append(p.now, patch{
		position: ycrdt.UTF16Len(string(p.text[:start])),
		deleted:  ycrdt.UTF16Len(string(p.text[start:end])),
		inserted: inserted,
	})
	p.text = slices.Concat(p.text[:start], []rune(inserted), p.text[end:])
	p.cursor = start + len([]rune(inserted))
}

// done ends the entry under way.
func (p *typist) done() {
	p.txns = append(p.txns, traceEntry{Patches: p.now})
	p.now = nil
}

func (p *typist) typeWord(word string) {
	switch {
	case p.chance(8):
		p.typeKeys(swapped(word))
		p.backspace(len([]rune(word)))
	case p.chance(3):
		p.typeKeys("rather ")
		p.backspace(len("rather "))
	}
	p.typeKeys(word)
}

// typeKeys types one character after another; now and then the wrong one, which is noticed some keys later.
func (p *typist) typeKeys(keys string) {
	wrong := -1 // how many keys ago
	typed := []rune(keys)
	for i := 0; i < len(typed); i++ {
		key := typed[i]
		if wrong < 0 && unicode.IsLetter(key) && p.chance(4) {
			key, wrong = 'a'+rune(p.IntN(26)), 0
		}
		p.edit(p.cursor, p.cursor, string(key))
		p.done()
		if wrong >= 0 {
			if wrong++; p.chance(40) || i == len(typed)-1 {
				p.backspace(wrong)
				i -= wrong
				wrong = -1
			}
		}
	}
}

func (p *typist) backspace(times int) {
	for range times {
		p.edit(p.cursor-1, p.cursor, "")
		p.done()
	}
}

// revise goes back over what is written and then returns to its end.
func (p *typist) revise() {
	for range 4 {
		switch p.IntN(4) {
		case 0:
			p.move()
		case 1:
			p.replaceEverywhere("the", "The")
		case 2:
			p.paste("…")
		default:
			p.paste(" 🙂")
		}
	}
	p.cursor = len(p.text)
}

// move cuts some words and pastes them elsewhere.
func (p *typist) move() {
	start := p.wordStart()
	end := start
	for words := 1 + p.IntN(8); words > 0 && end < len(p.text); end++ {
		if p.text[end] == ' ' {
			words--
		}
	}
	words := string(p.text[start:end])
	p.edit(start, end, "")
	p.done()
	p.cursor = p.wordStart()
	p.paste(words)
}

func (p *typist) paste(words string) {
	at := p.wordStart()
	p.edit(at, at, words)
	p.done()
}

// wordStart returns where some word starts.
func (p *typist) wordStart() int {
	at := p.IntN(len(p.text))
	for at > 0 && p.text[at-1] != ' ' {
		at--
	}
	return at
}

// replaceEverywhere replaces each occurrence of a word, which may take as many characters only, in one entry.
func (p *typist) replaceEverywhere(word, by string) {
	for i := range len(p.text) - len(word) {
		if string(p.text[i:i+len(word)]) == word && p.chance(20) {
			p.edit(i, i+len(word), by)
		}
	}
	if len(p.now) > 0 {
		p.done()
	}
}

// swapped returns the word with its first two characters swapped.
func swapped(word string) string {
	runes := []rune(word)
	if len(runes) > 1 {
		runes[0], runes[1] = runes[1], runes[0]
	}
	return string(runes)
}

// TestTypist checks that the committed trace is the one that the typist makes.
func TestTypist(t *testing.T) {
	made := newTypist().write(letter)
	if *updateTrace {
		writeTrace(t, typingTrace, made)
	}
	assert.Equal(t, readTrace(t, typingTrace), made, "run this test with -update")
}

func writeTrace(t *testing.T, path string, made *trace) {
	var zipped bytes.Buffer
	writer, err := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
	require.NoError(t, err)
	require.NoError(t, json.NewEncoder(writer).Encode(made))
	require.NoError(t, writer.Close())
	require.NoError(t, os.WriteFile(path, zipped.Bytes(), 0o644))
}
