package ywebsocket

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/yrs-go/yrs/ywebsocket/store"
)

// compactor merges the logs of rooms in the store, one room after another, because
// each is in memory twice meanwhile. Its goroutine runs while there is something
// to do.
type compactor struct {
	archive store.Archive
	// history is how long updates stay apart, so that the store can tell what a room
	// was then.
	history time.Duration
	log     *slog.Logger
	ctx     context.Context
	cancel  context.CancelFunc
	worker  sync.WaitGroup

	mu      sync.Mutex
	queue   []string // without repetitions, nor the room under way
	running bool
	closed  bool
}

// newCompactor returns nil if the store cannot replace updates, or need not.
func newCompactor(options Options) *compactor {
	archive, ok := options.Store.(store.Archive)
	if !ok || options.CompactAfter < 0 {
		return nil
	}
	c := &compactor{archive: archive, history: options.History, log: options.Logger}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c
}

// request has a room compacted soon. It does not wait.
func (c *compactor) request(room string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	if !slices.Contains(c.queue, room) {
		c.queue = append(c.queue, room)
	}
	if !c.running {
		c.running = true
		c.worker.Go(c.run)
	}
}

// close has the work end, also that under way: the store keeps the old log. It does not
// wait.
func (c *compactor) close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.cancel()
}

// wait reports whether the work ended before ctx. It comes after close.
func (c *compactor) wait(ctx context.Context) bool { return waitGroup(ctx, &c.worker) }

func (c *compactor) run() {
	for {
		room, ok := c.next()
		if !ok {
			return
		}
		c.compact(room)
	}
}

// next takes a room from the queue. When there is none, run has ended.
func (c *compactor) next() (room string, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) == 0 || c.closed {
		c.queue = nil
		c.running = false
		return "", false
	}
	room, c.queue = c.queue[0], c.queue[1:]
	return room, true
}

func (c *compactor) compact(room string) {
	var before time.Time
	if c.history > 0 {
		before = time.Now().Add(-c.history)
	}
	var updates, merged int
	start := time.Now()
	err := protect(func() error {
		return c.archive.Compact(c.ctx, room, before, func(log [][]byte) ([]byte, error) {
			update, err := mergeLog(c.ctx, log)
			updates, merged = len(log), len(update)
			return update, err
		})
	})
	switch {
	case c.ctx.Err() != nil:
	case errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrChanged): // somebody else's work
	case err != nil:
		c.log.Warn("a room's log was not compacted; it stays as it is", "room", room, "error", err)
	case updates > 0:
		c.log.Debug("compacted a room's log", "room", room, "updates", updates, "bytes", merged, "took", time.Since(start))
	}
}
