package ycrdt

import (
	"context"
	"math"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/yrs-go/yrs/internal/stack"
)

// Lock order: a document's settling comes before its lock, and is let go of before user code runs; the mutexes of its
// dispatcher and its observer table are leaves, never held while user code runs or another lock is taken.

// rwLock is a readers-writer lock whose waiters can give up. Waiters are served in order, so readers do not
// keep a writer out for ever.
type rwLock struct {
	sem *semaphore.Weighted
}

const allReaders = math.MaxInt32

// nestedWait is how long a waiter that is inside a transaction already keeps quiet about it.
const nestedWait = time.Second

func newRWLock() rwLock { return rwLock{semaphore.NewWeighted(allReaders)} }

func (l rwLock) read(ctx context.Context) error  { return l.acquire(ctx, 1) }
func (l rwLock) write(ctx context.Context) error { return l.acquire(ctx, allReaders) }
func (l rwLock) tryWrite() bool                  { return l.sem.TryAcquire(allReaders) }
func (l rwLock) unlockRead()                     { l.sem.Release(1) }
func (l rwLock) unlockWrite()                    { l.sem.Release(allReaders) }

// downgrade turns a writer's lock into a reader's.
func (l rwLock) downgrade() { l.sem.Release(allReaders - 1) }

func (l rwLock) acquire(ctx context.Context, n int64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if l.sem.TryAcquire(n) {
		return nil
	}
	if !stack.Has(transactionFrames...) {
		return l.sem.Acquire(ctx, n)
	}
	// Inside a transaction, of this document or of another: of this one it would wait for itself, and Go
	// cannot tell which.
	quiet, cancel := context.WithTimeout(ctx, nestedWait)
	defer cancel()
	if err := l.sem.Acquire(quiet, n); err == nil || ctx.Err() != nil {
		return err
	}
	reportNesting()
	return l.sem.Acquire(ctx, n)
}

// transactionFrames are the functions that run a transaction's closure.
var transactionFrames = []string{"ycrdt.(*Tx).run"}
