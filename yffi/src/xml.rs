//! XML as markup, as Yjs prints it, with the attributes in the order of their names.
//!
//! yrs's own printing goes round for ever where a peer wrote characters or arrays in the place of elements; the walk
//! of a text does not.

use crate::branch::{kind_of, YffiKind};
use yrs::branch::BranchPtr;
use yrs::{Any, GetString, Map, MapRef, Out, ReadTxn, Text, TextRef, XmlElementRef, XmlTextRef};

/// Appends the markup of an XML type. What is no XML in it is left out.
pub fn print(txn: &impl ReadTxn, branch: BranchPtr, out: &mut String) {
    match kind_of(branch.type_ref()) {
        YffiKind::XmlText => out.push_str(&XmlTextRef::from(branch).get_string(txn)),
        YffiKind::XmlFragment => print_children(txn, branch, out),
        YffiKind::XmlElement => {
            let element = XmlElementRef::from(branch);
            let tag = element.tag();
            out.push('<');
            out.push_str(tag);
            print_attributes(txn, branch, out);
            out.push('>');
            print_children(txn, branch, out);
            out.push_str("</");
            out.push_str(tag);
            out.push('>');
        }
        _ => {}
    }
}

fn print_children(txn: &impl ReadTxn, branch: BranchPtr, out: &mut String) {
    for chunk in TextRef::from(branch).diff(txn, |_| ()) {
        if let Some(child) = chunk.insert.try_branch() {
            print(txn, child.into(), out);
        }
    }
}

fn print_attributes(txn: &impl ReadTxn, branch: BranchPtr, out: &mut String) {
    let attributes = MapRef::from(branch);
    let mut entries: Vec<(&str, Any)> = attributes
        .iter(txn)
        .filter_map(|(name, value)| match value {
            Out::Any(value) => Some((name, value)),
            _ => None,
        })
        .collect();
    entries.sort_unstable_by_key(|(name, _)| *name);
    for (name, value) in entries {
        out.push_str(&format!(" {name}=\"{value}\""));
    }
}
