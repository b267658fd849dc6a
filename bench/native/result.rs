//! What is hashed in the end.

use crate::script::Replica;
use crate::workload::Root;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use yrs::types::ToJson;
use yrs::{Any, GetString, Number, Transact};

/// What a root type holds, as its readers get it.
pub enum Content {
    Text(String),
    Value(Any),
}

pub fn read(replica: &Replica, root: Root) -> Content {
    let txn = replica.doc.transact();
    match root {
        Root::Text => Content::Text(replica.text.get_string(&txn)),
        Root::Array => Content::Value(replica.array.to_json(&txn)),
        Root::Map => Content::Value(replica.map.to_json(&txn)),
    }
}

/// The SHA-256 of a text in UTF-8, or of the JSON of the others.
pub fn hash(content: &Content) -> String {
    let canonical = match content {
        Content::Text(text) => text.clone(),
        Content::Value(value) => json(value).to_string(),
    };
    let mut out = String::new();
    for byte in Sha256::digest(canonical) {
        let _ = write!(out, "{byte:02x}"); // never fails on a String
    }
    out
}

/// JSON whose keys are sorted, as those of `serde_json` are, and whose whole numbers have no fraction.
fn json(value: &Any) -> Value {
    match value {
        Any::Null | Any::Undefined | Any::Buffer(_) => Value::Null,
        Any::Bool(value) => (*value).into(),
        Any::Number(Number::Int(value)) => (*value).into(),
        Any::Number(Number::Float(value)) if value.fract() == 0.0 => (*value as i64).into(),
        Any::Number(Number::Float(value)) => (*value).into(),
        Any::String(value) => Value::String(value.to_string()),
        Any::Array(values) => values.iter().map(json).collect(),
        Any::Map(values) => values.iter().map(|(k, v)| (k.clone(), json(v))).collect(),
    }
}
