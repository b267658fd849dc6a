//! What is told about a sequence when it has been survived.

use crate::abi::{Refused, Result};
use std::fmt;
use std::time::{Duration, Instant};
use yffi::YffiCode;

/// No call may take longer.
const MAX_CALL: Duration = Duration::from_secs(2);

#[derive(Default)]
pub struct Verdict {
    pub updates: usize,
    pub accepted: usize,
    pub integrated: usize,
    pub poisoned: Option<String>,
    pub panics: Vec<String>,
    pub failures: Vec<String>,
}

impl Verdict {
    /// Runs a call that may be refused.
    pub fn call<T>(&mut self, what: &str, call: impl FnOnce() -> Result<T>) -> Option<T> {
        let start = Instant::now();
        let result = call();
        if start.elapsed() > MAX_CALL {
            self.fail(what, &format!("took more than {MAX_CALL:?}"));
        }
        let Refused { code, message } = match result {
            Ok(value) => return Some(value),
            Err(refused) => refused,
        };
        if code == YffiCode::Panic as i32 {
            self.panics.push(format!("{what}: {message}"));
        } else if code == YffiCode::ApplyFailed as i32 {
            self.poison(what, &message);
        } else if code == YffiCode::Busy as i32 {
            self.fail(what, &message);
        }
        None
    }

    /// As `call`; but it has to succeed, unless the document is poisoned.
    pub fn need<T>(&mut self, what: &str, call: impl FnOnce() -> Result<T>) -> Option<T> {
        let mut why = String::new();
        let value = self.call(what, || {
            call().inspect_err(|refused| why = refused.message.clone())
        });
        if value.is_none() && self.poisoned.is_none() {
            self.fail(what, &why);
        }
        value
    }

    /// As `call`, for what writes: if it panics, the document is poisoned.
    pub fn write<T>(&mut self, what: &str, call: impl FnOnce() -> Result<T>) -> Option<T> {
        if self.poisoned.is_some() {
            return None;
        }
        let panics = self.panics.len();
        let value = self.call(what, call);
        if self.panics.len() > panics {
            self.poisoned = self.panics.pop();
        }
        value
    }

    fn poison(&mut self, what: &str, message: &str) {
        self.poisoned
            .get_or_insert_with(|| format!("{what}: {message}"));
    }

    pub fn fail(&mut self, what: &str, why: &str) {
        self.failures.push(format!("{what}: {why}"));
    }
}

/// As the tests read it: fields between tabs.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}\t{}\t{}",
            self.updates, self.accepted, self.integrated
        )?;
        let poisoned = self.poisoned.iter().map(|text| ("poisoned", text));
        let panics = self.panics.iter().map(|text| ("panic", text));
        let failures = self.failures.iter().map(|text| ("failure", text));
        for (kind, text) in poisoned.chain(panics).chain(failures) {
            write!(f, "\t{kind} {}", text.replace(['\t', '\n'], " "))?;
        }
        Ok(())
    }
}
