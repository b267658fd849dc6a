package e2e_test

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/internal/peers"
	"github.com/yrs-go/yrs/ycrdt"
	"github.com/yrs-go/yrs/ywebsocket"
	"github.com/yrs-go/yrs/ywebsocket/store/file"
)

// offlineWriter names the variable that makes this test's binary a program that writes without a connection, into the
// local store in the directory that it names.
const offlineWriter = "YRS_E2E_OFFLINE_WRITER"

// writeOffline writes words for ever, and says of each that it is stored.
func writeOffline(directory string) {
	doc := ycrdt.NewDoc()
	local, err := file.Open(directory, file.Options{})
	if err != nil {
		log.Fatal(err)
	}
	provider, err := ywebsocket.NewProvider(doc, ywebsocket.ProviderOptions{
		URL: "ws://127.0.0.1:1", Room: localRoom, Local: local, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		log.Fatal(err)
	}
	provider.Connect()
	for n := 0; ; n++ {
		word := fmt.Sprintf("%d-%d", os.Getpid(), n)
		err := doc.Transact(func(tx *ycrdt.Tx) error { return tx.Text("text").Insert(0, word+" ") })
		if err != nil {
			log.Fatal(err)
		}
		if err := provider.Stored(context.Background()); err != nil {
			log.Fatal(err)
		}
		fmt.Println(word)
	}
}

const localRoom = "written offline"

// TestLocalStore_OutlivesKilledPrograms kills one program after another that writes without a connection. What each has
// been told is stored reaches the server with the next one that has a network, and then everybody else.
func TestLocalStore_OutlivesKilledPrograms(t *testing.T) {
	directory := t.TempDir()
	var words []string
	for round := range 3 {
		words = append(words, writeUntilKilled(t, directory, 10*(round+1))...)
	}
	local, err := file.Open(directory, file.Options{})
	require.NoError(t, err)
	defer local.Close()
	server := startServer(t)
	returns := connectGoWith(t, ywebsocket.ProviderOptions{URL: server.websocket(), Room: localRoom, Local: local})
	require.NoError(t, returns.Saved(returns.patience()))
	expectWords(t, server, localRoom, words...)
	node := peers.StartYjs(t, 1).Connect(t, server.websocket(), localRoom, nil)
	node.Await(text, returns.text())

	found := strings.Fields(returns.text())
	slices.Sort(found)
	assert.Len(t, slices.Compact(found), len(found), "nothing is there twice")
}

// writeUntilKilled runs a program that writes, and kills it after it has stored some words, which it returns.
func writeUntilKilled(t *testing.T, directory string, enough int) (words []string) {
	t.Helper()
	program := exec.Command(os.Args[0])
	program.Env = append(os.Environ(), offlineWriter+"="+directory)
	program.Stderr = os.Stderr
	stdout, err := program.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, program.Start())
	late := time.AfterFunc(peers.Timeout, func() { _ = program.Process.Kill() })
	defer late.Stop()
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if words = append(words, lines.Text()); len(words) == enough {
			require.NoError(t, program.Process.Kill())
		}
	}
	_ = program.Wait() // reports the kill
	require.GreaterOrEqual(t, len(words), enough)
	return words
}
