// Package measure runs workloads through peers, each in a process of its own, and keeps what they report.
package measure

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"github.com/yrs-go/yrs/bench/door"
)

// Peer is a program behind the door.
type Peer struct {
	ID      string // what it is called here
	Command []string
	Variant bool // of ours: takes part only where it matters
	Outside bool // came in through the flag -peer
}

// errTimeout is what a request ends with that took too long.
var errTimeout = errors.New("timed out")

// maxLine bounds the answers of peers.
const maxLine = 1 << 20

// process is a running peer.
type process struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	lines  chan []byte // what it writes; closed when that is all
	stderr bytes.Buffer
}

func start(peer Peer) (*process, error) {
	p := &process{cmd: exec.Command(peer.Command[0], peer.Command[1:]...), lines: make(chan []byte)}
	p.cmd.Stderr = &p.stderr
	p.cmd.WaitDelay = time.Second // for children of its own that hold its output open
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.lines)
		scanner := bufio.NewScanner(stdout)
		scanner.Buffer(nil, maxLine)
		for scanner.Scan() {
			p.lines <- bytes.Clone(scanner.Bytes())
		}
	}()
	return p, nil
}

// ask sends a request and waits for its answer.
func (p *process) ask(request door.Request, timeout time.Duration) (door.Reply, error) {
	line, err := json.Marshal(request)
	if err != nil {
		return door.Reply{}, err
	}
	late := time.NewTimer(timeout)
	defer late.Stop()
	// A peer that has died is found by the end of its output, which says more than a broken pipe.
	_, _ = p.stdin.Write(append(line, '\n'))
	select {
	case line, ok := <-p.lines:
		if !ok {
			return door.Reply{}, fmt.Errorf("died at %q%s", request.Do, p.complaint())
		}
		var reply door.Reply
		if err := json.Unmarshal(line, &reply); err != nil {
			return reply, fmt.Errorf("answered %q with garbage: %.80q", request.Do, line)
		}
		if reply.Error != "" {
			return reply, fmt.Errorf("%s: %s", request.Do, reply.Error)
		}
		return reply, nil
	case <-late.C:
		return door.Reply{}, fmt.Errorf("%s: %w after %v", request.Do, errTimeout, timeout)
	}
}

// complaint is the last line that a dead peer has written to its stderr.
func (p *process) complaint() string {
	_ = p.cmd.Wait()
	text := strings.TrimSpace(p.stderr.String())
	if text == "" {
		return ""
	}
	return ": " + text[strings.LastIndexByte(text, '\n')+1:]
}

// end closes the door and kills whoever stays.
func (p *process) end() {
	_ = p.stdin.Close()
	patience := time.AfterFunc(time.Second, func() { _ = p.cmd.Process.Kill() })
	defer patience.Stop()
	for range p.lines {
	}
	_ = p.cmd.Wait()
}

// kill ends a peer that does not answer any more.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	p.end()
}

// Greet asks a peer who it is.
func Greet(peer Peer, timeout time.Duration) (door.Hello, error) {
	p, err := start(peer)
	if err != nil {
		return door.Hello{}, fmt.Errorf("%s: %w", peer.ID, err)
	}
	defer p.kill()
	reply, err := p.ask(door.Request{Do: "hello"}, timeout)
	if err == nil && (reply.Hello == nil || reply.Name == "") {
		err = errors.New("has no name")
	}
	if err != nil {
		return door.Hello{}, fmt.Errorf("%s: %w", peer.ID, err)
	}
	return *reply.Hello, nil
}
