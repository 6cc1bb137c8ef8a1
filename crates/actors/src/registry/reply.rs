//! Answers, and the registry's error codes.

use serde_json::json;

use crate::schema::Compatibility;

/// Status and body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub status: u16,
    pub body: String,
}

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// No such path.
    NoRoute,
    /// The body holds no schema, or none that makes sense.
    BadSchema(String),
    /// A version that is no number and not `latest`.
    BadVersion(String),
    /// A level that nobody knows.
    BadLevel,
    /// The subject lacks this version.
    NoVersion(u32),
    /// No schema has this id, or no version of the subject this schema.
    NoSchema(Option<String>),
    /// The level forbids it.
    Incompatible {
        subject: String,
        level: Compatibility,
        version: u32,
        reasons: Vec<String>,
    },
    /// Something about a subject or a version, with its code.
    Coded(u16, u32, String),
    /// The topic did not take the record.
    Backend,
    /// The topic did not take the record, or give it back, in time.
    Timeout,
}

impl Fault {
    pub fn no_subject(subject: &str) -> Fault {
        Fault::Coded(404, 40401, format!("subject {subject} is not there"))
    }

    pub fn no_level(subject: &str) -> Fault {
        Fault::Coded(404, 40408, format!("subject {subject} has no level of its own"))
    }

    pub fn subject_deleted(subject: &str) -> Fault {
        let text = format!("subject {subject} is deleted; permanent=true ends it");
        Fault::Coded(404, 40404, text)
    }

    pub fn not_deleted_first(subject: &str) -> Fault {
        let text = format!("subject {subject} must be deleted before it is ended");
        Fault::Coded(404, 40405, text)
    }

    pub fn version_deleted(version: u32) -> Fault {
        let text = format!("version {version} is deleted; permanent=true ends it");
        Fault::Coded(404, 40406, text)
    }

    pub fn version_not_deleted_first(version: u32) -> Fault {
        let text = format!("version {version} must be deleted before it is ended");
        Fault::Coded(404, 40407, text)
    }

    pub fn reply(&self) -> Reply {
        let (status, code, message) = match self {
            Fault::NoRoute => (404, 404, "no such path".to_owned()),
            Fault::BadSchema(why) => (422, 42201, why.clone()),
            Fault::BadVersion(word) => {
                (422, 42202, format!("{word} is no version: 1 and up, or latest"))
            }
            Fault::BadLevel => {
                let known: Vec<&str> =
                    Compatibility::ALL.iter().map(|level| level.name()).collect();
                (422, 42203, format!("a level is one of {}", known.join(", ")))
            }
            Fault::NoVersion(version) => {
                (404, 40402, format!("version {version} is not there"))
            }
            Fault::NoSchema(Some(id)) => (404, 40403, format!("no schema has id {id}")),
            Fault::NoSchema(None) => {
                (404, 40403, "no version has this schema".to_owned())
            }
            Fault::Incompatible { subject, level, version, reasons } => {
                let reasons = reasons.join("; ");
                let text = format!(
                    "{reasons} ({subject} is {level}; held against version {version})"
                );
                (409, 409, text)
            }
            Fault::Coded(status, code, text) => (*status, *code, text.clone()),
            Fault::Backend => (500, 50001, "the topic refuses the record".to_owned()),
            Fault::Timeout => (500, 50002, "the topic took too long".to_owned()),
        };
        let body = json!({ "error_code": code, "message": message }).to_string();
        Reply { status, body }
    }
}
