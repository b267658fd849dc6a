package ffi

/*
#include "yffi.h"
#cgo noescape yffi_doc_new
#cgo nocallback yffi_doc_new
#cgo nocallback yffi_doc_free
#cgo nocallback yffi_doc_memory
#cgo noescape yffi_doc_settle
#cgo nocallback yffi_doc_settle
#cgo nocallback yffi_doc_garbage
#cgo noescape yffi_doc_apply_update
#cgo nocallback yffi_doc_apply_update
#cgo nocallback yffi_buf_free
*/
import "C"

import (
	"bytes"
	"runtime"
	"time"
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
	SkipIndex   bool
	Limits      Limits
}

// Limits are those of a document; see ycrdt.Limits. Zero stands for the default.
type Limits struct {
	UpdateBytes uint64
	ValueDepth  uint32
	Nesting     uint32
	HeldBytes   uint64
	HeldRuns    uint32
	HeldMillis  uint64
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
		skip_index:   C.bool(opts.SkipIndex),
		limits: C.YffiLimits{
			update_bytes: C.uint64_t(opts.Limits.UpdateBytes),
			value_depth:  C.uint32_t(opts.Limits.ValueDepth),
			nesting:      C.uint32_t(opts.Limits.Nesting),
			held_bytes:   C.uint64_t(opts.Limits.HeldBytes),
			held_runs:    C.uint32_t(opts.Limits.HeldRuns),
			held_millis:  C.uint64_t(opts.Limits.HeldMillis),
		},
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

// Garbage returns how many deleted shared types the document still keeps.
func (d *Doc) Garbage() int {
	n := int(C.yffi_doc_garbage(d.ptr()))
	runtime.KeepAlive(d)
	return n
}

// Unobserved notes that an observer is gone with its shared type. The caller holds the document's lock, exclusively.
func (d *Doc) Unobserved() {
	C.yffi_doc_unobserved(d.ptr())
	runtime.KeepAlive(d)
}

// Settle carries out what write transactions have held back. The caller holds the document's lock, exclusively.
func (d *Doc) Settle() error {
	var e C.YffiError
	err := check(C.yffi_doc_settle(d.ptr(), &e), &e)
	runtime.KeepAlive(d)
	return err
}

// Commit is what a write transaction leaves behind.
type Commit struct {
	// Update is the change as an update, if it was asked for and there was one.
	Update []byte
	// Events is what observers recorded.
	Events []byte
	// Changed tells whether anything was inserted or deleted.
	Changed bool
	// Pending tells whether something is held back because it misses something else.
	Pending bool
	// Held tells whether that is some of what this transaction has applied.
	Held bool
	// Deferred tells whether edits are held back, so that Settle has to come before the next read transaction.
	Deferred bool
}

func takeCommit(c *C.YffiCommit) Commit {
	return Commit{
		Update:   takeBytes(c.update),
		Events:   takeBytes(c.events),
		Changed:  bool(c.changed),
		Pending:  bool(c.pending),
		Held:     bool(c.held),
		Deferred: bool(c.deferred),
	}
}

// ApplyUpdate applies an update in a write transaction of its own. If it fails because not all of it could be held
// back, or because that would take longer than budget (0: no limit), the commit tells of what was applied nevertheless.
func (d *Doc) ApplyUpdate(update []byte, budget time.Duration, wantUpdate bool) (Commit, error) {
	var out C.YffiCommit
	var e C.YffiError
	code := C.yffi_doc_apply_update(d.ptr(), bytesPtr(update), C.size_t(len(update)),
		C.uint64_t(budget.Microseconds()), C.bool(wantUpdate), &out, &e)
	runtime.KeepAlive(d)
	commit := takeCommit(&out)
	if bool(out.verbatim) && wantUpdate {
		commit.Update = bytes.Clone(update)
	}
	return commit, check(code, &e)
}
