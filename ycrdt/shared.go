package ycrdt

import (
	"fmt"

	"github.com/yrs-go/yrs/ycrdt/internal/ffi"
)

// Kind is the kind of a shared type.
type Kind uint8

// The kinds. This version reads and writes text, maps and arrays; values of the others appear as [*Opaque].
const (
	// KindUndefined is the kind of the zero Ref, and of what nothing tells the kind of, such as a root that only peers
	// have written to: updates do not say which kind of root they write to, only the accessor does.
	KindUndefined   = Kind(ffi.KindUndefined)
	KindText        = Kind(ffi.KindText)
	KindMap         = Kind(ffi.KindMap)
	KindArray       = Kind(ffi.KindArray)
	KindXMLElement  = Kind(ffi.KindXMLElement)
	KindXMLFragment = Kind(ffi.KindXMLFragment)
	KindXMLText     = Kind(ffi.KindXMLText)
	KindWeakLink    = Kind(ffi.KindWeakLink)
	KindSubdoc      = Kind(ffi.KindSubdoc)
	KindXMLHook     = Kind(ffi.KindXMLHook)
)

var kindNames = [...]string{
	KindUndefined: "undefined", KindText: "text", KindMap: "map", KindArray: "array",
	KindXMLElement: "xml-element", KindXMLFragment: "xml-fragment", KindXMLText: "xml-text",
	KindWeakLink: "weak-link", KindSubdoc: "subdoc", KindXMLHook: "xml-hook",
}

// String returns the kind's name.
func (k Kind) String() string {
	if int(k) >= len(kindNames) {
		return "unknown"
	}
	return kindNames[k]
}

// Shared is a handle on a shared type: a [*Text], [*Map], [*Array] or [*Opaque]. It is good within the
// transaction that it was obtained from.
type Shared interface {
	// Kind returns the kind of the shared type.
	Kind() Kind
	// Ref returns a reference that outlives the transaction.
	Ref() Ref
}

// shared is what all handles have in common.
type shared struct {
	tx   *Tx
	slot uint32
	ref  Ref
	err  error // why the handle could not be resolved
}

// Kind returns the kind of the shared type.
func (s *shared) Kind() Kind { return s.ref.kind }

// Ref returns a reference that outlives the transaction.
func (s *shared) Ref() Ref { return s.ref }

// read checks that the handle can be read.
func (s *shared) read(op string) error {
	if err := s.tx.use(op); err != nil {
		return err
	}
	return s.err
}

// noted returns what read reads of the shared type. If that fails it returns the zero value, and Tx.Err the reason.
func noted[T any](s *shared, op string, read func(native *ffi.Txn, slot uint32) (T, error)) T {
	var value T
	err := s.read(op)
	if err == nil {
		value, err = read(&s.tx.native, s.slot)
	}
	if err != nil {
		s.tx.note(wrap(op, err))
		var zero T
		return zero
	}
	return value
}

// value is what stands at a key or an index: nil, false when nothing does.
type value struct {
	value any
	found bool
}

// notedValue is noted for a native call that returns an encoded value, or nil if there is none.
func notedValue(s *shared, op string, read func(native *ffi.Txn, slot uint32) ([]byte, error)) (any, bool) {
	v := noted(s, op, func(native *ffi.Txn, slot uint32) (value, error) {
		encoded, err := read(native, slot)
		if err != nil || encoded == nil {
			return value{}, err
		}
		decoded, err := decodeValue(s.tx, encoded)
		return value{decoded, true}, err
	})
	return v.value, v.found
}

// change checks that the handle can be written.
func (s *shared) change(op string) error {
	if err := s.read(op); err != nil {
		return err
	}
	if !s.tx.write {
		return fail(op, CodeReadOnly)
	}
	return nil
}

// export returns the shared type and all below it as plain values.
func (s *shared) export(op string) (any, error) {
	if err := s.read(op); err != nil {
		return nil, err
	}
	if s.slot == ffi.Absent {
		return nil, nil
	}
	encoded, err := s.tx.native.Export(s.slot, ffi.Kind(s.ref.kind))
	if err != nil {
		return nil, wrap(op, err)
	}
	value, err := decodeExport(encoded)
	return value, wrap(op, err)
}

// Text returns the root text of that name. In a write transaction it is created if need be, and naming its kind is
// final in this replica: reading it as another one then gives ErrWrongType.
func (tx *Tx) Text(name string) *Text { return &Text{tx.root(KindText, name)} }

// Map returns the root map of that name; see [Tx.Text].
func (tx *Tx) Map(name string) *Map { return &Map{tx.root(KindMap, name)} }

// Array returns the root array of that name; see [Tx.Text].
func (tx *Tx) Array(name string) *Array { return &Array{tx.root(KindArray, name)} }

// maxCachedRoots bounds the roots that a transaction remembers; looking through more costs as much as resolving.
const maxCachedRoots = 8

// root resolves a root type. A handle that could not be resolved remembers why: its methods return that, and so
// does Tx.Err.
func (tx *Tx) root(kind Kind, name string) shared {
	const op = "root"
	ref := rootRef(kind, name)
	if err := tx.use(op); err != nil {
		tx.note(err)
		return shared{tx: tx, ref: ref, err: err}
	}
	for _, known := range tx.roots {
		if known.ref == ref {
			return known
		}
	}
	slot, err := tx.native.Root(ffi.Kind(kind), name)
	handle := shared{tx: tx, slot: slot, ref: ref, err: wrap(op, err)}
	if handle.err != nil {
		tx.note(handle.err)
	} else if len(tx.roots) < maxCachedRoots {
		tx.roots = append(tx.roots, handle)
	}
	return handle
}

// Resolve returns the shared type that ref names, as a *Text, *Map, *Array or *Opaque. It fails with ErrDeleted
// when the type is gone, or has not arrived yet, and with ErrWrongType when it is not of the kind that ref says.
func (tx *Tx) Resolve(ref Ref) (Shared, error) {
	const op = "resolve"
	if err := tx.use(op); err != nil {
		return nil, err
	}
	if ref.IsZero() {
		return nil, &Error{Op: op, Code: CodeInvalidArgument, Msg: "the reference is empty"}
	}
	if ref.IsRoot() {
		slot, err := tx.native.Root(ffi.Kind(ref.kind), ref.name)
		if err != nil {
			return nil, wrap(op, err)
		}
		return handleFor(shared{tx: tx, slot: slot, ref: ref}), nil
	}
	return tx.nested(op, ref)
}

func (tx *Tx) nested(op string, ref Ref) (Shared, error) {
	slot, kind, err := tx.native.Nested(ref.client, ref.clock)
	if err != nil {
		return nil, wrap(op, err)
	}
	if ref.kind != Kind(kind) {
		return nil, &Error{Op: op, Code: CodeWrongType, Msg: fmt.Sprintf("%s is a %s", ref, Kind(kind))}
	}
	return handleFor(shared{tx: tx, slot: slot, ref: ref}), nil
}

// handleAs narrows what Value returns to one kind of shared type.
func handleAs[T Shared](value any, _ bool) (T, bool) {
	handle, ok := value.(T)
	return handle, ok
}

func handleFor(s shared) Shared {
	switch s.ref.kind {
	case KindText:
		return &Text{s}
	case KindMap:
		return &Map{s}
	case KindArray:
		return &Array{s}
	default:
		return &Opaque{s}
	}
}

// Opaque is a shared type that a peer put into the document and that this version cannot look into: XML, a
// subdocument, a link. It is kept and passed on unharmed.
type Opaque struct{ shared }

// slotOf returns where the transaction keeps the shared type of a handle.
func slotOf(handle Shared) uint32 {
	switch handle := handle.(type) {
	case *Text:
		return handle.slot
	case *Map:
		return handle.slot
	case *Array:
		return handle.slot
	case *Opaque:
		return handle.slot
	default:
		return ffi.Absent
	}
}
