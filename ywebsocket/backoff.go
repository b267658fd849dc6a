package ywebsocket

import (
	"math/rand/v2"
	"time"
)

// Backoff says how long a [Provider] waits before it connects again. The time is random, between nothing and a limit,
// so that the clients of a server that restarts do not all come back at once. The limit is Min at first, and doubles
// with every attempt in a row that does not end in a sync, up to Max.
type Backoff struct {
	// Min is the limit after a connection that was in sync. Default 2.5 s.
	Min time.Duration
	// Max is the highest limit. Default 30 s.
	Max time.Duration
}

// delay returns how long to wait after a number of failures in a row.
func (b Backoff) delay(failures int) time.Duration {
	return rand.N(doubled(b.Min, failures, b.Max) + 1)
}
