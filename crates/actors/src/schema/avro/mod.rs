//! Avro: schemas as Avro 1.12 defines them, with their resolution and their binary form.

mod binary;
mod parse;
mod resolve;

use serde_json::Value;

pub(crate) use binary::{decode, encode};
pub(crate) use resolve::resolve;

/// A parsed schema.
#[derive(Debug, Clone, PartialEq)]
pub struct Avro {
    pub(crate) root: Type,
    /// Records, enums and fixeds: types refer to them by number, so that a record can
    /// contain itself.
    pub(crate) named: Vec<Named>,
}

/// A type.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Type {
    Plain(Plain),
    Array(Box<Type>),
    Map(Box<Type>),
    Union(Vec<Type>),
    Named(usize),
}

/// Types without parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plain {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    String,
}

/// A type with a name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Named {
    /// With its namespace.
    pub full_name: String,
    /// With their namespaces.
    pub aliases: Vec<String>,
    pub body: Body,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Body {
    Record(Vec<Field>),
    Enum { symbols: Vec<String>, default: Option<String> },
    Fixed(usize),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Field {
    pub name: String,
    pub aliases: Vec<String>,
    pub kind: Type,
    pub default: Option<Value>,
}

impl Named {
    /// Without its namespace.
    pub fn name(&self) -> &str {
        self.full_name.rsplit('.').next().unwrap_or(&self.full_name)
    }
}

impl Plain {
    pub const ALL: [Plain; 8] = [
        Plain::Null,
        Plain::Boolean,
        Plain::Int,
        Plain::Long,
        Plain::Float,
        Plain::Double,
        Plain::Bytes,
        Plain::String,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Plain::Null => "null",
            Plain::Boolean => "boolean",
            Plain::Int => "int",
            Plain::Long => "long",
            Plain::Float => "float",
            Plain::Double => "double",
            Plain::Bytes => "bytes",
            Plain::String => "string",
        }
    }

    pub fn named(name: &str) -> Option<Plain> {
        Plain::ALL.into_iter().find(|plain| plain.name() == name)
    }
}

impl Avro {
    pub(crate) fn parse(text: &str) -> Result<Avro, String> {
        parse::parse(text)
    }

    /// A type in a word: `array of string`.
    pub(crate) fn word(&self, kind: &Type) -> String {
        match kind {
            Type::Plain(plain) => plain.name().to_owned(),
            Type::Array(items) => format!("array of {}", self.word(items)),
            Type::Map(values) => format!("map of {}", self.word(values)),
            Type::Union(branches) => {
                let words: Vec<String> =
                    branches.iter().map(|branch| self.word(branch)).collect();
                format!("[{}]", words.join(", "))
            }
            Type::Named(number) => self.named[*number].name().to_owned(),
        }
    }
}
