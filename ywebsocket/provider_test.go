package ywebsocket

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
	"github.com/yrs-go/yrs/ycrdt/protocol"
	"github.com/yrs-go/yrs/ywebsocket/store"
)

// editor is a document with a provider.
type editor struct {
	*Provider
	t   *testing.T
	doc *ycrdt.Doc
}

func newEditor(t *testing.T, options ProviderOptions) *editor {
	t.Helper()
	options.Logger = slog.New(slog.DiscardHandler)
	if options.Backoff == (Backoff{}) {
		options.Backoff = Backoff{Min: 10 * time.Millisecond, Max: 50 * time.Millisecond}
	}
	doc := ycrdt.NewDoc()
	p, err := NewProvider(doc, options)
	require.NoError(t, err)
	t.Cleanup(func() {
		p.Close()
		assert.NoError(t, doc.Close())
	})
	return &editor{Provider: p, t: t, doc: doc}
}

// open returns an editor that is in sync with the room "room".
func open(t *testing.T, url string) *editor {
	t.Helper()
	e := newEditor(t, ProviderOptions{URL: url, Room: "room"})
	e.Connect()
	require.NoError(t, e.Synced(withPatience(t)))
	return e
}

func withPatience(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func (e *editor) write(text string) {
	e.t.Helper()
	require.NoError(e.t, e.doc.Transact(func(tx *ycrdt.Tx) error {
		t := tx.Text("t")
		return t.Insert(t.Len(), text)
	}))
}

func (e *editor) text() (text string) {
	assert.NoError(e.t, e.doc.View(func(tx *ycrdt.Tx) error {
		text = tx.Text("t").String()
		return nil
	}))
	return text
}

func (e *editor) expectText(want string) {
	e.t.Helper()
	require.Eventually(e.t, func() bool { return e.text() == want }, patience, testTick, "want %q", want)
}

func (e *editor) expectState(what string, good func(ProviderState) bool) {
	e.t.Helper()
	require.Eventually(e.t, func() bool { return good(e.State()) }, patience, testTick, what)
}

func TestProvider_SyncsBothWaysAndShowsPresence(t *testing.T) {
	_, url := serve(t, Options{})
	a, b := open(t, url), open(t, url)
	a.write("from a")
	b.expectText("from a")
	b.write(", from b")
	a.expectText("from a, from b")
	require.NoError(t, a.Awareness().SetLocalState(map[string]any{"name": "a"}))
	require.Eventually(t, func() bool {
		state, _ := b.Awareness().State(a.Awareness().ClientID())
		return assert.ObjectsAreEqual(map[string]any{"name": "a"}, state)
	}, patience, testTick)
	a.Close()
	require.Eventually(t, func() bool {
		_, there := b.Awareness().State(a.Awareness().ClientID())
		return !there
	}, patience, testTick)
}

func TestProvider_ForgetsTheOthersWithoutAConnection(t *testing.T) {
	_, url := serve(t, Options{})
	a, b := open(t, url), open(t, url)
	require.NoError(t, b.Awareness().SetLocalState(map[string]any{"name": "b"}))
	require.Eventually(t, func() bool {
		_, there := a.Awareness().State(b.Awareness().ClientID())
		return there
	}, patience, testTick)
	a.Disconnect()
	assert.NotContains(t, a.Awareness().States(), b.Awareness().ClientID())
}

func TestProvider_SavedWaitsForTheStore(t *testing.T) {
	kept := &gatedStore{Store: store.NewMemory(), gate: newGate()}
	t.Cleanup(kept.gate.open)
	_, url := serve(t, Options{Store: kept})
	e := open(t, url)
	require.NoError(t, e.Saved(withPatience(t)), "nothing was written")
	e.write("x")
	require.Eventually(t, func() bool { return kept.waiting.Load() > 0 }, patience, testTick)
	soon, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, e.Saved(soon), context.DeadlineExceeded)

	kept.gate.open()
	require.NoError(t, e.Saved(withPatience(t)))
	assert.Zero(t, e.State().Unsynced)
	var stored [][]byte
	require.NoError(t, kept.Load(t.Context(), "room", func(update []byte) error {
		stored = append(stored, append([]byte{}, update...))
		return nil
	}))
	assert.Equal(t, "x", textOf(t, stored...))
}

func TestProvider_ComesBackWithWhatWasWrittenMeanwhile(t *testing.T) {
	s, url := serve(t, Options{})
	a, b := open(t, url), open(t, url)
	for range 20 {
		s.closeConnections(func(c *conn) { c.out.abort() })
		a.write("a")
		b.write("b")
	}
	require.NoError(t, a.Saved(withPatience(t)))
	require.NoError(t, b.Saved(withPatience(t)))
	require.Eventually(t, func() bool { return len(a.text()) == 40 && a.text() == b.text() }, patience, testTick)

	a.Disconnect()
	assert.Equal(t, StatusDisconnected, a.State().Status)
	a.write("!")
	assert.Equal(t, 1, a.State().Unsynced)
	a.Connect()
	require.NoError(t, a.Saved(withPatience(t)))
	b.expectText(a.text())
}

func TestProvider_SendsWhatTheDocumentHeldBefore(t *testing.T) {
	_, url := serve(t, Options{})
	doc := ycrdt.NewDoc()
	defer doc.Close()
	require.NoError(t, doc.ApplyUpdate(insert(1, 0, "before")))
	p, err := NewProvider(doc, ProviderOptions{URL: url, Room: "room", Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	defer p.Close()
	assert.Equal(t, 1, p.State().Unsynced)
	p.Connect()
	require.NoError(t, p.Saved(withPatience(t)))
	open(t, url).expectText("before")
}

// scripted connects to a pipe whose other end the test serves.
func scripted(t *testing.T, serve func(server Conn)) *editor {
	e := newEditor(t, ProviderOptions{Dial: func(context.Context) (Conn, error) {
		ours, theirs := Pipe()
		go serve(theirs)
		return ours, nil
	}})
	e.Connect()
	return e
}

func TestProvider_StopsWhenTryingAgainIsOfNoUse(t *testing.T) {
	say := func(message []byte) func(Conn) {
		return func(server Conn) {
			_ = server.WriteMessage(message)
			for {
				if _, err := server.ReadMessage(); err != nil {
					return
				}
			}
		}
	}
	for name, script := range map[string]func(Conn){
		"a close code of the band":   func(server Conn) { _ = server.Close(4403, "not yours") },
		"a message cut short":        say([]byte{0, 2, 9}),
		"an update that is none":     say(protocol.AppendUpdate(nil, []byte("garbage"))),
		"a state vector that is not": say(protocol.AppendSyncStep1(nil, []byte("garbage"))),
		"states that are none":       say(protocol.AppendAwareness(nil, []byte{1})),
	} {
		t.Run(name, func(t *testing.T) {
			e := scripted(t, script)
			err := e.Synced(withPatience(t))
			require.ErrorIs(t, err, ErrProviderStopped)
			require.ErrorIs(t, err, ErrPermanent)
			assert.Equal(t, StatusDisconnected, e.State().Status)
		})
	}
}

func TestProvider_TriesAgainAfterOtherErrors(t *testing.T) {
	_, url := serve(t, Options{})
	var failures atomic.Int64
	dial := ProviderOptions{URL: url, Room: "room"}
	errs := []error{errors.New("no network"), &CloseError{Code: CloseServiceRestart}, &HandshakeError{Status: http.StatusServiceUnavailable}}
	e := newEditor(t, ProviderOptions{Dial: func(ctx context.Context) (Conn, error) {
		if n := failures.Add(1) - 1; n < int64(len(errs)) {
			return nil, errs[n]
		}
		return dial.dialWebSocket(ctx)
	}})
	e.Connect()
	require.NoError(t, e.Synced(withPatience(t)))
	assert.Equal(t, int64(len(errs)+1), failures.Load())
}

func TestProvider_TokensGoWithEveryAttempt(t *testing.T) {
	var calls atomic.Int64
	_, url := serve(t, Options{Identify: func(r *http.Request) (Identity, error) {
		if r.Header.Get("Authorization") != "Bearer right" && r.URL.Query().Get("key") != "right" {
			return Identity{}, errors.New("log in first")
		}
		return Identity{}, nil
	}})
	e := newEditor(t, ProviderOptions{URL: url, Room: "room", Token: func(context.Context) (string, error) {
		if calls.Add(1) == 1 {
			return "", errors.New("the login service is away")
		}
		return "right", nil
	}})
	e.Connect()
	require.NoError(t, e.Synced(withPatience(t)))

	query := newEditor(t, ProviderOptions{URL: url, Room: "room", TokenParam: "key", Token: func(context.Context) (string, error) { return "right", nil }})
	query.Connect()
	require.NoError(t, query.Synced(withPatience(t)))

	wrong := newEditor(t, ProviderOptions{URL: url, Room: "room"})
	wrong.Connect()
	err := wrong.Synced(withPatience(t))
	var refusal *HandshakeError
	require.ErrorAs(t, err, &refusal)
	require.ErrorIs(t, err, ErrPermanent)
	assert.Equal(t, "log in first", refusal.Text)
}

func TestProvider_DeliversStatesInOrder(t *testing.T) {
	_, url := serve(t, Options{})
	e := newEditor(t, ProviderOptions{URL: url, Room: "room"})
	states := make(chan ProviderState, 100)
	unsubscribe := e.Subscribe(func(s ProviderState) { states <- s })
	defer unsubscribe()
	e.Connect()
	require.NoError(t, e.Synced(withPatience(t)))
	e.Disconnect()
	var seen []Status
	for s := range states {
		if len(seen) == 0 || seen[len(seen)-1] != s.Status {
			seen = append(seen, s.Status)
		}
		if s.Status == StatusDisconnected {
			break
		}
	}
	assert.Equal(t, []Status{StatusConnecting, StatusConnected, StatusDisconnected}, seen)
}

func TestProvider_KeepsWhatIsDeniedUntilItIsAskedFor(t *testing.T) {
	said := make(chan protocol.Message, 100)
	ask := make(chan struct{})
	e := scripted(t, func(server Conn) {
		_ = server.WriteMessage(protocol.AppendSyncStep1(nil, []byte{0}))
		_ = server.WriteMessage(protocol.AppendPermissionDenied(nil, "read-only"))
		go func() {
			<-ask
			_ = server.WriteMessage(protocol.AppendSyncStep1(nil, []byte{0}))
		}()
		for {
			message, err := server.ReadMessage()
			if err != nil {
				return
			}
			if m, err := protocol.ReadMessage(protocol.NewDecoder(message)); err == nil && m.Type == protocol.MessageSync {
				said <- m
			}
		}
	})
	e.expectState("denied", func(s ProviderState) bool { return s.Denied == "read-only" })
	e.write("kept")
	assert.Equal(t, 1, e.State().Unsynced)
	close(ask)
	e.expectState("allowed", func(s ProviderState) bool { return s.Denied == "" })
	for m := range said {
		if m.Sync == protocol.SyncStep2 && len(m.Payload) > len(emptyUpdate) {
			assert.Equal(t, "kept", textOf(t, m.Payload))
			return
		}
		require.NotEqual(t, protocol.SyncUpdate, m.Sync, "sent although it was denied")
	}
}

// What is written while a receipt is under way is not confirmed by it.
func TestProvider_ReceiptsCoverWhatWasWrittenBefore(t *testing.T) {
	asked, give := make(chan struct{}), make(chan struct{})
	e := scripted(t, func(server Conn) {
		_ = server.WriteMessage(protocol.AppendSyncStep1(nil, []byte{0}))
		for {
			message, err := server.ReadMessage()
			if err != nil {
				return
			}
			m, _ := protocol.ReadMessage(protocol.NewDecoder(message))
			switch {
			case m.Type != protocol.MessageSync:
			case m.Sync == protocol.SyncStep1:
				_ = server.WriteMessage(protocol.AppendSyncStep2(nil, emptyUpdate))
			case m.Sync == protocol.SyncStep2:
				_ = server.WriteMessage(protocol.AppendUpdate(nil, m.Payload)) // as everything is sent back
			case m.Sync == protocol.SyncUpdate && bytes.Equal(m.Payload, emptyUpdate):
				asked <- struct{}{}
				<-give
				_ = server.WriteMessage(protocol.AppendUpdate(nil, emptyUpdate))
			}
		}
	})
	require.NoError(t, e.Synced(withPatience(t)))
	e.write("before")
	<-asked
	e.write("after")
	give <- struct{}{}
	e.expectState("one is left", func(s ProviderState) bool { return s.Unsynced == 1 })
	<-asked
	assert.Equal(t, 1, e.State().Unsynced)
	give <- struct{}{}
	e.expectState("all is saved", func(s ProviderState) bool { return s.Unsynced == 0 })
}

// What a denial has made worthless is asked about again, also of a server that sends nothing back.
func TestProvider_AsksAgainAfterADenial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		denied := false
		w := &network{serve: func(_ int, server Conn) error {
			go func() {
				_ = server.WriteMessage(protocol.AppendSyncStep1(nil, []byte{0}))
				swallow(server, func(m protocol.Message) {
					switch {
					case m.Type != protocol.MessageSync:
					case m.Sync == protocol.SyncStep1:
						_ = server.WriteMessage(protocol.AppendSyncStep2(nil, emptyUpdate))
					case m.Sync == protocol.SyncUpdate && !denied:
						denied = true
						_ = server.WriteMessage(protocol.AppendPermissionDenied(nil, "not now"))
						_ = server.WriteMessage(protocol.AppendSyncStep1(nil, []byte{0}))
					}
				})
			}()
			return nil
		}}
		e := online(t, ProviderOptions{Dial: w.dial})
		require.NoError(t, e.Synced(t.Context()))
		synctest.Wait()
		e.write("x")
		time.Sleep(time.Minute)
		require.Empty(t, e.State().Denied)
		assert.Zero(t, e.State().Unsynced)
		assert.Len(t, w.attempts(), 1)
	})
}

func TestBackoff_SpreadsClients(t *testing.T) {
	b := Backoff{Min: 2500 * time.Millisecond, Max: 30 * time.Second}
	var least, most time.Duration = time.Hour, 0
	for range 200 {
		d := b.delay(0)
		least, most = min(least, d), max(most, d)
		assert.LessOrEqual(t, b.delay(20), b.Max)
	}
	assert.Greater(t, most-least, 2*time.Second)
}
