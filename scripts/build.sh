#!/usr/bin/env bash
# Builds the Rust crate and puts the archive and its stamp where the Go package links them.
# Needs no network once `cargo fetch --locked` has run.
set -euo pipefail
cd "$(dirname "$0")/.."

ffi=$PWD/ycrdt/internal/ffi
target=${CARGO_TARGET_DIR:-$PWD/target}
platform=$(go env GOHOSTOS)_$(go env GOHOSTARCH)

cargo fetch --locked --quiet
# Panic messages name source files: relative to the registry, or they would tell of this machine's folders.
flags=$(printf '%s' "${RUSTFLAGS:-}" | tr ' ' '\037')
for sources in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/; do
	flags+=${flags:+$'\037'}--remap-path-prefix=$sources=
done

# The crate is a Rust library too, for its tests; one crate type alone lets the link-time optimisation work.
mkdir -p "$target"
CARGO_ENCODED_RUSTFLAGS=$flags cargo rustc --locked --release --lib --crate-type staticlib -- \
	--print "native-static-libs=$target/native-static-libs"

scripts/archive.sh "$target/release/libyffi.a" "$ffi/libyffi_$platform.a"
scripts/stamp.sh "$ffi"
