package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/yrs-go/yrs/internal/peers"
	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// attack is what a hostile client does. Everything is prepared, so that the crowd takes little of the processors.
type attack struct {
	name string
	// raw is sent instead of a request.
	raw []byte
	// sent follows the request, and slowly what comes byte by byte after it.
	sent, slowly []byte
	// stays is when the client gives up waiting for the server to end the connection.
	stays time.Duration
}

// attacks returns them in the order in which they come, again and again.
func attacks(t *testing.T) []attack {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 300)
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	binary := func(payload ...byte) []byte { return maskedFrame(ws.OpBinary, payload) }
	const short, long = time.Second, 10 * time.Second
	kinds := [][]attack{
		{
			{name: "noise for a frame", sent: noise, stays: short},
			{name: "noise for a message", sent: binary(noise...), stays: short},
			{name: "noise for a request", raw: noise, stays: long},
		},
		{
			{name: "a state vector of 2^29 clients", sent: binary(0, 0, 5, 0x80, 0x80, 0x80, 0x80, 0x02), stays: short},
			{name: "an update of 2^27 clients", sent: binary(0, 2, 5, 0x80, 0x80, 0x80, 0x40, 0), stays: short},
			{name: "awareness of 2^32 clients", sent: binary(1, 6, 0xff, 0xff, 0xff, 0xff, 0x0f, 0), stays: short},
		},
		{
			{name: "a frame of 64 GiB", sent: frameHeader(64 << 30), stays: short},
			{name: "a frame of 32 MiB that does not come", sent: frameHeader(32 << 20), stays: short},
		},
		{
			{name: "half a handshake", raw: []byte(strings.TrimSuffix(upgradeRequest, "\r\n")), stays: long},
			{name: "no handshake", raw: []byte{}, stays: long},
		},
		{
			{name: "a block of length 0", sent: binary(append([]byte{0, 2}, lengthZero...)...), stays: short},
			{name: "a client twice", sent: binary(append([]byte{0, 2}, clientTwice...)...), stays: short},
			{name: "an update that is cut off", sent: binary(0, 2, 9, 1), stays: short},
		},
		hostileUpdates(t),
		{awarenessFlood(random)},
		{
			{name: "a slow header", slowly: frameHeader(1 << 20), stays: short},
			{name: "a slow message", sent: frameHeader(1 << 20), slowly: noise, stays: short},
		},
	}
	longest := 0
	for _, kind := range kinds {
		longest = max(longest, len(kind))
	}
	var all []attack
	for i := range longest {
		for _, kind := range kinds {
			all = append(all, kind[i%len(kind)])
		}
	}
	return all
}

// hostileUpdates are sequences of updates that are well-formed but wrong.
func hostileUpdates(t *testing.T) (all []attack) {
	t.Helper()
	const largest = 16 << 10 // few are larger, and it takes long to read them
	output, err := exec.Command("go", "run", "github.com/yrs-go/yrs/ycrdt/internal/hostile/sequences", "500").Output()
	require.NoError(t, err)
	var sequences [][][]byte
	require.NoError(t, json.Unmarshal(output, &sequences))
	for seed, updates := range sequences {
		var sent []byte
		for _, update := range updates {
			sent = append(sent, maskedFrame(ws.OpBinary, protocol.AppendUpdate(nil, update))...)
		}
		if len(sent) <= largest {
			all = append(all, attack{name: fmt.Sprint("hostile updates ", seed), sent: sent, stays: 100 * time.Millisecond})
		}
	}
	return all
}

// awarenessFlood brings a thousand clients, and changes the states of some of them.
func awarenessFlood(random *rand.Rand) attack {
	flood := attack{name: "awareness flood", stays: 100 * time.Millisecond}
	for clock := range uint64(5) {
		entries := make([]protocol.AwarenessEntry, 1000/(1+4*clock))
		for i := range entries {
			entries[i] = protocol.AwarenessEntry{ClientID: uint64(i + 1), Clock: clock + 1, State: json.RawMessage(fmt.Sprint(random.Uint32()))}
		}
		message := protocol.AppendAwareness(nil, protocol.AppendAwarenessUpdate(nil, entries...))
		flood.sent = append(flood.sent, maskedFrame(ws.OpBinary, message)...)
	}
	return flood
}

// intruders are connections that are opened at a steady rate, each with the next attack.
type intruders struct {
	address  string
	attacks  []attack
	requests [][]byte // to the rooms that they go to
	clients  errgroup.Group
	opened   int
	stop     context.CancelFunc
	stopped  chan struct{}
}

// intrude begins to open connections. Every tenth goes to the room, and the others to many others.
func intrude(t *testing.T, server *yserver, room string, perSecond int) *intruders {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	c := &intruders{address: server.address, attacks: attacks(t), stop: cancel, stopped: make(chan struct{})}
	for i := range 101 { // and so every attack comes to every room
		name := room
		if i%10 > 0 {
			name = fmt.Sprint("crowd-", i)
		}
		c.requests = append(c.requests, []byte(strings.Replace(upgradeRequest, "/half-open", "/"+name, 1)))
	}
	go c.run(ctx, perSecond)
	t.Cleanup(func() { _ = c.end() })
	return c
}

// run opens in each tick what is due, however late the tick is.
func (c *intruders) run(ctx context.Context, perSecond int) {
	defer close(c.stopped)
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for start := time.Now(); ; {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			for due := int(now.Sub(start).Seconds() * float64(perSecond)); c.opened < due; c.opened++ {
				what, request := c.attacks[c.opened%len(c.attacks)], c.requests[c.opened%len(c.requests)]
				c.clients.Go(func() error { return c.attack(what, request) })
			}
		}
	}
}

// end stops opening connections and waits for the last one.
func (c *intruders) end() error {
	c.stop()
	<-c.stopped
	return c.clients.Wait()
}

// attack opens a connection and keeps it until the server ends it or the client has had enough. It fails if the server
// cannot be reached.
func (c *intruders) attack(what attack, request []byte) error {
	conn, err := net.DialTimeout("tcp", c.address, peers.Timeout)
	if err != nil {
		return fmt.Errorf("%s: %w", what.name, err)
	}
	defer conn.Close()
	if err := errors.Join(conn.(*net.TCPConn).SetLinger(0), conn.SetDeadline(time.Now().Add(what.stays))); err != nil {
		return err
	}
	if what.raw != nil {
		request = what.raw
	}
	if _, err := (&net.Buffers{request, what.sent}).WriteTo(conn); err != nil {
		return nil // the server has ended it
	}
	for i := range what.slowly {
		if _, err := conn.Write(what.slowly[i : i+1]); err != nil {
			return nil
		}
		if err := conn.SetReadDeadline(time.Now().Add(what.stays / 10)); err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, conn); !errors.Is(err, os.ErrDeadlineExceeded) {
			return nil
		}
	}
	_, _ = io.Copy(io.Discard, conn)
	return nil
}
