#!/usr/bin/env bash
# Writes the stamp header: the hash of every archive beside it, which cgo's preamble includes.
# Go's build cache does not see an archive change: a constant of the package, read from this header, makes it look.
# Usage: stamp.sh <folder of the archives>
set -euo pipefail

cd "$1"
sum=(sha256sum)
command -v sha256sum >/dev/null || sum=(shasum -a 256)

{
	echo "// Written by scripts/stamp.sh."
	for archive in libyffi_*.a; do
		platform=${archive#libyffi_}
		name=$(printf '%s' "${platform%.a}" | tr '[:lower:]' '[:upper:]')
		printf '#define YFFI_ARCHIVE_%s "%s"\n' "$name" "$("${sum[@]}" <"$archive" | cut -c 1-64)"
	done
} >yffi_stamp.h.new
if cmp -s yffi_stamp.h.new yffi_stamp.h; then
	rm yffi_stamp.h.new
else
	mv yffi_stamp.h.new yffi_stamp.h
fi
