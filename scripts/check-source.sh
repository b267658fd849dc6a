#!/usr/bin/env bash
# Rules of this source tree that no linter knows: one cgo package, short files, no skipped tests.
set -euo pipefail
cd "$(dirname "$0")/.."

max_lines=600
broken=0

# Files of our own, by name pattern.
sources() {
	find . \( -name .git -o -name node_modules -o -path ./target -o -path ./build \) -prune \
		-o -type f -name "$1" -print
}

# matches <pattern> <file pattern>: file:line:text of what breaks a rule.
matches() {
	sources "$2" | xargs grep -nE "$1" /dev/null || true
}

# report <rule> <what breaks it, if anything>
report() {
	[ -n "$2" ] || return 0
	printf 'check-source: %s\n%s\n' "$1" "$2" >&2
	broken=1
}

long_files() {
	local file lines
	for file in $(sources '*.go') $(sources '*.rs'); do
		lines=$(wc -l <"$file")
		if [ "$lines" -gt "$max_lines" ] && ! grep -q '^// Code generated .* DO NOT EDIT\.$' "$file"; then
			echo "$file: $lines lines"
		fi
	done
}

report 'only ycrdt/internal/ffi says import "C"' \
	"$(matches '^(import[[:space:]]+|[[:space:]]+)"C"' '*.go' | grep -v '^./ycrdt/internal/ffi/' || true)"
report "files written by hand have at most $max_lines lines" "$(long_files)"
report 'no test is skipped: install what it needs in scripts/setup.sh' "$(
	matches '\<[tbf]\.Skip(f|Now)?\(|testing\.Short\(' '*_test.go'
	matches '#\[ignore' '*.rs'
	matches '\<(test|it|describe|t)\.(skip|only|todo)\(' '*.mjs'
)"
exit "$broken"
