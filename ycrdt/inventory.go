package ycrdt

import (
	"cmp"
	"slices"

	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// An inventory says which operations of a document are not deleted, and to which shared type each belongs. It is read
// from an update that holds the whole document, in the encoding of Yjs (version 1). What was inserted never changes, so
// that a shared type in which the same operations are left holds the same: that tells of every type, known or not,
// whether it is as it was.
type inventory struct {
	blocks  map[uint64][]block // by client, in the order of their clocks
	deleted map[uint64][]span
	// members are the blocks of which something is left, by what they belong to.
	members map[owner][]*block
}

// span is a range of clocks of one client.
type span struct{ client, start, end uint64 }

// opID names one operation.
type opID struct{ client, clock uint64 }

// owner is a root, or the shared type that an operation has inserted.
type owner struct {
	root   string
	nested bool
	op     opID
}

// block is what a client wrote in one go.
type block struct {
	span
	content uint8
	typeRef uint8 // of contentType
	keyed   bool  // it is the value of a key
	owner   owner
	known   bool  // its owner is
	beside  *opID // otherwise it belongs to what this belongs to
}

// The contents of blocks, the types of contentType, and the flags beside the content in the first byte of a block, as in
// Yjs.
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

	typeXMLElement  = 3
	typeXMLFragment = 4
	typeXMLHook     = 5
	typeXMLText     = 6

	contentMask = 0x1f
	hasKey      = 0x20
	hasRight    = 0x40
	hasOrigin   = 0x80
)

func readInventory(update []byte) (*inventory, error) {
	inv := &inventory{blocks: map[uint64][]block{}, deleted: map[uint64][]span{}, members: map[owner][]*block{}}
	r := inventoryReader{dec: newNativeDecoder(update)}
	for range r.number() {
		count, client, clock := r.number(), r.number(), r.number()
		blocks := make([]block, 0, min(count, uint64(r.dec.Remaining())))
		for range count {
			if r.err != nil {
				return nil, r.err
			}
			b := r.block(client, clock)
			clock = b.end
			blocks = append(blocks, b)
		}
		inv.blocks[client] = append(inv.blocks[client], blocks...)
	}
	for range r.number() {
		client := r.number()
		for range r.number() {
			if r.err != nil {
				return nil, r.err
			}
			start := r.number()
			inv.deleted[client] = append(inv.deleted[client], span{client, start, start + r.number()})
		}
	}
	if r.err != nil {
		return nil, r.err
	}
	return inv, inv.assign()
}

// inventoryReader reads blocks; after an error it returns nothing of use.
type inventoryReader struct {
	dec *protocol.Decoder
	err error
}

func (r *inventoryReader) number() (n uint64) {
	if r.err == nil {
		n, r.err = r.dec.ReadVarUint()
	}
	return n
}

func (r *inventoryReader) byte() (b uint8) {
	if r.err == nil {
		b, r.err = r.dec.ReadUint8()
	}
	return b
}

func (r *inventoryReader) bytes() (b []byte) {
	if r.err == nil {
		b, r.err = r.dec.ReadVarBytes()
	}
	return b
}

func (r *inventoryReader) any() {
	if r.err == nil {
		_, r.err = r.dec.ReadAny()
	}
}

func (r *inventoryReader) id() opID { return opID{r.number(), r.number()} }

func (r *inventoryReader) block(client, clock uint64) block {
	info := r.byte()
	b := block{span: span{client, clock, clock}, content: info & contentMask}
	if info == contentGC || info == contentSkip {
		b.end += r.number()
		return b
	}
	if info&hasOrigin != 0 {
		id := r.id()
		b.beside = &id
	}
	if info&hasRight != 0 {
		if id := r.id(); b.beside == nil {
			b.beside = &id
		}
	}
	if b.beside == nil {
		b.known = true
		if r.number() == 1 {
			b.owner.root = string(r.bytes())
		} else {
			b.owner = owner{nested: true, op: r.id()}
		}
		if b.keyed = info&hasKey != 0; b.keyed {
			r.bytes()
		}
	}
	b.end += r.content(&b)
	return b
}

// content passes over the content of a block, and returns its length.
func (r *inventoryReader) content(b *block) uint64 {
	switch b.content {
	case contentDeleted:
		return r.number()
	case contentString:
		return uint64(UTF16Len(string(r.bytes())))
	case contentJSON, contentAny:
		count := r.number()
		for range count {
			if r.err != nil {
				break
			}
			if b.content == contentJSON {
				r.bytes()
			} else {
				r.any()
			}
		}
		return count
	case contentBinary, contentEmbed:
		r.bytes()
	case contentFormat:
		r.bytes()
		r.bytes()
	case contentType:
		if b.typeRef = r.byte(); b.typeRef == typeXMLElement || b.typeRef == typeXMLHook {
			r.bytes()
		}
	case contentDoc:
		r.bytes()
		r.any()
	default:
		if r.err == nil {
			r.err = protocol.ErrMalformed
		}
	}
	return 1
}

// assign finds out to what everything belongs that is left.
func (inv *inventory) assign() error {
	for _, ranges := range inv.deleted {
		slices.SortFunc(ranges, func(a, b span) int { return cmp.Compare(a.start, b.start) })
	}
	for _, blocks := range inv.blocks {
		for i := range blocks {
			b := &blocks[i]
			if len(inv.left(b)) == 0 {
				continue
			}
			if !inv.findOwner(b) {
				return &Error{Op: opRestore, Code: CodeUnsupportedValue, Msg: "the document holds something that belongs nowhere"}
			}
			inv.members[b.owner] = append(inv.members[b.owner], b)
		}
	}
	return nil
}

// findOwner follows the neighbours of a block to one whose owner is known, and notes it in all on the way.
func (inv *inventory) findOwner(b *block) bool {
	var way []*block
	for !b.known {
		way = append(way, b)
		if b.beside == nil || len(way) > 1 && b == way[0] {
			return false
		}
		if b = inv.at(*b.beside); b == nil {
			return false
		}
	}
	for _, passed := range way {
		passed.owner, passed.keyed, passed.known = b.owner, b.keyed, true
	}
	return true
}

// at returns the block that an operation is in.
func (inv *inventory) at(id opID) *block {
	blocks := inv.blocks[id.client]
	i, found := slices.BinarySearchFunc(blocks, id.clock, func(b block, clock uint64) int {
		switch {
		case b.end <= clock:
			return -1
		case b.start > clock:
			return 1
		default:
			return 0
		}
	})
	if !found {
		return nil
	}
	return &blocks[i]
}

// left returns what of a block is not deleted.
func (inv *inventory) left(b *block) (left []span) {
	if b.content == contentGC || b.content == contentDeleted || b.content == contentSkip {
		return nil
	}
	ranges := inv.deleted[b.client]
	i, _ := slices.BinarySearchFunc(ranges, b.start, func(d span, start uint64) int {
		if d.end <= start {
			return -1
		}
		return 1
	})
	at := b.start
	for ; i < len(ranges) && ranges[i].start < b.end; i++ {
		if ranges[i].start > at {
			left = append(left, span{b.client, at, ranges[i].start})
		}
		at = max(at, ranges[i].end)
	}
	if at < b.end {
		left = append(left, span{b.client, at, b.end})
	}
	return left
}

// roots returns the names of the roots that hold something.
func (inv *inventory) roots() (names []string) {
	for of := range inv.members {
		if !of.nested {
			names = append(names, of.root)
		}
	}
	return names
}

// below returns everything that is left in a shared type and in those nested in it, in an order that depends on nothing
// else.
func (inv *inventory) below(of owner) []span {
	var all []span
	for todo := []owner{of}; len(todo) > 0; {
		of, todo = todo[len(todo)-1], todo[:len(todo)-1]
		for _, b := range inv.members[of] {
			all = append(all, inv.left(b)...)
			if b.content == contentType {
				todo = append(todo, owner{nested: true, op: opID{b.client, b.start}})
			}
		}
	}
	slices.SortFunc(all, func(a, b span) int {
		return cmp.Or(cmp.Compare(a.client, b.client), cmp.Compare(a.start, b.start))
	})
	merged := all[:0]
	for _, s := range all {
		if last := len(merged) - 1; last >= 0 && merged[last].client == s.client && merged[last].end == s.start {
			merged[last].end = s.end
		} else {
			merged = append(merged, s)
		}
	}
	return merged
}

// sameBelow tells whether a shared type is as it is in another state of the document.
func (inv *inventory) sameBelow(other *inventory, of owner) bool {
	return slices.Equal(inv.below(of), other.below(of))
}

// evidence is what the operations that are left say about the kind of a root, which updates do not name.
type evidence uint8

const (
	holdsKeys   evidence = 1 << iota
	holdsText            // characters, embeds or formatting
	holdsValues          // plain values or documents in a sequence
	holdsTypes           // text, maps or arrays in a sequence
	holdsXML
)

func (inv *inventory) evidence(root string) (e evidence) {
	for _, b := range inv.members[owner{root: root}] {
		switch {
		case b.keyed:
			e |= holdsKeys
		case b.content == contentString, b.content == contentEmbed, b.content == contentFormat:
			e |= holdsText
		case b.content != contentType:
			e |= holdsValues
		case b.typeRef >= typeXMLElement && b.typeRef <= typeXMLText:
			e |= holdsXML
		default:
			e |= holdsTypes
		}
	}
	return e
}

// kind returns what kind of root holds such things, KindUndefined if nothing is there, or false if that cannot be told
// or is a kind that this version cannot write.
func (e evidence) kind() (Kind, bool) {
	switch {
	case e == 0:
		return KindUndefined, true
	case e == holdsKeys:
		return KindMap, true
	case e&holdsKeys != 0:
		return 0, false
	case e&holdsText != 0 && e&holdsValues == 0:
		return KindText, true
	case e&holdsText != 0:
		return 0, false
	case e == holdsXML, e == holdsXML|holdsTypes:
		return 0, false
	default:
		return KindArray, true
	}
}
