// Package store keeps the updates of rooms.
//
// A store is a log per room: updates are appended and read back in order. What
// they mean is no concern of the store; it moves bytes. [Store] is what a server
// needs; [Archive], which every store here is, also keeps the log short, and
// remembers what a room was.
//
// [Memory] lives in this package. Stores that need a driver are sub-packages,
// so that a program links only what it uses. Package storetest holds the tests
// that every implementation passes.
package store

import (
	"context"
	"errors"
)

var (
	// ErrNotFound is returned by Load for a room to which nothing was ever
	// appended. Every other error means that the contents are not known, and must
	// never be taken for an empty room.
	ErrNotFound = errors.New("room not found")

	// ErrDamaged matches the error of Load, LoadAt and Compact for a room that opened
	// too empty if what is damaged were left out: no update of its log is sound, or the
	// merged one is not that Compact has put in the place of everything before. Nothing
	// was set aside or changed, so that the room is whole again when the damage is
	// repaired. The text says what can be done.
	ErrDamaged = errors.New("the room is damaged")

	// ErrClosed is returned by every method of a store that has been closed.
	ErrClosed = errors.New("store is closed")

	// ErrSchemaVersion matches the error of opening a store that a newer version
	// of the program has written.
	ErrSchemaVersion = errors.New("unknown schema version")
)

// Store keeps the updates of rooms. All methods are safe for concurrent use.
//
// Room names are valid UTF-8, hold no NUL and are not empty; updates are any bytes.
type Store interface {
	// Load calls each with every update of the room, in the order in which they
	// were appended, and stops at the first error, which it returns. The slice is
	// valid only during the call and must not be changed. Updates appended while
	// Load runs may be left out. It returns an error that matches ErrNotFound if
	// the room does not exist.
	//
	// However long each takes, others load their rooms meanwhile: nothing that they
	// wait for is held. If the room is compacted while Load runs, it may give an update
	// again that each had, by itself or merged with others; what was there when it began
	// is given at least once.
	//
	// A store that finds an update damaged leaves it out, sets it aside for whoever
	// repairs it, and says so to its operator: the rest of the room opens. Where it
	// can write nothing, it sets nothing aside and opens the rest all the same. It
	// returns an error that matches ErrDamaged instead where the rest is not worth it.
	Load(ctx context.Context, room string, each func(update []byte) error) error

	// Append adds updates to the end of the room's log, all or none, and returns
	// when they are as durable as the store can make them: a store on disk
	// survives the death of the process and a loss of power from then on. It
	// creates the room. The updates are not kept after the call.
	//
	// An error does not mean that nothing was stored: the answer may have been
	// lost. The caller repeats the call; updates may be stored twice.
	//
	// It returns an error that matches ErrName if that is no name of a room.
	//
	// Calls for different rooms run at once; a store gathers them into one
	// transaction where that is cheaper.
	Append(ctx context.Context, room string, updates ...[]byte) error

	// Ping reports whether the store could take an Append now.
	Ping(ctx context.Context) error

	// Close waits for running calls and frees what the store holds. Closing
	// again does nothing.
	Close() error
}
