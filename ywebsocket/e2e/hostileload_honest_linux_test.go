package e2e_test

import (
	"bufio"
	"context"
	varint "encoding/binary" // the package has a function binary
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/yrs-go/yrs/internal/peers"
	"github.com/yrs-go/yrs/ycrdt"
	"github.com/yrs-go/yrs/ycrdt/protocol"
)

const (
	authors = 20
	// writeInterval is the time between two updates, of which each is by the next author.
	writeInterval = 10 * time.Millisecond
	// firstAuthor is the client id of the first author; nobody else writes under such ids, or to the root.
	firstAuthor = 1 << 44
	authorsRoot = "honest"
)

// newsroom is a room in which authors write and note how long it takes until everybody has what they wrote.
type newsroom struct {
	url     string
	authors []*author
	readers errgroup.Group
	written int // updates, all in all
}

// author is a client that appends characters to a text.
type author struct {
	*newsroom
	client uint64
	conn   net.Conn
	r      *bufio.Reader
	sent   [1 << 14]atomic.Int64 // when each character was sent

	mu       sync.Mutex
	received [authors]uint64 // characters of each author, in order
	latency  latencies
}

// latencies of updates, until their sender knows that they are saved and until another author has them.
type latencies struct{ echo, broadcast []time.Duration }

func openNewsroom(t *testing.T, url string) *newsroom {
	t.Helper()
	n := &newsroom{url: url}
	t.Cleanup(n.close)
	for i := range authors {
		a := &author{newsroom: n, client: uint64(firstAuthor + i)}
		var err error
		a.conn, a.r, _, err = dialRoom(url)
		require.NoError(t, err)
		n.authors = append(n.authors, a)
		n.readers.Go(a.read)
	}
	return n
}

// dialRoom joins a room and returns what it holds.
func dialRoom(url string) (net.Conn, *bufio.Reader, []byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), peers.Timeout)
	defer cancel()
	conn, r, _, err := ws.Dial(ctx, url)
	if err != nil {
		return nil, nil, nil, err
	}
	if r == nil {
		r = bufio.NewReader(conn)
	}
	if _, err := conn.Write(maskedFrame(ws.OpBinary, protocol.AppendSyncStep1(nil, []byte{0}))); err != nil {
		return nil, nil, nil, err
	}
	for {
		frame, err := ws.ReadFrame(r)
		if err != nil {
			return nil, nil, nil, err
		}
		if m, err := protocol.ReadMessage(protocol.NewDecoder(frame.Payload)); err == nil && m.Type == protocol.MessageSync && m.Sync == protocol.SyncStep2 {
			return conn, r, m.Payload, nil
		}
	}
}

func (n *newsroom) close() {
	for _, a := range n.authors {
		_ = a.conn.Close()
	}
	_ = n.readers.Wait()
}

// write has the authors write one after the other, for some time.
func (n *newsroom) write(t *testing.T, duration time.Duration) {
	t.Helper()
	ticker := time.NewTicker(writeInterval)
	defer ticker.Stop()
	for range int(duration / writeInterval) {
		<-ticker.C
		require.NoError(t, n.authors[n.written%authors].write(uint64(n.written/authors)))
		n.written++
	}
}

func (a *author) write(clock uint64) error {
	update := appendCharacter(a.client, clock)
	a.sent[clock].Store(time.Now().UnixNano())
	_, err := a.conn.Write(maskedFrame(ws.OpBinary, protocol.AppendUpdate(nil, update)))
	return err
}

// appendCharacter is the update by which a client appends a character to what it wrote before.
func appendCharacter(client, clock uint64) []byte {
	b := varint.AppendUvarint([]byte{1, 1}, client) // one client with one block
	b = varint.AppendUvarint(b, clock)
	if clock == 0 {
		b = append(b, 0x04, 1) // a string whose parent is a root
		b = append(varint.AppendUvarint(b, uint64(len(authorsRoot))), authorsRoot...)
	} else {
		b = varint.AppendUvarint(append(b, 0x84), client) // a string with an origin on its left
		b = varint.AppendUvarint(b, clock-1)
	}
	return append(b, 1, letterOf(client), 0) // nothing deleted
}

func letterOf(client uint64) byte { return byte('a' + client - firstAuthor) }

// authorOf returns who wrote an update, and the clock, if it is by one of the authors.
func authorOf(update []byte) (author, clock uint64, ok bool) {
	if len(update) < 2 || update[0] != 1 || update[1] != 1 {
		return 0, 0, false
	}
	client, n := varint.Uvarint(update[2:])
	if n <= 0 || client < firstAuthor || client >= firstAuthor+authors {
		return 0, 0, false
	}
	clock, n = varint.Uvarint(update[2+n:])
	return client - firstAuthor, clock, n > 0
}

// read takes in what the server sends until the connection ends. What is lost, late or out of order is an error.
func (a *author) read() error {
	var payload []byte
	for {
		header, err := ws.ReadHeader(a.r)
		if err != nil {
			return err
		}
		payload = slices.Grow(payload[:0], int(header.Length))[:header.Length]
		if _, err := io.ReadFull(a.r, payload); err != nil {
			return err
		}
		switch header.OpCode {
		case ws.OpBinary:
			m, err := protocol.ReadMessage(protocol.NewDecoder(payload))
			if err != nil {
				return err
			}
			if m.Type == protocol.MessageSync && m.Sync == protocol.SyncUpdate {
				a.note(m.Payload)
			}
		case ws.OpClose:
			code, reason := ws.ParseCloseFrameData(payload)
			return fmt.Errorf("an honest client was closed: %d %s", code, reason)
		}
	}
}

// note notes that an update of an author has arrived.
func (a *author) note(update []byte) {
	by, clock, ok := authorOf(update)
	if !ok {
		return
	}
	writer := a.authors[by]
	took := time.Duration(time.Now().UnixNano() - writer.sent[clock].Load())
	a.mu.Lock()
	defer a.mu.Unlock()
	if clock != a.received[by] {
		return // something is missing, and will be
	}
	a.received[by]++
	if writer == a {
		a.latency.echo = append(a.latency.echo, took)
	} else {
		a.latency.broadcast = append(a.latency.broadcast, took)
	}
}

// awaitAll waits until everybody has everything, and returns how long that took each time since the last call.
func (n *newsroom) awaitAll(t *testing.T) (all latencies) {
	t.Helper()
	for i, a := range n.authors {
		require.EventuallyWithT(t, func(t *assert.CollectT) {
			a.mu.Lock()
			defer a.mu.Unlock()
			for by, received := range a.received {
				want := (n.written + authors - 1 - by) / authors
				assert.EqualValues(t, want, received, "author %d has not received what author %d wrote", i, by)
			}
		}, peers.Timeout, 10*time.Millisecond)
		a.mu.Lock()
		all.echo = append(all.echo, a.latency.echo...)
		all.broadcast = append(all.broadcast, a.latency.broadcast...)
		a.latency = latencies{}
		a.mu.Unlock()
	}
	slices.Sort(all.echo)
	slices.Sort(all.broadcast)
	return all
}

// requireComplete makes sure that who joins now gets everything too.
func (n *newsroom) requireComplete(t *testing.T) {
	t.Helper()
	conn, _, update, err := dialRoom(n.url)
	require.NoError(t, err)
	defer conn.Close()
	doc := ycrdt.NewDoc()
	defer doc.Close()
	require.NoError(t, doc.ApplyUpdate(update))
	count := make(map[rune]int)
	require.NoError(t, doc.View(func(tx *ycrdt.Tx) error {
		for _, letter := range tx.Text(authorsRoot).String() {
			count[letter]++
		}
		return nil
	}))
	for by, a := range n.authors {
		assert.Equal(t, (n.written+authors-1-by)/authors, count[rune(letterOf(a.client))], "author %d", by)
	}
}

// p99 is what 99 % of some sorted durations stay below.
func p99(sorted []time.Duration) time.Duration { return sorted[len(sorted)*99/100] }

func (l latencies) String() string {
	return fmt.Sprintf("echo: half below %v, 99 %% below %v; broadcast: half below %v, 99 %% below %v",
		l.echo[len(l.echo)/2].Round(time.Microsecond), p99(l.echo).Round(time.Microsecond),
		l.broadcast[len(l.broadcast)/2].Round(time.Microsecond), p99(l.broadcast).Round(time.Microsecond))
}
