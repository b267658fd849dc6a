//go:build yffidebug || race || goexperiment.cgocheck2

package hostile

// Builds that watch every call are slow, and see with few sequences what they are for.
const defaultSequences = 500
