package postgres_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ywebsocket/store"
	"github.com/yrs-go/yrs/ywebsocket/store/postgres"
)

// serveUntil passes connections on to the database, until a client says a word on one:
// from then on nothing gets through on that. It returns how to connect.
func serveUntil(t *testing.T, word string) (url string) {
	t.Helper()
	config, err := pgx.ParseConfig(database.URL())
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var running sync.WaitGroup
	t.Cleanup(func() {
		assert.NoError(t, listener.Close())
		running.Wait()
	})
	running.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer client.Close()
				server, err := net.Dial("unix", filepath.Join(config.Host, ".s.PGSQL."+strconv.Itoa(int(config.Port))))
				if !assert.NoError(t, err) {
					return
				}
				running.Go(func() {
					_, _ = io.Copy(client, server)
					_ = client.Close()
				})
				defer server.Close()
				defer context.AfterFunc(t.Context(), func() { _ = client.Close() })()
				passUntil(server, client, []byte(word))
			})
		}
	})
	port := strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
	return "host=127.0.0.1 port=" + port + " dbname=" + config.Database + " user=" + config.User + " sslmode=disable"
}

// passUntil copies until the word has come, and from then on to nowhere. It ends with the
// client, who waits for the database to end the connection, too.
func passUntil(to io.Writer, from io.Reader, word []byte) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil || bytes.HasSuffix(buffer[:n], []byte("X\x00\x00\x00\x04")) {
			return
		}
		if bytes.Contains(buffer[:n], word) {
			to = io.Discard
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// A network that hangs while a transaction is rolled back keeps nobody for ever.
func TestCompact_RollbackWithoutAnswer(t *testing.T) {
	require.NoError(t, open(t, t.Name()).Close())
	s, err := postgres.Open(t.Context(), serveUntil(t, "rollback"), postgres.Options{Schema: schemaOf(t.Name())})
	require.NoError(t, err)
	require.NoError(t, s.Append(t.Context(), "room", []byte("a"), []byte("b")))
	compacted := make(chan error, 1)
	go func() {
		compacted <- s.Compact(t.Context(), "room", time.Time{}, func(updates [][]byte) ([]byte, error) {
			query(t, t.Name(), `DELETE FROM rooms`)
			return concatenate(updates)
		})
	}()
	select {
	case err := <-compacted:
		assert.ErrorIs(t, err, store.ErrChanged)
		assert.NoError(t, s.Append(t.Context(), "room", []byte("c")))
		assert.NoError(t, s.Close())
	case <-time.After(10 * time.Second):
		assert.Fail(t, "it waits for an answer")
	}
}
