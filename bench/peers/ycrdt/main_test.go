package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/bench/door"
	"github.com/yrs-go/yrs/bench/peer"
)

// serve sends requests, a line each, and returns the answers.
func serve(t *testing.T, requests ...string) []door.Reply {
	t.Helper()
	var out bytes.Buffer
	in := strings.NewReader(strings.Join(requests, "\n"))
	require.NoError(t, peer.Serve(implementation(false), in, &out))
	var replies []door.Reply
	for line := range strings.Lines(out.String()) {
		var reply door.Reply
		require.NoError(t, json.Unmarshal([]byte(line), &reply))
		replies = append(replies, reply)
	}
	require.Len(t, replies, len(requests))
	return replies
}

// workload writes a workload file and returns the request that loads it.
func workload(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "workload.json")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return fmt.Sprintf(`{"do":"load","path":%q}`, path)
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// documented is the example of DOOR.md.
func documented(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("../../DOOR.md")
	require.NoError(t, err)
	_, after, found := strings.Cut(string(page), "A workload is a JSON file:\n\n```json\n")
	require.True(t, found)
	example, _, _ := strings.Cut(after, "```")
	return example
}

func TestServe_DocumentedExample(t *testing.T) {
	replies := serve(t, `{"do":"hello"}`, workload(t, documented(t)), `{"do":"run"}`, `{"do":"run"}`)
	require.NotNil(t, replies[0].Hello)
	assert.Equal(t, "ycrdt", replies[0].Name)
	assert.Contains(t, replies[0].Features, door.Updates)
	assert.Empty(t, replies[1].Error)
	for _, reply := range replies[2:] {
		require.NotNil(t, reply.Result, reply.Error)
		assert.Equal(t, hashOf("hippoa"), reply.Hash)
		assert.Len(t, reply.NS, 2)
		assert.Positive(t, reply.Heard)
	}
}

func TestServe_CanonicalJSON(t *testing.T) {
	replies := serve(t, workload(t, `{"parts":[{"name":"run","steps":[
		{"do":"edit","doc":0,"map":[["b",1.0],["a",{"y":[null,true,"<é>"],"x":2.5}]]},
		{"do":"edit","doc":0,"array":[[0,[1,2]],[1,["x"]]],"together":true}]}],
		"result":{"doc":0,"on":"map"}}`), `{"do":"run"}`)
	require.NotNil(t, replies[1].Result, replies[1].Error)
	assert.Equal(t, hashOf(`{"a":{"x":2.5,"y":[null,true,"<é>"]},"b":1}`), replies[1].Hash)
}

func TestServe_Errors(t *testing.T) {
	step := func(step string) string {
		return workload(t, `{"parts":[{"name":"run","steps":[`+step+`]}],"result":{"doc":0,"on":"text"}}`)
	}
	replies := serve(t, `{"do":"run"}`, `{"do":"dance"}`, `{"do":"load","path":"/nowhere"}`,
		step(`{"do":"leap","doc":0}`), `{"do":"run"}`, step(`{"do":"apply","doc":0,"from":5}`), `{"do":"run"}`)
	for i, want := range map[int]string{
		0: "no workload is loaded", 1: `unknown request "dance"`, 2: "no such file",
		4: "run, step 0, leap: there is no such step", 6: "updates 5 to 0 of a log of 0",
	} {
		assert.Contains(t, replies[i].Error, want)
	}
}
