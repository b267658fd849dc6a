package ywebsocket

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/internal/postgres"
	"github.com/yrs-go/yrs/ycrdt"
	"github.com/yrs-go/yrs/ycrdt/protocol"
	"github.com/yrs-go/yrs/ywebsocket/store"
	pgstore "github.com/yrs-go/yrs/ywebsocket/store/postgres"
)

// typed returns the updates of somebody who types n characters.
func typed(b *testing.B, n int) (updates [][]byte) {
	doc := ycrdt.NewDoc()
	defer doc.Close()
	doc.OnUpdate(func(event ycrdt.UpdateEvent) { updates = append(updates, event.Update) })
	for i := range n {
		require.NoError(b, doc.Transact(func(tx *ycrdt.Tx) error { return tx.Text("t").Insert(i, "x") }))
	}
	return updates
}

// What a provider costs for an update that comes in, beside ApplyUpdate alone: compare the two.
func BenchmarkRemoteUpdate(b *testing.B) {
	const n = 20_000
	updates := typed(b, n)
	perUpdate := func(b *testing.B) { b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/update") }
	b.Run("ApplyUpdate", func(b *testing.B) {
		for b.Loop() {
			doc := ycrdt.NewDoc()
			for _, update := range updates {
				require.NoError(b, doc.ApplyUpdate(update))
			}
			b.StopTimer()
			require.NoError(b, doc.Close())
			b.StartTimer()
		}
		perUpdate(b)
	})
	b.Run("Provider", func(b *testing.B) {
		messages := make([][]byte, n)
		for i, update := range updates {
			messages[i] = protocol.AppendUpdate(nil, update)
		}
		for b.Loop() {
			b.StopTimer()
			ours, theirs := Pipe()
			doc := ycrdt.NewDoc()
			p, err := NewProvider(doc, ProviderOptions{
				Dial:   func(context.Context) (Conn, error) { return ours, nil },
				Logger: slog.New(slog.DiscardHandler),
			})
			require.NoError(b, err)
			answered := make(chan struct{})
			go swallow(theirs, func(m protocol.Message) {
				if m.Type == protocol.MessageSync && m.Sync == protocol.SyncStep2 {
					close(answered)
				}
			})
			p.Connect()
			b.StartTimer()
			for _, message := range messages {
				require.NoError(b, theirs.WriteMessage(message))
			}
			require.NoError(b, theirs.WriteMessage(protocol.AppendSyncStep1(nil, []byte{0})))
			<-answered // behind the updates
			b.StopTimer()
			p.Close()
			require.NoError(b, doc.Close())
			b.StartTimer()
		}
		perUpdate(b)
	})
}

const echoWriters = 64

// What comes back to 64 writers once PostgreSQL has it, beside what the store commits for as many alone, and how long
// it takes when they write 1,000 updates a second together.
func BenchmarkEcho_PostgreSQL(b *testing.B) {
	database, err := postgres.Start(b.Context())
	require.NoError(b, err)
	defer database.Close()
	open := func(schema string) store.Store {
		s, err := pgstore.Open(b.Context(), database.URL(), pgstore.Options{Schema: schema})
		require.NoError(b, err)
		return s
	}
	b.Run("the store alone", func(b *testing.B) {
		s := open("alone")
		defer s.Close()
		divide(b, func(writer, n int) {
			for clock := range n {
				assert.NoError(b, s.Append(b.Context(), fmt.Sprint(writer), insert(1, uint64(clock), "x")))
			}
		})
	})
	b.Run("echo", func(b *testing.B) {
		clients, end := echoClients(b, open("echo"))
		defer end()
		b.ResetTimer()
		divide(b, func(writer, n int) {
			for clock := range n {
				clients[writer].roundTrip(b, clock)
			}
		})
	})
	b.Run("1,000 updates a second", func(b *testing.B) {
		clients, end := echoClients(b, open("paced"))
		defer end()
		const each = echoWriters * time.Second / 1000
		var mu sync.Mutex
		var took []time.Duration
		b.ResetTimer()
		divide(b, func(writer, n int) {
			next := time.Now().Add(each * time.Duration(writer) / echoWriters)
			for clock := range n {
				time.Sleep(time.Until(next))
				clients[writer].roundTrip(b, clock)
				mu.Lock()
				took = append(took, time.Since(next)) // also what a late answer has delayed
				mu.Unlock()
				next = next.Add(each)
			}
		})
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
		b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	})
}

// roundTrip writes a character and waits until it comes back. It does little else: both ends share the processors.
func (c *client) roundTrip(b *testing.B, clock int) {
	sent := protocol.AppendUpdate(nil, insert(1, uint64(clock), "x"))
	wire, err := ws.CompileFrame(ws.MaskFrameInPlace(ws.NewBinaryFrame(bytes.Clone(sent))))
	if err == nil {
		_, err = c.conn.Write(wire)
	}
	for err == nil {
		var f ws.Frame
		if f, err = ws.ReadFrame(c.r); bytes.Equal(f.Payload, sent) {
			return
		}
	}
	b.Error(err)
}

// divide has 64 goroutines do b.N pieces of work.
func divide(b *testing.B, work func(writer, n int)) {
	var wg sync.WaitGroup
	for writer := range echoWriters {
		wg.Go(func() { work(writer, (b.N+writer)/echoWriters) })
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "updates/s")
}

// echoClients returns a client in each of 64 rooms of a server.
func echoClients(b *testing.B, s store.Store) (clients []*client, end func()) {
	server, err := NewServer(Options{Store: s, Logger: slog.New(slog.DiscardHandler), CompactAfter: -1, Timeouts: hasty})
	require.NoError(b, err)
	web := httptest.NewServer(server)
	for room := range echoWriters {
		c, _ := join(b, strings.Replace(web.URL, "http", "ws", 1)+fmt.Sprintf("/%d", room))
		clients = append(clients, c)
	}
	return clients, func() {
		assert.NoError(b, server.Shutdown(context.Background()))
		web.Close()
		assert.NoError(b, s.Close())
	}
}
