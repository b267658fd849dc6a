//go:build race

package ycrdt_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
)

// misuse makes this test binary, run again, use a transaction from two goroutines.
const misuse = "YCRDT_TEST_MISUSE"

// The race detector sees a transaction that two goroutines use, although its memory is not Go's.
func TestTx_SharedByGoroutinesIsReported(t *testing.T) {
	if os.Getenv(misuse) != "" {
		shareTx()
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.count=1")
	cmd.Env = append(os.Environ(), misuse+"=1", "GORACE=halt_on_error=1 exitcode=66")
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit, "%s", out)
	assert.Equal(t, 66, exit.ExitCode())
	assert.Contains(t, string(out), "DATA RACE")
	assert.Contains(t, string(out), "ycrdt.(*Tx).use")
}

func shareTx() {
	doc := ycrdt.NewDoc()
	defer doc.Close()
	_ = doc.View(func(tx *ycrdt.Tx) error {
		done := make(chan struct{})
		go func() {
			defer close(done)
			tx.Changed()
		}()
		tx.Changed()
		<-done
		return nil
	})
}
