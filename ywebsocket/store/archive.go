package store

import (
	"context"
	"errors"
	"time"
)

var (
	// ErrCompacted matches the error of LoadAt for a moment that Compact has merged
	// with what came later.
	ErrCompacted = errors.New("the history of that time has been merged")
	// ErrVersionExists is returned by SaveVersion for a name that is taken.
	ErrVersionExists = errors.New("a version of that name exists")
	// ErrChanged is returned by Compact when the updates that it has read are not
	// those of the log any more, because somebody else has compacted or deleted the
	// room. Nothing was changed.
	ErrChanged = errors.New("the log has been compacted or deleted meanwhile")
)

// Info is what a store knows of a room without reading it.
type Info struct {
	Room string
	// Created is when the room was first appended to, Modified when it was last. Zero
	// where the room is older than the store's record of times.
	Created, Modified time.Time
	// Updates is the length of the log; Bytes is how much it takes, without
	// indexes and versions.
	Updates, Bytes int64
}

// Version is a state of a room that was given a name.
type Version struct {
	Name    string
	Created time.Time
	Bytes   int64
}

// Archive is a [Store] whose logs can be kept short, and that remembers what a
// room was. All methods are safe for concurrent use, also with those of [Store].
//
// Times are those of the store's clock, in microseconds, or coarser. A room's
// times never decrease in the order of its log.
type Archive interface {
	Store

	// Compact replaces updates of the room's log that were stored before the given
	// time (zero: any) by what merge makes of them. merge gets the longest beginning of
	// the log that is old enough, and is not called for fewer than two updates; what
	// it gets is valid during the call and must not be changed. An error of merge is
	// returned, and changes nothing. The room may be in use: what is appended meanwhile
	// stays behind what was merged. Exactly the updates that merge got are replaced,
	// and all at once: a program that dies on the way leaves the old log or the new.
	//
	// It returns an error that matches ErrNotFound if the room does not exist, and one
	// that matches ErrChanged if the log was compacted by somebody else meanwhile.
	Compact(ctx context.Context, room string, before time.Time, merge func(updates [][]byte) ([]byte, error)) error

	// LoadAt is Load as it was at a moment: with the updates that had been stored
	// then, each once. A store may have all of them in memory for that. It returns an
	// error that matches ErrNotFound if the room did not exist yet, and one that matches
	// ErrCompacted if the log no longer tells.
	LoadAt(ctx context.Context, room string, at time.Time, each func(update []byte) error) error

	// Stat returns what is known of a room, or an error that matches ErrNotFound.
	Stat(ctx context.Context, room string) (Info, error)
	// Rooms calls each with every room in the order of their names, byte by byte,
	// beginning behind the name after, and stops at the first error, which it
	// returns. Rooms that come or go meanwhile may be left out. each may call the store.
	Rooms(ctx context.Context, after string, each func(Info) error) error
	// Delete forgets a room with its versions. One that does not exist is no error.
	// Whoever has the room open goes on appending to a new one: close it first.
	Delete(ctx context.Context, room string) error

	// SaveVersion keeps an update that holds a whole state under a name of its own: it
	// does not change with the log. Names are like those of rooms. It returns an error
	// that matches ErrNotFound if the room does not exist, one that matches
	// ErrVersionExists if the name is taken, and one that matches ErrName if it is none.
	SaveVersion(ctx context.Context, room, name string, state []byte) error
	// Versions returns the versions of a room in the order in which they were saved;
	// none for a room that does not exist.
	Versions(ctx context.Context, room string) ([]Version, error)
	// LoadVersion returns what was saved, or an error that matches ErrNotFound.
	LoadVersion(ctx context.Context, room, name string) ([]byte, error)
	// DeleteVersion forgets a version. One that does not exist is no error.
	DeleteVersion(ctx context.Context, room, name string) error
}
