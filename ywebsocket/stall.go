package ywebsocket

import (
	"context"
	"time"
)

// stallKey is the key of what such a context has.
type stallKey struct{}

// withStallLimit returns a context that ends, for the given cause, when nothing has
// got on for that long; gotOn says that something has. It ends by itself, too,
// when stop is called.
func withStallLimit(parent context.Context, limit time.Duration, cause error) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	timer := time.AfterFunc(limit, func() { cancel(cause) })
	ctx = context.WithValue(ctx, stallKey{}, func() { timer.Reset(limit) })
	return ctx, func() {
		timer.Stop()
		cancel(nil)
	}
}

// gotOn says that what runs under ctx has got on, if anybody waits for that.
func gotOn(ctx context.Context) {
	if prolong, ok := ctx.Value(stallKey{}).(func()); ok {
		prolong()
	}
}
