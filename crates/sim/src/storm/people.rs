//! What administrators and readers do in a drawn storm, beside the load.
//!
//! It is drawn from a stream of its own, each kind in a quarter of the seeds or less, so that
//! a storm without any of it is the storm that it was.

use topomotion_model::ProcessId;
use topomotion_wire::Random;

use super::draw::{between, one_in, pick};
use super::operation::{Deed, Operation};
use crate::{ClusterPlan, NodeRole};

/// The topic that comes and goes.
pub(super) const GUEST: &str = "audit";
/// A controller that does not vote at first.
pub(super) const SPARE: &str = "controller-9";

/// One kind of thing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Nodes stop in good order and start again.
    Restart,
    Reassign,
    ElectPreferred,
    ElectUnclean,
    SetLeast,
    SetUnclean,
    Grow,
    /// The guest is deleted and created again, under the same name.
    Recreate,
    /// Records are sent to the guest.
    Visit,
    DeleteRecords,
    Seek,
    /// The spare controller takes a voter's place, and gives it back.
    Voters,
}

/// Each kind, and in how many seeds it is found: one in so many.
const KINDS: [(Kind, u64); 12] = [
    (Kind::Restart, 4),
    (Kind::Reassign, 4),
    (Kind::ElectPreferred, 4),
    (Kind::ElectUnclean, 32),
    (Kind::SetLeast, 4),
    (Kind::SetUnclean, 32),
    (Kind::Grow, 8),
    (Kind::Recreate, 2),
    (Kind::Visit, 1),
    (Kind::DeleteRecords, 4),
    (Kind::Seek, 4),
    (Kind::Voters, 1),
];

struct People<'a> {
    cluster: &'a ClusterPlan,
    load: &'a [Operation],
    until_ms: u64,
    found: Vec<Operation>,
}

/// What people do besides.
pub(super) fn draw(
    random: &mut Random,
    cluster: &ClusterPlan,
    load: &[Operation],
    until_ms: u64,
) -> Vec<Operation> {
    let chosen = KINDS.into_iter().filter(|(_, n)| one_in(random, *n));
    let kinds: Vec<Kind> = chosen.map(|(kind, _)| kind).collect();
    let possible = |kind: &&Kind| match kind {
        Kind::Recreate | Kind::Visit => cluster.topic(GUEST).is_some(),
        Kind::Voters => cluster.node(&SPARE.into()).is_some(),
        _ => true,
    };
    let kinds: Vec<Kind> = kinds.iter().filter(possible).copied().collect();
    let pace = between(random, 1_500..=12_000);
    let mut people = People { cluster, load, until_ms, found: Vec::new() };
    let mut at_ms = 0;
    while !kinds.is_empty() {
        at_ms += between(random, 100..=2 * pace);
        if at_ms >= until_ms {
            break;
        }
        let kind = *pick(random, &kinds);
        people.act(random, kind, at_ms);
    }
    people.found
}

/// Puts what people do between what producers send; of two at the same time the load's comes
/// first.
pub(super) fn merge(load: Vec<Operation>, people: Vec<Operation>) -> Vec<Operation> {
    let mut all: Vec<Operation> = load.into_iter().chain(people).collect();
    all.sort_by_key(|operation| operation.at_ms);
    all
}

impl People<'_> {
    fn admin(&mut self, at_ms: u64, what: String) {
        self.push(at_ms, Deed::Admin { what });
    }

    fn push(&mut self, at_ms: u64, deed: Deed) {
        if at_ms < self.until_ms {
            self.found.push(Operation { at_ms, deed });
        }
    }

    fn names(&self, without: NodeRole) -> Vec<ProcessId> {
        let nodes = self.cluster.nodes.iter().filter(|node| node.role != without);
        nodes.map(|node| node.process.clone()).collect()
    }

    fn partition(&self, random: &mut Random) -> usize {
        random.below(self.cluster.topics[0].assignment.len() as u64) as usize
    }

    /// How many records are sent to the partition before this moment.
    fn sent(&self, partition: usize, before_ms: u64) -> u64 {
        let until = self.load.iter().take_while(|it| it.at_ms < before_ms);
        let sent = until.map(|it| match &it.deed {
            Deed::Send { partition: to, count, .. }
                if to.partition as usize == partition =>
            {
                u64::from(*count)
            }
            _ => 0,
        });
        sent.sum()
    }

    fn act(&mut self, random: &mut Random, kind: Kind, at_ms: u64) {
        let topic = &self.cluster.topics[0];
        let index = self.partition(random);
        let place = format!("{}-{index}", topic.name);
        match kind {
            Kind::Restart => {
                let nodes: Vec<ProcessId> =
                    self.cluster.nodes.iter().map(|it| it.process.clone()).collect();
                let node = pick(random, &nodes).clone();
                self.push(at_ms, Deed::Shutdown(node.clone()));
                self.push(at_ms + between(random, 1_000..=15_000), Deed::Start(node));
            }
            Kind::Reassign => {
                let mut brokers = self.names(NodeRole::Controller);
                let wanted = between(random, 1..=topic.assignment[index].len() as u64);
                let mut to = Vec::new();
                for _ in 0..wanted.max(2) {
                    let next = random.below(brokers.len() as u64) as usize;
                    to.push(brokers.swap_remove(next).to_string());
                }
                self.admin(at_ms, format!("reassign {place} to {}", to.join(",")));
            }
            Kind::ElectPreferred => self.admin(at_ms, format!("elect preferred {place}")),
            Kind::ElectUnclean => self.admin(at_ms, format!("elect unclean {place}")),
            Kind::SetLeast => {
                let least = between(random, 1..=3);
                let name = "min.insync.replicas";
                self.admin(at_ms, format!("set topic {} {name}={least}", topic.name));
            }
            Kind::SetUnclean => {
                let is_allowed = one_in(random, 2);
                let name = "unclean.leader.election.enable";
                self.admin(
                    at_ms,
                    format!("set topic {} {name}={is_allowed}", topic.name),
                );
            }
            Kind::Grow => {
                let to = topic.assignment.len() as u64 + between(random, 1..=3);
                self.admin(at_ms, format!("grow {} to {to}", topic.name));
            }
            Kind::Recreate => {
                let (partitions, replicas) =
                    (between(random, 1..=2), between(random, 1..=3));
                self.admin(at_ms, format!("delete-topic {GUEST}"));
                let later = at_ms + between(random, 1..=8_000);
                let size = format!("partitions={partitions} replicas={replicas}");
                self.admin(later, format!("create-topic {GUEST} {size}"));
            }
            Kind::Visit => self.visit(random, at_ms),
            Kind::DeleteRecords => {
                let before = random.below(self.sent(index, at_ms) + 1);
                self.admin(at_ms, format!("delete-records {place} before {before}"));
            }
            Kind::Seek => {
                let process = self.cluster.consumers[0].process.clone();
                let to = match random.below(3) {
                    0 => "earliest".to_owned(),
                    1 => "latest".to_owned(),
                    _ => random.below(self.sent(index, at_ms) + 1).to_string(),
                };
                let what = format!("seek {place} to {to}");
                self.push(at_ms, Deed::Client { process, what });
            }
            Kind::Voters => self.change_voters(random, at_ms),
        }
    }

    fn visit(&mut self, random: &mut Random, at_ms: u64) {
        let Some(guest) = self.cluster.topic(GUEST) else { return };
        let partition = random.below(guest.assignment.len() as u64);
        for turn in 0..between(random, 1..=10) {
            let deed = Deed::Send {
                producer: pick(random, &self.cluster.producers).process.clone(),
                count: 1,
                partition: topomotion_model::PartitionName {
                    topic: GUEST.to_owned(),
                    partition: partition as u32,
                },
                acks: topomotion_model::Acks::All,
            };
            self.push(at_ms + turn * 100, deed);
        }
    }

    /// One comes, another goes: in between there are four.
    fn change_voters(&mut self, random: &mut Random, at_ms: u64) {
        let controllers = self.names(NodeRole::Broker);
        let come = pick(random, &controllers).clone();
        let go = pick(random, &controllers).clone();
        match one_in(random, 2) {
            true => self.admin(at_ms, format!("add-voter {SPARE}")),
            false => self.admin(at_ms, format!("add-voter {come}")),
        }
        let later = at_ms + between(random, 500..=6_000);
        self.admin(later, format!("remove-voter {go}"));
    }
}
