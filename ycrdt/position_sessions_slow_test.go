//go:build race || yffidebug

package ycrdt_test

// positionSessions is how many sessions are played with a position index and without: few, because these builds are slow.
const positionSessions = 60
