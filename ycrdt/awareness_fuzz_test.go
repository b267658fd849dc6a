package ycrdt_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
)

// FuzzAwareness_ApplyUpdate checks that an update is applied or changes nothing,
// and that a newcomer learns of the same states.
func FuzzAwareness_ApplyUpdate(f *testing.F) {
	f.Add(awarenessUpdate(clientState(2, 1, `{"a":[1,null]}`), clientState(1, 7, `null`)))
	f.Add(awarenessUpdate(clientState(2, 1, `1`), clientState(2, 1, `null`)))
	f.Add([]byte{1, 2, 3})
	f.Fuzz(func(t *testing.T, update []byte) {
		a := newAwareness(t, 1, ycrdt.AwarenessOptions{MaxStates: 4})
		learn(t, a, clientState(3, 5, `3`))
		before, states := a.Meta(), a.States()
		if err := a.ApplyUpdate(update, nil); err != nil {
			assert.Equal(t, before, a.Meta())
			assert.Equal(t, states, a.States())
			return
		}
		assert.NotNil(t, a.LocalState(), "nobody removes the local state")
		assert.Len(t, a.States(), len(a.ClientIDs()))
		require.NoError(t, a.SetLocalState("here")) // clock 0 tells nothing

		newcomer := newAwareness(t, 9, ycrdt.AwarenessOptions{NoLocalState: true})
		require.NoError(t, newcomer.ApplyUpdate(a.EncodeStates(), nil))
		assert.Equal(t, a.States(), newcomer.States())
	})
}
