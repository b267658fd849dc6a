package main

import (
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/yrs-go/yrs/ycrdt"
)

// typedUpdates returns the updates of somebody who types n characters, one a transaction, now and then going
// back into the text.
func typedUpdates(n int) ([][]byte, error) {
	doc, err := ycrdt.NewDocWith(ycrdt.DocOptions{ClientID: 1})
	if err != nil {
		return nil, err
	}
	defer doc.Close()
	updates := make([][]byte, 0, n)
	defer doc.OnUpdate(func(e ycrdt.UpdateEvent) { updates = append(updates, e.Update) }).Close()
	for i := range n {
		err := doc.Transact(func(tx *ycrdt.Tx) error {
			at := i
			if i%50 == 49 {
				at = i / 2
			}
			return tx.Text("content").Insert(at, string(rune('a'+i%26)))
		})
		if err != nil {
			return nil, err
		}
	}
	return updates, nil
}

// editTrace is a recorded editing session.
type editTrace struct {
	EndContent string `json:"endContent"`
	Txns       []struct {
		Patches []patch `json:"patches"`
	} `json:"txns"`
}

// patch replaces deleted characters at a position by inserted ones.
type patch struct {
	position, deleted int
	inserted          string
}

func (p *patch) UnmarshalJSON(data []byte) error {
	return json.Unmarshal(data, &[]any{&p.position, &p.deleted, &p.inserted})
}

// tracedEdits returns the edits of a trace, and its name.
func tracedEdits() (edits []patch, name string, err error) {
	path, err := tracePath()
	if err != nil {
		return nil, "", err
	}
	session, err := readTrace(path)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", path, err)
	}
	for _, txn := range session.Txns {
		edits = append(edits, txn.Patches...)
	}
	return edits, strings.TrimSuffix(filepath.Base(path), ".json.gz"), nil
}

// tracedDocument replays a trace and returns the document as an update, and its name.
func tracedDocument() (update []byte, name string, err error) {
	edits, name, err := tracedEdits()
	if err != nil {
		return nil, "", err
	}
	doc := ycrdt.NewDoc()
	defer doc.Close()
	for _, p := range edits {
		if err := doc.Transact(p.apply); err != nil {
			return nil, "", err
		}
	}
	update, err = doc.EncodeStateAsUpdate(nil)
	return update, name, err
}

func tracePath() (string, error) {
	if *trace != "" {
		return *trace, nil
	}
	for _, pattern := range []string{"../../shared/traces/automerge-paper.json.gz", "../testdata/traces/*.json.gz"} {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			return found[0], nil
		}
	}
	return "", fmt.Errorf("no trace found; run in the folder bench, or name one with -trace")
}

func readTrace(path string) (*editTrace, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		return nil, err
	}
	var session editTrace
	return &session, json.NewDecoder(unzipped).Decode(&session)
}

// writeUpdates writes what the native program reads.
func writeUpdates(path string, updates [][]byte) error {
	var out []byte
	for _, update := range updates {
		out = binary.LittleEndian.AppendUint32(out, uint32(len(update)))
		out = append(out, update...)
	}
	return os.WriteFile(path, out, 0o600)
}
