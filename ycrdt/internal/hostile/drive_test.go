package hostile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"time"

	"github.com/yrs-go/yrs/ycrdt"
	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// driver puts a sequence into a document through the public API.
type driver struct {
	verdict
	Sequence
	rng    *rand.Rand
	doc    *ycrdt.Doc
	mirror *ycrdt.Doc // gets what an observed document gives out
	seen   int        // nested types that the present reading has been through
	sent   [][]byte   // what was accepted
	before []byte     // the state vector of an earlier step
}

// drive puts a sequence into a document, and looks at it from all sides after every step.
func drive(s Sequence) verdict {
	d := &driver{Sequence: s, rng: rand.New(rand.NewPCG(s.Edits, 1)), before: []byte{0}}
	d.doc = d.newDoc(s.Options)
	defer func() { _ = d.doc.Close() }() // returns nil
	if s.Observe {
		d.observe()
		defer func() { _ = d.mirror.Close() }()
	}
	if s.InTx {
		d.transact("transact", d.applyInTx)
		d.inspect()
	} else {
		for _, update := range s.Updates {
			d.apply(d.budgeted(), update)
			d.inspect()
			d.edit()
			d.inspectState()
		}
	}
	d.deleteAll()
	d.inspect()
	d.compareMirror()
	return d.verdict
}

func (d *driver) newDoc(o Options) *ycrdt.Doc {
	opts := ycrdt.DocOptions{ClientID: o.ClientID, GUID: "hostile", SkipGC: o.SkipGC}
	if o.Bytes {
		opts.OffsetKind = ycrdt.OffsetBytes
	}
	doc, err := ycrdt.NewDocWith(opts)
	if err != nil {
		panic(err) // the options are ours
	}
	return doc
}

// budgeted is the document, where updates have the budget of the sequence.
func (d *driver) budgeted() target {
	return budgeted{d.doc, ycrdt.TxOptions{Budget: time.Duration(d.Budget) * time.Microsecond}}
}

type budgeted struct {
	*ycrdt.Doc
	opts ycrdt.TxOptions
}

func (b budgeted) ApplyUpdate(update []byte) error {
	return b.ApplyUpdateContext(context.Background(), b.opts, update)
}

// target is a document or a transaction.
type target interface {
	ApplyUpdate(update []byte) error
	EncodeStateAsUpdate(stateVector []byte) ([]byte, error)
}

// apply sends an update. What is accepted has to leave a document that can be encoded.
func (d *driver) apply(to target, update []byte) {
	if d.poisoned != "" {
		return
	}
	d.updates++
	was := d.state(to)
	if err := d.call("apply", func() error { return to.ApplyUpdate(update) }); err != nil {
		if len(d.panics) > 0 {
			d.poisoned, d.panics = d.panics[len(d.panics)-1], d.panics[:len(d.panics)-1]
		}
		return
	}
	d.accepted++
	d.sent = append(d.sent, update)
	if !bytes.Equal(was, d.state(to)) {
		d.integrated++
	}
}

// state encodes what is in the document, without what is held back.
func (d *driver) state(of target) (state []byte) {
	d.need("encode state", func() (err error) {
		state, err = of.EncodeStateAsUpdate([]byte{0})
		return err
	})
	return state
}

func (d *driver) applyInTx(tx *ycrdt.Tx) error {
	for _, update := range d.Updates {
		d.apply(tx, update)
		d.inspectIn(func(fn func(*ycrdt.Tx) error) error { return fn(tx) })
		if d.Edits != 0 && d.poisoned == "" {
			d.editIn(tx)
		}
	}
	return nil
}

// transact runs fn in a transaction. That its reads may fail is checked elsewhere; its commit has to succeed.
func (d *driver) transact(op string, fn func(*ycrdt.Tx) error) {
	var reads error
	err := d.call(op, func() error {
		return d.doc.Transact(func(tx *ycrdt.Tx) error {
			err := fn(tx)
			reads = firstError(tx, err)
			return err
		})
	})
	if err != nil && !errors.Is(err, reads) && d.poisoned == "" {
		d.fail("%s: %v", op, err)
	}
}

// inspectState encodes the document in every way, and checks that others can take what comes out.
func (d *driver) inspectState() {
	if d.poisoned != "" {
		return
	}
	var stateVector, full []byte
	d.need("encode state vector", func() (err error) {
		stateVector, err = d.doc.EncodeStateVector()
		return err
	})
	d.need("encode everything", func() (err error) {
		full, err = d.doc.EncodeStateAsUpdate(nil)
		return err
	})
	for _, known := range [][]byte{d.before, d.anyStateVector()} {
		d.need("encode a difference", func() error {
			diff, err := d.doc.EncodeStateAsUpdate(known)
			if err != nil {
				return err
			}
			return ycrdt.CheckUpdate(diff)
		})
	}
	d.before = stateVector
	d.load("what the document holds", d.state(d.doc), stateVector, sameStateVector)
	d.load("everything", full, stateVector, reachesStateVector)
	var collected []byte
	if d.need("collect garbage", func() (err error) {
		collected, err = ycrdt.CollectGarbage(full)
		return err
	}) {
		d.load("what was collected", collected, stateVector, reachesStateVector)
	}
	d.merge()
}

// load has a new document take an update, and compares how far that brings it with a state vector.
func (d *driver) load(what string, update, stateVector []byte, compare func(*ycrdt.Doc, []byte) error) {
	if d.poisoned != "" || !d.need("check "+what, func() error { return ycrdt.CheckUpdate(update) }) {
		return
	}
	peer := d.newDoc(Options{ClientID: 99, SkipGC: d.SkipGC})
	defer func() { _ = peer.Close() }()
	if !d.need("load "+what, func() error { return peer.ApplyUpdate(update) }) {
		return
	}
	if err := compare(peer, stateVector); err != nil {
		d.fail("load %s: %v", what, err)
	}
}

// sameStateVector checks that a document's state vector is this one.
func sameStateVector(doc *ycrdt.Doc, want []byte) error {
	got, err := doc.EncodeStateVector()
	if err != nil {
		return err
	}
	wanted, reached := readStateVector(want), readStateVector(got)
	if !maps.Equal(wanted, reached) {
		return fmt.Errorf("the state vector is %v instead of %v", reached, wanted)
	}
	return nil
}

// reachesStateVector checks that a document has at least what this state vector says.
func reachesStateVector(doc *ycrdt.Doc, want []byte) error {
	got, err := doc.EncodeStateVector()
	if err != nil {
		return err
	}
	wanted, reached := readStateVector(want), readStateVector(got)
	for client, clock := range wanted {
		if reached[client] < clock {
			return fmt.Errorf("the state vector is %v and does not reach %v", reached, wanted)
		}
	}
	return nil
}

func readStateVector(data []byte) map[uint64]uint64 {
	clocks := map[uint64]uint64{}
	dec := protocol.NewDecoder(data)
	count, _ := dec.ReadVarUint() // it was encoded by ourselves
	for range count {
		client, _ := dec.ReadVarUint()
		clocks[client], _ = dec.ReadVarUint()
	}
	return clocks
}

// anyStateVector is one that no peer need have: it ends in the middle of blocks.
func (d *driver) anyStateVector() []byte {
	var e protocol.Encoder
	e.WriteVarUint(4)
	for client := range uint64(4) {
		e.WriteVarUint(client)
		e.WriteVarUint(d.rng.Uint64N(7))
	}
	return e.Bytes()
}

// merge merges all that was accepted.
func (d *driver) merge() {
	var merged []byte
	if d.need("merge", func() (err error) {
		merged, err = ycrdt.MergeUpdates(d.sent...)
		return err
	}) {
		d.need("check what was merged", func() error { return ycrdt.CheckUpdate(merged) })
	}
	peer := d.newDoc(Options{ClientID: 98})
	defer func() { _ = peer.Close() }()
	_ = d.call("apply what was merged", func() error { return peer.ApplyUpdate(merged) })
}

// compareMirror checks that whoever got all that the document gave out holds as much.
func (d *driver) compareMirror() {
	if d.mirror == nil || d.poisoned != "" {
		return
	}
	stateVector, err := d.doc.EncodeStateVector()
	if err == nil {
		err = sameStateVector(d.mirror, stateVector)
	}
	if err != nil {
		d.fail("the mirror: %v", err)
	}
}
