//! A consumer in a group: subscribes, owns what it is assigned, commits, leaves (GRP-8,
//! GRP-9, GRP-15).
//!
//! ```text
//!   subscribe ─► membership ─Step─► this file ─► positions, commits, the coordinator
//! ```

use std::collections::BTreeSet;
use std::sync::Arc;

use topomotion_wire::{
    Duration, ErrorCode, Fact, Instant, LeaveCause, MemberView, Ownership, TopicId,
    TopicPartition,
};

use super::commits::{Ledger, Waiter};
use super::coordinator::Finder;
use super::membership::{Ask, Known, Membership, Question, Situation, Step, Topics};
use super::position::{Asking, Assigned, Position};
use super::{Consumer, Errand, Flow, Life};
use crate::metadata::Metadata;
use crate::network::Route;
use crate::{Commits, CommonConfig, GroupConfig, GroupMetadata};

/// How long a consumer takes at most to close (`close()` without a limit).
const CLOSE_TIMEOUT: Duration = Duration::from_millis(30_000);

/// Where partitions come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// The application names them, or there are none.
    Application,
    /// The group assigns them.
    Group,
}

/// What a consumer has besides when it belongs to a group.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub config: GroupConfig,
    pub finder: Finder,
    pub membership: Membership,
    pub ledger: Ledger,
    /// When the next automatic commit is due.
    pub next_commit: Instant,
    source: Source,
    /// What the application subscribed to last.
    topics: BTreeSet<Arc<str>>,
    /// Farewells under way.
    farewells: u32,
}

impl Group {
    pub fn new(config: &GroupConfig, common: &CommonConfig) -> Group {
        Group {
            config: config.clone(),
            finder: Finder::default(),
            membership: Membership::new(config, common),
            ledger: Ledger::default(),
            next_commit: Instant::ZERO,
            source: Source::Application,
            topics: BTreeSet::new(),
            farewells: 0,
        }
    }

    pub fn is_subscribed(&self) -> bool {
        self.source == Source::Group
    }

    /// As whom commits are sent, or with what they fail.
    pub fn sender(&self) -> Result<GroupMetadata, ErrorCode> {
        match self.source {
            Source::Group => self.membership.standing(),
            Source::Application => Ok(GroupMetadata::outside(self.config.id.clone())),
        }
    }
}

impl Topics for Metadata {
    fn known(&self, topic: &Arc<str>) -> Known {
        match self.partition_count(topic) {
            Some(count) => Known::Partitions(count),
            None if self.has_heard_of(topic) => Known::Missing,
            None => Known::Nothing,
        }
    }

    fn named(&self, id: TopicId) -> Option<Arc<str>> {
        self.topic_of(id).cloned()
    }

    fn id(&self, topic: &Arc<str>) -> Option<TopicId> {
        self.topic_id(topic)
    }
}

impl Consumer {
    /// Reads these topics together with the other members of the group, instead of what it
    /// read before; joins if it is no member yet. Nothing happens without
    /// [`ConsumerConfig::group`](crate::ConsumerConfig::group).
    pub fn subscribe(
        &mut self,
        now: Instant,
        topics: impl IntoIterator<Item = impl Into<Arc<str>>>,
    ) {
        let Some(group) = self.group.as_mut().filter(|_| self.life == Life::Open) else {
            return;
        };
        if group.source == Source::Application {
            self.assigned.clear();
            group.source = Source::Group;
            if let Commits::Auto { interval } = group.config.commits {
                group.next_commit = now + interval;
            }
        }
        group.topics = topics.into_iter().map(Into::into).collect();
        group.membership.subscribe(now, group.topics.clone());
        self.drive(now);
    }

    /// Leaves the group and reads nothing more.
    pub fn unsubscribe(&mut self, now: Instant) {
        if let Some(group) = &mut self.group {
            group.membership.leave(LeaveCause::Unsubscribes);
            self.drive(now);
        }
        if let Some(group) = &mut self.group {
            group.source = Source::Application;
        }
        self.assigned.clear();
    }

    /// Commits, where that is automatic, leaves the group and hangs up; see
    /// [`Consumer::is_closed`].
    pub fn close(&mut self, now: Instant) {
        if self.life != Life::Open {
            return;
        }
        let until = now + CLOSE_TIMEOUT;
        self.life = Life::Committing { until };
        let offsets = self.consumed();
        if let Some(group) = &mut self.group {
            let is_member = group.is_subscribed() && group.membership.standing().is_ok();
            let commits = matches!(group.config.commits, Commits::Auto { .. });
            if is_member && commits && !offsets.is_empty() {
                group.ledger.push(now, until, Waiter::Close, offsets);
            }
        }
        self.drive(now);
    }

    /// Whether everything is said, and every connection closed.
    pub fn is_closed(&self) -> bool {
        self.life == Life::Closed
    }

    /// The partitions that it believes to own: those that the group assigned, or else those
    /// that the application named.
    pub fn owned(&self) -> Vec<TopicPartition> {
        match self.group.as_ref().filter(|group| group.is_subscribed()) {
            Some(group) => group.membership.owned().iter().cloned().collect(),
            None => self.assigned.keys().cloned().collect(),
        }
    }

    /// The topics that it reads with its group; none unless it subscribes.
    pub fn subscription(&self) -> impl Iterator<Item = &Arc<str>> {
        let group = self.group.as_ref().filter(|group| group.is_subscribed());
        group.into_iter().flat_map(|group| &group.topics)
    }

    /// Who it is in its group, for `sendOffsetsToTransaction`; none without a group.
    pub fn group_metadata(&self) -> Option<GroupMetadata> {
        self.group.as_ref().map(|group| group.membership.metadata())
    }

    /// Whether it has its place: in the present generation of its group, or else with what
    /// the application named.
    pub fn is_member(&self) -> bool {
        match self.group.as_ref().filter(|group| group.is_subscribed()) {
            Some(group) => group.membership.standing().is_ok(),
            None => !self.assigned.is_empty(),
        }
    }

    /// Why it cannot be a member of its group, until it subscribes again.
    pub fn barred(&self) -> Option<ErrorCode> {
        self.group.as_ref()?.membership.barred()
    }

    /// Everything that is due about the group.
    pub(super) fn drive_group(&mut self, now: Instant) {
        let Some(mut group) = self.group.take() else { return };
        self.drive_group_of(now, &mut group);
        self.group = Some(group);
    }

    fn drive_group_of(&mut self, now: Instant, group: &mut Group) {
        let seeks =
            self.assigned.values().any(|it| it.position == Position::Unset(Asking::Idle));
        let membership = &group.membership;
        let needs = membership.is_active() || membership.has_steps();
        let needs = needs || !group.ledger.is_empty();
        let route = match needs || seeks || group.farewells > 0 {
            true => self.coordinator(now, group),
            false => None,
        };
        self.drive_membership(now, group, route.as_ref());
        if self.life == Life::Open {
            self.commit_by_clock(now, group);
        }
        self.send_commits(now, group, route.as_ref());
        // What a commit ended may let the member go on.
        self.drive_membership(now, group, route.as_ref());
        self.fetch_committed(now, group, route.as_ref());
        self.close_further(now, group, route.as_ref());
    }

    fn drive_membership(
        &mut self,
        now: Instant,
        group: &mut Group,
        route: Option<&Route>,
    ) {
        loop {
            let situation = Situation {
                reachable: route.is_some(),
                polling: match self.life {
                    Life::Open => self.application.polling(now),
                    // Whoever closes does not join again.
                    _ => super::membership::Polling::Outside(now),
                },
                topics: &self.cluster.metadata,
            };
            group.membership.drive(now, situation);
            let Some(step) = group.membership.poll() else { return };
            self.step(now, group, route, step);
        }
    }

    fn step(
        &mut self,
        now: Instant,
        group: &mut Group,
        route: Option<&Route>,
        step: Step,
    ) {
        match step {
            Step::Ask { ask, body, timeout } => {
                let Some(route) = route else { return group.membership.lost(now, ask) };
                let timeout = timeout.unwrap_or(self.config.common.request_timeout);
                group.farewells += u32::from(ask.what == Question::Leave);
                let errand = Errand::Membership(ask);
                self.cluster.send_within(now, timeout, route, *body, errand);
            }
            Step::Prepare(going) => self.prepare(now, group, going),
            Step::Change(view) => self.changed(now, group, view),
            Step::Follow(topics) => {
                for topic in &topics {
                    self.cluster.metadata.follow(now, topic);
                }
            }
            Step::Doubt(error) => self.cluster.doubt(error),
            Step::Forget(error) => self.forget_coordinator(now, group, error),
            Step::Deed(deed) => self.cluster.deed(None, deed),
            Step::Mark(rule) => self.cluster.mark_overall(rule),
        }
    }

    /// Before a join: nothing more is handed on of what goes, and what was handed on is
    /// committed, where that is automatic.
    fn prepare(&mut self, now: Instant, group: &mut Group, going: Vec<TopicPartition>) {
        let offsets = self.consumed();
        for partition in going {
            if let Some(assigned) = self.assigned.get_mut(&partition) {
                (assigned.flow, assigned.held) = (Flow::Revoking, None);
            }
        }
        let commits = matches!(group.config.commits, Commits::Auto { .. });
        if commits && !offsets.is_empty() && group.membership.standing().is_ok() {
            let until = now + group.config.max_poll_interval;
            group.ledger.push(now, until, Waiter::Rejoin, offsets);
        } else {
            group.membership.prepared(now);
        }
    }

    /// What it owns changed: positions come and go with it.
    fn changed(&mut self, now: Instant, group: &mut Group, view: MemberView) {
        let owned: BTreeSet<&TopicPartition> = view.owned.iter().collect();
        self.assigned.retain(|partition, _| owned.contains(partition));
        if view.change == Ownership::Assigned {
            for partition in &view.owned {
                self.cluster.metadata.follow(now, &partition.topic);
                let fresh = || Assigned::new(Position::Unset(Asking::Idle));
                self.assigned.entry(partition.clone()).or_insert_with(fresh);
            }
        }
        let name = group.config.id.clone();
        self.cluster.fact(Fact::Member { group: name, view });
    }

    pub(super) fn membership_answered(
        &mut self,
        now: Instant,
        group: &mut Group,
        ask: Ask,
        body: &topomotion_wire::messages::ResponseKind,
    ) {
        group.farewells -= u32::from(ask.what == Question::Leave);
        group.finder.confirm();
        group.membership.answered(now, ask, body);
    }

    pub(super) fn membership_lost(&mut self, now: Instant, group: &mut Group, ask: Ask) {
        group.farewells -= u32::from(ask.what == Question::Leave);
        self.forget_coordinator(now, group, ErrorCode::NetworkException);
        group.membership.lost(now, ask);
    }

    /// Closes step by step: commits, leaves, hangs up.
    fn close_further(&mut self, now: Instant, group: &mut Group, route: Option<&Route>) {
        if let Life::Committing { until } = self.life
            && (group.ledger.is_empty() || until <= now)
        {
            self.life = Life::Leaving { until };
            group.membership.leave(LeaveCause::Closes);
            self.drive_membership(now, group, route);
        }
        if let Life::Leaving { until } = self.life
            && (group.farewells == 0 || until <= now)
        {
            self.life = Life::Closed;
        }
    }

    /// When something about the group is due.
    pub(super) fn group_deadline(&self, now: Instant) -> Option<Instant> {
        let group = self.group.as_ref()?;
        let closing = match self.life {
            Life::Committing { until } | Life::Leaving { until } => Some(until),
            Life::Open | Life::Closed => None,
        };
        let commits = matches!(group.config.commits, Commits::Auto { .. })
            && group.is_subscribed()
            && group.membership.standing().is_ok()
            && !self.assigned.is_empty();
        let dues = [
            group.finder.deadline(now),
            group.membership.deadline(self.application.polling(now)),
            group.ledger.deadline(now),
            commits.then_some(group.next_commit),
            closing,
        ];
        dues.into_iter().flatten().filter(|due| *due > now).min()
    }
}
