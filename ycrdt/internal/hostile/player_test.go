package hostile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"strings"
	"sync/atomic"
	"time"
)

// patience is well above maxCall, because a sequence is many calls.
const patience = 15 * time.Second

// player has child processes take sequences.
type player struct {
	command  func() *exec.Cmd
	patience time.Duration // how long a child may say nothing
}

// death is how a child ended that should not have.
type death struct {
	how    string
	stderr string
}

func (d *death) Error() string {
	return strings.TrimSpace(d.how + "\n" + d.stderr)
}

// play has one child take count sequences, one after another. It returns how many verdicts there were, and a death
// if the child did not survive the next sequence.
func (p player) play(count int, sequence func(int) Sequence, each func(int, verdict)) (int, error) {
	cmd := p.command()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return 0, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	stderr := &beginning{}
	cmd.Stderr = stderr
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	var silent atomic.Bool
	watch := time.AfterFunc(p.patience, func() {
		silent.Store(true)
		_ = cmd.Process.Kill() // it may have ended by itself just now
	})
	go func() {
		for i := range count {
			if _, err := stdin.Write(frame(sequence(i))); err != nil {
				break // the child has died: that is seen below
			}
		}
		_ = stdin.Close()
	}()
	done := 0
	lines := bufio.NewReader(stdout)
	for {
		var line string
		if line, err = lines.ReadString('\n'); err != nil {
			break
		}
		watch.Reset(p.patience)
		var v verdict
		if v, err = parseReport(strings.TrimSuffix(line, "\n")); err != nil {
			break
		}
		each(done, v)
		done++
	}
	if !errors.Is(err, io.EOF) {
		_ = cmd.Process.Kill()
	} else {
		err = nil
	}
	ended := cmd.Wait()
	watch.Stop()
	switch {
	case err != nil:
		return done, err
	case silent.Load():
		return done, &death{fmt.Sprintf("hung for more than %s", p.patience), stderr.String()}
	case ended != nil:
		return done, &death{ended.Error(), stderr.String()}
	case done < count:
		return done, &death{"ended early", stderr.String()}
	}
	return done, nil
}

// one has a child of its own take a sequence.
func (p player) one(s Sequence) (v verdict, err error) {
	_, err = p.play(1, func(int) Sequence { return s }, func(_ int, got verdict) { v = got })
	return v, err
}

// beginning keeps the first part of what is written to it.
type beginning struct{ strings.Builder }

func (b *beginning) Write(data []byte) (int, error) {
	const limit = 16 << 10
	if room := limit - b.Len(); room > 0 {
		_, _ = b.Builder.Write(data[:min(room, len(data))])
	}
	return len(data), nil
}

var (
	sanitizerSummary = regexp.MustCompile(`SUMMARY: AddressSanitizer: (\S+).* in (\S+)`)
	cgoCall          = regexp.MustCompile(`_Cfunc_yffi_\w+`)
	digits           = regexp.MustCompile(`[0-9]+`)
)

// kind is what deaths have in common that are the same.
func (d *death) kind() string {
	if found := sanitizerSummary.FindStringSubmatch(d.stderr); found != nil {
		return found[1] + " in " + found[2]
	}
	line, _, _ := strings.Cut(strings.TrimSpace(d.stderr), "\n")
	return strings.TrimSpace(d.how + " " + digits.ReplaceAllString(line, "#") + " " + cgoCall.FindString(d.stderr))
}
