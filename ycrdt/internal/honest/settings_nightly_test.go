//go:build nightly && !race && !yffidebug && !goexperiment.cgocheck2

package honest

const (
	defaultSessions = 20_000
	ordersReadByYjs = 100 // all
	minSessions     = 20_000
	minUpdates      = 1_000_000
)
