package ffi

/*
#include "yffi.h"
#cgo noescape yffi_text_insert
#cgo nocallback yffi_text_insert
#cgo noescape yffi_text_insert_attributes
#cgo nocallback yffi_text_insert_attributes
#cgo noescape yffi_text_delete
#cgo nocallback yffi_text_delete
#cgo noescape yffi_text_format
#cgo nocallback yffi_text_format
#cgo noescape yffi_text_apply_delta
#cgo nocallback yffi_text_apply_delta
#cgo noescape yffi_text_string
#cgo nocallback yffi_text_string
#cgo noescape yffi_text_delta
#cgo nocallback yffi_text_delta
*/
import "C"

// TextInsert inserts s at index.
func (t *Txn) TextInsert(slot uint32, index uint64, s string) error {
	var e C.YffiError
	return check(C.yffi_text_insert(t.ptr(), C.uint32_t(slot), C.uint64_t(index),
		stringPtr(s), C.size_t(len(s)), &e), &e)
}

// TextInsertAttributes inserts s at index with encoded attributes.
func (t *Txn) TextInsertAttributes(slot uint32, index uint64, s string, attributes []byte) error {
	var e C.YffiError
	return check(C.yffi_text_insert_attributes(t.ptr(), C.uint32_t(slot), C.uint64_t(index),
		stringPtr(s), C.size_t(len(s)), bytesPtr(attributes), C.size_t(len(attributes)), &e), &e)
}

// TextDelete deletes length units from index on.
func (t *Txn) TextDelete(slot uint32, index, length uint64) error {
	var e C.YffiError
	return check(C.yffi_text_delete(t.ptr(), C.uint32_t(slot), C.uint64_t(index), C.uint64_t(length), &e), &e)
}

// TextFormat sets encoded attributes on length units from index on.
func (t *Txn) TextFormat(slot uint32, index, length uint64, attributes []byte) error {
	var e C.YffiError
	return check(C.yffi_text_format(t.ptr(), C.uint32_t(slot), C.uint64_t(index), C.uint64_t(length),
		bytesPtr(attributes), C.size_t(len(attributes)), &e), &e)
}

// TextApplyDelta applies an encoded delta.
func (t *Txn) TextApplyDelta(slot uint32, delta []byte) error {
	var e C.YffiError
	return check(C.yffi_text_apply_delta(t.ptr(), C.uint32_t(slot), bytesPtr(delta), C.size_t(len(delta)), &e), &e)
}

// TextString returns the characters.
func (t *Txn) TextString(slot uint32) (string, error) {
	var out C.YffiBuf
	var e C.YffiError
	code := C.yffi_text_string(t.ptr(), C.uint32_t(slot), &out, &e)
	return takeString(out), check(code, &e)
}

// TextDelta returns the text as an encoded delta.
func (t *Txn) TextDelta(slot uint32) ([]byte, error) {
	var out C.YffiBuf
	var e C.YffiError
	code := C.yffi_text_delta(t.ptr(), C.uint32_t(slot), &out, &e)
	return takeBytes(out), check(code, &e)
}
