package ffi

/*
#include "yffi.h"
#cgo noescape yffi_update_merge
#cgo nocallback yffi_update_merge
#cgo noescape yffi_update_check
#cgo nocallback yffi_update_check
#cgo noescape yffi_update_collect
#cgo nocallback yffi_update_collect
*/
import "C"

// MergeUpdates merges updates, given as lib0 byte arrays one after another.
func MergeUpdates(updates []byte) ([]byte, error) {
	var out C.YffiBuf
	var e C.YffiError
	code := C.yffi_update_merge(bytesPtr(updates), C.size_t(len(updates)), &out, &e)
	return takeBytes(out), check(code, &e)
}

// CheckUpdate checks an update without a document.
func CheckUpdate(update []byte) error {
	var e C.YffiError
	return check(C.yffi_update_check(bytesPtr(update), C.size_t(len(update)), &e), &e)
}

// CollectGarbage drops what is left of deleted shared types from an update that holds a whole document.
func CollectGarbage(update []byte) ([]byte, error) {
	var out C.YffiBuf
	var e C.YffiError
	code := C.yffi_update_collect(bytesPtr(update), C.size_t(len(update)), &out, &e)
	return takeBytes(out), check(code, &e)
}
