//! A workload file, with its values as yrs takes them.

use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;
use yrs::{Any, Number};

pub struct Workload {
    pub listen: Vec<u64>,
    pub log: Vec<Vec<u8>>,
    pub parts: Vec<Vec<Step>>,
    pub result: (u64, Root),
}

/// The root types of a document.
#[derive(Clone, Copy)]
pub enum Root {
    Text,
    Array,
    Map,
}

/// Updates of the log, as a step bounds them.
pub struct Range {
    from: i64,
    to: i64,
}

pub enum Step {
    Edit(u64, Edits, bool),
    Apply(u64, Range, bool),
    Encode(u64),
    Merge(Range),
    Read(u64, Root, u64),
    Gate(Range),
    Check(Range),
}

pub enum Edits {
    Text(Vec<(u32, u32, String)>),
    Array(Vec<(u32, Vec<Any>)>),
    Map(Vec<(String, Any)>),
}

impl Range {
    pub fn of<'a>(&self, log: &'a [Vec<u8>]) -> Result<&'a [Vec<u8>], String> {
        let length = log.len() as i64;
        let from = self.from + if self.from < 0 { length } else { 0 };
        let to = self.to + if self.to <= 0 { length } else { 0 };
        log.get(from as usize..to as usize)
            .ok_or_else(|| format!("updates {from} to {to} of a log of {length}"))
    }
}

impl Workload {
    pub fn read(path: &str) -> Result<Workload, String> {
        let text = std::fs::read(path).map_err(|e| format!("{path}: {e}"))?;
        let file: Value = serde_json::from_slice(&text).map_err(|e| format!("{path}: {e}"))?;
        parse(&file).ok_or_else(|| format!("{path}: not a workload"))?
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], |items| items)
}

/// Returns `None` where something of the workload is missing, and an error where a step is unknown.
fn parse(file: &Value) -> Option<Result<Workload, String>> {
    let mut parts = Vec::new();
    for part in list(&file["parts"]) {
        let mut steps = Vec::new();
        for value in list(&part["steps"]) {
            match step(value)? {
                Ok(step) => steps.push(step),
                Err(error) => return Some(Err(error)),
            }
        }
        parts.push(steps);
    }
    let result = &file["result"];
    Some(Ok(Workload {
        listen: list(&file["listen"])
            .iter()
            .filter_map(Value::as_u64)
            .collect(),
        log: list(&file["log"])
            .iter()
            .map(|update| unhex(update.as_str()?))
            .collect::<Option<_>>()?,
        parts,
        result: (result["doc"].as_u64()?, root(result)?),
    }))
}

fn step(value: &Value) -> Option<Result<Step, String>> {
    let doc = value["doc"].as_u64()?;
    let together = value["together"].as_bool().unwrap_or(false);
    let range = Range {
        from: value["from"].as_i64().unwrap_or(0),
        to: value["to"].as_i64().unwrap_or(0),
    };
    Some(Ok(match value["do"].as_str()? {
        "edit" => Step::Edit(doc, edits(value)?, together),
        "apply" => Step::Apply(doc, range, together),
        "encode" => Step::Encode(doc),
        "merge" => Step::Merge(range),
        "read" => Step::Read(doc, root(value)?, value["times"].as_u64().unwrap_or(1)),
        "gate" => Step::Gate(range),
        "check" => Step::Check(range),
        other => return Some(Err(format!("there is no step {other:?}"))),
    }))
}

fn root(value: &Value) -> Option<Root> {
    match value["on"].as_str()? {
        "text" => Some(Root::Text),
        "array" => Some(Root::Array),
        "map" => Some(Root::Map),
        _ => None,
    }
}

fn edits(step: &Value) -> Option<Edits> {
    let number = |value: &Value| u32::try_from(value.as_u64()?).ok();
    if let Some(ops) = step["text"].as_array() {
        let op = |op: &Value| Some((number(&op[0])?, number(&op[1])?, op[2].as_str()?.to_owned()));
        return ops.iter().map(op).collect::<Option<_>>().map(Edits::Text);
    }
    if let Some(ops) = step["array"].as_array() {
        let op = |op: &Value| Some((number(&op[0])?, list(&op[1]).iter().map(any).collect()));
        return ops.iter().map(op).collect::<Option<_>>().map(Edits::Array);
    }
    let op = |op: &Value| Some((op[0].as_str()?.to_owned(), any(&op[1])));
    let ops = list(&step["map"]).iter().map(op);
    ops.collect::<Option<_>>().map(Edits::Map)
}

fn any(value: &Value) -> Any {
    match value {
        Value::Null => Any::Null,
        Value::Bool(value) => Any::Bool(*value),
        Value::Number(value) => Any::Number(match value.as_i64() {
            Some(whole) => Number::Int(whole),
            None => Number::Float(value.as_f64().unwrap_or(f64::NAN)),
        }),
        Value::String(value) => Any::String(value.as_str().into()),
        Value::Array(values) => Any::Array(values.iter().map(any).collect()),
        Value::Object(values) => {
            let entries: HashMap<_, _> = values.iter().map(|(k, v)| (k.clone(), any(v))).collect();
            Any::Map(Arc::new(entries))
        }
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |at: u8| char::from(at).to_digit(16).map(|digit| digit as u8);
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| Some(digit(*pair.first()?)? << 4 | digit(*pair.get(1)?)?))
        .collect()
}
