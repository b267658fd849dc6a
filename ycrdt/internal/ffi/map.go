package ffi

/*
#include "yffi.h"
#cgo noescape yffi_map_set
#cgo nocallback yffi_map_set
#cgo noescape yffi_map_delete
#cgo nocallback yffi_map_delete
#cgo noescape yffi_map_clear
#cgo nocallback yffi_map_clear
#cgo noescape yffi_map_value
#cgo nocallback yffi_map_value
#cgo noescape yffi_map_len
#cgo nocallback yffi_map_len
#cgo noescape yffi_map_entries
#cgo nocallback yffi_map_entries
*/
import "C"

// MapSet sets key to an encoded value.
func (t *Txn) MapSet(slot uint32, key string, value []byte) error {
	var e C.YffiError
	return check(C.yffi_map_set(t.ptr(), C.uint32_t(slot), stringPtr(key), C.size_t(len(key)),
		bytesPtr(value), C.size_t(len(value)), &e), &e)
}

// MapDelete removes key if it is there.
func (t *Txn) MapDelete(slot uint32, key string) error {
	var e C.YffiError
	return check(C.yffi_map_delete(t.ptr(), C.uint32_t(slot), stringPtr(key), C.size_t(len(key)), &e), &e)
}

// MapClear removes every entry.
func (t *Txn) MapClear(slot uint32) error {
	var e C.YffiError
	return check(C.yffi_map_clear(t.ptr(), C.uint32_t(slot), &e), &e)
}

// MapValue returns the encoded value under key, nil if there is none.
func (t *Txn) MapValue(slot uint32, key string) ([]byte, error) {
	var out C.YffiBuf
	var e C.YffiError
	code := C.yffi_map_value(t.ptr(), C.uint32_t(slot), stringPtr(key), C.size_t(len(key)), &out, &e)
	return takeBytes(out), check(code, &e)
}

// MapLen returns the number of entries.
func (t *Txn) MapLen(slot uint32) (int, error) {
	var n C.uint32_t
	var e C.YffiError
	code := C.yffi_map_len(t.ptr(), C.uint32_t(slot), &n, &e)
	return int(n), check(code, &e)
}

// MapEntries returns keys and encoded values in the order of the keys.
func (t *Txn) MapEntries(slot uint32) ([]byte, error) {
	var out C.YffiBuf
	var e C.YffiError
	code := C.yffi_map_entries(t.ptr(), C.uint32_t(slot), &out, &e)
	return takeBytes(out), check(code, &e)
}
