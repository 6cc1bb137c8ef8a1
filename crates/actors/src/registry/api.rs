//! The registry's REST interface: what each request means to what the registry knows.
//!
//! Paths, error codes and the shapes of answers are those of Confluent's Schema Registry.

use serde_json::{Value, json};
use topomotion_wire::{HttpMethod, HttpRequest};

use super::record::Entry;
use super::reply::{Fault, Reply};
use super::store::{Deleted, Store, Version};
use crate::schema::{Compatibility, Incompatible, Schema, SchemaType};

/// What is done about a request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Decision {
    /// It is answered at once.
    Answer(Reply),
    /// These are written first; the answer holds once they have been read back.
    Write(Vec<Entry>, Reply),
}

impl Decision {
    /// How it is answered in the end.
    #[cfg(test)]
    pub fn reply(&self) -> &Reply {
        match self {
            Decision::Answer(reply) | Decision::Write(_, reply) => reply,
        }
    }
}

type Decided = Result<Decision, Fault>;

/// A request taken apart.
struct Asked<'a> {
    store: &'a Store,
    default: Compatibility,
    query: Vec<(&'a str, &'a str)>,
    body: &'a str,
}

/// Decides about a request. `default` is the level where nothing else is set.
pub(crate) fn decide(
    store: &Store,
    default: Compatibility,
    request: &HttpRequest,
) -> Decision {
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let segments = path.split('/').filter(|it| !it.is_empty()).map(decoded);
    let Some(segments) = segments.collect::<Option<Vec<String>>>() else {
        return Decision::Answer(Fault::NoRoute.reply());
    };
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let query = query.split('&').filter_map(|pair| pair.split_once('='));
    let asked = Asked { store, default, query: query.collect(), body: &request.body };
    let decided = asked.route(request.method, &segments);
    decided.unwrap_or_else(|fault| Decision::Answer(fault.reply()))
}

/// A part of a path as it was before it was escaped (RFC 3986); none if it is none.
fn decoded(part: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let [first, behind @ ..] = rest {
        rest = behind;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (digits, behind) = rest.split_at_checked(2)?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
        rest = behind;
    }
    String::from_utf8(bytes).ok()
}

fn answer(body: &Value) -> Decided {
    Ok(Decision::Answer(Reply { status: 200, body: body.to_string() }))
}

fn write(entries: Vec<Entry>, body: &Value) -> Decided {
    Ok(Decision::Write(entries, Reply { status: 200, body: body.to_string() }))
}

impl Asked<'_> {
    fn route(&self, method: HttpMethod, segments: &[&str]) -> Decided {
        use HttpMethod::{Delete, Get, Post, Put};
        match (method, segments) {
            (Get, []) => answer(&json!({})),
            // It is its own leader, always: whoever asks may write.
            (Get, ["mode"]) => answer(&json!({ "mode": "READWRITE" })),
            (Get, ["subjects"]) => answer(&json!(self.store.subjects(self.deleted()))),
            (Post, ["subjects", subject]) => self.look_up(subject),
            (Delete, ["subjects", subject]) => self.delete_subject(subject),
            (Get, ["subjects", subject, "versions"]) => {
                let versions = self.versions(subject)?;
                let numbers: Vec<u32> = versions.iter().map(|(it, _)| *it).collect();
                answer(&json!(numbers))
            }
            (Post, ["subjects", subject, "versions"]) => self.register(subject),
            (Get, ["subjects", subject, "versions", version]) => {
                let (number, found) = self.version(subject, version, self.deleted())?;
                answer(&described(subject, number, found))
            }
            (Get, ["subjects", subject, "versions", version, "schema"]) => {
                let (_, found) = self.version(subject, version, self.deleted())?;
                let body = found.schema.text().to_string();
                Ok(Decision::Answer(Reply { status: 200, body }))
            }
            (Delete, ["subjects", subject, "versions", version]) => {
                self.delete_version(subject, version)
            }
            (_, ["schemas", rest @ ..]) if method == Get => self.schemas(rest),
            (Post, ["compatibility", "subjects", subject, "versions", rest @ ..]) => {
                self.compatibility(subject, rest)
            }
            (Get, ["config"]) => answer(&level_of(self.global())),
            (Put, ["config"]) => self.set_level(None),
            (Get, ["config", subject]) => self.subject_level(subject),
            (Put, ["config", subject]) => self.set_level(Some(subject)),
            (Delete, ["config", subject]) => {
                let level = self.store.level(subject);
                let level = level.ok_or_else(|| Fault::no_level(subject))?;
                let subject = Some((*subject).to_owned());
                let entry = Entry::Level { subject, level: None };
                write(vec![entry], &level_of(level))
            }
            _ => Err(Fault::NoRoute),
        }
    }

    fn is_set(&self, name: &str) -> bool {
        self.query.iter().any(|(known, value)| *known == name && *value == "true")
    }

    fn deleted(&self) -> Deleted {
        if self.is_set("deleted") { Deleted::Shown } else { Deleted::Hidden }
    }

    fn global(&self) -> Compatibility {
        self.store.global().unwrap_or(self.default)
    }

    /// The schema in the body.
    fn given(&self) -> Result<Schema, Fault> {
        let body: Value = serde_json::from_str(self.body)
            .map_err(|error| Fault::BadSchema(error.to_string()))?;
        let kind = body.get("schemaType").and_then(Value::as_str).unwrap_or("AVRO");
        let kind = SchemaType::named(kind)
            .ok_or_else(|| Fault::BadSchema(format!("no schema type {kind}")))?;
        let text = body.get("schema").and_then(Value::as_str);
        let text = text.ok_or_else(|| Fault::BadSchema("no schema".to_owned()))?;
        let parsed = Schema::parse(kind, text);
        parsed.map_err(|why| Fault::BadSchema(format!("not valid {kind}: {why}")))
    }

    fn versions(&self, subject: &str) -> Result<Vec<(u32, &Version)>, Fault> {
        self.versions_with(subject, self.deleted())
    }

    fn versions_with(
        &self,
        subject: &str,
        deleted: Deleted,
    ) -> Result<Vec<(u32, &Version)>, Fault> {
        let found: Vec<(u32, &Version)> = self.store.versions(subject, deleted).collect();
        match found.is_empty() {
            true => Err(Fault::no_subject(subject)),
            false => Ok(found),
        }
    }

    /// The version of this number, or the `latest`.
    fn version(
        &self,
        subject: &str,
        word: &str,
        deleted: Deleted,
    ) -> Result<(u32, &Version), Fault> {
        let versions = self.versions_with(subject, deleted);
        if matches!(word, "latest" | "-1") {
            return versions?.pop().ok_or_else(|| Fault::no_subject(subject));
        }
        let number: u32 = word.parse().map_err(|_| Fault::BadVersion(word.to_owned()))?;
        if !(1..=i32::MAX as u32).contains(&number) {
            return Err(Fault::BadVersion(word.to_owned()));
        }
        let found = versions?.into_iter().find(|(known, _)| *known == number);
        found.ok_or(Fault::NoVersion(number))
    }

    fn register(&self, subject: &str) -> Decided {
        let schema = self.given()?;
        let known = self.store.versions(subject, Deleted::Hidden);
        if let Some((_, known)) = known.into_iter().find(|(_, it)| it.schema == schema) {
            return answer(&json!({ "id": known.id }));
        }
        let level = self.store.level(subject).unwrap_or_else(|| self.global());
        let versions = self.store.versions(subject, Deleted::Hidden);
        let versions: Vec<(u32, &Schema)> =
            versions.map(|(number, it)| (number, &it.schema)).collect();
        level.check(&schema, versions.into_iter()).map_err(|incompatible| {
            let Incompatible { version, reasons } = incompatible;
            Fault::Incompatible { subject: subject.to_owned(), level, version, reasons }
        })?;
        let id = self.store.id_of(&schema).unwrap_or_else(|| self.store.next_id());
        let entry = Entry::Schema {
            subject: subject.to_owned(),
            version: self.store.next_version(subject),
            id,
            schema,
            is_deleted: false,
        };
        write(vec![entry], &json!({ "id": id }))
    }

    fn look_up(&self, subject: &str) -> Decided {
        let schema = self.given()?;
        let versions = self.versions(subject)?;
        let found = versions.into_iter().find(|(_, it)| it.schema == schema);
        let (number, found) = found.ok_or(Fault::NoSchema(None))?;
        answer(&described(subject, number, found))
    }

    fn schemas(&self, rest: &[&str]) -> Decided {
        let (word, rest) = match rest {
            ["types"] => return answer(&json!(["JSON", "PROTOBUF", "AVRO"])),
            ["ids", id, rest @ ..] => (*id, rest),
            _ => return Err(Fault::NoRoute),
        };
        let id = word.parse().ok();
        let schema = id.and_then(|id| self.store.schema(id));
        let schema = schema.ok_or_else(|| Fault::NoSchema(Some(word.to_owned())))?;
        let places = self.store.places(id.unwrap_or_default());
        match rest {
            [] => {
                let mut body = json!({ "schema": &**schema.text() });
                if schema.kind() != SchemaType::Avro {
                    body["schemaType"] = schema.kind().name().into();
                }
                answer(&body)
            }
            ["schema"] => {
                let body = schema.text().to_string();
                Ok(Decision::Answer(Reply { status: 200, body }))
            }
            ["subjects"] => {
                let subjects: Vec<&str> = places.iter().map(|(it, _)| *it).collect();
                answer(&json!(subjects))
            }
            ["versions"] => {
                let place = |(subject, version): &(&str, u32)| json!({ "subject": subject, "version": version });
                answer(&places.iter().map(place).collect())
            }
            _ => Err(Fault::NoRoute),
        }
    }

    /// Against one version, or against as many as the level says.
    fn compatibility(&self, subject: &str, rest: &[&str]) -> Decided {
        let schema = self.given()?;
        let level = self.store.level(subject).unwrap_or_else(|| self.global());
        let reasons = match rest {
            [] => {
                let versions = self.store.versions(subject, Deleted::Hidden);
                let versions: Vec<(u32, &Schema)> =
                    versions.map(|(number, it)| (number, &it.schema)).collect();
                let checked = level.check(&schema, versions.into_iter());
                checked.err().map(|it| it.reasons).unwrap_or_default()
            }
            [word] => {
                let (number, old) = self.version(subject, word, Deleted::Hidden)?;
                level.against(&schema, number, &old.schema)
            }
            _ => return Err(Fault::NoRoute),
        };
        let mut body = json!({ "is_compatible": reasons.is_empty() });
        if self.is_set("verbose") {
            body["messages"] = json!(reasons);
        }
        answer(&body)
    }

    fn subject_level(&self, subject: &str) -> Decided {
        let level = match self.store.level(subject) {
            None if self.is_set("defaultToGlobal") => Some(self.global()),
            level => level,
        };
        answer(&level_of(level.ok_or_else(|| Fault::no_level(subject))?))
    }

    fn set_level(&self, subject: Option<&str>) -> Decided {
        let body: Value = serde_json::from_str(self.body).unwrap_or_default();
        let level = body.get("compatibility").and_then(Value::as_str);
        let level = level.and_then(Compatibility::named).ok_or(Fault::BadLevel)?;
        let subject = subject.map(ToOwned::to_owned);
        let entry = Entry::Level { subject, level: Some(level) };
        write(vec![entry], &json!({ "compatibility": level.name() }))
    }

    fn delete_subject(&self, subject: &str) -> Decided {
        let all = self.versions_with(subject, Deleted::Shown)?;
        let is_permanent = self.is_set("permanent");
        let living: Vec<u32> =
            all.iter().filter(|(_, it)| !it.is_deleted).map(|(it, _)| *it).collect();
        match (is_permanent, living.last()) {
            (true, Some(_)) => Err(Fault::not_deleted_first(subject)),
            (true, None) => {
                let numbers: Vec<u32> = all.iter().map(|(it, _)| *it).collect();
                let gone = |version: &u32| Entry::NoSchema {
                    subject: subject.to_owned(),
                    version: *version,
                };
                write(numbers.iter().map(gone).collect(), &json!(numbers))
            }
            (false, None) => Err(Fault::subject_deleted(subject)),
            (false, Some(&up_to)) => {
                let subject = subject.to_owned();
                let entry = Entry::DeleteSubject { subject, up_to };
                write(vec![entry], &json!(living))
            }
        }
    }

    fn delete_version(&self, subject: &str, word: &str) -> Decided {
        let is_permanent = self.is_set("permanent");
        let (version, found) = self.version(subject, word, Deleted::Shown)?;
        let entry = match (is_permanent, found.is_deleted) {
            (true, false) => return Err(Fault::version_not_deleted_first(version)),
            (false, true) => return Err(Fault::version_deleted(version)),
            (true, true) => Entry::NoSchema { subject: subject.to_owned(), version },
            (false, false) => Entry::Schema {
                subject: subject.to_owned(),
                version,
                id: found.id,
                schema: found.schema.clone(),
                is_deleted: true,
            },
        };
        write(vec![entry], &json!(version))
    }
}

fn level_of(level: Compatibility) -> Value {
    json!({ "compatibilityLevel": level.name() })
}

fn described(subject: &str, number: u32, found: &Version) -> Value {
    let mut body = json!({
        "subject": subject, "version": number, "id": found.id,
        "schema": &**found.schema.text(),
    });
    if found.schema.kind() != SchemaType::Avro {
        body["schemaType"] = found.schema.kind().name().into();
    }
    body
}

#[cfg(test)]
mod tests;
