package ywebsocket

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"sync"
	"weak"
)

// diffs has what connections that lack the same are sent, so that it is encoded and
// kept in memory once for all of them: most that join know nothing, or all the same.
//
// A diff lasts as long as it is on its way to anybody and the document does not
// change: nothing is kept in memory for the next one. All methods are safe for
// concurrent use.
type diffs struct {
	mu     sync.Mutex
	latest []diffFor
}

// question is the hash of a state vector, which can be long and is chosen by clients.
type question [sha256.Size]byte

type diffFor struct {
	question question
	diff     weak.Pointer[diff]
}

// diff is an encoded SyncStep2, the answer to a question.
type diff struct {
	done  chan struct{} // closed when the rest is valid
	frame frame
	err   error
}

// maxDiffs is how many are remembered.
const maxDiffs = 8

var errNotEncoded = errors.New("the document could not be encoded")

// get returns the answer to a question. If there is none encode makes it, while others
// with the same question wait. The caller sees to it that the document does not change
// before get returns.
func (s *diffs) get(ctx context.Context, q question, encode func() (frame, error)) (frame, error) {
	for {
		a, isNew := s.find(q)
		if isNew {
			s.complete(a, encode)
			return a.frame, a.err
		}
		select {
		case <-a.done:
		case <-ctx.Done():
			return frame{}, ctx.Err()
		}
		if a.err == nil {
			return a.frame, nil
		}
		// Whoever was to make it may have gone. It is forgotten.
	}
}

// find returns the answer to a question, or a new one, which is to be completed.
func (s *diffs) find(q question) (a *diff, isNew bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latest = slices.DeleteFunc(s.latest, func(known diffFor) bool { return known.diff.Value() == nil })
	for _, known := range s.latest {
		if a := known.diff.Value(); a != nil && known.question == q {
			return a, false
		}
	}
	if len(s.latest) == maxDiffs {
		s.latest = slices.Delete(s.latest, 0, 1)
	}
	a = &diff{done: make(chan struct{}), err: errNotEncoded}
	s.latest = append(s.latest, diffFor{q, weak.Make(a)})
	return a, true
}

// complete makes an answer, for all that wait for it.
func (s *diffs) complete(a *diff, encode func() (frame, error)) {
	defer close(a.done)
	defer func() {
		if a.err != nil { // or encode has panicked
			s.forget(a)
		}
	}()
	f, err := encode()
	f.of = a
	a.frame, a.err = f, err
}

func (s *diffs) forget(a *diff) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latest = slices.DeleteFunc(s.latest, func(known diffFor) bool { return known.diff.Value() == a })
}

// reset forgets all. It is called when the document changes or goes.
func (s *diffs) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latest = nil
}
