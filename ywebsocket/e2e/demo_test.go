package e2e_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/internal/peers"
)

func TestDemo(t *testing.T) {
	server := startServer(t)
	browser := peers.StartBrowser(t)

	t.Run("two people", func(t *testing.T) {
		ada, grace := join(t, browser, server.room("pair"), "Ada"), join(t, browser, server.room("pair"), "Grace")
		require.NoError(t, ada.Type("Good morning", 0))
		grace.Until(`demo.text === "Good morning"`)
		grace.Press("Control+End")
		require.NoError(t, grace.Type(", Ada", 0))
		ada.Until(`demo.text === "Good morning, Ada"`)
		ada.AwaitText(".cm-content", ", Ada")

		ada.AwaitText("#people", "Grace")
		ada.AwaitText(".flag", "Grace")
		grace.AwaitText(".flag", "Ada")
		ada.AwaitText("#status-text", "Saved")
		grace.AwaitText("#status-text", "Saved")

		// Each takes back what is one's own.
		ada.Press("Control+z")
		grace.Until(`demo.text === ", Ada"`)
		ada.Press("Control+y")
		grace.Until(`demo.text === "Good morning, Ada"`)

		// A new name shows at once, in the list and at the cursor.
		grace.Fill("#name", "Amazing Grace")
		ada.AwaitText("#people", "Amazing Grace")
		ada.AwaitText(".flag", "Amazing Grace")

		grace.Close()
		ada.Until(`!document.querySelector("#people").textContent.includes("Grace")`)
		ada.Until(`document.querySelector(".flag") === null`)
		ada.RequireNoProblems()
	})

	t.Run("a name is remembered", func(t *testing.T) {
		window := join(t, browser, server.room("name"), "Ada")
		window.Evaluate("location.reload()", nil)
		window.Until(`window.demo?.synced && document.querySelector("#name").value === "Ada"`)
	})

	t.Run("the room can be changed", func(t *testing.T) {
		window := join(t, browser, server.room("first room"), "Ada")
		require.NoError(t, window.Type("only here", 0))
		window.AwaitText("#status-text", "Saved")

		window.Fill("#room", "second")
		window.Until(`new URLSearchParams(location.search).get("room") === "second" && window.demo?.synced`)
		var text, address string
		window.Evaluate("demo.text", &text)
		assert.Empty(t, text)

		window.Fill("#room", "first room")
		window.Until(`window.demo?.text === "only here"`)
		window.Evaluate("location.href", &address)
		parsed, err := url.Parse(address)
		require.NoError(t, err)
		assert.Equal(t, "first-room", parsed.Query().Get("room"), "a link is easy to read aloud")
	})

	t.Run("the bare address is one room", func(t *testing.T) {
		ada, grace := join(t, browser, server.page("/"), "Ada"), join(t, browser, server.page("/"), "Grace")
		require.NoError(t, ada.Type("Hello", 0))
		grace.Until(`demo.text === "Hello"`)
	})

	t.Run("the server ends the session", func(t *testing.T) {
		window := join(t, browser, server.room("ended"), "Ada")
		window.Evaluate(`{
			const send = WebSocket.prototype.send
			WebSocket.prototype.send = function () { send.call(this, Uint8Array.of(0, 9)) }
		}`, nil)
		require.NoError(t, window.Type("x", 0))
		window.AwaitText("#status-text", "Ended")
		window.AwaitText("#notice:not([hidden])", "The server has ended this session")
		window.AwaitText("#notice", "Your text is still in this window")
		window.AwaitText(".cm-content", "x")
	})

	t.Run("nonsense of others does no harm", func(t *testing.T) {
		window := join(t, browser, server.room("nonsense"), "Ada")
		other := peers.StartYjs(t, 1).Connect(t, server.websocket(), "nonsense", nil)
		for _, state := range []any{
			object{"user": 7, "cursor": "x"},
			object{"cursor": object{"anchor": 1, "head": object{"item": "x"}}},
			object{"user": object{"name": "<b>Eve</b>", "color": "red;position:fixed"}},
		} {
			other.SetState(state)
		}
		window.AwaitText("#people", "<b>Eve</b>")
		require.NoError(t, window.Type("still alive", 0))
		other.Await(peers.Text("content"), "still alive")
		window.RequireNoProblems()
	})
}

func TestDemo_ServerUnreachable(t *testing.T) {
	server := startServer(t)
	window := join(t, peers.StartBrowser(t), server.room("offline"), "Ada")
	server.kill()
	window.AwaitText("#notice:not([hidden])", "You can go on typing")

	require.NoError(t, window.Type("written offline", time.Millisecond))
	window.AwaitText("#status-text", "not saved")
	var saved int
	window.Evaluate("demo.saved", &saved)
	assert.Zero(t, saved)

	server.start()
	window.AwaitText("#status-text", "Saved")
	window.Until(`document.querySelector("#notice").hidden && demo.saved === demo.edits`)
	window.RequireNoProblems()
}
