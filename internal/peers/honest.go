package peers

import "testing"

// StartYjsSessions starts a Node process that makes up editing sessions of Yjs clients, to see whether another
// implementation takes all that they send; node/honest.mjs describes its commands.
func StartYjsSessions(t testing.TB) *Process {
	t.Helper()
	return start(t, node(t, "honest.mjs"))
}

// StartPycrdtSessions starts a Python process that has pycrdt clients add to such sessions; python/honest.py describes
// its one command.
func StartPycrdtSessions(t testing.TB) *Process {
	t.Helper()
	return start(t, python(t, "honest.py"))
}
