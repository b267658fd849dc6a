#!/usr/bin/env bash
# Fails when the C header on disk is not the one that build.rs makes of yffi/src.
# Any build rewrites the header, so this runs before one; the rewritten header is what to commit.
set -euo pipefail
cd "$(dirname "$0")/.."

header=ycrdt/internal/ffi/yffi.h
before=$(mktemp)
trap 'rm -f "$before"' EXIT
cp "$header" "$before"

out_dir=$(cargo check --locked --quiet --message-format=json |
	sed -n '/"build-script-executed"/s/.*[#/]yffi[@#].*"out_dir":"\([^"]*\)".*/\1/p')
if ! diff -u "$before" "$out_dir/yffi.h"; then
	echo "check-header: $header was out of date and is rewritten: commit it" >&2
	cp "$out_dir/yffi.h" "$header"
	exit 1
fi
