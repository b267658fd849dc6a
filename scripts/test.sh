#!/usr/bin/env bash
# Every test suite with its time budget; `make test` builds and installs what they need first.
# Usage: test.sh [suite...]   (without names: all)
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh

suites=(rust web go race leaks cgocheck fresh-module)

# Without the browser and peer tests: those exercise other processes, which the detector does not see.
race() {
	go list ./... | grep -v '/e2e$' | xargs go test -count=1 -timeout 10m -race
}

run() {
	case $1 in
	rust) step rust 120 cargo test --locked ;;
	web) step web 20 node --test ywebsocket/cmd/yserver/web/test/ ;;
	go) step go 300 go test -count=1 -timeout 10m ./... ;;
	race) step race 300 race ;;
	leaks) step leaks 60 go test -count=1 -timeout 5m -tags yffidebug ./ycrdt/... ;;
	cgocheck) GOEXPERIMENT=cgocheck2 step cgocheck 120 go test -count=1 -timeout 5m ./ycrdt/... ;;
	fresh-module) step fresh-module 60 scripts/fresh-module.sh ;;
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
