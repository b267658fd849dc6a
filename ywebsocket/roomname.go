package ywebsocket

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/yrs-go/yrs/ywebsocket/store"
)

// RoomFromPath is the default of [Options.RoomName]. It returns the URL path
// below the mount point, without the slash in front, as the client wrote it:
// percent-encoding stays, and the name may hold slashes.
//
// The mount point is what [http.StripPrefix] has removed. If the pattern of a
// [http.ServeMux] has a wildcard named room, as in "/docs/{room...}", the name is
// what the wildcard matched.
func RoomFromPath(r *http.Request) (string, error) {
	path := strings.TrimPrefix(pathAsWritten(r.URL), "/")
	if matched := r.PathValue("room"); matched != "" {
		path = escapedMatch(path, matched)
	} else if strings.Contains(r.Pattern, "{room...}") {
		path = ""
	}
	if path == "" {
		return "", errors.New("no room in the URL: put its name behind the last slash")
	}
	return path, nil
}

// pathAsWritten is EscapedPath, but keeps what is escaped where something else should have been: browsers leave "|" as it
// is, and "a%2F|" is another room than "a/|".
func pathAsWritten(u *url.URL) string {
	if decoded, err := url.PathUnescape(u.RawPath); err != nil || u.RawPath == "" || decoded != u.Path {
		return u.EscapedPath()
	}
	var b strings.Builder
	for rest := u.RawPath; rest != ""; {
		n := strings.IndexByte(rest, '%')
		if n < 0 {
			n = len(rest)
		}
		b.WriteString((&url.URL{Path: rest[:n], RawPath: rest[:n]}).EscapedPath())
		rest = rest[n:]
		if rest != "" {
			b.WriteString(rest[:3]) // it could be unescaped
			rest = rest[3:]
		}
	}
	return b.String()
}

// escapedMatch returns the part of the escaped path that a wildcard matched; the
// mux knows only what it means decoded.
func escapedMatch(path, matched string) string {
	for rest := path; ; {
		if decoded, err := url.PathUnescape(rest); err == nil && decoded == matched {
			return rest
		}
		segment, tail, more := strings.Cut(rest, "/")
		if decoded, err := url.PathUnescape(segment); err == nil && decoded == matched {
			return segment
		}
		if !more {
			return url.PathEscape(matched)
		}
		rest = tail
	}
}

func checkRoomName(name string, limit int) error {
	switch {
	case name == "":
		return errors.New("the room name is empty")
	case len(name) > limit:
		return fmt.Errorf("the room name is too long: at most %d bytes", limit)
	case store.CheckName(name) != nil:
		return errors.New("the room name is not valid text")
	default:
		return nil
	}
}
