//! A short way to write a schema down: `Order(id: string, amount: double, note: string = "")`.

use serde_json::Value;

/// Avro of a record in short form; any other text as it is. A type with `?` behind it may
/// be null, `[]` makes a list, `=` gives a default.
pub fn from_words(text: &str) -> String {
    record(text.trim()).unwrap_or_else(|| text.to_owned())
}

fn record(text: &str) -> Option<String> {
    let (name, rest) = text.split_once('(')?;
    let name = name.trim();
    let is_name = |name: &str| {
        !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_.".contains(c))
    };
    if !is_name(name) {
        return None;
    }
    let fields: Option<Vec<String>> = parts(rest.strip_suffix(')')?)
        .into_iter()
        .filter(|part| !part.trim().is_empty())
        .map(field)
        .collect();
    let fields = fields?.join(",");
    Some(format!(r#"{{"type":"record","name":"{name}","fields":[{fields}]}}"#))
}

/// Splits at commas outside quotes.
fn parts(text: &str) -> Vec<&str> {
    let mut quoted = false;
    text.split(|c: char| {
        quoted ^= c == '"';
        c == ',' && !quoted
    })
    .collect()
}

fn field(text: &str) -> Option<String> {
    let (name, kind) = text.split_once(':')?;
    let (kind, default) = match kind.split_once('=') {
        Some((kind, default)) => (kind, Some(default.trim())),
        None => (kind, None),
    };
    let (kind, nullable) = match kind.trim().strip_suffix('?') {
        Some(kind) => (kind, true),
        None => (kind.trim(), false),
    };
    let word = |name: &str| Value::from(name.trim()).to_string();
    let kind = match kind.strip_suffix("[]") {
        Some(items) => format!(r#"{{"type":"array","items":{}}}"#, word(items)),
        None => word(kind),
    };
    let kind = if nullable { format!(r#"["null",{kind}]"#) } else { kind };
    let mut field = format!(r#"{{"name":{},"type":{kind}"#, word(name));
    if let Some(default) = default {
        // A word is a string, whether quoted or not.
        let value: Value =
            serde_json::from_str(default).unwrap_or_else(|_| default.into());
        field.push_str(&format!(r#","default":{value}"#));
    }
    field.push('}');
    Some(field)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_record_in_short_form_is_avro() {
        let text =
            from_words(r#"Order(id: string, tags: string[], note: string? = null)"#);
        let wanted = json!({"type":"record","name":"Order","fields":[
            {"name":"id","type":"string"},
            {"name":"tags","type":{"type":"array","items":"string"}},
            {"name":"note","type":["null","string"],"default":null}]});
        assert_eq!(serde_json::from_str::<Value>(&text).ok(), Some(wanted));
    }

    #[test]
    fn a_default_may_hold_a_comma() {
        let text = from_words(r#"A(x: string = "a,b", y: int = 3)"#);
        assert!(text.contains(r#""a,b""#) && text.contains(r#""default":3"#), "{text}");
    }

    #[test]
    fn whatever_else_it_is_stays_as_it_is() {
        for text in ["\"string\"", "{\"type\":\"map\"}", "message A { }", "Order(id)"] {
            assert_eq!(from_words(text), text);
        }
    }
}
