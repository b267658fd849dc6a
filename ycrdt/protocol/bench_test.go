package protocol_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/yrs-go/yrs/ycrdt/protocol"
)

func TestMessage_AllocatesNothing(t *testing.T) {
	update := bytes.Repeat([]byte{7}, 200)
	buf := make([]byte, 0, 512)
	allocations := testing.AllocsPerRun(100, func() {
		buf = protocol.AppendUpdate(buf[:0], update)
		if m, err := protocol.ReadMessage(protocol.NewDecoder(buf)); err != nil || len(m.Payload) != len(update) {
			panic("message lost")
		}
	})
	assert.Zero(t, allocations)
}

func BenchmarkAppendUpdate(b *testing.B) {
	update := bytes.Repeat([]byte{7}, 200)
	buf := make([]byte, 0, 512)
	b.ReportAllocs()
	for b.Loop() {
		buf = protocol.AppendUpdate(buf[:0], update)
	}
}

func BenchmarkReadMessage(b *testing.B) {
	frame := protocol.AppendUpdate(nil, bytes.Repeat([]byte{7}, 200))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := protocol.ReadMessage(protocol.NewDecoder(frame)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeAwarenessUpdate(b *testing.B) {
	update := fromHex(b, goldenMessages(b)["awareness"].Payload)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := protocol.DecodeAwarenessUpdate(update); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAny(b *testing.B) {
	value := map[string]any{"name": "Ada", "age": 36, "tags": []any{"a", "b", 1.5, nil, true}}
	var e protocol.Encoder
	b.Run("write", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			e.Reset()
			if err := e.WriteAny(value); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := protocol.NewDecoder(e.Bytes()).ReadAny(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
