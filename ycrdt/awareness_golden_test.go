package ycrdt_test

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
)

// What the Awareness of y-protocols does, written down by
// protocol/testdata/generate.mjs.
type goldenAwareness struct {
	Local     uint64
	Scenarios []struct {
		Name  string
		Steps []goldenStep
	}
}

type goldenStep struct {
	Op     string
	State  any
	Field  string
	Value  any
	IDs    []uint64
	Update string

	Events []goldenEvent
	States map[uint64]any
	Clocks map[uint64]uint64
}

// goldenEvent is an event of y-protocols: the topic "update" names all clients
// whose clock moved, and "change" leaves out those updated to an equal state.
type goldenEvent struct {
	Topic                   string
	Added, Updated, Removed []uint64
	Origin                  any
}

func TestAwareness_Golden(t *testing.T) {
	data, err := os.ReadFile("protocol/testdata/awareness.json")
	require.NoError(t, err)
	var g goldenAwareness
	require.NoError(t, json.Unmarshal(data, &g))
	require.NotEmpty(t, g.Scenarios)
	for _, scenario := range g.Scenarios {
		t.Run(scenario.Name, func(t *testing.T) {
			a := newAwareness(t, g.Local, ycrdt.AwarenessOptions{})
			events := recordAwareness(a)
			for i, step := range scenario.Steps {
				events.take()
				before := a.States()
				step.perform(t, a)
				assert.Equal(t, step.States, a.States(), "step %d", i)
				assert.Equal(t, step.Clocks, awarenessClocks(a), "step %d", i)
				assert.Equal(t, step.wantEvents(before), events.take(), "step %d", i)
			}
		})
	}
}

func (s goldenStep) perform(t *testing.T, a *ycrdt.Awareness) {
	switch s.Op {
	case "set":
		require.NoError(t, a.SetLocalState(s.State))
	case "setField":
		require.NoError(t, a.SetLocalStateField(s.Field, s.Value))
	case "remove":
		require.NoError(t, a.RemoveStates(s.IDs, "remover"))
	case "apply":
		received, err := hex.DecodeString(s.Update)
		require.NoError(t, err)
		require.NoError(t, a.ApplyUpdate(received, "remote"))
	case "encode":
		encoded, err := a.EncodeUpdate(s.IDs)
		require.NoError(t, err)
		assert.Equal(t, s.Update, hex.EncodeToString(encoded))
	default:
		require.Fail(t, "unknown step", s.Op)
	}
}

// wantEvents translates the events of y-protocols. Two things differ: a removal
// that left the state where it was (of the local client, by others) is an update,
// and the removal of what was gone already is no change.
func (s goldenStep) wantEvents(before map[uint64]any) []ycrdt.AwarenessEvent {
	var updates, changes goldenEvent
	for _, event := range s.Events {
		if event.Topic == "update" {
			updates = event
		} else {
			changes = event
		}
	}
	stillThere := func(id uint64) bool { return s.States[id] != nil }
	var removed []uint64
	for _, id := range updates.Removed {
		if stillThere(id) {
			updates.Updated = append(updates.Updated, id)
		} else {
			removed = append(removed, id)
		}
	}
	gone := slices.DeleteFunc(slices.Clone(removed), func(id uint64) bool { return before[id] == nil })

	var events []ycrdt.AwarenessEvent
	add := func(kind ycrdt.AwarenessEventKind, ids, changed []uint64) {
		if len(ids) == 0 {
			return
		}
		if len(changed) == 0 {
			changed = nil
		}
		events = append(events, ycrdt.AwarenessEvent{Kind: kind, ClientIDs: ids, Changed: changed, Origin: updates.Origin})
	}
	add(ycrdt.AwarenessAdded, updates.Added, updates.Added)
	add(ycrdt.AwarenessUpdated, updates.Updated, changes.Updated)
	add(ycrdt.AwarenessRemoved, removed, gone)
	return events
}

func awarenessClocks(a *ycrdt.Awareness) map[uint64]uint64 {
	result := make(map[uint64]uint64)
	for id, meta := range a.Meta() {
		result[id] = meta.Clock
	}
	return result
}
