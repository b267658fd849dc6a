package hostile

import (
	"encoding/binary"
	"io"
)

// Bits of a frame's first byte.
const (
	frameSkipGC = 1 << iota
	frameBytes
	frameObserve
	frameInTx
)

// frame encodes a sequence for a child process: a length of four bytes, then flags, client, seed of the edits and
// budget, then each update behind its length. All numbers have their least significant byte first.
func frame(s Sequence) []byte {
	data := make([]byte, 4, 256)
	var flags byte
	for bit, set := range map[byte]bool{
		frameSkipGC: s.SkipGC, frameBytes: s.Bytes, frameObserve: s.Observe, frameInTx: s.InTx,
	} {
		if set {
			flags |= bit
		}
	}
	data = append(data, flags)
	data = binary.LittleEndian.AppendUint64(data, s.ClientID)
	data = binary.LittleEndian.AppendUint64(data, s.Edits)
	data = binary.LittleEndian.AppendUint64(data, s.Budget)
	for _, update := range s.Updates {
		data = binary.LittleEndian.AppendUint32(data, uint32(len(update)))
		data = append(data, update...)
	}
	binary.LittleEndian.PutUint32(data, uint32(len(data)-4))
	return data
}

// readFrame reads what frame has written. At the end of the input it fails with io.EOF.
func readFrame(from io.Reader) (s Sequence, err error) {
	var size [4]byte
	if _, err := io.ReadFull(from, size[:]); err != nil {
		return s, err
	}
	data := make([]byte, binary.LittleEndian.Uint32(size[:]))
	if _, err := io.ReadFull(from, data); err != nil {
		return s, err
	}
	flags := data[0]
	s.SkipGC, s.Bytes = flags&frameSkipGC != 0, flags&frameBytes != 0
	s.Observe, s.InTx = flags&frameObserve != 0, flags&frameInTx != 0
	s.ClientID = binary.LittleEndian.Uint64(data[1:])
	s.Edits = binary.LittleEndian.Uint64(data[9:])
	s.Budget = binary.LittleEndian.Uint64(data[17:])
	for data = data[25:]; len(data) > 0; {
		end := 4 + binary.LittleEndian.Uint32(data)
		s.Updates = append(s.Updates, data[4:end])
		data = data[end:]
	}
	return s, nil
}
