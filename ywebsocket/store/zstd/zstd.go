// Package zstd compresses what a store keeps.
//
// Each update is compressed by itself, with Zstandard (RFC 8878), where that makes it
// shorter: that gains little on single edits, and much on what a compaction or a
// version holds. The same store can be used with compression and without, and what was
// stored before it was switched on is read as it is. What was stored with it is not
// read without.
package zstd

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/yrs-go/yrs/ywebsocket/store"
)

// Store is a [store.Archive] that keeps what it is given in another one, compressed.
// Its methods are safe for concurrent use, as those of the other are. The sizes that
// [store.Info] and [store.Version] tell are compressed ones.
type Store struct {
	store.Archive
	encoder *zstd.Encoder
	decoder *zstd.Decoder
}

var _ store.Archive = (*Store)(nil)

// maxDecoded bounds what an update is in memory. It is what a store can keep of one.
const maxDecoded = 4 << 30

// New returns a store that keeps everything in this one, which it closes with itself.
func New(archive store.Archive) (*Store, error) {
	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		return nil, fmt.Errorf("zstd: %w", err)
	}
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(maxDecoded))
	if err != nil {
		return nil, fmt.Errorf("zstd: %w", err)
	}
	return &Store{Archive: archive, encoder: encoder, decoder: decoder}, nil
}

// magic begins what is compressed.
var magic = []byte{0x28, 0xb5, 0x2f, 0xfd}

// worthwhile is how long an update is that may become shorter.
const worthwhile = 64

// encode returns what is stored for an update: that, or its compressed form if that is
// shorter. An update that looks compressed is compressed all the same, so that it is
// not taken for that.
func (s *Store) encode(update []byte) []byte {
	ambiguous := bytes.HasPrefix(update, magic)
	if len(update) < worthwhile && !ambiguous {
		return update
	}
	encoded := s.encoder.EncodeAll(update, nil)
	if len(encoded) < len(update) || ambiguous {
		return encoded
	}
	return update
}

// decode is the opposite of encode. It appends to buffer, unless the update is there
// already.
func (s *Store) decode(stored, buffer []byte) []byte {
	if !bytes.HasPrefix(stored, magic) {
		return stored
	}
	update, err := s.decoder.DecodeAll(stored, buffer)
	if err != nil {
		return stored // it was stored without compression, and looks so by chance
	}
	return update
}

// decoded returns a function that gives each the updates in place of what is stored.
func (s *Store) decoded(each func(update []byte) error) func(stored []byte) error {
	var buffer []byte
	return func(stored []byte) error {
		update := s.decode(stored, buffer[:0])
		if cap(update) > cap(buffer) && bytes.HasPrefix(stored, magic) {
			buffer = update
		}
		return each(update)
	}
}

// Load implements [store.Store].
func (s *Store) Load(ctx context.Context, room string, each func(update []byte) error) error {
	return s.Archive.Load(ctx, room, s.decoded(each))
}

// LoadAt implements [store.Archive].
func (s *Store) LoadAt(ctx context.Context, room string, at time.Time, each func(update []byte) error) error {
	return s.Archive.LoadAt(ctx, room, at, s.decoded(each))
}

// Append implements [store.Store].
func (s *Store) Append(ctx context.Context, room string, updates ...[]byte) error {
	encoded := make([][]byte, len(updates))
	for i, update := range updates {
		encoded[i] = s.encode(update)
	}
	return s.Archive.Append(ctx, room, encoded...)
}

// Compact implements [store.Archive].
func (s *Store) Compact(ctx context.Context, room string, before time.Time, merge func(updates [][]byte) ([]byte, error)) error {
	return s.Archive.Compact(ctx, room, before, func(stored [][]byte) ([]byte, error) {
		updates := make([][]byte, len(stored))
		for i := range stored {
			updates[i] = s.decode(stored[i], nil)
		}
		merged, err := merge(updates)
		if err != nil {
			return nil, err
		}
		return s.encode(merged), nil
	})
}

// SaveVersion implements [store.Archive].
func (s *Store) SaveVersion(ctx context.Context, room, name string, state []byte) error {
	return s.Archive.SaveVersion(ctx, room, name, s.encode(state))
}

// LoadVersion implements [store.Archive].
func (s *Store) LoadVersion(ctx context.Context, room, name string) ([]byte, error) {
	state, err := s.Archive.LoadVersion(ctx, room, name)
	if err != nil {
		return nil, err
	}
	return s.decode(state, nil), nil
}

// Close implements [store.Store].
func (s *Store) Close() error {
	err := s.Archive.Close()
	s.decoder.Close()
	return err
}
