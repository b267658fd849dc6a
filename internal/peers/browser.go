package peers

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Browser is a headless Chromium.
type Browser struct {
	process *Process
	opened  int
}

// StartBrowser starts Chromium with an empty folder for its data.
func StartBrowser(t testing.TB) *Browser {
	t.Helper()
	cmd := node(t, "browser.mjs")
	cmd.Env = append(cmd.Environ(), "CHROMIUM="+chromium(t))
	return &Browser{process: start(t, cmd)}
}

// Window is a window with a fresh profile: it shares no storage with any other.
type Window struct {
	t       testing.TB
	process *Process
	key     string
}

// Open opens a page in a window with a fresh profile. Failures of the window are those of t.
func (b *Browser) Open(t testing.TB, url string) *Window {
	t.Helper()
	b.opened++
	window := &Window{t: t, process: b.process, key: fmt.Sprint("window ", b.opened)}
	window.do("open", map[string]any{"url": url}, nil)
	return window
}

func (w *Window) request(command string, arguments map[string]any, result any) error {
	if arguments == nil {
		arguments = make(map[string]any)
	}
	arguments["window"] = w.key
	return w.process.Do(command, arguments, result)
}

func (w *Window) do(command string, arguments map[string]any, result any) {
	w.t.Helper()
	require.NoError(w.t, w.request(command, arguments, result))
}

// Type presses the keys of a text, with a pause between them. It returns errors instead of ending the
// test and may be called from any goroutine, so that several windows are typed in at once.
func (w *Window) Type(text string, pause time.Duration) error {
	return w.request("type", map[string]any{"text": text, "delay": float64(pause) / float64(time.Millisecond)}, nil)
}

// TryEvaluate is Evaluate, but returns errors and may be called from any goroutine.
func (w *Window) TryEvaluate(expression string, result any) error {
	return w.request("evaluate", map[string]any{"expression": expression}, result)
}

// Press presses one key, as "Enter" or "Control+End".
func (w *Window) Press(key string) {
	w.t.Helper()
	w.do("press", map[string]any{"key": key}, nil)
}

// Click clicks on the element that a CSS selector names.
func (w *Window) Click(selector string) {
	w.t.Helper()
	w.do("click", map[string]any{"selector": selector}, nil)
}

// Fill replaces what is in a field and presses Enter.
func (w *Window) Fill(selector, text string) {
	w.t.Helper()
	w.do("fill", map[string]any{"selector": selector, "text": text}, nil)
}

// Evaluate stores the value of a JavaScript expression in result.
func (w *Window) Evaluate(expression string, result any) {
	w.t.Helper()
	require.NoError(w.t, w.TryEvaluate(expression, result))
}

// Until waits until the value of a JavaScript expression is true.
func (w *Window) Until(expression string) {
	w.t.Helper()
	w.do("until", map[string]any{"expression": expression, "timeout": Timeout.Milliseconds()}, nil)
}

// AwaitText waits until the element that a CSS selector names holds a text.
func (w *Window) AwaitText(selector, text string) {
	w.t.Helper()
	w.Until(fmt.Sprintf("document.querySelector(%s)?.textContent.includes(%s)", quote(selector), quote(text)))
}

// RequireNoProblems fails the test if the page threw an error or broke its security policy.
func (w *Window) RequireNoProblems() {
	w.t.Helper()
	var problems []string
	w.do("problems", nil, &problems)
	require.Empty(w.t, problems)
}

// Close closes the window and forgets its profile.
func (w *Window) Close() {
	w.t.Helper()
	w.do("close", nil, nil)
}

func quote(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err) // unreachable: a string always marshals
	}
	return string(quoted)
}
