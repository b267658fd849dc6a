package difftest

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/internal/peers"
	"github.com/yrs-go/yrs/ycrdt"
)

const repository = "../../.."

// trace is the recording of somebody who edits a text.
type trace struct {
	StartContent string       `json:"startContent"`
	EndContent   string       `json:"endContent"`
	Txns         []traceEntry `json:"txns"`
}

type traceEntry struct {
	Patches []patch `json:"patches"`
}

// patch replaces a stretch of the text. Offsets and lengths count UTF-16 code units.
type patch struct {
	position, deleted int
	inserted          string
}

// MarshalJSON writes the patch as [position, deleted, inserted].
func (p patch) MarshalJSON() ([]byte, error) {
	return json.Marshal([]any{p.position, p.deleted, p.inserted})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (p *patch) UnmarshalJSON(data []byte) error {
	fields := []any{&p.position, &p.deleted, &p.inserted}
	return json.Unmarshal(data, &fields)
}

func readTrace(t *testing.T, path string) *trace {
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	require.NoError(t, err)
	read := new(trace)
	require.NoError(t, json.NewDecoder(unzipped).Decode(read))
	return read
}

// TestTrace replays recordings, a transaction for each entry, and has Yjs read the result: the one recording of this
// repository and those that lie beside it.
func TestTrace(t *testing.T) {
	node := peers.StartDiffer(t)
	for _, path := range append(tracesBeside(t), typingTrace) {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".json.gz"), func(t *testing.T) {
			recorded := readTrace(t, path)
			doc := replay(t, recorded)
			assert.Equal(t, recorded.EndContent, readText(t, doc))
			state, err := doc.EncodeStateAsUpdate(nil)
			require.NoError(t, err)
			assert.Equal(t, recorded.EndContent, readByYjs(t, node, state))
		})
	}
}

// tracesBeside returns the recordings beside the repository, which need not be there.
func tracesBeside(t *testing.T) []string {
	folder := filepath.Join(repository, "..", "shared", "traces")
	if !largeTraces {
		t.Logf("this build is too slow for the traces in %s", folder)
		return nil
	}
	paths, err := filepath.Glob(filepath.Join(folder, "*.json.gz"))
	require.NoError(t, err)
	if len(paths) == 0 {
		t.Logf("there are no larger traces in %s", folder)
	}
	return paths
}

func replay(t *testing.T, recorded *trace) *ycrdt.Doc {
	doc := ycrdt.NewDoc()
	t.Cleanup(func() { require.NoError(t, doc.Close()) })
	transact := func(patches ...patch) {
		require.NoError(t, doc.Transact(func(tx *ycrdt.Tx) error {
			text := tx.Text("text")
			for _, patch := range patches {
				if err := patch.apply(text); err != nil {
					return fmt.Errorf("%v: %w", patch, err)
				}
			}
			return nil
		}))
	}
	transact(patch{inserted: recorded.StartContent})
	for _, entry := range recorded.Txns {
		transact(entry.Patches...)
	}
	return doc
}

func (p patch) apply(text *ycrdt.Text) error {
	if p.deleted > 0 {
		if err := text.Delete(p.position, p.deleted); err != nil {
			return err
		}
	}
	if p.inserted == "" {
		return nil
	}
	return text.Insert(p.position, p.inserted)
}

func readText(t *testing.T, doc *ycrdt.Doc) (content string) {
	require.NoError(t, doc.View(func(tx *ycrdt.Tx) error {
		content = tx.Text("text").String()
		return nil
	}))
	return content
}

// readByYjs has a Yjs document that has just joined read the text.
func readByYjs(t *testing.T, node *peers.Process, state []byte) string {
	var results []json.RawMessage
	require.NoError(t, node.Do("run", map[string]any{"steps": []nodeStep{
		{"step": "new", "doc": "late"},
		{"step": "apply", "doc": "late", "updates": [][]byte{state}},
		{"step": "json", "doc": "late", "on": []peers.Place{peers.Text("text")}},
		{"step": "drop", "doc": "late"},
	}}, &results))
	var read []string
	require.NoError(t, json.Unmarshal(results[2], &read))
	return read[0]
}
