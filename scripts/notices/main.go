// Command notices writes THIRD-PARTY-NOTICES.md: the licences of everything that is linked into the
// native library and the server. With -check it fails when the file is not what it would write.
//
// It runs in the top folder and reads the sources that `cargo fetch` and `go mod download` have left.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
)

const (
	noticesFile = "THIRD-PARTY-NOTICES.md"
	bundleFile  = "ywebsocket/cmd/yserver/web/dist/THIRD_PARTY_LICENSES.txt"
	serverPath  = "./ywebsocket/cmd/yserver"
)

const preamble = `# Third-party notices

Written by ` + "`go run ./scripts/notices`" + `. The native library contains the Rust crates below and parts of
Rust's standard library (the Rust Project contributors; MIT or Apache-2.0). The server ` + "`yserver`" + ` contains
besides the Go modules below, Go's standard library (the Go Authors; BSD-3-Clause) and the packages of the demo
page. Where a package offers a choice that includes the MIT licence, that is the one chosen.
`

func main() {
	check := flag.Bool("check", false, "compare instead of writing")
	flag.Parse()
	if err := run(*check); err != nil {
		fmt.Fprintln(os.Stderr, "notices:", err)
		os.Exit(1)
	}
}

func run(check bool) error {
	notices, err := render()
	if err != nil {
		return err
	}
	current, err := os.ReadFile(noticesFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	switch {
	case bytes.Equal(current, notices):
		return nil
	case check:
		return fmt.Errorf("%s is out of date: run go run ./scripts/notices", noticesFile)
	}
	return os.WriteFile(noticesFile, notices, 0o644)
}

func render() ([]byte, error) {
	crates, err := linkedCrates()
	if err != nil {
		return nil, err
	}
	modules, err := linkedModules()
	if err != nil {
		return nil, err
	}
	bundle, err := os.ReadFile(bundleFile)
	if err != nil {
		return nil, err
	}

	var out bytes.Buffer
	out.WriteString(preamble)
	for _, part := range []struct {
		heading  string
		packages []licensed
	}{{"Rust crates", crates}, {"Go modules", modules}} {
		fmt.Fprintf(&out, "\n## %s\n", part.heading)
		for _, p := range part.packages {
			if err := p.write(&out); err != nil {
				return nil, err
			}
		}
	}
	fmt.Fprintf(&out, "\n## Demo page\n\n```text\n%s\n```\n", normalise(bundle))
	return out.Bytes(), nil
}

// output runs a command and returns what it prints.
func output(name string, args ...string) ([]byte, error) {
	cmd := exec.Command(name, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", cmd, err)
	}
	return out, nil
}
