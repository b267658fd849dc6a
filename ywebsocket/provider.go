package ywebsocket

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/yrs-go/yrs/ycrdt"
)

// ProviderOptions configure a [Provider]. URL and Room, or Dial, must be set.
type ProviderOptions struct {
	// URL is the ws:// or wss:// address of the server, without the room.
	URL string
	// Room is put behind URL and a slash, escaped as a browser does it: a room of y-websocket has the same name here.
	Room string
	// Params become the query of the address.
	Params url.Values
	// Token is called for every attempt to connect, and what it returns is put into the query as TokenParam, or sent
	// as "Authorization: Bearer" if that is empty. After an error the attempt has failed. Nil means no token.
	Token      func(ctx context.Context) (string, error)
	TokenParam string
	// WebSocket says how the connection is made and watched.
	WebSocket DialOptions

	// Dial makes the connection in another way; what is above it is not used then.
	Dial func(ctx context.Context) (Conn, error)

	// Awareness is what the provider keeps up to date beside the document. Nil means that it makes one and runs it; one
	// that is given has to be started by whoever made it.
	Awareness *ycrdt.Awareness

	// Backoff says how long to wait before connecting again.
	Backoff Backoff
	// ConnectTimeout is for the token and the connection. Default 20 s.
	ConnectTimeout time.Duration
	// SyncTimeout is for the server's answer to the first message; after it the provider connects again. Default 30 s.
	SyncTimeout time.Duration
	// ResyncInterval is how often the server is asked for what may be missing though nothing seems to be. 0 means never.
	ResyncInterval time.Duration
	// Queue is the length in bytes of the updates that wait for a slow server. When it is exceeded the provider
	// reconnects, and sends what is missing in one piece. Default 4 MiB.
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
	if o.Dial != nil {
		return o, err
	}
	if u, invalid := url.Parse(o.URL); invalid != nil || u.Scheme != "ws" && u.Scheme != "wss" || u.Host == "" {
		err = errors.Join(err, fmt.Errorf("ywebsocket: URL %q is not the ws:// or wss:// address of a server", o.URL))
	}
	o.Dial = o.dialWebSocket
	return o, err
}

func (o ProviderOptions) dialWebSocket(ctx context.Context) (Conn, error) {
	options, params := o.WebSocket, url.Values{}
	for name, values := range o.Params {
		params[name] = values
	}
	if o.Token != nil {
		token, err := o.Token(ctx)
		if err != nil {
			return nil, fmt.Errorf("the token function failed: %w", err)
		}
		if o.TokenParam != "" {
			params.Set(o.TokenParam, token)
		} else {
			options.Header = options.Header.Clone()
			if options.Header == nil {
				options.Header = make(http.Header)
			}
			options.Header.Set("Authorization", "Bearer "+token)
		}
	}
	address := strings.TrimRight(o.URL, "/") + "/" + escapeRoom(o.Room)
	if len(params) > 0 {
		address += "?" + params.Encode()
	}
	return Dial(ctx, address, options)
}

// escapeRoom does what a browser does to the path of a URL, which leaves percent signs alone, and to what would end it.
func escapeRoom(room string) string {
	var b strings.Builder
	for i := range len(room) {
		if c := room[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("\"#<>?^`{}", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// Provider keeps a document and its awareness states in sync with a room of a server: this one's, y-websocket's or any
// other that speaks its protocol. It connects again when a connection ends. What is written meanwhile is in the
// document, and reaches the server with the next sync; nothing is queued for it.
//
// All methods are safe for concurrent use.
type Provider struct {
	doc          *ycrdt.Doc
	awareness    *ycrdt.Awareness
	ownAwareness bool
	options      ProviderOptions
	log          *slog.Logger
	subscribed   []*ycrdt.Subscription

	mu      sync.Mutex
	changed *sync.Cond // state, progress or run have changed
	state   ProviderState
	events  stateEvents
	run     *providerRun // nil: it does not want to be connected
	session *session     // nil: it is not connected
	closed  bool

	progress progress
	// heard are the awareness clients known through the server, which are gone with the connection.
	heard map[uint64]struct{}
}

// providerRun is what one call of Connect has started.
type providerRun struct {
	cancel context.CancelFunc
	done   chan struct{}
}

// NewProvider returns a provider that is not connected yet. The document stays the caller's, who closes it after the
// provider.
func NewProvider(doc *ycrdt.Doc, options ProviderOptions) (*Provider, error) {
	options, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	stateVector, err := doc.EncodeStateVector()
	if err != nil {
		return nil, err
	}
	p := &Provider{
		doc:       doc,
		awareness: options.Awareness,
		options:   options,
		log:       options.Logger.With("room", options.Room),
		heard:     make(map[uint64]struct{}),
	}
	p.changed = sync.NewCond(&p.mu)
	if len(stateVector) > 1 {
		p.progress.written = 1 // what is in the document already
		p.state.Unsynced = 1
	}
	if p.awareness == nil {
		p.ownAwareness = true
		p.awareness = ycrdt.NewAwareness(doc)
		if err := p.awareness.Start(context.Background()); err != nil {
			return nil, err
		}
	}
	p.subscribed = append(p.subscribed, doc.OnUpdate(p.updated), p.awareness.Observe(p.presenceChanged))
	return p, nil
}

// Awareness returns the one of the options, or the provider's own.
func (p *Provider) Awareness() *ycrdt.Awareness { return p.awareness }

// Connect makes the provider connect, and stay connected until Disconnect, Close or an error that matches
// [ErrPermanent]. It returns at once; while the provider is at it already it does nothing.
func (p *Provider) Connect() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.run != nil || p.closed {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	p.run = &providerRun{cancel: cancel, done: make(chan struct{})}
	p.setState(func(s *ProviderState) { s.Status, s.Err = StatusConnecting, nil })
	go p.stayConnected(ctx, p.run)
}

// Disconnect ends the connection and waits until it has ended, a second at most. Connect comes back.
func (p *Provider) Disconnect() {
	p.mu.Lock()
	run := p.run
	p.mu.Unlock()
	if run != nil {
		run.cancel()
		<-run.done
	}
}

// Close disconnects for ever and frees what the provider holds. It does not wait for changes to be saved; [Saved] does.
// With an Awareness of its own it takes this client's state away first. It must not be called from an observer of the
// document or the awareness. Closing again does nothing.
func (p *Provider) Close() {
	if p.ownAwareness {
		_ = p.awareness.SetLocalState(nil) // only an observer that panics is an error
	}
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.Disconnect()
	for _, subscription := range p.subscribed {
		subscription.Close()
	}
	if p.ownAwareness {
		p.awareness.Stop()
	}
}

// Synced waits until the document has everything that the server had when the provider connected. It fails when ctx
// ends, or with the provider's error when that has stopped.
func (p *Provider) Synced(ctx context.Context) error {
	return p.await(ctx, func() bool { return p.state.Synced })
}

// Saved waits until the server has sent back everything that was written to the document before the call. A server of
// this package does so once it is stored. A server that sends nothing back, as others do not for an update without
// news, never confirms anything: then Saved fails when ctx ends.
func (p *Provider) Saved(ctx context.Context) error {
	p.mu.Lock()
	target := p.progress.written
	p.mu.Unlock()
	err := p.await(ctx, func() bool { return p.progress.saved >= target })
	if err != nil {
		return fmt.Errorf("the server has not confirmed what was written: %w", err)
	}
	return nil
}

func (p *Provider) await(ctx context.Context, ready func() bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	stopped := func() bool { return p.closed || errors.Is(p.state.Err, ErrPermanent) }
	if err := waitFor(ctx, p.changed, func() bool { return ready() || stopped() }); err != nil {
		return errors.Join(err, p.state.Err)
	}
	if !ready() {
		return errors.Join(ErrProviderStopped, p.state.Err)
	}
	return nil
}

// ErrProviderStopped is what waiting for a provider returns that has been closed or has given up.
var ErrProviderStopped = errors.New("the provider has stopped")
