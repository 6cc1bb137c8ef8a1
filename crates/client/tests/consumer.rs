//! The consumer inside: where it starts, where it goes, and what it makes of new leaders.
#![allow(clippy::field_reassign_with_default)]

mod rig;

use rig::*;
use topomotion_client::{OffsetReset, Stop};
use topomotion_log::{BatchBuilder, RecordRef};
use topomotion_wire::messages::{
    ApiKey, BrokerId, FetchRequest, RequestKind, ResponseKind,
};
use topomotion_wire::{
    ClientDeed, ErrorCode, LeaderEpoch, NodeId, Offset, PositionCause, Rule,
    TopicPartition,
};

fn fetches(requests: &[(u16, RequestKind)]) -> Vec<(u16, &FetchRequest)> {
    let fetches = requests.iter().filter_map(|(port, body)| match body {
        RequestKind::Fetch(fetch) => Some((*port, fetch)),
        _ => None,
    });
    fetches.collect()
}

fn offset_of(fetch: &FetchRequest) -> i64 {
    fetch.topics[0].partitions[0].fetch_offset
}

/// The same answer, changed in its one partition.
fn with_data(
    reply: Reply,
    change: impl FnOnce(&mut topomotion_wire::messages::fetch_response::PartitionData),
) -> Reply {
    let Reply::Answer(mut body) = reply else { return reply };
    if let ResponseKind::Fetch(response) = &mut *body {
        change(&mut response.responses[0].partitions[0]);
    }
    Reply::Answer(body)
}

/// One leader with ten records, one batch each.
fn ten_records(_: u16, request: &RequestKind) -> Reply {
    match request {
        RequestKind::Metadata(_) => metadata(1, 0),
        RequestKind::ListOffsets(list) => match list.topics[0].partitions[0].timestamp {
            -2 => listed(0),
            -1 => listed(10),
            1_000 => listed(4),
            _ => listed(-1),
        },
        RequestKind::Fetch(fetch) => match offset_of(fetch) {
            at @ 0..10 => fetched(0, Some(at)),
            10 => Reply::Silence,
            _ => fetched(ErrorCode::OffsetOutOfRange.code(), None),
        },
        _ => Reply::Silence,
    }
}

#[test]
fn seeking_goes_to_an_offset_to_either_end_and_to_a_time() {
    let mut rig = Rig::new(consumer(), ten_records);
    rig.client.assign(rig.now, [partition()]);
    rig.run_until(1_000);
    assert_eq!(rig.client.position(&partition()), Some(Offset(10)));
    // The long poll at the end is under way; nobody waits for it.
    let mut positions = Vec::new();
    let mut reads = |rig: &mut Rig<_, _>, until: u64| {
        rig.facts.clear();
        rig.run_until(until);
        let polled = polled(&rig.facts);
        positions.push(polled.first().map(|(base, _)| *base));
    };
    rig.client.seek(rig.now, &partition(), Offset(7));
    reads(&mut rig, 60_000);
    rig.client.seek_to(rig.now, &partition(), OffsetReset::Earliest);
    reads(&mut rig, 120_000);
    rig.client.seek_to_time(rig.now, &partition(), 1_000);
    reads(&mut rig, 180_000);
    rig.client.seek_to_time(rig.now, &partition(), 2_000);
    reads(&mut rig, 240_000);
    assert_eq!(positions, [Some(7), Some(0), Some(4), None]);
    assert_eq!(rig.client.position(&partition()), Some(Offset(10)), "no record so young");
}

#[test]
fn assigning_anew_keeps_positions_and_drops_what_is_not_named() {
    let mut rig = Rig::new(consumer(), ten_records);
    rig.client.assign(rig.now, [partition()]);
    rig.run_until(1_000);
    let other = TopicPartition::new("orders", 1);
    rig.client.assign(rig.now, [partition(), other.clone()]);
    assert_eq!(rig.client.position(&partition()), Some(Offset(10)));
    rig.client.assign(rig.now, [other]);
    assert_eq!(rig.client.position(&partition()), None);
}

#[test]
fn a_paused_partition_hands_nothing_on_and_what_came_meanwhile_is_not_lost() {
    let mut rig = Rig::new(consumer(), ten_records);
    rig.client.assign(rig.now, [partition()]);
    while fetches(&rig.requests).is_empty() {
        let next = rig.now.as_millis() + 1;
        rig.run_until(next);
    }
    rig.client.pause([partition()]);
    rig.run_until(1_000);
    assert!(polled(&rig.facts).is_empty());
    assert_eq!(fetches(&rig.requests).len(), 1, "nothing more is asked for");
    rig.client.resume(rig.now, [partition()]);
    assert!(rig.client.position(&partition()) == Some(Offset(1)), "it was there already");
    rig.run_until(2_000);
    assert_eq!(polled(&rig.facts).len(), 10);
}

#[test]
fn one_fetch_per_leader_is_under_way_and_leaders_are_asked_in_parallel() {
    let mut rig = Rig::new(consumer(), |_, request| match request {
        RequestKind::Metadata(_) => topic(1, &[(1, 0), (2, 0), (1, 0)]),
        RequestKind::ListOffsets(list) => {
            let Reply::Answer(mut body) = listed(0) else { unreachable!() };
            if let ResponseKind::ListOffsets(response) = &mut *body {
                let one = response.topics[0].partitions[0].clone();
                let asked = &list.topics[0].partitions;
                let told = asked.iter().map(|asked| {
                    let mut told = one.clone();
                    told.partition_index = asked.partition_index;
                    told
                });
                response.topics[0].partitions = told.collect();
            }
            Reply::Answer(body)
        }
        _ => Reply::Silence,
    });
    let three = (0..3).map(|index| TopicPartition::new("orders", index));
    rig.client.assign(rig.now, three);
    rig.run_until(400);
    let fetches = fetches(&rig.requests);
    let asked = fetches.iter().map(|(port, fetch)| {
        let partitions = fetch.topics.iter().flat_map(|topic| &topic.partitions);
        (*port, partitions.map(|one| one.partition).collect::<Vec<_>>())
    });
    let mut asked: Vec<_> = asked.collect();
    asked.sort();
    assert_eq!(asked, [(1, vec![0, 2]), (2, vec![1])]);
}

#[test]
fn no_more_than_max_poll_records_are_handed_on_at_once() {
    let mut builder = BatchBuilder::new();
    for _ in 0..25 {
        builder.push(&RecordRef { value: Some(b"v"), ..RecordRef::default() });
    }
    let batch = builder.build().placed(Offset(0), LeaderEpoch(0)).into_bytes();
    let client = consumer_with(|config| config.max_poll_records = 10);
    let mut rig = Rig::new(client, move |port, request| match request {
        RequestKind::Fetch(fetch) if offset_of(fetch) == 0 => {
            let records = batch.clone();
            with_data(fetched(0, None), |data| data.records = Some(records))
        }
        RequestKind::Fetch(_) => Reply::Silence,
        request => ten_records(port, request),
    });
    rig.client.assign(rig.now, [partition()]);
    rig.run_until(1_000);
    assert_eq!(polled(&rig.facts), [(0, 10), (10, 20), (20, 25)]);
}

#[test]
fn without_a_reset_policy_the_application_must_say_where_to_start() {
    let client = consumer_with(|config| config.offset_reset = OffsetReset::None);
    let mut rig = Rig::new(client, ten_records);
    rig.client.assign(rig.now, [partition()]);
    rig.run_until(1_000);
    assert_eq!(rig.client.stopped(&partition()), Some(Stop::NoOffset));
    assert!(deeds(&rig.facts).contains(&ClientDeed::NoOffset));
    assert!(fetches(&rig.requests).is_empty());
    rig.client.seek(rig.now, &partition(), Offset(8));
    rig.run_until(2_000);
    assert_eq!(polled(&rig.facts), [(8, 9), (9, 10)]);
}

#[test]
fn an_offset_out_of_range_is_told_and_reset_as_the_policy_says() {
    for (reset, then) in [
        (OffsetReset::Earliest, Some(Offset(10))),
        (OffsetReset::Latest, Some(Offset(10))),
        (OffsetReset::None, None),
    ] {
        let client = consumer_with(|config| config.offset_reset = reset);
        let mut rig = Rig::new(client, ten_records);
        rig.client.assign(rig.now, [partition()]);
        rig.client.seek(rig.now, &partition(), Offset(99));
        rig.run_until(5_000);
        assert_eq!(rig.client.position(&partition()), then, "{reset:?}");
        let read = polled(&rig.facts).len();
        assert_eq!(read, if reset == OffsetReset::Earliest { 10 } else { 0 });
        assert!(deeds(&rig.facts).contains(&ClientDeed::OutOfRange { at: Offset(99) }));
        let stopped = rig.client.stopped(&partition());
        assert_eq!(stopped.is_some(), reset == OffsetReset::None);
        assert!(rig.marks.contains(&Rule::Grp15));
    }
}

/// A leader in epoch 0 with eight records; then another in epoch 1 whose log says of epoch 0
/// that it ends at `end`.
fn new_leader(end: i64) -> impl FnMut(u16, &RequestKind) -> Reply {
    let mut moved = false;
    move |port, request| match request {
        RequestKind::Metadata(_) if moved => metadata(2, 1),
        RequestKind::Metadata(_) => metadata(1, 0),
        RequestKind::ListOffsets(_) => listed(0),
        RequestKind::Fetch(fetch) if port == 1 => match offset_of(fetch) {
            0 => fetched(0, Some(7)),
            _ => {
                moved = true;
                fetched(ErrorCode::NotLeaderOrFollower.code(), None)
            }
        },
        RequestKind::OffsetForLeaderEpoch(asked) => {
            assert_eq!(asked.topics[0].partitions[0].leader_epoch, 0);
            assert_eq!(asked.topics[0].partitions[0].current_leader_epoch, 1);
            match end {
                -1 => epoch_end(-1, -1),
                end => epoch_end(0, end),
            }
        }
        _ => Reply::Silence,
    }
}

#[test]
fn a_new_leader_is_asked_where_the_epoch_ends_before_anything_is_fetched_from_it() {
    let mut rig = Rig::new(consumer(), new_leader(9));
    rig.client.assign(rig.now, [partition()]);
    rig.run_until(5_000);
    let at_2 = rig.requests.iter().filter(|(port, _)| *port == 2).map(|(_, body)| body);
    let at_2: Vec<_> =
        at_2.filter(|body| !matches!(body, RequestKind::Metadata(_))).collect();
    assert!(matches!(at_2[0], RequestKind::OffsetForLeaderEpoch(_)));
    let RequestKind::Fetch(fetch) = at_2[1] else { panic!("{:?}", at_2[1]) };
    assert_eq!(fetch.topics[0].partitions[0].current_leader_epoch, 1);
    assert_eq!(offset_of(fetch), 8, "the log is long enough: nothing changes");
}

#[test]
fn a_cut_log_is_told_and_read_on_from_where_the_logs_part() {
    let mut rig = Rig::new(consumer(), new_leader(5));
    rig.client.assign(rig.now, [partition()]);
    rig.run_until(5_000);
    assert_eq!(rig.client.position(&partition()), Some(Offset(5)));
    let diverging = Some((LeaderEpoch(0), Offset(5)));
    let told = ClientDeed::Truncated { at: Offset(8), diverging };
    assert!(deeds(&rig.facts).contains(&told));
    let cause = PositionCause::Divergence;
    assert!(deeds(&rig.facts).contains(&ClientDeed::Positioned { at: Offset(5), cause }));
}

#[test]
fn an_epoch_that_the_new_leader_never_had_is_a_reset() {
    let mut rig = Rig::new(consumer(), new_leader(-1));
    rig.client.assign(rig.now, [partition()]);
    rig.run_until(5_000);
    let lists = rig.requests.iter();
    let lists = lists.filter(|(_, body)| matches!(body, RequestKind::ListOffsets(_)));
    assert_eq!(lists.count(), 2);
    assert_eq!(rig.client.position(&partition()), Some(Offset(0)));
}

#[test]
fn without_a_reset_policy_a_truncation_stops_the_consumer_with_both_offsets() {
    let client = consumer_with(|config| config.offset_reset = OffsetReset::None);
    let mut rig = Rig::new(client, new_leader(5));
    rig.client.assign(rig.now, [partition()]);
    rig.client.seek(rig.now, &partition(), Offset(0));
    rig.run_until(5_000);
    let diverging = Some((LeaderEpoch(0), Offset(5)));
    let stop = Stop::Truncated { at: Offset(8), diverging };
    assert_eq!(rig.client.stopped(&partition()), Some(stop));
}

#[test]
fn an_old_broker_that_cannot_say_where_epochs_end_is_believed() {
    let mut rig = Rig::new(consumer(), new_leader(5));
    rig.offers = |api| api != ApiKey::OffsetForLeaderEpoch;
    rig.client.assign(rig.now, [partition()]);
    rig.run_until(5_000);
    assert_eq!(rig.client.position(&partition()), Some(Offset(8)));
    assert!(fetches(&rig.requests).iter().any(|(port, _)| *port == 2));
}

#[test]
fn metadata_of_an_older_epoch_changes_nothing() {
    let mut asked = 0;
    let mut rig = Rig::new(consumer(), move |port, request| match request {
        RequestKind::Metadata(_) => {
            asked += 1;
            // The second broker that is asked is behind.
            if asked == 1 { metadata(1, 5) } else { metadata(2, 4) }
        }
        RequestKind::ListOffsets(_) => listed(0),
        RequestKind::Fetch(_) if asked < 3 => {
            fetched(ErrorCode::UnknownTopicOrPartition.code(), None)
        }
        RequestKind::Fetch(_) => {
            assert_eq!(port, 1);
            Reply::Silence
        }
        _ => Reply::Silence,
    });
    rig.client.assign(rig.now, [partition()]);
    rig.run_until(3_000);
    assert!(fetches(&rig.requests).iter().all(|(port, _)| *port == 1));
}

#[test]
fn a_topic_that_was_created_anew_is_read_under_its_new_epochs() {
    let mut anew = false;
    let mut rig = Rig::new(consumer(), move |_, request| match request {
        RequestKind::Metadata(_) if anew => metadata_of(2, 1, 0),
        RequestKind::Metadata(_) => metadata_of(1, 1, 5),
        RequestKind::ListOffsets(_) => listed(0),
        RequestKind::Fetch(fetch) => {
            match fetch.topics[0].partitions[0].current_leader_epoch {
                0 => Reply::Silence,
                _ if anew => fetched(ErrorCode::UnknownLeaderEpoch.code(), None),
                _ => {
                    anew = true;
                    fetched(ErrorCode::UnknownTopicOrPartition.code(), None)
                }
            }
        }
        _ => Reply::Silence,
    });
    rig.client.assign(rig.now, [partition()]);
    rig.run_until(3_000);
    let asked = fetches(&rig.requests).last().map(|(_, fetch)| *fetch);
    let epoch = asked.map(|it| it.topics[0].partitions[0].current_leader_epoch);
    assert_eq!(epoch, Some(0), "what was known of the old one's leader counts no more");
}

/// The leader names the replica on port 2 to whoever has a rack.
fn racks(gone: bool) -> impl FnMut(u16, &RequestKind) -> Reply {
    move |port, request| match request {
        RequestKind::Fetch(fetch) if port == 1 && fetch.rack_id.as_str() == "b" => {
            with_data(fetched(0, None), |data| {
                data.preferred_read_replica = BrokerId(2);
            })
        }
        RequestKind::Fetch(_) if port == 2 && gone => Reply::Reset,
        RequestKind::Fetch(fetch) if offset_of(fetch) == 10 => parked(),
        request => ten_records(port, request),
    }
}

#[test]
fn a_consumer_with_a_rack_reads_from_the_replica_that_the_leader_names() {
    let client = consumer_with(|config| config.client_rack = Some("b".into()));
    let mut rig = Rig::new(client, racks(false));
    rig.client.assign(rig.now, [partition()]);
    rig.run_until(1_000);
    let ports: Vec<u16> = fetches(&rig.requests).iter().map(|(port, _)| *port).collect();
    assert_eq!(ports[..3], [1, 2, 2]);
    assert_eq!(polled(&rig.facts).len(), 10);
    let told = ClientDeed::ReadsFrom { replica: NodeId(2) };
    assert_eq!(deeds(&rig.facts).iter().filter(|deed| **deed == told).count(), 1);
}

#[test]
fn the_nearer_replica_is_believed_for_metadata_max_age_and_then_the_leader_is_asked() {
    let client = consumer_with(|config| config.client_rack = Some("b".into()));
    let mut rig = Rig::new(client, racks(false));
    rig.client.assign(rig.now, [partition()]);
    rig.run_until(290_000);
    let asked = |rig: &Rig<_, _>| {
        fetches(&rig.requests).iter().filter(|(port, _)| *port == 1).count()
    };
    assert_eq!(asked(&rig), 1);
    rig.run_until(340_000);
    assert_eq!(asked(&rig), 2);
    assert!(deeds(&rig.facts).contains(&ClientDeed::ReadsFromLeader));
}

#[test]
fn a_lost_replica_sends_the_consumer_back_to_the_leader() {
    let client = consumer_with(|config| config.client_rack = Some("b".into()));
    let mut rig = Rig::new(client, racks(true));
    rig.client.assign(rig.now, [partition()]);
    rig.run_until(1_000);
    let ports: Vec<u16> = fetches(&rig.requests).iter().map(|(port, _)| *port).collect();
    assert_eq!(ports[..3], [1, 2, 1]);
    assert!(deeds(&rig.facts).contains(&ClientDeed::ReadsFromLeader));
}

#[test]
fn an_offset_out_of_range_at_a_follower_is_no_reset() {
    let client = consumer_with(|config| config.client_rack = Some("b".into()));
    let mut fetches_at_2 = 0;
    let mut rig = Rig::new(client, move |port, request| match request {
        RequestKind::Fetch(_) if port == 2 => {
            fetches_at_2 += 1;
            match fetches_at_2 {
                1 => fetched(ErrorCode::OffsetOutOfRange.code(), None),
                _ => Reply::Silence,
            }
        }
        request => racks(false)(port, request),
    });
    rig.client.assign(rig.now, [partition()]);
    rig.run_until(1_000);
    let lists = rig.requests.iter();
    let lists = lists.filter(|(_, body)| matches!(body, RequestKind::ListOffsets(_)));
    assert_eq!(lists.count(), 1, "only at the start");
}
