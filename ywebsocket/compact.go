package ywebsocket

import (
	"slices"

	"github.com/yrs-go/yrs/ycrdt"
	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// maxBroadcasts is how many frames wait before they are merged.
const maxBroadcasts = 1024

// compaction is what was taken from a queue to be compacted. The frames behind it
// wait.
type compaction struct{ frames []frame }

// startCompacting has the queue compacted by a goroutine of its own: it is called
// with locks that others wait for, and the writer may be waiting for the network.
// What the queue held is counted until then as if it were still there.
func (o *outbox) startCompacting() {
	o.compacting = &compaction{o.queue}
	o.queue = nil
	go o.compact(o.compacting)
}

// compact puts what is left of a compaction back in front of the queue. If that
// is too much, the connection ends.
func (o *outbox) compact(c *compaction) {
	frames := compacted(slices.Clone(c.frames))
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.compacting != c {
		return // it was dropped meanwhile
	}
	later := o.queue
	o.drop()
	for _, f := range frames {
		o.push(f)
	}
	if o.broadcastBytes > o.maxBytes/2 && !o.closed {
		o.overflow(stuckReason)
		return
	}
	for _, f := range later {
		o.push(f)
	}
	o.changed.Broadcast()
}

// compacted makes one awareness frame and one update frame of all broadcasts.
// What cannot be compacted stays as it is. The order among updates, and between
// them and replies, does not matter to the client's document.
func compacted(frames []frame) []frame {
	var updates, awareness [][]byte
	for _, f := range frames {
		switch f.kind {
		case frameUpdate:
			updates = append(updates, f.content)
		case frameAwareness:
			awareness = append(awareness, f.content)
		}
	}
	if len(awareness) > 1 {
		if latest, err := latestAwareness(awareness); err == nil {
			frames = replaced(frames, awarenessFrame(latest))
		}
	}
	if len(updates) > 1 {
		if merged, err := ycrdt.MergeUpdates(updates...); err == nil {
			frames = replaced(frames, updateFrame(merged))
		}
	}
	return frames
}

// replaced puts f in the place of all frames of its kind.
func replaced(frames []frame, f frame) []frame {
	return append(slices.DeleteFunc(frames, func(old frame) bool { return old.kind == f.kind }), f)
}

// latestAwareness merges awareness updates, given in the order in which they
// were broadcast: of each client, the last entry is the one that counts.
func latestAwareness(updates [][]byte) ([]byte, error) {
	var entries []protocol.AwarenessEntry
	index := make(map[uint64]int)
	for _, update := range updates {
		decoded, err := protocol.DecodeAwarenessUpdate(update)
		if err != nil {
			return nil, err
		}
		for _, entry := range decoded {
			i, known := index[entry.ClientID]
			if !known {
				i = len(entries)
				index[entry.ClientID] = i
				entries = append(entries, entry)
			}
			entries[i] = entry
		}
	}
	return protocol.AppendAwarenessUpdate(nil, entries...), nil
}
