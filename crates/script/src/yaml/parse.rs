//! From YAML text to spanned data, with the parser's errors in our form.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Error, Location, SnippetMode, Spanned};
use topomotion_model::{Diagnostic, FileId, Span};

use crate::data::{Data, Entry, Value};

/// More events than any document's aliases need.
const MOST_REPLAYED: usize = 100_000;

pub(crate) fn parse(text: &str, file: FileId) -> Result<Data, Box<Diagnostic>> {
    let options = serde_saphyr::options! {
        strict_booleans: true,
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: MOST_REPLAYED },
    };
    let node: Spanned<Node> = serde_saphyr::from_str_with_options(text, options)
        .map_err(|error| Box::new(tell(&error, text, file)))?;
    let mut data = place(node, text, file);
    // The whole document is no place to point at.
    data.span = Some(Span { file, start: 0, end: 0 });
    Ok(data)
}

/// A value as the parser gives it: places still in its own form.
enum Node {
    Absent,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Spanned<Node>>),
    Map(Vec<(Spanned<String>, Spanned<Node>)>),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Absent)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Number(value as f64))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Number(value as f64))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Node, E> {
        Ok(Node::Number(value as f64))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Node, E> {
        Ok(Node::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Node, E> {
        Ok(Node::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Node::Map(map))
    }
}

fn place(node: Spanned<Node>, text: &str, file: FileId) -> Data {
    let span = span(&node.referenced, text, file);
    let value = match node.value {
        Node::Absent => Value::Absent,
        Node::Bool(value) => Value::Bool(value),
        Node::Number(value) => {
            let written = self::span(&node.defined, text, file)
                .and_then(|span| text.get(span.start as usize..span.end as usize));
            let written = written.map(str::trim).filter(|written| !written.is_empty());
            Value::Number(value, written.map(str::to_owned))
        }
        Node::Text(text) => Value::Text(text),
        Node::List(items) => {
            Value::List(items.into_iter().map(|item| place(item, text, file)).collect())
        }
        Node::Map(entries) => {
            let entries = entries.into_iter().map(|(key, value)| Entry {
                key_span: self::span(&key.referenced, text, file),
                key: key.value,
                data: place(value, text, file),
            });
            Value::Map(entries.collect())
        }
    };
    Data { span, value }
}

/// The parser's place as ours. A scalar has a length; a list or map is its first character.
fn span(location: &Location, text: &str, file: FileId) -> Option<Span> {
    let place = location.span();
    let start = place.byte_offset().filter(|_| location.line() > 0)? as usize;
    let start = text.floor_char_boundary(start.min(text.len()));
    let len = place.byte_len().unwrap_or_default() as usize;
    let end = text.ceil_char_boundary((start + len).min(text.len()));
    // A block scalar's length takes the line break with it.
    let kept = text[start..end].trim_end().len();
    Some(Span { file, start: start as u32, end: (start + kept) as u32 })
}

fn tell(error: &Error, text: &str, file: FileId) -> Diagnostic {
    let error = error.without_snippet();
    let location = error.location();
    let place = location
        .as_ref()
        .and_then(|at| span(at, text, file).or_else(|| line(at, text, file)));
    let start = Span { file, start: 0, end: 0 };
    let told = error.render_with_options(serde_saphyr::render_options! {
        snippets: SnippetMode::Off,
    });
    let (code, message, help) = explain(without_place(&told), text, place);
    let diagnostic = Diagnostic::error(code, message, Some(place.unwrap_or(start)));
    match help {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}

/// The parser says where at the end of its message; we say it in our own way.
fn without_place(told: &str) -> String {
    let first = told.lines().next().unwrap_or_default();
    let cut = [" at line ", " (at line ", " at byte ", ", line "]
        .iter()
        .filter_map(|mark| first.rfind(mark))
        .min()
        .unwrap_or(first.len());
    let message = first[..cut].trim_end_matches([':', '.', ' ']);
    let mut chars = message.chars();
    match chars.next() {
        Some(c) => c.to_lowercase().chain(chars).collect(),
        None => "this is not YAML".to_owned(),
    }
}

fn line(location: &Location, text: &str, file: FileId) -> Option<Span> {
    let index = usize::try_from(location.line()).ok()?.checked_sub(1)?;
    let start = text.split_inclusive('\n').take(index).map(str::len).sum::<usize>();
    let start = start.min(text.len()) as u32;
    Some(Span { file, start, end: start })
}

/// The parser's advice is for programmers; where its words would not help an author, ours do.
fn explain(
    message: String,
    text: &str,
    place: Option<Span>,
) -> (&'static str, String, Option<&'static str>) {
    let line = place.map_or("", |span| {
        let start = text[..span.start as usize].rfind('\n').map_or(0, |at| at + 1);
        text[start..].lines().next().unwrap_or_default()
    });
    let has = |words: &str| message.contains(words);
    if has("unknown anchor") {
        let help = "mark what is meant with `&name`, above its first `*name`";
        return ("syntax", "this alias names no anchor".to_owned(), Some(help));
    }
    if has("alias") || has("replay") {
        let message = "the aliases repeat too much of the document".to_owned();
        return ("yaml-too-large", message, Some("build large topologies with a script"));
    }
    if has("budget") || has("recursion") || has("limit exceeded") || has("depth") {
        let message = "the document is too large, or nested too deep".to_owned();
        return ("yaml-too-large", message, Some("build large topologies with a script"));
    }
    if has("duplicate mapping key") {
        let message = message.split(", set").next().unwrap_or_default().to_owned();
        return ("duplicate-key", message, Some("give each key once"));
    }
    if has("multiple YAML documents") {
        let message = "the file holds several documents".to_owned();
        return (
            "syntax",
            message,
            Some("one file is one document: leave the `---` out"),
        );
    }
    if has("tabs") || line.trim_start_matches(' ').starts_with('\t') {
        return ("syntax", message, Some("indent with spaces: YAML takes no tabs"));
    }
    ("syntax", message, None)
}
