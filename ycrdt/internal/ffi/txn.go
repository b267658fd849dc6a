package ffi

/*
#include "yffi.h"
#cgo noescape yffi_txn_begin
#cgo nocallback yffi_txn_begin
#cgo noescape yffi_txn_commit
#cgo nocallback yffi_txn_commit
#cgo nocallback yffi_txn_changed
#cgo noescape yffi_txn_root
#cgo nocallback yffi_txn_root
#cgo noescape yffi_txn_nested
#cgo nocallback yffi_txn_nested
#cgo noescape yffi_txn_apply_update
#cgo nocallback yffi_txn_apply_update
#cgo noescape yffi_txn_state_vector
#cgo nocallback yffi_txn_state_vector
#cgo noescape yffi_txn_encode_state
#cgo nocallback yffi_txn_encode_state
#cgo noescape yffi_branch_export
#cgo nocallback yffi_branch_export
#cgo noescape yffi_branch_len
#cgo nocallback yffi_branch_len
#cgo noescape yffi_branch_observe
#cgo nocallback yffi_branch_observe
#cgo noescape yffi_branch_unobserve
#cgo nocallback yffi_branch_unobserve
*/
import "C"

import "unsafe"

// Txn is an open transaction. It belongs to one goroutine and is gone after Commit. It holds its document,
// so that the document is not collected while the transaction is open. It must not be copied.
type Txn struct {
	doc *Doc
	raw *C.YffiTxn
}

// Begin opens a transaction. The caller holds the document's lock, exclusively if write is set.
func (d *Doc) Begin(write bool) (Txn, error) {
	var out *C.YffiTxn
	var e C.YffiError
	if err := check(C.yffi_txn_begin(d.ptr(), C.bool(write), &out, &e), &e); err != nil {
		return Txn{}, err
	}
	track(liveTxns, +1)
	return Txn{doc: d, raw: out}, nil
}

func (t *Txn) ptr() *C.YffiTxn {
	stressGC()
	if t.raw == nil {
		panic("ycrdt: use of a finished transaction")
	}
	return t.raw
}

// Commit ends the transaction, whatever it returns.
func (t *Txn) Commit(wantUpdate bool) (Commit, error) {
	raw := t.ptr()
	t.raw = nil
	track(liveTxns, -1)
	var out C.YffiCommit
	var e C.YffiError
	if err := check(C.yffi_txn_commit(raw, C.bool(wantUpdate), &out, &e), &e); err != nil {
		return Commit{}, err
	}
	return takeCommit(&out), nil
}

// Changed tells whether the transaction has inserted or deleted anything so far.
func (t *Txn) Changed() bool {
	return bool(C.yffi_txn_changed(t.ptr()))
}

// Root resolves a root type to a slot, which is Absent if it does not exist and the transaction only reads.
func (t *Txn) Root(kind Kind, name string) (uint32, error) {
	var slot C.uint32_t
	var e C.YffiError
	code := C.yffi_txn_root(t.ptr(), C.uint8_t(kind), stringPtr(name), C.size_t(len(name)), &slot, &e)
	return uint32(slot), check(code, &e)
}

// Nested resolves the shared type that the item (client, clock) holds.
func (t *Txn) Nested(client uint64, clock uint32) (uint32, Kind, error) {
	var slot C.uint32_t
	var kind C.uint8_t
	var e C.YffiError
	code := C.yffi_txn_nested(t.ptr(), C.uint64_t(client), C.uint32_t(clock), &slot, &kind, &e)
	return uint32(slot), Kind(kind), check(code, &e)
}

// ApplyUpdate applies an update within the transaction.
func (t *Txn) ApplyUpdate(update []byte) error {
	var e C.YffiError
	return check(C.yffi_txn_apply_update(t.ptr(), bytesPtr(update), C.size_t(len(update)), &e), &e)
}

// StateVector encodes the state vector.
func (t *Txn) StateVector() ([]byte, error) {
	var out C.YffiBuf
	var e C.YffiError
	code := C.yffi_txn_state_vector(t.ptr(), &out, &e)
	return takeBytes(out), check(code, &e)
}

// noStateVector is a non-null address for an empty, but given, state vector.
var noStateVector [1]byte

// EncodeState encodes everything, pending included, when stateVector is nil, otherwise what it lacks.
func (t *Txn) EncodeState(stateVector []byte) ([]byte, error) {
	ptr := bytesPtr(stateVector)
	if ptr == nil && stateVector != nil {
		ptr = (*C.uint8_t)(unsafe.Pointer(&noStateVector))
	}
	var out C.YffiBuf
	var e C.YffiError
	code := C.yffi_txn_encode_state(t.ptr(), ptr, C.size_t(len(stateVector)), &out, &e)
	return takeBytes(out), check(code, &e)
}

// TextLen returns the length of a text in the document's offset units, in which an embedded value counts 1.
func (t *Txn) TextLen(slot uint32) (int, error) { return t.len(slot, KindText) }

// ArrayLen returns the number of values of an array.
func (t *Txn) ArrayLen(slot uint32) (int, error) { return t.len(slot, KindArray) }

func (t *Txn) len(slot uint32, kind Kind) (int, error) {
	var n C.uint32_t
	var e C.YffiError
	code := C.yffi_branch_len(t.ptr(), C.uint32_t(slot), C.uint8_t(kind), &n, &e)
	return int(n), check(code, &e)
}

// Export encodes a text, map or array and all below it as one plain value.
func (t *Txn) Export(slot uint32, kind Kind) ([]byte, error) {
	var out C.YffiBuf
	var e C.YffiError
	code := C.yffi_branch_export(t.ptr(), C.uint32_t(slot), C.uint8_t(kind), &out, &e)
	return takeBytes(out), check(code, &e)
}

// Observe makes commits record what changes in a shared type, under the caller's id.
func (t *Txn) Observe(slot uint32, observer uint64, deep bool) error {
	var e C.YffiError
	return check(C.yffi_branch_observe(t.ptr(), C.uint32_t(slot), C.uint64_t(observer), C.bool(deep), &e), &e)
}

// Unobserve ends Observe.
func (t *Txn) Unobserve(slot uint32, observer uint64, deep bool) error {
	var e C.YffiError
	return check(C.yffi_branch_unobserve(t.ptr(), C.uint32_t(slot), C.uint64_t(observer), C.bool(deep), &e), &e)
}
