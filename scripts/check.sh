#!/usr/bin/env bash
# Every linter and drift check, in the order of what they need; `make check` installs the tools first.
# govulncheck and cargo-deny are in the GitHub workflow: their databases come from the network.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh

unformatted() {
	local files
	files=$(gofmt -l bench scripts ycrdt ywebsocket internal) && [ -z "$files" ] && return
	printf 'run gofmt -w on:\n%s\n' "$files"
	return 1
}

# vet and staticcheck see one set of build tags at a time; bench is a module of its own.
vet() {
	go vet ./... && go vet -tags "$tags" ./... && (cd bench && go vet ./...)
}

staticcheck() {
	go tool -modfile=scripts/tools/go.mod staticcheck ./... &&
		go tool -modfile=scripts/tools/go.mod staticcheck -tags "$tags" ./... &&
		(cd bench && go tool -modfile=../scripts/tools/go.mod staticcheck ./...)
}

# The peers of the benchmark that no compiler sees.
scripts() {
	node --check bench/peers/yjs/peer.mjs && python3 -m py_compile bench/peers/pycrdt/peer.py
}

tags='yffidebug nightly'

step header 60 scripts/check-header.sh
step build 120 scripts/build.sh
step native-libs 5 scripts/check-native-libs.sh
step source 5 scripts/check-source.sh
step gofmt 5 unformatted
step rustfmt 5 cargo fmt --check
step clippy 20 cargo clippy --locked --all-targets --all-features -- -D warnings
step vet 40 vet
step staticcheck 90 staticcheck
step shellcheck 5 shellcheck scripts/*.sh .ci/run
step scripts 5 scripts
step notices 10 go run ./scripts/notices -check
step demo-bundle 10 node ywebsocket/cmd/yserver/web/build.mjs --check
finish
