//! Avro's binary form: what a record carries.

use serde_json::{Map, Number, Value};

use super::{Avro, Body, Field, Plain, Type};

/// A value in Avro's binary form. A text that is no JSON becomes an example of the schema:
/// its strings are the text, its numbers the number in it.
pub(crate) fn encode(schema: &Avro, text: &str) -> Result<Vec<u8>, String> {
    let value = match serde_json::from_str(text) {
        Ok(value) if schema.takes(&schema.root, &value) => value,
        Ok(Value::Object(_) | Value::Array(_)) => {
            return Err(format!("{text} is no {}", schema.word(&schema.root)));
        }
        Ok(_) | Err(_) => schema.example(&schema.root, text, EXAMPLE_DEPTH),
    };
    let mut bytes = Vec::new();
    schema.write(&mut bytes, &schema.root, &value)?;
    Ok(bytes)
}

/// What Avro's binary form says, as JSON.
pub(crate) fn decode(schema: &Avro, bytes: &[u8]) -> Result<String, String> {
    let mut reader = Reader { bytes, depth: 0 };
    let value = reader.read(schema, &schema.root)?;
    match reader.bytes {
        [] => Ok(value.to_string()),
        more => Err(format!("{} bytes are left over", more.len())),
    }
}

/// Examples go no deeper into records that contain themselves.
const EXAMPLE_DEPTH: u32 = 8;
/// Neither do values that somebody made up.
const DEEPEST: u32 = 64;

/// The number at the end of a text; 1 if there is none.
fn number_in(text: &str) -> i32 {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let start = digits.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    digits[start..].parse().unwrap_or(1)
}

impl Avro {
    /// Whether a value can be written as this type.
    fn takes(&self, kind: &Type, value: &Value) -> bool {
        let mut bytes = Vec::new();
        self.write(&mut bytes, kind, value).is_ok()
    }

    fn example(&self, kind: &Type, text: &str, depth: u32) -> Value {
        let deeper = |kind: &Type| self.example(kind, text, depth.saturating_sub(1));
        match kind {
            Type::Plain(Plain::Null) => Value::Null,
            Type::Plain(Plain::Boolean) => Value::Bool(true),
            Type::Plain(Plain::Int | Plain::Long | Plain::Float | Plain::Double) => {
                Value::from(number_in(text))
            }
            Type::Plain(Plain::Bytes | Plain::String) => Value::from(text),
            Type::Array(_) => Value::Array(Vec::new()),
            Type::Map(_) => Value::Object(Map::new()),
            Type::Union(branches) => {
                let filled = branches.iter().find(|it| **it != Type::Plain(Plain::Null));
                match filled {
                    Some(branch) if depth > 0 => deeper(branch),
                    _ => Value::Null,
                }
            }
            Type::Named(number) => match &self.named[*number].body {
                Body::Record(_) if depth == 0 => Value::Null,
                Body::Record(fields) => {
                    let example =
                        |field: &Field| (field.name.clone(), deeper(&field.kind));
                    Value::Object(fields.iter().map(example).collect())
                }
                Body::Enum { symbols, .. } => symbols.first().cloned().into(),
                Body::Fixed(size) => "0".repeat(*size).into(),
            },
        }
    }

    fn write(
        &self,
        into: &mut Vec<u8>,
        kind: &Type,
        value: &Value,
    ) -> Result<(), String> {
        let wrong = || format!("{value} is no {}", self.word(kind));
        match kind {
            Type::Plain(plain) => write_plain(into, *plain, value).ok_or_else(wrong),
            Type::Array(items) => {
                let list = value.as_array().ok_or_else(wrong)?;
                write_block(into, list.len());
                list.iter().try_for_each(|one| self.write(into, items, one))?;
                end_blocks(into, list.len());
                Ok(())
            }
            Type::Map(values) => {
                let map = value.as_object().ok_or_else(wrong)?;
                write_block(into, map.len());
                for (key, one) in map {
                    write_bytes(into, key.as_bytes());
                    self.write(into, values, one)?;
                }
                end_blocks(into, map.len());
                Ok(())
            }
            Type::Union(branches) => {
                for (index, branch) in (0..).zip(branches) {
                    let mut inner = Vec::new();
                    let given = self.tagged(branch, value).unwrap_or(value);
                    if self.write(&mut inner, branch, given).is_ok() {
                        write_long(into, index);
                        into.extend(inner);
                        return Ok(());
                    }
                }
                Err(wrong())
            }
            Type::Named(number) => self.write_named(into, *number, value),
        }
    }

    /// The value of a branch that is named, as Avro's own JSON form does:
    /// `{"string": "a"}`.
    fn tagged<'a>(&self, branch: &Type, value: &'a Value) -> Option<&'a Value> {
        let object = value.as_object().filter(|object| object.len() == 1)?;
        match branch {
            Type::Plain(plain) => object.get(plain.name()),
            Type::Named(number) => object.get(&self.named[*number].full_name),
            Type::Array(_) => object.get("array"),
            Type::Map(_) => object.get("map"),
            Type::Union(_) => None,
        }
    }

    fn write_named(
        &self,
        into: &mut Vec<u8>,
        number: usize,
        value: &Value,
    ) -> Result<(), String> {
        let named = &self.named[number];
        let wrong = || format!("{value} is no {}", named.name());
        match &named.body {
            Body::Record(fields) => {
                let object = value.as_object().ok_or_else(wrong)?;
                let stray = object
                    .keys()
                    .find(|key| !fields.iter().any(|field| field.name == **key));
                if let Some(stray) = stray {
                    return Err(format!("{} has no field {stray}", named.name()));
                }
                for field in fields {
                    let given = object.get(&field.name).or(field.default.as_ref());
                    let place = || format!("{}.{}", named.name(), field.name);
                    let given = given.ok_or_else(|| format!("{} is missing", place()))?;
                    self.write(into, &field.kind, given)
                        .map_err(|error| format!("{}: {error}", place()))?;
                }
                Ok(())
            }
            Body::Enum { symbols, .. } => {
                let symbol = value.as_str().ok_or_else(wrong)?;
                let index = symbols.iter().position(|one| one == symbol);
                write_long(into, index.ok_or_else(wrong)? as i64);
                Ok(())
            }
            Body::Fixed(size) => {
                let text = value.as_str().filter(|it| it.len() == *size);
                into.extend(text.ok_or_else(wrong)?.as_bytes());
                Ok(())
            }
        }
    }
}

fn write_plain(into: &mut Vec<u8>, plain: Plain, value: &Value) -> Option<()> {
    match plain {
        Plain::Null => value.as_null()?,
        Plain::Boolean => into.push(u8::from(value.as_bool()?)),
        Plain::Int => write_long(into, i64::from(i32::try_from(value.as_i64()?).ok()?)),
        Plain::Long => write_long(into, value.as_i64()?),
        Plain::Float => into.extend((value.as_f64()? as f32).to_le_bytes()),
        Plain::Double => into.extend(value.as_f64()?.to_le_bytes()),
        Plain::Bytes | Plain::String => write_bytes(into, value.as_str()?.as_bytes()),
    }
    Some(())
}

/// Zigzag, seven bits a byte, the lowest first.
pub(crate) fn write_long(into: &mut Vec<u8>, number: i64) {
    let mut rest = ((number << 1) ^ (number >> 63)) as u64;
    while rest >= 0x80 {
        into.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    into.push(rest as u8);
}

fn write_bytes(into: &mut Vec<u8>, bytes: &[u8]) {
    write_long(into, bytes.len() as i64);
    into.extend(bytes);
}

fn write_block(into: &mut Vec<u8>, count: usize) {
    write_long(into, count as i64);
}

/// A block of none ends the list; an empty list is that block alone.
fn end_blocks(into: &mut Vec<u8>, count: usize) {
    if count > 0 {
        write_long(into, 0);
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    depth: u32,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let cut = self.bytes.split_at_checked(count);
        let (taken, rest) = cut.ok_or("the value ends too early")?;
        self.bytes = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let taken = self.take(N)?;
        taken.try_into().map_err(|_| "the value ends too early".to_owned())
    }

    fn long(&mut self) -> Result<i64, String> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok((number >> 1) as i64 ^ -((number & 1) as i64));
            }
        }
        Err("a number is too long".to_owned())
    }

    fn count(&mut self) -> Result<usize, String> {
        usize::try_from(self.long()?).map_err(|_| "a length is negative".to_owned())
    }

    fn text(&mut self) -> Result<String, String> {
        let count = self.count()?;
        Ok(String::from_utf8_lossy(self.take(count)?).into_owned())
    }

    fn read(&mut self, schema: &Avro, kind: &Type) -> Result<Value, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("the value is nested too deeply".to_owned());
        }
        let value = self.read_here(schema, kind);
        self.depth -= 1;
        value
    }

    fn read_here(&mut self, schema: &Avro, kind: &Type) -> Result<Value, String> {
        match kind {
            Type::Plain(plain) => self.plain(*plain),
            Type::Array(items) => {
                let mut list = Vec::new();
                while let count @ 1.. = self.block()? {
                    for _ in 0..count {
                        list.push(self.read(schema, items)?);
                    }
                }
                Ok(Value::Array(list))
            }
            Type::Map(values) => {
                let mut map = Map::new();
                while let count @ 1.. = self.block()? {
                    for _ in 0..count {
                        let key = self.text()?;
                        map.insert(key, self.read(schema, values)?);
                    }
                }
                Ok(Value::Object(map))
            }
            Type::Union(branches) => {
                let branch = branches.get(self.count()?);
                self.read(schema, branch.ok_or("a union has no such branch")?)
            }
            Type::Named(number) => match &schema.named[*number].body {
                Body::Record(fields) => {
                    let mut object = Map::new();
                    for field in fields {
                        let value = self.read(schema, &field.kind)?;
                        object.insert(field.name.clone(), value);
                    }
                    Ok(Value::Object(object))
                }
                Body::Enum { symbols, .. } => {
                    let symbol = symbols.get(self.count()?);
                    Ok(symbol.cloned().ok_or("an enum has no such symbol")?.into())
                }
                Body::Fixed(size) => {
                    Ok(String::from_utf8_lossy(self.take(*size)?).into_owned().into())
                }
            },
        }
    }

    /// How many items follow at once; each takes a byte at least, but for nulls, of which
    /// nobody sends more than a few.
    fn block(&mut self) -> Result<usize, String> {
        let count = self.long()?;
        if count < 0 {
            // The length of the block in bytes, for those who skip it.
            self.long()?;
        }
        let count = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
        match count > self.bytes.len() {
            true => Err("a list is longer than the value".to_owned()),
            false => Ok(count),
        }
    }

    fn plain(&mut self, plain: Plain) -> Result<Value, String> {
        let float =
            |number: f64| Number::from_f64(number).map_or(Value::Null, Into::into);
        Ok(match plain {
            Plain::Null => Value::Null,
            Plain::Boolean => Value::Bool(self.array::<1>()? != [0]),
            Plain::Int | Plain::Long => self.long()?.into(),
            Plain::Float => float(f64::from(f32::from_le_bytes(self.array()?))),
            Plain::Double => float(f64::from_le_bytes(self.array()?)),
            Plain::Bytes | Plain::String => self.text()?.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order() -> Avro {
        let text = r#"{"type":"record","name":"Order","fields":[
            {"name":"id","type":"string"},
            {"name":"amount","type":"double"},
            {"name":"note","type":["null","string"],"default":null},
            {"name":"items","type":{"type":"array","items":"int"},"default":[]}]}"#;
        Avro::parse(text).expect("good")
    }

    #[test]
    fn numbers_have_the_bytes_of_the_specification() {
        for (number, bytes) in [
            (0, vec![0]),
            (-1, vec![1]),
            (1, vec![2]),
            (-64, vec![0x7f]),
            (64, vec![0x80, 1]),
        ] {
            let mut written = Vec::new();
            write_long(&mut written, number);
            assert_eq!(written, bytes);
        }
    }

    #[test]
    fn a_record_comes_back_as_it_was_written_with_its_defaults() {
        let bytes = encode(&order(), r#"{"id":"o-1","amount":9.5,"items":[1,-2]}"#);
        let bytes = bytes.expect("an order");
        assert_eq!(bytes[..4], [6, b'o', b'-', b'1']);
        let back = decode(&order(), &bytes).expect("is whole");
        let back: Value = serde_json::from_str(&back).expect("JSON");
        let wanted =
            serde_json::json!({"id":"o-1","amount":9.5,"note":null,"items":[1,-2]});
        assert_eq!(back, wanted);
    }

    #[test]
    fn a_plain_text_becomes_an_example_and_a_wrong_object_an_error() {
        let bytes = encode(&order(), "record 7").expect("an example");
        let back = decode(&order(), &bytes).expect("is whole");
        let back: Value = serde_json::from_str(&back).expect("JSON");
        assert_eq!((&back["id"], &back["amount"]), (&"record 7".into(), &7.0.into()));
        assert_eq!(
            encode(&order(), r#"{"id":"o-1"}"#),
            Err(r#"{"id":"o-1"} is no Order"#.to_owned())
        );
    }

    #[test]
    fn what_is_cut_or_too_long_is_no_value() {
        let bytes = encode(&order(), "record 7").expect("an example");
        for end in 0..bytes.len() {
            assert!(decode(&order(), &bytes[..end]).is_err(), "{end}");
        }
        let longer = [bytes, vec![0]].concat();
        assert_eq!(decode(&order(), &longer), Err("1 bytes are left over".to_owned()));
    }
}
