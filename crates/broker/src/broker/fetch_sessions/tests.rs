//! Sessions by themselves: epochs, news, and who gives way to whom.

use topomotion_wire::messages::fetch_request::{FetchPartition, ForgottenTopic};
use topomotion_wire::messages::fetch_response::FetchableTopicResponse;
use topomotion_wire::{Bytes, StrBytes};

use super::*;

fn orders() -> TopicName {
    TopicName(StrBytes::from_static_str("orders"))
}

fn request(session: i32, epoch: i32, partitions: &[i32]) -> FetchRequest {
    let partition = |&index: &i32| FetchPartition::default().with_partition(index);
    let topic = FetchTopic::default()
        .with_topic(orders())
        .with_partitions(partitions.iter().map(partition).collect());
    FetchRequest::default()
        .with_session_id(session)
        .with_session_epoch(epoch)
        .with_topics(vec![topic])
}

fn cache(seconds: u64, slots: usize) -> Cache {
    let now = Instant::ZERO + Duration::from_millis(1_000 * seconds);
    Cache { now, seed: 7, slots }
}

/// What was read of each partition: its index, high watermark and records.
fn read(found: &[(i32, i64, &'static [u8])]) -> FetchResponse {
    let data = found.iter().map(|&(index, high_watermark, records)| {
        PartitionData::default()
            .with_partition_index(index)
            .with_high_watermark(high_watermark)
            .with_log_start_offset(0)
            .with_records(Some(Bytes::from_static(records)))
    });
    let topic = FetchableTopicResponse::default().with_topic(orders());
    FetchResponse::default().with_responses(vec![topic.with_partitions(data.collect())])
}

fn told(response: &FetchResponse) -> Vec<i32> {
    let partitions = response.responses.iter().flat_map(|topic| &topic.partitions);
    partitions.map(|data| data.partition_index).collect()
}

fn open(
    sessions: &mut FetchSessions,
    request: FetchRequest,
) -> Result<(SessionUse, Vec<Wanted>), ErrorCode> {
    sessions.open(cache(0, 9).now, Naming::ByName, Worth::Consumer, request)
}

/// A session of `partitions`, opened at `seconds`; 0 if there is no room for it.
fn begin(
    sessions: &mut FetchSessions,
    cache: Cache,
    worth: Worth,
    partitions: &[i32],
) -> i32 {
    let request = request(0, 0, partitions);
    let (session, wanted) =
        sessions.open(cache.now, Naming::ByName, worth, request).unwrap();
    let found: Vec<(i32, i64, &[u8])> =
        partitions.iter().map(|index| (*index, 5, &b""[..])).collect();
    sessions.answer(cache, session, wanted, read(&found)).session_id
}

#[test]
fn an_increment_tells_only_what_has_news() {
    let mut sessions = FetchSessions::default();
    let id = begin(&mut sessions, cache(0, 9), Worth::Consumer, &[0, 1, 2]);
    assert!(id > 0);
    let (session, wanted) = open(&mut sessions, request(id, 1, &[])).unwrap();
    assert_eq!(wanted.iter().map(|it| it.index).collect::<Vec<_>>(), [0, 1, 2]);
    let found = read(&[(0, 5, b"records"), (1, 6, b""), (2, 5, b"")]);
    let answer = sessions.answer(cache(0, 9), session, wanted, found);
    assert_eq!((answer.session_id, told(&answer)), (id, vec![0, 1]));
    let (session, wanted) = open(&mut sessions, request(id, 2, &[])).unwrap();
    let line: Vec<i32> = wanted.iter().map(|it| it.index).collect();
    assert_eq!(line, [1, 2, 0], "whoever got records is last in line");
    let found = read(&[(0, 5, b""), (1, 6, b""), (2, 5, b"")]);
    let answer = sessions.answer(cache(0, 9), session, wanted, found);
    assert!(told(&answer).is_empty());
}

#[test]
fn an_error_is_told_each_time_and_its_end_too() {
    let mut sessions = FetchSessions::default();
    let id = begin(&mut sessions, cache(0, 9), Worth::Consumer, &[0]);
    for (epoch, error, is_told) in
        [(1, 6, true), (2, 6, true), (3, 0, true), (4, 0, false)]
    {
        let (session, wanted) = open(&mut sessions, request(id, epoch, &[])).unwrap();
        let mut found = read(&[(0, 5, b"")]);
        found.responses[0].partitions[0].error_code = error;
        let answer = sessions.answer(cache(0, 9), session, wanted, found);
        assert_eq!(!told(&answer).is_empty(), is_told, "in epoch {epoch}");
    }
}

#[test]
fn partitions_come_and_go_and_the_last_one_takes_the_session_along() {
    let mut sessions = FetchSessions::default();
    let id = begin(&mut sessions, cache(0, 9), Worth::Consumer, &[0]);
    let (_, wanted) = open(&mut sessions, request(id, 1, &[4])).unwrap();
    assert_eq!(wanted.len(), 2);
    let forgotten = ForgottenTopic::default().with_topic(orders());
    let forget = |epoch, gone| {
        let forgotten = forgotten.clone().with_partitions(gone);
        request(id, epoch, &[]).with_forgotten_topics_data(vec![forgotten])
    };
    let (_, wanted) = open(&mut sessions, forget(2, vec![0])).unwrap();
    assert_eq!(wanted[0].index, 4);
    let (session, wanted) = open(&mut sessions, forget(3, vec![4])).unwrap();
    assert_eq!((session, wanted.len()), (SessionUse::None, 0));
    let again = open(&mut sessions, request(id, 4, &[])).map(drop);
    assert_eq!(again, Err(ErrorCode::FetchSessionIdNotFound));
}

#[test]
fn a_fetcher_that_is_out_of_step_is_told_so() {
    let mut sessions = FetchSessions::default();
    let id = begin(&mut sessions, cache(0, 9), Worth::Consumer, &[0]);
    let refused = |sessions: &mut FetchSessions, request| open(sessions, request).err();
    let unknown = Some(ErrorCode::FetchSessionIdNotFound);
    assert_eq!(refused(&mut sessions, request(id ^ 1, 1, &[])), unknown);
    let invalid = Some(ErrorCode::InvalidFetchSessionEpoch);
    assert_eq!(refused(&mut sessions, request(id, 2, &[])), invalid);
    let (now, by_id) = (Instant::ZERO, Naming::ById);
    let changed = sessions.open(now, by_id, Worth::Consumer, request(id, 1, &[]));
    assert_eq!(changed.err(), Some(ErrorCode::FetchSessionTopicIdError));
    assert_eq!(refused(&mut sessions, request(id, 1, &[])), None, "still where it was");
    assert_eq!(refused(&mut sessions, request(id, -1, &[])), None, "an end to it");
    assert_eq!(refused(&mut sessions, request(id, 2, &[])), unknown);
}

#[test]
fn an_answer_that_a_later_fetch_has_overtaken_is_refused() {
    let mut sessions = FetchSessions::default();
    let id = begin(&mut sessions, cache(0, 9), Worth::Consumer, &[0]);
    let (first, wanted) = open(&mut sessions, request(id, 1, &[])).unwrap();
    open(&mut sessions, request(id, 2, &[])).unwrap();
    let answer = sessions.answer(cache(0, 9), first, wanted, read(&[(0, 9, b"")]));
    assert_eq!(answer.error_code, ErrorCode::InvalidFetchSessionEpoch.code());
}

#[test]
fn a_full_cache_makes_room_for_what_is_worth_more() {
    let mut sessions = FetchSessions::default();
    let small = begin(&mut sessions, cache(0, 2), Worth::Consumer, &[0]);
    let large = begin(&mut sessions, cache(0, 2), Worth::Consumer, &[0, 1]);
    let none = begin(&mut sessions, cache(60, 2), Worth::Consumer, &[0, 1, 2]);
    assert_eq!(none, 0, "young sessions give way to followers only");
    let follower = begin(&mut sessions, cache(60, 2), Worth::Follower, &[0]);
    assert!(follower > 0 && !sessions.sessions.contains_key(&small));
    let second = begin(&mut sessions, cache(60, 2), Worth::Follower, &[0]);
    assert!(second > 0 && !sessions.sessions.contains_key(&large));
    let third = begin(&mut sessions, cache(60, 2), Worth::Follower, &[0, 1]);
    assert_eq!(third, 0, "and followers give way to nobody while they are young");
    let late = begin(&mut sessions, cache(181, 2), Worth::Consumer, &[0]);
    assert!(late > 0, "two minutes unused is too long");
    let mut none = FetchSessions::default();
    assert_eq!(begin(&mut none, cache(0, 0), Worth::Follower, &[0]), 0, "switched off");
}

#[test]
fn epochs_go_round() {
    assert_eq!([after(0), after(1), after(i32::MAX)], [1, 2, 1]);
}
