#!/usr/bin/env bash
# Turns cargo's static library into the one that Go links: one object, in which only yffi_* is global.
# Two Rust libraries in one Go binary would otherwise clash on the symbols of Rust's runtime.
# Usage: archive.sh <static library> <archive to write>
set -euo pipefail

in=$1 out=$2
scripts=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The global symbols that an archive defines, one per line, as the object format spells them.
globals() {
	nm -g "$1" 2>/dev/null | awk 'NF == 3 { print $3 }' | sort -u
}

exports() {
	globals "$1" | grep -E '^_?yffi_' || true
}

# Never --gc-sections here: it drops the unwind tables, and a panic would then abort the process.
merge_elf() {
	# GNU ar cannot index members that carry rustc's bitcode, so that goes first.
	objcopy --remove-section=.llvmbc --remove-section=.llvmcmd --strip-debug "$in" clean.a
	ranlib clean.a
	exports clean.a | sed 's/^/-u /' >roots
	# Groups are resolved now: one that stays would be merged with another library's at Go's link.
	ld -r --force-group-allocation -T "$scripts/archive.ld" -o merged.o @roots clean.a
	objcopy --wildcard --keep-global-symbol='yffi_*' --strip-unneeded merged.o yffi.o
	ar rcsD "$1" yffi.o
}

# Not covered by the Linux tests: the macOS job of the workflow builds and runs this branch.
merge_macho() {
	exports "$in" >exported
	# Symbols outside the list turn local in a partial link.
	sed 's/^/-Wl,-u,/' exported >roots
	cc -r -nostdlib -Wl,-exported_symbols_list,exported -o yffi.o @roots "$in"
	strip -S yffi.o
	ZERO_AR_DATE=1 ar rcs "$1" yffi.o
}

in=$(cd "$(dirname "$in")" && pwd)/$(basename "$in")
out=$(cd "$(dirname "$out")" && pwd)/$(basename "$out")
cd "$work"
case $(uname -s) in
Linux) merge_elf "$work/out.a" ;;
Darwin) merge_macho "$work/out.a" ;;
*)
	echo "archive.sh: no recipe for $(uname -s); Linux and macOS are supported" >&2
	exit 1
	;;
esac
exports out.a >kept
if [ ! -s kept ] || ! globals out.a | cmp -s - kept; then
	echo "archive.sh: the merged archive should define yffi_* functions and nothing else, but defines:" >&2
	globals out.a >&2
	exit 1
fi
cmp -s out.a "$out" || mv out.a "$out"
