package file

import (
	"bufio"
	"bytes"
	"hash/crc32"
	"io"
)

// record is one that was found in a log. Its contents are valid during the call.
type record struct {
	header
	start, end int64 // in the log
	contents   []byte
}

// span is a part of a log that is no record.
type span struct {
	start, end int64
	// checkpoint: its header is sound, and says that it was one.
	checkpoint bool
}

// found is what a walk through a log has seen beside the records.
type found struct {
	// end is where the last record ends.
	end int64
	// damaged are the parts that are no records, though they were.
	damaged []span
	// torn says that behind the last record is the beginning of one whose writing was
	// cut short, or still goes on.
	torn bool

	// all says that the walk did not stop before the end.
	all bool
	// afterName is where the record of the name ends; 0 if that is damaged.
	afterName int64
	// marked: the name says that a checkpoint comes behind it.
	marked bool
	// updates counts the records that hold some; checkpoint says that one is among them.
	updates    int
	checkpoint bool
}

// walk calls visit with the records of a log of that length, in order, and stops at
// its first error, which it returns. Without contents, these are neither read nor
// checked.
func walk(log io.ReaderAt, length int64, contents bool, visit func(record) error) (found, error) {
	w := &walker{log: log, length: length, contents: contents}
	w.seek(0)
	var seen found
	for w.at < length {
		r, state, err := w.next()
		if err != nil {
			return seen, err
		}
		if state == sound {
			if err := visit(r); err != nil {
				return seen, err
			}
			seen.add(r)
			continue
		}
		start := w.at
		next := r.end
		if state != badContents {
			if next, err = w.find(start + 1); err != nil {
				return seen, err
			}
		}
		// The first call writes a whole log, as a compaction does: of these, nothing is
		// cut short.
		if state == cutShort && next == length && seen.updates > 0 {
			seen.torn = true
			return seen, nil
		}
		seen.damaged = append(seen.damaged, span{start, next, r.checkpoint})
		w.seek(next)
	}
	if length == 0 {
		seen.damaged = append(seen.damaged, span{}) // the name is missing
	}
	seen.all = true
	return seen, nil
}

// add notes a sound record.
func (seen *found) add(r record) {
	seen.end = r.end
	if r.updates > 0 {
		seen.updates++
		seen.checkpoint = seen.checkpoint || r.checkpoint
	} else if r.start == 0 {
		seen.afterName, seen.marked = r.end, r.checkpoint
	}
}

// lost reports whether what is damaged is all of a room of that name, or most of it: its
// checkpoint.
func (seen *found) lost(name string) bool {
	if seen.all && seen.marked && !seen.checkpoint {
		return true
	}
	for _, part := range seen.damaged {
		switch {
		case seen.updates == 0, part.checkpoint:
			return true
		case seen.marked && part.start == seen.afterName:
			return true
		case part.start == 0 && part.end > headerSize+int64(len(name)):
			return true // whatever came behind the name, which might say
		}
	}
	return false
}

type walker struct {
	log      io.ReaderAt
	length   int64
	contents bool

	at     int64
	reader *bufio.Reader
	header [headerSize]byte
	buffer []byte
}

func (w *walker) seek(to int64) {
	w.at = to
	w.reader = bufio.NewReaderSize(io.NewSectionReader(w.log, to, w.length-to), 64<<10)
}

type state int

const (
	sound state = iota
	// cutShort is a record that goes on behind the end of the log.
	cutShort
	// badContents have another checksum than the header says, which itself is sound.
	badContents
	noHeader
)

// next reads the record at w.at, and goes behind it if it is sound.
func (w *walker) next() (record, state, error) {
	if w.length-w.at < headerSize {
		return record{}, cutShort, nil
	}
	if _, err := io.ReadFull(w.reader, w.header[:]); err != nil {
		return record{}, 0, err
	}
	h, ok := parseHeader(w.header[:])
	if !ok {
		return record{}, noHeader, nil
	}
	r := record{header: h, start: w.at, end: w.at + headerSize + h.length}
	if r.end > w.length {
		return r, cutShort, nil
	}
	if !w.contents {
		if _, err := w.reader.Discard(int(h.length)); err != nil {
			return record{}, 0, err
		}
		w.at = r.end
		return r, sound, nil
	}
	if int64(cap(w.buffer)) < h.length {
		w.buffer = make([]byte, h.length)
	}
	r.contents = w.buffer[:h.length]
	if _, err := io.ReadFull(w.reader, r.contents); err != nil {
		return record{}, 0, err
	}
	if crc32.Checksum(r.contents, castagnoli) != h.checksum {
		return r, badContents, nil
	}
	w.at = r.end
	return r, sound, nil
}

// find returns where the next header begins, or the length of the log.
func (w *walker) find(from int64) (int64, error) {
	w.seek(from)
	for {
		window, err := w.reader.Peek(w.reader.Size())
		if len(window) < headerSize {
			if err == io.EOF {
				return w.length, nil
			}
			return 0, err
		}
		skip := len(window) - headerSize + 1
		if at := bytes.Index(window, magic); at >= 0 && at < skip {
			if _, ok := parseHeader(window[at:]); ok {
				return w.at + int64(at), nil
			}
			skip = at + 1
		}
		if _, err := w.reader.Discard(skip); err != nil {
			return 0, err
		}
		w.at += int64(skip)
	}
}
