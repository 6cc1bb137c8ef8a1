//! How a connection looks by its protocol: hue, weight and dashes, no two alike.
//!
//! Hue tells the family (the web, calls, data, queues); weight and dashes tell its members
//! apart, also without colours.

use topomotion_scene::Stroke;

use crate::theme::Paints;
use crate::tokens::{WIRE, WIRE_FINE, WIRE_HEAVY, WIRE_STRONG};

/// A look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Wire {
    /// Name of its colour.
    pub color: &'static str,
    /// Width, px.
    pub width: f64,
    /// Dashes and gaps, px.
    pub dash: &'static [f64],
}

const SOLID: &[f64] = &[];
const LONG: &[f64] = &[10.0, 4.0];
const SHORT: &[f64] = &[5.0, 3.0];
const DOTS: &[f64] = &[1.0, 4.0];
const DASH_DOT: &[f64] = &[10.0, 4.0, 1.0, 4.0];

/// Protocols that have a look of their own, each with its other names.
const LOOKS: &[(&[&str], Wire)] = &[
    (&["kafka"], wire("wire-kafka", WIRE_STRONG, SOLID)),
    (&["http"], wire("wire-web", WIRE_FINE, SOLID)),
    (&["https", "http2", "http/2", "http3"], wire("wire-web", WIRE_HEAVY, SOLID)),
    (&["websocket", "ws", "wss", "sse"], wire("wire-web", WIRE, LONG)),
    (&["grpc", "rpc", "thrift"], wire("wire-rpc", WIRE_STRONG, SOLID)),
    (&["graphql"], wire("wire-graph", WIRE, SOLID)),
    (&["postgresql", "postgres", "sql", "jdbc"], wire("wire-data", WIRE_STRONG, SOLID)),
    (&["mysql", "mariadb"], wire("wire-data", WIRE_STRONG, LONG)),
    (&["mongodb", "cassandra", "dynamodb"], wire("wire-data", WIRE_STRONG, DASH_DOT)),
    (&["s3", "nfs", "hdfs"], wire("wire-data", WIRE, SHORT)),
    (&["redis", "memcached"], wire("wire-cache", WIRE, SOLID)),
    (&["amqp", "rabbitmq", "jms"], wire("wire-queue", WIRE_STRONG, SOLID)),
    (&["mqtt"], wire("wire-queue", WIRE, SHORT)),
    (&["nats", "sqs", "pubsub"], wire("wire-queue", WIRE, DASH_DOT)),
    (&["dns", "udp"], wire("line", WIRE, DOTS)),
    (&["smtp", "imap"], wire("line", WIRE, DASH_DOT)),
];

/// What has no look of its own: TCP, anything unknown, nothing.
pub(crate) const NEUTRAL: Wire = wire("line", WIRE, SOLID);

const fn wire(color: &'static str, width: f64, dash: &'static [f64]) -> Wire {
    Wire { color, width, dash }
}

/// The look of a protocol as a script writes it.
pub(crate) fn look(protocol: Option<&str>) -> Wire {
    let name = protocol.unwrap_or_default().trim().to_ascii_lowercase();
    let known = LOOKS.iter().find(|(names, _)| names.contains(&name.as_str()));
    known.map_or(NEUTRAL, |(_, wire)| *wire)
}

impl Wire {
    /// Its line.
    pub fn stroke(self, paints: &Paints) -> Stroke {
        Stroke { dash: self.dash.to_vec(), ..paints.stroke(self.color, self.width) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_protocols_look_alike() {
        for (index, (names, wire)) in LOOKS.iter().enumerate() {
            assert_ne!(*wire, NEUTRAL, "{names:?}");
            for (others, other) in &LOOKS[index + 1..] {
                assert_ne!(wire, other, "{names:?} and {others:?}");
                assert!(names.iter().all(|name| !others.contains(name)), "{names:?}");
            }
        }
    }

    #[test]
    fn within_a_family_weight_or_dashes_differ_so_that_no_hue_is_needed() {
        for (names, wire) in LOOKS {
            for (others, other) in LOOKS.iter().filter(|(others, _)| others != names) {
                let same =
                    wire.dash == other.dash && wire.width.total_cmp(&other.width).is_eq();
                assert!(!(same && wire.color == other.color), "{names:?} {others:?}");
            }
        }
    }

    #[test]
    fn every_protocol_of_the_script_api_is_known_and_case_means_nothing() {
        for name in [
            "http",
            "https",
            "grpc",
            "kafka",
            "postgresql",
            "mysql",
            "redis",
            "amqp",
            "websocket",
            "graphql",
            "mqtt",
            "dns",
            "s3",
        ] {
            assert_ne!(look(Some(name)), NEUTRAL, "{name}");
            assert_eq!(look(Some(&name.to_uppercase())), look(Some(name)));
        }
        assert_eq!(look(Some("tcp")), look(None));
    }
}
