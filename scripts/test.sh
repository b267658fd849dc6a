#!/usr/bin/env bash
# Every test suite with its time budget; `make test` builds and installs what they need first.
# Usage: test.sh [suite...]   (without names: all)
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh

suites=(rust web go e2e race leaks cgocheck asan fresh-module bench)

# The browser and peer tests are a suite of their own: they load both cores, and what they exercise is
# in other processes, which the race detector does not see.
in_process() {
	go list ./... | grep -v '/e2e$' | xargs go test -count=1 -timeout 10m "$@"
}

# The native program as the Rust tests have built most of it: the workloads of these tests are small.
bench() {
	cargo build --locked --features bench --bin bench-native && (cd bench && go test -count=1 -timeout 10m ./...)
}

run() {
	case $1 in
	rust) step rust 90 cargo test --locked ;;
	web) step web 10 npm test --silent --prefix ywebsocket/cmd/yserver/web ;;
	go) step go 200 in_process ;;
	e2e) step e2e 360 go test -count=1 -timeout 15m ./ywebsocket/e2e ;;
	race) step race 240 in_process -race ;;
	leaks) step leaks 90 go test -count=1 -timeout 10m -tags yffidebug ./ycrdt/... ;;
	cgocheck) GOEXPERIMENT=cgocheck2 step cgocheck 120 go test -count=1 -timeout 10m ./ycrdt/... ;;
	asan) step asan 480 scripts/hostile-asan.sh -run 'AddressSanitizer|GateOff' ;;
	bench) step bench 60 bench ;;
	fresh-module) step fresh-module 30 scripts/fresh-module.sh ;;
	*)
		echo "test.sh: unknown suite $1; there are ${suites[*]}" >&2
		exit 2
		;;
	esac
}

[ $# -gt 0 ] || set -- "${suites[@]}"
for suite in "$@"; do
	run "$suite"
done
finish
