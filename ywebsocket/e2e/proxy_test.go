package e2e_test

import (
	"io"
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
func startProxy(t *testing.T, server string) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &proxy{t: t, listener: listener, server: strings.TrimPrefix(server, "ws://")}
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
	p.done.Go(func() { _, _ = io.Copy(l.server, l.client) }) // its end does not reach the server
	p.done.Go(func() {
		defer close(l.ended)
		_, _ = io.Copy(l.client, l.server)
		_, _ = io.Copy(io.Discard, l.server) // the client may have been the first to end
		_ = l.client.Close()
	})
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
