package main

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// asProgramVariable makes the test binary the program, for tests that need a
// process of their own.
const asProgramVariable = "TEST_AS_YSERVER"

func TestMain(m *testing.M) {
	if os.Getenv(asProgramVariable) != "" {
		main()
	}
	goleak.VerifyTestMain(m)
}
