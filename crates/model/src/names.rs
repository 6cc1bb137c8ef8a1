//! The words that scripts may use where only certain words make sense.

use crate::{Acks, Diagnostic, Direction, ProcessRole, ProcessState, Shape, ShardRole};
use crate::{Span, nearest};

/// A set of values, each with the one name that scripts, YAML and messages use for it.
pub trait Named: Sized + Copy + PartialEq + 'static {
    /// What one of them is called: `state`, `shape`.
    const WHAT: &'static str;
    /// Every value, in the order in which messages list them.
    const NAMES: &'static [(&'static str, Self)];

    /// The value with this name.
    fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    /// The name of this value.
    fn name(self) -> &'static str {
        let found = Self::NAMES.iter().find(|(_, value)| *value == self);
        found.map_or("", |(name, _)| name)
    }
}

macro_rules! named {
    ($type:ty, $what:literal, [$($name:literal => $value:ident),+ $(,)?]) => {
        impl Named for $type {
            const WHAT: &'static str = $what;
            const NAMES: &'static [(&'static str, Self)] =
                &[$(($name, <$type>::$value)),+];
        }
    };
}

named!(ProcessState, "state", [
    "running" => Running, "warning" => Warning, "error" => Error, "stopped" => Stopped,
]);
named!(Shape, "shape", [
    "default" => Default, "cylinder" => Cylinder, "diamond" => Diamond, "cloud" => Cloud,
    "hexagon" => Hexagon, "parallelogram" => Parallelogram, "circle" => Circle,
]);
named!(ShardRole, "shardRole", [
    "primary" => Primary, "replica" => Replica, "arbiter" => Arbiter,
]);
named!(ProcessRole, "role", [
    "broker" => Broker, "controller" => Controller, "producer" => Producer,
    "consumer" => Consumer, "schema-registry" => SchemaRegistry, "connect" => Connect,
    "streams" => Streams, "zookeeper" => Zookeeper, "database" => Database,
    "cache" => Cache, "queue" => Queue, "gateway" => Gateway, "storage" => Storage,
    "service" => Service,
]);
named!(Acks, "acks", ["all" => All, "1" => Leader, "0" => None]);
named!(Direction, "direction", [
    "down" => Down, "right" => Right, "up" => Up, "left" => Left,
]);

/// Every icon that a process may carry.
pub const ICONS: &[&str] = &[
    "server",
    "cpu",
    "container",
    "database",
    "globe",
    "router",
    "load-balancer",
    "firewall",
    "dns",
    "cache",
    "browser",
    "terminal",
    "cloud",
    "shield",
    "lock",
    "user",
    "code",
    "api",
    "queue",
    "mail",
    "zap",
    "alert",
    "monitor",
    "mobile",
    "key",
    "memory",
    "hard-drive",
    "storage",
    "layers",
    "chart",
    "clock",
    "search",
];

/// The error for a word that is none of the known ones.
pub fn unknown_value(
    what: &str,
    name: &str,
    known: &[&str],
    span: Option<Span>,
) -> Diagnostic {
    let message = format!("`{name}` is not a known {what}");
    let listed = format!("known values: {}", known.join(", "));
    let error = Diagnostic::error("unknown-value", message, span);
    // A word of one or two characters is near to every other.
    let near = nearest(name, known.iter().copied()).filter(|_| name.chars().count() > 2);
    match near {
        Some(near) => {
            error.at(format!("did you mean `{near}`?")).help(listed).fix(span, near)
        }
        None => error.at("not a known value").help(listed),
    }
}

/// The value with this name, or the error that lists the names.
pub fn value_named<T: Named>(
    name: &str,
    span: Option<Span>,
) -> Result<T, Box<Diagnostic>> {
    T::named(name).ok_or_else(|| {
        let known: Vec<&str> = T::NAMES.iter().map(|(name, _)| *name).collect();
        Box::new(unknown_value(T::WHAT, name, &known, span))
    })
}

/// What others call the options of ours.
const SYNONYMS: &[(&str, &[&str])] = &[
    ("source", &["from", "src", "start", "sender"]),
    ("target", &["to", "dst", "dest", "destination", "end", "receiver"]),
    ("label", &["name", "title", "text", "caption"]),
    ("state", &["status", "health"]),
    ("type", &["kind", "lineStyle"]),
    ("protocol", &["proto", "transport"]),
    ("description", &["desc", "tooltip", "note"]),
    ("group", &["parent", "in", "cluster"]),
    ("parent", &["group", "parentId", "in"]),
];

/// The option that is meant, by its other names or by its letters.
fn meant<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let synonym = SYNONYMS.iter().find(|(_, others)| others.contains(&name));
    let synonym = synonym.and_then(|(ours, _)| known.iter().find(|one| *one == ours));
    synonym.copied().or_else(|| nearest(name, known.iter().copied()))
}

/// The warning for an option that nothing reads.
pub fn unknown_option(
    owner: &str,
    name: &str,
    known: &[&str],
    span: Option<Span>,
) -> Diagnostic {
    let message = format!("{owner} has no option `{name}`; it is ignored");
    let warning = Diagnostic::warning("unknown-option", message, span);
    match meant(name, known) {
        Some(near) => {
            warning.at("ignored").help(format!("did you mean `{near}`?")).fix(span, near)
        }
        None => {
            warning.at("ignored").help(format!("known options: {}", known.join(", ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_a_name_and_every_name_a_value() {
        assert_eq!(
            ProcessRole::named("schema-registry"),
            Some(ProcessRole::SchemaRegistry)
        );
        assert_eq!(Acks::Leader.name(), "1");
        assert_eq!(Shape::named("Cylinder"), None);
    }

    #[test]
    fn an_unknown_value_lists_the_known_ones() {
        let error = *value_named::<ProcessState>("runing", None).unwrap_err();
        assert_eq!(error.message, "`runing` is not a known state");
        assert_eq!(error.at, "did you mean `running`?");
        assert_eq!(
            error.help.as_deref(),
            Some("known values: running, warning, error, stopped")
        );
    }

    #[test]
    fn an_unknown_option_is_a_warning_with_the_nearest_name() {
        let warning = unknown_option("a process", "lable", &["id", "label"], None);
        assert_eq!(warning.message, "a process has no option `lable`; it is ignored");
        assert_eq!(warning.help.as_deref(), Some("did you mean `label`?"));
        let warning = unknown_option("a connection", "from", &["source", "type"], None);
        assert_eq!(warning.help.as_deref(), Some("did you mean `source`?"));
    }
}
