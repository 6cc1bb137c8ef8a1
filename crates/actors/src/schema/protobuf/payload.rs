//! A message as a record carries it: its index in the file, then its fields.

use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FieldDescriptorProto};
use serde_json::{Map, Value};

use super::Protobuf;

/// The first message of the file: the list of indexes `[0]`, in its short form.
const FIRST: u8 = 0;
/// Messages in messages go no deeper.
const DEEPEST: u32 = 32;

impl Protobuf {
    pub(crate) fn encode(&self, text: &str) -> Result<Vec<u8>, String> {
        let first = &self.file.message_type[0];
        let value = match serde_json::from_str(text) {
            Ok(value @ Value::Object(_)) => value,
            _ => example(first, text),
        };
        let mut bytes = vec![FIRST];
        self.write(&mut bytes, first, &value)?;
        Ok(bytes)
    }

    pub(crate) fn decode(&self, bytes: &[u8]) -> Result<String, String> {
        let Some((&FIRST, rest)) = bytes.split_first() else {
            return Err("the record holds another message of the file".to_owned());
        };
        let value = self.read(&self.file.message_type[0], rest, DEEPEST)?;
        Ok(value.to_string())
    }

    fn write(
        &self,
        into: &mut Vec<u8>,
        message: &DescriptorProto,
        value: &Value,
    ) -> Result<(), String> {
        let object = value.as_object();
        let object = object.ok_or_else(|| format!("{value} is no {}", message.name()))?;
        if let Some(stray) = object.keys().find(|key| field(message, key).is_none()) {
            return Err(format!("{} has no field {stray}", message.name()));
        }
        for known in &message.field {
            match object.get(known.name()) {
                None => {}
                Some(Value::Array(list)) if known.label() == Label::Repeated => {
                    list.iter().try_for_each(|one| self.write_field(into, known, one))?;
                }
                Some(one) => self.write_field(into, known, one)?,
            }
        }
        Ok(())
    }

    fn write_field(
        &self,
        into: &mut Vec<u8>,
        field: &FieldDescriptorProto,
        value: &Value,
    ) -> Result<(), String> {
        let wrong = || format!("{}: {value} does not fit", field.name());
        let tag = |into: &mut Vec<u8>, kind: u64| write_tag(into, field, kind);
        if let Some(name) = &field.type_name {
            if let Some(inner) = self.message(name) {
                let mut bytes = Vec::new();
                self.write(&mut bytes, inner, value)?;
                tag(into, 2);
                write_varint(into, bytes.len() as u64);
                into.extend(bytes);
                return Ok(());
            }
            let names = self.enumeration(name).ok_or_else(wrong)?;
            let word = value.as_str().ok_or_else(wrong)?;
            let found = names.value.iter().find(|one| one.name() == word);
            tag(into, 0);
            write_varint(into, i64::from(found.ok_or_else(wrong)?.number()) as u64);
            return Ok(());
        }
        write_plain(into, field, value)
    }

    fn read(
        &self,
        message: &DescriptorProto,
        bytes: &[u8],
        depth: u32,
    ) -> Result<Value, String> {
        let mut rest = bytes;
        let mut object = Map::new();
        while !rest.is_empty() {
            let tag = read_varint(&mut rest)?;
            let number = i32::try_from(tag >> 3).map_err(|_| cut())?;
            let known = message.field.iter().find(|it| it.number() == number);
            let raw = match tag & 7 {
                0 => Raw::Number(read_varint(&mut rest)?),
                1 => Raw::Number(u64::from_le_bytes(take(&mut rest)?)),
                5 => Raw::Number(u64::from(u32::from_le_bytes(take(&mut rest)?))),
                2 => {
                    let length = usize::try_from(read_varint(&mut rest)?);
                    let length = length.map_err(|_| cut())?;
                    let parts = rest.split_at_checked(length).ok_or_else(cut)?;
                    rest = parts.1;
                    Raw::Bytes(parts.0)
                }
                _ => return Err(cut()),
            };
            // What a newer writer added is passed over.
            let Some(known) = known else { continue };
            let value = self.value(known, raw, depth)?;
            match known.label() {
                Label::Repeated => {
                    let list = object
                        .entry(known.name())
                        .or_insert_with(|| Value::Array(Vec::new()));
                    if let Value::Array(list) = list {
                        list.push(value);
                    }
                }
                _ => {
                    object.insert(known.name().to_owned(), value);
                }
            }
        }
        Ok(Value::Object(object))
    }

    fn value(
        &self,
        field: &FieldDescriptorProto,
        raw: Raw<'_>,
        depth: u32,
    ) -> Result<Value, String> {
        let named = field.type_name.as_deref();
        match (raw, named) {
            (Raw::Bytes(bytes), Some(name)) => {
                let inner = self.message(name).filter(|_| depth > 0).ok_or_else(cut)?;
                self.read(inner, bytes, depth - 1)
            }
            (Raw::Bytes(bytes), None) => {
                Ok(String::from_utf8_lossy(bytes).into_owned().into())
            }
            (Raw::Number(number), Some(name)) => {
                let names = self.enumeration(name);
                let found = names.and_then(|it| {
                    it.value.iter().find(|one| i64::from(one.number()) == number as i64)
                });
                Ok(found.map_or_else(|| number.into(), |found| found.name().into()))
            }
            (Raw::Number(number), None) => Ok(match field.r#type() {
                Type::Bool => (number != 0).into(),
                Type::Double => f64::from_bits(number).into(),
                Type::Float => f64::from(f32::from_bits(number as u32)).into(),
                Type::Sint32 | Type::Sint64 => {
                    ((number >> 1) as i64 ^ -((number & 1) as i64)).into()
                }
                Type::Sfixed32 => (number as u32 as i32).into(),
                Type::Uint32 | Type::Uint64 | Type::Fixed32 | Type::Fixed64 => {
                    number.into()
                }
                _ => (number as i64).into(),
            }),
        }
    }
}

/// Tag and value of a field without a type of its own.
fn write_plain(
    into: &mut Vec<u8>,
    field: &FieldDescriptorProto,
    value: &Value,
) -> Result<(), String> {
    let wrong = || format!("{}: {value} does not fit", field.name());
    let tag = |into: &mut Vec<u8>, kind: u64| write_tag(into, field, kind);
    let whole = || value.as_i64().ok_or_else(wrong);
    let real = || value.as_f64().ok_or_else(wrong);
    match field.r#type() {
        Type::String | Type::Bytes => {
            let text = value.as_str().ok_or_else(wrong)?;
            tag(into, 2);
            write_varint(into, text.len() as u64);
            into.extend(text.as_bytes());
        }
        Type::Bool => {
            tag(into, 0);
            into.push(u8::from(value.as_bool().ok_or_else(wrong)?));
        }
        Type::Sint32 | Type::Sint64 => {
            let number = whole()?;
            tag(into, 0);
            write_varint(into, ((number << 1) ^ (number >> 63)) as u64);
        }
        Type::Double => {
            tag(into, 1);
            into.extend(real()?.to_le_bytes());
        }
        Type::Float => {
            tag(into, 5);
            into.extend((real()? as f32).to_le_bytes());
        }
        Type::Fixed64 | Type::Sfixed64 => {
            tag(into, 1);
            into.extend(whole()?.to_le_bytes());
        }
        Type::Fixed32 | Type::Sfixed32 => {
            tag(into, 5);
            into.extend((whole()? as i32).to_le_bytes());
        }
        _ => {
            let number = whole()? as u64;
            tag(into, 0);
            write_varint(into, number);
        }
    }
    Ok(())
}

/// A field's number, and how what follows is written.
fn write_tag(into: &mut Vec<u8>, field: &FieldDescriptorProto, kind: u64) {
    let number = u64::try_from(field.number()).unwrap_or_default();
    write_varint(into, number << 3 | kind);
}

#[derive(Clone, Copy)]
enum Raw<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

fn field<'a>(
    message: &'a DescriptorProto,
    name: &str,
) -> Option<&'a FieldDescriptorProto> {
    message.field.iter().find(|field| field.name() == name)
}

/// A message whose strings are the text.
fn example(message: &DescriptorProto, text: &str) -> Value {
    let strings = message
        .field
        .iter()
        .filter(|field| field.type_name.is_none() && field.r#type() == Type::String);
    let strings = strings.map(|field| (field.name().to_owned(), Value::from(text)));
    Value::Object(strings.collect())
}

fn cut() -> String {
    "the value is cut or damaged".to_owned()
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], String> {
    let (taken, after) = rest.split_first_chunk::<N>().ok_or_else(cut)?;
    *rest = after;
    Ok(*taken)
}

fn write_varint(into: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        into.push(number as u8 | 0x80);
        number >>= 7;
    }
    into.push(number as u8);
}

fn read_varint(rest: &mut &[u8]) -> Result<u64, String> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let [byte] = take(rest)?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(cut())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: &str = "syntax = \"proto3\";
        enum State { NEW = 0; PAID = 1; }
        message Order {
            string id = 1; double amount = 2; sint32 change = 3;
            State state = 4; repeated Line lines = 5;
            message Line { int32 count = 1; }
        }";

    #[test]
    fn a_message_comes_back_as_it_was_written() {
        let schema = Protobuf::parse(ORDER).expect("good");
        let text = r#"{"id":"o-1","amount":9.5,"change":-3,"state":"PAID",
            "lines":[{"count":1},{"count":-2}]}"#;
        let bytes = schema.encode(text).expect("an order");
        assert_eq!(bytes[..6], [0, 0x0a, 3, b'o', b'-', b'1']);
        let back: Value =
            serde_json::from_str(&schema.decode(&bytes).expect("whole")).expect("JSON");
        assert_eq!(back, serde_json::from_str::<Value>(text).expect("JSON"));
    }

    #[test]
    fn a_reader_passes_over_what_it_does_not_know() {
        let old = "syntax = \"proto3\"; message Order { string id = 1; }";
        let (old, new) = (Protobuf::parse(old), Protobuf::parse(ORDER));
        let bytes = new.expect("good").encode(r#"{"id":"a","amount":1.0}"#);
        let read = old.expect("good").decode(&bytes.expect("an order"));
        assert_eq!(read, Ok(r#"{"id":"a"}"#.to_owned()));
    }

    #[test]
    fn what_is_damaged_or_does_not_fit_is_said() {
        let schema = Protobuf::parse(ORDER).expect("good");
        assert!(schema.encode(r#"{"id":5}"#).is_err());
        assert!(schema.encode(r#"{"nobody":5}"#).is_err());
        assert!(schema.decode(&[0, 0x0a, 9, 1]).is_err());
        assert!(schema.decode(&[]).is_err());
    }
}
