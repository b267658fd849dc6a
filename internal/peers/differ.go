package peers

import "testing"

// StartDiffer starts a Node process that holds Yjs documents without connections, to compare another
// implementation with Yjs. Its one command is "run"; node/difftest.mjs describes it.
func StartDiffer(t testing.TB) *Process {
	t.Helper()
	return start(t, node(t, "difftest.mjs"))
}
