package ywebsocket

import (
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// identifyByQuery takes the user from the query.
func identifyByQuery(r *http.Request) (Identity, error) {
	user := r.URL.Query().Get("user")
	if user == "mallory" {
		return Identity{}, errors.New("mallory is not welcome")
	}
	return Identity{User: user}, nil
}

func TestServer_Identify(t *testing.T) {
	_, url := serve(t, Options{Identify: identifyByQuery})
	status, text := refused(t, url+"room?user=mallory", nil)
	assert.Equal(t, http.StatusForbidden, status)
	assert.Contains(t, text, "mallory is not welcome")

	witness, _ := join(t, url+"room")
	old, _ := join(t, url+"room?user=ada")
	old.sendAwareness(state(1, 1, `{}`))
	assert.Equal(t, []protocol.AwarenessEntry{state(1, 1, `{}`)}, witness.expectAwareness())

	for i, query := range []string{"", "?user=eve"} {
		clock := uint64(i + 1)
		eve, _ := join(t, url+"room"+query)
		eve.sendAwareness(state(1, 2, `"fake"`), gone(1, 3))
		eve.sendAwareness(state(2, clock, `{}`))
		assert.Equal(t, []protocol.AwarenessEntry{state(2, clock, `{}`)}, witness.expectAwareness())
		require.NoError(t, eve.conn.Close())
		assert.Equal(t, []protocol.AwarenessEntry{gone(2, clock)}, witness.expectAwareness())
	}

	renewed, _ := join(t, url+"room?user=ada")
	renewed.sendAwareness(state(1, 2, `"new"`))
	assert.Equal(t, []protocol.AwarenessEntry{state(1, 2, `"new"`)}, witness.expectAwareness())
	old.sendAwareness(state(9, 1, `{}`))
	witness.expectAwareness()
	require.NoError(t, old.conn.Close())
	assert.Equal(t, []protocol.AwarenessEntry{gone(9, 1)}, witness.expectAwareness(), "client 1 stays")
}
