package ycrdt_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
)

// list is what the twins edit by position.
type list struct {
	of      func(*ycrdt.Tx) ycrdt.Shared
	changes func(ycrdt.Event) any
	// edit makes one random edit and returns what it did, and what that gave.
	edit    func(tx *ycrdt.Tx, random *rand.Rand, formats bool) string
	content func(testing.TB, *ycrdt.Doc) any
}

// twins are two replicas of one client that are edited alike: one with a position index, one without.
type twins struct {
	t          testing.TB
	list       list
	random     *rand.Rand
	indexed    *ycrdt.Doc
	plain      *ycrdt.Doc
	heard      map[*ycrdt.Doc]*record
	peers      []*ycrdt.Doc
	mayFormat  bool
	maxEdits   int // in a transaction
	wasIndexed bool
	// What was written and not delivered yet, to each peer and to the twins.
	toPeers [][][]byte
	toTwins [][]byte
}

// record is what a document has told its subscribers.
type record struct {
	updates [][]byte
	changes []any
}

func newTwins(t testing.TB, list list, seed uint64) *twins {
	s := &twins{
		t:      t,
		list:   list,
		random: rand.New(rand.NewPCG(seed, 0)),
		heard:  make(map[*ycrdt.Doc]*record),
	}
	client := uint64(1 + s.random.IntN(4)) // peers have ids below and above
	s.mayFormat = s.random.IntN(5) == 0
	s.maxEdits = 1 + s.random.IntN(20)
	opts := ycrdt.DocOptions{ClientID: client, SkipGC: s.random.IntN(4) == 0}
	s.indexed = newDocWith(t, opts)
	opts.SkipPositionIndex = true
	s.plain = newDocWith(t, opts)
	for id := range uint64(3) {
		peer := newDocWith(t, ycrdt.DocOptions{ClientID: 2*id + 10*(id%2) + 5*(1-id%2)})
		i := len(s.peers)
		s.peers = append(s.peers, peer)
		s.toPeers = append(s.toPeers, nil)
		peer.OnUpdate(func(e ycrdt.UpdateEvent) {
			if e.Origin == nil {
				s.publish(i, e.Update)
			}
		})
	}
	observed := s.random.IntN(2) == 0 // edits that nobody observes may be held back
	for _, doc := range []*ycrdt.Doc{s.indexed, s.plain} {
		heard := &record{}
		s.heard[doc] = heard
		doc.OnUpdate(func(e ycrdt.UpdateEvent) { heard.updates = append(heard.updates, e.Update) })
		if !observed {
			continue
		}
		var ref ycrdt.Ref
		write(t, doc, func(tx *ycrdt.Tx) { ref = list.of(tx).Ref() })
		_, err := doc.Observe(ref, func(e ycrdt.Event) { heard.changes = append(heard.changes, list.changes(e)) })
		require.NoError(t, err)
	}
	s.indexed.OnUpdate(func(e ycrdt.UpdateEvent) {
		if e.Origin == nil {
			s.publish(-1, e.Update)
		}
	})
	return s
}

// publish queues an update for everybody but its author.
func (s *twins) publish(author int, update []byte) {
	for i := range s.peers {
		if i != author {
			s.toPeers[i] = append(s.toPeers[i], update)
		}
	}
	if author >= 0 {
		s.toTwins = append(s.toTwins, update)
	}
}

// deliver gives a peer, or the twins, some of what the others have written.
func (s *twins) deliver(to int) {
	queue := &s.toTwins
	docs := []*ycrdt.Doc{s.indexed, s.plain}
	if to >= 0 {
		queue, docs = &s.toPeers[to], []*ycrdt.Doc{s.peers[to]}
	}
	for range s.random.IntN(len(*queue) + 1) {
		i := 0
		if s.random.IntN(4) == 0 {
			i = s.random.IntN(len(*queue)) // out of order
		}
		update := (*queue)[i]
		*queue = append((*queue)[:i:i], (*queue)[i+1:]...)
		for _, doc := range docs {
			require.NoError(s.t, doc.ApplyUpdateContext(s.t.Context(), ycrdt.TxOptions{Origin: "peer"}, update))
		}
	}
}

func (s *twins) run(steps int) {
	for range steps {
		switch who := s.random.IntN(9); {
		case who < 4:
			s.edit(s.indexed, s.plain)
		case who < 6:
			s.edit(s.peers[s.random.IntN(len(s.peers))])
		case who < 8:
			s.deliver(-1)
		default:
			s.deliver(s.random.IntN(len(s.peers)))
		}
		a, b := s.heard[s.indexed], s.heard[s.plain]
		require.Equal(s.t, len(b.changes), len(a.changes), "what observers have been told by now")
		require.Equal(s.t, len(b.updates), len(a.updates))
		require.Equal(s.t, s.list.content(s.t, s.plain), s.list.content(s.t, s.indexed))
		s.wasIndexed = s.wasIndexed || s.indexed.Indexes() > 0
	}
	require.Zero(s.t, s.plain.Indexes())
	a, b := s.heard[s.indexed], s.heard[s.plain]
	require.Equal(s.t, b.changes, a.changes)
	require.Equal(s.t, len(b.updates), len(a.updates))
	require.Equal(s.t, encode(s.t, loaded(s.t, b.updates...)), encode(s.t, loaded(s.t, a.updates...)))
	// A deletion by index can leave a block of yrs cut in two for nothing; loading joins the halves.
	require.Equal(s.t, encode(s.t, loaded(s.t, encode(s.t, s.plain))), encode(s.t, loaded(s.t, encode(s.t, s.indexed))))
	all := append(s.peers, s.plain, s.indexed)
	for _, from := range all {
		for _, to := range all {
			require.NoError(s.t, to.ApplyUpdate(encode(s.t, from)))
		}
	}
	for _, doc := range all {
		assert.Equal(s.t, s.list.content(s.t, all[0]), s.list.content(s.t, doc))
	}
}

// edit makes the same random edits in the documents; where they fail, they fail alike.
func (s *twins) edit(docs ...*ycrdt.Doc) {
	seed := s.random.Uint64()
	formats := s.mayFormat && s.random.IntN(10) == 0
	var results [][]any
	for _, doc := range docs {
		random := rand.New(rand.NewPCG(seed, 1))
		var result []any
		write(s.t, doc, func(tx *ycrdt.Tx) {
			for range 1 + random.IntN(s.maxEdits) {
				result = append(result, s.list.edit(tx, random, formats))
			}
		})
		results = append(results, append(result, s.list.content(s.t, doc)))
	}
	for _, result := range results {
		require.Equal(s.t, results[len(results)-1], result)
	}
}
