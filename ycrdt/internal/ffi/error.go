package ffi

/*
#include "yffi.h"
#cgo noescape yffi_test_panic
#cgo nocallback yffi_test_panic
#cgo nocallback yffi_test_indexes
*/
import "C"

import "runtime"

// Code is the stable number of a failure.
type Code int32

// The codes, as in YffiCode.
const (
	CodePanic           Code = C.YFFI_CODE_PANIC
	CodePoisoned        Code = C.YFFI_CODE_POISONED
	CodeMalformed       Code = C.YFFI_CODE_MALFORMED
	CodeTooLarge        Code = C.YFFI_CODE_TOO_LARGE
	CodeOutOfRange      Code = C.YFFI_CODE_OUT_OF_RANGE
	CodeDeleted         Code = C.YFFI_CODE_DELETED
	CodeWrongType       Code = C.YFFI_CODE_WRONG_TYPE
	CodeReadOnly        Code = C.YFFI_CODE_READ_ONLY
	CodeApplyFailed     Code = C.YFFI_CODE_APPLY_FAILED
	CodeBusy            Code = C.YFFI_CODE_BUSY
	CodeInvalidArgument Code = C.YFFI_CODE_INVALID_ARGUMENT
	CodeUnsupported     Code = C.YFFI_CODE_UNSUPPORTED_VALUE
	CodeHeldFull        Code = C.YFFI_CODE_HELD_FULL
)

// Error is a failure that the native library reports.
type Error struct {
	Code    Code
	Message string
}

func (e *Error) Error() string { return e.Message }

// check turns the result of a call into an error. It keeps the hot path free of allocations: a call
// that succeeds leaves e untouched.
func check(code C.int32_t, e *C.YffiError) error {
	if code == 0 {
		return nil
	}
	return &Error{Code: Code(code), Message: takeString(e.message)}
}

// TestPanic makes the native library panic, for the test of its boundary. With a document it panics as if it were
// writing to that, which poisons it.
func TestPanic(doc *Doc) error {
	var raw *C.YffiDoc
	if doc != nil {
		raw = doc.ptr()
	}
	var e C.YffiError
	err := check(C.yffi_test_panic(raw, &e), &e)
	runtime.KeepAlive(doc)
	return err
}

// TestIndexes returns how many texts and arrays of a document have a position index.
func TestIndexes(doc *Doc) int {
	defer runtime.KeepAlive(doc)
	return int(C.yffi_test_indexes(doc.ptr()))
}
