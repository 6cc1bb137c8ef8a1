//! A group: of one of two kinds, with its offsets.

use std::sync::Arc;

use topomotion_wire::{Fact, GroupView, Instant, Random};

use super::classic::ClassicGroup;
use super::config::GroupConfig;
use super::consumer::ConsumerGroup;
use super::offsets::Offsets;
use super::outbox::Outbox;
use crate::shard::Directory;

/// A group.
#[derive(Debug, Clone)]
pub(super) struct Group {
    /// Its members.
    pub kind: Kind,
    /// What it committed.
    pub offsets: Offsets,
    /// What was told of it last.
    pub told: Option<GroupView>,
}

/// How a group is made up.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// Members join and divide; also whoever only commits.
    Classic(ClassicGroup),
    /// KIP-848.
    Consumer(ConsumerGroup),
}

/// What a group needs from around it.
pub(super) struct Cx<'a> {
    pub now: Instant,
    /// The group's id.
    pub group: Arc<str>,
    pub config: &'a GroupConfig,
    pub random: &'a mut Random,
    pub out: &'a mut Outbox,
    pub directory: &'a dyn Directory,
}

impl Cx<'_> {
    /// The time as records have it: Unix ms.
    pub fn wall_ms(&self) -> i64 {
        self.config.wall_ms(self.now)
    }
}

impl Group {
    /// A group of nobody.
    pub fn new(kind: Kind) -> Group {
        Group { kind, offsets: Offsets::default(), told: None }
    }

    /// The classic group that it is, if it is.
    pub fn classic(&mut self) -> Option<&mut ClassicGroup> {
        match &mut self.kind {
            Kind::Classic(classic) => Some(classic),
            Kind::Consumer(_) => None,
        }
    }

    /// The KIP-848 group that it is, if it is.
    pub fn consumer(&mut self) -> Option<&mut ConsumerGroup> {
        match &mut self.kind {
            Kind::Consumer(consumer) => Some(consumer),
            Kind::Classic(_) => None,
        }
    }

    /// Whether nothing would be lost with it.
    pub fn is_void(&self) -> bool {
        let unknown = match &self.kind {
            Kind::Classic(classic) => {
                classic.is_empty()
                    && classic.generation == 0
                    && classic.pending.is_empty()
            }
            Kind::Consumer(consumer) => {
                consumer.members.is_empty() && consumer.epoch == 0
            }
        };
        unknown && self.offsets.is_empty()
    }

    /// Sessions start anew at a new coordinator.
    pub fn loaded(&mut self, now: Instant, config: &GroupConfig) {
        match &mut self.kind {
            Kind::Classic(classic) => classic.loaded(now),
            Kind::Consumer(consumer) => {
                consumer.loaded(now, config.consumer_session_timeout);
            }
        }
    }

    /// Whether it has no members.
    pub fn is_empty(&self) -> bool {
        match &self.kind {
            Kind::Classic(classic) => classic.is_empty(),
            Kind::Consumer(consumer) => consumer.members.is_empty(),
        }
    }

    /// Whether a member reads this topic.
    pub fn subscribes_to(&self, topic: &str) -> bool {
        match &self.kind {
            Kind::Classic(classic) => classic.subscribes_to(topic),
            Kind::Consumer(consumer) => consumer.subscribes_to(topic),
        }
    }

    /// When it next has something to do.
    pub fn deadline(&self) -> Option<Instant> {
        match &self.kind {
            Kind::Classic(classic) => classic.deadline(),
            Kind::Consumer(consumer) => consumer.deadline(),
        }
    }

    /// Tells what it is now, if that is something else than before.
    pub fn tell(&mut self, cx: &mut Cx<'_>) {
        let view = match &self.kind {
            Kind::Classic(classic) => classic.view(),
            Kind::Consumer(consumer) => consumer.view(cx.directory),
        };
        self.tell_view(cx, view);
    }

    /// Tells what it is as far as it is durable, if that is something else than before.
    pub fn tell_view(&mut self, cx: &mut Cx<'_>, view: GroupView) {
        if self.told.as_ref() != Some(&view) {
            self.told = Some(view.clone());
            cx.out.fact(Fact::GroupChanged { group: cx.group.clone(), view });
        }
    }
}
