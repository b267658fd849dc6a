//go:build nightly

package e2e_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestHalfOpen_TenThousand has 10,000 connections half open at the same time, and 2,000 more that read nothing. It needs
// as many file descriptors, and so does the server.
func TestHalfOpen_TenThousand(t *testing.T) {
	stayed, p99 := requireHalfOpenIsDropped(t, 2_000)
	assert.Less(t, p99, stayed/10, "joins that wait for the half-open connections to go")
}
