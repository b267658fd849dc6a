//go:build !nightly && !race && !yffidebug && !goexperiment.cgocheck2

package honest

const (
	// defaultSessions is how many sessions TestSessions plays.
	defaultSessions = 2300
	// ordersReadByYjs is in how many orders of each session Yjs reads what came of it.
	ordersReadByYjs = 2
	// minSessions and minUpdates are how many have to be checked at least.
	minSessions = 2280
	minUpdates  = 100_000
)
