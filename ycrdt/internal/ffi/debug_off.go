//go:build !yffidebug

package ffi

type handleKind int

const (
	liveDocs handleKind = iota
	liveTxns
)

func track(handleKind, int64) {}

func stressGC() {}
