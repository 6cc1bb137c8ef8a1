//! Members against scripted answers, one request at a time.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use topomotion_assignor::Assignor;
use topomotion_wire::messages::consumer_group_heartbeat_response::{
    Assignment, TopicPartitions,
};
use topomotion_wire::messages::join_group_response::JoinGroupResponseMember;
use topomotion_wire::messages::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, HeartbeatResponse,
    JoinGroupResponse, RequestKind, ResponseKind, SyncGroupResponse,
};
use topomotion_wire::{
    ClientDeed, Duration, ErrorCode, Instant, JoinCause, LeaveCause, Ownership, Rule,
    StrBytes, TopicId, TopicPartition,
};
use uuid::Uuid;

use super::protocol::{Subscription, decode_assignment, encode_assignment};
use super::{Ask, Known, Membership, Polling, Situation, Step, Topics};
use crate::{CommonConfig, GroupConfig, GroupProtocol};

/// What is known of topics, by name.
struct Catalogue(BTreeMap<Arc<str>, i32>);

impl Topics for Catalogue {
    fn known(&self, topic: &Arc<str>) -> Known {
        match self.0.get(topic) {
            None => Known::Nothing,
            Some(0) => Known::Missing,
            Some(count) => Known::Partitions(*count),
        }
    }

    fn named(&self, id: TopicId) -> Option<Arc<str>> {
        self.0.keys().find(|topic| id_of(topic) == id).cloned()
    }

    fn id(&self, topic: &Arc<str>) -> Option<TopicId> {
        self.0.contains_key(topic).then(|| id_of(topic))
    }
}

fn id_of(topic: &str) -> TopicId {
    TopicId(Uuid::from_u128(u128::from(topic.as_bytes()[0])))
}

/// A member, what it asked, and what it said.
struct Bench {
    now: Instant,
    member: Membership,
    catalogue: Catalogue,
    polling: Polling,
    asked: VecDeque<(Ask, RequestKind)>,
    /// Other steps, in order.
    steps: Vec<Step>,
}

impl Bench {
    fn new(change: impl FnOnce(&mut GroupConfig)) -> Bench {
        let mut config = GroupConfig::new("g");
        change(&mut config);
        let common = CommonConfig::new("c", Vec::new());
        let mut bench = Bench {
            now: Instant::ZERO,
            member: Membership::new(&config, &common),
            catalogue: Catalogue([("t".into(), 2)].into()),
            polling: Polling::Inside,
            asked: VecDeque::new(),
            steps: Vec::new(),
        };
        bench.member.subscribe(bench.now, ["t".into()].into());
        bench.drive();
        bench
    }

    /// Drives until there is nothing to do; whatever is to be prepared is at once.
    fn drive(&mut self) {
        loop {
            let (reachable, polling) = (true, self.polling);
            let situation = Situation { reachable, polling, topics: &self.catalogue };
            self.member.drive(self.now, situation);
            let Some(step) = self.member.poll() else { return };
            match step {
                Step::Ask { ask, body, .. } => self.asked.push_back((ask, *body)),
                Step::Prepare(_) => {
                    self.steps.push(step);
                    self.member.prepared(self.now);
                }
                step => self.steps.push(step),
            }
        }
    }

    fn wait(&mut self, ms: u64) {
        self.now += Duration::from_millis(ms);
        self.drive();
    }

    /// The oldest request without an answer.
    fn request(&mut self) -> (Ask, RequestKind) {
        self.asked.pop_front().expect("something was asked")
    }

    fn answer(&mut self, body: impl Into<ResponseKind>) -> RequestKind {
        let (ask, request) = self.request();
        self.member.answered(self.now, ask, &body.into());
        self.drive();
        request
    }

    /// Joins as a follower and is given these partitions of `t`.
    fn settle(&mut self, generation: i32, partitions: &[i32]) {
        self.answer(joined(generation, "leader", &[]));
        self.answer(synced(partitions));
    }

    fn owned(&self) -> Vec<i32> {
        self.member.owned().iter().map(|it| it.partition).collect()
    }

    /// What changed since the last question, and how much of it.
    fn changes(&mut self) -> Vec<(Ownership, Vec<i32>)> {
        let steps = std::mem::take(&mut self.steps).into_iter();
        steps
            .filter_map(|step| match step {
                Step::Change(view) => {
                    let indexes = view.partitions.iter().map(|it| it.partition);
                    Some((view.change, indexes.collect()))
                }
                _ => None,
            })
            .collect()
    }

    fn marks(&self) -> Vec<Rule> {
        let steps = self.steps.iter();
        let marks = steps.filter_map(|step| match step {
            Step::Mark(rule) => Some(*rule),
            _ => None,
        });
        marks.collect()
    }
}

fn t(indexes: &[i32]) -> Vec<TopicPartition> {
    indexes.iter().map(|index| TopicPartition::new("t", *index)).collect()
}

fn joined(
    generation: i32,
    leader: &str,
    members: &[(&str, Subscription)],
) -> JoinGroupResponse {
    let mut response = JoinGroupResponse::default();
    response.generation_id = generation;
    response.leader = StrBytes::from_string(leader.to_owned());
    response.member_id = StrBytes::from_static_str("me");
    response.protocol_name = Some(StrBytes::from_static_str("range"));
    response.members = members
        .iter()
        .map(|(id, subscription)| {
            let mut member = JoinGroupResponseMember::default();
            member.member_id = StrBytes::from_string((*id).to_owned());
            member.metadata = subscription.encode();
            member
        })
        .collect();
    response
}

fn refused(error: ErrorCode) -> JoinGroupResponse {
    let mut response = JoinGroupResponse::default();
    response.error_code = error.code();
    response.member_id = StrBytes::from_static_str("me");
    response
}

fn synced(partitions: &[i32]) -> SyncGroupResponse {
    let mut response = SyncGroupResponse::default();
    response.assignment = encode_assignment(&t(partitions));
    response
}

fn sync_refused(error: ErrorCode) -> SyncGroupResponse {
    let mut response = SyncGroupResponse::default();
    response.error_code = error.code();
    response
}

fn beaten(error: Option<ErrorCode>) -> HeartbeatResponse {
    let mut response = HeartbeatResponse::default();
    response.error_code = error.map_or(0, |error| error.code());
    response
}

fn cooperative(config: &mut GroupConfig) {
    config.assignors = vec![Assignor::CooperativeSticky];
}

fn join_of(request: &RequestKind) -> &topomotion_wire::messages::JoinGroupRequest {
    match request {
        RequestKind::JoinGroup(request) => request,
        other => panic!("it is no join: {other:?}"),
    }
}

#[test]
fn an_id_that_is_required_is_taken_and_told() {
    let mut bench = Bench::new(|_| {});
    let first = bench.answer(refused(ErrorCode::MemberIdRequired));
    assert_eq!(join_of(&first).member_id.as_str(), "");
    let second = bench.answer(joined(1, "leader", &[]));
    let second = join_of(&second);
    assert_eq!(second.member_id.as_str(), "me");
    let names: Vec<&str> = second.protocols.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["range", "cooperative-sticky"]);
    assert_eq!(
        (second.session_timeout_ms, second.rebalance_timeout_ms),
        (45_000, 300_000)
    );
}

#[test]
fn the_leader_divides_among_all_once_it_knows_their_topics() {
    let mut bench = Bench::new(|_| {});
    let other = Subscription {
        topics: ["t".into(), "u".into()].into(),
        generation: -1,
        ..Subscription::default()
    };
    let mine = Subscription { topics: ["t".into()].into(), ..other.clone() };
    bench.answer(joined(1, "me", &[("me", mine), ("other", other)]));
    assert!(bench.asked.is_empty(), "u is not known yet");
    let follow = |step: &Step| matches!(step, Step::Follow(topics) if topics.len() == 2);
    assert!(bench.steps.iter().any(follow));
    bench.catalogue.0.insert("u".into(), 1);
    bench.drive();
    let (_, request) = bench.request();
    let RequestKind::SyncGroup(request) = request else { panic!("it is no sync") };
    let shares: Vec<(&str, usize)> = request
        .assignments
        .iter()
        .map(|it| (it.member_id.as_str(), decode_assignment(&it.assignment).len()))
        .collect();
    assert_eq!(shares, [("me", 1), ("other", 2)]);
    assert_eq!(bench.marks(), [Rule::Grp10]);
}

#[test]
fn a_topic_that_does_not_exist_holds_nobody_up() {
    let mut bench = Bench::new(|_| {});
    bench.catalogue.0.insert("u".into(), 0);
    let topics: BTreeSet<Arc<str>> = ["t".into(), "u".into()].into();
    let mine = Subscription { topics, generation: -1, ..Subscription::default() };
    bench.answer(joined(1, "me", &[("me", mine)]));
    assert!(matches!(bench.request().1, RequestKind::SyncGroup(_)));
}

#[test]
fn a_leader_whose_topics_change_joins_again() {
    let mut bench = Bench::new(|_| {});
    let topics: BTreeSet<Arc<str>> = ["t".into()].into();
    let mine = Subscription { topics, generation: -1, ..Subscription::default() };
    bench.answer(joined(1, "me", &[("me", mine)]));
    bench.answer(synced(&[0, 1]));
    assert!(bench.asked.is_empty());
    bench.catalogue.0.insert("t".into(), 3);
    bench.drive();
    let (_, request) = bench.request();
    let reason = join_of(&request).reason.clone().expect("there is one");
    assert_eq!(reason.as_str(), JoinCause::Metadata.to_string());
}

#[test]
fn an_eager_member_owns_nothing_when_it_joins() {
    let mut bench = Bench::new(|config| config.assignors = vec![Assignor::Range]);
    bench.settle(1, &[0, 1]);
    bench.wait(3_000);
    bench.answer(beaten(Some(ErrorCode::RebalanceInProgress)));
    let changes = [(Ownership::Assigned, vec![0, 1]), (Ownership::Revoked, vec![0, 1])];
    assert_eq!(bench.changes(), changes);
    let (_, request) = bench.request();
    let said = Subscription::decode(&join_of(&request).protocols[0].metadata);
    assert!(said.expect("it is well formed").owned.is_empty());
}

#[test]
fn a_cooperative_member_says_what_it_owns_and_joins_again_after_giving_up() {
    let mut bench = Bench::new(cooperative);
    bench.settle(1, &[0, 1]);
    bench.wait(3_000);
    bench.answer(beaten(Some(ErrorCode::RebalanceInProgress)));
    assert_eq!(bench.owned(), [0, 1], "it keeps what it has");
    let request = bench.answer(joined(2, "leader", &[]));
    let said = Subscription::decode(&join_of(&request).protocols[0].metadata);
    let said = said.expect("it is well formed");
    assert_eq!((said.owned, said.generation), (t(&[0, 1]), 1));
    bench.answer(synced(&[0]));
    let changes = [
        (Ownership::Assigned, vec![0, 1]),
        (Ownership::Revoked, vec![1]),
        (Ownership::Assigned, vec![]),
    ];
    assert_eq!(bench.changes(), changes);
    let (_, request) = bench.request();
    let reason = join_of(&request).reason.clone().expect("there is one");
    assert_eq!(reason.as_str(), JoinCause::GaveUp.to_string());
}

#[test]
fn sticky_remembers_what_it_gave_up() {
    let mut bench = Bench::new(|config| config.assignors = vec![Assignor::Sticky]);
    bench.settle(4, &[1]);
    bench.wait(3_000);
    bench.answer(beaten(Some(ErrorCode::RebalanceInProgress)));
    let (_, request) = bench.request();
    let said = Subscription::decode(&join_of(&request).protocols[0].metadata);
    assert_eq!(said.expect("it is well formed").remembered, Some((t(&[1]), 4)));
}

#[test]
fn a_heartbeat_leaves_every_interval_and_not_while_one_is_under_way() {
    let mut bench = Bench::new(|_| {});
    bench.settle(1, &[0]);
    bench.wait(2_999);
    assert!(bench.asked.is_empty());
    bench.wait(1);
    assert_eq!(bench.asked.len(), 1);
    bench.wait(10_000);
    assert_eq!(bench.asked.len(), 1);
    bench.answer(beaten(None));
    assert_eq!(bench.asked.len(), 1, "the next one is due at once");
}

#[test]
fn a_coordinator_that_is_silent_for_a_session_is_looked_for_again() {
    let mut bench = Bench::new(|_| {});
    bench.settle(1, &[0]);
    bench.wait(3_000);
    bench.wait(42_000);
    let forgotten = |step: &Step| matches!(step, Step::Forget(_));
    assert!(bench.steps.iter().any(forgotten));
    assert_eq!(bench.owned(), [0], "what it owns it keeps, as far as it knows");
}

#[test]
fn an_unknown_member_has_lost_everything_and_joins_as_somebody_new() {
    let mut bench = Bench::new(cooperative);
    bench.settle(1, &[0]);
    bench.changes();
    bench.wait(3_000);
    bench.answer(beaten(Some(ErrorCode::UnknownMemberId)));
    assert_eq!(bench.changes(), [(Ownership::Lost, vec![0])]);
    let (_, request) = bench.request();
    assert_eq!(join_of(&request).member_id.as_str(), "");
}

#[test]
fn until_the_loss_is_told_commits_name_the_generation_that_was_lost() {
    let mut bench = Bench::new(cooperative);
    bench.settle(1, &[0]);
    bench.changes();
    let before = bench.member.metadata();
    bench.member.refused(ErrorCode::UnknownMemberId);
    assert_eq!(bench.member.metadata(), before, "to be refused");
    bench.wait(1);
    assert_eq!(bench.changes(), [(Ownership::Lost, vec![0])]);
    assert_eq!(bench.member.metadata().generation, -1);
}

#[test]
fn another_generation_is_joined_under_the_same_id() {
    let mut bench = Bench::new(|_| {});
    bench.answer(joined(3, "leader", &[]));
    bench.answer(sync_refused(ErrorCode::IllegalGeneration));
    let (_, request) = bench.request();
    assert_eq!(join_of(&request).member_id.as_str(), "me");
}

#[test]
fn what_is_lost_while_the_application_works_is_told_when_it_polls() {
    let mut bench = Bench::new(|_| {});
    bench.settle(1, &[0]);
    bench.changes();
    bench.polling = Polling::Outside(bench.now);
    bench.wait(3_000);
    bench.answer(beaten(Some(ErrorCode::UnknownMemberId)));
    assert!(bench.changes().is_empty() && bench.asked.is_empty());
    assert_eq!(bench.member.standing(), Err(ErrorCode::UnknownMemberId));
    bench.polling = Polling::Inside;
    bench.drive();
    assert_eq!(bench.changes(), [(Ownership::Lost, vec![0])]);
    assert_eq!(bench.asked.len(), 1);
}

#[test]
fn who_does_not_poll_for_too_long_leaves_unless_it_is_static() {
    for (instance, farewells) in [(None, 1), (Some("one"), 0)] {
        let mut bench = Bench::new(|config| config.instance = instance.map(Arc::from));
        bench.settle(1, &[0]);
        bench.polling = Polling::Outside(bench.now);
        let deadline = bench.member.deadline(bench.polling).expect("there is one");
        assert!(deadline <= Instant::ZERO + Duration::from_millis(3_000));
        bench.now += Duration::from_millis(300_000);
        bench.asked.clear();
        bench.drive();
        assert_eq!(bench.marks(), [Rule::Grp9]);
        let said = bench.asked.iter();
        let said = said.filter(|(_, it)| matches!(it, RequestKind::LeaveGroup(_)));
        assert_eq!(said.count(), farewells);
    }
}

#[test]
fn a_moved_or_loading_coordinator_changes_nothing_but_the_time() {
    for error in [ErrorCode::NotCoordinator, ErrorCode::CoordinatorLoadInProgress] {
        let mut bench = Bench::new(|_| {});
        bench.settle(5, &[0]);
        bench.wait(3_000);
        bench.answer(beaten(Some(error)));
        assert!(bench.asked.is_empty());
        let forgotten = bench.steps.contains(&Step::Forget(error));
        assert_eq!(forgotten, error == ErrorCode::NotCoordinator);
        bench.wait(200);
        let (_, request) = bench.request();
        let RequestKind::Heartbeat(request) = request else { panic!("no heartbeat") };
        assert_eq!(request.generation_id, 5);
        assert_eq!(bench.owned(), [0]);
    }
}

#[test]
fn a_fenced_instance_is_barred_until_it_subscribes_again() {
    let mut bench = Bench::new(|config| config.instance = Some("one".into()));
    bench.settle(1, &[0]);
    bench.wait(3_000);
    bench.answer(beaten(Some(ErrorCode::FencedInstanceId)));
    assert_eq!(bench.member.barred(), Some(ErrorCode::FencedInstanceId));
    assert!(bench.owned().is_empty() && bench.asked.is_empty());
    bench.member.subscribe(bench.now, ["t".into()].into());
    bench.drive();
    assert_eq!(bench.asked.len(), 1);
}

#[test]
fn an_answer_to_an_earlier_life_means_nothing() {
    let mut bench = Bench::new(|_| {});
    let (ask, _) = bench.request();
    bench.member.leave(LeaveCause::Unsubscribes);
    bench.drive();
    let late = ResponseKind::JoinGroup(joined(1, "leader", &[]));
    bench.member.answered(bench.now, ask, &late);
    bench.drive();
    assert!(bench.asked.is_empty() && !bench.member.is_active());
}

fn modern(config: &mut GroupConfig) {
    config.protocol = GroupProtocol::Consumer;
}

fn beat_of(request: &RequestKind) -> &ConsumerGroupHeartbeatRequest {
    match request {
        RequestKind::ConsumerGroupHeartbeat(request) => request,
        other => panic!("it is no heartbeat: {other:?}"),
    }
}

fn beat_back(epoch: i32, target: Option<&[i32]>) -> ConsumerGroupHeartbeatResponse {
    let mut response = ConsumerGroupHeartbeatResponse::default();
    (response.member_epoch, response.heartbeat_interval_ms) = (epoch, 5_000);
    response.assignment = target.map(|indexes| {
        let mut topic = TopicPartitions::default();
        (topic.topic_id, topic.partitions) = (id_of("t").0, indexes.to_vec());
        let mut assignment = Assignment::default();
        assignment.topic_partitions = vec![topic];
        assignment
    });
    response
}

fn told(request: &RequestKind) -> Option<Vec<i32>> {
    let told = beat_of(request).topic_partitions.as_ref()?;
    Some(told.iter().flat_map(|it| it.partitions.clone()).collect())
}

#[test]
fn a_heartbeat_member_joins_with_epoch_0_and_tells_all_then_only_what_is_new() {
    let mut bench = Bench::new(modern);
    let first = bench.answer(beat_back(1, Some(&[0, 1])));
    let join = beat_of(&first);
    assert_eq!((join.member_epoch, join.rebalance_timeout_ms), (0, 300_000));
    assert_eq!(
        (told(&first), join.subscribed_topic_names.is_some()),
        (Some(vec![]), true)
    );
    let second = bench.answer(beat_back(1, None));
    assert_eq!(told(&second), Some(vec![0, 1]), "acknowledged at once");
    assert_eq!(beat_of(&second).subscribed_topic_names, None);
    assert!(bench.asked.is_empty());
    bench.wait(5_000);
    let third = bench.answer(beat_back(1, None));
    assert_eq!(told(&third), None);
    assert_eq!(bench.owned(), [0, 1]);
}

#[test]
fn a_heartbeat_member_acknowledges_only_when_it_has_given_up() {
    let mut bench = Bench::new(modern);
    bench.answer(beat_back(1, Some(&[0, 1])));
    bench.answer(beat_back(1, None));
    bench.changes();
    bench.polling = Polling::Outside(bench.now);
    bench.wait(5_000);
    bench.answer(beat_back(1, Some(&[0])));
    assert_eq!(bench.owned(), [0, 1], "the application still works on it");
    bench.wait(5_000);
    let meanwhile = bench.answer(beat_back(1, None));
    assert_eq!(told(&meanwhile), None);
    bench.polling = Polling::Inside;
    bench.drive();
    let changes = [(Ownership::Revoked, vec![1]), (Ownership::Assigned, vec![])];
    assert_eq!(bench.changes(), changes);
    let (_, acknowledged) = bench.request();
    assert_eq!(told(&acknowledged), Some(vec![0]));
}

#[test]
fn a_heartbeat_member_acknowledges_a_target_that_leads_it_back_to_where_it_still_is() {
    let mut bench = Bench::new(modern);
    bench.answer(beat_back(1, Some(&[0])));
    bench.answer(beat_back(1, None));
    bench.changes();
    bench.polling = Polling::Outside(bench.now);
    for target in [&[0, 1][..], &[0]] {
        bench.wait(5_000);
        bench.answer(beat_back(2, Some(target)));
    }
    assert!(bench.asked.is_empty(), "not before the application polls");
    bench.polling = Polling::Inside;
    bench.drive();
    assert_eq!(bench.changes(), []);
    let acknowledged = bench.answer(beat_back(3, None));
    assert_eq!(told(&acknowledged), Some(vec![0]));
    bench.wait(5_000);
    let (_, third) = bench.request();
    assert_eq!(told(&third), None, "said once");
}

#[test]
fn a_fenced_heartbeat_member_loses_all_and_joins_again() {
    for error in [ErrorCode::FencedMemberEpoch, ErrorCode::UnknownMemberId] {
        let mut bench = Bench::new(modern);
        bench.answer(beat_back(1, Some(&[0])));
        bench.answer(beat_back(1, None));
        bench.changes();
        bench.wait(5_000);
        let mut fenced = ConsumerGroupHeartbeatResponse::default();
        fenced.error_code = error.code();
        bench.answer(fenced);
        assert_eq!(bench.changes(), [(Ownership::Lost, vec![0])]);
        let (_, request) = bench.request();
        assert_eq!((beat_of(&request).member_epoch, told(&request)), (0, Some(vec![])));
    }
}

#[test]
fn a_heartbeat_member_says_goodbye_with_its_kind_of_epoch() {
    for (instance, epoch) in [(None, -1), (Some("one"), -2)] {
        let mut bench = Bench::new(|config| {
            modern(config);
            config.instance = instance.map(Arc::from);
        });
        bench.answer(beat_back(1, Some(&[0])));
        bench.answer(beat_back(1, None));
        bench.member.leave(LeaveCause::Closes);
        bench.drive();
        let (_, request) = bench.request();
        assert_eq!(beat_of(&request).member_epoch, epoch);
    }
}

#[test]
fn what_was_lost_on_the_way_is_told_anew() {
    let mut bench = Bench::new(modern);
    bench.answer(beat_back(1, Some(&[0])));
    let (ask, _) = bench.request();
    bench.member.lost(bench.now, ask);
    bench.wait(200);
    let (_, request) = bench.request();
    assert_eq!(told(&request), Some(vec![0]));
    assert!(beat_of(&request).subscribed_topic_names.is_some());
    assert_eq!(beat_of(&request).member_epoch, 1);
}

#[test]
fn a_slow_heartbeat_member_leaves_and_comes_back() {
    let mut bench = Bench::new(modern);
    bench.answer(beat_back(1, Some(&[0])));
    bench.answer(beat_back(1, None));
    bench.changes();
    bench.polling = Polling::Outside(bench.now);
    bench.now += Duration::from_millis(300_000);
    bench.drive();
    assert_eq!(bench.marks(), [Rule::Grp9]);
    assert_eq!(beat_of(&bench.request().1).member_epoch, -1);
    bench.polling = Polling::Inside;
    bench.drive();
    let joins = Step::Deed(ClientDeed::Joins { cause: JoinCause::PollsAgain });
    assert!(bench.steps.contains(&joins));
    assert_eq!(bench.changes(), [(Ownership::Lost, vec![0])]);
    assert_eq!(beat_of(&bench.request().1).member_epoch, 0);
}

#[test]
fn a_target_with_an_unknown_id_makes_the_member_ask_for_metadata_once_a_beat() {
    let mut bench = Bench::new(modern);
    let mut told = beat_back(1, Some(&[0]));
    let assigned = told.assignment.as_mut().expect("there is a target");
    assigned.topic_partitions[0].topic_id = Uuid::from_u128(77);
    bench.answer(told);
    let doubts = |bench: &Bench| {
        let is_doubt = |step: &&Step| matches!(step, Step::Doubt(_));
        bench.steps.iter().filter(is_doubt).count()
    };
    assert_eq!((doubts(&bench), bench.owned()), (1, vec![]));
    bench.wait(1);
    assert_eq!(doubts(&bench), 1);
    bench.wait(60_000);
    assert_eq!(doubts(&bench), 2, "the answer did not help");
}
