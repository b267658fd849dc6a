package ywebsocket

import (
	"bytes"
	"context"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/yrs-go/yrs/ycrdt"
	"github.com/yrs-go/yrs/ycrdt/protocol"
	"github.com/yrs-go/yrs/ywebsocket/store"
)

// fragile is a document that a certain update poisons. All updates that are known
// to do that to a real one are refused before.
type fragile struct {
	document
	code   ycrdt.Code // of the poisoning
	broken atomic.Bool
}

var poison = insert(666, 0, "poison")

func failure(code ycrdt.Code) error { return &ycrdt.Error{Op: "test", Code: code, Msg: "test"} }

func (d *fragile) apply(ctx context.Context, in *inbound) error {
	if d.broken.Load() {
		return failure(ycrdt.CodeDocPoisoned)
	}
	if bytes.Equal(in.update, poison) {
		d.broken.Store(true)
		return failure(d.code)
	}
	return d.document.apply(ctx, in)
}

func (d *fragile) missing(ctx context.Context, stateVector []byte) ([]byte, error) {
	if d.broken.Load() {
		return nil, failure(ycrdt.CodeDocPoisoned)
	}
	return d.document.missing(ctx, stateVector)
}

func (d *fragile) stateVector(ctx context.Context) ([]byte, error) {
	if d.broken.Load() {
		return nil, failure(ycrdt.CodeDocPoisoned)
	}
	return d.document.stateVector(ctx)
}

// fragileLoads loads fragile documents and remembers the last.
func fragileLoads(code ycrdt.Code, last *atomic.Pointer[fragile]) func(*Server) {
	return func(s *Server) {
		s.load = func(ctx context.Context, st store.Store, room string, pending [][]byte, onChange func(change)) (document, error) {
			d, err := loadDocument(ctx, st, room, pending, onChange)
			if err != nil {
				return nil, err
			}
			f := &fragile{document: d, code: code}
			last.Store(f)
			return f, nil
		}
	}
}

func TestRoom_PoisonCostsItsSenderTheConnection(t *testing.T) {
	for name, code := range map[string]ycrdt.Code{"error": ycrdt.CodeApplyFailed, "panic": ycrdt.CodePanic} {
		t.Run(name, func(t *testing.T) {
			backing := store.NewMemory()
			var last atomic.Pointer[fragile]
			_, url := serve(t, Options{Store: backing}, fragileLoads(code, &last))
			a, _ := join(t, url+"room")
			b, _ := join(t, url+"room")
			evil, _ := join(t, url+"room")
			a.sendUpdate(insert(1, 0, "before "))
			b.expectUpdate()
			broken := last.Load()

			evil.sendUpdate(poison)
			closed, reason := evil.expectClose()
			assert.Equal(t, ClosePoisoned, closed)
			assert.NotEmpty(t, reason)

			a.sendUpdate(insert(1, 7, "after"))
			b.expectUpdate()
			a.expectUpdate()
			a.expectUpdate()
			assert.NotSame(t, broken, last.Load(), "the room was loaded again")
			_, state := join(t, url+"room")
			assert.Equal(t, "before after", textOf(t, state))
			for _, update := range stored(t, backing, "room") {
				assert.NotEqual(t, poison, update)
			}
		})
	}
}

// An update that is not stored yet must not get lost with the document.
func TestRoom_PoisonWhileTheStoreIsSlow(t *testing.T) {
	gated := &gatedStore{Store: store.NewMemory(), gate: newGate()}
	defer gated.gate.open() // before the server is shut down
	var last atomic.Pointer[fragile]
	_, url := serve(t, Options{Store: gated}, fragileLoads(ycrdt.CodeApplyFailed, &last))
	a, _ := join(t, url+"room")
	b, _ := join(t, url+"room")
	a.sendUpdate(insert(1, 0, "unsaved"))
	b.expectUpdate()
	b.sendUpdate(poison)
	closed, _ := b.expectClose()
	assert.Equal(t, ClosePoisoned, closed)
	_, state := join(t, url+"room")
	assert.Equal(t, "unsaved", textOf(t, state))
}

// The document may turn out to be unusable in a call that is not to blame.
func TestRoom_PoisonedBefore(t *testing.T) {
	tests := map[string]func(*testing.T, *client){
		"by a reader": func(t *testing.T, c *client) {
			c.send(protocol.AppendSyncStep1(nil, []byte{0}))
			assert.Equal(t, "x", textOf(t, c.expectSync(protocol.SyncStep2)))
		},
		"by a writer": func(t *testing.T, c *client) {
			update := insert(1, 1, "y")
			c.sendUpdate(update)
			assert.Equal(t, update, c.expectUpdate())
		},
	}
	for name, use := range tests {
		t.Run(name, func(t *testing.T) {
			var last atomic.Pointer[fragile]
			_, url := serve(t, Options{}, fragileLoads(ycrdt.CodeApplyFailed, &last))
			c, _ := join(t, url+"room")
			c.sendUpdate(insert(1, 0, "x"))
			c.expectUpdate()
			last.Load().broken.Store(true)
			use(t, c)
			c.expectSilence()
		})
	}
}

func TestRoom_PoisonAndTheStoreFails(t *testing.T) {
	broken := &brokenStore{Store: store.NewMemory()}
	var last atomic.Pointer[fragile]
	_, url := serve(t, Options{Store: broken}, fragileLoads(ycrdt.CodeApplyFailed, &last))
	a, _ := join(t, url+"room")
	a.sendUpdate(insert(1, 0, "kept"))
	a.expectUpdate()
	evil, _ := join(t, url+"room")
	broken.brokenLoad.Store(true)
	evil.sendUpdate(poison)
	closed, _ := evil.expectClose()
	assert.Equal(t, ClosePoisoned, closed)
	a.sendUpdate(insert(1, 4, " in the client"))
	closed, _ = a.expectClose()
	assert.Equal(t, CloseTryAgainLater, closed)

	broken.brokenLoad.Store(false)
	_, state := join(t, url+"room")
	assert.Equal(t, "kept", textOf(t, state))
}
