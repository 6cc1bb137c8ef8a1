//! A member of a KIP-848 group: beats, is told its target, walks there, says so (GRP-11 to
//! GRP-13).
//!
//! ```text
//!   Joining ─epoch 0─► Member ──┬─ target ≠ owned: commit, revoke, take, acknowledge ─┐
//!      ▲                 ▲      └─────────────────────────────────────────────────────┘
//!      └── Out ◄─────────┴─ fenced, or too slow between polls
//! ```
//!
//! The coordinator divides; there is no barrier between members. What is to be given up is
//! given up inside the application's poll, and only then acknowledged: the coordinator gives
//! it to nobody before.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use topomotion_wire::messages::consumer_group_heartbeat_request::TopicPartitions;
use topomotion_wire::messages::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, GroupId, RequestKind,
    ResponseKind,
};
use topomotion_wire::{
    ClientDeed, Defect, Duration, ErrorCode, Instant, JoinCause, LeaveCause, Ownership,
    Random, Rule, StrBytes, TopicId, TopicPartition,
};

use super::protocol::by_topic;
use super::pulse::Pulse;
use super::verdict::{Verdict, verdict_848};
use super::{Ask, Polling, Question, Situation, Step, Topics, told_change};
use crate::errors::error_of;
use crate::metadata::{text, topic_name};
use crate::{CommonConfig, GroupConfig, GroupMetadata};

/// The epoch that asks to be let in.
const JOIN: i32 = 0;
/// The epoch that says goodbye.
const LEAVE: i32 = -1;
/// The epoch of a static member that says it will be back.
const LEAVE_STATIC: i32 = -2;

/// How far the member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Has no subscription.
    Idle,
    /// Asks to be let in.
    Joining,
    /// Is in, and walks to wherever its target is.
    Member,
    /// Is out; joins when the application polls, and has seen what it lost.
    Out(JoinCause),
    /// Only the application can help.
    Barred(ErrorCode),
}

/// What the coordinator was told last.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Told {
    topics: BTreeSet<Arc<str>>,
    /// None: it is to be told again, whatever it is.
    owned: Option<BTreeSet<TopicPartition>>,
}

impl Told {
    fn knows(&self, owned: &BTreeSet<TopicPartition>) -> bool {
        self.owned.as_ref() == Some(owned)
    }
}

/// A member of a KIP-848 group.
#[derive(Debug, Clone)]
pub(in crate::consumer) struct Reconciler {
    config: GroupConfig,
    common: CommonConfig,
    random: Random,
    phase: Phase,
    member: Arc<str>,
    epoch: i32,
    topics: BTreeSet<Arc<str>>,
    pub owned: BTreeSet<TopicPartition>,
    /// Where the coordinator wants it.
    target: Option<BTreeMap<TopicId, Vec<i32>>>,
    /// Whether it is wanted elsewhere than the last time, and has not said that it is there.
    is_redirected: bool,
    /// Whether the present beat has asked for names that the target needs.
    has_sought: bool,
    /// Where it is going: what goes is being committed.
    going_to: Option<BTreeSet<TopicPartition>>,
    /// None: everything is to be told anew.
    told: Option<Told>,
    /// `group.consumer.heartbeat.interval.ms`, as the coordinator says.
    interval: Duration,
    pulse: Pulse,
    /// Counts starts; answers to earlier ones mean nothing.
    life: u64,
    failures: u32,
    pub steps: VecDeque<Step>,
}

impl Reconciler {
    pub fn new(config: &GroupConfig, common: &CommonConfig) -> Reconciler {
        let mut random = common.random();
        let member = format!("{}-{:016x}", common.client_id, random.next_u64());
        Reconciler {
            config: config.clone(),
            common: common.clone(),
            random,
            phase: Phase::Idle,
            member: member.into(),
            epoch: LEAVE,
            topics: BTreeSet::new(),
            owned: BTreeSet::new(),
            target: None,
            is_redirected: false,
            has_sought: false,
            going_to: None,
            told: None,
            interval: config.heartbeat_interval,
            pulse: Pulse::start(Instant::ZERO, Duration::ZERO),
            life: 0,
            failures: 0,
            steps: VecDeque::new(),
        }
    }

    pub fn subscribe(&mut self, now: Instant, topics: BTreeSet<Arc<str>>) {
        self.steps.push_back(Step::Follow(topics.clone()));
        self.topics = topics;
        match self.phase {
            Phase::Idle | Phase::Barred(_) => {
                self.phase = Phase::Out(JoinCause::Subscribed);
            }
            Phase::Joining | Phase::Member => self.pulse.hurry(now),
            Phase::Out(_) => {}
        }
    }

    pub fn metadata(&self) -> GroupMetadata {
        GroupMetadata {
            group: self.config.id.clone(),
            generation: self.epoch,
            member: self.member.clone(),
            instance: self.config.instance.clone(),
        }
    }

    pub fn standing(&self) -> Result<GroupMetadata, ErrorCode> {
        match self.phase {
            Phase::Member => Ok(self.metadata()),
            Phase::Barred(error) => Err(error),
            Phase::Idle | Phase::Joining | Phase::Out(_) => {
                Err(ErrorCode::UnknownMemberId)
            }
        }
    }

    pub fn is_active(&self) -> bool {
        !matches!(self.phase, Phase::Idle | Phase::Barred(_))
    }

    pub fn barred(&self) -> Option<ErrorCode> {
        match self.phase {
            Phase::Barred(error) => Some(error),
            Phase::Idle | Phase::Joining | Phase::Member | Phase::Out(_) => None,
        }
    }

    pub fn drive(&mut self, now: Instant, at: Situation<'_>) {
        match at.polling {
            Polling::Outside(since) => self.mind_polls(now, since),
            Polling::Inside => {
                self.come_back(now);
                self.walk(now, at.topics);
            }
        }
        let beats = matches!(self.phase, Phase::Joining | Phase::Member);
        if beats && at.reachable && self.pulse.is_due(now) {
            self.beat(now, at.topics);
        }
    }

    /// A member whose application takes too long leaves by itself (GRP-9).
    fn mind_polls(&mut self, now: Instant, since: Instant) {
        let is_member = self.phase == Phase::Member;
        if is_member && since + self.config.max_poll_interval <= now {
            self.steps.push_back(Step::Mark(Rule::Grp9));
            self.say_goodbye(LeaveCause::PollInterval);
            self.begin_anew(JoinCause::PollsAgain);
        }
    }

    /// Whoever is out has lost what it had, and joins again.
    fn come_back(&mut self, now: Instant) {
        let Phase::Out(cause) = self.phase else { return };
        let owned = std::mem::take(&mut self.owned);
        self.change(Ownership::Lost, owned);
        (self.phase, self.epoch) = (Phase::Joining, JOIN);
        self.pulse = Pulse::start(now, Duration::ZERO);
        self.steps.push_back(Step::Deed(ClientDeed::Joins { cause }));
    }

    /// Goes to where the coordinator wants it, as far as the topics' names are known.
    fn walk(&mut self, now: Instant, topics: &dyn Topics) {
        if self.phase != Phase::Member || self.going_to.is_some() {
            return;
        }
        let Some(target) = &self.target else { return };
        let is_nameless = target.keys().any(|id| topics.named(*id).is_none());
        if is_nameless && !self.has_sought {
            // Created anew, maybe: the name is known by another id.
            self.has_sought = true;
            self.steps.push_back(Step::Doubt(ErrorCode::UnknownTopicId));
        }
        let goal: BTreeSet<TopicPartition> = target
            .iter()
            .filter_map(|(id, indexes)| Some((topics.named(*id)?, indexes)))
            .flat_map(|(topic, indexes)| {
                let indexes = indexes.iter();
                indexes.map(move |index| TopicPartition::new(topic.clone(), *index))
            })
            .collect();
        let is_redirected = std::mem::take(&mut self.is_redirected);
        if goal == self.owned {
            // Back before it had gone anywhere. The coordinator waits until it has given up
            // what it was to have meanwhile, and cannot know that it never had it.
            if is_redirected {
                self.told.iter_mut().for_each(|told| told.owned = None);
                self.pulse.hurry(now);
            }
            return;
        }
        let going: Vec<TopicPartition> = self.owned.difference(&goal).cloned().collect();
        self.going_to = Some(goal);
        match going.is_empty() {
            true => self.prepared(now),
            false => self.steps.push_back(Step::Prepare(going)),
        }
    }

    /// What goes is committed: it is given up, what comes is taken, and both are told.
    pub fn prepared(&mut self, now: Instant) {
        let Some(goal) = self.going_to.take() else { return };
        let (kept, gone) =
            std::mem::take(&mut self.owned).into_iter().partition(|it| goal.contains(it));
        self.owned = kept;
        self.change(Ownership::Revoked, gone);
        let come = goal.difference(&self.owned).cloned().collect();
        self.owned = goal;
        self.change(Ownership::Assigned, come);
        self.pulse.hurry(now);
    }

    fn change(&mut self, change: Ownership, partitions: BTreeSet<TopicPartition>) {
        let step = told_change(&self.metadata(), change, partitions, &self.owned);
        self.steps.extend(step);
    }

    fn ask(&mut self, what: Question, request: ConsumerGroupHeartbeatRequest) {
        let ask = Ask { what, life: self.life };
        let body = Box::new(RequestKind::ConsumerGroupHeartbeat(request));
        self.steps.push_back(Step::Ask { ask, body, timeout: None });
    }

    fn request(&self, epoch: i32) -> ConsumerGroupHeartbeatRequest {
        let mut request = ConsumerGroupHeartbeatRequest::default();
        request.group_id = GroupId(text(&self.config.id));
        request.member_id = text(&self.member);
        request.member_epoch = epoch;
        request.instance_id = self.config.instance.as_deref().map(text);
        request
    }

    /// Says only what is new, once the coordinator knows the rest.
    fn beat(&mut self, now: Instant, topics: &dyn Topics) {
        let mut request = self.request(self.epoch);
        let told = self.told.as_ref().filter(|_| self.epoch != JOIN);
        if told.is_none() {
            let timeout = self.config.max_poll_interval.as_millis();
            request.rebalance_timeout_ms = i32::try_from(timeout).unwrap_or(i32::MAX);
            let assignor =
                self.config.remote_assignor.map(topomotion_assignor::Assignor::name);
            request.server_assignor = assignor.map(StrBytes::from_static_str);
        }
        if told.is_none_or(|told| told.topics != self.topics) {
            let names = self.topics.iter().map(|topic| topic_name(topic));
            request.subscribed_topic_names = Some(names.collect());
        }
        if told.is_none_or(|told| !told.knows(&self.owned)) {
            request.topic_partitions = Some(self.owned_by_id(topics));
        }
        let (topics, owned) = (self.topics.clone(), self.owned.clone());
        self.told = Some(Told { topics, owned: Some(owned) });
        self.pulse.sent(now, self.interval);
        self.has_sought = false;
        self.ask(Question::Heartbeat, request);
    }

    fn owned_by_id(&self, topics: &dyn Topics) -> Vec<TopicPartitions> {
        let owned = by_topic(&self.owned).into_iter();
        owned
            .filter_map(|(topic, indexes)| {
                let mut owned = TopicPartitions::default();
                owned.topic_id = topics.id(&topic)?.0;
                owned.partitions = indexes;
                Some(owned)
            })
            .collect()
    }

    pub fn answered(&mut self, now: Instant, ask: Ask, body: &ResponseKind) {
        if ask.life != self.life || ask.what == Question::Leave {
            return;
        }
        let ResponseKind::ConsumerGroupHeartbeat(told) = body else {
            return self.lost(now, ask);
        };
        match error_of(told.error_code) {
            None => self.heard(now, told),
            Some(error) => self.failed(now, error),
        }
    }

    fn heard(&mut self, now: Instant, told: &ConsumerGroupHeartbeatResponse) {
        self.failures = 0;
        self.pulse.heard(now);
        if let Ok(interval) = u64::try_from(told.heartbeat_interval_ms)
            && interval > 0
        {
            self.interval = Duration::from_millis(interval);
            self.pulse.postpone(now + self.interval);
        }
        if let Some(member) = told.member_id.as_ref().filter(|it| !it.is_empty()) {
            self.member = member.as_str().into();
        }
        (self.phase, self.epoch) = (Phase::Member, told.member_epoch);
        if let Some(assignment) = &told.assignment {
            let target = assignment.topic_partitions.iter();
            let target =
                target.map(|it| (TopicId(it.topic_id), it.partitions.clone())).collect();
            self.is_redirected |= self.target.as_ref().is_some_and(|it| *it != target);
            self.target = Some(target);
        }
        // What changed while this was under way.
        let news = self
            .told
            .as_ref()
            .is_none_or(|told| !told.knows(&self.owned) || told.topics != self.topics);
        if news {
            self.pulse.hurry(now);
        }
    }

    fn failed(&mut self, now: Instant, error: ErrorCode) {
        match verdict_848(error) {
            Verdict::Again => self.rest(now),
            Verdict::FindCoordinator => {
                self.steps.push_back(Step::Forget(error));
                self.rest(now);
            }
            Verdict::NewGeneration
            | Verdict::NewMember
            | Verdict::Rebalance
            | Verdict::Bar => self.refused(error),
        }
    }

    /// Tells everything anew after a pause: nobody knows what has arrived.
    fn rest(&mut self, now: Instant) {
        self.failures = self.failures.saturating_add(1);
        self.told = None;
        let pause = self.common.backoff(self.failures, &mut self.random);
        self.pulse.failed(now, pause);
    }

    /// The coordinator does not count it among the members, or not in this epoch.
    pub fn refused(&mut self, error: ErrorCode) {
        match verdict_848(error) {
            Verdict::NewGeneration | Verdict::NewMember => {
                self.begin_anew(JoinCause::Dropped(error));
            }
            Verdict::Bar => self.bar(error),
            Verdict::Rebalance | Verdict::Again | Verdict::FindCoordinator => {}
        }
    }

    pub fn bar(&mut self, error: ErrorCode) {
        self.begin_anew(JoinCause::Dropped(error));
        let owned = std::mem::take(&mut self.owned);
        self.change(Ownership::Lost, owned);
        self.phase = Phase::Barred(error);
        self.steps.push_back(Step::Deed(ClientDeed::Barred { error }));
    }

    fn begin_anew(&mut self, cause: JoinCause) {
        self.life += 1;
        (self.phase, self.epoch) = (Phase::Out(cause), LEAVE);
        (self.target, self.going_to, self.told) = (None, None, None);
        self.is_redirected = false;
    }

    pub fn lost(&mut self, now: Instant, ask: Ask) {
        if ask.life == self.life && ask.what == Question::Heartbeat {
            self.rest(now);
        }
    }

    /// A static member says that it will be back: its partitions wait for it (GRP-7).
    fn say_goodbye(&mut self, cause: LeaveCause) {
        let is_static =
            self.config.instance.is_some() && !Defect::StaticAsDynamic.is_sown();
        let epoch = if is_static { LEAVE_STATIC } else { LEAVE };
        self.steps.push_back(Step::Deed(ClientDeed::Leaves { cause }));
        let request = self.request(epoch);
        self.ask(Question::Leave, request);
    }

    pub fn leave(&mut self, cause: LeaveCause) {
        let change = match self.phase {
            Phase::Member => Ownership::Revoked,
            _ => Ownership::Lost,
        };
        let owned = std::mem::take(&mut self.owned);
        self.change(change, owned);
        if matches!(self.phase, Phase::Member | Phase::Joining) {
            self.say_goodbye(cause);
        }
        self.begin_anew(JoinCause::Subscribed);
        self.phase = Phase::Idle;
        self.topics.clear();
    }

    pub fn deadline(&self, polling: Polling) -> Option<Instant> {
        let slow = match (polling, self.phase) {
            (Polling::Outside(since), Phase::Member) => {
                Some(since + self.config.max_poll_interval)
            }
            _ => None,
        };
        let beats = matches!(self.phase, Phase::Joining | Phase::Member);
        let beat = self.pulse.due().filter(|_| beats);
        [slow, beat].into_iter().flatten().min()
    }
}
