//go:build !nightly && !yffidebug && !race && !goexperiment.cgocheck2

package hostile

// defaultSequences is how many sequences each driver plays.
const defaultSequences = 60_000
