package ywebsocket

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/yrs-go/yrs/ywebsocket/store"
)

// Options configure a [Server]. The zero value serves rooms from memory, named
// by the URL path, to pages of the same origin on loopback names.
type Options struct {
	// Store keeps the documents. The server does not close it. Nil means a new
	// [store.Memory]: what was written lasts as long as the server.
	Store store.Store

	// RoomName names the room that a request is for. An error refuses the request
	// with status 400 and its text. Nil means [RoomFromPath]. Names are valid
	// UTF-8 without NUL, not empty, at most Limits.RoomName bytes long.
	RoomName func(*http.Request) (string, error)

	// AllowedOrigins lists the origins of pages that may connect, besides the
	// server's own: "https://example.com", "https://*.example.com" (any subdomain,
	// not example.com itself), with a port if it is not the scheme's own or ":*"
	// for any port, "null" for pages without an origin such as local files, "*"
	// for every page. A request without an Origin header does not come from a
	// browser and is let through.
	AllowedOrigins []string

	// AllowedHosts lists the names under which the server is reached, besides
	// localhost, its subdomains and IP addresses: "example.com",
	// "*.example.com", "*" for every name. Names in a Host header are compared
	// without the port. This keeps a page whose own name was made to resolve to
	// the server's address (DNS rebinding) from passing for one of the same origin.
	AllowedHosts []string

	// EchoBeforeCommit sends an update back to its sender as soon as it is applied.
	// By default that waits until the store has committed the update, so that a
	// client that sees its update return knows it is saved.
	EchoBeforeCommit bool

	// Limits bound what clients can make the server hold.
	Limits Limits

	// Timeouts bound how long it waits.
	Timeouts Timeouts

	// Logger receives what an operator should know. Nil means [slog.Default].
	Logger *slog.Logger
}

// Limits bound what clients can make a [Server] hold. Zero means the default.
type Limits struct {
	// Connections at once; further ones are refused with status 503. Default
	// 10,000.
	Connections int
	// Rooms in memory at once; further ones are refused with status 503. Default
	// 10,000.
	Rooms int
	// RoomName is the length of a room name in bytes. Default 512.
	RoomName int
	// Message is the length of a message in bytes, all its fragments together.
	// Longer ones end the connection with [CloseTooBig]. Default 32 MiB.
	Message int
	// Fragments is the number of frames of one message. Default 100,000.
	Fragments int
	// Queue is the length in bytes of the broadcasts that wait for a slow client.
	// When it is full, awareness is reduced to the latest state and updates are
	// merged; if that does not halve it, the connection ends with
	// [CloseTryAgainLater]. It applies to the answers to the client's own messages
	// too: at this length no further message of the client is read. Default 4 MiB.
	Queue int
	// Unsaved is the length in bytes of the updates of a room that wait for the
	// store. At this length no further update is read. Default 16 MiB.
	Unsaved int
}

// Timeouts bound how long a [Server] waits. Zero means the default.
type Timeouts struct {
	// Handshake is for writing the answer to the request. The time for reading the
	// request is the business of http.Server.ReadHeaderTimeout. Default 10 s.
	Handshake time.Duration
	// Load is for reading a room from the store. Default 30 s.
	Load time.Duration
	// KeepAlive is the silence after which an empty awareness message is sent.
	// y-websocket reconnects after 30 s without a message. Default 20 s.
	KeepAlive time.Duration
	// Ping is how long a client may be silent before it is pinged. Default 30 s.
	Ping time.Duration
	// Pong is how long a client may leave a ping unanswered before the connection
	// ends with [CloseGoingAway]. Default 30 s.
	Pong time.Duration
	// Write is for handing the network the next 64 KiB. Default 20 s.
	Write time.Duration
	// Close is for the closing handshake. Default 5 s.
	Close time.Duration
	// Save is how long a client's next update waits for the store when the room has
	// reached Limits.Unsaved, before the connection ends with [CloseTryAgainLater].
	// Default 30 s.
	Save time.Duration
	// Idle is how long a room that everybody has left stays in memory. Default
	// 30 s.
	Idle time.Duration
	// Awareness is how long the awareness state of a client counts without being
	// renewed; y-protocols clients renew it every 15 s. Default 30 s.
	Awareness time.Duration
}

// withDefaults returns the options with every zero replaced, and an error for
// what makes no sense.
func (o Options) withDefaults() (Options, error) {
	if o.Store == nil {
		o.Store = store.NewMemory()
	}
	if o.RoomName == nil {
		o.RoomName = RoomFromPath
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	l, t := &o.Limits, &o.Timeouts
	err := errors.Join(
		setDefault("Limits.Connections", &l.Connections, 10_000),
		setDefault("Limits.Rooms", &l.Rooms, 10_000),
		setDefault("Limits.RoomName", &l.RoomName, 512),
		setDefault("Limits.Message", &l.Message, 32<<20),
		setDefault("Limits.Fragments", &l.Fragments, 100_000),
		setDefault("Limits.Queue", &l.Queue, 4<<20),
		setDefault("Limits.Unsaved", &l.Unsaved, 16<<20),
		setDefault("Timeouts.Handshake", &t.Handshake, 10*time.Second),
		setDefault("Timeouts.Load", &t.Load, 30*time.Second),
		setDefault("Timeouts.KeepAlive", &t.KeepAlive, 20*time.Second),
		setDefault("Timeouts.Ping", &t.Ping, 30*time.Second),
		setDefault("Timeouts.Pong", &t.Pong, 30*time.Second),
		setDefault("Timeouts.Write", &t.Write, 20*time.Second),
		setDefault("Timeouts.Close", &t.Close, 5*time.Second),
		setDefault("Timeouts.Save", &t.Save, 30*time.Second),
		setDefault("Timeouts.Idle", &t.Idle, 30*time.Second),
		setDefault("Timeouts.Awareness", &t.Awareness, 30*time.Second),
	)
	return o, err
}

func setDefault[T int | time.Duration](name string, value *T, otherwise T) error {
	if *value < 0 {
		return fmt.Errorf("ywebsocket: %s is negative; leave it zero for the default", name)
	}
	if *value == 0 {
		*value = otherwise
	}
	return nil
}
