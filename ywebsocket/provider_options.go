package ywebsocket

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"time"

	"github.com/yrs-go/yrs/ycrdt"
)

// ProviderOptions configure a [Provider]. URL or Dial must be set, and usually Room.
type ProviderOptions struct {
	// URL is the ws:// or wss:// address of the server, without the room.
	URL string
	// Room is put behind URL and a slash, escaped as a browser does it: a room of y-websocket has the same name here.
	// Percent signs stay as they are, so write %25 for one. What a browser would rewrite is refused: backslashes, the
	// path segments "." and "..", tabs and line breaks, and a space at the end. The room without a name, at an address that
	// ends with a slash, is one like others to y-websocket; this package's server refuses it.
	Room string
	// Params become the query of the address.
	Params url.Values
	// Token is called for every attempt to connect, and what it returns is put into the query as TokenParam, or sent
	// as "Authorization: Bearer" if that is empty. After an error the attempt has failed. Nil means no token.
	//
	// A token may have expired a moment ago. So a server that answers 401 or 403 gets another one, and the provider gives up
	// when that has happened 5 times in a row; without a Token it gives up at once. A status of 404 is tried as often in
	// any case: proxies answer so while a server restarts.
	Token      func(ctx context.Context) (string, error)
	TokenParam string
	// WebSocket says how the connection is made and watched.
	WebSocket DialOptions

	// Dial makes the connection in another way; what is above it is not used then.
	Dial func(ctx context.Context) (Conn, error)

	// Awareness is what the provider keeps up to date beside the document. Nil means that it makes one and runs it; one
	// that is given has to be started by whoever made it.
	Awareness *ycrdt.Awareness

	// Local keeps the document on this side too, as LocalName, which is Room by default: it is loaded before the provider
	// connects, and every change is added, whoever made it. So what was written without a connection is sent even if the
	// program has ended in between. While the store cannot be read the provider does not connect, and it keeps what the
	// store does not take, and tries again: see ProviderState.LocalErr. Nil means that the document lasts as long as the
	// program.
	Local     LocalStore
	LocalName string

	// Backoff says how long to wait before connecting again.
	Backoff Backoff
	// ConnectTimeout is for the token and the connection. Default 20 s.
	ConnectTimeout time.Duration
	// SyncTimeout is for the server's answer to the first message; after it the provider connects again. It begins anew
	// while a long message is arriving, for which WebSocket.Silence allows that time for each 64 KiB, or is being taken in.
	// What arrives at a Conn of another kind cannot be seen before it is complete. Default 30 s.
	SyncTimeout time.Duration
	// ResyncInterval is how often the server is asked for what may be missing though nothing seems to be. 0 means never.
	ResyncInterval time.Duration
	// Queue is the length in bytes of the updates that wait for a slow server. When it is exceeded the provider
	// reconnects, and sends what is missing in one piece. As much may wait for a slow local store, before all of the
	// document takes its place. Default 4 MiB.
	Queue int

	// Logger hears of connections that end. Nil means [slog.Default].
	Logger *slog.Logger
}

func (o ProviderOptions) withDefaults() (ProviderOptions, error) {
	err := errors.Join(
		setDefault("Backoff.Min", &o.Backoff.Min, 2500*time.Millisecond),
		setDefault("Backoff.Max", &o.Backoff.Max, 30*time.Second),
		setDefault("ConnectTimeout", &o.ConnectTimeout, 20*time.Second),
		setDefault("SyncTimeout", &o.SyncTimeout, 30*time.Second),
		setDefault("Queue", &o.Queue, 4<<20),
	)
	if o.ResyncInterval < 0 {
		err = errors.Join(err, errors.New("ywebsocket: ResyncInterval is negative; leave it zero for never"))
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.LocalName == "" {
		o.LocalName = o.Room
	}
	if o.Local != nil && o.LocalName == "" {
		err = errors.Join(err, errors.New("ywebsocket: the local store needs a name for the document: set LocalName or Room"))
	}
	if o.Dial != nil {
		return o, err
	}
	o.Dial = o.dialWebSocket
	_, invalid := o.WebSocket.withDefaults()
	return o, errors.Join(err, invalid, o.checkAddress())
}
