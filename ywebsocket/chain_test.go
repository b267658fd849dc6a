package ywebsocket

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// Clients of two servers edit one document and see each other, whoever comes first.
func TestServer_Chain(t *testing.T) {
	_, upstream := serve(t, Options{})
	s, url := serve(t, Options{})
	above, _ := join(t, upstream+"shared")
	above.sendUpdate(insert(1, 0, "above"))
	above.expectUpdate()

	chain, err := s.Chain("room", ProviderOptions{URL: upstream[:len(upstream)-1], Room: "shared"})
	require.NoError(t, err)
	defer chain.Close()
	require.NoError(t, chain.Upstream().Synced(withPatience(t)))

	e := open(t, url)
	e.expectText("above")
	below, _ := join(t, url+"room")

	update := insert(2, 0, "below")
	below.sendUpdate(update)
	assert.Equal(t, update, above.expectUpdate())
	below.sendAwareness(state(7, 1, `"Ada"`))
	assert.Equal(t, []protocol.AwarenessEntry{state(7, 1, `"Ada"`)}, above.expectAwareness())
	above.sendAwareness(state(8, 1, `"Grace"`))
	require.Eventually(t, func() bool { grace, _ := e.Awareness().State(8); return grace == "Grace" }, patience, testTick)
	above.expectSilence() // nothing goes round
}

func TestServer_ChainRefusals(t *testing.T) {
	s, _ := serve(t, Options{})
	_, err := s.Chain("", ProviderOptions{URL: "ws://example.com"})
	require.Error(t, err)
	_, err = s.Chain("room", ProviderOptions{URL: "http://example.com"})
	require.ErrorContains(t, err, "ws://")
}
