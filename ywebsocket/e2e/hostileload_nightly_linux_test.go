//go:build nightly

package e2e_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestHostileLoad_Minute has the authors write for a minute beside 30,000 hostile connections. They may take three times
// as long. It needs a machine that does nothing else.
func TestHostileLoad_Minute(t *testing.T) {
	assert.Less(t, requireHonestUnharmed(t, time.Minute), 3.0)
}
