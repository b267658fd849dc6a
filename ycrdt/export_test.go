package ycrdt

import "github.com/yrs-go/yrs/ycrdt/internal/ffi"

// Poison has the native library panic while it writes to doc. No update is known that does that.
func Poison(doc *Doc) error { return wrap("poison", ffi.TestPanic(doc.native)) }

// Indexes is how many lists have a position index.
func (d *Doc) Indexes() int { return ffi.TestIndexes(d.native) }

// HoldsEdits tells whether edits are held back that the native document does not know of yet.
func (d *Doc) HoldsEdits() bool { return d.unsettled.Load() }
