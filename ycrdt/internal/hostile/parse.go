package hostile

import (
	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// parse takes an update apart. It knows no more than it needs for changing real updates and for making failing
// ones smaller.
func parse(data []byte) (u update, err error) {
	p := parser{protocol.NewDecoder(data), data}
	sections, err := p.dec.ReadVarUint()
	for range min(sections, uint64(len(data))) {
		s, err := p.section()
		if err != nil {
			return u, err
		}
		u.sections = append(u.sections, s)
	}
	clients, err := p.number(err)
	for range min(clients, uint64(len(data))) {
		var d deleted
		d.client, err = p.number(err)
		var ranges uint64
		ranges, err = p.number(err)
		for range min(ranges, uint64(len(data))) {
			var r clockRange
			r.start, err = p.number(err)
			r.units, err = p.number(err)
			d.ranges = append(d.ranges, r)
		}
		u.deletes = append(u.deletes, d)
	}
	u.tail = data[p.dec.Offset():]
	return u, err
}

type parser struct {
	dec  *protocol.Decoder
	data []byte
}

// number reads a number unless something has failed before.
func (p *parser) number(before error) (uint64, error) {
	if before != nil {
		return 0, before
	}
	return p.dec.ReadVarUint()
}

func (p *parser) id() (i id, err error) {
	i.client, err = p.number(nil)
	i.clock, err = p.number(err)
	return i, err
}

func (p *parser) section() (s section, err error) {
	count, err := p.number(nil)
	s.client, err = p.number(err)
	s.clock, err = p.number(err)
	for range min(count, uint64(len(p.data))) {
		if err != nil {
			break
		}
		var it block
		it, err = p.block()
		s.blocks = append(s.blocks, it)
	}
	return s, err
}

func (p *parser) block() (s block, err error) {
	if s.info, err = p.dec.ReadUint8(); err != nil {
		return s, err
	}
	if s.isItem() {
		if err := p.place(&s); err != nil {
			return s, err
		}
	}
	start := p.dec.Offset()
	s.units, err = p.content(s.kind())
	s.content = p.data[start:p.dec.Offset()]
	return s, err
}

// place reads what precedes an item's content.
func (p *parser) place(s *block) (err error) {
	if s.info&hasOrigin != 0 {
		if s.origin, err = p.id(); err != nil {
			return err
		}
	}
	if s.info&hasRight != 0 {
		if s.right, err = p.id(); err != nil {
			return err
		}
	}
	if s.info&(hasOrigin|hasRight) != 0 {
		return nil
	}
	named, err := p.number(nil)
	switch {
	case err != nil:
		return err
	case named == 1:
		s.parent.root, err = p.dec.ReadVarString()
	default:
		s.parent.nested = true
		s.parent.item, err = p.id()
	}
	if err == nil && s.info&hasKey != 0 {
		s.key, err = p.dec.ReadVarString()
	}
	return err
}

// content passes over the content of a struct and returns how many units it is.
func (p *parser) content(kind byte) (units uint64, err error) {
	switch kind {
	case contentGC, contentSkip, contentDeleted:
		return p.number(nil)
	case contentString:
		text, err := p.dec.ReadVarString()
		return unitsOf(text), err
	case contentJSON, contentAny:
		return p.values(kind)
	case contentBinary, contentEmbed:
		_, err = p.dec.ReadVarBytes()
	case contentFormat:
		if _, err = p.dec.ReadVarBytes(); err == nil {
			_, err = p.dec.ReadVarBytes()
		}
	case contentType:
		var of byte
		if of, err = p.dec.ReadUint8(); err == nil && (of == typeXMLElement || of == typeXMLHook) {
			_, err = p.dec.ReadVarBytes()
		}
	case contentDoc:
		if _, err = p.dec.ReadVarBytes(); err == nil {
			_, err = p.dec.ReadAny()
		}
	default:
		err = protocol.ErrMalformed
	}
	return 1, err
}

func (p *parser) values(kind byte) (count uint64, err error) {
	count, err = p.number(nil)
	for range min(count, uint64(len(p.data))) {
		if err != nil {
			break
		}
		if kind == contentJSON {
			_, err = p.dec.ReadVarBytes()
		} else {
			_, err = p.dec.ReadAny()
		}
	}
	return count, err
}
