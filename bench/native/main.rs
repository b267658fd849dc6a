//! Native yrs behind the door of the benchmark, beside parts of our library alone; `../DOOR.md` describes the door.

mod memory;
mod result;
mod script;
mod workload;

use serde_json::{json, Value};
use std::io::{BufRead, Write};
use workload::Workload;

fn main() {
    let mut loaded = None;
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { return };
        let reply = answer(&line, &mut loaded).unwrap_or_else(|error| json!({ "error": error }));
        let mut out = std::io::stdout().lock();
        if writeln!(out, "{reply}").and_then(|()| out.flush()).is_err() {
            return;
        }
    }
}

fn answer(line: &str, loaded: &mut Option<Workload>) -> Result<Value, String> {
    let request: Value = serde_json::from_str(line).map_err(|e| e.to_string())?;
    match request["do"].as_str() {
        Some("hello") => Ok(json!({
            "name": "yrs",
            "version": yrs_version(),
            "language": "Rust",
            "features": ["text", "array", "map", "utf16", "updates", "merge", "gate"],
        })),
        Some("load") => {
            let path = request["path"].as_str().ok_or("a path is missing")?;
            *loaded = Some(Workload::read(path)?);
            Ok(json!({}))
        }
        Some("run") => script::run(loaded.as_ref().ok_or("no workload is loaded")?),
        _ => Err(format!("unknown request {line:?}")),
    }
}

/// The version that Cargo.lock names.
fn yrs_version() -> &'static str {
    let lock = include_str!("../../Cargo.lock");
    let after = lock.split("name = \"yrs\"\nversion = \"").nth(1);
    after
        .and_then(|rest| rest.split('"').next())
        .unwrap_or("unknown")
}
