package storetest

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ywebsocket/store"
)

// Breakable is an archive on which a test can do damage.
type Breakable struct {
	store.Archive
	// Reported is how many damaged updates of a room the store has told of so far.
	Reported func(room string) int
	// Reopen closes the archive, and opens it again with this option.
	Reopen func(giveUpDamaged bool)
	// Damage spoils what was stored by the nth call of Append, or by Compact, counted
	// from zero in the log of a room. Repair puts it right again, where it was.
	Damage, Repair func(room string, nth int)
	// Aside counts what is set aside.
	Aside func() int
	// WriteNothing keeps the store from writing, until end is called.
	WriteNothing func() (end func())
}

// RunDamage tests what an archive that keeps checksums does when something does not fit
// them. Every call of open must give an empty one; the suite closes it.
func RunDamage(t *testing.T, open func(t *testing.T) *Breakable) {
	tests := []struct {
		name string
		run  func(t *testing.T, b *Breakable)
	}{
		{"OneUpdate", testDamagedUpdate},
		{"FirstUpdate", testDamagedFirstUpdate},
		{"WhileNothingIsWritten", testDamagedWhileReadOnly},
		{"OnlyUpdate", testDamagedOnlyUpdate},
		{"EveryUpdate", testDamagedEveryUpdate},
		{"OneAfterTheOther", testDamagedOneAfterTheOther},
		{"Checkpoint", testDamagedCheckpoint},
		{"CheckpointAlone", testDamagedCheckpointAlone},
		{"BehindACheckpoint", testDamagedBehindACheckpoint},
		{"GivenUp", testDamagedGivenUp},
		{"Deleted", testDamagedDeleted},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := open(t)
			t.Cleanup(func() { assert.NoError(t, b.Close()) })
			test.run(t, b)
		})
	}
}

// appendEach stores each update by a call of its own.
func appendEach(t *testing.T, s store.Store, room string, updates ...string) {
	t.Helper()
	for _, update := range updates {
		appendAll(t, s, room, update)
	}
}

// expectDamaged checks that a room is refused by everything that reads it, and stays
// what it is.
func expectDamaged(t *testing.T, b *Breakable, room string) {
	t.Helper()
	never := func([][]byte) ([]byte, error) {
		t.Error("nothing is merged")
		return nil, nil
	}
	for range 2 { // looking at it changes nothing
		err := b.Load(t.Context(), room, func([]byte) error { return nil })
		assert.ErrorIs(t, err, store.ErrDamaged)
		assert.NotErrorIs(t, err, store.ErrNotFound)
		assert.ErrorContains(t, err, room)
		assert.ErrorContains(t, err, "backup")
		assert.ErrorIs(t, b.LoadAt(t.Context(), room, time.Now().Add(time.Hour), func([]byte) error { return nil }), store.ErrDamaged)
		assert.ErrorIs(t, b.Compact(t.Context(), room, time.Time{}, never), store.ErrDamaged)
	}
	assert.Zero(t, b.Reported(room), "nothing was set aside")
}

func testDamagedUpdate(t *testing.T, b *Breakable) {
	appendEach(t, b, "room", "a", "b", "c")
	appendEach(t, b, "other", "x")
	b.Damage("room", 1)
	for range 2 {
		assert.Equal(t, []string{"a", "c"}, load(t, b, "room"))
	}
	assert.Equal(t, 1, b.Reported("room"), "once: it is set aside")
	appendEach(t, b, "room", "d")
	require.NoError(t, b.Compact(t.Context(), "room", time.Time{}, join))
	assert.Equal(t, []string{"a+c+d"}, load(t, b, "room"))
	assert.Equal(t, []string{"x"}, load(t, b, "other"))
	assert.Zero(t, b.Reported("other"))
}

// What a room began with is no more than what came later, unless it was merged.
func testDamagedFirstUpdate(t *testing.T, b *Breakable) {
	appendEach(t, b, "room", "a", "b", "c")
	b.Damage("room", 0)
	require.NoError(t, b.Compact(t.Context(), "room", time.Time{}, join))
	assert.Equal(t, []string{"b+c"}, load(t, b, "room"))
	assert.Equal(t, 1, b.Reported("room"))
}

// A store that can write nothing tells what it should set aside, and opens the rest.
func testDamagedWhileReadOnly(t *testing.T, b *Breakable) {
	appendEach(t, b, "room", "a", "b", "c")
	b.Damage("room", 1)
	end := b.WriteNothing()
	large := bytes.Repeat([]byte("x"), 10_000) // no rest of a page is enough
	assert.Error(t, b.Append(t.Context(), "room", large), "so that the test means something")
	assert.Equal(t, []string{"a", "c"}, load(t, b, "room"))
	assert.Equal(t, 1, b.Reported("room"))
	end()
	assert.Equal(t, []string{"a", "c"}, load(t, b, "room"))
	assert.Equal(t, 2, b.Reported("room"), "now it is set aside")
	assert.Equal(t, []string{"a", "c"}, load(t, b, "room"))
	assert.Equal(t, 2, b.Reported("room"))
}

func testDamagedOnlyUpdate(t *testing.T, b *Breakable) {
	appendEach(t, b, "room", "a")
	b.Damage("room", 0)
	expectDamaged(t, b, "room")
	b.Repair("room", 0)
	assert.Equal(t, []string{"a"}, load(t, b, "room"))
}

func testDamagedEveryUpdate(t *testing.T, b *Breakable) {
	appendEach(t, b, "room", "a", "b")
	b.Damage("room", 0)
	b.Damage("room", 1)
	expectDamaged(t, b, "room")
	b.Repair("room", 1)
	assert.Equal(t, []string{"b"}, load(t, b, "room"))
}

// What is left is damaged in its turn.
func testDamagedOneAfterTheOther(t *testing.T, b *Breakable) {
	appendEach(t, b, "room", "a", "b")
	b.Damage("room", 1)
	assert.Equal(t, []string{"a"}, load(t, b, "room"))
	b.Damage("room", 0)
	err := b.Load(t.Context(), "room", func([]byte) error { return nil })
	assert.ErrorIs(t, err, store.ErrDamaged)
	assert.Equal(t, 1, b.Reported("room"))
	b.Repair("room", 0)
	assert.Equal(t, []string{"a"}, load(t, b, "room"))
}

// Without the checkpoint a room would open nearly empty, however sound the rest.
func testDamagedCheckpoint(t *testing.T, b *Breakable) {
	appendEach(t, b, "room", "a", "b")
	require.NoError(t, b.Compact(t.Context(), "room", time.Time{}, join))
	appendEach(t, b, "room", "c", "d")
	b.Damage("room", 0)
	expectDamaged(t, b, "room")
	b.Repair("room", 0)
	assert.Equal(t, []string{"a+b", "c", "d"}, load(t, b, "room"))
	b.Damage("room", 0)
	b.Reopen(false)
	expectDamaged(t, b, "room")
}

func testDamagedCheckpointAlone(t *testing.T, b *Breakable) {
	appendEach(t, b, "room", "a", "b")
	require.NoError(t, b.Compact(t.Context(), "room", time.Time{}, join))
	b.Damage("room", 0)
	expectDamaged(t, b, "room")
	b.Repair("room", 0)
	assert.Equal(t, []string{"a+b"}, load(t, b, "room"))
}

func testDamagedBehindACheckpoint(t *testing.T, b *Breakable) {
	appendEach(t, b, "room", "a", "b")
	require.NoError(t, b.Compact(t.Context(), "room", time.Time{}, join))
	appendEach(t, b, "room", "c", "d")
	b.Damage("room", 1)
	assert.Equal(t, []string{"a+b", "d"}, load(t, b, "room"))
	assert.Equal(t, 1, b.Reported("room"))
	b.Damage("room", 0)
	err := b.Load(t.Context(), "room", func([]byte) error { return nil })
	assert.ErrorIs(t, err, store.ErrDamaged, "it is a checkpoint still")
}

// An operator without a backup decides to go on with what is left.
func testDamagedGivenUp(t *testing.T, b *Breakable) {
	appendEach(t, b, "room", "a", "b")
	require.NoError(t, b.Compact(t.Context(), "room", time.Time{}, join))
	appendEach(t, b, "room", "c", "d")
	b.Damage("room", 0)
	appendEach(t, b, "alone", "x")
	b.Damage("alone", 0)
	b.Reopen(true)
	assert.Equal(t, []string{"c", "d"}, load(t, b, "room"))
	assert.Equal(t, 1, b.Reported("room"))
	assert.Empty(t, load(t, b, "alone"))
	assert.Equal(t, 1, b.Reported("alone"))

	b.Reopen(false)
	assert.Equal(t, []string{"c", "d"}, load(t, b, "room"))
	err := b.Load(t.Context(), "alone", func([]byte) error { return nil })
	assert.ErrorIs(t, err, store.ErrDamaged, "nobody has begun anew")
	appendEach(t, b, "alone", "y")
	assert.Equal(t, []string{"y"}, load(t, b, "alone"))
}

// A room can be deleted whatever state it is in, and takes what was set aside with it.
func testDamagedDeleted(t *testing.T, b *Breakable) {
	appendEach(t, b, "room", "a", "b")
	appendEach(t, b, "lost", "x")
	b.Damage("room", 1)
	b.Damage("lost", 0)
	assert.Equal(t, []string{"a"}, load(t, b, "room"))
	assert.Equal(t, 1, b.Aside())
	for _, room := range []string{"room", "lost"} {
		require.NoError(t, b.Delete(t.Context(), room))
		err := b.Load(t.Context(), room, func([]byte) error { return nil })
		assert.ErrorIs(t, err, store.ErrNotFound)
		appendEach(t, b, room, "new")
		assert.Equal(t, []string{"new"}, load(t, b, room))
	}
	assert.Zero(t, b.Aside())
	assert.Equal(t, 1, b.Reported("room"))
}
