//! Settings of the processes around Kafka: serializers of clients, a registry's own, a
//! service's own.

use std::collections::BTreeMap;

use topomotion_actors::schema::Compatibility;
use topomotion_actors::{
    ConnectConfig, InsertMode, Registration, RegistryConfig, SerdeConfig, ServiceConfig,
};
use topomotion_wire::{Duration, Endpoint};

use crate::plan::ActorKind;
use crate::settings::{Judgement, Owner};

const SERIALIZER: &str = "value.serializer";
const DESERIALIZER: &str = "value.deserializer";
const REGISTER: &str = "auto.register.schemas";
const HEALTH: &str = "health.endpoints";

/// The last part of a class's name says it all.
const LANGUAGES: [&str; 3] = ["KafkaAvro", "KafkaJsonSchema", "KafkaProtobuf"];
const PLAIN: [&str; 2] = ["String", "ByteArray"];

fn class(value: &str) -> &str {
    value.rsplit('.').next().unwrap_or(value)
}

/// Whether this names a serializer (or deserializer), and one that asks a registry.
fn kind(value: &str) -> Option<bool> {
    let class = class(value);
    let stem = class
        .strip_suffix("Serializer")
        .or_else(|| class.strip_suffix("Deserializer"))?;
    match (LANGUAGES.contains(&stem), PLAIN.contains(&stem)) {
        (true, _) => Some(true),
        (false, true) => Some(false),
        (false, false) => None,
    }
}

/// What is to be said of a client's setting, if it concerns its serializer.
pub(crate) fn check(owner: Owner, name: &str, value: &str) -> Option<Judgement> {
    let good = match (owner, name) {
        (Owner::Producer, SERIALIZER) | (Owner::Consumer, DESERIALIZER) => {
            kind(value).is_some()
        }
        (Owner::Producer, REGISTER) | (Owner::Consumer, HEALTH) => {
            matches!(value, "true" | "false")
        }
        _ => return None,
    };
    Some(match (good, name) {
        (true, _) => Judgement::Good,
        (false, REGISTER | HEALTH) => Judgement::Bad("write true or false".to_owned()),
        (false, _) => {
            let help = "there are KafkaAvro…, KafkaJsonSchema…, KafkaProtobuf…, String… \
                        and ByteArray…";
            Judgement::Bad(help.to_owned())
        }
    })
}

/// Whether a consumer with these settings answers `GET /health` and `GET /ready`.
pub(crate) fn has_health(settings: &BTreeMap<String, String>) -> bool {
    settings.get(HEALTH).is_some_and(|value| value == "true")
}

/// Whether a client with these settings asks a registry.
pub(crate) fn needs_registry(settings: &BTreeMap<String, String>) -> bool {
    let named = [SERIALIZER, DESERIALIZER].into_iter().filter_map(|it| settings.get(it));
    named.into_iter().any(|value| kind(value) == Some(true))
}

/// The serializer of a client with these settings.
pub(crate) fn serde(
    settings: &BTreeMap<String, String>,
    registry: Endpoint,
) -> Option<SerdeConfig> {
    let by_hand = settings.get(REGISTER).is_some_and(|value| value == "false");
    let registration =
        if by_hand { Registration::ByHand } else { Registration::Automatic };
    needs_registry(settings)
        .then(|| SerdeConfig { registration, ..SerdeConfig::new(registry) })
}

/// Whether an actor has this setting and can use the value; what would help, if not.
pub(crate) fn check_actor(
    kind: &ActorKind,
    name: &str,
    value: &str,
) -> Result<(), String> {
    let ms = |value: &str| value.parse::<u32>().is_ok();
    let (good, help) = match (kind, name) {
        (ActorKind::SchemaRegistry { .. }, "schema.compatibility.level") => {
            (Compatibility::named(value).is_some(), "write BACKWARD or another level")
        }
        (ActorKind::SchemaRegistry { .. }, "kafkastore.timeout.ms")
        | (ActorKind::Service { .. }, "work.ms" | "timeout.ms") => {
            (ms(value), "write a whole number of milliseconds")
        }
        (
            ActorKind::Connect { .. },
            "offset.flush.interval.ms" | "session.timeout.ms",
        ) => (ms(value), "write a whole number of milliseconds"),
        (ActorKind::Connect { .. }, "insert.mode") => {
            (matches!(value, "insert" | "upsert"), "write insert or upsert")
        }
        (ActorKind::Connect { .. }, TABLES) => {
            let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
            let is_table = |name: &str| !name.is_empty() && name.chars().all(legal);
            (value.split(',').all(|it| is_table(it.trim())), "write the names of tables")
        }
        (ActorKind::Connect { .. }, _) => (
            false,
            "there are offset.flush.interval.ms, session.timeout.ms, insert.mode and \
             table.include.list",
        ),
        (ActorKind::Database | ActorKind::Store, _) => (false, "it has no settings"),
        (ActorKind::SchemaRegistry { .. }, _) => {
            (false, "there are schema.compatibility.level and kafkastore.timeout.ms")
        }
        (ActorKind::Service { .. }, _) => (false, "there are work.ms and timeout.ms"),
    };
    if good { Ok(()) } else { Err(help.to_owned()) }
}

fn duration(settings: &BTreeMap<String, String>, name: &str, into: &mut Duration) {
    if let Some(ms) = settings.get(name).and_then(|it| it.parse::<u32>().ok()) {
        *into = Duration::from_millis(u64::from(ms));
    }
}

/// Puts a registry's settings in place.
pub(crate) fn set_registry(
    into: &mut RegistryConfig,
    settings: &BTreeMap<String, String>,
) {
    let level = settings.get("schema.compatibility.level");
    if let Some(level) = level.and_then(|it| Compatibility::named(it)) {
        into.level = level;
    }
    duration(settings, "kafkastore.timeout.ms", &mut into.timeout);
}

/// What goes before the settings of Connect's workers, in a run.
pub(crate) const CONNECT: &str = "connect.";
const TABLES: &str = "table.include.list";

/// The tables that a source connector follows.
pub(crate) fn tables(settings: &BTreeMap<String, String>) -> Vec<String> {
    let named = settings.get(TABLES).map_or("orders", String::as_str);
    named.split(',').map(|table| table.trim().to_owned()).collect()
}

/// Puts a worker's settings in place.
pub(crate) fn set_connect(into: &mut ConnectConfig, settings: &BTreeMap<String, String>) {
    duration(settings, "offset.flush.interval.ms", &mut into.flush_interval);
    duration(settings, "session.timeout.ms", &mut into.session_timeout);
    if settings.get("insert.mode").is_some_and(|mode| mode == "insert") {
        into.sinks.iter_mut().for_each(|sink| sink.insert_mode = InsertMode::Insert);
    }
}

/// Puts a service's settings in place.
pub(crate) fn set_service(into: &mut ServiceConfig, settings: &BTreeMap<String, String>) {
    duration(settings, "work.ms", &mut into.work);
    duration(settings, "timeout.ms", &mut into.timeout);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serializer_is_known_with_and_without_its_package() {
        let settings =
            |value: &str| BTreeMap::from([(SERIALIZER.to_owned(), value.to_owned())]);
        assert!(needs_registry(&settings("KafkaAvroSerializer")));
        assert!(needs_registry(&settings("io.x.kafka.KafkaProtobufSerializer")));
        assert!(!needs_registry(&settings("StringSerializer")));
        let judged = check(Owner::Producer, SERIALIZER, "AvroThing");
        assert!(matches!(judged, Some(Judgement::Bad(_))));
        assert_eq!(check(Owner::Producer, "acks", "all"), None);
    }
}
