package hostile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// childVariable makes a process of this test binary a child that takes sequences.
const childVariable = "YRS_HOSTILE_CHILD"

// maxGrowth is how much memory a child may take in all. What it takes normally is a tenth of that.
const maxGrowth = 1 << 30

// publicAPI is a command for a child that puts sequences into package ycrdt.
func publicAPI(t testing.TB) func() *exec.Cmd {
	binary, err := os.Executable()
	require.NoError(t, err)
	return func() *exec.Cmd {
		cmd := exec.Command(binary)
		cmd.Env = append(os.Environ(), childVariable+"=1")
		return cmd
	}
}

// serve is a child: it takes the sequences from its input one by one, and writes a report for each.
func serve() error {
	go watchMemory()
	in := bufio.NewReader(os.Stdin)
	for {
		sequence, err := readFrame(in)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		v := drive(sequence)
		if _, err := fmt.Println(v.report()); err != nil {
			return err
		}
	}
}

// watchMemory ends the process when it takes too much memory, before the machine has none left.
func watchMemory() {
	for range time.Tick(5 * time.Millisecond) {
		if peak := peakMemory(); peak > maxGrowth {
			fmt.Fprintf(os.Stderr, "out of memory: the process has taken more than %d MiB\n", maxGrowth>>20)
			os.Exit(1)
		}
	}
}

// peakMemory is the most memory that this process has had in use, in bytes.
func peakMemory() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return int64(usage.Maxrss)
	}
	return int64(usage.Maxrss) << 10
}
