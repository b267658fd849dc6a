package protocol

// AppendQueryAwareness appends to dst the message that asks for the awareness
// states of everybody, and returns the extended buffer.
func AppendQueryAwareness(dst []byte) []byte {
	return append(dst, byte(MessageQueryAwareness))
}
