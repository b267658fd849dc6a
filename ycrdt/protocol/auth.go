package protocol

// authPermissionDenied is the only authentication message that y-protocols
// defines (auth.js).
const authPermissionDenied = 0

// AppendPermissionDenied appends to dst the message that refuses access and says
// why, and returns the extended buffer. What is not UTF-8 in reason is written
// as U+FFFD.
func AppendPermissionDenied(dst []byte, reason string) []byte {
	return appendVarString(append(dst, byte(MessageAuth), authPermissionDenied), reason)
}

// readAuth reads what follows the type of the message that starts at start.
func readAuth(d *Decoder, start int) (Message, error) {
	t, err := d.ReadVarUint()
	if err != nil {
		return Message{}, err
	}
	if t != authPermissionDenied {
		return Message{}, &UnknownMessageError{Type: MessageAuth, Subtype: t, Offset: start}
	}
	reason, err := d.readUTF8()
	if err != nil {
		return Message{}, err
	}
	return Message{Type: MessageAuth, Payload: reason}, nil
}
