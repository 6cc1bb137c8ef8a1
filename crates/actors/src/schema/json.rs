//! JSON Schema: what one schema allows that another does not.
//!
//! The differences are those that a registry looks at: types, enums, bounds, required
//! properties, and properties that come and go under an open or a closed content model.
//! References lead to definitions of the same document.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{READER, Reason, WRITER};

/// A parsed schema.
#[derive(Debug, Clone, PartialEq)]
pub struct JsonSchema {
    root: Value,
}

/// The schema that every value fits.
static ANYTHING: Value = Value::Bool(true);

const TYPES: [&str; 7] =
    ["array", "boolean", "integer", "null", "number", "object", "string"];

/// Bounds that a reader may only lower.
const LOWER: [&str; 5] =
    ["minLength", "minimum", "exclusiveMinimum", "minItems", "minProperties"];
/// Bounds that a reader may only raise.
const UPPER: [&str; 5] =
    ["maxLength", "maximum", "exclusiveMaximum", "maxItems", "maxProperties"];

impl JsonSchema {
    pub(crate) fn parse(text: &str) -> Result<JsonSchema, String> {
        let root: Value = serde_json::from_str(text)
            .map_err(|error| format!("the schema is no JSON: {error}"))?;
        let object = match &root {
            Value::Bool(_) => return Ok(JsonSchema { root }),
            Value::Object(object) => object,
            _ => return Err("a JSON schema is an object, true or false".to_owned()),
        };
        check("", object)?;
        Ok(JsonSchema { root })
    }

    pub(crate) fn encode(&self, value: &str) -> Result<Vec<u8>, String> {
        let value: Value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
        let types = types(&self.root);
        let own = type_of(&value);
        let is_taken =
            types.contains(own) || own == "integer" && types.contains("number");
        if !is_taken {
            return Err(format!("{value} is no {}", words(&types)));
        }
        let required = self.root.get("required").and_then(Value::as_array);
        let named = required.into_iter().flatten().filter_map(Value::as_str);
        let mut missing =
            named.filter(|name| value.is_object() && value.get(name).is_none());
        if let Some(missing) = missing.next() {
            return Err(format!("{missing} is missing"));
        }
        Ok(value.to_string().into_bytes())
    }

    /// What a local reference leads to.
    fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let mut schema = schema;
        // A reference that leads to itself leads nowhere.
        for _ in 0..16 {
            let Some(reference) = schema.get("$ref").and_then(Value::as_str) else {
                break;
            };
            let Some(pointer) = reference.strip_prefix('#') else { break };
            match self.root.pointer(pointer) {
                Some(target) => schema = target,
                None => break,
            }
        }
        schema
    }
}

fn check(at: &str, object: &Map<String, Value>) -> Result<(), String> {
    let known = |value: &Value| value.as_str().is_some_and(|it| TYPES.contains(&it));
    let good = match object.get("type") {
        None => true,
        Some(Value::Array(list)) => list.iter().all(known),
        Some(one) => known(one),
    };
    if !good {
        return Err(format!("{at}: `{}` is no type of JSON", object["type"]));
    }
    let Some(properties) = object.get("properties") else { return Ok(()) };
    let properties = properties.as_object().ok_or("`properties` is no object")?;
    for (name, schema) in properties {
        match schema {
            Value::Bool(_) => {}
            Value::Object(object) => check(&format!("{at}.{name}"), object)?,
            _ => return Err(format!("{at}.{name} is no schema")),
        }
    }
    Ok(())
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The types that a schema allows.
fn types(schema: &Value) -> BTreeSet<&str> {
    let named: BTreeSet<&str> = match schema.get("type") {
        Some(Value::String(one)) => BTreeSet::from([&**one]),
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        _ => match values(schema) {
            Some(values) => values.iter().map(type_of).collect(),
            None => TYPES.into_iter().collect(),
        },
    };
    named
}

fn words(types: &BTreeSet<&str>) -> String {
    match types.len() == TYPES.len() {
        true => "any type".to_owned(),
        false => types.iter().copied().collect::<Vec<_>>().join(" or "),
    }
}

/// The values that an enum or a constant allows.
fn values(schema: &Value) -> Option<Vec<Value>> {
    match (schema.get("const"), schema.get("enum")) {
        (Some(one), _) => Some(vec![one.clone()]),
        (None, Some(Value::Array(list))) => Some(list.clone()),
        _ => None,
    }
}

/// What a schema says of properties that it does not name.
enum Content<'a> {
    Open,
    Closed,
    Of(&'a Value),
}

fn content(schema: &Value) -> Content<'_> {
    match schema.get("additionalProperties") {
        Some(Value::Bool(false)) => Content::Closed,
        Some(object @ Value::Object(map)) if !map.is_empty() => Content::Of(object),
        _ => Content::Open,
    }
}

fn allows_anything(schema: &Value) -> bool {
    match schema {
        Value::Bool(all) => *all,
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

/// Why `update` does not take all that `original` allows.
pub(crate) fn compare(original: &JsonSchema, update: &JsonSchema) -> Vec<Reason> {
    let mut comparison =
        Comparison { original, update, under_way: BTreeSet::new(), reasons: Vec::new() };
    comparison.schemas("", &original.root, &update.root);
    comparison.reasons
}

struct Comparison<'a> {
    original: &'a JsonSchema,
    update: &'a JsonSchema,
    /// References that are being held against each other.
    under_way: BTreeSet<(String, String)>,
    reasons: Vec<Reason>,
}

impl<'a> Comparison<'a> {
    fn differ(&mut self, at: &str, text: String) {
        self.reasons.push(Reason::new(at.trim_start_matches('.'), text));
    }

    fn schemas(&mut self, at: &str, original: &'a Value, update: &'a Value) {
        let reference = |schema: &Value| {
            schema.get("$ref").and_then(Value::as_str).map(ToOwned::to_owned)
        };
        if let (Some(old), Some(new)) = (reference(original), reference(update))
            && !self.under_way.insert((old, new))
        {
            return;
        }
        let original = self.original.resolved(original);
        let update = self.update.resolved(update);
        if allows_anything(update) || *original == Value::Bool(false) {
            return;
        }
        if *update == Value::Bool(false) {
            return self.differ(at, format!("{READER} allows nothing here"));
        }
        if self.combined(at, original, update) {
            return;
        }
        self.types(at, original, update);
        self.values(at, original, update);
        self.bounds(at, original, update);
        if types(original).contains("object") && types(update).contains("object") {
            self.properties(at, original, update);
        }
        if let Some(items) = update.get("items") {
            let old = original.get("items").unwrap_or(&ANYTHING);
            self.schemas(&format!("{at}[]"), old, items);
        }
    }

    /// `oneOf`, `anyOf`, `allOf`: whether there was one of them to look at.
    fn combined(&mut self, at: &str, original: &'a Value, update: &'a Value) -> bool {
        let sum = |schema: &'a Value| -> Option<&'a Vec<Value>> {
            schema.get("oneOf").or_else(|| schema.get("anyOf"))?.as_array()
        };
        if let Some(branches) = sum(original) {
            branches.iter().for_each(|branch| self.schemas(at, branch, update));
            return true;
        }
        if let Some(branches) = sum(update) {
            if !branches.iter().any(|branch| self.takes(original, branch)) {
                let text = format!("none of the choices of {READER} takes it");
                self.differ(at, text);
            }
            return true;
        }
        let all = |schema: &'a Value| schema.get("allOf").and_then(Value::as_array);
        match (all(original), all(update)) {
            (_, Some(parts)) => {
                for part in parts {
                    match all(original) {
                        Some(old) if old.iter().any(|old| self.takes(old, part)) => {}
                        _ => self.schemas(at, original, part),
                    }
                }
                true
            }
            (Some(old), None) => {
                if !old.iter().any(|old| self.takes(old, update)) {
                    let text = format!("{READER} takes no part of what {WRITER} allows");
                    self.differ(at, text);
                }
                true
            }
            (None, None) => false,
        }
    }

    fn takes(&self, original: &'a Value, update: &'a Value) -> bool {
        let mut attempt = Comparison {
            original: self.original,
            update: self.update,
            under_way: self.under_way.clone(),
            reasons: Vec::new(),
        };
        attempt.schemas("", original, update);
        attempt.reasons.is_empty()
    }

    fn types(&mut self, at: &str, original: &Value, update: &Value) {
        let (old, new) = (types(original), types(update));
        let taken = |kind: &&&str| {
            new.contains(**kind) || **kind == "integer" && new.contains("number")
        };
        if !old.iter().all(|kind| taken(&kind)) {
            let (old, new) = (words(&old), words(&new));
            self.differ(at, format!("{WRITER} allows {old}, {READER} only {new}"));
        }
    }

    fn values(&mut self, at: &str, original: &Value, update: &Value) {
        let Some(new) = values(update) else { return };
        let Some(old) = values(original) else {
            let text = format!("{READER} allows only listed values, {WRITER} others too");
            return self.differ(at, text);
        };
        let gone: Vec<String> =
            old.iter().filter(|it| !new.contains(it)).map(ToString::to_string).collect();
        if !gone.is_empty() {
            let gone = gone.join(", ");
            self.differ(at, format!("{WRITER} allows {gone}, {READER} does not"));
        }
    }

    fn bounds(&mut self, at: &str, original: &Value, update: &Value) {
        let number =
            |schema: &Value, name: &str| schema.get(name).and_then(Value::as_f64);
        for (names, is_tighter) in [
            (LOWER, (|new, old| new > old) as fn(f64, f64) -> bool),
            (UPPER, |new, old| new < old),
        ] {
            for name in names {
                let Some(new) = number(update, name) else { continue };
                match number(original, name) {
                    Some(old) if is_tighter(new, old) => {
                        let text =
                            format!("{name} is {old} in {WRITER}, {new} in {READER}");
                        self.differ(at, text);
                    }
                    Some(_) => {}
                    None => {
                        let text = format!("{READER} has {name} {new}, {WRITER} none");
                        self.differ(at, text);
                    }
                }
            }
        }
        for name in ["pattern", "multipleOf", "uniqueItems"] {
            let (old, new) = (original.get(name), update.get(name));
            let is_demanded = new.is_some_and(|new| *new != Value::Bool(false));
            if is_demanded && new != old {
                self.differ(at, format!("{READER} demands another {name} than {WRITER}"));
            }
        }
    }

    fn properties(&mut self, at: &str, original: &'a Value, update: &'a Value) {
        let old = original.get("properties").and_then(Value::as_object);
        let new = update.get("properties").and_then(Value::as_object);
        let names = |map: Option<&Map<String, Value>>| -> BTreeSet<String> {
            map.map(|map| map.keys().cloned().collect()).unwrap_or_default()
        };
        let (before, after) = (names(old), names(new));
        for name in before.union(&after) {
            let place = format!("{at}.{name}");
            let was = old.and_then(|old| old.get(name));
            let is = new.and_then(|new| new.get(name));
            match (was, is) {
                (Some(was), Some(is)) => {
                    self.schemas(&place, was, is);
                    if is_required(update, name) && !is_required(original, name) {
                        self.newly_required(&place, is);
                    }
                }
                (Some(was), None) => self.removed(&place, was, update),
                (None, Some(is)) => self.added(&place, is, (original, update), name),
                (None, None) => {}
            }
        }
        self.contents(at, original, update);
    }

    fn newly_required(&mut self, place: &str, schema: &Value) {
        if schema.get("default").is_none() {
            let text = format!("{READER} requires it, {WRITER} does not");
            self.differ(place, text);
        }
    }

    fn removed(&mut self, place: &str, was: &'a Value, update: &'a Value) {
        match content(update) {
            Content::Open => {}
            Content::Of(others) => self.schemas(place, was, others),
            Content::Closed if *was == Value::Bool(false) => {}
            Content::Closed => {
                let text = format!(
                    "{WRITER} has it, {READER} does not and is closed to other properties"
                );
                self.differ(place, text);
            }
        }
    }

    fn added(
        &mut self,
        place: &str,
        is: &'a Value,
        (original, update): (&'a Value, &'a Value),
        name: &str,
    ) {
        match content(original) {
            Content::Open if allows_anything(is) => {}
            Content::Open => {
                let text = format!(
                    "{READER} says what it is, {WRITER} is open and allows anything there"
                );
                return self.differ(place, text);
            }
            Content::Of(others) => self.schemas(place, others, is),
            Content::Closed => {}
        }
        if is_required(update, name) {
            self.newly_required(place, is);
        }
    }

    fn contents(&mut self, at: &str, original: &'a Value, update: &'a Value) {
        match (content(original), content(update)) {
            (Content::Closed, _) | (_, Content::Open) => {}
            (Content::Of(old), Content::Of(new)) => {
                self.schemas(&format!("{at}.*"), old, new);
            }
            (Content::Open | Content::Of(_), _) => {
                let text =
                    format!("{READER} is closed to properties that {WRITER} allows");
                self.differ(at, text);
            }
        }
    }
}

fn is_required(schema: &Value, name: &str) -> bool {
    let required = schema.get("required").and_then(Value::as_array);
    required.is_some_and(|list| list.iter().any(|one| one.as_str() == Some(name)))
}

#[cfg(test)]
mod tests {
    use super::super::{Schema, SchemaType};

    fn reasons(reader: &str, writer: &str) -> Vec<String> {
        let parse = |text| Schema::parse(SchemaType::Json, text).expect("good");
        let found = parse(reader).cannot_read(&parse(writer));
        found.iter().map(|reason| reason.tell("new", "old")).collect()
    }

    fn object(properties: &str, more: &str) -> String {
        format!(r#"{{"type":"object","properties":{{{properties}}}{more}}}"#)
    }

    const CLOSED: &str = r#","additionalProperties":false"#;
    const ID: &str = r#""id":{"type":"string"}"#;
    const ID_AND_NOTE: &str = r#""id":{"type":"string"},"note":{"type":"string"}"#;

    #[test]
    fn an_open_model_takes_no_new_property_and_loses_any() {
        let (old, new) = (object(ID, ""), object(ID_AND_NOTE, ""));
        let told = "note: new says what it is, old is open and allows anything there";
        assert_eq!(reasons(&new, &old), [told]);
        assert!(reasons(&old, &new).is_empty());
    }

    #[test]
    fn a_closed_model_takes_an_optional_property_and_loses_none() {
        let (old, new) = (object(ID, CLOSED), object(ID_AND_NOTE, CLOSED));
        assert!(reasons(&new, &old).is_empty());
        let told = "note: old has it, new does not and is closed to other properties";
        assert_eq!(reasons(&old, &new), [told]);
    }

    #[test]
    fn a_required_property_needs_a_default() {
        let required = format!(r#"{CLOSED},"required":["note"]"#);
        let old = object(ID, CLOSED);
        let new = object(ID_AND_NOTE, &required);
        assert_eq!(reasons(&new, &old), ["note: new requires it, old does not"]);
        let with = r#""id":{"type":"string"},"note":{"type":"string","default":""}"#;
        assert!(reasons(&object(with, &required), &old).is_empty());
    }

    #[test]
    fn closing_the_model_is_told() {
        let (old, new) = (object(ID, ""), object(ID, CLOSED));
        assert_eq!(reasons(&new, &old), ["new is closed to properties that old allows"]);
        assert!(reasons(&old, &new).is_empty());
    }

    #[test]
    fn types_and_enums_may_grow_only() {
        let told = ["old allows number, new only integer"];
        assert_eq!(reasons(r#"{"type":"integer"}"#, r#"{"type":"number"}"#), told);
        assert!(reasons(r#"{"type":"number"}"#, r#"{"type":"integer"}"#).is_empty());
        assert!(
            reasons(r#"{"type":["string","null"]}"#, r#"{"type":"string"}"#).is_empty()
        );
        let told = reasons(r#"{"enum":["a"]}"#, r#"{"enum":["a","b"]}"#);
        assert_eq!(told, ["old allows \"b\", new does not"]);
        assert!(reasons(r#"{"enum":["a","b"]}"#, r#"{"enum":["a"]}"#).is_empty());
    }

    #[test]
    fn bounds_may_widen_only() {
        let bounded = |max: u32| format!(r#"{{"type":"string","maxLength":{max}}}"#);
        let told = reasons(&bounded(5), &bounded(9));
        assert_eq!(told, ["maxLength is 9 in old, 5 in new"]);
        assert!(reasons(&bounded(9), &bounded(5)).is_empty());
        let told = reasons(&bounded(5), r#"{"type":"string"}"#);
        assert_eq!(told, ["new has maxLength 5, old none"]);
    }

    #[test]
    fn references_are_followed_and_may_go_round_in_circles() {
        let node = |kind: &str| {
            format!(
                r##"{{"$ref":"#/$defs/n","$defs":{{"n":{{"type":"object","properties":{{
                "v":{{"type":"{kind}"}},"next":{{"$ref":"#/$defs/n"}}}}}}}}}}"##
            )
        };
        assert!(reasons(&node("number"), &node("integer")).is_empty());
        let told = reasons(&node("integer"), &node("number"));
        assert_eq!(told, ["v: old allows number, new only integer"]);
    }

    #[test]
    fn a_choice_may_gain_a_branch() {
        let (one, two) =
            (r#"{"type":"string"}"#, r#"{"oneOf":[{"type":"string"},{"type":"null"}]}"#);
        assert!(reasons(two, one).is_empty());
        assert_eq!(reasons(one, two), ["old allows null, new only string"]);
    }

    #[test]
    fn what_is_no_schema_is_said() {
        for text in ["[]", "{", r#"{"type":"strin"}"#, r#"{"properties":{"a":1}}"#] {
            assert!(Schema::parse(SchemaType::Json, text).is_err(), "{text}");
        }
    }
}
