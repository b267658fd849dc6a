// Package stack tells what a goroutine is in the middle of.
package stack

import (
	"runtime"
	"strings"
)

// Has tells whether the calling goroutine is inside one of the named functions: a name is the end of the one that
// package runtime shows. It is slow and meant for callers that have to wait anyway.
func Has(functions ...string) bool {
	frames := runtime.CallersFrames(callers())
	for {
		frame, more := frames.Next()
		for _, function := range functions {
			if strings.HasSuffix(frame.Function, function) {
				return true
			}
		}
		if !more {
			return false
		}
	}
}

// callers returns the whole stack of its caller's caller.
func callers() []uintptr {
	for size := 128; ; size *= 2 {
		pcs := make([]uintptr, size)
		if n := runtime.Callers(3, pcs); n < size {
			return pcs[:n]
		}
	}
}
