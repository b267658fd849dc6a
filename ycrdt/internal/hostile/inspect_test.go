package hostile

import (
	"fmt"

	"github.com/yrs-go/yrs/ycrdt"
)

// maxSeen is how many nested types one reading goes through: there may be circles.
const maxSeen = 100

// inspect reads every root as every kind.
func (d *driver) inspect() { d.inspectIn(d.doc.View) }

func (d *driver) inspectIn(in func(func(*ycrdt.Tx) error) error) {
	for _, root := range Roots {
		for _, read := range []func(*ycrdt.Tx) error{
			func(tx *ycrdt.Tx) error { return d.readText(tx, tx.Text(root)) },
			func(tx *ycrdt.Tx) error { return d.readMap(tx, tx.Map(root)) },
			func(tx *ycrdt.Tx) error { return d.readArray(tx, tx.Array(root)) },
		} {
			d.seen = 0
			_ = d.call(fmt.Sprintf("read root %q", root), func() error { return in(read) })
		}
	}
}

// Reading begins with the method that returns its error: the others leave theirs to the end of the transaction.

func (d *driver) readText(tx *ycrdt.Tx, text *ycrdt.Text) error {
	if _, err := text.MarshalJSON(); err != nil {
		return err
	}
	_ = text.Len()
	_ = text.String()
	for _, op := range text.ToDelta() {
		if err := d.readNested(tx, op.Insert); err != nil {
			return err
		}
	}
	return nil
}

func (d *driver) readMap(tx *ycrdt.Tx, m *ycrdt.Map) error {
	if _, err := m.MarshalJSON(); err != nil {
		return err
	}
	_ = m.Len()
	for key, value := range m.All() {
		_, _ = m.Value(key)
		if err := d.readNested(tx, value); err != nil {
			return err
		}
	}
	return nil
}

func (d *driver) readArray(tx *ycrdt.Tx, a *ycrdt.Array) error {
	if _, err := a.MarshalJSON(); err != nil {
		return err
	}
	_, _ = a.Value(a.Len() - 1)
	for _, value := range a.All() {
		if err := d.readNested(tx, value); err != nil {
			return err
		}
	}
	return nil
}

func (d *driver) readNested(tx *ycrdt.Tx, value any) error {
	if d.seen++; d.seen > maxSeen {
		return nil
	}
	switch value := value.(type) {
	case *ycrdt.Text:
		return d.readText(tx, value)
	case *ycrdt.Map:
		return d.readMap(tx, value)
	case *ycrdt.Array:
		return d.readArray(tx, value)
	case ycrdt.Shared:
		_, err := tx.Resolve(value.Ref())
		return err
	}
	return nil
}

// firstError returns err or, if it is nil, the reason why a method failed that does not return it.
func firstError(tx *ycrdt.Tx, err error) error {
	if err != nil {
		return err
	}
	return tx.Err()
}
