package ywebsocket

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// patient clients are not asked for a sign of life.
var patient = Timeouts{KeepAlive: 1000 * time.Hour, Ping: 1000 * time.Hour}

// listen reads what the client is sent, and hands each question to answer.
func (c *client) listen(answer func(stateVector []byte)) {
	require.NoError(c.t, c.conn.SetReadDeadline(time.Time{}))
	go func() {
		for {
			f, err := ws.ReadFrame(c.r)
			if err != nil {
				return
			}
			m, err := protocol.ReadMessage(protocol.NewDecoder(f.Payload))
			if err == nil && m.Type == protocol.MessageSync && m.Sync == protocol.SyncStep1 {
				answer(m.Payload)
			}
		}
	}()
}

func TestResync_IsLimitedInRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, Options{Timeouts: patient})
		c := servePipe(t, s, "room")
		var asked []time.Duration
		start := time.Now()
		c.listen(func([]byte) { asked = append(asked, time.Since(start)) })

		for i := range uint64(100) {
			c.sendUpdate(insert(1, 1+i, "x"))
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		assert.Equal(t, []time.Duration{0, time.Second}, asked, "at once, and after the last one")

		c.sendUpdate(insert(1, 200, "x"))
		synctest.Wait()
		c.sendUpdate(insert(1, 201, "x"))
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Equal(t, []time.Duration{time.Hour, time.Hour + time.Second}, asked[2:], "after a while it begins anew")
	})
}

// A client whose answers do not help is asked less and less.
func TestResync_OfAClientThatCannotHelp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, Options{Timeouts: patient})
		c := servePipe(t, s, "room")
		asked := 0
		c.listen(func([]byte) {
			asked++
			c.send(protocol.AppendSyncStep2(nil, insert(1, uint64(asked), "x")))
		})
		c.sendUpdate(two)
		time.Sleep(time.Hour)
		synctest.Wait()
		assert.Equal(t, 6+(3600-63)/60+1, asked, "after 1, 2, 4 … seconds, then once a minute")
	})
}

func TestResync_StopsWhenNothingIsHeldAnyMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, Options{Timeouts: patient})
		stuck, helper := servePipe(t, s, "room"), servePipe(t, s, "room")
		asked := 0
		stuck.listen(func([]byte) { asked++ })
		helper.listen(func([]byte) { t.Error("it has never sent anything that was held back") })
		stuck.sendUpdate(two)
		synctest.Wait()
		require.Equal(t, 1, asked)
		stuck.sendUpdate(three) // leads to a question in a second
		synctest.Wait()
		helper.sendUpdate(one)
		time.Sleep(time.Hour)
		synctest.Wait()
		assert.Equal(t, 1, asked, "somebody else has answered it")
	})
}

func TestResync_EndsWithTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, Options{Timeouts: patient})
		c := servePipe(t, s, "room")
		c.listen(func([]byte) {})
		c.sendUpdate(two)
		c.sendUpdate(three)
		synctest.Wait()
		r, err := s.registry.hold("room")
		require.NoError(t, err)
		defer s.registry.release(r)
		require.Len(t, r.heldFrom, 1)
		var connection *conn
		for connection = range r.heldFrom {
		}
		require.NoError(t, c.conn.Close())
		synctest.Wait()
		assert.Empty(t, r.heldFrom)
		assert.False(t, connection.resync.timer.Stop(), "the timer ran on, and kept the connection in memory")
	})
}

func TestRoom_AskAuthors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, Options{Timeouts: patient})
		author, other := servePipe(t, s, "room"), servePipe(t, s, "room")
		r, err := s.registry.hold("room")
		require.NoError(t, err)
		defer s.registry.release(r)
		author.sendUpdate(two)
		author.expectSync(protocol.SyncStep1)
		for range 2 {
			r.askAuthors(t.Context(), r.document)
		}
		author.expectSync(protocol.SyncStep1)
		author.expectSilence()
		other.expectSilence()
	})
}

// What was held back is gone with a document that breaks: its authors are asked
// again, as nobody else knows of it.
func TestResync_AfterTheDocumentWasLoadedAgain(t *testing.T) {
	var last atomic.Pointer[fragile]
	_, url := serve(t, Options{}, fragileLoads(ycrdt.CodeApplyFailed, &last))
	author, _ := join(t, url+"room")
	other, _ := join(t, url+"room")
	author.sendUpdate(two)
	author.expectSync(protocol.SyncStep1)
	last.Load().broken.Store(true)

	update := insert(2, 0, "x")
	other.sendUpdate(update)
	assert.Equal(t, update, other.expectUpdate())
	assert.Equal(t, []byte{0}, author.expectSync(protocol.SyncStep1))
	author.send(protocol.AppendSyncStep2(nil, merged(t, one, two)))
	assert.Equal(t, "onetwo", textOf(t, other.expectUpdate()))
	other.expectSilence()
}
