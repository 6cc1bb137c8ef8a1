//! JSON with the place of every value, for messages that point at it.
//!
//! A theme file holds objects and texts only, so anything else is one kind of "other".

use std::ops::Range;

/// Bytes of the file.
pub(crate) type Place = Range<usize>;

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Value {
    pub place: Place,
    pub kind: Kind,
}

/// What it is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Text(String),
    Object(Vec<(Key, Value)>),
    /// A number, a list, `true`, `false` or `null`.
    Other,
}

/// A name in an object.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Key {
    pub place: Place,
    pub name: String,
}

/// Why it is no JSON.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Broken {
    pub place: Place,
    pub message: &'static str,
    pub help: &'static str,
}

/// Reads a whole file.
pub(crate) fn read(text: &str) -> Result<Value, Broken> {
    // A byte order mark is no part of the text.
    let at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut reader = Reader { text, at };
    let value = reader.value(0)?;
    reader.space();
    if reader.at < text.len() {
        return Err(reader.broken("something follows the theme", "end the file here"));
    }
    Ok(value)
}

/// Deepest nesting; a theme has two levels.
const DEEPEST: usize = 32;

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn space(&mut self) {
        let rest = &self.text[self.at..];
        self.at =
            self.text.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    fn broken(&self, message: &'static str, help: &'static str) -> Broken {
        let end = self.at + self.peek().map_or(0, char::len_utf8);
        Broken { place: self.at..end, message, help }
    }

    fn value(&mut self, depth: usize) -> Result<Value, Broken> {
        self.space();
        let start = self.at;
        let kind = match self.peek() {
            _ if depth > DEEPEST => {
                return Err(self.broken("too deep", "a theme has at most two levels"));
            }
            Some('{') => self.object(depth)?,
            Some('[') => self.list(depth)?,
            Some('"') => Kind::Text(self.string()?),
            Some(c) if c.is_ascii_alphanumeric() || c == '-' => {
                let rest = &self.text[self.at..];
                let is_part = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
                self.at += rest.find(|c| !is_part(c)).unwrap_or(rest.len());
                Kind::Other
            }
            Some('/') => {
                return Err(self.broken("JSON has no comments", "leave them out"));
            }
            Some(_) => {
                return Err(self.broken(
                    "a value was expected here",
                    "write a colour such as \"#2b5387\"",
                ));
            }
            None => {
                return Err(self.broken("the file ends too early", "close what is open"));
            }
        };
        Ok(Value { place: start..self.at, kind })
    }

    /// After a value: whether another follows before `end`.
    fn more(&mut self, end: char) -> Result<bool, Broken> {
        self.space();
        match self.peek() {
            Some(',') => {
                let comma = self.at;
                self.at += 1;
                self.space();
                if self.peek() == Some(end) {
                    self.at = comma;
                    return Err(self.broken(
                        "a comma after the last entry",
                        "leave this comma out: JSON does not allow it",
                    ));
                }
                Ok(true)
            }
            Some(c) if c == end => {
                self.at += 1;
                Ok(false)
            }
            Some(_) => Err(self.broken(
                "a comma or the closing bracket was expected here",
                "put a comma between two entries",
            )),
            None => Err(self.broken("the file ends too early", "close what is open")),
        }
    }

    /// Whether the bracket that was just opened is closed at once.
    fn opens(&mut self, end: char) -> bool {
        self.at += 1;
        self.space();
        let is_empty = self.peek() == Some(end);
        self.at += usize::from(is_empty);
        !is_empty
    }

    fn object(&mut self, depth: usize) -> Result<Kind, Broken> {
        let mut entries = Vec::new();
        let mut goes_on = self.opens('}');
        while goes_on {
            self.space();
            let start = self.at;
            if self.peek() != Some('"') {
                return Err(self.broken(
                    "a name in double quotes was expected here",
                    "write an entry such as \"page\": \"#ffffff\"",
                ));
            }
            let name = self.string()?;
            let key = Key { place: start..self.at, name };
            self.space();
            if self.peek() != Some(':') {
                return Err(self.broken(
                    "a colon was expected here",
                    "write a colon between the name and its value",
                ));
            }
            self.at += 1;
            entries.push((key, self.value(depth + 1)?));
            goes_on = self.more('}')?;
        }
        Ok(Kind::Object(entries))
    }

    fn list(&mut self, depth: usize) -> Result<Kind, Broken> {
        let mut goes_on = self.opens(']');
        while goes_on {
            self.value(depth + 1)?;
            goes_on = self.more(']')?;
        }
        Ok(Kind::Other)
    }

    fn string(&mut self) -> Result<String, Broken> {
        let start = self.at;
        let rest = &self.text[start + 1..];
        let mut is_escaped = false;
        let end = rest.char_indices().find_map(|(at, c)| {
            let ends = (c == '"' && !is_escaped) || c == '\n';
            is_escaped = c == '\\' && !is_escaped;
            ends.then_some((at, c))
        });
        let Some((length, '"')) = end else {
            let line = rest.split('\n').next().unwrap_or_default();
            let place = start..start + 1 + line.trim_end_matches('\r').len();
            let (message, help) =
                ("this text is not closed", "end it with a double quote");
            return Err(Broken { place, message, help });
        };
        self.at = start + length + 2;
        serde_json::from_str(&self.text[start..self.at]).map_err(|_| Broken {
            place: start..self.at,
            message: "this text holds a character that JSON does not allow",
            help: "write plain letters, digits and signs",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_knows_its_place() {
        let text = r##"{ "page": "#fff", "dark": { "a\n": [1, {"b": null}] } }"##;
        let Kind::Object(entries) = read(text).unwrap().kind else { panic!("an object") };
        assert_eq!(&text[entries[0].0.place.clone()], "\"page\"");
        assert_eq!(&text[entries[0].1.place.clone()], "\"#fff\"");
        let Kind::Object(inner) = &entries[1].1.kind else { panic!("an object") };
        assert_eq!((inner[0].0.name.as_str(), &inner[0].1.kind), ("a\n", &Kind::Other));
    }

    #[test]
    fn what_is_broken_is_pointed_at() {
        for (text, at) in [
            ("", 0),
            ("{", 1),
            ("{}x", 2),
            ("{\"a\": \"b\",}", 9),
            ("{\"a\" \"b\"}", 5),
            ("{a: 1}", 1),
            ("{\"a\": \"b}\n", 6),
            ("{\"a\": 1 \"b\": 2}", 8),
            ("// no", 0),
            ("{\"a\": ]}", 6),
            ("{\"\\q\": 1}", 1),
        ] {
            assert_eq!(read(text).unwrap_err().place.start, at, "{text}");
        }
        assert!(read(&"[".repeat(100_000)).is_err());
    }
}
