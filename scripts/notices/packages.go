package main

import (
	"cmp"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
)

// platforms are the targets that the native library is built for.
var platforms = []string{
	"x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu", "x86_64-apple-darwin", "aarch64-apple-darwin",
}

// linkedCrates returns the crates whose code is in the native library of any platform.
func linkedCrates() ([]licensed, error) {
	args := []string{"tree", "--locked", "--edges=normal,no-proc-macro", "--prefix=none", "--no-dedupe", "--format={p}"}
	for _, platform := range platforms {
		args = append(args, "--target="+platform)
	}
	tree, err := output("cargo", args...)
	if err != nil {
		return nil, err
	}
	linked := make(map[string]bool)
	for line := range strings.Lines(string(tree)) {
		// "name v1.2.3"; our own crate has its folder behind, and platforms are set apart by empty lines.
		if fields := strings.Fields(line); len(fields) == 2 {
			linked[fields[0]+" "+strings.TrimPrefix(fields[1], "v")] = true
		}
	}
	return crates(linked)
}

// crates looks up the named crates ("name version") in cargo's metadata.
func crates(named map[string]bool) ([]licensed, error) {
	out, err := output("cargo", "metadata", "--locked", "--format-version=1")
	if err != nil {
		return nil, err
	}
	var metadata struct {
		Packages []struct {
			Name, Version, License string
			Authors                []string
			ManifestPath           string `json:"manifest_path"`
		}
	}
	if err := json.Unmarshal(out, &metadata); err != nil {
		return nil, err
	}
	var found []licensed
	for _, p := range metadata.Packages {
		if named[p.Name+" "+p.Version] {
			found = append(found, licensed{p.Name, p.Version, p.License, p.Authors, filepath.Dir(p.ManifestPath)})
		}
	}
	return sorted(found), nil
}

// linkedModules returns the Go modules whose packages are in the server.
func linkedModules() ([]licensed, error) {
	const format = `{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}`
	out, err := output("go", "list", "-deps", "-f", format, serverPath)
	if err != nil {
		return nil, err
	}
	lines := slices.Sorted(strings.Lines(string(out))) // one a package: modules repeat
	var found []licensed
	for _, line := range slices.Compact(lines) {
		if fields := strings.SplitN(strings.TrimSpace(line), " ", 3); len(fields) == 3 {
			found = append(found, licensed{name: fields[0], version: fields[1], dir: fields[2]})
		}
	}
	return sorted(found), nil
}

func sorted(packages []licensed) []licensed {
	slices.SortFunc(packages, func(a, b licensed) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.version, b.version))
	})
	return packages
}
