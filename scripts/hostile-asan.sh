#!/usr/bin/env bash
# Builds the crate with the hostile driver under AddressSanitizer and runs the tests that need it.
# Usage: hostile-asan.sh [go test arguments...]
set -euo pipefail
cd "$(dirname "$0")/.."

# The sanitizer flag is unstable, but the pinned toolchain brings its runtime. RUSTC_BOOTSTRAP has that toolchain take
# the flag, so that no second one need be downloaded; nothing that is released is built this way. With --target, the
# flag is not applied to build scripts; a folder of its own keeps the other builds' caches. Nothing is linked across
# crates, because that takes longer than it saves; line numbers are for the reports.
export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
export CARGO_PROFILE_RELEASE_DEBUG=line-tables-only
RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zsanitizer=address" cargo build --locked --release --quiet \
	--features hostile --bin hostile --target x86_64-unknown-linux-gnu --target-dir build/asan

go test -count=1 -timeout 60m -tags sanitized "$@" ./ycrdt/internal/hostile
