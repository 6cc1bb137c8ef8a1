//! The fetcher against answers written by hand.

use super::*;
use crate::metadata::MetadataImage;
use crate::replica::Site;
use topomotion_log::{BatchBuilder, Log, LogConfig, RecordRef};
use topomotion_wire::messages::fetch_response::FetchableTopicResponse;
use topomotion_wire::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use topomotion_wire::{Duration, PartitionEpoch, PartitionState, Rule};

const LEADER: NodeId = NodeId(1);
const ME: NodeId = NodeId(2);

fn id() -> TopicPartition {
    TopicPartition::new("orders", 0)
}

fn fetching(settings: &BrokerSettings, ms: u64) -> Fetching<'_> {
    let now = Instant::ZERO + Duration::from_millis(ms);
    Fetching { now, me: ME, epoch: Some(BrokerEpoch(7)), settings }
}

/// A follower of node 1 with `records` records.
fn follower(settings: &BrokerSettings, records: usize) -> Replicas {
    let mut log = Log::new(id(), LogConfig::default());
    for _ in 0..records {
        let mut batch = BatchBuilder::new();
        batch.push(&RecordRef::default());
        log.append_as_leader(batch.build().into_bytes(), LeaderEpoch(0)).unwrap();
    }
    let mut replica = Replica::new(id(), TopicId::default(), log, Offset(0));
    let state = PartitionState {
        replicas: vec![LEADER, ME],
        isr: vec![LEADER],
        leader: Some(LEADER),
        leader_epoch: LeaderEpoch(1),
        partition_epoch: PartitionEpoch(1),
        ..PartitionState::default()
    };
    let image = MetadataImage::default();
    let site = Site {
        me: ME,
        now: Instant::ZERO,
        settings,
        image: &image,
        wall_clock_base_ms: 0,
    };
    replica.apply(site, &state, &mut Effects::default());
    let mut replicas = Replicas::default();
    replicas.insert(id(), replica);
    replicas
}

fn name_of(_: TopicId) -> Option<std::sync::Arc<str>> {
    Some("orders".into())
}

fn response(error: i16) -> FetchResponse {
    let data = PartitionData::default().with_error_code(error);
    let topic = FetchableTopicResponse::default().with_partitions(vec![data]);
    FetchResponse::default().with_responses(vec![topic])
}

fn offset(offset: i64) -> ListOffsetsResponse {
    let answer = ListOffsetsPartitionResponse::default().with_offset(offset);
    let topic = ListOffsetsTopicResponse::default()
        .with_name(TopicName(StrBytes::from_static_str("orders")))
        .with_partitions(vec![answer]);
    ListOffsetsResponse::default().with_topics(vec![topic])
}

fn asked(effects: &mut Effects) -> Option<RequestKind> {
    effects.next_ask().map(|ask| ask.body)
}

fn marks(effects: &mut Effects) -> Vec<Rule> {
    let outputs = std::iter::from_fn(|| effects.next_output());
    let rule = |output| match output {
        topomotion_wire::Output::Mark { rule, .. } => Some(rule),
        _ => None,
    };
    outputs.filter_map(rule).collect()
}

/// A follower with three records is out of its leader's range, whose log reaches from
/// `start` to `end`; tells where its own log then starts and ends.
fn out_of_range(start: i64, end: i64) -> (i64, i64) {
    let settings = BrokerSettings::default();
    let mut replicas = follower(&settings, 3);
    let mut effects = Effects::default();
    let mut fetcher = Fetcher::new(LEADER);
    fetcher.pump(fetching(&settings, 0), &replicas, &mut effects);
    assert!(matches!(asked(&mut effects), Some(RequestKind::Fetch(_))));
    let lost = response(ErrorCode::OffsetOutOfRange.code());
    fetcher.fetched(fetching(&settings, 1), lost, &mut replicas, name_of, &mut effects);
    for told in [end, start] {
        fetcher.pump(fetching(&settings, 2), &replicas, &mut effects);
        assert!(matches!(asked(&mut effects), Some(RequestKind::ListOffsets(_))));
        let told = offset(told);
        fetcher.told_offsets(fetching(&settings, 3), &told, &mut replicas, &mut effects);
    }
    assert!(marks(&mut effects).contains(&Rule::Trn4));
    fetcher.pump(fetching(&settings, 4), &replicas, &mut effects);
    assert!(matches!(asked(&mut effects), Some(RequestKind::Fetch(_))), "goes on");
    let log = replicas[&id()].log();
    (log.start_offset().0, log.end_offset().0)
}

#[test]
fn a_follower_beyond_the_leaders_end_cuts_its_log_there() {
    assert_eq!(out_of_range(0, 2), (0, 2));
}

#[test]
fn a_follower_before_the_leaders_start_begins_anew_there() {
    assert_eq!(out_of_range(5, 9), (5, 5));
}

#[test]
fn a_follower_inside_the_leaders_log_keeps_everything() {
    assert_eq!(out_of_range(0, 3), (0, 3));
}

#[test]
fn an_error_rests_the_partition_and_not_the_others() {
    let settings = BrokerSettings::default();
    let mut replicas = follower(&settings, 0);
    let mut effects = Effects::default();
    let mut fetcher = Fetcher::new(LEADER);
    fetcher.pump(fetching(&settings, 0), &replicas, &mut effects);
    asked(&mut effects);
    let refused = response(ErrorCode::NotLeaderOrFollower.code());
    let at = fetching(&settings, 1);
    fetcher.fetched(at, refused, &mut replicas, name_of, &mut effects);
    fetcher.pump(fetching(&settings, 2), &replicas, &mut effects);
    assert_eq!(asked(&mut effects), None);
    let due = Instant::ZERO + Duration::from_millis(1_001);
    assert_eq!(fetcher.deadline(), Some(due));
    fetcher.pump(fetching(&settings, 1_001), &replicas, &mut effects);
    assert!(asked(&mut effects).is_some());
}
