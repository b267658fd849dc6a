package ycrdt_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/yrs-go/yrs/ycrdt"
)

// twins are two replicas of one client that are edited alike: one with a position index, one without.
type twins struct {
	t          testing.TB
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
	deltas  []ycrdt.Delta
}

func newTwins(t testing.TB, seed uint64) *twins {
	s := &twins{
		t:      t,
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
		write(t, doc, func(tx *ycrdt.Tx) { ref = tx.Text("t").Ref() })
		_, err := doc.Observe(ref, func(e ycrdt.Event) { heard.deltas = append(heard.deltas, e.(*ycrdt.TextEvent).Delta) })
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

var chunks = []string{"a", "b", "word", " ", "\n", "é", "😀", "x😀y", "a longer stretch of text", "中文"}

// edit makes the same random edits in the documents; where they fail, they fail alike.
func (s *twins) edit(docs ...*ycrdt.Doc) {
	seed := s.random.Uint64()
	formats := s.mayFormat && s.random.IntN(10) == 0
	var results [][]string
	for _, doc := range docs {
		random := rand.New(rand.NewPCG(seed, 1))
		var result []string
		write(s.t, doc, func(tx *ycrdt.Tx) {
			for range 1 + random.IntN(s.maxEdits) {
				result = append(result, editOnce(tx, random, formats))
			}
		})
		results = append(results, append(result, textOf(s.t, doc, "t")))
	}
	for _, result := range results {
		require.Equal(s.t, results[len(results)-1], result)
	}
}

// editOnce returns what it did, and what that gave.
func editOnce(tx *ycrdt.Tx, random *rand.Rand, formats bool) string {
	text := tx.Text("t")
	n := text.Len()
	at := random.IntN(n + 2)
	switch random.IntN(30) {
	default: // typing
		var err error
		var typed strings.Builder
		for range 1 + random.IntN(6) {
			chunk := chunks[random.IntN(len(chunks))]
			before := text.Len()
			if err = text.Insert(at, chunk); err != nil {
				break
			}
			typed.WriteString(chunk)
			at += text.Len() - before
		}
		return fmt.Sprint("type ", at, typed.String(), err)
	case 10, 11, 12, 13:
		length := random.IntN(8)
		return fmt.Sprint("delete ", at, length, text.Delete(at, length))
	case 14, 15, 16: // backspace
		var err error
		for ; err == nil && at > 0 && random.IntN(6) > 0; at-- {
			err = text.Delete(at-1, 1)
		}
		return fmt.Sprint("backspace ", at, err)
	case 17:
		return fmt.Sprint("replace ", at, text.Delete(at, min(5, max(0, n-at))), text.Insert(at, "new"))
	case 18:
		return "read " + text.String()
	case 19:
		return fmt.Sprint("set ", tx.Map("m").Set("k", at), text.Len())
	case 20:
		return fmt.Sprint("embed ", at, text.InsertEmbed(at, map[string]any{"image": at}, nil))
	case 21:
		return fmt.Sprint("other ", tx.Text("u").Insert(0, "u"), text.Insert(0, "t"), tx.Text("u").Insert(1, "v"))
	case 22:
		if !formats {
			return ""
		}
		return fmt.Sprint("format ", at, text.Format(at, random.IntN(5), map[string]any{"bold": random.IntN(2) == 0}))
	case 23:
		if n < 100 {
			return ""
		}
		return fmt.Sprint("cut ", at, text.Delete(at, min(40, max(0, n-at))))
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
		require.Equal(s.t, len(b.deltas), len(a.deltas), "what observers have been told by now")
		require.Equal(s.t, len(b.updates), len(a.updates))
		require.Equal(s.t, textOf(s.t, s.plain, "t"), textOf(s.t, s.indexed, "t"))
		s.wasIndexed = s.wasIndexed || s.indexed.Indexes() > 0
	}
	require.Zero(s.t, s.plain.Indexes())
	a, b := s.heard[s.indexed], s.heard[s.plain]
	require.Equal(s.t, b.deltas, a.deltas)
	require.Equal(s.t, len(b.updates), len(a.updates))
	require.Equal(s.t, encode(s.t, loaded(s.t, b.updates...)), encode(s.t, loaded(s.t, a.updates...)))
	require.Equal(s.t, encode(s.t, s.plain), encode(s.t, s.indexed))
	all := append(s.peers, s.plain, s.indexed)
	for _, from := range all {
		for _, to := range all {
			require.NoError(s.t, to.ApplyUpdate(encode(s.t, from)))
		}
	}
	for _, doc := range all {
		assert.Equal(s.t, deltaOf(s.t, all[0], "t"), deltaOf(s.t, doc, "t"))
	}
}

// A text with an index is what it is without one: contents, errors, events and updates.
func TestPositionIndex_Equivalence(t *testing.T) {
	indexed := 0
	for seed := range uint64(positionSessions) {
		ok := t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			s := newTwins(t, seed)
			s.run(60)
			if s.wasIndexed {
				indexed++
			}
		})
		if !ok {
			return
		}
	}
	assert.Greater(t, indexed, positionSessions/2, "sessions in which the text had an index")
}

// Edits that the native document holds back are there for whoever reads, and for every way of reading.
func TestPositionIndex_ReadersSeeWhatIsHeldBack(t *testing.T) {
	type reading = func(*ycrdt.Doc) (any, error)
	inView := func(read func(*ycrdt.Tx) any) reading {
		return func(doc *ycrdt.Doc) (result any, err error) {
			err = doc.View(func(tx *ycrdt.Tx) error { result = read(tx); return nil })
			return result, err
		}
	}
	readings := map[string]reading{
		"string":       inView(func(tx *ycrdt.Tx) any { return tx.Text("t").String() }),
		"length":       inView(func(tx *ycrdt.Tx) any { return tx.Text("t").Len() }),
		"delta":        inView(func(tx *ycrdt.Tx) any { return tx.Text("t").ToDelta() }),
		"state vector": func(doc *ycrdt.Doc) (any, error) { return doc.EncodeStateVector() },
		"everything":   func(doc *ycrdt.Doc) (any, error) { return doc.EncodeStateAsUpdate(nil) },
		"difference":   func(doc *ycrdt.Doc) (any, error) { return doc.EncodeStateAsUpdate([]byte{0}) },
	}
	for name, read := range readings {
		t.Run(name, func(t *testing.T) {
			indexed := newDocWith(t, ycrdt.DocOptions{ClientID: 1})
			plain := newDocWith(t, ycrdt.DocOptions{ClientID: 1, SkipPositionIndex: true})
			for i := range 100 {
				for _, doc := range []*ycrdt.Doc{indexed, plain} {
					write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Text("t").Insert(i/2, "x")) })
				}
			}
			require.Equal(t, 1, indexed.Indexes())
			expected, err := read(plain)
			require.NoError(t, err)
			actual, err := read(indexed)
			require.NoError(t, err)
			assert.Equal(t, expected, actual)
		})
	}
}

// Readers that come together share what the first of them has carried out.
func TestPositionIndex_ConcurrentReaders(t *testing.T) {
	doc := newDoc(t)
	var group errgroup.Group
	for range 4 {
		group.Go(func() error {
			for range 500 {
				if err := doc.Transact(func(tx *ycrdt.Tx) error { return tx.Text("t").Insert(0, "x") }); err != nil {
					return err
				}
				if err := doc.View(func(tx *ycrdt.Tx) error {
					if text := tx.Text("t"); len(text.String()) != text.Len() {
						return errors.New("length and text differ")
					}
					return nil
				}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
	assert.Equal(t, strings.Repeat("x", 2000), textOf(t, doc, "t"))
}

// Edits that are held back do not keep a document open.
func TestPositionIndex_Close(t *testing.T) {
	doc := ycrdt.NewDoc()
	for range 100 {
		write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Text("t").Insert(0, "x")) })
	}
	require.NoError(t, doc.Close())
	assert.ErrorIs(t, doc.View(func(*ycrdt.Tx) error { return nil }), ycrdt.ErrClosed)
}

// Very many edits are not held back for ever.
func TestPositionIndex_HoldsLittleBack(t *testing.T) {
	doc := newDoc(t)
	chunk := strings.Repeat("x", 10_000)
	write(t, doc, func(tx *ycrdt.Tx) {
		for range 100 {
			require.NoError(t, tx.Text("t").Insert(0, "x"))
		}
	})
	heard := 0
	doc.OnUpdate(func(e ycrdt.UpdateEvent) { heard += len(e.Update) })
	for range 200 {
		write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Text("t").Insert(50, chunk)) })
	}
	assert.Greater(t, heard, 2_000_000)
	assert.Less(t, len(encode(t, doc)), 2_200_000)
	assert.Equal(t, 2_000_100, len(textOf(t, doc, "t")))
}
