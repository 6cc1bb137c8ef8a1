//! Frames cut, bent and blown up.

use proptest::prelude::*;
use topomotion_wire::messages::create_topics_request::CreatableTopic;
use topomotion_wire::messages::fetch_request::{FetchPartition, FetchTopic};
use topomotion_wire::messages::produce_request::{
    PartitionProduceData, TopicProduceData,
};
use topomotion_wire::messages::{
    ApiVersionsResponse, CreateTopicsRequest, FetchRequest, MetadataRequest,
    ProduceRequest, ResponseKind, TopicName,
};

use super::*;

const BOTH: Roles = Roles::Combined;

fn framed(version: i16, body: impl Into<RequestKind>) -> Bytes {
    let correlation = CorrelationId(7);
    let request =
        Request { correlation, version, client: "client".into(), body: body.into() };
    write_request(&request, "client").expect("its version carries it")
}

fn reader() -> Requests {
    Requests::new(BOTH, &BrokerSettings::default())
}

fn read(frame: &[u8]) -> Result<Option<Request>, Broken> {
    let mut requests = reader();
    requests.receive(frame);
    requests.take()
}

fn produce(bytes: usize) -> ProduceRequest {
    let records = Some(Bytes::from(vec![1; bytes]));
    let data = PartitionProduceData::default().with_records(records);
    let name = TopicName(api::text("orders"));
    let topic =
        TopicProduceData::default().with_name(name).with_partition_data(vec![data]);
    ProduceRequest::default().with_timeout_ms(30_000).with_topic_data(vec![topic])
}

fn fetch(partitions: i32) -> FetchRequest {
    let partition = |index| {
        FetchPartition::default().with_partition(index).with_partition_max_bytes(i32::MAX)
    };
    let topic = FetchTopic::default()
        .with_topic(TopicName(api::text("orders")))
        .with_partitions((0..partitions).map(partition).collect());
    FetchRequest::default().with_max_wait_ms(i32::MAX).with_topics(vec![topic])
}

#[test]
fn large_numbers_that_count_nothing_are_let_through() {
    for version in [4, 11, 12] {
        let body = RequestKind::from(fetch(70));
        let request = read(&framed(version, body.clone())).unwrap().unwrap();
        assert_eq!((request.correlation.0, request.version), (7, version));
        assert_eq!(request.body, body);
    }
    for version in [3, 9] {
        for bytes in [0, 1, 100, 101, 102, COUNT_EDGE, 300_000] {
            let body = RequestKind::from(produce(bytes));
            let request = read(&framed(version, body.clone())).unwrap().unwrap();
            assert_eq!(request.body, body, "{bytes} bytes in version {version}");
        }
    }
}

/// One more than an array may have.
const COUNT_EDGE: usize = guard::COUNT_MAX + 1;

#[test]
fn a_count_beyond_the_frame_is_refused_before_anything_is_allocated() {
    let topics = |count: usize| {
        let topics = vec![CreatableTopic::default(); count];
        CreateTopicsRequest::default().with_topics(topics)
    };
    // A plain array: its count has four bytes.
    let mut old = framed(4, topics(1)).to_vec();
    let at = 4 + 8 + 2 + "client".len();
    assert_eq!(old[at..at + 4], [0, 0, 0, 1]);
    for count in [0x7fff_ffff_u32, 0x0001_0001, 500] {
        old[at..at + 4].copy_from_slice(&count.to_be_bytes());
        assert_eq!(read(&old), Err(Broken::Body), "{count}");
    }
    // A compact one: its count is a varint, and another tag section comes first.
    let mut new = framed(5, topics(1)).to_vec();
    let at = at + 1;
    assert_eq!(new[at], 2);
    new.splice(at..=at, [0xff, 0xff, 0xff, 0xff, 0x0f]);
    let length = i32::try_from(new.len() - LENGTH).unwrap();
    new[..LENGTH].copy_from_slice(&length.to_be_bytes());
    assert_eq!(read(&new), Err(Broken::Body));
}

#[test]
fn a_bad_length_breaks_the_connection_for_good() {
    let good = framed(12, MetadataRequest::default());
    for (bad, why) in [
        (&b"\xff\xff\xff\xff"[..], Broken::Length(-1)),
        (b"\x7f\xff\xff\xff", Broken::Length(i32::MAX)),
        (b"\0\0\0\0", Broken::Short(0)),
        (b"\0\0\0\x07\0\0\0\0\0\0\0", Broken::Short(7)),
        (b"\0\0\0\x08\x7f\xff\0\0\0\0\0\0", Broken::Api(i16::MAX)),
        (b"\0\0\0\x08\0\x04\0\0\0\0\0\0", Broken::Api(4)),
        (b"\0\0\0\x08\0\x03\0\x63\0\0\0\0", Broken::Version { key: 3, version: 99 }),
        (b"\0\0\0\x0a\0\x03\0\x05\0\0\0\0\0\x05", Broken::Header),
        (b"\0\0\0\x0a\0\x03\0\x05\0\0\0\0\0\0", Broken::Body),
    ] {
        let mut requests = reader();
        requests.receive(&good);
        requests.receive(bad);
        assert!(matches!(requests.take(), Ok(Some(_))), "what came before is good");
        assert_eq!(requests.take(), Err(why));
        requests.receive(&good);
        assert_eq!(requests.take(), Err(why), "and there is no way back");
    }
}

#[test]
fn only_what_was_received_is_kept() {
    let mut requests = reader();
    requests.receive(&(100_i32 << 20).to_be_bytes());
    assert_eq!(requests.take(), Ok(None));
    assert!(requests.received.capacity() < 1_000, "100 MiB are announced, not received");
}

#[test]
fn an_unknown_version_of_api_versions_is_handed_on() {
    let request = read(b"\0\0\0\x0c\0\x12\0\x63\0\0\0\x09junk").unwrap().unwrap();
    assert_eq!((request.version, request.correlation.0), (99, 9));
    assert!(matches!(request.body, RequestKind::ApiVersions(_)));
}

#[test]
fn unknown_tags_are_skipped() {
    let mut body = MetadataRequest::default();
    body.unknown_tagged_fields.insert(3, Bytes::from_static(b"from the future"));
    body.unknown_tagged_fields.insert(4, Bytes::from(vec![7; COUNT_EDGE]));
    body.unknown_tagged_fields.insert(1_000_000, Bytes::from_static(b"far away"));
    let request = read(&framed(12, body.clone())).unwrap().unwrap();
    assert_eq!(request.body, RequestKind::Metadata(body));
}

#[test]
fn a_response_is_written_with_the_header_of_its_version() {
    let body = ResponseKind::ApiVersions(ApiVersionsResponse::default());
    let correlation = CorrelationId(5);
    let frame = write_response(&Response { correlation, version: 4, body }).unwrap();
    assert_eq!(frame[4..10], [0, 0, 0, 5, 0, 0], "no tags in front of an error code");
    assert_eq!(usize::try_from((&frame[..]).get_i32()).unwrap() + LENGTH, frame.len());
}

proptest! {
    #[test]
    fn a_frame_may_arrive_in_any_pieces(cuts in prop::collection::vec(0..400_usize, 0..6)) {
        let frames = [framed(12, fetch(2)), framed(3, produce(90))].concat();
        let mut requests = reader();
        let mut seen = 0;
        let mut cuts: Vec<usize> = cuts.into_iter().map(|at| at % frames.len()).collect();
        cuts.sort_unstable();
        cuts.push(frames.len());
        let mut from = 0;
        for to in cuts {
            requests.receive(&frames[from..to]);
            from = to;
            while requests.take().unwrap().is_some() {
                seen += 1;
            }
        }
        prop_assert_eq!(seen, 2);
    }

    #[test]
    fn noise_is_a_request_or_breaks_the_connection(
        noise in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let _ = read(&noise);
    }

    #[test]
    fn a_damaged_frame_is_a_request_or_breaks_the_connection(
        at in any::<usize>(), to in any::<[u8; 4]>(), version in 3..13_i16,
    ) {
        for frame in [framed(version, produce(60)), framed(version.max(4), fetch(3))] {
            let mut frame = frame.to_vec();
            let at = 4 + at % (frame.len() - 8);
            frame[at..at + 4].copy_from_slice(&to);
            let _ = read(&frame);
        }
    }
}

#[test]
fn a_token_may_be_shorter_than_any_request_and_no_longer_than_allowed() {
    let mut requests = reader();
    requests.receive(b"\0\0\0\x04\0a\0b\0\0\0\0\0\0\0\x05");
    assert_eq!(requests.take_token(), Ok(Some(Bytes::from_static(b"\0a\0b"))));
    assert_eq!(requests.take_token(), Ok(Some(Bytes::new())), "an empty one");
    requests.set_max_bytes(4);
    assert_eq!(requests.take_token(), Err(Broken::Length(5)));
    assert_eq!(requests.take(), Err(Broken::Length(5)), "for ever");
}

#[test]
fn whatever_is_offered_is_read_and_answered_in_every_version() {
    let correlation = CorrelationId(7);
    let empties = guard::empties();
    let mut read_elsewhere = Vec::new();
    for roles in [Roles::Broker, Roles::Controller, Roles::Combined] {
        for offered in api::served_by(roles) {
            let of_it = |it: &&(RequestKind, ResponseKind)| {
                api::key_of(&it.0) == Some(offered.key)
            };
            let (request, response) = empties.iter().find(of_it).expect("it is read");
            for version in offered.min..=offered.max {
                let answer = Response { correlation, version, body: response.clone() };
                let what = format!("{:?} {version}", offered.key);
                assert!(write_response(&answer).is_some(), "{what} cannot be answered");
                let client = "client".into();
                let body = request.clone();
                let asked = Request { correlation, version, client, body };
                match write_request(&asked, "client") {
                    Some(frame) => {
                        let read = read_request(roles, frame.slice(LENGTH..));
                        assert_eq!(read.as_ref(), Ok(&asked), "{what}");
                    }
                    None => read_elsewhere.push((offered.key, version)),
                }
            }
        }
    }
    read_elsewhere.dedup();
    let by_topic_id = [(ApiKey::OffsetCommit, 10), (ApiKey::OffsetFetch, 10)];
    assert_eq!(read_elsewhere, [by_topic_id, by_topic_id].concat(), "see `by_topic_id`");
}

#[test]
fn what_is_wrong_with_a_frame_is_told_in_words() {
    let told = |broken: Broken| broken.to_string();
    assert_eq!(told(Broken::Length(-1)), "a frame cannot have -1 bytes");
    let long = "a frame of 105906176 bytes is longer than is allowed here \
                (socket.request.max.bytes)";
    assert_eq!(told(Broken::Length(105_906_176)), long);
    assert_eq!(told(Broken::Api(9_999)), "API 9999 is not served here");
    assert_eq!(told(Broken::Api(78)), "ShareFetch (API 78) is not served here");
    let version = Broken::Version { key: 3, version: 99 };
    assert_eq!(told(version), "version 99 of Metadata is not served here");
}
