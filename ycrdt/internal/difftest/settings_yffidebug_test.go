//go:build yffidebug

package difftest

// Debug builds collect garbage every few calls.
const (
	defaultSessions = 50
	largeTraces     = false
)
