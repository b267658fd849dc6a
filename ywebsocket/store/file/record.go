package file

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
)

// A log is a sequence of records; what one call has stored is one of them. All
// numbers are little-endian, checksums are CRC-32C.
//
//	0   4  "ylog"
//	4   4  length of the contents
//	8   8  when it was stored, in microseconds since 1970
//	16  4  how many updates the contents hold; the highest bit marks a checkpoint
//	20  4  checksum of the contents
//	24  4  checksum of the header so far
//	28     contents: each update, behind its length in 4 bytes
//
// The first record has no updates: its contents are the name of the room, its time
// is when that was created. A version of a room is a file of two records, its name
// and the state.
//
// A checkpoint is what Compact has put in the place of everything before. In front of
// it the name is marked, too, so that one is missed even if nothing of it is left.
const (
	headerSize = 28
	sizeSize   = 4

	checkpointBit = 1 << 31
)

var magic = []byte("ylog")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// header is what a record says of itself.
type header struct {
	length   int64 // of the contents
	stored   int64
	updates  int64
	checksum uint32
	// checkpoint: it is one, or is the name in front of one.
	checkpoint bool
}

// bytes is the length of the updates.
func (h header) bytes() int64 { return h.length - h.updates*sizeSize }

// parseHeader reports false for what is no header.
func parseHeader(from []byte) (h header, ok bool) {
	if len(from) < headerSize || string(from[:4]) != string(magic) ||
		crc32.Checksum(from[:24], castagnoli) != binary.LittleEndian.Uint32(from[24:]) {
		return header{}, false
	}
	updates := binary.LittleEndian.Uint32(from[16:])
	return header{
		length:     int64(binary.LittleEndian.Uint32(from[4:])),
		stored:     int64(binary.LittleEndian.Uint64(from[8:])),
		updates:    int64(updates &^ checkpointBit),
		checksum:   binary.LittleEndian.Uint32(from[20:]),
		checkpoint: updates&checkpointBit != 0,
	}, true
}

// errTooLarge is the error of storing more at once than a record can hold.
var errTooLarge = errors.New("file: more than 4 GiB cannot be stored at once; split it")

// updatesRecord is the record of updates that are stored at once.
func updatesRecord(stored int64, updates ...[]byte) ([]byte, error) {
	size := len(updates) * sizeSize
	for _, update := range updates {
		size += len(update)
	}
	if uint64(size) > math.MaxUint32 {
		return nil, errTooLarge
	}
	record := make([]byte, headerSize, headerSize+size)
	for _, update := range updates {
		record = binary.LittleEndian.AppendUint32(record, uint32(len(update)))
		record = append(record, update...)
	}
	return seal(record, stored, uint32(len(updates))), nil
}

// checkpointRecord is the record of an update that stands for everything before it.
func checkpointRecord(stored int64, merged []byte) ([]byte, error) {
	record, err := updatesRecord(stored, merged)
	if err != nil {
		return nil, err
	}
	return seal(record, stored, 1|checkpointBit), nil
}

// nameRecord is the record at the beginning of a file; a checkpoint may follow.
func nameRecord(created int64, name string, checkpoint bool) []byte {
	mark := uint32(0)
	if checkpoint {
		mark = checkpointBit
	}
	return seal(append(make([]byte, headerSize), name...), created, mark)
}

// seal writes the header in front of the contents.
func seal(record []byte, stored int64, updates uint32) []byte {
	contents := record[headerSize:]
	copy(record, magic)
	binary.LittleEndian.PutUint32(record[4:], uint32(len(contents)))
	binary.LittleEndian.PutUint64(record[8:], uint64(stored))
	binary.LittleEndian.PutUint32(record[16:], updates)
	binary.LittleEndian.PutUint32(record[20:], crc32.Checksum(contents, castagnoli))
	binary.LittleEndian.PutUint32(record[24:], crc32.Checksum(record[:24], castagnoli))
	return record
}

// eachUpdate calls each with the updates of a record's contents.
func eachUpdate(contents []byte, each func(update []byte) error) error {
	for len(contents) > 0 {
		if len(contents) < sizeSize {
			return errMalformed
		}
		size := uint64(binary.LittleEndian.Uint32(contents))
		contents = contents[sizeSize:]
		if size > uint64(len(contents)) {
			return errMalformed
		}
		if err := each(contents[:size:size]); err != nil {
			return err
		}
		contents = contents[size:]
	}
	return nil
}

// errMalformed is about what has the right checksum, and so was written as it is.
var errMalformed = fmt.Errorf("file: a record was written by something else than this package")
