package ywebsocket

import (
	"net"
	"sync/atomic"
	"time"
)

// activity remembers when something happened last. It is safe for concurrent
// use.
type activity struct {
	start time.Time
	last  atomic.Int64 // since start, in nanoseconds
}

func newActivity() *activity { return &activity{start: time.Now()} }

func (a *activity) now()               { a.last.Store(int64(time.Since(a.start))) }
func (a *activity) ago() time.Duration { return time.Since(a.start) - time.Duration(a.last.Load()) }

// activeConn notes when bytes arrive. It first reads what arrived behind the
// request that opened the connection.
type activeConn struct {
	net.Conn
	early    []byte
	received *activity
}

func (c *activeConn) Read(p []byte) (n int, err error) {
	if len(c.early) > 0 {
		n = copy(p, c.early)
		c.early = c.early[n:]
	} else {
		n, err = c.Conn.Read(p)
	}
	if n > 0 {
		c.received.now()
	}
	return n, err
}

// closeWrite tells the peer that nothing more comes, where the connection can.
func closeWrite(conn net.Conn) {
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // a connection that is gone needs no telling
	}
}
