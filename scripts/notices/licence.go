package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// mitTerms stands in for packages that name the MIT licence and carry no text of it.
const mitTerms = `Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.`

var (
	licenceName = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice)`)
	mitName     = regexp.MustCompile(`(?i)-mit|third-party|notice`)
)

// licensed is a package and where its licence is found.
type licensed struct {
	name, version string
	licence       string // SPDX expression; empty when the package does not declare one
	authors       []string
	dir           string
}

func (p licensed) write(out *bytes.Buffer) error {
	text, err := p.text()
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\n### %s %s", p.name, p.version)
	if p.licence != "" {
		fmt.Fprintf(out, " (%s)", p.licence)
	}
	fmt.Fprintf(out, "\n\n```text\n%s\n```\n", text)
	return nil
}

// text returns the licence texts that the package carries; of several to choose from, the MIT one.
func (p licensed) text() (string, error) {
	entries, err := os.ReadDir(p.dir)
	if err != nil {
		return "", err
	}
	var names []string
	for _, entry := range entries {
		if !entry.IsDir() && licenceName.MatchString(entry.Name()) {
			names = append(names, entry.Name())
		}
	}
	if slices.ContainsFunc(names, func(name string) bool { return strings.Contains(name, "-MIT") }) {
		names = slices.DeleteFunc(names, func(name string) bool { return !mitName.MatchString(name) })
	}
	if len(names) == 0 {
		if p.licence != "MIT" {
			return "", fmt.Errorf("%s %s carries no licence text", p.name, p.version)
		}
		return fmt.Sprintf("Authors, as the package names them: %s\n\n%s", strings.Join(p.authors, ", "), mitTerms), nil
	}
	var texts []string
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(p.dir, name))
		if err != nil {
			return "", err
		}
		texts = append(texts, normalise(text))
	}
	return strings.Join(texts, "\n\n"), nil
}

// normalise drops what differs between editors but not to a reader: line ends and trailing blanks.
func normalise(text []byte) string {
	lines := strings.Split(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " \t\f")
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n")
}
