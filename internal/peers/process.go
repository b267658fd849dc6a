// Package peers runs real Yjs peers for the tests: Yjs and y-websocket in Node, pycrdt in Python and
// the demo page in Chromium. Each peer is a process of its own that is told in lines of JSON what to
// do; the programs are in the folders node and python.
//
// A peer that is not installed fails the test with the command that installs it.
//
// Unless said otherwise, functions and methods end the test at the first failure, so they belong on
// the goroutine of the test, and everything that they start ends with the test.
package peers

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Timeout bounds each wait for a peer.
const Timeout = 20 * time.Second

// stopTimeout bounds the wait for a peer that was asked to end, before it is killed.
const stopTimeout = 10 * time.Second

// request is what is sent to a peer: the name of a command and its arguments.
type request map[string]any

// Process is a running peer that answers each request, a line of JSON, with one line.
type Process struct {
	t      testing.TB
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stderr *tail
	ended  chan struct{} // closed when the process has ended

	mu      sync.Mutex // guards what follows, and writing to stdin
	lastID  uint64
	waiting map[uint64]chan reply
}

type reply struct {
	ID     uint64          `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  string          `json:"error"`
}

var errEnded = errors.New("the process has ended")

func start(t testing.TB, cmd *exec.Cmd) *Process {
	t.Helper()
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	p := &Process{
		t:       t,
		cmd:     cmd,
		stdin:   stdin,
		stderr:  &tail{},
		ended:   make(chan struct{}),
		waiting: make(map[uint64]chan reply),
	}
	cmd.Stderr = p.stderr
	require.NoError(t, cmd.Start())
	go p.read(stdout)
	t.Cleanup(p.stop)
	return p
}

// Do sends a command and stores its result, which may be nil, in result. It returns errors instead of
// ending the test and is safe for concurrent use; the peer may work on several commands at once.
func (p *Process) Do(command string, arguments map[string]any, result any) error {
	return p.doWithin(2*Timeout, command, arguments, result)
}

func (p *Process) doWithin(timeout time.Duration, command string, arguments map[string]any, result any) error {
	answer, err := p.send(command, arguments)
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", command, err, p.stderr)
	}
	select {
	case answer := <-answer:
		if answer.Error != "" {
			return fmt.Errorf("%s: %s", command, answer.Error)
		}
		if result == nil {
			return nil
		}
		return json.Unmarshal(answer.Result, result)
	case <-p.ended:
		return fmt.Errorf("%s: %w\n%s", command, errEnded, p.stderr)
	case <-time.After(timeout):
		return fmt.Errorf("%s: no answer within %v\n%s", command, timeout, p.stderr)
	}
}

func (p *Process) send(command string, arguments map[string]any) (<-chan reply, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lastID++
	message := request{"id": p.lastID, "do": command}
	for name, value := range arguments {
		message[name] = value
	}
	line, err := json.Marshal(message)
	if err != nil {
		return nil, err
	}
	answer := make(chan reply, 1)
	p.waiting[p.lastID] = answer
	_, err = p.stdin.Write(append(line, '\n'))
	return answer, err
}

// must is Do, and ends the test on an error.
func (p *Process) must(command string, arguments map[string]any, result any) {
	p.t.Helper()
	require.NoError(p.t, p.Do(command, arguments, result))
}

func (p *Process) read(stdout io.Reader) {
	defer close(p.ended)
	lines := bufio.NewReader(stdout)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var answer reply
		if json.Unmarshal(line, &answer) != nil {
			fmt.Fprintf(p.stderr, "not an answer: %s", line)
			continue
		}
		p.mu.Lock()
		waiting := p.waiting[answer.ID]
		delete(p.waiting, answer.ID)
		p.mu.Unlock()
		if waiting != nil {
			waiting <- answer
		}
	}
}

// stop asks the process to end by closing its input.
func (p *Process) stop() {
	_ = p.stdin.Close()
	select {
	case <-p.ended:
	case <-time.After(stopTimeout):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
	if err := p.cmd.Wait(); err != nil {
		p.t.Errorf("%s: %v\n%s", p.cmd, err, p.stderr)
	}
}

// tail keeps the end of what is written to it. It is safe for concurrent use.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailSize = 16 << 10

func (t *tail) Write(text []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, text...)
	if excess := len(t.text) - tailSize; excess > 0 {
		t.text = bytes.Clone(t.text[excess:])
	}
	return len(text), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}
