package ywebsocket

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestRecovery_PausesAreBounded(t *testing.T) {
	var v recovery
	now := time.Now()
	for i := range 100 {
		v.poisoned(now)
		pause := max(v.pause(now), 0)
		assert.LessOrEqual(t, pause, lastPause)
		assert.Equal(t, i == 0, pause == 0, "only the first is free")
		now = now.Add(pause)
	}
	assert.Zero(t, v.pause(now))
	for range 100 {
		pause := v.loadFailed(now)
		assert.Positive(t, pause)
		assert.LessOrEqual(t, pause, lastRetry)
		now = now.Add(pause)
	}
}

// A store that fails makes a pause no shorter.
func TestRecovery_TheLongerPauseCounts(t *testing.T) {
	var v recovery
	now := time.Now()
	for range 10 {
		v.poisoned(now)
	}
	assert.Equal(t, lastPause, v.pause(now))
	assert.Equal(t, lastPause, v.loadFailed(now))
}
