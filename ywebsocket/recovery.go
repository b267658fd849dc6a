package ywebsocket

import "time"

const (
	// firstPause and lastPause bound the time between two documents of a room that
	// updates break one after another. The memory of a broken one is lost.
	firstPause = time.Second
	lastPause  = time.Minute
	// poisonMemory is how long a room has to be well for the next poisoning to
	// count as the first.
	poisonMemory = 10 * time.Minute
)

// recovery spaces out the attempts to load a room. After an update has broken the
// document the next attempt comes at once, if that repeats after a pause that
// doubles from firstPause to lastPause. While loading fails, the pause doubles
// from firstRetry to lastRetry.
type recovery struct {
	failedLoads int // in a row
	poisonings  int
	lastPoison  time.Time
	notBefore   time.Time
}

// loadFailed returns how long to wait for the next attempt.
func (v *recovery) loadFailed(now time.Time) time.Duration {
	v.failedLoads++
	v.waitUntil(now.Add(doubled(firstRetry, v.failedLoads-1, lastRetry)))
	return v.pause(now)
}

func (v *recovery) poisoned(now time.Time) {
	if now.Sub(v.lastPoison) > poisonMemory {
		v.poisonings = 0
	}
	v.poisonings++
	v.lastPoison = now
	if v.poisonings > 1 {
		v.waitUntil(now.Add(doubled(firstPause, v.poisonings-2, lastPause)))
	}
}

func (v *recovery) waitUntil(t time.Time) {
	if t.After(v.notBefore) {
		v.notBefore = t
	}
}

// pause returns how long to wait still; at most 0 for not at all.
func (v *recovery) pause(now time.Time) time.Duration { return v.notBefore.Sub(now) }

// isRecent reports whether it would make a difference to forget all this.
func (v *recovery) isRecent(now time.Time) bool {
	return v.pause(now) > 0 || now.Sub(v.lastPoison) < lastPause
}

// doubled returns d doubled n times, but at most limit.
func doubled(d time.Duration, n int, limit time.Duration) time.Duration {
	for ; n > 0 && d < limit; n-- {
		d *= 2
	}
	return min(d, limit)
}
