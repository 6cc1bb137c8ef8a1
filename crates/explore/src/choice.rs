//! What can happen next in a state, and how it is told.

use std::sync::Arc;

use topomotion_client::ProducerRecord;
use topomotion_wire::messages::{RequestKind, ResponseKind};
use topomotion_wire::{BrokerEpoch, Bytes, Instant, Message};

use crate::host::{Body, HostId};
use crate::link::{LinkId, Parcel, Side};
use crate::scope::{Fault, Moments, Scope};
use crate::setup::{Stage, partition};
use crate::world::World;

/// One thing that can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Choice {
    /// What was sent first arrives first.
    Deliver(LinkId, Side),
    /// A timer goes off.
    Ring(HostId),
    /// The application hands so many more records to the producer.
    Send(u8),
    /// A process that was killed starts again.
    Restart(HostId),
    /// Two hosts reach each other again.
    Mend(HostId, HostId),
    Crash(HostId),
    PowerLoss(HostId),
    Reset(LinkId),
    Cut(HostId, HostId),
}

/// Everything that can happen in a state, in a fixed order.
pub(crate) fn choices(world: &World, stage: &Stage, scope: &Scope) -> Vec<Choice> {
    let mut all: Vec<Choice> =
        world.heads().map(|(link, side)| Choice::Deliver(link, side)).collect();
    let is_quiet = all.is_empty();
    if is_quiet {
        let timers = world.next_timers().map(|(_, due)| due);
        all.extend(timers.into_iter().flatten().map(Choice::Ring));
        let unsent = (scope.records.len() as u8).saturating_sub(world.sent);
        all.extend((1..=unsent).map(Choice::Send));
        let down = world.host_ids().filter(|id| {
            world.host(*id).config.is_some() && world.host(*id).body.is_none()
        });
        all.extend(down.map(Choice::Restart));
        all.extend(world.cuts.iter().map(|(a, b)| Choice::Mend(*a, *b)));
    }
    let may_strike = is_quiet || scope.moments == Moments::Any;
    if world.faults_left > 0 && may_strike {
        faults(world, stage, scope, &mut all);
    }
    all
}

fn faults(world: &World, stage: &Stage, scope: &Scope, all: &mut Vec<Choice>) {
    let lives = |id: &HostId| world.host(*id).body.is_some();
    let hosts = || world.host_ids().filter(lives);
    let is_node = |id: &HostId| world.host(*id).config.is_some();
    for kind in &scope.kinds {
        match kind {
            Fault::Crash => all.extend(hosts().filter(is_node).map(Choice::Crash)),
            Fault::PowerLoss => {
                let holds = |id: &HostId| {
                    let node = world.host(*id).node();
                    node.is_some_and(|node| node.replica(&partition()).is_some())
                };
                all.extend(hosts().filter(holds).map(Choice::PowerLoss));
            }
            Fault::Reset => {
                let busy = world.links.iter().filter(|(_, link)| link.is_busy());
                all.extend(busy.map(|(id, _)| Choice::Reset(*id)));
            }
            Fault::Cut => {
                for a in hosts() {
                    let others = hosts().filter(|b| a < *b && !is_cut(world, a, *b));
                    let of_use = others.filter(|b| is_node(b) || *b == stage.producer);
                    all.extend(of_use.map(|b| Choice::Cut(a, b)));
                }
            }
        }
    }
}

fn is_cut(world: &World, a: HostId, b: HostId) -> bool {
    world.cuts.contains(&(a.min(b), a.max(b)))
}

/// Lets it happen, and what tells nobody anything after it.
pub(crate) fn apply(world: &mut World, choice: Choice, stage: &Stage, scope: &Scope) {
    world.has_effect = !matches!(choice, Choice::Ring(_));
    match choice {
        Choice::Deliver(link, side) => world.deliver(link, side),
        Choice::Ring(host) => world.ring(host),
        Choice::Send(count) => (0..count).for_each(|_| send(world, stage, scope)),
        Choice::Restart(host) => world.start_node(host),
        Choice::Mend(a, b) => _ = world.cuts.remove(&(a, b)),
        Choice::Crash(host) => world.crash(host),
        Choice::PowerLoss(host) => world.lose_power(host),
        Choice::Reset(link) => world.reset(link),
        Choice::Cut(a, b) => world.cut(a, b),
    }
    if is_fault(choice) {
        world.faults_left -= 1;
    }
    world.settle();
}

pub(crate) fn is_fault(choice: Choice) -> bool {
    match choice {
        Choice::Crash(_) | Choice::PowerLoss(_) | Choice::Reset(_) | Choice::Cut(..) => {
            true
        }
        Choice::Deliver(..)
        | Choice::Ring(_)
        | Choice::Send(_)
        | Choice::Restart(_)
        | Choice::Mend(..) => false,
    }
}

fn send(world: &mut World, stage: &Stage, scope: &Scope) {
    let number = world.sent;
    let acks = scope.records.get(usize::from(number)).copied();
    world.sent += 1;
    world.command(stage.producer, |body, now| {
        if let Body::Producer(producer) = body {
            let partition = partition();
            let value = format!("record-{}", number + 1);
            producer.send(
                now,
                ProducerRecord {
                    topic: Arc::clone(&partition.topic),
                    partition: Some(partition.partition),
                    key: None,
                    value: Some(Bytes::from(value)),
                    headers: Vec::new(),
                    acks,
                },
            );
        }
    });
}

/// The registration that a node has, as far as anybody knows.
pub(crate) fn registered(world: &World, host: HostId) -> BrokerEpoch {
    let Some(id) = world.host(host).id() else { return BrokerEpoch(-1) };
    let nodes = world.hosts.iter().filter_map(|host| host.node());
    let known = nodes.filter_map(|node| Some(node.image().broker(id)?.epoch));
    known.max().unwrap_or(BrokerEpoch(-1))
}

/// What would happen, in words.
pub(crate) fn tell(world: &World, choice: Choice) -> String {
    let name = |host: HostId| world.host(host).name.to_string();
    match choice {
        Choice::Deliver(link, side) => arrival(world, link, side),
        Choice::Ring(host) => {
            let due = world.next_timers().map_or(world.now, |(at, _)| at);
            let wait = due.since(world.now).as_millis();
            match wait {
                0 => format!("{}: a timer goes off", name(host)),
                _ => format!("{wait} ms pass; {}: a timer goes off", name(host)),
            }
        }
        Choice::Send(1) => "the application sends a record".to_owned(),
        Choice::Send(count) => format!("the application sends {count} records"),
        Choice::Restart(host) => format!("{} starts again", name(host)),
        Choice::Mend(a, b) => {
            format!("{} and {} reach each other again", name(a), name(b))
        }
        Choice::Crash(host) => format!("FAULT: {} is killed", name(host)),
        Choice::PowerLoss(host) => {
            format!("FAULT: {} loses power, and its partitions' logs", name(host))
        }
        Choice::Reset(link) => {
            let (from, to) = ends(world, link);
            format!("FAULT: a connection of {from} to {to} breaks")
        }
        Choice::Cut(a, b) => format!("FAULT: {} and {} are cut off", name(a), name(b)),
    }
}

fn ends(world: &World, link: LinkId) -> (String, String) {
    let Some(link) = world.links.get(&link) else { return Default::default() };
    let name = |side| world.host(link.end(side).host).name.to_string();
    (name(Side::Dialler), name(Side::Acceptor))
}

fn arrival(world: &World, link: LinkId, side: Side) -> String {
    let (dialler, acceptor) = ends(world, link);
    let (here, there) = match side {
        Side::Dialler => (dialler, acceptor),
        Side::Acceptor => (acceptor, dialler),
    };
    let what = world.links.get(&link).and_then(|link| link.end(side).inbound.front());
    match what {
        Some(Parcel::Data(data)) => match &data.0 {
            Message::Request(request) => {
                format!("{here} is asked by {there}: {}", request_name(&request.body))
            }
            Message::Response(response) => {
                format!(
                    "{here} is answered by {there}: {}",
                    response_name(&response.body)
                )
            }
            Message::HttpRequest(_) | Message::HttpResponse(_) => {
                format!("{here} hears from {there} over HTTP")
            }
            Message::Zookeeper(_) => format!("{here} hears of ZooKeeper from {there}"),
            Message::Database(_) => format!("{here} hears of a database from {there}"),
        },
        Some(Parcel::Goodbye) | None => {
            format!("{here} learns that a connection with {there} is gone")
        }
    }
}

fn request_name(body: &RequestKind) -> String {
    variant(&format!("{body:?}"))
}

fn response_name(body: &ResponseKind) -> String {
    variant(&format!("{body:?}"))
}

/// `Fetch(FetchRequest { … })` is a Fetch.
fn variant(debug: &str) -> String {
    debug.split_once('(').map_or(debug, |(name, _)| name).to_owned()
}

/// How much of the story's time has passed.
pub(crate) fn passed(world: &World, beginning: Instant) -> u64 {
    world.now.since(beginning).as_millis()
}
