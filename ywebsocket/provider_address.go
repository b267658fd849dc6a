package ywebsocket

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
)

// checkAddress says what is wrong with where the provider is to connect to. It shows nothing that may be secret.
func (o ProviderOptions) checkAddress() error {
	base, _, isLonger := strings.Cut(o.URL, "?")
	u, err := url.Parse(base)
	switch {
	case err != nil || u.Scheme != "ws" && u.Scheme != "wss" || u.Host == "":
		if err == nil && u.User != nil {
			base = u.Redacted()
		}
		return fmt.Errorf("ywebsocket: URL %q is not the ws:// or wss:// address of a server", base)
	case u.User != nil:
		return errors.New("ywebsocket: URL holds a user name, which is not sent: put it into WebSocket.Header")
	case isLonger || u.Fragment != "":
		return errors.New("ywebsocket: URL does not end with its path: put parameters into Params")
	}
	return checkRoomInAddress(o.Room)
}

// checkRoomInAddress refuses rooms that have no address, or not the one that a browser makes of them.
func checkRoomInAddress(room string) error {
	escaped := escapeRoom(room)
	if _, err := url.ParseRequestURI("/" + escaped); err != nil {
		return fmt.Errorf("ywebsocket: in the room %q a percent sign begins nothing: write %%25 for a percent sign", room)
	}
	if strings.ContainsAny(room, "\\\t\r\n") || strings.TrimRight(room, " ") != room {
		return fmt.Errorf("ywebsocket: browsers rewrite the backslash, tab, line break or last space in the room %q: leave it out", room)
	}
	for segment := range strings.SplitSeq(room, "/") {
		switch strings.ReplaceAll(strings.ToLower(segment), "%2e", ".") {
		case ".", "..":
			return fmt.Errorf("ywebsocket: the room %q has the path segment %q, which browsers resolve: leave it out", room, segment)
		}
	}
	return nil
}

func (o ProviderOptions) dialWebSocket(ctx context.Context) (Conn, error) {
	options, params := o.WebSocket, maps.Clone(o.Params)
	var token string
	if o.Token != nil {
		var err error
		if token, err = o.Token(ctx); err != nil {
			return nil, fmt.Errorf("the token function failed: %w", err)
		}
		if o.TokenParam != "" {
			if params == nil {
				params = url.Values{}
			}
			params.Set(o.TokenParam, token)
		} else {
			options.Header = options.Header.Clone()
			if options.Header == nil {
				options.Header = make(http.Header)
			}
			options.Header.Set("Authorization", "Bearer "+token)
		}
	}
	address, query := strings.TrimRight(o.URL, "/")+"/"+escapeRoom(o.Room), params.Encode()
	if query != "" {
		address += "?" + query
	}
	conn, err := Dial(ctx, address, options)
	if err != nil {
		return nil, o.refusal(err, query, token)
	}
	return conn, nil
}

// refusal returns the error of Dial as it is to be shown: servers may repeat what they were asked for.
func (o ProviderOptions) refusal(err error, secrets ...string) error {
	var refusal *HandshakeError
	if !errors.As(err, &refusal) {
		return err
	}
	for _, secret := range secrets {
		if secret != "" {
			refusal.Text = strings.ReplaceAll(refusal.Text, secret, "...")
			refusal.Text = strings.ReplaceAll(refusal.Text, url.QueryEscape(secret), "...")
		}
	}
	switch refusal.Status {
	case http.StatusNotFound:
		refusal.mayPass = true
	case http.StatusUnauthorized, http.StatusForbidden:
		refusal.mayPass = o.Token != nil
	}
	return refusal
}

// escapeRoom does what a browser does to the path of a URL, and to what would end it. Percent signs stay. A browser leaves
// "|" as it is, but package url would take that for a path that is not escaped yet; this server names both the same.
func escapeRoom(room string) string {
	var b strings.Builder
	for i := range len(room) {
		if c := room[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("\"#<>?^`{|}", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
