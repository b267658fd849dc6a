package ywebsocket

import "net/http"

// Identity says who is at the other end of a connection, as far as the server can
// tell: see [Options.Identify].
type Identity struct {
	// User is a name for whoever it is, the same for all connections of one user:
	// an account's id, say. Connections with the same one can take over each other's
	// awareness states, as a client has to that reconnects, and those of different
	// users cannot. Empty means that it is not known, and such connections can take
	// over from each other only what belongs to one that does not answer pings.
	User string
}

// identify returns who makes a request.
func (s *Server) identify(r *http.Request) (Identity, *refusal) {
	if s.options.Identify == nil {
		return Identity{}, nil
	}
	identity, err := s.options.Identify(r)
	if err != nil {
		return Identity{}, &refusal{http.StatusForbidden, err}
	}
	return identity, nil
}
