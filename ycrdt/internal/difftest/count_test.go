//go:build !nightly

package difftest

// defaultSessions is how many sessions TestSessions plays.
const defaultSessions = 1000
