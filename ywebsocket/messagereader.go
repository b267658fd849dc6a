package ywebsocket

import (
	"bufio"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/gobwas/ws"
)

// message is a complete data message or one control frame.
type message struct {
	op      ws.OpCode
	payload []byte
}

// messageReader reads what a client sends (RFC 6455, section 5), or a server once side
// says so. It belongs to one goroutine.
//
// What a header declares costs nothing: memory grows as the bytes arrive, up to
// the limit of a message.
type messageReader struct {
	r     *bufio.Reader
	pace  *pace
	share share
	side  ws.State // who reads: a server, or a client

	maxBytes, maxFragments, maxControlFrames int

	// The data message that is being put together from fragments.
	fragmented bool
	op         ws.OpCode
	payload    []byte
	fragments  int

	// controlFrames have come since controlSince.
	controlFrames int
	controlSince  time.Time
}

// readBuffer is for the headers of frames and for small messages; the rest is
// read to where it belongs.
const readBuffer = 1 << 10

func newMessageReader(p *pace, limits Limits, all *incoming) *messageReader {
	return &messageReader{
		r:                bufio.NewReaderSize(p, readBuffer),
		pace:             p,
		share:            share{of: all, evict: p.expire},
		side:             ws.StateServerSide,
		maxBytes:         limits.Message,
		maxFragments:     limits.Fragments,
		maxControlFrames: limits.ControlFrames,
	}
}

// next returns the next message; its payload belongs to the caller, who is done with
// it when calling next again. Control frames come between the fragments of a
// message. A violation of the protocol is a *closeError, every other error comes
// from the connection.
func (m *messageReader) next() (message, error) {
	if !m.fragmented {
		m.share.release()
	}
	for {
		header, err := m.readHeader()
		if err != nil {
			return message{}, err
		}
		if header.OpCode.IsControl() {
			return m.readControl(header)
		}
		complete, err := m.readFragment(header)
		if err != nil {
			return message{}, err
		}
		if complete {
			done := message{op: m.op, payload: m.payload}
			m.fragmented, m.payload, m.fragments = false, nil, 0
			m.share.arrived()
			m.pace.endMessage()
			return done, nil
		}
	}
}

// readHeader waits for a frame as long as it takes, but not for the rest of its
// header.
func (m *messageReader) readHeader() (ws.Header, error) {
	if _, err := m.r.Peek(1); err != nil {
		return ws.Header{}, err
	}
	m.pace.beginFrame()
	header, err := ws.ReadHeader(m.r)
	if errors.Is(err, ws.ErrHeaderLengthMSB) || errors.Is(err, ws.ErrHeaderLengthUnexpected) {
		return header, closing(CloseProtocolError, "%v", err)
	}
	if err != nil {
		return header, err
	}
	state := m.side
	if m.fragmented {
		state = state.Set(ws.StateFragmented)
	}
	if err := ws.CheckHeader(header, state); err != nil {
		return header, closing(CloseProtocolError, "%v", err)
	}
	return header, nil
}

// controlPeriod is what Limits.ControlFrames refers to.
const controlPeriod = 10 * time.Second

func (m *messageReader) readControl(header ws.Header) (message, error) {
	if now := time.Now(); now.Sub(m.controlSince) >= controlPeriod {
		m.controlFrames, m.controlSince = 0, now
	}
	if m.controlFrames++; m.controlFrames > m.maxControlFrames {
		return message{}, closing(ClosePolicyViolation,
			"more than %d pings and pongs in %v: send fewer", m.maxControlFrames, controlPeriod)
	}
	payload, err := m.readPayload(nil, header)
	m.pace.endFrame()
	return message{op: header.OpCode, payload: payload}, err
}

// readFragment adds a data frame to the message, and reports whether that
// completes it.
func (m *messageReader) readFragment(header ws.Header) (complete bool, err error) {
	if header.OpCode == ws.OpText {
		return false, closing(CloseUnsupportedData, "text message: send binary messages")
	}
	m.pace.endFrame()
	if !m.fragmented {
		m.fragmented, m.op = true, header.OpCode
		m.pace.beginMessage()
	}
	if m.fragments++; m.fragments > m.maxFragments {
		return false, closing(CloseTooBig, "message of more than %d fragments: use larger ones", m.maxFragments)
	}
	if header.Length > int64(m.maxBytes-len(m.payload)) {
		return false, closing(CloseTooBig, "message above %d bytes: send smaller updates", m.maxBytes)
	}
	if m.payload, err = m.readPayload(m.payload, header); err != nil {
		m.share.release()
	}
	return header.Fin, err
}

// minReadStep is how far memory may always run ahead of the bytes that have arrived.
// Beyond that it is as much as they are, up to partSize.
const minReadStep = 1 << 10

// readPayload appends the payload of a frame to dst, unmasked.
func (m *messageReader) readPayload(dst []byte, header ws.Header) ([]byte, error) {
	total := int(header.Length) // bounded by maxBytes, or by the size of a control frame
	for offset := 0; offset < total; {
		step := min(total-offset, max(offset, minReadStep), partSize-len(dst)%partSize)
		if !m.share.grow(len(dst) + step) {
			return nil, closing(CloseTryAgainLater, "the server is receiving too much at once: reconnect to try again")
		}
		dst = slices.Grow(dst, step)
		part := dst[len(dst) : len(dst)+step]
		if _, err := io.ReadFull(m.r, part); err != nil {
			return nil, err
		}
		if header.Masked {
			ws.Cipher(part, header.Mask, offset)
		}
		dst = dst[:len(dst)+step]
		offset += step
		if len(dst)%partSize == 0 {
			m.pace.nextPart()
		}
	}
	return dst, nil
}
