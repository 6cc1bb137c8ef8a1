//! A member of a classic group: joins, is told its partitions, beats, joins again (GRP-3 to
//! GRP-9).
//!
//! ```text
//!   Out ─► Preparing ─► Joining ─► Dividing ─► Syncing ─► Stable
//!    ▲    (commits)               (the leader)              │
//!    └───────────── rebalance, news, dropped ◄──────────────┘
//! ```
//!
//! Heartbeats go on by themselves; everything else that a member does, it does inside the
//! application's poll. An eager member gives everything up before it joins; a cooperative
//! one keeps what it has, gives up what it was not given again, and joins once more (KIP-429).

mod ask;
mod leader;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use topomotion_wire::messages::{JoinGroupResponse, ResponseKind, SyncGroupResponse};
use topomotion_wire::{
    ClientDeed, Defect, ErrorCode, Instant, JoinCause, LeaveCause, Ownership, Random,
    Rule, TopicPartition,
};

use super::protocol::decode_assignment;
use super::pulse::Pulse;
use super::verdict::{Verdict, verdict};
use super::{Ask, Polling, Question, Situation, Step, told_change};
use crate::errors::error_of;
use crate::{CommonConfig, GroupConfig, GroupMetadata};

use leader::{Candidate, Task};

/// How far the member is.
#[derive(Debug, Clone, PartialEq)]
enum Phase {
    /// Has no subscription.
    Idle,
    /// Wants to join.
    Out,
    /// Wants to join, and commits before.
    Preparing,
    /// JoinGroup is under way.
    Joining,
    /// Leads, and may lack knowledge of a topic.
    Dividing { assignor: Arc<str>, candidates: Vec<Candidate>, task: Task },
    /// SyncGroup is under way.
    Syncing,
    /// Knows its partitions.
    Stable,
    /// Only the application can help.
    Barred(ErrorCode),
}

/// Whether what must happen before a join has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Preparation {
    Due,
    Done,
}

/// A member of a classic group.
#[derive(Debug, Clone)]
pub(in crate::consumer) struct Classic {
    config: GroupConfig,
    common: CommonConfig,
    random: Random,
    phase: Phase,
    preparation: Preparation,
    /// Empty until the coordinator gives one.
    member: Arc<str>,
    generation: i32,
    /// Who it was in the generation that it has lost, until the application is told: what that
    /// commits meanwhile, of records that others may have by now, is to be refused (KIP-447).
    lost: Option<(Arc<str>, i32)>,
    topics: BTreeSet<Arc<str>>,
    /// What the coordinator was told.
    told: BTreeSet<Arc<str>>,
    pub owned: BTreeSet<TopicPartition>,
    /// What `sticky` remembers: the last assignment and its generation.
    remembered: Option<(Vec<TopicPartition>, i32)>,
    /// Why to join again.
    rejoin: Option<JoinCause>,
    /// What a leader divided: topics of the whole group and their partitions.
    leads: Option<BTreeMap<Arc<str>, Option<i32>>>,
    pulse: Option<Pulse>,
    /// Counts starts; answers to earlier ones mean nothing.
    life: u64,
    failures: u32,
    /// Nothing is asked before.
    pause: Option<Instant>,
    pub steps: VecDeque<Step>,
}

impl Classic {
    pub fn new(config: &GroupConfig, common: &CommonConfig) -> Classic {
        Classic {
            config: config.clone(),
            random: common.random(),
            common: common.clone(),
            phase: Phase::Idle,
            preparation: Preparation::Due,
            member: "".into(),
            generation: -1,
            lost: None,
            topics: BTreeSet::new(),
            told: BTreeSet::new(),
            owned: BTreeSet::new(),
            remembered: None,
            rejoin: None,
            leads: None,
            pulse: None,
            life: 0,
            failures: 0,
            pause: None,
            steps: VecDeque::new(),
        }
    }

    pub fn subscribe(&mut self, topics: BTreeSet<Arc<str>>) {
        self.steps.push_back(Step::Follow(topics.clone()));
        self.topics = topics;
        match self.phase {
            Phase::Idle | Phase::Barred(_) => {
                (self.phase, self.preparation) = (Phase::Out, Preparation::Due);
                self.rejoin = Some(JoinCause::Subscribed);
            }
            Phase::Stable if self.topics != self.told => {
                self.rejoin = Some(JoinCause::Subscribed);
            }
            _ => {}
        }
    }

    pub fn metadata(&self) -> GroupMetadata {
        let present = || (self.member.clone(), self.generation);
        let (member, generation) = self.lost.clone().unwrap_or_else(present);
        GroupMetadata {
            group: self.config.id.clone(),
            generation,
            member,
            instance: self.config.instance.clone(),
        }
    }

    pub fn standing(&self) -> Result<GroupMetadata, ErrorCode> {
        match self.phase {
            Phase::Stable | Phase::Preparing if self.generation >= 0 => {
                Ok(self.metadata())
            }
            Phase::Joining | Phase::Dividing { .. } | Phase::Syncing => {
                Err(ErrorCode::RebalanceInProgress)
            }
            Phase::Barred(error) => Err(error),
            _ => Err(ErrorCode::UnknownMemberId),
        }
    }

    pub fn is_active(&self) -> bool {
        !matches!(self.phase, Phase::Idle | Phase::Barred(_))
    }

    pub fn barred(&self) -> Option<ErrorCode> {
        match self.phase {
            Phase::Barred(error) => Some(error),
            _ => None,
        }
    }

    pub fn drive(&mut self, now: Instant, at: Situation<'_>) {
        if !self.is_active() {
            return;
        }
        self.mind_polls(now, at.polling);
        self.mind_topics(at);
        if at.polling == Polling::Inside && at.reachable {
            self.join(now);
        }
        if at.reachable {
            self.divide(at.topics);
        }
        self.beat(now, at);
    }

    /// A member whose application takes too long leaves by itself (GRP-9). A static one
    /// falls silent.
    fn mind_polls(&mut self, now: Instant, polling: Polling) {
        let Polling::Outside(since) = polling else { return };
        let is_member = matches!(self.phase, Phase::Stable) && self.generation >= 0;
        if !is_member || since + self.config.max_poll_interval > now {
            return;
        }
        self.steps.push_back(Step::Mark(Rule::Grp9));
        self.say_goodbye(LeaveCause::PollInterval);
        self.begin_anew(JoinCause::PollsAgain);
    }

    /// The leader joins again when the topics that it divided are not what they were.
    fn mind_topics(&mut self, at: Situation<'_>) {
        let (Phase::Stable, None, Some(divided)) =
            (&self.phase, self.rejoin, &self.leads)
        else {
            return;
        };
        let topics: BTreeSet<Arc<str>> = divided.keys().cloned().collect();
        let counts = super::counts(&topics, at.topics);
        let is_news = |(topic, before): (&Arc<str>, &Option<i32>)| {
            at.topics.known(topic) != super::Known::Nothing
                && counts.get(topic).copied() != *before
        };
        if divided.iter().any(is_news) {
            self.rejoin = Some(JoinCause::Metadata);
        }
    }

    fn is_resting(&self, now: Instant) -> bool {
        self.pause.is_some_and(|pause| pause > now)
    }

    fn join(&mut self, now: Instant) {
        let wants = match self.phase {
            Phase::Out => true,
            Phase::Stable => self.rejoin.is_some(),
            _ => false,
        };
        if !wants || self.is_resting(now) {
            return;
        }
        match self.preparation {
            Preparation::Due => {
                self.phase = Phase::Preparing;
                let going = match self.keeps() && self.generation >= 0 {
                    true => Vec::new(),
                    false => self.owned.iter().cloned().collect(),
                };
                self.steps.push_back(Step::Prepare(going));
            }
            Preparation::Done => self.ask_to_join(),
        }
    }

    /// Whether it keeps its partitions while it joins.
    fn keeps(&self) -> bool {
        self.config.is_cooperative() && !Defect::EagerRevoke.is_sown()
    }

    pub fn prepared(&mut self) {
        if self.phase != Phase::Preparing {
            return;
        }
        (self.phase, self.preparation) = (Phase::Out, Preparation::Done);
        self.lost = None;
        let owned = std::mem::take(&mut self.owned);
        if self.generation < 0 {
            self.change(Ownership::Lost, owned);
        } else if self.keeps() {
            let is_wanted = |it: &TopicPartition| self.topics.contains(&it.topic);
            let (kept, gone) = owned.into_iter().partition(is_wanted);
            self.owned = kept;
            self.change(Ownership::Revoked, gone);
        } else {
            self.change(Ownership::Revoked, owned);
        }
    }

    fn change(&mut self, change: Ownership, partitions: BTreeSet<TopicPartition>) {
        let step = told_change(&self.metadata(), change, partitions, &self.owned);
        self.steps.extend(step);
    }

    pub fn answered(&mut self, now: Instant, ask: Ask, body: &ResponseKind) {
        if ask.life != self.life || !self.is_active() {
            return;
        }
        match (ask.what, body) {
            (Question::Join, ResponseKind::JoinGroup(told)) => self.joined(now, told),
            (Question::Sync, ResponseKind::SyncGroup(told)) => self.synced(now, told),
            (Question::Heartbeat, ResponseKind::Heartbeat(told)) => {
                self.beaten(now, error_of(told.error_code));
            }
            (Question::Leave, _) => {}
            (Question::Join | Question::Sync | Question::Heartbeat, _) => {
                self.lost(now, ask);
            }
        }
    }

    fn joined(&mut self, now: Instant, told: &JoinGroupResponse) {
        if self.phase != Phase::Joining {
            return;
        }
        match error_of(told.error_code) {
            None => {}
            Some(ErrorCode::MemberIdRequired) => {
                self.member = told.member_id.as_str().into();
                self.phase = Phase::Out;
                return;
            }
            Some(error) => return self.failed(now, error),
        }
        (self.failures, self.pause) = (0, None);
        self.member = told.member_id.as_str().into();
        (self.generation, self.lost) = (told.generation_id, None);
        self.pulse = Some(Pulse::start(now, self.config.heartbeat_interval));
        self.leads = None;
        if told.leader == told.member_id {
            self.lead(told);
        } else {
            let protocol = told.protocol_name.as_ref();
            self.ask_for_share(protocol.map_or("", |it| it.as_str()), Vec::new());
        }
    }

    fn synced(&mut self, now: Instant, told: &SyncGroupResponse) {
        if self.phase != Phase::Syncing {
            return;
        }
        if let Some(error) = error_of(told.error_code) {
            return self.failed(now, error);
        }
        (self.failures, self.pause, self.rejoin) = (0, None, None);
        (self.phase, self.preparation) = (Phase::Stable, Preparation::Due);
        let assigned = decode_assignment(&told.assignment);
        self.remembered = Some((assigned.iter().cloned().collect(), self.generation));
        let gone: BTreeSet<TopicPartition> =
            self.owned.difference(&assigned).cloned().collect();
        let come: BTreeSet<TopicPartition> =
            assigned.difference(&self.owned).cloned().collect();
        if self.config.is_cooperative() {
            self.steps.push_back(Step::Mark(Rule::Grp8));
        }
        if !gone.is_empty() {
            // What it gives up can be given to somebody else only when it joins again.
            self.owned.retain(|it| assigned.contains(it));
            self.change(Ownership::Revoked, gone);
            self.rejoin = Some(JoinCause::GaveUp);
        }
        self.owned = assigned;
        self.change(Ownership::Assigned, come);
        if self.topics != self.told {
            self.rejoin = Some(JoinCause::Subscribed);
        }
    }

    /// JoinGroup or SyncGroup was refused.
    fn failed(&mut self, now: Instant, error: ErrorCode) {
        self.phase = Phase::Out;
        match verdict(error) {
            Verdict::Again => self.rest(now),
            Verdict::FindCoordinator => {
                self.steps.push_back(Step::Forget(error));
                self.rest(now);
            }
            Verdict::Rebalance => self.rejoin = Some(JoinCause::Rebalance),
            Verdict::NewGeneration | Verdict::NewMember | Verdict::Bar => {
                self.refused(error);
            }
        }
    }

    fn rest(&mut self, now: Instant) {
        self.failures = self.failures.saturating_add(1);
        let pause = self.common.backoff(self.failures, &mut self.random);
        self.pause = Some(now + pause);
    }

    /// The coordinator does not count it among the members of this generation.
    pub fn refused(&mut self, error: ErrorCode) {
        match verdict(error) {
            Verdict::NewGeneration => {
                let member = self.member.clone();
                self.begin_anew(JoinCause::Dropped(error));
                self.member = member;
            }
            Verdict::NewMember => self.begin_anew(JoinCause::Dropped(error)),
            Verdict::Bar => self.bar(error),
            Verdict::Rebalance if self.phase == Phase::Stable => {
                self.rejoin.get_or_insert(JoinCause::Rebalance);
            }
            Verdict::Rebalance | Verdict::Again | Verdict::FindCoordinator => {}
        }
    }

    pub fn bar(&mut self, error: ErrorCode) {
        self.begin_anew(JoinCause::Dropped(error));
        self.lost = None;
        let owned = std::mem::take(&mut self.owned);
        self.change(Ownership::Lost, owned);
        self.phase = Phase::Barred(error);
        self.steps.push_back(Step::Deed(ClientDeed::Barred { error }));
    }

    /// Not a member any more; what it owned is lost as soon as the application polls.
    fn begin_anew(&mut self, cause: JoinCause) {
        self.life += 1;
        if self.generation >= 0 {
            self.lost = Some((self.member.clone(), self.generation));
        }
        (self.member, self.generation) = ("".into(), -1);
        (self.phase, self.preparation) = (Phase::Out, Preparation::Due);
        (self.rejoin, self.pulse, self.leads) = (Some(cause), None, None);
    }

    pub fn lost(&mut self, now: Instant, ask: Ask) {
        if ask.life != self.life {
            return;
        }
        match (ask.what, &self.phase) {
            (Question::Join, Phase::Joining) | (Question::Sync, Phase::Syncing) => {
                self.phase = Phase::Out;
                self.rest(now);
            }
            (Question::Heartbeat, _) => self.beat_failed(now),
            _ => {}
        }
    }

    fn beat(&mut self, now: Instant, at: Situation<'_>) {
        let session = self.config.session_timeout;
        let is_beating = matches!(
            self.phase,
            Phase::Stable | Phase::Preparing | Phase::Syncing | Phase::Dividing { .. }
        );
        let Some(pulse) = self.pulse.as_mut().filter(|_| is_beating) else { return };
        if pulse.is_silent(now, session) {
            pulse.forgive(now);
            self.steps.push_back(Step::Forget(ErrorCode::RequestTimedOut));
        } else if at.reachable && pulse.is_due(now) {
            pulse.sent(now, self.config.heartbeat_interval);
            self.ask_whether_all_is_well();
        }
    }

    fn beaten(&mut self, now: Instant, error: Option<ErrorCode>) {
        let Some(error) = error else {
            if let Some(pulse) = &mut self.pulse {
                pulse.heard(now);
            }
            return;
        };
        match verdict(error) {
            Verdict::Again => self.beat_failed(now),
            Verdict::FindCoordinator => {
                self.beat_failed(now);
                self.steps.push_back(Step::Forget(error));
            }
            Verdict::Rebalance => {
                if let Some(pulse) = &mut self.pulse {
                    pulse.heard(now);
                }
                self.refused(error);
            }
            Verdict::NewGeneration | Verdict::NewMember | Verdict::Bar => {
                self.refused(error);
            }
        }
    }

    fn beat_failed(&mut self, now: Instant) {
        let pause = self.common.backoff(1, &mut self.random);
        if let Some(pulse) = &mut self.pulse {
            pulse.failed(now, pause);
        }
    }

    pub fn leave(&mut self, cause: LeaveCause) {
        let owned = std::mem::take(&mut self.owned);
        let change = match self.generation {
            0.. => Ownership::Revoked,
            _ => Ownership::Lost,
        };
        self.change(change, owned);
        if self.is_active() {
            self.say_goodbye(cause);
        }
        self.begin_anew(JoinCause::Subscribed);
        (self.phase, self.lost) = (Phase::Idle, None);
        self.topics.clear();
    }

    pub fn deadline(&self, polling: Polling) -> Option<Instant> {
        let is_member = self.phase == Phase::Stable;
        let slow = match polling {
            Polling::Outside(since) if is_member => {
                Some(since + self.config.max_poll_interval)
            }
            Polling::Outside(_) | Polling::Inside => None,
        };
        let beats = self.phase != Phase::Joining && self.phase != Phase::Out;
        let pulse = self.pulse.filter(|_| self.is_active() && beats);
        let pulse = pulse.map(|pulse| pulse.deadline(self.config.session_timeout));
        let pause = self.pause.filter(|_| self.phase == Phase::Out);
        [slow, pulse, pause].into_iter().flatten().min()
    }
}
