package ywebsocket

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/yrs-go/yrs/ywebsocket/store"
)

// gate lets nobody pass until it is opened.
type gate struct {
	opened chan struct{}
	once   sync.Once
}

func newGate() *gate { return &gate{opened: make(chan struct{})} }

func (g *gate) open() { g.once.Do(func() { close(g.opened) }) }

func (g *gate) wait(ctx context.Context) error {
	select {
	case <-g.opened:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// gatedStore appends nothing before its gate is open.
type gatedStore struct {
	store.Store
	gate *gate
	// waiting counts the calls of Append.
	waiting atomic.Int64
}

func (s *gatedStore) Append(ctx context.Context, room string, updates ...[]byte) error {
	s.waiting.Add(1)
	if err := s.gate.wait(ctx); err != nil {
		return err
	}
	return s.Store.Append(ctx, room, updates...)
}

// brokenStore fails while broken is set.
type brokenStore struct {
	store.Store
	brokenAppend, brokenLoad atomic.Bool
	appends, loads           atomic.Int64
}

var errBroken = errors.New("the disk is on fire")

func (s *brokenStore) Append(ctx context.Context, room string, updates ...[]byte) error {
	s.appends.Add(1)
	if s.brokenAppend.Load() {
		return errBroken
	}
	return s.Store.Append(ctx, room, updates...)
}

func (s *brokenStore) Load(ctx context.Context, room string, each func([]byte) error) error {
	s.loads.Add(1)
	if s.brokenLoad.Load() {
		return errBroken
	}
	return s.Store.Load(ctx, room, each)
}

// failingOnce fails the first time.
type failingOnce struct {
	store.Store
	failed atomic.Bool
}

func (s *failingOnce) Append(ctx context.Context, room string, updates ...[]byte) error {
	if !s.failed.Swap(true) {
		return errBroken
	}
	return s.Store.Append(ctx, room, updates...)
}
