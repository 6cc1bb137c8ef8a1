//! The records of the `_schemas` topic: keys and values as Confluent's registry writes them.

use serde_json::{Value, json};

use crate::schema::{Compatibility, Schema, SchemaType};

/// What a record of the topic says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Entry {
    /// A version of a subject.
    Schema { subject: String, version: u32, id: u32, schema: Schema, is_deleted: bool },
    /// A version is gone for good.
    NoSchema { subject: String, version: u32 },
    /// Every version up to this one is deleted softly.
    DeleteSubject { subject: String, up_to: u32 },
    /// A level, of a subject or of all; none takes it back.
    Level { subject: Option<String>, level: Option<Compatibility> },
    /// Marks where the log ended when a registry started.
    Noop,
}

/// A record before it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    pub key: String,
    pub value: Option<String>,
}

fn schema_key(subject: &str, version: u32) -> String {
    let subject = Value::from(subject);
    format!(r#"{{"keytype":"SCHEMA","subject":{subject},"version":{version},"magic":1}}"#)
}

impl Entry {
    pub fn written(&self) -> Written {
        match self {
            Entry::Schema { subject, version, id, schema, is_deleted } => {
                let key = schema_key(subject, *version);
                let (subject, text) =
                    (Value::from(&**subject), Value::from(&**schema.text()));
                let kind = match schema.kind() {
                    SchemaType::Avro => String::new(),
                    other => format!(r#""schemaType":"{other}","#),
                };
                let value = format!(
                    r#"{{"subject":{subject},"version":{version},"id":{id},{kind}"schema":{text},"deleted":{is_deleted}}}"#
                );
                Written { key, value: Some(value) }
            }
            Entry::NoSchema { subject, version } => {
                Written { key: schema_key(subject, *version), value: None }
            }
            Entry::DeleteSubject { subject, up_to } => {
                let subject = Value::from(&**subject);
                let key = format!(
                    r#"{{"keytype":"DELETE_SUBJECT","subject":{subject},"magic":0}}"#
                );
                let value = format!(r#"{{"subject":{subject},"version":{up_to}}}"#);
                Written { key, value: Some(value) }
            }
            Entry::Level { subject, level } => {
                let subject = json!(subject);
                let key =
                    format!(r#"{{"keytype":"CONFIG","subject":{subject},"magic":0}}"#);
                let value =
                    level.map(|level| format!(r#"{{"compatibilityLevel":"{level}"}}"#));
                Written { key, value }
            }
            Entry::Noop => {
                let key = r#"{"keytype":"NOOP","magic":0}"#.to_owned();
                Written { key, value: None }
            }
        }
    }

    /// What a record says; none for one that no registry wrote.
    pub fn read(key: &[u8], value: Option<&[u8]>) -> Option<Entry> {
        let key: Value = serde_json::from_slice(key).ok()?;
        let value: Option<Value> = match value {
            Some(value) => Some(serde_json::from_slice(value).ok()?),
            None => None,
        };
        let subject = key.get("subject").and_then(Value::as_str).map(ToOwned::to_owned);
        let number = |value: &Value, name: &str| {
            value.get(name)?.as_u64().and_then(|it| u32::try_from(it).ok())
        };
        match (key.get("keytype")?.as_str()?, value) {
            ("NOOP", _) => Some(Entry::Noop),
            ("SCHEMA", None) => {
                let (subject, version) = (subject?, number(&key, "version")?);
                Some(Entry::NoSchema { subject, version })
            }
            ("SCHEMA", Some(value)) => {
                let kind = value.get("schemaType").and_then(Value::as_str);
                let kind = SchemaType::named(kind.unwrap_or("AVRO"))?;
                let text = value.get("schema")?.as_str()?;
                let deleted = value.get("deleted").and_then(Value::as_bool);
                Some(Entry::Schema {
                    subject: subject?,
                    version: number(&key, "version")?,
                    id: number(&value, "id")?,
                    schema: Schema::parse(kind, text).ok()?,
                    is_deleted: deleted.unwrap_or(false),
                })
            }
            ("DELETE_SUBJECT", Some(value)) => {
                let up_to = number(&value, "version")?;
                Some(Entry::DeleteSubject { subject: subject?, up_to })
            }
            ("CONFIG", value) => {
                let level = value.as_ref().and_then(|it| it.get("compatibilityLevel"));
                let level = level.and_then(Value::as_str).and_then(Compatibility::named);
                Some(Entry::Level { subject, level })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_is_read_as_it_was_written() {
        let schema = |kind, text| Schema::parse(kind, text).expect("good");
        let version = |schema, is_deleted| Entry::Schema {
            subject: "orders \"x\"-value".to_owned(),
            version: 2,
            id: 7,
            schema,
            is_deleted,
        };
        let subject = "s".to_owned();
        for entry in [
            version(schema(SchemaType::Avro, "\"string\""), false),
            version(schema(SchemaType::Json, r#"{"type":"string"}"#), true),
            Entry::NoSchema { subject: subject.clone(), version: 3 },
            Entry::DeleteSubject { subject: subject.clone(), up_to: 4 },
            Entry::Level { subject: None, level: Some(Compatibility::Full) },
            Entry::Level { subject: Some(subject), level: None },
            Entry::Noop,
        ] {
            let written = entry.written();
            let value = written.value.as_deref().map(str::as_bytes);
            assert_eq!(Entry::read(written.key.as_bytes(), value), Some(entry));
        }
    }

    #[test]
    fn what_no_registry_wrote_is_passed_over() {
        assert_eq!(Entry::read(b"hello", None), None);
        assert_eq!(Entry::read(br#"{"keytype":"OTHER"}"#, Some(b"{}")), None);
    }
}
