//go:build !nightly && !yffidebug

package difftest

const (
	// defaultSessions is how many sessions TestSessions plays.
	defaultSessions = 1000
	// largeTraces tells whether TestTrace replays more than the trace of this repository.
	largeTraces = true
)
