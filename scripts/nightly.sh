#!/usr/bin/env bash
# The suites that are too long for every commit; their results replace the last ones in docs/nightly.md.
# FUZZTIME (default 2m) is the time for each fuzz target.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh

page=docs/nightly.md

# fuzz_targets: a line "<package> <function>" for each.
fuzz_targets() {
	grep -rn --include='*_test.go' --exclude-dir=node_modules '^func Fuzz' . |
		sed -E 's#^(.*)/[^/]*:[0-9]+:func (Fuzz[A-Za-z0-9_]*).*#\1 \2#' | sort
}

# Replaces what follows the page's last heading.
write_results() {
	local head
	head=$(sed '/^## Last run$/q' "$page")
	{
		printf '%s\n\n' "$head"
		printf 'Commit %s, %s, %s cores, %s.\n\n' \
			"$(git rev-parse --short HEAD)" "$(date -u +%Y-%m-%d)" "$(getconf _NPROCESSORS_ONLN)" "$(go env GOHOSTOS)/$(go env GOHOSTARCH)"
		printf '| suite | result | seconds |\n|---|---|---|\n'
		printf '%s\n' "${results[@]}"
		printf '\nHostile load:\n\n'
		sed -nE 's/^ +[a-z_]+\.go:[0-9]+: (among|beside|memory)/* \1/p' "$figures"
	} >"$page.new"
	mv "$page.new" "$page"
}

# What it measures goes onto the page, too.
hostile_load() {
	go test -count=1 -v -timeout 10m -tags nightly -run TestHostileLoad_Minute ./ywebsocket/e2e | tee "$figures"
}

figures=$(mktemp)
trap 'rm -f "$figures"' EXIT
step hostile-load 300 hostile_load # first, while nothing else runs
step tests 3600 go test -count=1 -timeout 90m -tags nightly -skip TestHostileLoad_Minute ./...
step undo 300 env YFFI_UNDO_SESSIONS=20000 cargo test --locked --release --lib undo_test
step kill 3600 go test -count=10 -timeout 90m -run TestCrash ./ywebsocket/e2e
step asan 5400 env YRS_HOSTILE="${YRS_HOSTILE:-2000000}" scripts/hostile-asan.sh -timeout 90m -run 'AddressSanitizer|GateOff'
step second-rust-library 120 scripts/second-rust-library.sh
while read -r package function; do
	step "$function" 300 go test -run '^$' -fuzz "^$function\$" -fuzztime "${FUZZTIME:-2m}" "$package"
done < <(fuzz_targets)

write_results
finish
