//go:build nightly && !race && !yffidebug

package ycrdt_test

// positionSessions is how many sessions are played with a position index and without.
const positionSessions = 20000
