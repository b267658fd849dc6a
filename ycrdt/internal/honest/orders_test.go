package honest

import (
	"errors"
	"math/rand/v2"
	"slices"

	"github.com/yrs-go/yrs/ycrdt"
)

// An order is a way in which all of a session reaches one document, which it returns.
type order struct {
	name string
	play func(*player) (*ycrdt.Doc, error)
}

var orders = []order{
	{"as sent", func(p *player) (*ycrdt.Doc, error) { return p.deliver(p.sent) }},
	{"reversed", func(p *player) (*ycrdt.Doc, error) {
		reversed := slices.Clone(p.sent)
		slices.Reverse(reversed)
		return p.deliver(reversed)
	}},
	{"shuffled", func(p *player) (*ycrdt.Doc, error) { return p.deliver(p.shuffled(p.sent)) }},
	{"duplicated", func(p *player) (*ycrdt.Doc, error) {
		return p.deliver(p.shuffled(append(p.some(p.sent), p.sent...)))
	}},
	{"with gaps that are filled later", withGaps},
	{"merged", merged},
	{"merged by Yjs", func(p *player) (*ycrdt.Doc, error) { return p.deliver(p.session.variants[0]) }},
	{"states and diffs of Yjs", func(p *player) (*ycrdt.Doc, error) { return p.deliver(p.session.variants[1]) }},
	{"states and diffs", statesAndDiffs},
	{"saved and loaded", func(p *player) (*ycrdt.Doc, error) { return saved(p, nil) }},
	{"collected and loaded", func(p *player) (*ycrdt.Doc, error) { return saved(p, ycrdt.CollectGarbage) }},
	{"passed on", passedOn},
}

// withGaps delivers a part in any order, and then what is missing.
func withGaps(p *player) (*ycrdt.Doc, error) {
	shuffled := p.shuffled(p.sent)
	gaps := p.IntN(len(shuffled) + 1)
	slices.SortStableFunc(shuffled[gaps:], func(a, b update) int { return len(a.bytes) - len(b.bytes) })
	return p.deliver(shuffled)
}

// merged delivers what groups of updates are merged to.
func merged(p *player) (*ycrdt.Doc, error) {
	var groups []update
	shuffled := p.shuffled(p.sent)
	for len(shuffled) > 0 {
		size := min(1+p.IntN(8), len(shuffled))
		together, err := ycrdt.MergeUpdates(bytesOf(shuffled[:size])...)
		if err != nil {
			return nil, err
		}
		groups = append(groups, update{"ycrdt merge", together})
		shuffled = shuffled[size:]
	}
	return p.deliver(groups)
}

// statesAndDiffs delivers what a document has that hears of more and more, or what is new in it each time, in any order.
func statesAndDiffs(p *player) (*ycrdt.Doc, error) {
	source := ycrdt.NewDoc()
	defer source.Close()
	var parts []update
	for i := 0; i < len(p.sent); {
		vector, err := source.EncodeStateVector()
		if err != nil {
			return nil, err
		}
		next := min(i+1+p.IntN(20), len(p.sent))
		if err := p.apply(source, p.sent[i:next]); err != nil {
			return nil, err
		}
		if p.IntN(3) == 0 {
			vector = nil
		}
		part, err := source.EncodeStateAsUpdate(vector)
		if err != nil {
			return nil, err
		}
		parts = append(parts, update{"ycrdt state", part})
		i = next
	}
	return p.deliver(p.shuffled(parts))
}

// saved delivers a part, saves the document with what it holds back, and delivers the rest to one that is loaded from that.
// The state is changed before it is saved, unless change is nil.
func saved(p *player, change func([]byte) ([]byte, error)) (*ycrdt.Doc, error) {
	shuffled := p.shuffled(p.sent)
	half := len(shuffled) / 2
	first, err := p.deliver(shuffled[:half])
	if err != nil {
		return nil, err
	}
	defer first.Close()
	state, err := first.EncodeStateAsUpdate(nil)
	if err == nil && change != nil {
		state, err = change(state)
	}
	if err != nil {
		return nil, err
	}
	return p.deliver(append([]update{{"ycrdt state", state}}, shuffled[half:]...))
}

var errHeld = errors.New("what a document passes on is held back by another")

// passedOn delivers in any order, and passes on to a second document what the first tells of. Nothing of that may have to
// wait.
func passedOn(p *player) (*ycrdt.Doc, error) {
	first, second := ycrdt.NewDoc(), ycrdt.NewDoc()
	defer first.Close()
	var errPassing error
	second.OnUpdate(func(event ycrdt.UpdateEvent) {
		if event.Pending {
			errPassing = errHeld
		}
	})
	p.passed = nil
	first.OnUpdate(func(event ycrdt.UpdateEvent) {
		p.passed = append(p.passed, event.Update)
		errPassing = errors.Join(errPassing, p.apply(second, []update{{"ycrdt relay", event.Update}}))
	})
	err := p.apply(first, p.shuffled(p.sent))
	return closedOn(errors.Join(err, errPassing), second)
}

func bytesOf(updates []update) [][]byte {
	encoded := make([][]byte, len(updates))
	for i, update := range updates {
		encoded[i] = update.bytes
	}
	return encoded
}

// player delivers a session.
type player struct {
	*rand.Rand
	session *session
	sent    []update // all of the session
	tally   *tally
	passed  [][]byte // what the order "passed on" has passed on
}

func (p *player) shuffled(updates []update) []update {
	shuffled := slices.Clone(updates)
	p.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	return shuffled
}

func (p *player) some(updates []update) []update {
	return p.shuffled(updates)[:p.IntN(len(updates)+1)]
}

// deliver applies updates to a new document.
func (p *player) deliver(updates []update) (*ycrdt.Doc, error) {
	doc := ycrdt.NewDoc()
	return closedOn(p.apply(doc, updates), doc)
}

// closedOn returns the document, or closes it on an error.
func closedOn(err error, doc *ycrdt.Doc) (*ycrdt.Doc, error) {
	if err != nil {
		return nil, errors.Join(err, doc.Close())
	}
	return doc, nil
}
