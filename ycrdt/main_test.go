package ycrdt_test

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails the run when goroutines or, in debug builds, native documents or transactions are left over.
func TestMain(m *testing.M) {
	code := m.Run()
	for _, check := range []func() error{func() error { return goleak.Find() }, nativeLeaks} {
		if err := check(); err != nil && code == 0 {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}
