package ywebsocket

import (
	"slices"
	"sync"
	"time"
)

// QuarantinedUpdate is an update that passed every check and then broke the
// document it was for. It is kept for whoever looks into that; to the room it is
// as if it had never been sent.
type QuarantinedUpdate struct {
	// Time is when it was applied.
	Time time.Time `json:"time"`
	// Room is the name of the room, which the client has chosen.
	Room string `json:"room"`
	// Client is the network address of the client, and User its [Identity], if known.
	Client string `json:"client"`
	User   string `json:"user,omitempty"`
	// Error is what happened.
	Error string `json:"error"`
	// Size is the length of the update in bytes.
	Size int `json:"size"`
	// Update is the update, or its first 4 MiB.
	Update []byte `json:"update"`
}

const (
	maxQuarantinedBytes = 4 << 20 // of one update

	// What is kept in memory.
	memoryQuarantineUpdates = 64
	memoryQuarantineBytes   = 16 << 20
)

// quarantine puts aside an update that has broken the document.
func (r *room) quarantine(in *inbound, cause error) {
	update := QuarantinedUpdate{
		Time:   time.Now(),
		Room:   r.name,
		Client: in.from.remote,
		User:   in.from.identity.User,
		Error:  cause.Error(),
		Size:   len(in.update),
		Update: slices.Clone(in.update[:min(len(in.update), maxQuarantinedBytes)]),
	}
	if err := protect(func() error { return r.server.quarantine(update) }); err != nil {
		in.from.log().Error("cannot quarantine an update", "error", err)
	}
}

// Quarantined returns the latest updates that have broken a document, oldest
// first: at most 64, and at most 16 MiB. It returns none if Options.Quarantine is
// set. Their bytes must not be changed.
func (s *Server) Quarantined() []QuarantinedUpdate { return s.quarantined.all() }

// memoryQuarantine keeps the latest updates.
type memoryQuarantine struct {
	mu      sync.Mutex
	updates []QuarantinedUpdate
	bytes   int
}

func (q *memoryQuarantine) add(update QuarantinedUpdate) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.updates = append(q.updates, update)
	q.bytes += len(update.Update)
	for len(q.updates) > memoryQuarantineUpdates || q.bytes > memoryQuarantineBytes {
		q.bytes -= len(q.updates[0].Update)
		q.updates = slices.Delete(q.updates, 0, 1)
	}
	return nil
}

func (q *memoryQuarantine) all() []QuarantinedUpdate {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Clone(q.updates)
}
