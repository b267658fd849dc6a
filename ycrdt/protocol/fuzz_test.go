package protocol_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// FuzzDecoder_ReadAny checks that what can be read can be written, and then
// reads and writes the same again.
func FuzzDecoder_ReadAny(f *testing.F) {
	var g goldenEncoding
	golden(f, "encoding.json", &g)
	for _, encoded := range g.Any {
		f.Add(fromHex(f, encoded))
	}
	f.Add([]byte{protocol.TagArray, 0xff, 0xff, 0xff, 0x7a})
	f.Fuzz(func(t *testing.T, input []byte) {
		d := protocol.NewDecoder(input)
		v, err := d.ReadAny()
		if err != nil {
			requireMalformed(t, err)
			return
		}
		var first, second protocol.Encoder
		if err := first.WriteAny(v); err != nil {
			require.ErrorIs(t, err, protocol.ErrUnsupportedValue) // TagInteger beyond 2^53-1
			return
		}
		again, err := protocol.NewDecoder(first.Bytes()).ReadAny()
		require.NoError(t, err)
		require.NoError(t, second.WriteAny(again))
		assert.Equal(t, first.Bytes(), second.Bytes())
	})
}

// FuzzReadMessage checks that the messages of a frame, written again, are the
// frame, and that nothing of the frame is passed over.
func FuzzReadMessage(f *testing.F) {
	for _, m := range goldenMessages(f) {
		f.Add(fromHex(f, m.Hex))
	}
	f.Add([]byte{1, 1, 0})
	f.Add([]byte{0, 9, 1})
	f.Fuzz(func(t *testing.T, frame []byte) {
		d := protocol.NewDecoder(frame)
		var again []byte
		for {
			m, err := protocol.ReadMessage(d)
			if err == io.EOF {
				break
			}
			if err != nil {
				known := errors.Is(err, protocol.ErrMalformed) || errors.Is(err, protocol.ErrUnknownMessage)
				require.True(t, known, "%v", err)
				return
			}
			again = appendMessage(again, m)
		}
		assert.True(t, bytes.Equal(frame, again))
	})
}

func appendMessage(dst []byte, m protocol.Message) []byte {
	switch {
	case m.Type == protocol.MessageAwareness:
		return protocol.AppendAwareness(dst, m.Payload)
	case m.Type == protocol.MessageAuth:
		return protocol.AppendPermissionDenied(dst, string(m.Payload))
	case m.Type == protocol.MessageQueryAwareness:
		return protocol.AppendQueryAwareness(dst)
	case m.Sync == protocol.SyncStep1:
		return protocol.AppendSyncStep1(dst, m.Payload)
	case m.Sync == protocol.SyncStep2:
		return protocol.AppendSyncStep2(dst, m.Payload)
	default:
		return protocol.AppendUpdate(dst, m.Payload)
	}
}

// FuzzDecodeAwarenessUpdate checks that what can be read is written the same.
func FuzzDecodeAwarenessUpdate(f *testing.F) {
	f.Add(fromHex(f, goldenMessages(f)["awareness"].Payload))
	f.Add([]byte{0})
	f.Fuzz(func(t *testing.T, update []byte) {
		entries, err := protocol.DecodeAwarenessUpdate(update)
		if err != nil {
			requireMalformed(t, err)
			return
		}
		again, err := protocol.DecodeAwarenessUpdate(protocol.AppendAwarenessUpdate(nil, entries...))
		require.NoError(t, err)
		assert.Equal(t, entries, again)
	})
}
