package e2e_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/internal/peers"
	"github.com/yrs-go/yrs/ycrdt"
	"github.com/yrs-go/yrs/ywebsocket"
	"github.com/yrs-go/yrs/ywebsocket/store"
)

// TestLateJoiner_ReadsWhatGoWrote writes with ycrdt, a transaction per edit.
func TestLateJoiner_ReadsWhatGoWrote(t *testing.T) {
	edits := []struct {
		position, deleted int
		inserted          string
	}{
		{0, 0, "Hello world"}, {5, 0, ", wide"}, {0, 1, "h"}, {17, 0, " 😀!"}, {7, 5, ""}, {15, 1, "?"},
	}
	doc := ycrdt.NewDoc()
	defer doc.Close()
	for _, edit := range edits {
		require.NoError(t, doc.Transact(func(tx *ycrdt.Tx) error {
			content := tx.Text("text")
			if err := content.Delete(edit.position, edit.deleted); err != nil {
				return err
			}
			return content.Insert(edit.position, edit.inserted)
		}))
	}
	joinAfterwards(t, doc).Await(text, "hello, world 😀?")
}

// joinAfterwards serves a room that holds the document, and returns a Yjs client that joined it.
func joinAfterwards(t *testing.T, doc *ycrdt.Doc) *peers.YjsClient {
	t.Helper()
	update, err := doc.EncodeStateAsUpdate(nil)
	require.NoError(t, err)
	memory := store.NewMemory()
	require.NoError(t, memory.Append(context.Background(), "late", update))
	server := serve(t, ywebsocket.Options{Store: memory}, nil)
	return peers.StartYjs(t, 1).Connect(t, server, "late", nil)
}
