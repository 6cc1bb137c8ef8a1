//! Avro's schema resolution: whether a reader's schema can take what a writer's describes.

use std::collections::BTreeSet;

use super::super::{READER, Reason, WRITER};
use super::{Avro, Body, Field, Named, Plain, Type};

/// Why `reader` cannot read what `writer` wrote.
pub(crate) fn resolve(reader: &Avro, writer: &Avro) -> Vec<Reason> {
    let mut resolution =
        Resolution { reader, writer, under_way: BTreeSet::new(), reasons: Vec::new() };
    resolution.types("", &reader.root, &writer.root);
    resolution.reasons
}

struct Resolution<'a> {
    reader: &'a Avro,
    writer: &'a Avro,
    /// Pairs of named types that are being held against each other, or have been.
    under_way: BTreeSet<(usize, usize)>,
    reasons: Vec<Reason>,
}

impl Resolution<'_> {
    fn types(&mut self, at: &str, reader: &Type, writer: &Type) {
        match (reader, writer) {
            (_, Type::Union(branches)) => {
                for branch in branches {
                    self.types(at, reader, branch);
                }
            }
            (Type::Union(branches), writer) => self.union(at, branches, writer),
            (Type::Plain(reader), Type::Plain(writer)) if reads(*reader, *writer) => {}
            (Type::Array(reader), Type::Array(writer)) => {
                self.types(&format!("{at}[]"), reader, writer);
            }
            (Type::Map(reader), Type::Map(writer)) => {
                self.types(&format!("{at}{{}}"), reader, writer);
            }
            (Type::Named(reader), Type::Named(writer)) => {
                self.named(at, *reader, *writer);
            }
            (reader, writer) => self.mismatch(at, reader, writer),
        }
    }

    fn mismatch(&mut self, at: &str, reader: &Type, writer: &Type) {
        let (reader, writer) = (self.reader.word(reader), self.writer.word(writer));
        let text = format!("{WRITER} writes {writer}, {READER} reads {reader}");
        self.reasons.push(Reason::new(at, text));
    }

    fn union(&mut self, at: &str, branches: &[Type], writer: &Type) {
        for branch in branches {
            let mut attempt = Resolution {
                reader: self.reader,
                writer: self.writer,
                under_way: self.under_way.clone(),
                reasons: Vec::new(),
            };
            attempt.types(at, branch, writer);
            if attempt.reasons.is_empty() {
                return;
            }
        }
        self.mismatch(at, &Type::Union(branches.to_vec()), writer);
    }

    fn named(&mut self, at: &str, reader: usize, writer: usize) {
        if !self.under_way.insert((reader, writer)) {
            return;
        }
        let (mine, theirs) = (&self.reader.named[reader], &self.writer.named[writer]);
        let place = if at.is_empty() { mine.name() } else { at };
        if !is_known_as(mine, theirs) {
            let (mine, theirs) = (mine.name(), theirs.name());
            let text = format!("{WRITER} calls it {theirs}, {READER} calls it {mine}");
            return self.reasons.push(Reason::new(at, text));
        }
        match (&mine.body, &theirs.body) {
            (Body::Record(reads), Body::Record(writes)) => {
                self.fields(place, reads, writes);
            }
            (Body::Enum { symbols, default }, Body::Enum { symbols: theirs, .. }) => {
                let unknown: Vec<&str> = theirs
                    .iter()
                    .filter(|symbol| default.is_none() && !symbols.contains(symbol))
                    .map(String::as_str)
                    .collect();
                if !unknown.is_empty() {
                    let unknown = unknown.join(", ");
                    let text = format!(
                        "{WRITER} writes {unknown}, which {READER} does not know"
                    );
                    self.reasons.push(Reason::new(place, text));
                }
            }
            (Body::Fixed(mine), Body::Fixed(theirs)) if mine == theirs => {}
            (Body::Fixed(mine), Body::Fixed(theirs)) => {
                let text =
                    format!("{WRITER} writes {theirs} bytes, {READER} reads {mine}");
                self.reasons.push(Reason::new(place, text));
            }
            _ => {
                let text = format!("{WRITER} and {READER} mean different kinds of types");
                self.reasons.push(Reason::new(place, text));
            }
        }
    }

    fn fields(&mut self, at: &str, reads: &[Field], writes: &[Field]) {
        for field in reads {
            let place = format!("{at}.{}", field.name);
            let theirs = writes.iter().find(|other| {
                other.name == field.name || field.aliases.contains(&other.name)
            });
            match theirs {
                Some(theirs) => self.types(&place, &field.kind, &theirs.kind),
                None if field.default.is_some() => {}
                None => {
                    let text = format!(
                        "{WRITER} does not write it, and {READER} has no default for it"
                    );
                    self.reasons.push(Reason::new(place, text));
                }
            }
        }
    }
}

/// Names agree without their namespaces, or through an alias of the reader's.
fn is_known_as(reader: &Named, writer: &Named) -> bool {
    reader.name() == writer.name() || reader.aliases.contains(&writer.full_name)
}

/// Whether a plain type reads another: the same, or one that it is promoted to.
fn reads(reader: Plain, writer: Plain) -> bool {
    match (writer, reader) {
        (Plain::Int, Plain::Long | Plain::Float | Plain::Double)
        | (Plain::Long, Plain::Float | Plain::Double)
        | (Plain::Float, Plain::Double)
        | (Plain::String, Plain::Bytes)
        | (Plain::Bytes, Plain::String) => true,
        (writer, reader) => writer == reader,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::{Schema, SchemaType};

    fn reasons(reader: &str, writer: &str) -> Vec<String> {
        let parse = |text| Schema::parse(SchemaType::Avro, text).expect("good");
        let found = parse(reader).cannot_read(&parse(writer));
        found.iter().map(|reason| reason.tell("new", "old")).collect()
    }

    fn record(fields: &str) -> String {
        format!(r#"{{"type":"record","name":"R","fields":[{fields}]}}"#)
    }

    #[test]
    fn numbers_are_promoted_but_never_demoted() {
        for (reader, writer) in [
            ("long", "int"),
            ("double", "int"),
            ("double", "long"),
            ("double", "float"),
            ("bytes", "string"),
            ("string", "bytes"),
        ] {
            let (reader, writer) = (format!("\"{reader}\""), format!("\"{writer}\""));
            assert!(reasons(&reader, &writer).is_empty(), "{reader} from {writer}");
        }
        assert_eq!(reasons("\"int\"", "\"long\""), ["old writes long, new reads int"]);
    }

    #[test]
    fn every_branch_that_may_be_written_must_be_readable() {
        assert!(reasons(r#"["null","string"]"#, "\"string\"").is_empty());
        let told = reasons("\"string\"", r#"["null","string"]"#);
        assert_eq!(told, ["old writes null, new reads string"]);
        let told = reasons(r#"["null","int"]"#, "\"string\"");
        assert_eq!(told, ["old writes string, new reads [null, int]"]);
    }

    #[test]
    fn a_renamed_field_needs_an_alias() {
        let old = record(r#"{"name":"cost","type":"int"}"#);
        let new = record(r#"{"name":"price","type":"int"}"#);
        let told = "R.price: old does not write it, and new has no default for it";
        assert_eq!(reasons(&new, &old), [told]);
        let new = record(r#"{"name":"price","type":"int","aliases":["cost"]}"#);
        assert!(reasons(&new, &old).is_empty());
    }

    #[test]
    fn an_enum_may_lose_a_symbol_only_with_a_default() {
        let symbols = |list: &str, more: &str| {
            format!(r#"{{"type":"enum","name":"E","symbols":[{list}]{more}}}"#)
        };
        let (old, new) = (symbols(r#""A","B""#, ""), symbols(r#""A""#, ""));
        assert_eq!(reasons(&new, &old), ["E: old writes B, which new does not know"]);
        let new = symbols(r#""A""#, r#","default":"A""#);
        assert!(reasons(&new, &old).is_empty());
    }

    #[test]
    fn every_difference_is_named_and_not_only_the_first() {
        let old = record(r#"{"name":"a","type":"long"},{"name":"b","type":"string"}"#);
        let new = record(
            r#"{"name":"a","type":"int"},
               {"name":"b","type":{"type":"array","items":"string"}}"#,
        );
        let told = [
            "R.a: old writes long, new reads int",
            "R.b: old writes string, new reads array of string",
        ];
        assert_eq!(reasons(&new, &old), told);
    }

    #[test]
    fn a_record_that_contains_itself_comes_to_an_end() {
        let node = |kind: &str| {
            format!(
                r#"{{"type":"record","name":"N","fields":[{{"name":"v","type":"{kind}"}},
                {{"name":"next","type":["null","N"],"default":null}}]}}"#
            )
        };
        assert!(reasons(&node("long"), &node("int")).is_empty());
        assert_eq!(reasons(&node("int"), &node("long")).len(), 1);
    }

    #[test]
    fn namespaces_do_not_count_and_names_do() {
        let named =
            |name: &str| format!(r#"{{"type":"fixed","name":"{name}","size":4}}"#);
        assert!(reasons(&named("a.F"), &named("b.F")).is_empty());
        let told = reasons(&named("G"), &named("F"));
        assert_eq!(told, ["old calls it F, new calls it G"]);
    }
}
