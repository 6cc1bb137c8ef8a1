//! Schemas: what they are, and why one cannot read what another wrote.
//!
//! Avro's resolution rules, and the differences that a registry tolerates between two JSON
//! Schemas or two Protobuf files, are each in a folder of their own. The rules are written
//! here on the parsed schema: `apache-avro` brings a random source and checks that stop at
//! the first difference without saying where.

pub mod avro;
mod compatibility;
pub mod json;
pub mod protobuf;
mod short;

use std::fmt;
use std::sync::Arc;

pub use compatibility::{Compatibility, Incompatible};
pub use short::from_words;

/// The languages of schemas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SchemaType {
    /// Apache Avro.
    Avro,
    /// JSON Schema.
    Json,
    /// Protocol Buffers.
    Protobuf,
}

/// A schema that makes sense.
#[derive(Debug, Clone)]
pub struct Schema {
    text: Arc<str>,
    parsed: Parsed,
}

#[derive(Debug, Clone)]
enum Parsed {
    Avro(Arc<avro::Avro>),
    Json(Arc<json::JsonSchema>),
    Protobuf(Arc<protobuf::Protobuf>),
}

/// One difference that keeps a reader from what a writer wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Where in the schema: `Order.amount`.
    pub at: String,
    /// What, with [`READER`] and [`WRITER`] where the two are named.
    pub text: String,
}

/// Stands for the reading schema in a [`Reason`].
pub const READER: &str = "{reader}";
/// Stands for the writing schema in a [`Reason`].
pub const WRITER: &str = "{writer}";

impl Reason {
    pub(crate) fn new(at: impl Into<String>, text: impl Into<String>) -> Reason {
        Reason { at: at.into(), text: text.into() }
    }

    /// The reason with both schemas named: `the new schema`, `version 1`.
    pub fn tell(&self, reader: &str, writer: &str) -> String {
        let text = self.text.replace(READER, reader).replace(WRITER, writer);
        match &*self.at {
            "" => text,
            at => format!("{at}: {text}"),
        }
    }
}

impl SchemaType {
    /// As a registry writes it: `AVRO`.
    pub const fn name(self) -> &'static str {
        match self {
            SchemaType::Avro => "AVRO",
            SchemaType::Json => "JSON",
            SchemaType::Protobuf => "PROTOBUF",
        }
    }

    /// The type of this name.
    pub fn named(name: &str) -> Option<SchemaType> {
        let all = [SchemaType::Avro, SchemaType::Json, SchemaType::Protobuf];
        all.into_iter().find(|kind| kind.name() == name)
    }
}

impl fmt::Display for SchemaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Schema {
    /// Reads a schema, or says what is wrong with it.
    pub fn parse(kind: SchemaType, text: &str) -> Result<Schema, String> {
        let parsed = match kind {
            SchemaType::Avro => Parsed::Avro(Arc::new(avro::Avro::parse(text)?)),
            SchemaType::Json => Parsed::Json(Arc::new(json::JsonSchema::parse(text)?)),
            SchemaType::Protobuf => {
                Parsed::Protobuf(Arc::new(protobuf::Protobuf::parse(text)?))
            }
        };
        let text = match kind {
            SchemaType::Avro | SchemaType::Json => compact(text),
            SchemaType::Protobuf => text.trim().to_owned(),
        };
        Ok(Schema { text: text.into(), parsed })
    }

    /// Its language.
    pub fn kind(&self) -> SchemaType {
        match &self.parsed {
            Parsed::Avro(_) => SchemaType::Avro,
            Parsed::Json(_) => SchemaType::Json,
            Parsed::Protobuf(_) => SchemaType::Protobuf,
        }
    }

    /// Its text without what means nothing. Schemas with the same text are the same.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// Why this schema cannot read what `writer` wrote; nothing if it can.
    pub fn cannot_read(&self, writer: &Schema) -> Vec<Reason> {
        match (&self.parsed, &writer.parsed) {
            (Parsed::Avro(reader), Parsed::Avro(writer)) => avro::resolve(reader, writer),
            (Parsed::Json(reader), Parsed::Json(writer)) => json::compare(writer, reader),
            (Parsed::Protobuf(reader), Parsed::Protobuf(writer)) => {
                protobuf::compare(writer, reader)
            }
            _ => {
                let (reader, writer) = (self.kind(), writer.kind());
                let text = format!("{READER} is {reader}, {WRITER} is {writer}");
                vec![Reason::new("", text)]
            }
        }
    }

    /// A value as records carry it, behind magic byte and id. `value` is JSON, or any text
    /// for a schema of one string.
    pub fn encode(&self, value: &str) -> Result<Vec<u8>, String> {
        match &self.parsed {
            Parsed::Avro(schema) => avro::encode(schema, value),
            Parsed::Json(schema) => schema.encode(value),
            Parsed::Protobuf(schema) => schema.encode(value),
        }
    }

    /// What a record carries behind magic byte and id, as JSON.
    pub fn decode(&self, bytes: &[u8]) -> Result<String, String> {
        match &self.parsed {
            Parsed::Avro(schema) => avro::decode(schema, bytes),
            Parsed::Json(_) => Ok(String::from_utf8_lossy(bytes).into_owned()),
            Parsed::Protobuf(schema) => schema.decode(bytes),
        }
    }
}

impl PartialEq for Schema {
    fn eq(&self, other: &Schema) -> bool {
        self.kind() == other.kind() && self.text == other.text
    }
}

impl Eq for Schema {}

/// JSON without the white space between its tokens.
fn compact(text: &str) -> String {
    let mut compact = String::with_capacity(text.len());
    let (mut inside, mut escaped) = (false, false);
    for c in text.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if inside => escaped = true,
            '"' => inside = !inside,
            c if !inside && c.is_whitespace() => continue,
            _ => {}
        }
        compact.push(c);
    }
    compact
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_makes_no_other_schema() {
        let spaced = r#"{ "type" : "enum", "name": "S", "symbols": ["A" , "B"],
            "doc": "two \" words" }"#;
        let dense =
            r#"{"type":"enum","name":"S","symbols":["A","B"],"doc":"two \" words"}"#;
        let parse = |text| Schema::parse(SchemaType::Avro, text).expect("good");
        assert_eq!(parse(spaced), parse(dense));
        assert_eq!(&**parse(spaced).text(), dense);
    }

    #[test]
    fn two_languages_never_read_each_other() {
        let avro = Schema::parse(SchemaType::Avro, "\"string\"").expect("good");
        let json = Schema::parse(SchemaType::Json, r#"{"type":"string"}"#).expect("good");
        let reasons = avro.cannot_read(&json);
        let told = reasons[0].tell("the new schema", "version 1");
        assert_eq!(told, "the new schema is AVRO, version 1 is JSON");
    }
}
