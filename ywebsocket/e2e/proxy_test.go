package e2e_test

import (
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/internal/peers"
)

// proxy stands between clients and a server, as a network does that can fail.
type proxy struct {
	t        *testing.T
	listener net.Listener
	server   string // host:port
	// delay is the longest time for which bytes are kept.
	delay time.Duration

	mu     sync.Mutex
	links  []*proxyLink
	closed bool
	done   sync.WaitGroup
}

// proxyLink is one connection through a proxy.
type proxyLink struct {
	client, server net.Conn
	// ended is closed when the server has ended its side.
	ended chan struct{}
}

// startProxy starts a proxy in front of the server at a ws:// address.
func startProxy(t *testing.T, server string) *proxy { return startSlowProxy(t, server, 0) }

// startSlowProxy starts one that keeps what it passes on for a while, another time for each piece of it.
func startSlowProxy(t *testing.T, server string, delay time.Duration) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &proxy{t: t, listener: listener, server: strings.TrimPrefix(server, "ws://"), delay: delay}
	p.done.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

// websocket is the address that a client uses instead of the server's.
func (p *proxy) websocket() string { return "ws://" + p.listener.Addr().String() }

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.server)
		if !assert.NoError(p.t, err) {
			_ = client.Close()
			continue
		}
		p.join(&proxyLink{client: client, server: server, ended: make(chan struct{})})
	}
}

func (p *proxy) join(l *proxyLink) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		l.close()
		return
	}
	p.links = append(p.links, l)
	p.done.Go(func() { p.carry(l.server, l.client) }) // its end does not reach the server
	p.done.Go(func() {
		defer close(l.ended)
		p.carry(l.client, l.server)
		_, _ = io.Copy(io.Discard, l.server) // the client may have been the first to end
		_ = l.client.Close()
	})
}

// carry passes on what comes, until either end fails.
func (p *proxy) carry(to io.Writer, from io.Reader) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if p.delay > 0 {
			time.Sleep(rand.N(p.delay))
		}
		if _, failed := to.Write(buffer[:n]); failed != nil || err != nil {
			return
		}
	}
}

func (l *proxyLink) close() {
	_ = l.client.Close()
	_ = l.server.Close()
}

// strand cuts the clients off. They notice at once and come back, and the server does
// not: it goes on talking to nobody. It returns what the server is left with.
func (p *proxy) strand() []*proxyLink {
	p.mu.Lock()
	defer p.mu.Unlock()
	stranded := p.links
	p.links = nil
	for _, l := range stranded {
		_ = l.client.Close()
		p.t.Cleanup(l.close)
	}
	return stranded
}

// cut ends all connections at both ends. What is on its way is lost.
func (p *proxy) cut() {
	for _, l := range p.strand() {
		l.close()
	}
}

// awaitEnd waits until the server has given the connection up.
func (l *proxyLink) awaitEnd(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool {
		select {
		case <-l.ended:
			return true
		default:
			return false
		}
	}, peers.Timeout, 10*time.Millisecond)
}

func (p *proxy) close() {
	_ = p.listener.Close()
	p.mu.Lock()
	p.closed = true
	for _, l := range p.links {
		l.close()
	}
	p.mu.Unlock()
	p.done.Wait()
}
