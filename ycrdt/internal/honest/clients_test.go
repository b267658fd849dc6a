package honest

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/yrs-go/yrs/ycrdt"
)

// client is one of package ycrdt that edits at random.
type client struct {
	*rand.Rand
	doc  *ycrdt.Doc
	made []update
}

func newClient(r *rand.Rand) (*client, error) {
	id := uint64(r.Uint32N(1<<32-1)) + 1
	if r.IntN(10) == 0 {
		id = r.Uint64N(1<<53-1) + 1
	}
	doc, err := ycrdt.NewDocWith(ycrdt.DocOptions{ClientID: id, SkipGC: r.IntN(4) == 0})
	if err != nil {
		return nil, err
	}
	c := &client{Rand: r, doc: doc}
	doc.OnUpdate(func(event ycrdt.UpdateEvent) {
		switch {
		case event.Local:
			c.made = append(c.made, update{"ycrdt edit", event.Update})
		case r.IntN(10) == 0:
			c.made = append(c.made, update{"ycrdt relay", event.Update})
		}
	})
	return c, nil
}

// extend has two clients add to a session who have heard some of it at first, in any order, and all of it in the end.
func extend(s *session) ([]update, error) {
	r := rand.New(rand.NewPCG(s.seed, 1))
	var made []update
	for range 2 {
		c, err := newClient(r)
		if err != nil {
			return nil, err
		}
		err = c.join(s)
		made = append(made, c.made...)
		if err = errors.Join(err, c.doc.Close()); err != nil {
			return nil, fmt.Errorf("a client of our own: %w", err)
		}
	}
	return made, nil
}

func (c *client) join(s *session) error {
	updates := slices.Clone(s.updates)
	if c.IntN(2) == 0 {
		c.Shuffle(len(updates), func(i, j int) { updates[i], updates[j] = updates[j], updates[i] })
	}
	heard := c.IntN(len(updates) + 1)
	for _, part := range [][]update{updates[:heard], updates[heard:]} {
		for _, update := range part {
			if err := c.doc.ApplyUpdate(update.bytes); err != nil {
				return fmt.Errorf("%s: %w: %x", update.kind, err, update.bytes)
			}
		}
		if err := c.doc.Transact(c.edit); err != nil {
			return err
		}
	}
	return c.sendState()
}

// sendState sends everything, or what is new to somebody who has an earlier state.
func (c *client) sendState() error {
	var vector []byte
	if len(c.made) > 0 && c.IntN(2) == 0 {
		earlier := ycrdt.NewDoc()
		defer earlier.Close()
		if err := earlier.ApplyUpdate(c.made[0].bytes); err != nil {
			return err
		}
		var err error
		if vector, err = earlier.EncodeStateVector(); err != nil {
			return err
		}
	}
	state, err := c.doc.EncodeStateAsUpdate(vector)
	c.made = append(c.made, update{"ycrdt state", state})
	return err
}

func (c *client) edit(tx *ycrdt.Tx) error {
	for range 1 + c.IntN(3) {
		var found []ycrdt.Shared
		for _, root := range roots(tx) {
			found = walk(root, found, 0)
		}
		if err := c.editOne(found[c.IntN(len(found))]); err != nil {
			return err
		}
	}
	return tx.Err()
}

// walk appends a shared type and what is nested in it, but for what is so deep that nothing more fits into it.
func walk(shared ycrdt.Shared, found []ycrdt.Shared, depth int) []ycrdt.Shared {
	const deepest = 110
	if depth > deepest {
		return found
	}
	nested := func(value any) {
		if inner, ok := value.(ycrdt.Shared); ok {
			found = walk(inner, found, depth+1)
		}
	}
	switch shared := shared.(type) {
	case *ycrdt.Text:
		found = append(found, shared)
		for _, op := range shared.ToDelta() {
			nested(op.Insert)
		}
	case *ycrdt.Map:
		found = append(found, shared)
		for _, value := range shared.All() {
			nested(value)
		}
	case *ycrdt.Array:
		found = append(found, shared)
		for _, value := range shared.All() {
			nested(value)
		}
	}
	return found
}

func (c *client) editOne(shared ycrdt.Shared) error {
	switch shared := shared.(type) {
	case *ycrdt.Text:
		return c.editText(shared)
	case *ycrdt.Map:
		if c.IntN(4) == 0 {
			return shared.Delete(c.key())
		}
		return shared.Set(c.key(), c.value(2))
	case *ycrdt.Array:
		if size := shared.Len(); size > 0 && c.IntN(3) == 0 {
			start := c.IntN(size)
			return shared.Delete(start, 1+c.IntN(min(3, size-start)))
		}
		return shared.Insert(c.IntN(shared.Len()+1), c.value(2), c.value(2))
	}
	return nil
}

func (c *client) editText(text *ycrdt.Text) error {
	offsets := textOffsets(text)
	at := c.IntN(len(offsets))
	start := offsets[at]
	length := offsets[min(at+c.IntN(8), len(offsets)-1)] - start
	switch c.IntN(6) {
	case 0:
		return text.Delete(start, length)
	case 1:
		return text.Format(start, length, c.attributes())
	case 2:
		return text.InsertEmbed(start, map[string]any{"image": c.text(), "width": c.IntN(1000)}, nil)
	case 3:
		return text.InsertWithAttributes(start, c.text(), c.attributes())
	case 4:
		return text.InsertEmbed(start, c.shared(1), c.attributes())
	default:
		return text.Insert(start, c.text())
	}
}

func textOffsets(text *ycrdt.Text) []int {
	offsets := []int{0}
	end := 0
	for _, op := range text.ToDelta() {
		insert, ok := op.Insert.(string)
		if !ok {
			insert = "x" // an embed takes as much room
		}
		for _, r := range insert {
			end += utf16.RuneLen(r)
			offsets = append(offsets, end)
		}
	}
	return offsets
}

func (c *client) key() string {
	return []string{"", "a", "b", "c", "é", "😀", "key with spaces"}[c.IntN(7)]
}

func (c *client) text() string {
	pieces := []string{"a", " ", "\n", "word", "\x00", "\"", "é", "漢字", "\ufffd", "😀", "𝄞", "👩‍👩‍👧"}
	var b strings.Builder
	for range 1 + c.IntN(4) {
		b.WriteString(pieces[c.IntN(len(pieces))])
	}
	return b.String()
}

func (c *client) attributes() map[string]any {
	choices := []map[string]any{
		{"bold": true}, {"bold": nil}, {"color": "red"}, {"color": nil}, {"size": 2.5, "bold": true}, {"link": map[string]any{"href": "x"}},
	}
	return choices[c.IntN(len(choices))]
}

// value returns a plain value or a new shared type, at most depth levels deep.
func (c *client) value(depth int) any {
	if depth > 0 && c.IntN(3) == 0 {
		return c.shared(depth - 1)
	}
	values := []any{
		nil, ycrdt.Undefined, true, false, "", c.text(), int64(0), int64(-1), int64(1 << 31), int64(1<<53 - 1),
		0.5, 1e300, math.NaN(), math.Inf(-1), []byte{}, []byte{0, 255}, new(big.Int).SetInt64(1<<53 + 1),
		[]any{int64(1), []any{nil}}, map[string]any{"k": map[string]any{"": 1.5}},
	}
	return values[c.IntN(len(values))]
}

func (c *client) shared(depth int) any {
	switch c.IntN(4) {
	case 0:
		return ycrdt.NewText(c.text())
	case 1:
		return ycrdt.NewRichText{{Insert: c.text(), Attributes: c.attributes()}, {Insert: c.text()}}
	case 2:
		return ycrdt.NewMap{c.key(): c.value(depth), c.key(): c.value(depth)}
	default:
		return ycrdt.NewArray{c.value(depth), c.value(depth)}
	}
}
