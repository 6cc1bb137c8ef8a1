//! Whoever watches what is said: the recorder.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use topomotion_wire::{ConnectionId, Fact, Instant, Message, Rule, TopicPartition};

use crate::cluster::Hurt;
use crate::secrets::without_secrets;

/// One message on its way, as the watcher numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Parcel(pub u32);

/// A message that is said.
#[derive(Debug, Clone, Copy)]
pub struct Saying<'a> {
    /// Who says it: `broker-1`, or a client's `client.id`.
    pub from: &'a Arc<str>,
    /// To whom.
    pub to: &'a Arc<str>,
    /// On which connection.
    pub link: usize,
    /// What.
    pub message: &'a Message,
    /// What was being handled, if anything was.
    pub cause: Option<Parcel>,
}

/// Whoever watches what is said and done in a cluster.
pub trait Watch {
    /// A broker that was not known before. (Those that are served here are known from the
    /// beginning.) An id below 0: its id is not known yet.
    fn known(&mut self, id: i32, name: &Arc<str>);
    /// A message is sent.
    fn sent(&mut self, at: Instant, saying: Saying<'_>) -> Parcel;
    /// It has arrived.
    fn arrived(&mut self, at: Instant, parcel: Parcel);
    /// A rule of Kafka just acted on a node.
    fn mark(
        &mut self,
        at: Instant,
        node: &Arc<str>,
        rule: Rule,
        at_partition: Option<TopicPartition>,
    );
    /// Something became true on a node.
    fn fact(&mut self, at: Instant, node: &Arc<str>, fact: Fact);
    /// Somebody did something to a node; `others` are all the other nodes.
    fn hurt(&mut self, at: Instant, node: &Arc<str>, others: &[Arc<str>], hurt: Hurt);
    /// Every broker serves: what clients do comes from now on.
    fn ready(&mut self, at: Instant);
}

/// A watcher, and what it has to be told about connections.
pub(crate) struct Watcher {
    watch: Box<dyn Watch>,
    nodes: Vec<Arc<str>>,
    links: BTreeMap<(usize, ConnectionId), Line>,
    next: usize,
}

/// One end of a connection.
#[derive(Debug, Clone)]
struct Line {
    link: usize,
    /// Who is at the other end. None: a client that has said nothing yet.
    far: Option<Arc<str>>,
}

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watcher").field("links", &self.links).finish_non_exhaustive()
    }
}

impl Watcher {
    pub(crate) fn new(
        watch: Box<dyn Watch>,
        nodes: impl Iterator<Item = i32>,
    ) -> Watcher {
        let nodes = nodes.map(|id| Arc::from(format!("broker-{id}"))).collect();
        Watcher { watch, nodes, links: BTreeMap::new(), next: 0 }
    }

    /// Two nodes are connected.
    pub(crate) fn joined(&mut self, ends: [(usize, ConnectionId); 2]) {
        let link = self.next_link();
        let [(one, _), (other, _)] = ends;
        for (end, far) in ends.into_iter().zip([other, one]) {
            let far = self.nodes.get(far).cloned();
            self.links.insert(end, Line { link, far });
        }
    }

    /// A client is connected.
    pub(crate) fn accepted(&mut self, end: (usize, ConnectionId)) {
        let link = self.next_link();
        self.links.insert(end, Line { link, far: None });
    }

    pub(crate) fn parted(&mut self, end: (usize, ConnectionId)) {
        self.links.remove(&end);
    }

    fn next_link(&mut self) -> usize {
        self.next += 1;
        self.next
    }

    /// A client says something.
    pub(crate) fn heard(
        &mut self,
        at: Instant,
        end: (usize, ConnectionId),
        message: &Message,
    ) -> Option<Parcel> {
        let to = self.nodes.get(end.0)?.clone();
        let line = self.links.get_mut(&end)?;
        if line.far.is_none()
            && let Message::Request(request) = message
        {
            line.far = Some(client_name(&request.client, &self.nodes));
        }
        let (link, from) = (line.link, line.far.clone()?);
        let message = &*without_secrets(message);
        let saying = Saying { from: &from, to: &to, link, message, cause: None };
        let parcel = self.watch.sent(at, saying);
        self.watch.arrived(at, parcel);
        Some(parcel)
    }

    /// A node says something; `far` of it hears it at once if it is a client.
    pub(crate) fn said(
        &mut self,
        at: Instant,
        end: (usize, ConnectionId),
        message: &Message,
        cause: Option<Parcel>,
    ) -> Option<Parcel> {
        let from = self.nodes.get(end.0)?.clone();
        let line = self.links.get(&end)?;
        let (link, to) = (line.link, line.far.clone()?);
        let message = &*without_secrets(message);
        let saying = Saying { from: &from, to: &to, link, message, cause };
        Some(self.watch.sent(at, saying))
    }

    pub(crate) fn arrived(&mut self, at: Instant, parcel: Parcel) {
        self.watch.arrived(at, parcel);
    }

    pub(crate) fn hurt(&mut self, at: Instant, node: usize, hurt: Hurt) {
        let mut others = self.nodes.clone();
        if node < others.len() {
            let name = others.remove(node);
            self.watch.hurt(at, &name, &others, hurt);
        }
    }

    pub(crate) fn ready(&mut self, at: Instant) {
        self.watch.ready(at);
    }

    pub(crate) fn fact(&mut self, at: Instant, node: usize, fact: Fact) {
        if let Some(node) = self.nodes.get(node) {
            self.watch.fact(at, node, fact);
        }
    }

    pub(crate) fn mark(
        &mut self,
        at: Instant,
        node: usize,
        rule: Rule,
        partition: Option<TopicPartition>,
    ) {
        if let Some(node) = self.nodes.get(node) {
            self.watch.mark(at, node, rule, partition);
        }
    }
}

/// What a client is called: as it calls itself, unless a broker is called so.
fn client_name(id: &Arc<str>, nodes: &[Arc<str>]) -> Arc<str> {
    if id.is_empty() {
        return Arc::from("client");
    }
    if nodes.contains(id) {
        return Arc::from(format!("{id} (client)"));
    }
    id.clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_called_as_it_calls_itself() {
        let nodes = [Arc::from("broker-1")];
        let name = |id: &str| client_name(&Arc::from(id), &nodes).to_string();
        assert_eq!(name("shop"), "shop");
        assert_eq!(name(""), "client");
        assert_eq!(name("broker-1"), "broker-1 (client)");
    }
}
