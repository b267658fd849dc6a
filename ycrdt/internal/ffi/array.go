package ffi

/*
#include "yffi.h"
#cgo noescape yffi_array_insert
#cgo nocallback yffi_array_insert
#cgo noescape yffi_array_delete
#cgo nocallback yffi_array_delete
#cgo noescape yffi_array_value
#cgo nocallback yffi_array_value
#cgo noescape yffi_array_values
#cgo nocallback yffi_array_values
*/
import "C"

// ArrayInsert inserts encoded values at index.
func (t *Txn) ArrayInsert(slot uint32, index uint64, values []byte) error {
	var e C.YffiError
	return check(C.yffi_array_insert(t.ptr(), C.uint32_t(slot), C.uint64_t(index),
		bytesPtr(values), C.size_t(len(values)), &e), &e)
}

// ArrayDelete deletes length values from index on.
func (t *Txn) ArrayDelete(slot uint32, index, length uint64) error {
	var e C.YffiError
	return check(C.yffi_array_delete(t.ptr(), C.uint32_t(slot), C.uint64_t(index), C.uint64_t(length), &e), &e)
}

// ArrayValue returns the encoded value at index, nil if there is none.
func (t *Txn) ArrayValue(slot uint32, index uint64) ([]byte, error) {
	var out C.YffiBuf
	var e C.YffiError
	code := C.yffi_array_value(t.ptr(), C.uint32_t(slot), C.uint64_t(index), &out, &e)
	return takeBytes(out), check(code, &e)
}

// ArrayValues returns all values, encoded one after another.
func (t *Txn) ArrayValues(slot uint32) ([]byte, error) {
	var out C.YffiBuf
	var e C.YffiError
	code := C.yffi_array_values(t.ptr(), C.uint32_t(slot), &out, &e)
	return takeBytes(out), check(code, &e)
}
