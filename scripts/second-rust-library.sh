#!/usr/bin/env bash
# Links a second Rust static library, not localised, into one Go program with ycrdt and lets both panic:
# neither the symbols nor the unwinding of the two copies of Rust's runtime may clash.
set -euo pipefail
cd "$(dirname "$0")/.."

root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

cat >other.rs <<'RUST'
#[no_mangle]
pub extern "C" fn other_catches() -> bool {
    std::panic::catch_unwind(|| panic!("in the second library")).is_err()
}
RUST
rustc --crate-type staticlib --crate-name other -C opt-level=1 other.rs
libs=$(cat "${CARGO_TARGET_DIR:-$root/target}/native-static-libs")

platform=$(go env GOHOSTOS)_$(go env GOHOSTARCH)

cat >main.go <<GO
package main

/*
#cgo CFLAGS: -I$root/ycrdt/internal/ffi
#cgo LDFLAGS: \${SRCDIR}/libother.a $root/ycrdt/internal/ffi/libyffi_$platform.a $libs
#include "yffi.h"
bool other_catches(void);
*/
import "C"

import (
	"log"

	"github.com/yrs-go/yrs/ycrdt"
)

func main() {
	doc := ycrdt.NewDoc()
	defer doc.Close()
	var err C.YffiError
	if code := C.yffi_test_panic(&err); code != C.YFFI_CODE_PANIC {
		log.Fatalf("yffi: a panic gave code %d", code)
	}
	if !C.other_catches() {
		log.Fatal("the second library did not catch its panic")
	}
	log.Print("both libraries panicked and caught it")
}
GO
go mod init example.com/second 2>/dev/null
go mod edit -require=github.com/yrs-go/yrs@v0.0.0 -replace="github.com/yrs-go/yrs=$root"
cp "$root/go.sum" .
GOFLAGS=-mod=mod go run .
