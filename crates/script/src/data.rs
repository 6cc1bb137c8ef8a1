//! Values with their places: what a call's argument or a YAML document says.
//!
//! Both front ends meet here. A script's values come from the running script, and get their
//! places from the call table; a document's values have them from the start.

use topomotion_model::{FileId, Span};

use crate::typescript::{Form, Written};

/// A value, and where it is written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Data {
    pub span: Option<Span>,
    pub value: Value,
}

/// A plain value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// `undefined`, `null`, or an empty YAML value.
    Absent,
    Bool(bool),
    /// A number, and how it is written where that is known: `012` may mean text.
    Number(f64, Option<String>),
    Text(String),
    List(Vec<Data>),
    Map(Vec<Entry>),
    /// A builder of the script, by its number.
    Builder(u32),
    /// What no option takes: `a function`.
    Other(&'static str),
}

/// One key of a map.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub key: String,
    pub key_span: Option<Span>,
    pub data: Data,
}

impl Data {
    /// A value of unknown place.
    pub(crate) fn unplaced(value: Value) -> Data {
        Data { span: None, value }
    }

    /// Whether there is a value at all.
    pub(crate) fn is_absent(&self) -> bool {
        self.value == Value::Absent
    }

    /// What messages call it: `text`, `a list`.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Absent => "nothing",
            Value::Bool(true) => "`true`",
            Value::Bool(false) => "`false`",
            Value::Number(..) => "a number",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "an object",
            Value::Builder(_) => "a builder",
            Value::Other(what) => what,
        }
    }

    /// Gives the value, and what is inside it, the places where they are written.
    pub(crate) fn place(&mut self, file: FileId, written: &Written) {
        let span = |range: &std::ops::Range<u32>| {
            Some(Span { file, start: range.start, end: range.end })
        };
        self.span = span(&written.range);
        match (&mut self.value, &written.form) {
            (Value::List(items), Form::List(places)) => {
                for (item, place) in items.iter_mut().zip(places) {
                    item.place(file, place);
                }
            }
            (Value::Map(entries), Form::Object(places)) => {
                for entry in entries {
                    // The last of equal keys is the one that counts.
                    let place = places.iter().rfind(|(name, ..)| *name == entry.key);
                    let Some((_, key, value)) = place else { continue };
                    entry.key_span = span(key);
                    entry.data.place(file, value);
                }
            }
            _ => {}
        }
    }
}
