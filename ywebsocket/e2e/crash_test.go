package e2e_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/yrs-go/yrs/internal/peers"
)

// rounds is how often the server dies while two people write.
const rounds = 20

// TestCrash_NothingConfirmedIsLost lets two people type in one room of the demo page, each in a profile of
// their own, kills the server twice in each round, and looks for what either was told is saved.
//
// After the first death the server comes back, and both reconnect by themselves. After the second both
// windows are closed before it comes back: whatever the third person then reads comes from the disk alone.
func TestCrash_NothingConfirmedIsLost(t *testing.T) {
	server := startServer(t)
	browser := peers.StartBrowser(t)
	for round := range rounds {
		t.Run(fmt.Sprint("round ", round), func(t *testing.T) {
			crashRound(t, server, browser, server.room(fmt.Sprint("crash-", round)))
		})
	}
}

func crashRound(t *testing.T, server *yserver, browser *peers.Browser, room string) {
	ada, grace := join(t, browser, room, "Ada"), join(t, browser, room, "Grace")

	// A line for each, so that words stay whole.
	ada.Press("Enter")
	grace.Until(`demo.text === "\n"`)
	ada.Press("Control+Home")
	grace.Press("Control+End")

	typeUntilDeath(t, server, ada, grace)
	server.start()
	for _, writer := range []*writer{ada, grace} {
		writer.Until("demo.synced && demo.saved === demo.edits")
	}
	converge(t, ada, grace)
	ada.AwaitText(".flag", "Grace")
	grace.AwaitText(".flag", "Ada")

	typeUntilDeath(t, server, ada, grace)
	var confirmed []string
	for _, writer := range []*writer{ada, grace} {
		writer.Until("!demo.synced")
		confirmed = append(confirmed, writer.confirmed()...)
		writer.RequireNoProblems()
		writer.Close()
	}
	server.start()

	third := browser.Open(t, room)
	third.Until("demo.synced")
	var text string
	third.Evaluate("demo.text", &text)
	third.Close()
	require.NotEmpty(t, confirmed)
	for _, word := range confirmed {
		assert.Contains(t, text, word, "a window said that this is saved")
	}
}

// typeUntilDeath lets both type, and kills the server when both have seen some of it saved.
func typeUntilDeath(t *testing.T, server *yserver, writers ...*writer) {
	t.Helper()
	var typing errgroup.Group
	for _, writer := range writers {
		writer.Evaluate("demo.edits", &writer.start)
		typing.Go(writer.typeWords)
	}
	for _, writer := range writers {
		writer.Until(fmt.Sprintf("demo.saved > %d", writer.start+lettersSaved))
	}
	server.kill()
	require.NoError(t, typing.Wait())
}

// converge waits until both windows show the same text.
func converge(t *testing.T, a, b *writer) {
	t.Helper()
	require.Eventually(t, func() bool {
		var first, second string
		return a.TryEvaluate("demo.text", &first) == nil && b.TryEvaluate("demo.text", &second) == nil && first == second
	}, peers.Timeout, 20*time.Millisecond, "the windows show different texts")
}

const (
	wordsTyped   = 16 // in a burst: enough for the server to die in the middle
	lettersSaved = 10 // of a burst, before the server dies
)

// writer is a window in which a person types words that occur nowhere else. Its methods that do not
// return an error belong on the goroutine of the test.
type writer struct {
	*peers.Window
	name  string
	start int // the number of edits before the burst
	words []word
}

// word is a word and the number of the edit that completed it.
type word struct {
	text string
	edit int
}

func join(t *testing.T, browser *peers.Browser, room, name string) *writer {
	w := &writer{Window: browser.Open(t, room), name: name}
	w.Until("demo.synced")
	w.Fill("#name", name)
	w.Click(".cm-content")
	return w
}

func (w *writer) typeWords() error {
	for range wordsTyped {
		text := fmt.Sprintf("%s%d.", w.name, len(w.words))
		if err := w.Type(text, time.Millisecond); err != nil {
			return err
		}
		var edit *int
		if err := w.TryEvaluate(fmt.Sprintf("demo.text.includes(%q) ? demo.edits : null", text), &edit); err != nil {
			return err
		}
		if edit == nil {
			return fmt.Errorf("%q was typed, but is not in the text", text)
		}
		w.words = append(w.words, word{text, *edit})
	}
	return nil
}

// confirmed returns the words that the window says are saved.
func (w *writer) confirmed() []string {
	var saved int
	w.Evaluate("demo.saved", &saved)
	var texts []string
	for _, word := range w.words {
		if word.edit <= saved {
			texts = append(texts, word.text)
		}
	}
	return texts
}
