package hostile

import "testing"

// Nothing that clients send kills the process, hangs, or leaves a document that cannot be encoded and loaded again.
func TestHostile(t *testing.T) {
	hunt(t, player{publicAPI(t), patience}, defaultSequences)
}
