package ywebsocket

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/yrs-go/yrs/ycrdt/protocol"
)

func TestServer_JoinSyncBroadcast(t *testing.T) {
	_, url := serve(t, Options{})
	a, state := join(t, url+"room")
	assert.Equal(t, []byte{0, 0}, state, "a new room is empty")
	b, _ := join(t, url+"room")

	update := insert(1, 0, "hello")
	a.sendUpdate(update)
	assert.Equal(t, "hello", textOf(t, b.expectUpdate()))
	assert.Equal(t, update, a.expectUpdate(), "the sender gets its own back")

	_, state = join(t, url+"room")
	assert.Equal(t, "hello", textOf(t, state), "a late joiner gets everything")
	a.expectSilence()
	b.expectSilence()
}

func TestServer_SyncStep2IsBroadcast(t *testing.T) {
	_, url := serve(t, Options{})
	stays, _ := join(t, url+"room")
	returns, _ := join(t, url+"room")
	update := insert(1, 0, "written offline")
	returns.send(protocol.AppendSyncStep2(nil, update))
	assert.Equal(t, "written offline", textOf(t, stays.expectUpdate()))
	assert.Equal(t, update, returns.expectUpdate(), "and confirmed to its sender")
}
