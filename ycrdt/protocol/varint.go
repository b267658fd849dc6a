package protocol

// appendVarUint appends v in base 128, least significant group first, with the
// high bit set on every byte but the last (lib0 encoding.writeVarUint).
func appendVarUint(dst []byte, v uint64) []byte {
	for v >= 0x80 {
		dst = append(dst, byte(v)|0x80)
		v >>= 7
	}
	return append(dst, byte(v))
}

// appendVarInt appends v as sign and magnitude: the first byte holds a
// continuation bit, the sign and six bits, the others seven bits each (lib0
// encoding.writeVarInt).
func appendVarInt(dst []byte, v int64) []byte {
	magnitude, sign := uint64(v), byte(0)
	if v < 0 {
		magnitude, sign = -magnitude, 0x40
	}
	if magnitude < 0x40 {
		return append(dst, sign|byte(magnitude))
	}
	dst = append(dst, 0x80|sign|byte(magnitude&0x3f))
	return appendVarUint(dst, magnitude>>6)
}

// appendVarBytes appends the length of b and then b.
func appendVarBytes(dst, b []byte) []byte {
	return append(appendVarUint(dst, uint64(len(b))), b...)
}
