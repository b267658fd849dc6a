package ycrdt_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
)

// goldenCase is a file of testdata/updates: what a real peer sent, and what it then held.
type goldenCase struct {
	Updates  [][]byte                   `json:"updates"`
	Contents map[string]json.RawMessage `json:"contents"`
	Refused  string                     `json:"refused"`
}

// goldenCases reads all cases by peer, version and name.
func goldenCases(t testing.TB) map[string]goldenCase {
	t.Helper()
	files, err := filepath.Glob("../testdata/updates/*/*.json")
	require.NoError(t, err)
	require.Greater(t, len(files), 30)
	cases := map[string]goldenCase{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		var c goldenCase
		require.NoError(t, json.Unmarshal(data, &c), file)
		name := filepath.Base(filepath.Dir(file)) + "/" + strings.TrimSuffix(filepath.Base(file), ".json")
		cases[name] = c
	}
	return cases
}

// requireContents compares every root of a case with what doc holds.
func requireContents(t *testing.T, want map[string]json.RawMessage, doc *ycrdt.Doc, how string) {
	t.Helper()
	for root, content := range want {
		kind, name, _ := strings.Cut(root, ":")
		got := marshal(t, doc, func(tx *ycrdt.Tx) any {
			switch kind {
			case "text":
				return map[string]any{"text": tx.Text(name), "delta": tx.Text(name).ToDelta()}
			case "map":
				return tx.Map(name)
			default:
				return tx.Array(name)
			}
		})
		require.JSONEq(t, string(content), got, "%s: %s", how, root)
	}
}

// What real peers send passes the gate in any order and any number of times, and means here what it means there.
func TestDoc_ApplyUpdate_TakesWhatPeersSend(t *testing.T) {
	for name, c := range goldenCases(t) {
		if c.Refused != "" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			orders := map[string][]int{"in order": nil, "reversed": nil}
			for i := range c.Updates {
				orders["in order"] = append(orders["in order"], i)
				orders["reversed"] = append(orders["reversed"], len(c.Updates)-1-i)
			}
			for seed := range uint64(5) {
				order := rand.New(rand.NewPCG(seed, 0)).Perm(len(c.Updates))
				orders[fmt.Sprintf("shuffled %d", seed)] = order
				orders[fmt.Sprintf("duplicated %d", seed)] = slices.Concat(order, order[:len(order)/2], order)
			}
			for how, order := range orders {
				doc, mirror := newDoc(t), newDoc(t)
				sub := doc.OnUpdate(func(u ycrdt.UpdateEvent) { assert.NoError(t, mirror.ApplyUpdate(u.Update), how) })
				for _, i := range order {
					require.NoError(t, ycrdt.CheckUpdate(c.Updates[i]), how)
					require.NoError(t, doc.ApplyUpdate(c.Updates[i]), how)
				}
				sub.Close()
				requireContents(t, c.Contents, doc, how)
				requireContents(t, c.Contents, mirror, how+", from events")
				requireContents(t, c.Contents, copyOf(t, doc), how+", from state")
			}
			merged, err := ycrdt.MergeUpdates(c.Updates...)
			require.NoError(t, err)
			requireContents(t, c.Contents, loaded(t, merged), "merged")
		})
	}
}

// In one transaction they are one commit.
func TestTx_ApplyUpdate_TakesWhatPeersSend(t *testing.T) {
	for name, c := range goldenCases(t) {
		if c.Refused != "" {
			continue
		}
		doc, mirror := newDoc(t), newDoc(t)
		heard := 0
		sub := doc.OnUpdate(func(u ycrdt.UpdateEvent) {
			heard++
			assert.NoError(t, mirror.ApplyUpdate(u.Update), name)
		})
		write(t, doc, func(tx *ycrdt.Tx) {
			for _, update := range c.Updates {
				require.NoError(t, tx.ApplyUpdate(update), name)
			}
		})
		sub.Close()
		assert.Equal(t, 1, heard, name)
		requireContents(t, c.Contents, doc, name)
		requireContents(t, c.Contents, mirror, name)
	}
}

// What this version does not support is refused by name, and changes nothing.
func TestDoc_ApplyUpdate_RefusesWhatItDoesNotSupport(t *testing.T) {
	refused := 0
	for name, c := range goldenCases(t) {
		if c.Refused == "" {
			continue
		}
		refused++
		doc := newDoc(t)
		set(t, doc, "k", 1)
		before := encode(t, doc)
		for _, update := range c.Updates {
			for _, err := range []error{doc.ApplyUpdate(update), ycrdt.CheckUpdate(update)} {
				assert.ErrorIs(t, err, ycrdt.ErrMalformed, name)
				assert.ErrorContains(t, err, c.Refused, name)
			}
		}
		assert.Equal(t, before, encode(t, doc), name)
	}
	assert.Equal(t, 1, refused)
}

// A document that was only passed on is, for the next peer, what it was for the first one, down to the kinds of
// numbers that its JSON does not tell.
func TestDoc_EncodeStateAsUpdate_PassesOnWhatPeersSent(t *testing.T) {
	for name, c := range goldenCases(t) {
		if c.Refused != "" {
			continue
		}
		doc := loaded(t, c.Updates...)
		first, second := copyOf(t, doc), copyOf(t, copyOf(t, doc))
		for root := range c.Contents {
			kind, root, _ := strings.Cut(root, ":")
			if kind == "map" {
				assert.Equal(t, fmt.Sprintf("%#v", mapOf(t, first, root)), fmt.Sprintf("%#v", mapOf(t, second, root)), name)
			}
		}
		requireContents(t, c.Contents, second, name)
	}
}

// A subdocument and XML are kept and passed on, although this version cannot look into them.
func TestOpaque_IsKept(t *testing.T) {
	cases := goldenCases(t)
	doc := loaded(t, cases["yjs-13.6.33/xml"].Updates...)
	for _, update := range cases["yjs-13.6.33/subdocuments"].Updates {
		// Made by a client of the same id: a document of its own.
		require.NoError(t, ycrdt.CheckUpdate(update))
	}
	view(t, doc, func(tx *ycrdt.Tx) {
		value, ok := tx.Map("map").Value("fragment")
		require.True(t, ok)
		fragment := value.(*ycrdt.Opaque)
		assert.Equal(t, ycrdt.KindXMLFragment, fragment.Kind())
		again, err := tx.Resolve(fragment.Ref())
		require.NoError(t, err)
		assert.Equal(t, fragment.Ref(), again.Ref())
		_, ok = tx.Map("map").Map("fragment")
		assert.False(t, ok)
	})
	subdocs := loaded(t, cases["yjs-13.6.33/subdocuments"].Updates...)
	for _, doc := range []*ycrdt.Doc{subdocs, copyOf(t, subdocs)} {
		view(t, doc, func(tx *ycrdt.Tx) {
			value, ok := tx.Map("map").Value("options")
			assert.True(t, ok)
			assert.Equal(t, ycrdt.Subdoc{GUID: "sub-2"}, value)
			assert.Equal(t, 1, tx.Map("map").Len())
			value, ok = tx.Array("array").Value(0)
			assert.True(t, ok)
			assert.Equal(t, ycrdt.Subdoc{GUID: "sub-3"}, value)
		})
	}
}

func TestOpaque_Observe(t *testing.T) {
	updates := goldenCases(t)["yjs-13.6.33/xml"].Updates
	doc := loaded(t, updates...)
	var events []ycrdt.Event
	sub, err := doc.ObserveDeep(ycrdt.RootMap("map"), func(e []ycrdt.Event) { events = append(events, e...) })
	require.NoError(t, err)
	defer sub.Close()
	set(t, doc, "k", 1)
	write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Map("map").Delete("fragment")) })
	require.Len(t, events, 1)
	old := events[0].(*ycrdt.MapEvent).Keys["fragment"].Old.(ycrdt.Ref)
	assert.Equal(t, ycrdt.KindXMLFragment, old.Kind())
}
