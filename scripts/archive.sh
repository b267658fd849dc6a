#!/usr/bin/env bash
# Turns cargo's static library into the one that Go links: one object, in which only yffi_* is global.
# Two Rust libraries in one Go binary would otherwise clash on the symbols of Rust's runtime.
# Usage: archive.sh <static library> <archive to write>
set -euo pipefail

in=$1 out=$2
scripts=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The exported functions, one per line, as the object format spells them.
exports() {
	nm -g "$1" 2>/dev/null | awk '$2 == "T" && $3 ~ /^_?yffi_/ { print $3 }' | sort -u
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
[ -n "$(exports out.a)" ] || {
	echo "archive.sh: $in exports no yffi_* function" >&2
	exit 1
}
cmp -s out.a "$out" || mv out.a "$out"
