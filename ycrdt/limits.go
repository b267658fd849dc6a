package ycrdt

import (
	"fmt"
	"math"
	"time"

	"github.com/yrs-go/yrs/ycrdt/internal/ffi"
)

// Limits bound what updates and edits may bring into a document. Zero means the default. What exceeds one is
// refused with ErrTooLarge or, where only the content of an update shows it, ErrMalformed.
type Limits struct {
	// UpdateBytes is the length of one update. Default 256 MiB.
	UpdateBytes int
	// ValueDepth is how deep the plain values (maps and lists) of an update may nest. Default 64, at most 256.
	ValueDepth int
	// Nesting is how deep shared types may nest, over all updates and edits together. Default 128, at most 512.
	Nesting int

	// HeldBytes is how much is held back because it misses something that has not arrived. Each piece counts 64
	// bytes more than its length. Default 16 MiB.
	HeldBytes int
	// HeldPieces is how many pieces that may be: runs of one client's changes, and deleted ranges. Default 100,000.
	HeldPieces int
	// HeldAge is how long a piece is held back, at least seven eighths of it if it is a deletion. It is checked when
	// updates arrive, and when everything is encoded. Default 10 minutes.
	HeldAge time.Duration
}

func (l Limits) native() (ffi.Limits, error) {
	for name, value := range map[string]int{
		"UpdateBytes": l.UpdateBytes, "ValueDepth": l.ValueDepth, "Nesting": l.Nesting,
		"HeldBytes": l.HeldBytes, "HeldPieces": l.HeldPieces, "HeldAge": int(l.HeldAge),
	} {
		if value < 0 {
			msg := fmt.Sprintf("Limits.%s is negative; leave it zero for the default", name)
			return ffi.Limits{}, &Error{Op: "new doc", Code: CodeInvalidArgument, Msg: msg}
		}
	}
	small := func(n int) uint32 { return uint32(min(n, math.MaxUint32)) }
	return ffi.Limits{
		UpdateBytes: uint64(l.UpdateBytes),
		ValueDepth:  small(l.ValueDepth),
		Nesting:     small(l.Nesting),
		HeldBytes:   uint64(l.HeldBytes),
		HeldRuns:    small(l.HeldPieces),
		HeldMillis:  uint64((l.HeldAge + time.Millisecond - 1) / time.Millisecond),
	}, nil
}
