//go:build nightly && !yffidebug

package difftest

const (
	defaultSessions = 50_000
	largeTraces     = true
)
