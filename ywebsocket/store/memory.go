package store

import (
	"bytes"
	"context"
	"slices"
	"sync"
)

// Memory is a [Store] that forgets everything when the process ends. Make one
// with [NewMemory].
type Memory struct {
	mu     sync.RWMutex
	rooms  map[string][][]byte
	closed bool
}

var _ Store = (*Memory)(nil)

// NewMemory returns an empty store in memory.
func NewMemory() *Memory {
	return &Memory{rooms: make(map[string][][]byte)}
}

// Load implements [Store].
func (m *Memory) Load(ctx context.Context, room string, each func(update []byte) error) error {
	updates, err := m.snapshot(room)
	if err != nil {
		return err
	}
	for _, update := range updates {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := each(update); err != nil {
			return err
		}
	}
	return nil
}

// snapshot returns the room's log as it is now. Appending does not touch it, and
// its updates are never changed.
func (m *Memory) snapshot(room string) ([][]byte, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.closed {
		return nil, ErrClosed
	}
	updates, ok := m.rooms[room]
	if !ok {
		return nil, ErrNotFound
	}
	return slices.Clip(updates), nil
}

// Append implements [Store].
func (m *Memory) Append(ctx context.Context, room string, updates ...[]byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	copies := make([][]byte, len(updates))
	for i, update := range updates {
		copies[i] = bytes.Clone(update)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return ErrClosed
	}
	if len(copies) > 0 {
		m.rooms[room] = append(m.rooms[room], copies...)
	}
	return nil
}

// Ping implements [Store].
func (m *Memory) Ping(ctx context.Context) error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.closed {
		return ErrClosed
	}
	return ctx.Err()
}

// Close implements [Store].
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	m.rooms = nil
	return nil
}
