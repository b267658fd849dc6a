package ywebsocket

import "net/http"

// Identity says who is at the other end of a connection, as far as the server can
// tell: see [Options.Identify].
type Identity struct {
	// User is a name for whoever it is, the same for all connections of one user: the
	// id of an account, say. Empty means that nobody knows.
	//
	// It decides who may speak for whom in awareness. A client's state belongs to the
	// connection that was the first to bring one. What another connection says about
	// the client is ignored, unless it is newer and comes from the same user, as when a
	// client comes back before the server knows that its old connection is dead: then
	// the client belongs to that one from now on. Where both users are unknown, the old
	// connection is pinged first. If it does not answer within 5 seconds or
	// Timeouts.Pong, whichever is less, its client is removed, and belongs to whoever
	// brings its next state.
	User string

	// relays: it is a chain of this server, which hears from elsewhere who is taken for gone there.
	relays bool
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
