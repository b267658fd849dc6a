//! Puts hostile updates into documents, to be run under AddressSanitizer.
//!
//! Usage: `hostile [--ungated]`. Reads sequences of updates from standard input, encoded as in
//! ycrdt/internal/hostile, and writes a line for each when it has survived it. With `--ungated` the updates go to yrs
//! as a naive binding would hand them over: decoded, applied, and with panics caught.

mod abi;
mod frame;
mod gated;
mod ungated;
mod verdict;

use std::io::{self, BufReader, Write};
use std::thread;

/// Go calls from threads that have as much.
const STACK: usize = 8 << 20;

fn main() -> io::Result<()> {
    let play = match std::env::args().nth(1).as_deref() {
        None => gated::play,
        Some("--ungated") => ungated::play,
        Some(other) => {
            eprintln!("hostile: unknown argument {other}; the only one is --ungated");
            std::process::exit(2);
        }
    };
    yffi::yffi_init();
    let player = thread::Builder::new().stack_size(STACK).spawn(move || {
        let (mut input, mut output) = (BufReader::new(io::stdin()), io::stdout());
        while let Some(sequence) = frame::read(&mut input)? {
            writeln!(output, "{}", play(&sequence))?;
            output.flush()?;
        }
        Ok(())
    })?;
    player
        .join()
        .expect("panics are caught where they may happen")
}
