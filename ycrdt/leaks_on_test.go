//go:build yffidebug

package ycrdt_test

import (
	"fmt"
	"runtime"
	"time"

	"github.com/yrs-go/yrs/ycrdt/internal/ffi"
)

// nativeLeaks tells of documents and transactions that are still alive once the garbage collector has freed
// what the tests have forgotten.
func nativeLeaks() error {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.After(10 * time.Second)
	for {
		runtime.GC()
		docs, txns := ffi.Live()
		if docs == 0 && txns == 0 {
			return nil
		}
		select {
		case <-tick.C:
		case <-deadline:
			return fmt.Errorf("%d native documents and %d transactions were not freed", docs, txns)
		}
	}
}
