package protocol

import (
	"bytes"
	"encoding/json"
)

// AwarenessEntry is what an awareness update says about one client.
type AwarenessEntry struct {
	// ClientID identifies the client, at most 2^53-1.
	ClientID uint64
	// Clock counts the changes of the client's state, at most 2^53-1.
	Clock uint64
	// State is the client's state in JSON. nil (on the wire: null) means that the
	// client is gone.
	State json.RawMessage
}

// MaxStateDepth is how many arrays and objects may enclose each other in the state
// of a client. It is below what every JSON parser among the peers can read:
// serde_json, which the Rust ones use, gives up at 128.
const MaxStateDepth = 100

// minEntrySize is one byte each for client id, clock and length of the state,
// and a state of one digit.
const minEntrySize = 4

var jsonNull = []byte("null")

// AppendAwareness appends to dst the message that passes an awareness update on,
// and returns the extended buffer.
func AppendAwareness(dst, update []byte) []byte {
	return appendVarBytes(append(dst, byte(MessageAwareness)), update)
}

func readAwareness(d *Decoder) (Message, error) {
	payload, err := d.ReadVarBytes()
	if err != nil {
		return Message{}, err
	}
	return Message{Type: MessageAwareness, Payload: payload}, nil
}

// AppendAwarenessUpdate appends to dst the awareness update with these entries,
// and returns the extended buffer. States must be valid JSON: they are written
// as they are.
func AppendAwarenessUpdate(dst []byte, entries ...AwarenessEntry) []byte {
	dst = appendVarUint(dst, uint64(len(entries)))
	for _, entry := range entries {
		dst = appendVarUint(dst, entry.ClientID)
		dst = appendVarUint(dst, entry.Clock)
		if len(entry.State) == 0 {
			dst = appendVarBytes(dst, jsonNull)
		} else {
			dst = appendVarBytes(dst, entry.State)
		}
	}
	return dst
}

// DecodeAwarenessUpdate reads a whole awareness update, as it is in the payload
// of a MessageAwareness. The states are views into update: copy them to keep
// them longer, or to change them.
//
// The whole update is checked: an entry cut short, an integer above 2^53-1
// (which JavaScript peers cannot read), a state that is not JSON in UTF-8 or is
// nested deeper than [MaxStateDepth], and bytes after the last entry are errors
// that match [ErrMalformed].
func DecodeAwarenessUpdate(update []byte) ([]AwarenessEntry, error) {
	d := Decoder{buf: update}
	n, err := d.readCount(minEntrySize)
	if err != nil {
		return nil, err
	}
	entries := make([]AwarenessEntry, n)
	for i := range entries {
		if entries[i], err = d.readAwarenessEntry(); err != nil {
			return nil, err
		}
	}
	if d.Remaining() > 0 {
		return nil, malformed(d.off, "%d bytes follow the last awareness entry", d.Remaining())
	}
	return entries, nil
}

func (d *Decoder) readAwarenessEntry() (entry AwarenessEntry, err error) {
	if entry.ClientID, err = d.readSafeInteger(); err != nil {
		return AwarenessEntry{}, err
	}
	if entry.Clock, err = d.readSafeInteger(); err != nil {
		return AwarenessEntry{}, err
	}
	start := d.off
	state, err := d.readUTF8()
	if err != nil {
		return AwarenessEntry{}, err
	}
	if StateDepth(state) > MaxStateDepth {
		return AwarenessEntry{}, malformed(start, "awareness state is nested deeper than %d levels", MaxStateDepth)
	}
	if !json.Valid(state) {
		return AwarenessEntry{}, malformed(start, "awareness state is not JSON")
	}
	if !bytes.Equal(bytes.TrimSpace(state), jsonNull) {
		entry.State = state
	}
	return entry, nil
}

// StateDepth returns how many arrays and objects of a JSON text enclose each other
// at most, 0 for a string or a number. It is fast, and does not check the text.
func StateDepth(state []byte) int {
	depth, deepest := 0, 0
	inString := false
	for i := 0; i < len(state); i++ {
		switch b := state[i]; {
		case inString && b == '\\':
			i++ // what is escaped does not end the string
		case b == '"':
			inString = !inString
		case inString:
		case b == '[', b == '{':
			depth++
			deepest = max(deepest, depth)
		case b == ']', b == '}':
			depth--
		}
	}
	return deepest
}

// readSafeInteger reads an integer that JavaScript can hold.
func (d *Decoder) readSafeInteger() (uint64, error) {
	start := d.off
	v, err := d.ReadVarUint()
	if err != nil {
		return 0, err
	}
	if v > maxSafeInteger {
		return 0, malformed(start, "integer %d is above 2^53-1", v)
	}
	return v, nil
}
