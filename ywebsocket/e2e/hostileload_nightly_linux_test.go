//go:build nightly

package e2e_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestHostileLoad_Minute has the authors write for a minute beside 30,000 hostile connections. They may take three times
// as long; the test allows twice that for what else the machine does.
func TestHostileLoad_Minute(t *testing.T) {
	assert.Less(t, requireHonestUnharmed(t, time.Minute), 6.0)
}
