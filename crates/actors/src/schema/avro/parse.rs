//! From JSON to a schema. Every name is resolved, every default fits its type.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Avro, Body, Field, Named, Plain, Type};

/// Schemas nest no deeper: whoever sends one cannot exhaust the stack.
const DEEPEST: usize = 64;

struct Parser {
    named: Vec<Named>,
    numbers: BTreeMap<String, usize>,
    depth: usize,
}

pub(super) fn parse(text: &str) -> Result<Avro, String> {
    let value: Value = serde_json::from_str(text)
        .map_err(|error| format!("the schema is no JSON: {error}"))?;
    let mut parser = Parser { named: Vec::new(), numbers: BTreeMap::new(), depth: 0 };
    let root = parser.kind(&value, "")?;
    let schema = Avro { root, named: parser.named };
    schema.check_defaults()?;
    Ok(schema)
}

impl Parser {
    fn kind(&mut self, value: &Value, space: &str) -> Result<Type, String> {
        if self.depth == DEEPEST {
            return Err("types are nested too deeply".to_owned());
        }
        self.depth += 1;
        let kind = match value {
            Value::String(name) => self.reference(name, space),
            Value::Array(branches) => self.union(branches, space),
            Value::Object(object) => self.object(object, space),
            other => Err(format!("`{other}` is no type")),
        };
        self.depth -= 1;
        kind
    }

    fn reference(&self, name: &str, space: &str) -> Result<Type, String> {
        if let Some(plain) = Plain::named(name) {
            return Ok(Type::Plain(plain));
        }
        let full = qualified(name, space);
        let number = self.numbers.get(&full).or_else(|| self.numbers.get(name));
        match number {
            Some(number) => Ok(Type::Named(*number)),
            None => Err(format!("no type has the name `{name}`")),
        }
    }

    fn union(&mut self, branches: &[Value], space: &str) -> Result<Type, String> {
        let mut found: Vec<Type> = Vec::new();
        for branch in branches {
            let branch = self.kind(branch, space)?;
            let twice = found.iter().any(|other| match (&branch, other) {
                (Type::Union(_), _) => true,
                (Type::Array(_), Type::Array(_)) | (Type::Map(_), Type::Map(_)) => true,
                (branch, other) => branch == other,
            });
            if twice || matches!(branch, Type::Union(_)) {
                return Err("a union has a branch twice, or a union inside".to_owned());
            }
            found.push(branch);
        }
        Ok(Type::Union(found))
    }

    fn object(
        &mut self,
        object: &Map<String, Value>,
        space: &str,
    ) -> Result<Type, String> {
        let Some(kind) = object.get("type") else {
            return Err("a type lacks `type`".to_owned());
        };
        let Some(word) = kind.as_str() else { return self.kind(kind, space) };
        let part = |name: &str| {
            object.get(name).ok_or_else(|| format!("`{word}` lacks `{name}`"))
        };
        match word {
            "array" => Ok(Type::Array(Box::new(self.kind(part("items")?, space)?))),
            "map" => Ok(Type::Map(Box::new(self.kind(part("values")?, space)?))),
            "record" | "error" => self.record(object, space),
            "enum" => {
                let symbols = strings(part("symbols")?, "symbols")?;
                if symbols.is_empty() || !symbols.iter().all(|it| is_name(it)) {
                    return Err("the symbols of an enum are names".to_owned());
                }
                let default = object.get("default").and_then(Value::as_str);
                if default.is_some_and(|it| !symbols.iter().any(|one| one == it)) {
                    return Err("an enum's default is one of its symbols".to_owned());
                }
                let default = default.map(ToOwned::to_owned);
                let number =
                    self.declare(object, space, Body::Enum { symbols, default })?;
                Ok(Type::Named(number))
            }
            "fixed" => {
                let size = part("size")?.as_u64().and_then(|it| usize::try_from(it).ok());
                let size = size.ok_or("the size of a fixed is a whole number")?;
                Ok(Type::Named(self.declare(object, space, Body::Fixed(size))?))
            }
            name => self.reference(name, space),
        }
    }

    fn record(
        &mut self,
        object: &Map<String, Value>,
        space: &str,
    ) -> Result<Type, String> {
        let number = self.declare(object, space, Body::Record(Vec::new()))?;
        let full = self.named[number].full_name.clone();
        let inner = full.rsplit_once('.').map_or("", |(space, _)| space).to_owned();
        let Some(Value::Array(list)) = object.get("fields") else {
            return Err(format!("record `{full}` lacks `fields`"));
        };
        let mut fields: Vec<Field> = Vec::new();
        for field in list {
            let name = field.get("name").and_then(Value::as_str).unwrap_or_default();
            if !is_name(name) {
                return Err(format!("a field of `{full}` has no name"));
            }
            if fields.iter().any(|other| other.name == name) {
                return Err(format!("`{full}` has the field `{name}` twice"));
            }
            let kind = field.get("type");
            let kind = kind.ok_or_else(|| format!("`{full}.{name}` lacks `type`"))?;
            fields.push(Field {
                name: name.to_owned(),
                aliases: match field.get("aliases") {
                    Some(aliases) => strings(aliases, "aliases")?,
                    None => Vec::new(),
                },
                kind: self.kind(kind, &inner)?,
                default: field.get("default").cloned(),
            });
        }
        self.named[number].body = Body::Record(fields);
        Ok(Type::Named(number))
    }

    fn declare(
        &mut self,
        object: &Map<String, Value>,
        space: &str,
        body: Body,
    ) -> Result<usize, String> {
        let name = object.get("name").and_then(Value::as_str).unwrap_or_default();
        let space = object.get("namespace").and_then(Value::as_str).unwrap_or(space);
        let full_name = qualified(name, space);
        if name.is_empty() || !full_name.split('.').all(is_name) {
            return Err(format!("`{name}` is no name for a type"));
        }
        let own = full_name.rsplit_once('.').map_or("", |(space, _)| space);
        let aliases = match object.get("aliases") {
            Some(aliases) => strings(aliases, "aliases")?,
            None => Vec::new(),
        };
        let aliases = aliases.iter().map(|alias| qualified(alias, own)).collect();
        let number = self.named.len();
        if self.numbers.insert(full_name.clone(), number).is_some() {
            return Err(format!("two types have the name `{full_name}`"));
        }
        self.named.push(Named { full_name, aliases, body });
        Ok(number)
    }
}

fn qualified(name: &str, space: &str) -> String {
    match space {
        "" => name.to_owned(),
        _ if name.contains('.') => name.to_owned(),
        space => format!("{space}.{name}"),
    }
}

fn is_name(word: &str) -> bool {
    let mut chars = word.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn strings(value: &Value, what: &str) -> Result<Vec<String>, String> {
    let list = value
        .as_array()
        .map(|list| list.iter().map(|one| one.as_str().map(ToOwned::to_owned)).collect());
    list.flatten().ok_or_else(|| format!("`{what}` is a list of names"))
}

impl Avro {
    fn check_defaults(&self) -> Result<(), String> {
        for named in &self.named {
            let Body::Record(fields) = &named.body else { continue };
            for field in fields {
                let Some(default) = &field.default else { continue };
                if !self.fits(&field.kind, default) {
                    let place = format!("{}.{}", named.name(), field.name);
                    let word = self.word(&field.kind);
                    return Err(format!("{place}: the default {default} is no {word}"));
                }
            }
        }
        Ok(())
    }

    /// Whether a default fits a type; that of a union fits any branch (Avro 1.12).
    fn fits(&self, kind: &Type, value: &Value) -> bool {
        match (kind, value) {
            (Type::Plain(plain), value) => fits_plain(*plain, value),
            (Type::Array(items), Value::Array(list)) => {
                list.iter().all(|one| self.fits(items, one))
            }
            (Type::Map(values), Value::Object(map)) => {
                map.values().all(|one| self.fits(values, one))
            }
            (Type::Union(branches), value) => {
                branches.iter().any(|branch| self.fits(branch, value))
            }
            (Type::Named(number), value) => match (&self.named[*number].body, value) {
                (Body::Record(fields), Value::Object(map)) => {
                    fields.iter().all(|field| {
                        let given = map.get(&field.name).or(field.default.as_ref());
                        given.is_some_and(|given| self.fits(&field.kind, given))
                    })
                }
                (Body::Enum { symbols, .. }, Value::String(symbol)) => {
                    symbols.contains(symbol)
                }
                (Body::Fixed(size), Value::String(text)) => text.chars().count() == *size,
                _ => false,
            },
            (Type::Array(_) | Type::Map(_), _) => false,
        }
    }
}

fn fits_plain(plain: Plain, value: &Value) -> bool {
    match plain {
        Plain::Null => value.is_null(),
        Plain::Boolean => value.is_boolean(),
        Plain::Int => value.as_i64().is_some_and(|it| i32::try_from(it).is_ok()),
        Plain::Long => value.as_i64().is_some(),
        Plain::Float | Plain::Double => value.is_number(),
        Plain::Bytes | Plain::String => value.is_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_resolved_in_their_namespace_and_records_may_contain_themselves() {
        let text = r#"{"type":"record","name":"Node","namespace":"a.b","fields":[
            {"name":"next","type":["null","Node"],"default":null}]}"#;
        let schema = parse(text).expect("good");
        assert_eq!(schema.named[0].full_name, "a.b.Node");
        assert_eq!(schema.named[0].name(), "Node");
    }

    #[test]
    fn what_makes_no_sense_is_said() {
        for (text, told) in [
            ("{", "the schema is no JSON"),
            (r#""strin""#, "no type has the name `strin`"),
            (r#"{"type":"record","name":"R"}"#, "record `R` lacks `fields`"),
            (r#"{"type":"array"}"#, "`array` lacks `items`"),
            (r#"["null","null"]"#, "a union has a branch twice"),
            (r#"{"type":"enum","name":"E","symbols":["a","b-"]}"#, "the symbols of an"),
            (
                r#"{"type":"record","name":"R","fields":[
                    {"name":"n","type":"int","default":"x"}]}"#,
                "R.n: the default \"x\" is no int",
            ),
            (
                r#"{"type":"record","name":"R","fields":[
                    {"name":"n","type":"int"},{"name":"n","type":"int"}]}"#,
                "`R` has the field `n` twice",
            ),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.starts_with(told), "{error}");
        }
    }

    #[test]
    fn deep_nesting_is_refused_and_not_followed() {
        let text = format!(
            "{}\"int\"{}",
            "{\"type\":\"array\",\"items\":".repeat(100),
            "}".repeat(100)
        );
        assert_eq!(parse(&text), Err("types are nested too deeply".to_owned()));
    }
}
