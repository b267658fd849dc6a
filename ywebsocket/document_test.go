package ywebsocket

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
	"github.com/yrs-go/yrs/ywebsocket/store"
)

// newTestDocument returns a document that has been used already.
func newTestDocument(t *testing.T) document {
	t.Helper()
	d, _, err := loadDocument(t.Context(), store.NewMemory(), "room", nil)
	require.NoError(t, err)
	t.Cleanup(d.close)
	update := insert(9, 0, "x")
	ch, err := d.apply(t.Context(), update)
	require.NoError(t, err)
	require.Equal(t, change{update: update, complete: true}, ch)
	return d
}

func TestLiveDocument_Apply(t *testing.T) {
	part := insert(2, 0, "part")
	type step struct {
		name string
		send []byte
		want change
	}
	tests := map[string][]step{
		"in order": {
			{"new", one, change{update: one, complete: true}},
			{"known", one, change{complete: true}},
			{"partly known", merged(t, one, two), change{update: two, complete: true}},
			{"nothing", []byte{0, 0}, change{complete: true}},
		},
		"out of order": {
			{"held", two, change{pending: true}},
			{"something else", part, change{update: part, complete: true, pending: true}},
			{"what was missing", one, change{update: merged(t, one, two), complete: true, released: true}},
			{"the next", three, change{update: three, complete: true}},
		},
		"in parts": {
			{"partly held", merged(t, part, two), change{update: part, pending: true}},
			{"what was missing", one, change{update: merged(t, one, two), complete: true, released: true}},
			{"partly known", merged(t, one, two, three), change{update: three, complete: true}},
		},
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			d := newTestDocument(t)
			for _, step := range steps {
				ch, err := d.apply(t.Context(), step.send)
				require.NoError(t, err, step.name)
				if ch.released { // as one block or as several
					assert.Equal(t, textOf(t, step.want.update), textOf(t, ch.update), step.name)
					ch.update = step.want.update
				}
				assert.Equal(t, step.want, ch, step.name)
			}
		})
	}
}

// What is refused for its size may have come in partly, and be held back partly.
func TestLiveDocument_Apply_TooLarge(t *testing.T) {
	const limit = 16 << 20 // of what is held back
	part, long := insert(2, 0, "part"), strings.Repeat("x", limit/2)
	tests := map[string]struct {
		send, missing []byte
		want          change
		released      bool
	}{
		"a part comes in": {
			send:    merged(t, part, insert(1, 3, long+long)),
			want:    change{update: part},
			missing: merged(t, part, one),
		},
		"a part is held back": {
			send:     merged(t, insert(1, 3, long), insert(3, 3, long)),
			missing:  merged(t, one, insert(3, 0, "one")),
			released: true,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			d := newTestDocument(t)
			ch, err := d.apply(t.Context(), test.send)
			require.ErrorIs(t, err, ycrdt.ErrHeldFull)
			assert.Equal(t, test.want, ch)
			ch, err = d.apply(t.Context(), test.missing)
			require.NoError(t, err)
			assert.True(t, ch.complete)
			if test.released {
				assert.True(t, ch.released)
				assert.Greater(t, len(ch.update), len(long))
			}
		})
	}
}
