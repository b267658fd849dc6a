package ywebsocket

import (
	"fmt"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// CloseCode is the status with which a connection ends (RFC 6455, section 7.4).
//
// y-websocket from version 3.1.0 on stays away after a code from 4400 to 4499
// and reconnects after every other, so the codes up to 1015 are for what may be
// better next time, and the 44xx for what will not.
type CloseCode uint16

// The codes that the server sends, or a [Provider] when it leaves.
const (
	// CloseNormal ends a connection that is not needed any more.
	CloseNormal CloseCode = 1000
	// CloseGoingAway ends a connection whose client no longer answers pings.
	CloseGoingAway CloseCode = 1001
	// CloseProtocolError answers a violation of the WebSocket protocol.
	CloseProtocolError CloseCode = 1002
	// CloseUnsupportedData answers a text message: Yjs peers send binary ones.
	CloseUnsupportedData CloseCode = 1003
	// ClosePolicyViolation answers a flood of pings and pongs.
	ClosePolicyViolation CloseCode = 1008
	// CloseTooBig answers a message or an update above the limit.
	CloseTooBig CloseCode = 1009
	// CloseInternalError says that the room cannot be served, for instance because
	// it could not be loaded.
	CloseInternalError CloseCode = 1011
	// CloseServiceRestart says that the server is shutting down.
	CloseServiceRestart CloseCode = 1012
	// CloseTryAgainLater ends a connection that reads or sends too slowly, or whose
	// messages the server or its store cannot take up at the moment.
	CloseTryAgainLater CloseCode = 1013
	// CloseMalformed answers a message that is not what the protocol allows.
	CloseMalformed CloseCode = 4400
	// ClosePoisoned answers an update that passed every check and then broke the
	// document. Sending it again would break it again.
	ClosePoisoned CloseCode = 4422
)

// closeError ends the connection that it is returned for: code and reason go to
// the client.
type closeError struct {
	code   CloseCode
	reason string
}

func closing(code CloseCode, format string, args ...any) error {
	return &closeError{code: code, reason: fmt.Sprintf(format, args...)}
}

func (e *closeError) Error() string { return fmt.Sprintf("close %d: %s", e.code, e.reason) }

// maxReason is what a control frame has room for behind the code.
const maxReason = ws.MaxControlFramePayloadSize - 2

// closeFrame encodes the frame that ends a connection. The reason is cut to what
// fits, between characters. Code 0 stands for a frame without a code.
func closeFrame(code CloseCode, reason string) []byte {
	return encodeFrame(ws.OpClose, closeBody(code, reason))
}

func closeBody(code CloseCode, reason string) []byte {
	if code == 0 {
		return nil
	}
	for len(reason) > maxReason || !utf8.ValidString(reason) {
		_, size := utf8.DecodeLastRuneInString(reason)
		reason = reason[:len(reason)-size]
	}
	return ws.NewCloseFrameBody(ws.StatusCode(code), reason)
}

// validClose reports whether a client may send a close frame with this payload
// (RFC 6455, section 7.4, and the registry of close codes that it founded).
func validClose(payload []byte) bool {
	if len(payload) == 0 {
		return true
	}
	code, reason := ws.ParseCloseFrameData(payload)
	switch {
	case !utf8.ValidString(reason):
		return false
	case code >= 1000 && code <= 1003, code >= 1007 && code <= 1014:
		return true
	default:
		return code >= 3000 && code <= 4999
	}
}
