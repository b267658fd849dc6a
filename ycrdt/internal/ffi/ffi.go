// Package ffi is the only package that speaks C: thin, typed wrappers over the exports of yffi.
//
// Every wrapper makes one call. Borrowed strings and bytes go in as pointer and length, for the time of
// the call; what comes out is copied into Go memory and freed at once, so nothing of Rust's heap is
// reachable from Go but the handles Doc and Txn.
//
// The package does no locking: see [Doc].
package ffi

/*
#include "yffi.h"
*/
import "C"

import (
	"fmt"
	"unsafe"
)

// abiVersion is the version of the exports that this package was written against.
const abiVersion = 1

func init() {
	if got := uint32(C.yffi_init()); got != abiVersion {
		panic(fmt.Sprintf("ycrdt: the native library has ABI version %d, this package needs %d: "+
			"run make to rebuild it", got, abiVersion))
	}
}

// Kind is the kind of a shared type.
type Kind uint8

// The kinds, as in YffiKind.
const (
	KindUndefined   Kind = C.YFFI_KIND_UNDEFINED
	KindText        Kind = C.YFFI_KIND_TEXT
	KindMap         Kind = C.YFFI_KIND_MAP
	KindArray       Kind = C.YFFI_KIND_ARRAY
	KindXMLElement  Kind = C.YFFI_KIND_XML_ELEMENT
	KindXMLFragment Kind = C.YFFI_KIND_XML_FRAGMENT
	KindXMLText     Kind = C.YFFI_KIND_XML_TEXT
	KindWeakLink    Kind = C.YFFI_KIND_WEAK_LINK
	KindSubdoc      Kind = C.YFFI_KIND_SUBDOC
	KindXMLHook     Kind = C.YFFI_KIND_XML_HOOK
)

// Absent is the slot of a root that does not exist.
const Absent uint32 = C.YFFI_ABSENT

// bytesPtr lends b to a call.
func bytesPtr(b []byte) *C.uint8_t {
	return (*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(b)))
}

// stringPtr lends s to a call.
func stringPtr(s string) *C.uint8_t {
	return (*C.uint8_t)(unsafe.Pointer(unsafe.StringData(s)))
}

// view gives access to what a call handed out, until it is freed. C.GoBytes would wrap above 2 GB.
func view(buf *C.YffiBuf) []byte {
	// The address is that of native memory, which does not move, so the number is as good as a pointer.
	return unsafe.Slice(*(**byte)(unsafe.Pointer(&buf.address)), int(buf.len))
}

// takeBytes copies what a call handed out and frees it; no bytes are nil.
func takeBytes(buf C.YffiBuf) []byte {
	if buf.address == 0 {
		return nil
	}
	b := append([]byte(nil), view(&buf)...)
	C.yffi_buf_free(buf)
	return b
}

// takeString is takeBytes for text.
func takeString(buf C.YffiBuf) string {
	if buf.address == 0 {
		return ""
	}
	s := string(view(&buf))
	C.yffi_buf_free(buf)
	return s
}
