//! Writes the C header of the crate's exports to the Go package that includes it.

use std::path::Path;
use std::{env, fs};

const HEADER: &str = "ycrdt/internal/ffi/yffi.h";

fn main() {
    for input in ["build.rs", "cbindgen.toml", "yffi/src"] {
        println!("cargo:rerun-if-changed={input}");
    }
    // scripts/check-header.sh compares this copy with the committed header.
    let copy = Path::new(&env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("yffi.h");
    fs::write(&copy, "").expect("OUT_DIR is writable");

    let config = cbindgen::Config::from_file("cbindgen.toml").expect("cbindgen.toml is valid");
    let bindings = cbindgen::Builder::new()
        .with_config(config)
        .with_src("yffi/src/lib.rs")
        .generate();
    let bindings = match bindings {
        Ok(bindings) => bindings,
        Err(err) => {
            // Source that does not parse: the compiler runs next and says where.
            println!("cargo:warning={HEADER} not written: {err}");
            return;
        }
    };
    let mut header = Vec::new();
    bindings.write(&mut header);
    fs::write(&copy, &header).expect("OUT_DIR is writable");

    // Left alone when current, so that a read-only checkout builds.
    if fs::read(HEADER).is_ok_and(|current| current == header) {
        return;
    }
    if let Err(err) = fs::write(HEADER, &header) {
        panic!("{HEADER} does not match yffi/src and cannot be rewritten: {err}");
    }
}
