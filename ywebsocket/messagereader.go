package ywebsocket

import (
	"bufio"
	"errors"
	"io"
	"slices"

	"github.com/gobwas/ws"
)

// message is a complete data message or one control frame.
type message struct {
	op      ws.OpCode
	payload []byte
}

// messageReader reads what a client sends (RFC 6455, section 5). It belongs to
// one goroutine.
//
// What a header declares costs nothing: memory grows as the bytes arrive, up to
// the limit of a message.
type messageReader struct {
	r            *bufio.Reader
	maxBytes     int
	maxFragments int

	// The data message that is being put together from fragments.
	fragmented bool
	op         ws.OpCode
	payload    []byte
	fragments  int
}

// next returns the next message; its payload belongs to the caller. Control
// frames come between the fragments of a message. A violation of the protocol is
// a *closeError, every other error comes from the connection.
func (m *messageReader) next() (message, error) {
	for {
		header, err := m.readHeader()
		if err != nil {
			return message{}, err
		}
		if header.OpCode.IsControl() {
			payload, err := m.readPayload(nil, header)
			return message{op: header.OpCode, payload: payload}, err
		}
		complete, err := m.readFragment(header)
		if err != nil {
			return message{}, err
		}
		if complete {
			done := message{op: m.op, payload: m.payload}
			m.fragmented, m.payload, m.fragments = false, nil, 0
			return done, nil
		}
	}
}

func (m *messageReader) readHeader() (ws.Header, error) {
	header, err := ws.ReadHeader(m.r)
	if errors.Is(err, ws.ErrHeaderLengthMSB) || errors.Is(err, ws.ErrHeaderLengthUnexpected) {
		return header, closing(CloseProtocolError, "%v", err)
	}
	if err != nil {
		return header, err
	}
	state := ws.StateServerSide
	if m.fragmented {
		state = state.Set(ws.StateFragmented)
	}
	if err := ws.CheckHeader(header, state); err != nil {
		return header, closing(CloseProtocolError, "%v", err)
	}
	return header, nil
}

// readFragment adds a data frame to the message, and reports whether that
// completes it.
func (m *messageReader) readFragment(header ws.Header) (complete bool, err error) {
	if header.OpCode == ws.OpText {
		return false, closing(CloseUnsupportedData, "text message: send binary messages")
	}
	if !m.fragmented {
		m.fragmented, m.op = true, header.OpCode
	}
	if m.fragments++; m.fragments > m.maxFragments {
		return false, closing(CloseTooBig, "message of more than %d fragments: use larger ones", m.maxFragments)
	}
	if header.Length > int64(m.maxBytes-len(m.payload)) {
		return false, closing(CloseTooBig, "message above %d bytes: send smaller updates", m.maxBytes)
	}
	m.payload, err = m.readPayload(m.payload, header)
	return header.Fin, err
}

// Memory runs ahead of the bytes that have arrived by at most as much as they
// are, within these bounds.
const (
	minReadStep = 1 << 10
	maxReadStep = 64 << 10
)

// readPayload appends the payload of a frame to dst, unmasked.
func (m *messageReader) readPayload(dst []byte, header ws.Header) ([]byte, error) {
	total := int(header.Length) // bounded by maxBytes, or by the size of a control frame
	for offset := 0; offset < total; {
		step := min(total-offset, max(offset, minReadStep), maxReadStep)
		dst = slices.Grow(dst, step)
		part := dst[len(dst) : len(dst)+step]
		if _, err := io.ReadFull(m.r, part); err != nil {
			return nil, err
		}
		ws.Cipher(part, header.Mask, offset)
		dst = dst[:len(dst)+step]
		offset += step
	}
	return dst, nil
}
