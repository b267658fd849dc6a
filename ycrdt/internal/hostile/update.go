package hostile

import "github.com/yrs-go/yrs/ycrdt/protocol"

// Kinds of blocks and of the content of items: the low bits of a struct's first byte.
const (
	contentGC      = 0
	contentDeleted = 1
	contentJSON    = 2
	contentBinary  = 3
	contentString  = 4
	contentEmbed   = 5
	contentFormat  = 6
	contentType    = 7
	contentAny     = 8
	contentDoc     = 9
	contentSkip    = 10
)

// The high bits of an item's first byte: what precedes its content.
const (
	hasOrigin = 0x80
	hasRight  = 0x40
	hasKey    = 0x20

	contentMask = 0x1f
)

// id names one unit of what a client has written.
type id struct{ client, clock uint64 }

// parent says where an item belongs that has no neighbours: in a root, or in the shared type that another item holds.
type parent struct {
	root   string
	item   id
	nested bool
}

// block is a struct of an update: an item, a tombstone or a Skip.
type block struct {
	info          byte
	origin, right id
	parent        parent
	key           string
	content       []byte // of a tombstone or a Skip: its length
	units         uint64 // how many clocks it takes
}

func (s *block) kind() byte { return s.info & contentMask }

func (s *block) isItem() bool { return s.info != contentGC && s.info != contentSkip }

// section holds consecutive blocks of one client.
type section struct {
	client, clock uint64
	blocks        []block
	undeclared    int // blocks beyond those that the section's count declares
}

// deleted are ranges that a client's section of the delete set names.
type deleted struct {
	client uint64
	ranges []clockRange
}

type clockRange struct{ start, units uint64 }

// update is an update in v1 encoding, taken apart. Nothing in it need be right.
type update struct {
	sections []section
	deletes  []deleted
	tail     []byte // bytes behind it
	padding  int    // of its numbers: bytes that they do not need
}

func (u *update) encode() []byte {
	e := padded{padding: u.padding}
	e.number(uint64(len(u.sections)))
	for _, s := range u.sections {
		e.number(uint64(max(0, len(s.blocks)-s.undeclared)))
		e.id(id{s.client, s.clock})
		for i := range s.blocks {
			s.blocks[i].encode(&e)
		}
	}
	e.number(uint64(len(u.deletes)))
	for _, d := range u.deletes {
		e.client(d.client)
		e.number(uint64(len(d.ranges)))
		for _, r := range d.ranges {
			e.number(r.start)
			e.number(r.units)
		}
	}
	e.WriteRaw(u.tail)
	return e.Bytes()
}

func (s *block) encode(e *padded) {
	e.WriteUint8(s.info)
	if s.isItem() {
		if s.info&hasOrigin != 0 {
			e.id(s.origin)
		}
		if s.info&hasRight != 0 {
			e.id(s.right)
		}
		if s.info&(hasOrigin|hasRight) == 0 {
			s.parent.encode(e)
			if s.info&hasKey != 0 {
				e.WriteVarBytes([]byte(s.key))
			}
		}
	}
	e.WriteRaw(s.content)
}

func (p parent) encode(e *padded) {
	if p.nested {
		e.number(0)
		e.id(p.item)
		return
	}
	e.number(1)
	e.WriteVarBytes([]byte(p.root))
}

// padded writes numbers in more bytes than they need.
type padded struct {
	protocol.Encoder
	padding int
}

// How long a number and a client may be.
const (
	longestNumber = 5
	longestClient = 8
)

func (e *padded) number(n uint64) { e.pad(n, longestNumber) }

func (e *padded) client(n uint64) { e.pad(n, longestClient) }

func (e *padded) id(i id) {
	e.client(i.client)
	e.number(i.clock)
}

func (e *padded) pad(n uint64, longest int) {
	encoded := appendNumber(nil, n)
	for range min(e.padding, longest-len(encoded)) {
		encoded[len(encoded)-1] |= 0x80
		encoded = append(encoded, 0)
	}
	e.WriteRaw(encoded)
}
