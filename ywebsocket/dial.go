package ywebsocket

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gobwas/ws"
)

// DialOptions say how [Dial] connects. The zero value is fine.
type DialOptions struct {
	// Header is added to the request, for a cookie or a token, say.
	Header http.Header
	// TLS is for wss:// addresses. Nil means the defaults of [tls.Config].
	TLS *tls.Config
	// MaxMessage is the length in bytes of the longest message that is accepted: the whole document, when a client
	// joins. Default 256 MiB.
	MaxMessage int
	// Silence is how long nothing may come before the server is taken for gone; after half of it the server is pinged.
	// Default 30 s.
	Silence time.Duration
	// Write is for handing the network a message, or the next MiB of it. Default 20 s.
	Write time.Duration
}

func (o DialOptions) withDefaults() (DialOptions, error) {
	err := errors.Join(
		setDefault("MaxMessage", &o.MaxMessage, 256<<20),
		setDefault("Silence", &o.Silence, 30*time.Second),
		setDefault("Write", &o.Write, 20*time.Second),
	)
	return o, err
}

// HandshakeError says that a server has refused to open a WebSocket.
type HandshakeError struct {
	// Status is the one of the HTTP answer.
	Status int
	// Text is the beginning of its body.
	Text string
	// RetryAfter is how long the server asks to stay away, if it does. A [Provider] does so for an hour at most.
	RetryAfter time.Duration

	// mayPass: trying again may help, whatever the status says of that.
	mayPass bool
}

func (e *HandshakeError) Error() string {
	text := fmt.Sprintf("the server refused the connection with status %d %s", e.Status, http.StatusText(e.Status))
	if e.Text != "" {
		text += fmt.Sprintf(": %q", e.Text)
	}
	return text
}

// Is makes errors.Is find [ErrPermanent] for what a repeated request would not change: a redirection, and every status
// from 400 to 499 but 408, 425 and 429. A [Provider] tries some of them a few times; see [ProviderOptions].
func (e *HandshakeError) Is(target error) bool {
	if target != ErrPermanent || e.mayPass {
		return false
	}
	switch e.Status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	default:
		return e.Status >= 300 && e.Status < 500
	}
}

// Dial opens a WebSocket to a room of a server, at a ws:// or wss:// address. ctx bounds the time until it is open.
// A refusal is a [*HandshakeError].
func Dial(ctx context.Context, address string, options DialOptions) (Conn, error) {
	options, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	var refusal *HandshakeError
	dialer := ws.Dialer{
		Header:    ws.HandshakeHeaderHTTP(options.Header),
		TLSConfig: options.TLS,
		OnStatusError: func(status int, _ []byte, response io.Reader) {
			refusal = readRefusal(status, response)
		},
	}
	conn, early, _, err := dialer.Dial(ctx, address)
	if refusal != nil {
		return nil, refusal
	}
	if err != nil {
		return nil, fmt.Errorf("cannot connect to %s: %w", shown(address), withoutAddress(err))
	}
	transport := &activeConn{Conn: conn, received: newActivity()}
	if early != nil {
		transport.early, _ = early.Peek(early.Buffered()) // what is there can be looked at
	}
	return newWebSocket(transport, options), nil
}

// shown is the part of an address that is no secret.
func shown(address string) string {
	address, _, _ = strings.Cut(address, "?")
	scheme, rest, _ := strings.Cut(address, "://")
	host, path, isPath := strings.Cut(rest, "/")
	host = host[strings.LastIndexByte(host, '@')+1:]
	if isPath {
		path = "/" + path
	}
	return scheme + "://" + host + path
}

// withoutAddress leaves the address out of an error about it, which does not get better either.
func withoutAddress(err error) error {
	var invalid *url.Error
	if errors.As(err, &invalid) {
		return fmt.Errorf("%w: the address is invalid: %w", ErrPermanent, invalid.Err)
	}
	return err
}

// maxRefusal is how much of the body of a refusal is kept.
const maxRefusal = 512

func readRefusal(status int, r io.Reader) *HandshakeError {
	refusal := &HandshakeError{Status: status}
	response, err := http.ReadResponse(bufio.NewReader(r), nil)
	if err != nil {
		return refusal // the status is what counts
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(response.Body, maxRefusal))
	refusal.Text = strings.TrimSpace(string(text))
	refusal.RetryAfter = retryAfter(response.Header.Get("Retry-After"), time.Now())
	return refusal
}

// retryAfter reads the header of that name: seconds, or a date (RFC 9110, section 10.2.3).
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if date, err := http.ParseTime(value); err == nil {
		return max(date.Sub(now), 0)
	}
	return 0
}
