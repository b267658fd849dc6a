package ywebsocket

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPipe_CarriesMessagesAndTheReasonOfItsEnd(t *testing.T) {
	a, b := Pipe()
	sent := make(chan error, 1)
	go func() { sent <- a.WriteMessage([]byte("hello")) }()
	message, err := b.ReadMessage()
	require.NoError(t, err)
	require.NoError(t, <-sent)
	assert.Equal(t, "hello", string(message))

	require.NoError(t, b.Close(4403, "not yours"))
	require.NoError(t, a.Close(CloseNormal, ""), "only the first counts")
	_, err = a.ReadMessage()
	require.ErrorIs(t, err, ErrPermanent)
	require.Equal(t, &CloseError{Code: 4403, Reason: "not yours"}, err)
	require.Equal(t, err, a.WriteMessage(nil))
	_, err = b.ReadMessage()
	require.ErrorIs(t, err, errConnClosed)
}

func TestPipe_WaitsForTheOtherEndButNotForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := Pipe()
		start := time.Now()
		for range pipeRoom {
			require.NoError(t, a.WriteMessage([]byte("hello")))
		}
		require.ErrorIs(t, a.WriteMessage([]byte("one too many")), errPipeStuck)
		assert.Equal(t, pipeTimeout, time.Since(start))
		require.ErrorIs(t, a.WriteMessage([]byte("again")), errConnClosed)
		for range pipeRoom {
			message, err := b.ReadMessage()
			require.NoError(t, err, "what was written before the end is delivered")
			assert.Equal(t, "hello", string(message))
		}
		_, err := b.ReadMessage()
		var reason *CloseError
		require.ErrorAs(t, err, &reason)
		assert.Equal(t, CloseTryAgainLater, reason.Code)
	})
}

func TestCloseError_OnlyTheBandIsPermanent(t *testing.T) {
	for code := range CloseCode(5000) {
		assert.Equal(t, code >= 4400 && code < 4500, (&CloseError{Code: code}).Is(ErrPermanent), "code %d", code)
	}
}
