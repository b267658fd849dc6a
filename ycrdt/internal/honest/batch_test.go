package honest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/yrs-go/yrs/internal/peers"
	"github.com/yrs-go/yrs/ycrdt"
	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// runner plays sessions with the peers that make them up.
type runner struct {
	yjs, pycrdt *peer
	tally       *tally
}

// peer is a process that is asked one thing at a time: requests and answers are larger than what a pipe holds.
type peer struct {
	mu      sync.Mutex
	process *peers.Process
}

func (p *peer) do(command string, arguments map[string]any, result any) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.process.Do(command, arguments, result)
}

// batch makes up sessions of consecutive seeds and plays them in every order.
func (r *runner) batch(seed, count uint64) error {
	sessions, err := r.make(seed, count)
	if err != nil {
		return err
	}
	key := fmt.Sprint("batch ", seed)
	if err := r.finish(sessions, key); err != nil {
		return err
	}
	var results []result
	for i, session := range sessions {
		played, err := r.play(session)
		if err != nil {
			return fmt.Errorf("YRS_SEED=%d YRS_SESSIONS=1: %w", session.seed, err)
		}
		for _, result := range played {
			result.session = i
			results = append(results, result)
		}
	}
	r.tally.addSessions(len(sessions), len(sessions)*len(orders))
	if err := r.verify(sessions, results, key); err != nil {
		return err
	}
	return r.yjs.do("forget", map[string]any{"key": key}, nil)
}

// make has Yjs begin sessions, and pycrdt and package ycrdt add to them.
func (r *runner) make(seed, count uint64) ([]*session, error) {
	var made struct{ Frames []byte }
	if err := r.yjs.do("make", map[string]any{"seed": seed, "count": count}, &made); err != nil {
		return nil, err
	}
	sessions, err := readSessions(made.Frames, (*reader).session)
	if err != nil {
		return nil, err
	}
	if err := r.pycrdt.do("extend", map[string]any{"frames": made.Frames}, &made); err != nil {
		return nil, err
	}
	added, err := readSessions(made.Frames, (*reader).session)
	if err != nil {
		return nil, err
	}
	for i, session := range sessions {
		session.updates = append(session.updates, added[i].updates...)
		own, err := extend(session)
		if err != nil {
			return nil, fmt.Errorf("YRS_SEED=%d YRS_SESSIONS=1: %w", session.seed, err)
		}
		session.updates = append(session.updates, own...)
	}
	return sessions, nil
}

// finish has Yjs add to the sessions, and tell what they hold in the end.
func (r *runner) finish(sessions []*session, key string) error {
	var finished struct {
		Frames   []byte
		Contents map[string]int
	}
	if err := r.yjs.do("finish", map[string]any{"frames": writeSessions(sessions), "key": key}, &finished); err != nil {
		return err
	}
	r.tally.addContents(finished.Contents)
	ends, err := readSessions(finished.Frames, (*reader).finished)
	if err != nil {
		return err
	}
	for i, end := range ends {
		session := sessions[i]
		session.updates = append(session.updates, end.updates...)
		session.variants, session.tree, session.vector = end.variants, end.tree, end.vector
	}
	return nil
}

// result is what came of a session in some order: updates for Yjs to read.
type result struct {
	session int
	order   string
	updates [][]byte
}

// play delivers a session in every order. It returns what came of some of them.
func (r *runner) play(s *session) ([]result, error) {
	p := r.player(s)
	var results []result
	for _, order := range orders {
		state, err := p.playIn(order)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", order.name, err)
		}
		results = append(results, result{order: order.name, updates: [][]byte{state}})
	}
	results = append(results, result{order: "told of", updates: p.passed})
	p.Shuffle(len(results), func(i, j int) { results[i], results[j] = results[j], results[i] })
	return results[:min(len(results), ordersReadByYjs)], nil
}

func (r *runner) player(s *session) *player {
	return &player{Rand: rand.New(rand.NewPCG(s.seed, 2)), session: s, sent: s.updates, tally: r.tally}
}

// playIn delivers the session in one order, checks that it is complete, and returns the state of the document.
func (p *player) playIn(order order) ([]byte, error) {
	doc, err := order.play(p)
	if err != nil {
		return nil, err
	}
	defer doc.Close()
	vector, err := doc.EncodeStateVector()
	if err != nil {
		return nil, err
	}
	if err := sameVector(vector, p.session.vector); err != nil {
		return nil, err
	}
	if err := nothingWaits(doc); err != nil {
		return nil, err
	}
	tree, err := readTree(doc)
	if err != nil {
		return nil, err
	}
	if tree != p.session.tree {
		return nil, difference(tree, p.session.tree)
	}
	state, err := doc.EncodeStateAsUpdate(nil)
	if err != nil {
		return nil, err
	}
	return state, p.load(state)
}

// load checks that a document can be loaded from its state.
func (p *player) load(state []byte) error {
	loaded, err := p.deliver([]update{{"ycrdt state", state}})
	if err != nil {
		return err
	}
	defer loaded.Close()
	vector, err := loaded.EncodeStateVector()
	if err != nil {
		return err
	}
	return sameVector(vector, p.session.vector)
}

var (
	errWaiting   = errors.New("something still waits for updates, although all are there")
	errDifferent = errors.New("the state with and the state without what waits are different")
)

// nothingWaits fails if a document holds anything back.
func nothingWaits(doc *ycrdt.Doc) error {
	var pending bool
	defer doc.OnUpdate(func(event ycrdt.UpdateEvent) { pending = event.Pending }).Close()
	nothing := func(*ycrdt.Tx) error { return nil }
	err := doc.TransactContext(context.Background(), ycrdt.TxOptions{NotifyEmpty: true}, nothing)
	if err != nil {
		return err
	}
	if pending {
		return errWaiting
	}
	everything, err := doc.EncodeStateAsUpdate(nil)
	if err != nil {
		return err
	}
	integrated, err := doc.EncodeStateAsUpdate([]byte{0})
	if err == nil && len(everything) != len(integrated) { // the order of keys varies
		err = fmt.Errorf("%w: %x %x", errDifferent, everything, integrated)
	}
	return err
}

// verify has Yjs read the results.
func (r *runner) verify(sessions []*session, results []result, key string) error {
	var e protocol.Encoder
	e.WriteVarUint(uint64(len(results)))
	for _, result := range results {
		e.WriteVarUint(uint64(result.session))
		e.WriteVarUint(uint64(len(result.updates)))
		for _, update := range result.updates {
			e.WriteVarBytes(update)
		}
	}
	var problems []string
	if err := r.yjs.do("verify", map[string]any{"key": key, "frames": e.Bytes()}, &problems); err != nil {
		return err
	}
	for i, problem := range problems {
		if problem != "" {
			seed := sessions[results[i].session].seed
			return fmt.Errorf("YRS_SEED=%d YRS_SESSIONS=1: %s: %s", seed, results[i].order, problem)
		}
	}
	return nil
}
