package hostile

import (
	"github.com/yrs-go/yrs/ycrdt"
)

// observe subscribes to the roots and has a mirror follow the document.
func (d *driver) observe() {
	d.mirror = d.newDoc(Options{ClientID: 97})
	d.doc.OnUpdate(func(e ycrdt.UpdateEvent) {
		d.need("apply what the document gives out", func() error { return d.mirror.ApplyUpdate(e.Update) })
	})
	for _, root := range Roots {
		ref := pick(d.rng, []func(string) ycrdt.Ref{ycrdt.RootText, ycrdt.RootMap, ycrdt.RootArray})(root)
		d.need("observe", func() error {
			_, err := d.doc.ObserveDeep(ref, func([]ycrdt.Event) {})
			return err
		})
	}
}

// edit changes the document as a local user would, if the sequence asks for it.
func (d *driver) edit() {
	if d.Edits == 0 || d.poisoned != "" {
		return
	}
	d.transact("edit", func(tx *ycrdt.Tx) error {
		if d.Edits%4 == 0 {
			d.typeMuch(tx.Text(Roots[d.Edits/4%uint64(len(Roots))]))
		}
		d.editIn(tx)
		return nil
	})
}

// deleteAll deletes what is in the roots.
func (d *driver) deleteAll() {
	if d.poisoned != "" {
		return
	}
	d.transact("delete everything", func(tx *ycrdt.Tx) error {
		for _, root := range Roots {
			d.write("clear map", tx.Map(root).Clear)
			array := tx.Array(root)
			d.write("clear array", func() error { return array.Delete(0, array.Len()) })
			text := tx.Text(root)
			d.write("clear text", func() error { return text.Delete(0, text.Len()) })
		}
		return nil
	})
	d.inspectState()
}

// write is call for what changes the document: a panic poisons.
func (d *driver) write(op string, fn func() error) {
	if d.poisoned != "" {
		return
	}
	panics := len(d.panics)
	_ = d.call(op, fn)
	if len(d.panics) > panics {
		d.poisoned, d.panics = d.panics[panics], d.panics[:panics]
	}
}

// typeMuch makes as many edits of a text as it takes to give it a position index.
func (d *driver) typeMuch(text *ycrdt.Text) {
	for range 30 {
		d.write("type", func() error { return text.Insert(text.Len()/2, "x😀") })
	}
}

// editIn makes some edits in the transaction.
func (d *driver) editIn(tx *ycrdt.Tx) {
	for range 1 + d.rng.IntN(3) {
		root := pick(d.rng, Roots)
		switch d.rng.IntN(3) {
		case 0:
			d.editText(tx.Text(root))
		case 1:
			d.editMap(tx.Map(root), 2)
		case 2:
			d.editArray(tx.Array(root), 2)
		}
	}
}

// someRange is a range of a sequence that may have that length.
func (d *driver) someRange(length int) (index, count int) {
	index = d.rng.IntN(length + 1)
	return index, d.rng.IntN(length - index + 1)
}

func (d *driver) editText(text *ycrdt.Text) {
	index, count := d.someRange(text.Len())
	bold := map[string]any{"bold": pick(d.rng, []any{true, nil, 1})}
	switch d.rng.IntN(6) {
	case 0:
		d.write("text insert", func() error { return text.Insert(index, pick(d.rng, texts)) })
	case 1:
		d.write("text delete", func() error { return text.Delete(index, count) })
	case 2:
		d.write("text format", func() error { return text.Format(index, count, bold) })
	case 3:
		d.write("text insert bold", func() error { return text.InsertWithAttributes(index, pick(d.rng, texts), bold) })
	case 4:
		d.write("text embed", func() error { return text.InsertEmbed(index, ycrdt.NewMap{"k": 1}, nil) })
	case 5:
		d.write("text delta", func() error {
			return text.ApplyDelta(ycrdt.Delta{{Retain: index, Attributes: bold}, {Insert: "new"}, {Delete: count}})
		})
	}
}

// newValue is something to put into a map or an array.
func (d *driver) newValue() any {
	return pick(d.rng, []any{
		1, "x😀", nil, ycrdt.NewMap{"k": ycrdt.NewArray{1}}, ycrdt.NewArray{ycrdt.NewText("t"), 2}, ycrdt.NewText("é"),
	})
}

// editMap edits a map or, as often, something in it, at most so many levels below.
func (d *driver) editMap(m *ycrdt.Map, levels int) {
	key := pick(d.rng, keys)
	switch d.rng.IntN(5) {
	case 0, 1:
		d.write("map set", func() error { return m.Set(key, d.newValue()) })
	case 2:
		d.write("map delete", func() error { return m.Delete(key) })
	default:
		value, _ := m.Value(key)
		d.editNested(value, levels)
	}
}

func (d *driver) editArray(a *ycrdt.Array, levels int) {
	index, count := d.someRange(a.Len())
	switch d.rng.IntN(5) {
	case 0, 1:
		d.write("array insert", func() error { return a.Insert(index, d.newValue(), d.newValue()) })
	case 2:
		d.write("array delete", func() error { return a.Delete(index, count) })
	default:
		value, _ := a.Value(index)
		d.editNested(value, levels)
	}
}

func (d *driver) editNested(value any, levels int) {
	if levels == 0 {
		return
	}
	switch value := value.(type) {
	case *ycrdt.Text:
		d.editText(value)
	case *ycrdt.Map:
		d.editMap(value, levels-1)
	case *ycrdt.Array:
		d.editArray(value, levels-1)
	}
}
