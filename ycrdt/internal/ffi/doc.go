package ffi

/*
#include "yffi.h"
#cgo noescape yffi_doc_new
#cgo nocallback yffi_doc_new
#cgo nocallback yffi_doc_free
#cgo nocallback yffi_doc_memory
#cgo noescape yffi_doc_apply_update
#cgo nocallback yffi_doc_apply_update
#cgo nocallback yffi_buf_free
*/
import "C"

import (
	"bytes"
	"runtime"
)

// Doc owns a native document.
//
// The caller guards it with a readers-writer lock: any number of read transactions or one write
// transaction at a time, and none during Free. A Doc that becomes unreachable is freed by the garbage
// collector; an open Txn keeps it reachable.
type Doc struct {
	raw     *C.YffiDoc
	cleanup runtime.Cleanup
}

// DocOptions says how a document is made.
type DocOptions struct {
	ClientID    uint64
	GUID        string
	ByteOffsets bool
	SkipGC      bool
}

// NewDoc makes a document.
func NewDoc(opts DocOptions) (*Doc, error) {
	var pin runtime.Pinner
	defer pin.Unpin()
	guid := stringPtr(opts.GUID)
	if guid != nil {
		pin.Pin(guid)
	}
	raw := C.YffiDocOptions{
		client_id:    C.uint64_t(opts.ClientID),
		guid:         guid,
		guid_len:     C.size_t(len(opts.GUID)),
		byte_offsets: C.bool(opts.ByteOffsets),
		skip_gc:      C.bool(opts.SkipGC),
	}
	var out *C.YffiDoc
	var e C.YffiError
	if err := check(C.yffi_doc_new(&raw, &out, &e), &e); err != nil {
		return nil, err
	}
	track(liveDocs, +1)
	d := &Doc{raw: out}
	d.cleanup = runtime.AddCleanup(d, freeDoc, out)
	return d, nil
}

func freeDoc(raw *C.YffiDoc) {
	C.yffi_doc_free(raw)
	track(liveDocs, -1)
}

// Free releases the native document. It must be called at most once, with no transaction open.
func (d *Doc) Free() {
	raw := d.ptr()
	d.raw = nil
	d.cleanup.Stop()
	freeDoc(raw)
	runtime.KeepAlive(d)
}

// ptr is the only way to the raw pointer: it fails when the document is freed, and in the debug build
// collects garbage first, so that a missing KeepAlive shows in the tests.
func (d *Doc) ptr() *C.YffiDoc {
	stressGC()
	if d.raw == nil {
		panic("ycrdt: use of a freed document")
	}
	return d.raw
}

// Memory returns the bytes of native heap that the document holds.
func (d *Doc) Memory() int64 {
	n := int64(C.yffi_doc_memory(d.ptr()))
	runtime.KeepAlive(d)
	return n
}

// Commit is what a write transaction leaves behind.
type Commit struct {
	// Update is the change as an update, if it was asked for and there was one.
	Update []byte
	// Events is what observers recorded.
	Events []byte
	// Changed tells whether anything was inserted or deleted.
	Changed bool
	// Pending tells whether updates wait for others to arrive.
	Pending bool
}

func takeCommit(c *C.YffiCommit) Commit {
	return Commit{
		Update:  takeBytes(c.update),
		Events:  takeBytes(c.events),
		Changed: bool(c.changed),
		Pending: bool(c.pending),
	}
}

// ApplyUpdate applies an update in a write transaction of its own.
func (d *Doc) ApplyUpdate(update []byte, wantUpdate bool) (Commit, error) {
	var out C.YffiCommit
	var e C.YffiError
	code := C.yffi_doc_apply_update(d.ptr(), bytesPtr(update), C.size_t(len(update)), C.bool(wantUpdate), &out, &e)
	runtime.KeepAlive(d)
	if err := check(code, &e); err != nil {
		return Commit{}, err
	}
	commit := takeCommit(&out)
	if bool(out.verbatim) && wantUpdate {
		commit.Update = bytes.Clone(update)
	}
	return commit, nil
}
