//! What the processes around Kafka do inside, told in words: what a registry has learned,
//! what a serializer looks up.

use std::fmt;
use std::sync::Arc;

use crate::{AppDeed, ErrorCode, Offset, ZkDeed};

/// Something that an actor did.
#[derive(Debug, Clone, PartialEq)]
pub enum ActorDeed {
    /// A registry has read a version back from its topic: from now on it counts.
    SchemaKnown {
        /// Of which subject.
        subject: Arc<str>,
        /// Which version.
        version: u32,
        /// The schema's id.
        id: u32,
    },
    /// A registry refused a schema.
    SchemaRefused {
        /// Why.
        reason: Arc<str>,
    },
    /// A registry could not make sure of its topic.
    NoTopic {
        /// Which.
        topic: Arc<str>,
        /// Why.
        error: ErrorCode,
    },
    /// A registry has read its topic and listens.
    RegistryServes {
        /// So many versions it knows.
        versions: usize,
    },
    /// A serializer asks the registry, and the records wait.
    LooksUp {
        /// Its subject, or the schema's id.
        what: Arc<str>,
    },
    /// A serializer was answered and remembers it.
    Remembers {
        /// Its subject.
        what: Arc<str>,
        /// The schema's id.
        id: u32,
    },
    /// A record could not be serialized; it was never sent.
    CannotSerialize {
        /// Why.
        reason: Arc<str>,
    },
    /// A consumer made sense of a record.
    Reads {
        /// Where it stands.
        offset: Offset,
        /// With which schema.
        id: u32,
        /// What it says.
        value: Arc<str>,
    },
    /// A consumer could not make sense of a record.
    CannotDeserialize {
        /// Where it stands.
        offset: Offset,
        /// Why.
        reason: Arc<str>,
    },
    /// A call of HTTP has no answer.
    CallFailed {
        /// What was called.
        what: Arc<str>,
        /// Why there is none.
        reason: Arc<str>,
    },
    /// A call of HTTP was answered.
    Called {
        /// What was called.
        what: Arc<str>,
        /// The answer's status.
        status: u16,
        /// How long it took, in milliseconds.
        ms: u64,
    },
    /// An application worked on records.
    App(AppDeed),
    /// A ZooKeeper server, or a broker that depends on one, did something.
    Zookeeper(ZkDeed),
}

impl ActorDeed {
    /// Whether it means trouble.
    pub fn is_trouble(&self) -> bool {
        match self {
            ActorDeed::SchemaRefused { .. }
            | ActorDeed::NoTopic { .. }
            | ActorDeed::CannotSerialize { .. }
            | ActorDeed::CannotDeserialize { .. }
            | ActorDeed::CallFailed { .. } => true,
            ActorDeed::Called { status, .. } => *status >= 400,
            ActorDeed::App(deed) => deed.is_trouble(),
            ActorDeed::Zookeeper(deed) => deed.is_trouble(),
            ActorDeed::SchemaKnown { .. }
            | ActorDeed::RegistryServes { .. }
            | ActorDeed::LooksUp { .. }
            | ActorDeed::Remembers { .. }
            | ActorDeed::Reads { .. } => false,
        }
    }
}

/// A phrase that follows the actor's name.
impl fmt::Display for ActorDeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ActorDeed::SchemaKnown { subject, version, id } => {
                write!(f, "keeps {subject} version {version}: id {id}")
            }
            ActorDeed::SchemaRefused { reason } => write!(f, "refuses: {reason}"),
            ActorDeed::NoTopic { topic, error } => {
                write!(f, "has no topic {topic}: {}", crate::error_name(*error))
            }
            ActorDeed::RegistryServes { versions: 1 } => {
                f.write_str("listens, and knows one schema version")
            }
            ActorDeed::RegistryServes { versions } => {
                write!(f, "listens, and knows {versions} schema versions")
            }
            ActorDeed::LooksUp { what } => {
                write!(f, "has {what} not in its cache and asks the registry")
            }
            ActorDeed::Remembers { what, id } => {
                write!(f, "caches {what}: id {id}")
            }
            ActorDeed::CannotSerialize { reason } => {
                write!(f, "cannot serialize the record: {reason}")
            }
            ActorDeed::Reads { offset, id, value } => {
                write!(f, "reads offset {offset} with schema {id}: {value}")
            }
            ActorDeed::CannotDeserialize { offset, reason } => {
                write!(f, "cannot read offset {offset}: {reason}")
            }
            ActorDeed::CallFailed { what, reason } => write!(f, "calls {what}: {reason}"),
            ActorDeed::Called { what, status, ms } => {
                write!(f, "called {what}: {status} after {ms} ms")
            }
            ActorDeed::App(deed) => deed.fmt(f),
            ActorDeed::Zookeeper(deed) => deed.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deed_follows_its_actors_name() {
        let subject = "orders-value".into();
        let deed = ActorDeed::SchemaKnown { subject, version: 2, id: 7 };
        assert_eq!(deed.to_string(), "keeps orders-value version 2: id 7");
        assert!(!deed.is_trouble());
        let reason = "Order.note has no default".into();
        assert!(ActorDeed::SchemaRefused { reason }.is_trouble());
    }
}
