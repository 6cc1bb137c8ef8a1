//! What the processes around Kafka are made to do, as a line:
//! `register orders-value Order(id: string)`.

use std::str::FromStr;

use topomotion_actors::Statement;
use topomotion_actors::schema::{self, Compatibility, Schema, SchemaType};
use topomotion_model::ProcessId;
use topomotion_wire::{HttpMethod, RowChange};

use crate::storm::Misread;

/// Something to ask of a registry or of a service, or to write from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActorLine {
    /// `register orders-value Order(id: string)`
    Register {
        /// Under which subject.
        subject: String,
        /// What.
        schema: Schema,
    },
    /// `check orders-value Order(id: string)`: whether it could be registered.
    Check {
        /// Under which subject.
        subject: String,
        /// What.
        schema: Schema,
    },
    /// `compatibility FULL`, `compatibility orders-value FULL`
    Level {
        /// Of which subject; of all that have none of their own if none is named.
        subject: Option<String>,
        /// What its next version must be.
        level: Compatibility,
    },
    /// `write orders as Order(id: string)`: what the application writes from now on.
    Write {
        /// To which topic.
        topic: String,
        /// What.
        schema: Schema,
    },
    /// `fail on poison`, `fail on nothing`: on which records the work fails from now on.
    FailOn(Option<String>),
    /// `replay orders.dlq`: what was put aside is written to where it came from.
    Replay(String),
    /// `insert orders 1 total=5`, `update orders 1 total=7`, `delete orders 1`: what a
    /// client of the database has it do; with `;` between them in one transaction.
    Change(Vec<Statement>),
    /// `call GET /subjects`, `call payment POST /pay {}`
    Call {
        /// Whom; the registry if nobody is named.
        to: Option<ProcessId>,
        /// What is asked.
        method: HttpMethod,
        /// Of which resource.
        path: String,
        /// What goes along.
        body: String,
    },
}

const VERBS: [(&str, &str); 10] = [
    ("register", "register orders-value Order(id: string)"),
    ("check", "check orders-value Order(id: string)"),
    ("compatibility", "compatibility orders-value FULL"),
    ("write", "write orders as Order(id: string)"),
    ("fail", "fail on poison"),
    ("replay", "replay orders.dlq"),
    ("insert", "insert orders 1 total=5"),
    ("update", "update orders 1 total=7"),
    ("delete", "delete orders 1"),
    ("call", "call GET /subjects"),
];

/// Whether a line is meant for the processes around Kafka.
pub fn is_meant(line: &str) -> bool {
    let verb = line.split_whitespace().next().unwrap_or_default();
    VERBS.iter().any(|(known, _)| *known == verb)
}

/// Whether a line is about one process alone, and neither asks a registry nor calls a
/// service.
pub fn is_of_application(line: &str) -> bool {
    let line = line.parse();
    matches!(line, Ok(ActorLine::FailOn(_) | ActorLine::Replay(_) | ActorLine::Change(_)))
}

/// Whether a line is for a database.
pub fn is_of_database(line: &str) -> bool {
    matches!(line.parse(), Ok(ActorLine::Change(_)))
}

/// What is left of a line, word by word.
struct Rest<'a> {
    line: &'a str,
    rest: &'a str,
    example: &'static str,
}

impl<'a> Rest<'a> {
    fn misread(&self, message: String) -> Misread {
        let read = self.line.len() - self.rest.trim_start().len();
        let column = self.line.get(..read).map_or(0, |read| read.chars().count());
        Misread { column, message }
    }

    fn word(&mut self, wanted: &str) -> Result<&'a str, Misread> {
        let rest = self.rest.trim_start();
        if rest.is_empty() {
            let message = format!("{wanted} is missing; write: {}", self.example);
            return Err(self.misread(message));
        }
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let (word, rest) = rest.split_at(end);
        self.rest = rest;
        Ok(word)
    }

    /// All that is left, as a schema.
    fn schema(&mut self) -> Result<Schema, Misread> {
        let text = self.rest.trim();
        if text.is_empty() {
            let message = format!("a schema is missing; write: {}", self.example);
            return Err(self.misread(message));
        }
        read_schema(text).map_err(|why| self.misread(why))
    }
}

/// Protobuf begins as its files do, JSON Schema says so or has properties; the rest is Avro,
/// in its short form or as it is.
fn read_schema(text: &str) -> Result<Schema, String> {
    let is_protobuf = ["syntax", "message ", "package ", "edition"]
        .iter()
        .any(|start| text.starts_with(start));
    if is_protobuf {
        return Schema::parse(SchemaType::Protobuf, text);
    }
    let is_json = ["\"$schema\"", "\"properties\"", "\"type\":\"object\""]
        .iter()
        .any(|mark| text.replace(' ', "").contains(mark));
    if is_json {
        return Schema::parse(SchemaType::Json, text);
    }
    Schema::parse(SchemaType::Avro, &schema::from_words(text))
}

impl FromStr for ActorLine {
    type Err = Misread;

    fn from_str(line: &str) -> Result<ActorLine, Misread> {
        if line.contains(';') && is_change(line) {
            return changes(line);
        }
        let mut rest = Rest { line, rest: line, example: VERBS[0].1 };
        let verb = rest.word("a verb")?;
        if let Some((_, example)) = VERBS.iter().find(|(known, _)| *known == verb) {
            rest.example = example;
        }
        match verb {
            "register" | "check" => {
                let subject = rest.word("a subject")?.to_owned();
                let schema = rest.schema()?;
                Ok(match verb {
                    "register" => ActorLine::Register { subject, schema },
                    _ => ActorLine::Check { subject, schema },
                })
            }
            "compatibility" => {
                let first = rest.word("a level")?;
                let (subject, word) = match rest.rest.trim() {
                    "" => (None, first),
                    word => (Some(first.to_owned()), word),
                };
                let level = Compatibility::named(word).ok_or_else(|| {
                    let known: Vec<&str> =
                        Compatibility::ALL.iter().map(|it| it.name()).collect();
                    let known = known.join(", ");
                    rest.misread(format!("`{word}` is no level: there are {known}"))
                })?;
                Ok(ActorLine::Level { subject, level })
            }
            "write" => {
                let topic = rest.word("a topic")?.to_owned();
                match rest.word("`as`")? {
                    "as" => Ok(ActorLine::Write { topic, schema: rest.schema()? }),
                    other => {
                        let message = format!(
                            "`as` should stand here, not `{other}`; write: {}",
                            rest.example
                        );
                        Err(rest.misread(message))
                    }
                }
            }
            "fail" => match (rest.word("`on`")?, rest.word("what")?) {
                ("on", "nothing") => Ok(ActorLine::FailOn(None)),
                ("on", word) => Ok(ActorLine::FailOn(Some(word.to_owned()))),
                (other, _) => {
                    let example = rest.example;
                    let message = format!(
                        "`on` should stand here, not `{other}`; write: {example}"
                    );
                    Err(rest.misread(message))
                }
            },
            "replay" => Ok(ActorLine::Replay(rest.word("a topic")?.to_owned())),
            "insert" => change(&mut rest, RowChange::Insert),
            "update" => change(&mut rest, RowChange::Update),
            "delete" => change(&mut rest, RowChange::Delete),
            "call" => call(&mut rest),
            other => Err(rest.misread(format!("`{other}` is not known"))),
        }
    }
}

/// Whether a line begins as a change of a row.
fn is_change(line: &str) -> bool {
    let verb = line.split_whitespace().next();
    matches!(verb, Some("insert" | "update" | "delete"))
}

/// Changes with `;` between them: one transaction.
fn changes(line: &str) -> Result<ActorLine, Misread> {
    let mut all = Vec::new();
    let mut before = 0;
    for part in line.split(';') {
        let moved = |misread: Misread| Misread {
            column: misread.column + before,
            message: misread.message,
        };
        let trimmed = part.trim();
        if !is_change(trimmed) {
            let message = format!("`{trimmed}` changes no row; write: {}", VERBS[6].1);
            return Err(moved(Misread { column: 0, message }));
        }
        match part.parse::<ActorLine>().map_err(moved)? {
            ActorLine::Change(statements) => all.extend(statements),
            _ => continue,
        }
        before += part.chars().count() + 1;
    }
    Ok(ActorLine::Change(all))
}

fn change(rest: &mut Rest<'_>, change: RowChange) -> Result<ActorLine, Misread> {
    let (table, key) = (rest.word("a table")?.into(), rest.word("a key")?.into());
    let mut columns = Vec::new();
    while !rest.rest.trim().is_empty() {
        let word = rest.word("a column")?;
        let Some((name, value)) = word.split_once('=') else {
            let message = format!("`{word}` sets no column; write: {}", rest.example);
            return Err(rest.misread(message));
        };
        columns.push((name.to_owned(), value.to_owned()));
    }
    Ok(ActorLine::Change(vec![Statement { table, key, change, columns }]))
}

fn call(rest: &mut Rest<'_>) -> Result<ActorLine, Misread> {
    let mut word = rest.word("a method")?;
    let mut to = None;
    if HttpMethod::named(word).is_none() && !word.starts_with('/') {
        to = Some(ProcessId::from(word));
        word = rest.word("a method")?;
    }
    let method = HttpMethod::named(word);
    let path = match method {
        Some(_) => rest.word("a path")?,
        None => word,
    };
    if !path.starts_with('/') {
        let message = format!("`{path}` is no path: it begins with `/`");
        return Err(rest.misread(message));
    }
    let body = rest.rest.trim().to_owned();
    let plain = if to.is_some() { HttpMethod::Post } else { HttpMethod::Get };
    let (method, path) = (method.unwrap_or(plain), path.to_owned());
    Ok(ActorLine::Call { to, method, path, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn misread(line: &str) -> (usize, String) {
        let Misread { column, message } = line.parse::<ActorLine>().expect_err(line);
        (column, message)
    }

    #[test]
    fn a_call_names_whom_or_means_the_registry() {
        let body = String::new;
        let path = || "/subjects".to_owned();
        let get = HttpMethod::Get;
        let wanted =
            ActorLine::Call { to: None, method: get, path: path(), body: body() };
        assert_eq!("call /subjects".parse(), Ok(wanted.clone()));
        assert_eq!("call GET /subjects".parse(), Ok(wanted));
        let wanted = ActorLine::Call {
            to: Some("payment".into()),
            method: HttpMethod::Post,
            path: "/pay".to_owned(),
            body: "{\"a\": 1}".to_owned(),
        };
        assert_eq!("call payment /pay {\"a\": 1}".parse(), Ok(wanted));
    }

    #[test]
    fn changes_with_semicolons_are_one_transaction() {
        let line = "insert orders 1 total=5; insert outbox 1 event=placed";
        let Ok(ActorLine::Change(statements)) = line.parse() else {
            panic!("two changes");
        };
        let tables: Vec<&str> = statements.iter().map(|it| &*it.table).collect();
        assert_eq!(tables, ["orders", "outbox"]);
        let (column, message) = misread("insert orders 1; call GET /subjects");
        assert_eq!(column, 16);
        assert!(message.starts_with("`call GET /subjects` changes no row"), "{message}");
    }

    #[test]
    fn the_language_of_a_schema_is_seen_from_its_text() {
        for (text, kind) in [
            ("Order(id: string)", SchemaType::Avro),
            (r#"{"type": "record", "name": "A", "fields": []}"#, SchemaType::Avro),
            (r#"{"type": "object"}"#, SchemaType::Json),
            ("syntax = \"proto3\"; message A { }", SchemaType::Protobuf),
        ] {
            assert_eq!(read_schema(text).map(|it| it.kind()), Ok(kind), "{text}");
        }
    }

    #[test]
    fn a_wrong_line_says_where_and_what_to_write() {
        let told = "a schema is missing; write: register orders-value Order(id: string)";
        assert_eq!(misread("register s"), (10, told.to_owned()));
        assert_eq!(misread("register s Order(id: strin)").0, 11);
        let (column, message) = misread("compatibility s SIDEWAYS");
        assert_eq!(column, 16);
        assert!(message.starts_with("`SIDEWAYS` is no level: there are NONE, BACKWARD"));
        assert!(misread("write orders like X").1.starts_with("`as` should stand here"));
        assert_eq!(
            misread("call GET subjects").1,
            "`subjects` is no path: it begins with `/`"
        );
    }
}
