package honest

import (
	"errors"

	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// update is what a client has sent.
type update struct {
	kind  string // who made it and how
	bytes []byte
}

// session is what clients have sent who edited a document together.
type session struct {
	seed    uint64
	exotic  bool // it has what Yjs writes and takes, but yrs by itself does not take
	updates []update

	// Yjs finishes it with
	variants [][]update // other ways to send all of it
	tree     string     // what it holds in the end: canonical JSON
	vector   map[uint64]uint64
}

// reader reads frames, which internal/peers/node/honest/frames.mjs describes. It keeps the first error.
type reader struct {
	dec *protocol.Decoder
	err error
}

func newReader(frames []byte) *reader { return &reader{dec: protocol.NewDecoder(frames)} }

func (r *reader) number() uint64 {
	n, err := r.dec.ReadVarUint()
	r.err = errors.Join(r.err, err)
	return n
}

func (r *reader) bytes() []byte {
	b, err := r.dec.ReadVarBytes()
	r.err = errors.Join(r.err, err)
	return b
}

func (r *reader) updates() []update {
	var updates []update
	for n := r.number(); n > 0 && r.err == nil; n-- {
		updates = append(updates, update{kind: string(r.bytes()), bytes: r.bytes()})
	}
	return updates
}

func (r *reader) session() *session {
	return &session{seed: r.number(), exotic: r.number() == 1, updates: r.updates()}
}

// vector reads a state vector.
func (r *reader) vector() map[uint64]uint64 {
	vector := make(map[uint64]uint64)
	for n := r.number(); n > 0 && r.err == nil; n-- {
		client := r.number()
		vector[client] = r.number()
	}
	return vector
}

// readSessions reads a list of sessions, each by the function.
func readSessions(frames []byte, read func(*reader) *session) ([]*session, error) {
	r := newReader(frames)
	var sessions []*session
	for n := r.number(); n > 0 && r.err == nil; n-- {
		sessions = append(sessions, read(r))
	}
	return sessions, r.err
}

// finished reads a session as Yjs finishes it; its updates are only those that Yjs has added.
func (r *reader) finished() *session {
	s := r.session()
	for n := r.number(); n > 0 && r.err == nil; n-- {
		s.variants = append(s.variants, r.updates())
	}
	tree, err := canonical(r.bytes())
	s.tree = tree
	vector := newReader(r.bytes())
	s.vector = vector.vector()
	r.err = errors.Join(r.err, err, vector.err)
	return s
}

func writeSessions(sessions []*session) []byte {
	var e protocol.Encoder
	e.WriteVarUint(uint64(len(sessions)))
	for _, s := range sessions {
		e.WriteVarUint(s.seed)
		exotic := uint64(0)
		if s.exotic {
			exotic = 1
		}
		e.WriteVarUint(exotic)
		e.WriteVarUint(uint64(len(s.updates)))
		for _, update := range s.updates {
			e.WriteVarString(update.kind)
			e.WriteVarBytes(update.bytes)
		}
	}
	return e.Bytes()
}
