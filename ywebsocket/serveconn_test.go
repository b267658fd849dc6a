package ywebsocket

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// inMemory makes a provider's connections with Pipe, and collects what ServeConn returns.
func inMemory(s *Server, room string, ended chan<- error) ProviderOptions {
	return ProviderOptions{Room: room, Dial: func(context.Context) (Conn, error) {
		client, server := Pipe()
		go func() { ended <- s.ServeConn(server, room, Identity{User: "Ada"}) }()
		return client, nil
	}}
}

func TestServeConn(t *testing.T) {
	s, url := serve(t, Options{})
	ended := make(chan error, 1)
	e := newEditor(t, inMemory(s, "room", ended))
	e.Connect()
	require.NoError(t, e.Synced(withPatience(t)))

	c, _ := join(t, url+"room")
	c.sendUpdate(insert(1, 0, "over the network"))
	c.expectUpdate()
	e.expectText("over the network")
	e.write(", and in memory")
	require.NoError(t, e.Saved(withPatience(t)))
	assert.NotEmpty(t, c.expectUpdate())
	require.NoError(t, e.Awareness().SetLocalState("Ada"))
	assert.Equal(t, e.Awareness().ClientID(), c.expectAwareness()[0].ClientID)

	e.Close()
	assert.NoError(t, <-ended, "the client has left")
}

func TestServeConn_Refusals(t *testing.T) {
	s, _ := serve(t, Options{})
	for name, room := range map[string]string{"empty": "", "too long": strings.Repeat("x", 10_000), "NUL": "a\x00b"} {
		t.Run(name, func(t *testing.T) {
			client, server := Pipe()
			require.Error(t, s.ServeConn(server, room, Identity{}))
			_, err := client.ReadMessage()
			var closed *CloseError
			require.ErrorAs(t, err, &closed)
			assert.Equal(t, CloseMalformed, closed.Code)
			assert.ErrorIs(t, err, ErrPermanent, "a provider does not try it again")
			if name == "too long" {
				assert.Contains(t, closed.Reason, "at most 512 bytes")
			}
		})
	}
}

// Whoever violates the protocol is told why, and so is the program that serves it.
func TestServeConn_ServerEndsIt(t *testing.T) {
	s, _ := serve(t, Options{})
	client, server := Pipe()
	ended := make(chan error)
	go func() { ended <- s.ServeConn(server, "room", Identity{}) }()
	_, err := client.ReadMessage()
	require.NoError(t, err, "SyncStep1")
	require.NoError(t, client.WriteMessage([]byte{0, 2, 3, 1, 2, 3}))
	var told, returned *CloseError
	_, err = client.ReadMessage()
	require.ErrorAs(t, err, &told)
	assert.Equal(t, CloseMalformed, told.Code)
	require.ErrorAs(t, <-ended, &returned)
	assert.Equal(t, told, returned)
}

// deafConn is a client that takes no message and says nothing until it is closed.
type deafConn struct {
	once   sync.Once
	closed chan struct{}
}

func (c *deafConn) ReadMessage() ([]byte, error) { return nil, c.WriteMessage(nil) }

func (c *deafConn) WriteMessage([]byte) error {
	<-c.closed
	return errConnClosed
}

func (c *deafConn) Close(CloseCode, string) error {
	c.once.Do(func() { close(c.closed) })
	return nil
}

// A client that never reads costs the server no goroutine once that has given it up.
func TestServeConn_ClientThatNeverReads(t *testing.T) {
	for name, test := range map[string]struct {
		end    func(*Server)
		within time.Duration
	}{
		"reads too slowly": {func(*Server) {}, 2 * time.Minute},
		"is closed":        {func(s *Server) { s.closeConnections(func(c *conn) { c.out.close(CloseMalformed, "") }) }, 6 * time.Second},
		"is cut":           {func(s *Server) { s.closeConnections(func(c *conn) { c.out.abort() }) }, 6 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newTestServer(t, Options{})
				client := &deafConn{closed: make(chan struct{})}
				ended := make(chan error, 1)
				start := time.Now()
				go func() { ended <- s.ServeConn(client, "room", Identity{}) }()
				synctest.Wait()
				test.end(s)
				var reason *CloseError
				require.ErrorAs(t, <-ended, &reason)
				assert.Equal(t, CloseTryAgainLater, reason.Code)
				assert.LessOrEqual(t, time.Since(start), test.within)
			})
		})
	}
}

func TestServeConn_Shutdown(t *testing.T) {
	s := newTestServer(t, Options{})
	client, server := Pipe()
	ended := make(chan error)
	go func() { ended <- s.ServeConn(server, "room", Identity{}) }()
	_, err := client.ReadMessage()
	require.NoError(t, err, "SyncStep1")
	go func() { assert.NoError(t, s.Shutdown(context.WithoutCancel(t.Context()))) }()
	var told *CloseError
	for err == nil {
		_, err = client.ReadMessage()
	}
	require.ErrorAs(t, err, &told)
	assert.Equal(t, CloseServiceRestart, told.Code)
	require.Error(t, <-ended)

	_, server = Pipe()
	assert.ErrorIs(t, s.ServeConn(server, "room", Identity{}), ErrShuttingDown)
}
