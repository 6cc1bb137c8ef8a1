//! What clients were seen to do: what they and their connections are called in a picture.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use topomotion_trace::{Packet, Trace, What};

/// What a client was seen to do.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// With each broker.
    pub(super) brokers: BTreeMap<Arc<str>, Said>,
    /// The group that it was a member of.
    pub(super) group: Option<String>,
}

/// What was said on the connections between two processes.
#[derive(Debug, Default)]
pub(super) struct Said {
    apis: BTreeSet<Arc<str>>,
    /// Topics that were written to, and read.
    produced: BTreeSet<String>,
    fetched: BTreeSet<String>,
}

/// The clients that were seen.
pub(super) fn clients(
    trace: &Trace,
    is_broker: impl Fn(&str) -> bool,
) -> BTreeMap<Arc<str>, Seen> {
    let mut clients: BTreeMap<Arc<str>, Seen> = BTreeMap::new();
    for event in &trace.events {
        let What::Sent(packet) = &event.what else { continue };
        if !is_broker(&packet.from) {
            clients.entry(packet.from.clone()).or_default().note(packet);
        }
    }
    clients
}

/// How many of them are members of a group.
pub(super) fn members(clients: &BTreeMap<Arc<str>, Seen>, group: &str) -> usize {
    clients.values().filter(|it| it.group.as_deref() == Some(group)).count()
}

impl Seen {
    fn note(&mut self, packet: &Packet) {
        let said = self.brokers.entry(packet.to.clone()).or_default();
        said.apis.insert(packet.api.clone());
        match &*packet.api {
            "Produce" => said.produced.extend(topics(&packet.detail)),
            "Fetch" => said.fetched.extend(topics(&packet.detail)),
            "JoinGroup" => {
                let group = packet.detail.split([',', ' ']).next().unwrap_or_default();
                self.group = Some(group.to_owned()).filter(|it| !it.is_empty());
            }
            _ => {}
        }
    }

    fn does(&self, api: &str) -> bool {
        self.brokers.values().any(|it| it.has(&[api]))
    }

    /// What it is in the picture.
    pub(super) fn role(&self) -> &'static str {
        match (self.does("Produce"), self.does("Fetch")) {
            (true, false) => "producer",
            (false, true) => "consumer",
            (true, true) | (false, false) => "service",
        }
    }
}

impl Said {
    fn has(&self, apis: &[&str]) -> bool {
        self.apis.iter().any(|it| apis.contains(&&**it))
    }

    /// What the connection is called.
    pub(super) fn label(&self) -> String {
        let produces = self.has(&["Produce"]).then(|| named("produce", &self.produced));
        let fetches = self.has(&["Fetch"]).then(|| named("fetch", &self.fetched));
        match (produces, fetches) {
            (Some(one), None) | (None, Some(one)) => one,
            (Some(produces), Some(fetches)) => format!("{produces}, {fetches}"),
            (None, None) if self.has(&["InitProducerId", "EndTxn"]) => {
                "transactions".to_owned()
            }
            (None, None) if self.has(&["JoinGroup", "ConsumerGroupHeartbeat"]) => {
                "group".to_owned()
            }
            (None, None) => "admin".to_owned(),
        }
    }
}

/// A verb with its topics; how many, where there are more than two.
fn named(verb: &str, topics: &BTreeSet<String>) -> String {
    let some: Vec<&str> = topics.iter().map(String::as_str).collect();
    match some[..] {
        [] => verb.to_owned(),
        [_] | [_, _] => format!("{verb} {}", some.join(", ")),
        _ => format!("{verb} {} topics", some.len()),
    }
}

/// The topics of the partitions that a packet tells of: `orders-0, orders-1 offset 5`.
fn topics(detail: &str) -> impl Iterator<Item = String> {
    let words = detail.split([',', ' ']).filter(|it| !it.is_empty());
    let topic = |word: &str| {
        let (topic, partition) = word.rsplit_once('-')?;
        let is_one = !topic.is_empty() && !partition.is_empty();
        let is_one = is_one && partition.bytes().all(|it| it.is_ascii_digit());
        is_one.then(|| topic.to_owned())
    };
    words.filter_map(topic)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(apis: &[&str], produced: &[&str], fetched: &[&str]) -> String {
        let set = |it: &[&str]| it.iter().map(|it| (*it).to_owned()).collect();
        let apis = apis.iter().map(|it| Arc::from(*it)).collect();
        Said { apis, produced: set(produced), fetched: set(fetched) }.label()
    }

    #[test]
    fn a_connection_is_called_by_what_passes_on_it() {
        assert_eq!(said(&["Metadata", "Produce"], &["a"], &[]), "produce a");
        assert_eq!(said(&["Fetch", "JoinGroup"], &[], &["a", "b"]), "fetch a, b");
        assert_eq!(said(&["Fetch"], &[], &["a", "b", "c"]), "fetch 3 topics");
        let both = said(&["Produce", "Fetch"], &["out"], &["in"]);
        assert_eq!(both, "produce out, fetch in");
        assert_eq!(said(&["JoinGroup", "Heartbeat"], &[], &[]), "group");
        assert_eq!(said(&["InitProducerId"], &[], &[]), "transactions");
        assert_eq!(said(&["CreateTopics"], &[], &[]), "admin");
    }

    #[test]
    fn topics_are_those_of_the_partitions_that_are_named() {
        let found: Vec<String> =
            topics("shop.orders-10, a-b-0 offset 5 epoch 3").collect();
        assert_eq!(found, ["shop.orders", "a-b"]);
        assert_eq!(topics("3 partitions, -1, x-").count(), 0);
    }
}
