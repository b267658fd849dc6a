package ycrdt_test

import (
	"encoding/json"
	"math"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// newAwareness returns an Awareness for a client with this id.
func newAwareness(tb testing.TB, clientID uint64, opts ycrdt.AwarenessOptions) *ycrdt.Awareness {
	tb.Helper()
	doc, err := ycrdt.NewDocWith(ycrdt.DocOptions{ClientID: clientID})
	require.NoError(tb, err)
	tb.Cleanup(func() { assert.NoError(tb, doc.Close()) })
	return ycrdt.NewAwarenessWith(doc, opts)
}

// awarenessRecorder collects events.
type awarenessRecorder struct {
	mu     sync.Mutex
	events []ycrdt.AwarenessEvent
}

func recordAwareness(a *ycrdt.Awareness) *awarenessRecorder {
	r := &awarenessRecorder{}
	a.Observe(func(event ycrdt.AwarenessEvent) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.events = append(r.events, event)
	})
	return r
}

// take returns what was collected since the last call.
func (r *awarenessRecorder) take() []ycrdt.AwarenessEvent {
	r.mu.Lock()
	defer r.mu.Unlock()
	events := r.events
	r.events = nil
	return events
}

// applyAwareness applies the states of some clients of one Awareness to another.
func applyAwareness(tb testing.TB, to, from *ycrdt.Awareness, clientIDs ...uint64) {
	tb.Helper()
	update, err := from.EncodeUpdate(clientIDs)
	require.NoError(tb, err)
	require.NoError(tb, to.ApplyUpdate(update, "test"))
}

func TestNewAwareness(t *testing.T) {
	doc := ycrdt.NewDoc()
	defer func() { assert.NoError(t, doc.Close()) }()
	a := ycrdt.NewAwareness(doc)
	assert.Equal(t, doc.ClientID(), a.ClientID())
	assert.Equal(t, ycrdt.DefaultOutdatedTimeout, a.OutdatedTimeout())
	assert.Equal(t, map[string]any{}, a.LocalState())
	assert.Equal(t, map[uint64]any{doc.ClientID(): map[string]any{}}, a.States())
	meta, ok := a.ClientMeta(doc.ClientID())
	assert.True(t, ok)
	assert.Zero(t, meta.Clock)
}

func TestAwareness_NoLocalState(t *testing.T) {
	server := newAwareness(t, 1, ycrdt.AwarenessOptions{NoLocalState: true})
	assert.Nil(t, server.LocalState())
	assert.Empty(t, server.States())
	assert.Empty(t, server.Meta())
	assert.Equal(t, []byte{0}, server.EncodeStates())

	events := recordAwareness(server)
	require.NoError(t, server.SetLocalState(nil))
	require.NoError(t, server.SetLocalStateField("a", 1))
	assert.Empty(t, events.take(), "there is nothing to clear")

	// Its own id is an id like others: what somebody writes there is not kept alive.
	other := newAwareness(t, 1, ycrdt.AwarenessOptions{})
	require.NoError(t, other.SetLocalState(map[string]any{"a": 1}))
	applyAwareness(t, server, other, 1)
	require.NoError(t, server.SetLocalStateField("a", 2))
	assert.Equal(t, map[uint64]any{1: map[string]any{"a": 1.0}}, server.States())
	require.NoError(t, other.SetLocalState(nil))
	applyAwareness(t, server, other, 1)
	assert.Empty(t, server.States())

	require.NoError(t, server.SetLocalState("here"))
	assert.Equal(t, "here", server.LocalState())
}

func TestAwareness_NoLocalState_AnnouncedStateIsAccepted(t *testing.T) {
	server := newAwareness(t, 1, ycrdt.AwarenessOptions{NoLocalState: true})
	require.NoError(t, server.SetLocalState("server"))
	client := newAwareness(t, 2, ycrdt.AwarenessOptions{})
	applyAwareness(t, client, server, 1)
	state, ok := client.State(1)
	assert.True(t, ok)
	assert.Equal(t, "server", state)
}

func TestAwareness_States_AreCopies(t *testing.T) {
	a := newAwareness(t, 1, ycrdt.AwarenessOptions{})
	value := map[string]any{"list": []any{"a"}}
	require.NoError(t, a.SetLocalState(value))
	value["list"].([]any)[0] = "changed"
	a.States()[1].(map[string]any)["list"] = "changed"
	a.LocalState().(map[string]any)["list"] = "changed"
	state, _ := a.State(1)
	state.(map[string]any)["list"] = "changed"
	delete(a.States(), 1)
	delete(a.Meta(), 1)
	assert.Equal(t, map[string]any{"list": []any{"a"}}, a.LocalState())
}

func TestAwareness_ClientIDs(t *testing.T) {
	a := newAwareness(t, 5, ycrdt.AwarenessOptions{})
	learn(t, a, clientState(9, 1, `{}`), clientState(2, 1, `1`), clientState(7, 1, `null`))
	assert.Equal(t, []uint64{2, 5, 9}, a.ClientIDs())
	_, ok := a.State(7)
	assert.False(t, ok)
	_, ok = a.ClientMeta(7)
	assert.True(t, ok, "its clock is remembered")
	_, ok = a.ClientMeta(8)
	assert.False(t, ok)
}

func TestAwareness_SetLocalState_Values(t *testing.T) {
	for name, c := range map[string]struct{ set, want any }{
		"object":     {map[string]any{"a": 1}, map[string]any{"a": 1.0}},
		"struct":     {struct{ Name string }{"Ada"}, map[string]any{"Name": "Ada"}},
		"array":      {[]int{1, 2}, []any{1.0, 2.0}},
		"string":     {"<b> & \u2028 \uFFFD \\ufffd", "<b> & \u2028 \uFFFD \\ufffd"},
		"number":     {0.5, 0.5},
		"false":      {false, false},
		"nil map":    {map[string]any(nil), nil},
		"nil struct": {(*struct{})(nil), nil},
		"undefined":  {protocol.Undefined, nil},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAwareness(t, 1, ycrdt.AwarenessOptions{})
			require.NoError(t, a.SetLocalState(c.set))
			assert.Equal(t, c.want, a.LocalState())
		})
	}
}

func unsupportedValues() map[string]any {
	cycle := map[string]any{}
	cycle["self"] = cycle
	return map[string]any{
		"NaN":                      math.NaN(),
		"infinity":                 []any{math.Inf(1)},
		"channel":                  map[string]any{"c": make(chan int)},
		"function":                 func() {},
		"cycle":                    cycle,
		"string that is not UTF-8": []any{"a\xff"},
		"key that is not UTF-8":    map[string]any{"\xff": 1},
		"escaped and not UTF-8":    `\n\\` + "\xff",
		"number out of range":      json.RawMessage(`1e400`),
		"raw JSON that is none":    json.RawMessage(`{`),
		"raw JSON, not UTF-8":      json.RawMessage("\"\xff\""),
	}
}

func TestAwareness_SetLocalState_Refuses(t *testing.T) {
	for name, value := range unsupportedValues() {
		t.Run(name, func(t *testing.T) {
			a := newAwareness(t, 1, ycrdt.AwarenessOptions{})
			require.NoError(t, a.SetLocalState(map[string]any{"kept": true}))
			before := a.Meta()
			events := recordAwareness(a)

			require.ErrorIs(t, a.SetLocalState(value), ycrdt.ErrUnsupportedValue)
			require.ErrorIs(t, a.SetLocalStateField("a.b", value), ycrdt.ErrUnsupportedValue)
			require.ErrorIs(t, a.SetLocalStateKey("kept", value), ycrdt.ErrUnsupportedValue)

			assert.Equal(t, map[string]any{"kept": true}, a.LocalState())
			assert.Equal(t, before, a.Meta())
			assert.Empty(t, events.take())
		})
	}
}

func TestAwareness_SetLocalStateField(t *testing.T) {
	a := newAwareness(t, 1, ycrdt.AwarenessOptions{})
	require.NoError(t, a.SetLocalState(json.RawMessage(`{"big":9007199254740993,"html":"<b>"}`)))
	require.NoError(t, a.SetLocalStateField("name", "Ada"))
	require.NoError(t, a.SetLocalStateField("user.cursor.line", 3))
	require.NoError(t, a.SetLocalStateField("user.cursor.column", 0))
	require.NoError(t, a.SetLocalStateField("user.cursor.line", 4))
	require.NoError(t, a.SetLocalStateField("gone", nil))
	require.NoError(t, a.SetLocalStateKey("user.name", "literal"))
	require.NoError(t, a.SetLocalStateKey("", "empty"))
	update, err := a.EncodeUpdate([]uint64{1})
	require.NoError(t, err)
	assert.Contains(t, string(update), `{"":"empty","big":9007199254740993,"gone":null,"html":"<b>","name":"Ada",`+
		`"user":{"cursor":{"column":0,"line":4}},"user.name":"literal"}`)
}

func TestAwareness_SetLocalStateField_Refuses(t *testing.T) {
	start := map[string]any{"text": "t", "list": []any{1.0}, "null": nil, "object": map[string]any{"n": 1.0}}
	for _, path := range []string{
		"", ".", "a.", ".a", "a..b", "text.a", "list.0", "null.a", "object.n.a", "object.n.a.b",
	} {
		t.Run(path, func(t *testing.T) {
			a := newAwareness(t, 1, ycrdt.AwarenessOptions{})
			require.NoError(t, a.SetLocalState(start))
			events := recordAwareness(a)
			require.ErrorIs(t, a.SetLocalStateField(path, 1), ycrdt.ErrInvalidArgument)
			assert.Equal(t, start, a.LocalState())
			assert.Empty(t, events.take())
		})
	}
	t.Run("local state is not an object", func(t *testing.T) {
		a := newAwareness(t, 1, ycrdt.AwarenessOptions{})
		require.NoError(t, a.SetLocalState("text"))
		require.ErrorIs(t, a.SetLocalStateField("a", 1), ycrdt.ErrInvalidArgument)
		assert.Equal(t, "text", a.LocalState())
	})
	t.Run("path is not UTF-8", func(t *testing.T) {
		a := newAwareness(t, 1, ycrdt.AwarenessOptions{})
		require.ErrorIs(t, a.SetLocalStateField("a\xff", 1), ycrdt.ErrUnsupportedValue)
	})
}

func TestAwareness_SetLocalStateField_WithoutStateDoesNothing(t *testing.T) {
	a := newAwareness(t, 1, ycrdt.AwarenessOptions{})
	require.NoError(t, a.SetLocalState(nil))
	events := recordAwareness(a)
	require.NoError(t, a.SetLocalStateField("a", 1))
	assert.Nil(t, a.LocalState())
	assert.Empty(t, events.take())
}
