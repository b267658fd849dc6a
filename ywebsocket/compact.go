package ywebsocket

import (
	"slices"

	"github.com/yrs-go/yrs/ycrdt"
	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// maxBroadcasts bounds the frames that are merged at once: the time that takes
// grows with the square of their number.
const maxBroadcasts = 1024

// compact makes one awareness frame and one update frame of all broadcasts in
// the queue. What cannot be compacted stays as it is. The order among updates,
// and between them and replies, does not matter to the client's document.
func (o *outbox) compact() {
	var updates, awareness [][]byte
	for _, f := range o.queue {
		switch f.kind {
		case frameUpdate:
			updates = append(updates, f.content)
		case frameAwareness:
			awareness = append(awareness, f.content)
		}
	}
	if len(awareness) > 1 {
		if latest, err := latestAwareness(awareness); err == nil {
			o.replace(awarenessFrame(latest))
		}
	}
	if len(updates) > 1 {
		if merged, err := ycrdt.MergeUpdates(updates...); err == nil {
			o.replace(updateFrame(merged))
		}
	}
}

// replace puts f in the place of all frames of its kind.
func (o *outbox) replace(f frame) {
	rest := slices.DeleteFunc(o.queue, func(old frame) bool { return old.kind == f.kind })
	o.drop()
	for _, old := range append(rest, f) {
		o.push(old)
	}
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
