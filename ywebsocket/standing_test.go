package ywebsocket

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
	"github.com/yrs-go/yrs/ycrdt/protocol"
	"github.com/yrs-go/yrs/ywebsocket/store"
)

// What was on its way during an outage builds on what was refused: it counts with the answer to the question.
func TestRoom_TakesNothingBeforeTheAnswer(t *testing.T) {
	broken := &brokenStore{Store: store.NewMemory()}
	_, url := serve(t, Options{Store: broken})
	writer, _ := join(t, url+"room")
	witness, _ := join(t, url+"room")
	broken.brokenAppend.Store(true)
	writer.sendUpdate(one)
	writer.expectDenied()
	writer.sendUpdate(two)
	writer.send(protocol.AppendSyncStep1(nil, []byte{0}))
	writer.expectSync(protocol.SyncStep2) // behind what was refused
	broken.brokenAppend.Store(false)
	assert.Equal(t, one, writer.expectUpdate())
	writer.expectSync(protocol.SyncStep1)

	writer.sendUpdate(emptyUpdate)
	writer.sendUpdate(three)
	writer.sendUpdate(emptyUpdate)
	writer.expectSilence()
	answer := merged(t, two, three)
	writer.send(protocol.AppendSyncStep2(nil, answer))
	assert.Equal(t, answer, writer.expectUpdate())
	assert.Equal(t, [][]byte{one, answer}, stored(t, broken, "room"))
	writer.expectSilence()
	writer.sendUpdate(emptyUpdate)
	assert.Equal(t, emptyUpdate, writer.expectUpdate())
	assert.Equal(t, one, witness.expectUpdate())
	witness.expectSync(protocol.SyncStep1)
	assert.Equal(t, answer, witness.expectUpdate())
}

// A question would allow what is denied.
func TestRoom_AsksNobodyWhileItIsReadOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, Options{Timeouts: patient})
		c := servePipe(t, s, "room")
		asked := 0
		c.listen(func([]byte) { asked++ })
		c.sendUpdate(two)
		synctest.Wait()
		require.Equal(t, 1, asked)
		c.sendUpdate(three) // leads to a question in a second
		synctest.Wait()
		r, err := s.registry.hold("room")
		require.NoError(t, err)
		defer s.registry.release(r)
		r.becomeReadOnly()
		r.askAuthors(t.Context(), r.document)
		time.Sleep(time.Hour)
		synctest.Wait()
		assert.Equal(t, 1, asked)
		r.becomeWritable()
		synctest.Wait()
		assert.Equal(t, 2, asked)
	})
}

// heldUp lets messages about the document arrive one by one once it is told to.
type heldUp struct {
	Conn
	slow chan struct{} // closed: from now on
	way  chan []byte
}

func (c *heldUp) WriteMessage(message []byte) error {
	if message[0] != byte(protocol.MessageSync) {
		return c.Conn.WriteMessage(message)
	}
	select {
	case <-c.slow:
		c.way <- message
		return nil
	default:
		return c.Conn.WriteMessage(message)
	}
}

// A receipt that was asked for before an outage says nothing of what was refused in it.
func TestProvider_ReceiptFromBeforeAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := &brokenStore{Store: store.NewMemory()}
		s := newTestServer(t, Options{Store: broken})
		line := &heldUp{slow: make(chan struct{}), way: make(chan []byte, 10)}
		e := online(t, ProviderOptions{Dial: func(context.Context) (conn Conn, err error) {
			line.Conn, err = s.dialRoom("room")
			return line, err
		}})
		arrive := func() {
			assert.NoError(t, line.Conn.WriteMessage(<-line.way))
			synctest.Wait()
		}
		require.NoError(t, e.Synced(t.Context()))
		e.write("a")
		require.NoError(t, e.Saved(t.Context()))
		close(line.slow)
		e.write("b")
		synctest.Wait()
		require.Len(t, line.way, 2, "the update, and the question for a receipt")

		broken.brokenAppend.Store(true)
		other := online(t, ProviderOptions{Dial: toServer(s)})
		require.NoError(t, other.Synced(t.Context()))
		require.NoError(t, other.doc.Transact(func(tx *ycrdt.Tx) error { return tx.Map("m").Set("k", 1) }))
		time.Sleep(time.Second)
		require.NotEmpty(t, e.State().Denied)
		arrive() // and is refused
		broken.brokenAppend.Store(false)
		time.Sleep(2 * lastRetry)
		require.Empty(t, e.State().Denied)

		require.Len(t, line.way, 3, "the old question, the answer, and a new question")
		arrive()
		assert.Equal(t, 1, e.State().Unsynced)
		arrive()
		arrive()
		require.NoError(t, e.Saved(t.Context()))
		assert.Equal(t, "ab", textOf(t, stored(t, broken, "room")...))
	})
}

// An update that says nothing is returned when all that its sender has sent is stored.
func TestRoom_WithholdsReceipts(t *testing.T) {
	receipts := func(c *client, n int) {
		for range n {
			assert.Equal(t, emptyUpdate, c.expectUpdate())
		}
		c.expectSilence()
	}
	held := func(t *testing.T) (author *client, url string) {
		_, url = serve(t, Options{})
		author, _ = join(t, url+"room")
		author.sendUpdate(two)
		author.expectSync(protocol.SyncStep1)
		author.sendUpdate(emptyUpdate)
		author.sendUpdate(emptyUpdate)
		author.expectSilence()
		return author, url
	}
	t.Run("until its author brings the rest", func(t *testing.T) {
		author, url := held(t)
		stuck, _ := join(t, url+"room")
		stuck.sendUpdate(insert(2, 1, "of somebody else"))
		stuck.expectSync(protocol.SyncStep1)
		answer := merged(t, one, two)
		author.send(protocol.AppendSyncStep2(nil, answer))
		assert.Equal(t, answer, author.expectUpdate(), "though something of another one is held")
		receipts(author, 2)
	})
	t.Run("until somebody else brings the rest", func(t *testing.T) {
		author, url := held(t)
		helper, _ := join(t, url+"room")
		helper.sendUpdate(one)
		assert.Equal(t, "onetwo", textOf(t, author.expectUpdate()))
		receipts(author, 2)
	})
	t.Run("but not for ever more", func(t *testing.T) {
		author, _ := held(t)
		for range 2 * maxWithheld {
			author.sendUpdate(emptyUpdate)
		}
		author.sendUpdate(one)
		assert.Equal(t, "onetwo", textOf(t, author.expectUpdate()))
		assert.Equal(t, one, author.expectUpdate())
		receipts(author, maxWithheld)
	})
}

// What was held back is gone with a document: its author is asked, and has to answer first.
func TestRoom_WithholdsReceiptsOfWhatIsLost(t *testing.T) {
	s, url := serve(t, Options{})
	author, _ := join(t, url+"room")
	author.sendUpdate(two)
	author.expectSync(protocol.SyncStep1)
	r, err := s.registry.hold("room")
	require.NoError(t, err)
	defer s.registry.release(r)
	r.documentMu.RLock()
	r.askAuthors(t.Context(), r.document)
	r.documentMu.RUnlock()
	author.expectSync(protocol.SyncStep1)
	author.sendUpdate(emptyUpdate)
	author.expectSilence()
	answer := merged(t, one, two)
	author.send(protocol.AppendSyncStep2(nil, answer))
	assert.Equal(t, "onetwo", textOf(t, author.expectUpdate()))
	assert.Equal(t, emptyUpdate, author.expectUpdate())
	author.expectSilence()
}
