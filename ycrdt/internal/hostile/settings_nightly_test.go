//go:build nightly && !yffidebug && !race && !goexperiment.cgocheck2

package hostile

const defaultSequences = 2_000_000
