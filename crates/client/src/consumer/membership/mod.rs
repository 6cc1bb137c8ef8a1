//! Membership of a group: what a member asks its coordinator, and what it makes of the
//! answers.
//!
//! ```text
//!            drive, answered, lost, prepared            Step
//!   Consumer ───────────────────────────────► Classic ────────► Consumer
//!                                             Reconciler
//! ```
//!
//! It knows neither connections nor positions: the consumer finds the coordinator, sends
//! what is asked, tells how that ended, and does what the steps say.

mod classic;
mod protocol;
mod pulse;
mod reconciler;
mod verdict;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use topomotion_wire::messages::{RequestKind, ResponseKind};
use topomotion_wire::{
    ClientDeed, Duration, ErrorCode, Instant, LeaveCause, MemberView, Ownership, Rule,
    TopicId, TopicPartition,
};

use crate::{CommonConfig, GroupConfig, GroupMetadata, GroupProtocol};

use classic::Classic;
use reconciler::Reconciler;

/// What was asked, in which life of the membership: an answer to an earlier life means
/// nothing any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ask {
    pub what: Question,
    life: u64,
}

/// What a coordinator is asked about membership.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    Join,
    Sync,
    Heartbeat,
    Leave,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    /// Send this to the coordinator; the answer may take so long.
    Ask { ask: Ask, body: Box<RequestKind>, timeout: Option<Duration> },
    /// Hand on nothing more of these partitions, commit if that is done automatically, and
    /// say [`Membership::prepared`].
    Prepare(Vec<TopicPartition>),
    /// What is owned changed.
    Change(MemberView),
    /// Find out about these topics.
    Follow(BTreeSet<Arc<str>>),
    /// What is known of topics is out of date, as this says.
    Doubt(ErrorCode),
    /// Whoever was the coordinator is not, or cannot be reached.
    Forget(ErrorCode),
    /// To be told.
    Deed(ClientDeed),
    /// To be told.
    Mark(Rule),
}

/// What is known of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// Nobody has been asked, or nobody has answered.
    Nothing,
    /// There is no such topic.
    Missing,
    /// So many partitions.
    Partitions(i32),
}

/// Whether the application polls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Polling {
    /// It does.
    Inside,
    /// It has not since then.
    Outside(Instant),
}

/// What is known of the cluster's topics.
pub(super) trait Topics {
    /// How many partitions a topic has.
    fn known(&self, topic: &Arc<str>) -> Known;
    /// The topic with this id, if that is known.
    fn named(&self, id: TopicId) -> Option<Arc<str>>;
    /// The id of a topic, if that is known.
    fn id(&self, topic: &Arc<str>) -> Option<TopicId>;
}

/// What goes on around the membership.
#[derive(Clone, Copy)]
pub(super) struct Situation<'a> {
    /// Whether the coordinator can be asked now.
    pub reachable: bool,
    pub polling: Polling,
    pub topics: &'a dyn Topics,
}

/// A member of a group, in one protocol or the other.
#[derive(Debug, Clone)]
pub(super) enum Membership {
    Classic(Box<Classic>),
    Consumer(Box<Reconciler>),
}

impl Membership {
    pub fn new(config: &GroupConfig, common: &CommonConfig) -> Membership {
        match config.protocol {
            GroupProtocol::Classic => {
                Membership::Classic(Box::new(Classic::new(config, common)))
            }
            GroupProtocol::Consumer => {
                Membership::Consumer(Box::new(Reconciler::new(config, common)))
            }
        }
    }

    /// Reads these topics from now on; the member joins if it is none yet.
    pub fn subscribe(&mut self, now: Instant, topics: BTreeSet<Arc<str>>) {
        match self {
            Membership::Classic(it) => it.subscribe(topics),
            Membership::Consumer(it) => it.subscribe(now, topics),
        }
    }

    /// Does what is due.
    pub fn drive(&mut self, now: Instant, at: Situation<'_>) {
        match self {
            Membership::Classic(it) => it.drive(now, at),
            Membership::Consumer(it) => it.drive(now, at),
        }
    }

    /// The coordinator answered.
    pub fn answered(&mut self, now: Instant, ask: Ask, body: &ResponseKind) {
        match self {
            Membership::Classic(it) => it.answered(now, ask, body),
            Membership::Consumer(it) => it.answered(now, ask, body),
        }
    }

    /// The coordinator will not answer.
    pub fn lost(&mut self, now: Instant, ask: Ask) {
        match self {
            Membership::Classic(it) => it.lost(now, ask),
            Membership::Consumer(it) => it.lost(now, ask),
        }
    }

    /// Cannot be a member until the application does something about it.
    pub fn bar(&mut self, error: ErrorCode) {
        match self {
            Membership::Classic(it) => it.bar(error),
            Membership::Consumer(it) => it.bar(error),
        }
    }

    /// What [`Step::Prepare`] asked for is done.
    pub fn prepared(&mut self, now: Instant) {
        match self {
            Membership::Classic(it) => it.prepared(),
            Membership::Consumer(it) => it.prepared(now),
        }
    }

    /// A commit was refused: this generation is over.
    pub fn refused(&mut self, error: ErrorCode) {
        match self {
            Membership::Classic(it) => it.refused(error),
            Membership::Consumer(it) => it.refused(error),
        }
    }

    /// Leaves the group and gives everything up.
    pub fn leave(&mut self, cause: LeaveCause) {
        match self {
            Membership::Classic(it) => it.leave(cause),
            Membership::Consumer(it) => it.leave(cause),
        }
    }

    /// Whether something is left to do.
    pub fn has_steps(&self) -> bool {
        match self {
            Membership::Classic(it) => !it.steps.is_empty(),
            Membership::Consumer(it) => !it.steps.is_empty(),
        }
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<Step> {
        match self {
            Membership::Classic(it) => it.steps.pop_front(),
            Membership::Consumer(it) => it.steps.pop_front(),
        }
    }

    /// When something is due next.
    pub fn deadline(&self, polling: Polling) -> Option<Instant> {
        match self {
            Membership::Classic(it) => it.deadline(polling),
            Membership::Consumer(it) => it.deadline(polling),
        }
    }

    pub fn owned(&self) -> &BTreeSet<TopicPartition> {
        match self {
            Membership::Classic(it) => &it.owned,
            Membership::Consumer(it) => &it.owned,
        }
    }

    /// Who it is now.
    pub fn metadata(&self) -> GroupMetadata {
        match self {
            Membership::Classic(it) => it.metadata(),
            Membership::Consumer(it) => it.metadata(),
        }
    }

    /// Whether commits count at the moment, or with what they would fail.
    pub fn standing(&self) -> Result<GroupMetadata, ErrorCode> {
        match self {
            Membership::Classic(it) => it.standing(),
            Membership::Consumer(it) => it.standing(),
        }
    }

    /// Whether a coordinator is needed.
    pub fn is_active(&self) -> bool {
        match self {
            Membership::Classic(it) => it.is_active(),
            Membership::Consumer(it) => it.is_active(),
        }
    }

    /// Why it cannot be a member until the application does something about it.
    pub fn barred(&self) -> Option<ErrorCode> {
        match self {
            Membership::Classic(it) => it.barred(),
            Membership::Consumer(it) => it.barred(),
        }
    }
}

/// What a member believes after a change, told if it is one: nothing that is gone is none.
fn told_change(
    member: &GroupMetadata,
    change: Ownership,
    partitions: BTreeSet<TopicPartition>,
    owned: &BTreeSet<TopicPartition>,
) -> Option<Step> {
    let is_one = !partitions.is_empty() || change == Ownership::Assigned;
    is_one.then(|| {
        Step::Change(MemberView {
            member: member.member.clone(),
            generation: member.generation,
            change,
            partitions: partitions.into_iter().collect(),
            owned: owned.iter().cloned().collect(),
        })
    })
}

/// How many partitions each of these topics has, as far as that is known.
fn counts(topics: &BTreeSet<Arc<str>>, known: &dyn Topics) -> BTreeMap<Arc<str>, i32> {
    let counts = topics.iter().filter_map(|topic| match known.known(topic) {
        Known::Partitions(count) => Some((topic.clone(), count)),
        Known::Missing | Known::Nothing => None,
    });
    counts.collect()
}
