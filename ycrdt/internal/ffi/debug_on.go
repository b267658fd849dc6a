//go:build yffidebug

package ffi

import (
	"runtime"
	"sync/atomic"
)

type handleKind int

const (
	liveDocs handleKind = iota
	liveTxns
	handleKinds
)

var (
	live  [handleKinds]atomic.Int64
	calls atomic.Uint64
)

func track(kind handleKind, n int64) { live[kind].Add(n) }

// stressGC collects garbage every so often: each call would make the tests take hours.
func stressGC() {
	if calls.Add(1)%64 == 0 {
		runtime.GC()
	}
}

// Live returns how many native documents and transactions exist. Debug builds only.
func Live() (docs, txns int64) {
	return live[liveDocs].Load(), live[liveTxns].Load()
}
