package ywebsocket

import (
	"cmp"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"
)

// outgoing counts the bytes that wait to be written to all connections. What several
// are to be sent counts once. It is safe for concurrent use.
//
// When they are too many, the connections that hold most of them end.
type outgoing struct {
	max   int64
	log   *slog.Logger
	boxes func() []*outbox // all there are

	used     atomic.Int64
	evicting atomic.Bool
}

// add counts a frame that an outbox holds from now on. The lock of that may be held.
func (all *outgoing) add(f frame) {
	if f.holders != nil && f.holders.Add(1) == 1 {
		all.used.Add(int64(f.cost()))
		all.check()
	}
}

// remove undoes add for several frames.
func (all *outgoing) remove(frames []frame) {
	for _, f := range frames {
		if f.holders != nil && f.holders.Add(-1) == 0 {
			all.used.Add(-int64(f.cost()))
		}
	}
}

// check sees to it that there is room soon.
func (all *outgoing) check() {
	if all.used.Load() > all.max && !all.evicting.Swap(true) {
		go all.makeRoom()
	}
}

// evictDelay is how long those that have to make room are given before it is looked
// whether that was enough.
const evictDelay = 10 * time.Millisecond

func (all *outgoing) makeRoom() {
	for all.used.Load() > all.max {
		all.evict()
		time.Sleep(evictDelay)
	}
	all.evicting.Store(false)
	all.check() // what has come meanwhile
}

// evict has those connections end that hold most, until the rest would be few enough.
// What a connection holds that is ending already is as good as gone: Timeouts.Close is
// all that it has left.
func (all *outgoing) evict() {
	type holder struct {
		box   *outbox
		bytes int64
	}
	var holders []holder
	excess := all.used.Load() - all.max
	for _, o := range all.boxes() {
		bytes, ending := o.holds()
		if ending {
			excess -= bytes
		} else {
			holders = append(holders, holder{o, bytes})
		}
	}
	slices.SortFunc(holders, func(a, b holder) int { return cmp.Compare(b.bytes, a.bytes) })
	for _, h := range holders {
		if excess <= 0 || h.bytes == 0 {
			return
		}
		all.log.Warn("too much waits to be written; a connection that holds most of it has to end", "bytes", h.bytes)
		h.box.evict()
		excess -= h.bytes
	}
}

// holds returns how many bytes the outbox holds, its part of those that others hold too,
// and whether it is closed.
func (o *outbox) holds() (bytes int64, closed bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	count := func(frames []frame) {
		for _, f := range frames {
			if f.holders != nil {
				bytes += int64(f.cost()) / max(f.holders.Load(), 1)
			}
		}
	}
	count(o.taken)
	count(o.queue)
	if o.compacting != nil {
		count(o.compacting.frames)
	}
	return bytes, o.closed
}

// evict gives up what is queued, and the connection.
func (o *outbox) evict() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.closed {
		o.overflow("too much waits to be sent: reconnect to catch up")
	}
}
