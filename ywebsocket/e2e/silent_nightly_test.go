//go:build nightly

package e2e_test

import (
	"testing"

	"github.com/yrs-go/yrs/internal/peers"
)

// TestSilent_StaysConnectedInRealTime takes the two minutes that it is about.
func TestSilent_StaysConnectedInRealTime(t *testing.T) {
	requireSilentStays(t, startServer(t).websocket(), peers.StartYjs(t, 1))
}
