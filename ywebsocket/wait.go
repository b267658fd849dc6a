package ywebsocket

import (
	"context"
	"sync"
)

// waitFor waits until ready returns true or ctx ends, and returns the context's
// error in the latter case. The lock of cond is held by the caller and whenever
// ready is called; whoever changes what ready looks at broadcasts on cond.
func waitFor(ctx context.Context, cond *sync.Cond, ready func() bool) error {
	if ready() {
		return nil
	}
	stop := context.AfterFunc(ctx, func() {
		cond.L.Lock()
		defer cond.L.Unlock()
		cond.Broadcast()
	})
	defer stop()
	for !ready() {
		if err := ctx.Err(); err != nil {
			return err
		}
		cond.Wait()
	}
	return nil
}
