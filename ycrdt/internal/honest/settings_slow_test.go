//go:build race || yffidebug || goexperiment.cgocheck2

package honest

// These builds are slow.
const (
	defaultSessions = 120
	ordersReadByYjs = 2
	minSessions     = 120
	minUpdates      = 4_000
)
