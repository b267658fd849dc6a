package e2e_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/yrs-go/yrs/internal/peers"
)

// TestHalfOpen_IsDropped opens many connections that never complete a request, while others join a room. The nightly run
// has more of them.
func TestHalfOpen_IsDropped(t *testing.T) { requireHalfOpenIsDropped(t, 400) }

// stillOpen is when a connection counts as not dropped. The server takes 5 seconds, and longer on a busy machine.
const stillOpen = 3 * peers.Timeout

const upgradeRequest = "GET /half-open HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"

// halfOpen are clients that leave the server waiting. Each returns the error by which it notices that the connection
// has ended, or nil.
var halfOpen = []struct {
	name   string
	client func(net.Conn) error
}{
	{"nothing", func(conn net.Conn) error { return untilEnd(conn, "") }},
	{"half a line", func(conn net.Conn) error { return untilEnd(conn, "GET /half-op") }},
	{"half a header", func(conn net.Conn) error { return untilEnd(conn, strings.TrimSuffix(upgradeRequest, "\r\n")) }},
	{"no body", func(conn net.Conn) error {
		return untilEnd(conn, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n")
	}},
	{"byte by byte", trickle},
	{"reading nothing", neverRead},
}

func untilEnd(conn net.Conn, sent string) error {
	if _, err := io.WriteString(conn, sent); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, conn)
	return err
}

// trickle sends the next byte of a request whenever half a second has brought no answer.
func trickle(conn net.Conn) error {
	for _, b := range []byte(upgradeRequest) {
		if _, err := conn.Write([]byte{b}); err != nil {
			return err
		}
		if err := conn.SetReadDeadline(time.Now().Add(time.Second / 2)); err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, conn); !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
	}
	return os.ErrDeadlineExceeded
}

// neverRead asks for pages as long as the server takes requests.
func neverRead(conn net.Conn) error {
	for {
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			return err
		}
	}
}

// crowd are the connections that are half open, and how long each stayed so.
type crowd struct {
	clients errgroup.Group
	mu      sync.Mutex
	stayed  map[string][]time.Duration
}

// open opens as many connections of each kind and returns when all of them are.
func (c *crowd) open(address string, ofEach int) error {
	const atOnce = 64 // as many as the server's queue surely takes
	var dials errgroup.Group
	dials.SetLimit(atOnce)
	for i := range ofEach * len(halfOpen) {
		dials.Go(func() error {
			conn, err := net.DialTimeout("tcp", address, stillOpen)
			if err != nil {
				return err
			}
			c.clients.Go(func() error { return c.stay(conn, i%len(halfOpen)) })
			return nil
		})
	}
	return dials.Wait()
}

// stay waits until the server drops a connection.
func (c *crowd) stay(conn net.Conn, kind int) error {
	defer conn.Close()
	name, start := halfOpen[kind].name, time.Now()
	if err := conn.SetDeadline(start.Add(stillOpen)); err != nil {
		return err
	}
	if err := halfOpen[kind].client(conn); errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("%s: not dropped", name)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stayed[name] = append(c.stayed[name], time.Since(start))
	return nil
}

// joiner joins a room at a steady rate, whether earlier joins have succeeded or not.
type joiner struct {
	joins errgroup.Group
	stop  func()
	mu    sync.Mutex
	took  []time.Duration
}

func startJoining(url string) *joiner {
	ctx, stop := context.WithCancel(context.Background())
	j := &joiner{stop: stop}
	j.joins.Go(func() error {
		rate := time.NewTicker(5 * time.Millisecond)
		defer rate.Stop()
		for {
			select {
			case <-rate.C:
				j.joins.Go(func() error { return j.measure(url) })
			case <-ctx.Done():
				return nil
			}
		}
	})
	return j
}

func (j *joiner) measure(url string) error {
	start := time.Now()
	if err := joinOnce(url); err != nil {
		return fmt.Errorf("join: %w", err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.took = append(j.took, time.Since(start))
	return nil
}

// joinOnce connects, asks for the content of the room and waits for the answer.
func joinOnce(url string) error {
	ctx, cancel := context.WithTimeout(context.Background(), stillOpen)
	defer cancel()
	conn, buffered, _, err := ws.Dial(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(stillOpen)); err != nil {
		return err
	}
	if _, err := conn.Write(maskedFrame(ws.OpBinary, []byte{0, 0, 1, 0})); err != nil {
		return err
	}
	var received io.Reader = conn
	if buffered != nil {
		received = buffered
	}
	for {
		frame, err := ws.ReadFrame(received)
		if err != nil {
			return err
		}
		if bytes.HasPrefix(frame.Payload, []byte{0, 1}) {
			return nil
		}
	}
}

// requireHalfOpenIsDropped opens as many connections of each kind. It returns how long the last one stayed, and the
// time that 99 % of the joins in the meantime stayed below.
func requireHalfOpenIsDropped(t *testing.T, ofEach int) (stayed, p99 time.Duration) {
	t.Helper()
	server := startServer(t)
	honest := startJoining(server.websocket() + "/honest")
	defer honest.stop()
	all := crowd{stayed: make(map[string][]time.Duration)}
	start := time.Now()
	opening := all.open(server.address, ofEach)
	opened := time.Since(start)
	require.NoError(t, errors.Join(opening, all.clients.Wait()))
	honest.stop()
	require.NoError(t, honest.joins.Wait())

	t.Logf("%d connections of each kind were opened in %v", ofEach, opened)
	for _, kind := range halfOpen {
		last := slices.Max(all.stayed[kind.name])
		t.Logf("%s: the last was dropped after %v", kind.name, last)
		stayed = max(stayed, last)
	}
	joins := slices.Sorted(slices.Values(honest.took))
	p99 = joins[len(joins)*99/100]
	t.Logf("%d joins: half below %v, 99 %% below %v, the slowest %v", len(joins), joins[len(joins)/2], p99, joins[len(joins)-1])
	return stayed, p99
}
