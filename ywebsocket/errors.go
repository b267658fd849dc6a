package ywebsocket

import (
	"errors"
	"fmt"
	"runtime/debug"
)

var (
	// ErrShuttingDown is what [Server.Ready] returns once [Server.Shutdown] has been
	// called.
	ErrShuttingDown = errors.New("the server is shutting down")

	errTooManyConnections = errors.New("the server has reached its limit of connections; try again later")
	errTooManyRooms       = errors.New("the server has reached its limit of rooms; try again later")
)

// protect calls fn and returns a panic as an error: what one client or a store
// does must not end the server.
func protect(fn func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = fmt.Errorf("panic: %v\n%s", value, debug.Stack())
		}
	}()
	return fn()
}
