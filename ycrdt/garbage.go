package ycrdt

import "github.com/yrs-go/yrs/ycrdt/internal/ffi"

// Garbage returns how many deleted shared types the document still keeps. A document drops the content of what is
// deleted with the commit, unless DocOptions.SkipGC is set, but a deleted shared type keeps its place, about 600
// bytes: yrs is not safe when it frees types that a hostile update may still refer to. [CollectGarbage] and a new
// document get rid of that. It is 0 for a closed document and does not wait for transactions.
func (d *Doc) Garbage() int {
	d.freeing.RLock()
	defer d.freeing.RUnlock()
	if d.freed {
		return 0
	}
	return d.native.Garbage()
}

// CollectGarbage drops what is left of deleted shared types, and the content of everything that is deleted, from an
// update that holds a whole document, such as EncodeStateAsUpdate(nil) returns. As with the garbage collection of
// Yjs, only lengths stay. A document that is loaded from the result is the same in all but what was deleted, and goes
// on synchronising with all others:
//
//	state, err := doc.EncodeStateAsUpdate(nil)
//	…
//	state, err = ycrdt.CollectGarbage(state)
//	…
//	fresh := ycrdt.NewDoc()
//	err = fresh.ApplyUpdate(state)
//
// An update that is only a part of a document may be collected, too, but loses nothing that is not deleted in the
// same update.
func CollectGarbage(update []byte) ([]byte, error) {
	collected, err := ffi.CollectGarbage(update)
	return collected, wrap("collect garbage", err)
}
