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

	// Identify says who makes a request, from a session cookie or a token in the
	// query, say. It is called once per connection, before the handshake is answered,
	// after the checks of host, origin and room name, by many goroutines at once. An
	// error refuses the request with status 403 and its text, which a page in a browser
	// does not get to see. Nil means that nobody's identity is known.
	Identify func(*http.Request) (Identity, error)

	// EchoBeforeCommit sends an update back to its sender as soon as it is applied.
	// By default that waits until the store has committed the update, so that a
	// client that sees its update return knows it is saved.
	EchoBeforeCommit bool

	// CompactAfter is the number of updates in a room's log after which they are merged
	// into one, if the Store is a [store.Archive]: when a room with so many is loaded, and
	// whenever so many were added. Content that was deleted is gone then; nothing
	// else is: the log is replaced only after the merged update was loaded and found to
	// hold all of it. Negative means never. Default 1,000.
	CompactAfter int

	// History is how long updates are kept apart all the same, so that the store can
	// tell what the room was in that time; see LoadAt of [store.Archive]. Zero keeps none.
	History time.Duration

	// Quarantine is called with every update that has broken a document, which no
	// update is known to do, so that somebody can look into it; see [QuarantineDir].
	// It may be called by several goroutines at once. Its errors are logged. Nil
	// keeps the latest in memory, where [Server.Quarantined] finds them.
	Quarantine func(QuarantinedUpdate) error

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
	// Rooms in memory at once. A further one takes the place of the one that everybody
	// left first, of those that are empty and stored; if there is none, it is refused
	// with status 503. Default 10,000.
	Rooms int
	// RoomName is the length of a room name in bytes. Default 512.
	RoomName int
	// Message is the length of a message in bytes, all its fragments together.
	// Longer ones end the connection with [CloseTooBig]. Default 32 MiB.
	Message int
	// Fragments is the number of frames of one message. Default 100,000.
	Fragments int
	// ControlFrames is the number of pings and pongs that a client sends in ten
	// seconds. More end the connection with [ClosePolicyViolation]. Default 1,000.
	ControlFrames int
	// Incoming is the length in bytes of the messages of all connections that are
	// being received or worked on, not counting the first 64 KiB of each. When it is
	// exceeded, the connection that sends slowest, of those whose message has been
	// coming for more than ten seconds, ends with [CloseTryAgainLater]; if there is
	// none, the one that exceeds it does. It must not be less than Message.
	// Default 16 times Message.
	Incoming int
	// Outgoing is the length in bytes of what waits to be written to all connections,
	// what several are sent counting once. When it is exceeded, the connections that hold
	// most of it end with [CloseTryAgainLater]. A document longer than that cannot be sent
	// to anybody. It must not be less than Message. Default 16 times Message.
	Outgoing int
	// Queue is the length in bytes of the broadcasts that wait for a slow client.
	// When it is full, awareness is reduced to the latest state and updates are
	// merged, while as much again may come; if that does not halve it, the connection ends with
	// [CloseTryAgainLater]. It applies to the answers to the client's own messages
	// too: at this length no further message of the client is read. Default 4 MiB.
	Queue int
	// Unsaved is the length in bytes of the updates of a room that wait for the
	// store. At this length no further update is read; if the store fails, none is taken
	// long before. Default 16 MiB.
	Unsaved int

	// AwarenessState is the length in bytes of one awareness state, which is JSON.
	// A longer one ends the connection with [CloseTooBig]. Default 64 KiB.
	AwarenessState int
	// AwarenessClients is the number of clients whose awareness states belong to one
	// connection, because it was the first to bring them, counted from its beginning to
	// its end. A browser brings its own and now and then that of another tab; a program
	// that connects two servers brings many. One more ends the connection with
	// [CloseTooBig]. Those that it takes over from others count too, and further ones
	// remain with them; see [Identity]. Default 1,000.
	AwarenessClients int
	// AwarenessStates is the number of awareness states in a room. Further ones are
	// not shown to the others; their clients can work all the same. As many clients
	// that have left are remembered for three times Timeouts.Awareness. Default
	// 10,000.
	AwarenessStates int
	// AwarenessBytes is the length in bytes of all awareness states in a room. One
	// that does not fit any more is not shown to the others, or remains what it was.
	// Default 4 MiB.
	AwarenessBytes int
	// AwarenessEntries is the number of clients that one awareness message is about,
	// counting repetitions. More end the connection with [CloseTooBig].
	// y-websocket sends back what it receives, so it must not be less than
	// AwarenessStates. Default twice that.
	AwarenessEntries int
}

// Timeouts bound how long a [Server] waits. Zero means the default.
type Timeouts struct {
	// Handshake is for writing the answer to the request. The time for reading the
	// request is the business of the http.Server, see [NewHTTPServer]. Default 5 s.
	Handshake time.Duration
	// Load is for reading the next update of a room from the store and for applying it:
	// a long log may take longer. It is also how long a client waits
	// for a room that cannot be read yet, because earlier attempts have failed or
	// updates have broken the document again and again; then its connection ends
	// with [CloseTryAgainLater]. Default 30 s.
	Load time.Duration
	// KeepAlive is the silence after which an empty awareness message is sent.
	// y-websocket reconnects after 30 s without a message. Default 20 s.
	KeepAlive time.Duration
	// Ping is how long a client may be silent before it is pinged. While something is
	// being written to it that does not count: Write does. Default 30 s.
	Ping time.Duration
	// Pong is how long a client may leave a ping unanswered before the connection
	// ends with [CloseGoingAway]. Default 30 s.
	Pong time.Duration
	// Header is for the header of a WebSocket frame to arrive, from its first byte on,
	// and for the whole of a ping, pong or close frame. A client that takes longer is
	// closed with [CloseTryAgainLater]. Default 10 s.
	Header time.Duration
	// Message is for the next 64 KiB of a message to arrive, or its end: it bounds the
	// speed, not the length. What comes in between, such as pings and empty fragments,
	// does not prolong it, nor does it run while the server works. A client that takes
	// longer is closed with [CloseTryAgainLater]. Default 30 s, or 18 kbit/s.
	Message time.Duration
	// Write is for handing the network the next 64 KiB. Default 20 s.
	Write time.Duration
	// Close is for the closing handshake. Default 5 s.
	Close time.Duration
	// Save is how long a client's next update waits for the store when the room has
	// reached Limits.Unsaved, before the connection ends with [CloseTryAgainLater].
	// Default 30 s.
	Save time.Duration
	// Idle is how long a room that everybody has left stays in memory, unless its place
	// is needed before; see Limits.Rooms. Default 30 s.
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
		setCompactAfter(&o.CompactAfter),
		setDefault("History", &o.History, 0),
		setDefault("Limits.Connections", &l.Connections, 10_000),
		setDefault("Limits.Rooms", &l.Rooms, 10_000),
		setDefault("Limits.RoomName", &l.RoomName, 512),
		setDefault("Limits.Message", &l.Message, 32<<20),
		setDefault("Limits.Fragments", &l.Fragments, 100_000),
		setDefault("Limits.ControlFrames", &l.ControlFrames, 1_000),
		l.setShared("Limits.Incoming", &l.Incoming),
		l.setShared("Limits.Outgoing", &l.Outgoing),
		setDefault("Limits.Queue", &l.Queue, 4<<20),
		setDefault("Limits.Unsaved", &l.Unsaved, 16<<20),
		setDefault("Limits.AwarenessState", &l.AwarenessState, 64<<10),
		setDefault("Limits.AwarenessClients", &l.AwarenessClients, 1_000),
		setDefault("Limits.AwarenessStates", &l.AwarenessStates, 10_000),
		setDefault("Limits.AwarenessBytes", &l.AwarenessBytes, 4<<20),
		l.setAwarenessEntries(), // from AwarenessStates
		setDefault("Timeouts.Handshake", &t.Handshake, 5*time.Second),
		setDefault("Timeouts.Load", &t.Load, 30*time.Second),
		setDefault("Timeouts.KeepAlive", &t.KeepAlive, 20*time.Second),
		setDefault("Timeouts.Ping", &t.Ping, 30*time.Second),
		setDefault("Timeouts.Pong", &t.Pong, 30*time.Second),
		setDefault("Timeouts.Header", &t.Header, 10*time.Second),
		setDefault("Timeouts.Message", &t.Message, 30*time.Second),
		setDefault("Timeouts.Write", &t.Write, 20*time.Second),
		setDefault("Timeouts.Close", &t.Close, 5*time.Second),
		setDefault("Timeouts.Save", &t.Save, 30*time.Second),
		setDefault("Timeouts.Idle", &t.Idle, 30*time.Second),
		setDefault("Timeouts.Awareness", &t.Awareness, 30*time.Second),
	)
	return o, err
}

// setShared sets what all connections have together, from Message.
func (l *Limits) setShared(name string, value *int) error {
	if err := setDefault(name, value, 16*l.Message); err != nil {
		return err
	}
	if *value < l.Message {
		return fmt.Errorf("ywebsocket: %s is %d, below Limits.Message, %d: no such message could be passed on",
			name, *value, l.Message)
	}
	return nil
}

func (l *Limits) setAwarenessEntries() error {
	if err := setDefault("Limits.AwarenessEntries", &l.AwarenessEntries, 2*l.AwarenessStates); err != nil {
		return err
	}
	if l.AwarenessEntries < l.AwarenessStates {
		return fmt.Errorf("ywebsocket: Limits.AwarenessEntries is %d, below Limits.AwarenessStates, %d: clients send back what they receive",
			l.AwarenessEntries, l.AwarenessStates)
	}
	return nil
}

func setCompactAfter(updates *int) error {
	if *updates < 0 {
		return nil // never
	}
	return setDefault("CompactAfter", updates, 1_000)
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
