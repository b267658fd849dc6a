package ycrdt

import (
	"strconv"
	"strings"
)

// Ref names a shared type for as long as the document lives, across transactions, replicas and restarts: a root
// by its kind and name, a nested type by the operation that inserted it. Refs are comparable, and [Tx.Resolve]
// brings them back. The zero Ref names nothing.
type Ref struct {
	kind   Kind
	nested bool
	name   string
	client uint64
	clock  uint32
}

func rootRef(kind Kind, name string) Ref { return Ref{kind: kind, name: name} }

// RootText refers to the root text of that name.
func RootText(name string) Ref { return rootRef(KindText, name) }

// RootMap refers to the root map of that name.
func RootMap(name string) Ref { return rootRef(KindMap, name) }

// RootArray refers to the root array of that name.
func RootArray(name string) Ref { return rootRef(KindArray, name) }

// Kind returns the kind of the shared type.
func (r Ref) Kind() Kind { return r.kind }

// IsZero tells whether the reference names nothing.
func (r Ref) IsZero() bool { return r == Ref{} }

// IsRoot tells whether the reference names a root type.
func (r Ref) IsRoot() bool { return !r.nested && !r.IsZero() }

// Name returns the name of a root type, and "" for a nested one.
func (r Ref) Name() string { return r.name }

// String returns the reference as MarshalText does: "text:content" for a root, "map@client:clock" for a nested
// type, "" for the zero Ref.
func (r Ref) String() string {
	switch {
	case r.IsZero():
		return ""
	case r.nested:
		return r.kind.String() + "@" + strconv.FormatUint(r.client, 10) + ":" + strconv.FormatUint(uint64(r.clock), 10)
	default:
		return r.kind.String() + ":" + r.name
	}
}

// MarshalText writes the reference as text, for JSON or a URL.
func (r Ref) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (r *Ref) UnmarshalText(text []byte) error {
	parsed, ok := parseRef(string(text))
	if !ok {
		return &Error{Op: "parse ref", Code: CodeMalformed, Msg: strconv.Quote(string(text)) + " is no reference"}
	}
	*r = parsed
	return nil
}

func parseRef(s string) (Ref, bool) {
	if s == "" {
		return Ref{}, true
	}
	at := strings.IndexAny(s, ":@")
	if at < 0 {
		return Ref{}, false
	}
	kind, ok := parseKind(s[:at])
	rest := s[at+1:]
	if !ok {
		return Ref{}, false
	}
	if s[at] == ':' {
		return rootRef(kind, rest), kind == KindText || kind == KindMap || kind == KindArray
	}
	client, clock, ok := strings.Cut(rest, ":")
	if !ok {
		return Ref{}, false
	}
	id, err := strconv.ParseUint(client, 10, 53)
	if err != nil {
		return Ref{}, false
	}
	n, err := strconv.ParseUint(clock, 10, 31)
	if err != nil {
		return Ref{}, false
	}
	return Ref{kind: kind, nested: true, client: id, clock: uint32(n)}, true
}

func parseKind(name string) (Kind, bool) {
	for kind, known := range kindNames {
		if name == known {
			return Kind(kind), true
		}
	}
	return 0, false
}
