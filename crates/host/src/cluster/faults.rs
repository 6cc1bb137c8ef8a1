//! What can be done to a broker while the others serve: to kill it, to stop it, to cut it off.

use std::collections::VecDeque;

use topomotion_broker::{BrokerStatus, Node};
use topomotion_wire::{Incarnation, Input, Random, ReplicaRole};
use uuid::Uuid;

use super::{Cluster, News};
use crate::entropy::entropy;
use crate::member::{End, Held, Life};

/// Something done to a broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hurt {
    /// It dies, as by `kill -9`: what it wrote stays.
    Crash,
    /// It is started again, from what it wrote.
    Restart,
    /// It stands still; nobody hears that it does.
    Pause,
    /// It goes on.
    Resume,
    /// Nothing passes between it and the other brokers. Clients reach it.
    Partition,
    /// What was held up passes, and everything else again.
    Heal,
}

impl Hurt {
    /// By the name that the control port has for it.
    pub fn named(name: &str) -> Option<Hurt> {
        Some(match name {
            "crash" => Hurt::Crash,
            "restart" => Hurt::Restart,
            "pause" => Hurt::Pause,
            "resume" => Hurt::Resume,
            "partition" => Hurt::Partition,
            "heal" => Hurt::Heal,
            _ => return None,
        })
    }
}

/// A broker as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) broker: i32,
    /// `running`, `starting`, `paused`, `crashed` or `stopping`.
    pub(crate) state: &'static str,
    pub(crate) is_cut_off: bool,
    pub(crate) is_controller: bool,
    /// Partitions that it leads, and that it has a replica of.
    pub(crate) leads: usize,
    pub(crate) replicas: usize,
    pub(crate) clients: usize,
}

impl Cluster {
    /// Does something to a broker.
    ///
    /// # Errors
    /// Why that cannot be done to it as it stands.
    pub(crate) fn hurt(&mut self, member: usize, hurt: Hurt) -> Result<(), String> {
        let own = &self.members[member];
        let (id, life, is_cut_off) = (own.id(), own.life, own.is_cut_off);
        let refused = match (hurt, life) {
            (Hurt::Crash, Life::Up | Life::Paused) | (Hurt::Restart, Life::Crashed) => {
                None
            }
            (Hurt::Pause, Life::Up) | (Hurt::Resume, Life::Paused) => None,
            (Hurt::Partition, _) if !is_cut_off => None,
            (Hurt::Heal, _) if is_cut_off => None,
            (Hurt::Partition, _) => Some("is cut off already"),
            (Hurt::Heal, _) => Some("is not cut off"),
            (Hurt::Resume, Life::Up | Life::Crashed) => Some("is not paused"),
            (Hurt::Restart, Life::Up | Life::Paused) => Some("has not crashed"),
            (_, Life::Paused) => Some("is paused already"),
            (_, Life::Crashed) => Some("has crashed already"),
        };
        if let Some(why) = refused {
            return Err(format!("broker {id} {why}"));
        }
        if let Some(watcher) = &mut self.watcher {
            watcher.hurt(self.clock.now(), member, hurt);
        }
        match hurt {
            Hurt::Crash => self.crash(member),
            Hurt::Restart => self.restart(member)?,
            Hurt::Pause => self.members[member].life = Life::Paused,
            Hurt::Resume => self.resume(member),
            Hurt::Partition => self.members[member].is_cut_off = true,
            Hurt::Heal => self.heal(member),
        }
        self.run();
        Ok(())
    }

    fn crash(&mut self, member: usize) {
        let own = &mut self.members[member];
        own.life = Life::Crashed;
        own.lives += 1;
        own.held = Held::default();
        own.asleep.clear();
        let ends = std::mem::take(&mut own.ends);
        self.inbox.retain(|news| news.member != member);
        self.withheld.retain(|(_, news)| news.member != member);
        for (connection, end) in ends {
            if let Some(watcher) = &mut self.watcher {
                watcher.parted((member, connection));
            }
            match end {
                End::Client(client) => client.abandon(),
                End::Guest { guest, connection } => {
                    guest.tell(Input::Closed { connection });
                }
                End::Peer { member: peer, connection } => {
                    self.members[peer].ends.remove(&connection);
                    self.pass(member, peer, Input::Closed { connection });
                }
            }
        }
    }

    fn restart(&mut self, member: usize) -> Result<(), String> {
        let own = &mut self.members[member];
        let files = own.disk.read().map_err(|error| error.to_string())?;
        let mut config = own.node.config().clone();
        config.incarnation = Incarnation(Uuid::from_u64_pair(entropy(), entropy()));
        let random = Random::new(entropy(), entropy());
        own.node = Node::start(config, files, self.clock.now(), random);
        own.life = Life::Up;
        self.drain(member, None);
        Ok(())
    }

    pub(super) fn resume(&mut self, member: usize) {
        let own = &mut self.members[member];
        own.life = Life::Up;
        let missed = std::mem::take(&mut own.asleep);
        self.inbox.extend(missed);
    }

    fn heal(&mut self, member: usize) {
        self.members[member].is_cut_off = false;
        let held = std::mem::take(&mut self.withheld);
        for (from, news) in held {
            if self.are_apart(from, news.member) {
                self.withheld.push_back((from, news));
            } else {
                self.inbox.push_back(news);
            }
        }
    }

    /// Whether nothing passes between two members.
    pub(super) fn are_apart(&self, one: usize, other: usize) -> bool {
        one != other && (self.members[one].is_cut_off || self.members[other].is_cut_off)
    }

    /// Puts something on its way from one member to another. What cannot pass waits, as what
    /// TCP sends again and again.
    pub(super) fn pass(&mut self, from: usize, to: usize, input: Input) {
        self.pass_news(from, News { member: to, input, parcel: None });
    }

    pub(super) fn pass_news(&mut self, from: usize, news: News) {
        if self.are_apart(from, news.member) {
            self.withheld.push_back((from, news));
        } else {
            self.inbox.push_back(news);
        }
    }

    /// Every broker, as it stands.
    pub(crate) fn standing(&self) -> Vec<Standing> {
        let standing = |member: &crate::member::Member| {
            let id = member.node.config().id;
            let state = match (member.life, member.node.broker_status()) {
                (Life::Crashed, _) => "crashed",
                (Life::Paused, _) => "paused",
                (Life::Up, BrokerStatus::Running(_)) => "running",
                (Life::Up, BrokerStatus::Stopped(_)) => "stopped",
                (Life::Up, _) => "starting",
            };
            let is_up = member.life != Life::Crashed;
            let replicas = if is_up { member.node.replicas() } else { Vec::new() };
            let clients = member.ends.values();
            Standing {
                broker: id.0,
                state,
                is_cut_off: member.is_cut_off,
                is_controller: is_up && member.node.is_active_controller(),
                leads: replicas
                    .iter()
                    .filter(|it| it.role == ReplicaRole::Leader)
                    .count(),
                replicas: replicas.len(),
                clients: clients.filter(|it| matches!(it, End::Client(_))).count(),
            }
        };
        self.members.iter().map(standing).collect()
    }
}

/// What was said to whom while they were apart, and by whom.
pub(super) type Withheld = VecDeque<(usize, News)>;
