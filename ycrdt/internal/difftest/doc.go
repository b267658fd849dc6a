// Package difftest holds tests that compare package ycrdt with Yjs.
//
// TestSessions makes up editing sessions from a seed. Each is a [script] of two to four replicas, some Yjs in a Node
// process and some ycrdt, that edit at random and hear of each other late, twice and out of order. In the end all of
// them must hold the same. What fails is shrunk and printed with the seed that brings it back:
//
//	YRS_SEED=17 YRS_SESSIONS=1 go test -run TestSessions ./ycrdt/internal/difftest
//
// TestTrace replays recorded typing.
package difftest
