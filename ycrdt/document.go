package ycrdt

import (
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"sync"
	"sync/atomic"

	"github.com/yrs-go/yrs/ycrdt/internal/ffi"
)

// OffsetKind is the unit that offsets into text count.
type OffsetKind uint8

const (
	// OffsetUTF16 counts UTF-16 code units, as Yjs does.
	OffsetUTF16 OffsetKind = iota
	// OffsetBytes counts bytes of UTF-8, as Go strings do.
	OffsetBytes
)

// DocOptions says how a document is made. The zero value is a good document.
type DocOptions struct {
	// ClientID names this replica in everything it writes; no two live replicas of a document may share it. Below
	// 2^53. 0 picks a random one of 32 bits, as Yjs does: larger ones make documents a third larger.
	ClientID uint64
	// GUID names the document. Empty picks a random UUID.
	GUID string
	// OffsetKind is the unit of text offsets. It is a matter of this replica only.
	OffsetKind OffsetKind
	// SkipGC keeps deleted content.
	SkipGC bool
	// SkipPositionIndex edits texts and arrays as yrs does, which walks a list from its beginning for every edit.
	// Otherwise one that is edited often gets an index of where everything in it is, about 60 bytes for each stretch that
	// was written in one go, and edits take the same time wherever they are. The edit that makes the index takes about
	// as long as loading the document. The 16 lists that were edited last keep theirs. The results are the same. With
	// OffsetBytes there is no index.
	SkipPositionIndex bool
	// Limits bound what updates and edits may bring in.
	Limits Limits
}

// Doc is a shared document. Its methods are safe for concurrent use.
type Doc struct {
	clientID uint64
	guid     string
	offsets  OffsetKind

	lock   rwLock
	native *ffi.Doc // its content is guarded by lock
	closed atomic.Bool
	// unsettled means that the native document holds edits back, and cannot be read. It changes under lock.
	unsettled atomic.Bool
	settling  rwLock // taken, for writing, before lock by readers who find that

	freeing sync.RWMutex // held exclusively only while native is freed, under lock
	freed   bool

	events    dispatcher
	observers observerTable
}

// NewDoc returns an empty document with default options.
func NewDoc() *Doc {
	doc, err := NewDocWith(DocOptions{})
	if err != nil {
		// Default options are valid; only a broken native library gets here.
		panic(err)
	}
	return doc
}

// NewDocWith returns an empty document.
func NewDocWith(opts DocOptions) (*Doc, error) {
	if opts.ClientID == 0 {
		opts.ClientID = uint64(mathrand.Uint32N(1<<32-1)) + 1
	}
	if opts.GUID == "" {
		opts.GUID = newGUID()
	}
	if opts.OffsetKind > OffsetBytes {
		return nil, &Error{Op: "new doc", Code: CodeInvalidArgument, Msg: "no such offset kind"}
	}
	limits, err := opts.Limits.native()
	if err != nil {
		return nil, err
	}
	native, err := ffi.NewDoc(ffi.DocOptions{
		ClientID:    opts.ClientID,
		GUID:        opts.GUID,
		ByteOffsets: opts.OffsetKind == OffsetBytes,
		SkipGC:      opts.SkipGC,
		SkipIndex:   opts.SkipPositionIndex,
		Limits:      limits,
	})
	if err != nil {
		return nil, wrap("new doc", err)
	}
	return &Doc{
		clientID: opts.ClientID,
		guid:     opts.GUID,
		offsets:  opts.OffsetKind,
		lock:     newRWLock(),
		settling: newRWLock(),
		native:   native,
	}, nil
}

// newGUID returns a random UUID (RFC 9562, version 4).
func newGUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// ClientID returns the id under which this replica writes.
func (d *Doc) ClientID() uint64 { return d.clientID }

// GUID returns the document's name.
func (d *Doc) GUID() string { return d.guid }

// OffsetKind returns the unit of text offsets.
func (d *Doc) OffsetKind() OffsetKind { return d.offsets }

// MemoryUsage returns the bytes of native heap that the document holds, 0 once it is closed. It does not wait
// for transactions.
func (d *Doc) MemoryUsage() int64 {
	d.freeing.RLock()
	defer d.freeing.RUnlock()
	if d.freed {
		return 0
	}
	return d.native.Memory()
}

// Close frees the document's memory and makes every later use fail with ErrClosed. It never waits: with a
// transaction open, the document is freed when that ends. Closing is optional, because the garbage collector
// frees what is forgotten, but it comes late: it does not see how large a document is. Close may be
// called more than once and always returns nil.
func (d *Doc) Close() error {
	d.closed.Store(true)
	d.release()
	return nil
}

// release frees a closed document as soon as nobody holds its lock.
func (d *Doc) release() {
	if !d.closed.Load() || !d.lock.tryWrite() {
		return
	}
	defer d.lock.unlockWrite()
	d.freeing.Lock()
	defer d.freeing.Unlock()
	if !d.freed {
		d.freed = true
		d.native.Free()
	}
}

func (d *Doc) unlockRead() {
	d.lock.unlockRead()
	d.release()
}

func (d *Doc) unlockWrite() {
	d.lock.unlockWrite()
	d.release()
}
