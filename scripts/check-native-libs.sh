#!/usr/bin/env bash
# Fails when the linker flags of the Go package are not the libraries that rustc says the archive needs.
# They change with the Rust version and with the crates. Runs after build.sh.
set -euo pipefail
cd "$(dirname "$0")/.."

file=ycrdt/internal/ffi/link_$(go env GOHOSTOS)_$(go env GOHOSTARCH).go
want=$(cat "${CARGO_TARGET_DIR:-target}/native-static-libs")
# The line names the archive first.
got=$(sed -n 's/^#cgo LDFLAGS: [^ ]*\.a //p' "$file")
if [ "$got" != "$want" ]; then
	printf 'check-native-libs: %s links\n  %s\nbut rustc names\n  %s\n' "$file" "$got" "$want" >&2
	exit 1
fi
