//! What clients believe of the cluster, and their connections.

mod rig;

use rig::*;
use topomotion_client::Producer;
use topomotion_wire::messages::{MetadataRequest, RequestKind};
use topomotion_wire::{
    ClientDeed, Duration, ErrorCode, Fact, Instant, MetadataCause, Offset,
};

fn asked(rig: &Rig<Producer, impl FnMut(u16, &RequestKind) -> Reply>) -> Vec<Instant> {
    let both = rig.requests.iter().zip(&rig.times);
    both.filter(|((_, body), _)| matches!(body, RequestKind::Metadata(_)))
        .map(|(_, time)| *time)
        .collect()
}

fn causes(facts: &[Fact]) -> Vec<MetadataCause> {
    let causes = deeds(facts).into_iter().filter_map(|deed| match deed {
        ClientDeed::MetadataWanted { cause } => Some(cause),
        _ => None,
    });
    causes.collect()
}

#[test]
fn metadata_is_asked_for_when_it_is_old_and_not_before() {
    let client = producer_with(|config| {
        config.common.metadata_max_age = Duration::from_millis(50_000);
        config.metadata_max_idle = Duration::from_millis(900_000);
    });
    let mut rig = Rig::new(client, |_, request| match request {
        RequestKind::Metadata(_) => metadata(1, 0),
        _ => Reply::Silence,
    });
    rig.client.warm_up(rig.now, &"orders".into());
    rig.run_until(49_000);
    assert_eq!(asked(&rig).len(), 1);
    rig.run_until(151_000);
    assert_eq!(asked(&rig).len(), 4);
    let causes = causes(&rig.facts);
    assert_eq!(causes[..2], [MetadataCause::NewTopic, MetadataCause::Age]);
}

#[test]
fn answers_without_news_are_asked_for_less_and_less_often() {
    let mut rig = Rig::new(producer_with(|_| {}), |_, request| match request {
        RequestKind::Metadata(_) => metadata(-1, 0),
        _ => Reply::Silence,
    });
    rig.client.send(rig.now, plain(Some(0), "a"));
    rig.run_until(20_000);
    let asked = asked(&rig);
    let pauses: Vec<u64> =
        asked.windows(2).map(|pair| (pair[1] - pair[0]).as_millis()).collect();
    assert!(pauses[1] >= 80, "{pauses:?}");
    assert!(pauses.iter().skip(6).all(|&pause| (800..=1_002).contains(&pause)));
    assert_eq!(causes(&rig.facts).len(), 2, "told once for the whole series");
}

#[test]
fn an_idle_topic_is_forgotten_and_learned_again_when_it_is_needed() {
    let client = producer_with(|config| {
        config.metadata_max_idle = Duration::from_millis(10_000);
        config.common.metadata_max_age = Duration::from_millis(15_000);
    });
    let mut rig = Rig::new(client, |_, request| match request {
        RequestKind::Metadata(asked) => match topics(asked) {
            0 => Reply::Silence,
            _ => metadata(1, 0),
        },
        RequestKind::Produce(_) => produced(0, 0),
        _ => Reply::Silence,
    });
    rig.client.send(rig.now, plain(Some(0), "a"));
    rig.run_until(40_000);
    let last = rig.requests.iter().rev().find_map(|(_, body)| match body {
        RequestKind::Metadata(asked) => Some(topics(asked)),
        _ => None,
    });
    assert_eq!(last, Some(0), "nothing is followed any more");
    rig.client.send(rig.now, plain(Some(0), "b"));
    rig.run_until(90_000);
    assert_eq!(acked(&rig.facts), [Some(Offset(0)), Some(Offset(0))]);
}

fn topics(request: &MetadataRequest) -> usize {
    request.topics.as_ref().map_or(0, Vec::len)
}

#[test]
fn the_cause_of_a_question_is_told() {
    let mut refused = false;
    let mut rig = Rig::new(producer_with(|_| {}), move |_, request| match request {
        RequestKind::Metadata(_) => metadata(1, i32::from(refused)),
        RequestKind::Produce(_) if !refused => {
            refused = true;
            produced(ErrorCode::NotLeaderOrFollower.code(), -1)
        }
        RequestKind::Produce(_) => produced(0, 0),
        _ => Reply::Silence,
    });
    rig.client.send(rig.now, plain(Some(0), "a"));
    rig.run_until(1_000);
    let error = MetadataCause::Error(ErrorCode::NotLeaderOrFollower);
    assert_eq!(causes(&rig.facts), [MetadataCause::NewTopic, error]);
}

#[test]
fn an_idle_connection_is_closed() {
    let client = producer_with(|config| {
        config.common.connections_max_idle = Duration::from_millis(20_000);
    });
    let mut rig = Rig::new(client, |_, request| match request {
        RequestKind::Metadata(_) => metadata(2, 0),
        RequestKind::Produce(_) => produced(0, 0),
        _ => Reply::Silence,
    });
    rig.client.send(rig.now, plain(Some(0), "a"));
    rig.run_until(19_000);
    assert_eq!(rig.closed, 0);
    rig.run_until(22_000);
    assert!(rig.closed > 0);
    rig.client.send(rig.now, plain(Some(0), "b"));
    rig.run_until(25_000);
    assert_eq!(rig.client.pending(), 0, "it is dialled again when it is needed");
}

#[test]
fn dialling_that_takes_too_long_is_given_up_and_tried_with_more_patience() {
    let mut rig = Rig::new(producer_with(|_| {}), |_, _| Reply::Silence);
    rig.deaf = true;
    rig.client.send(rig.now, plain(Some(0), "a"));
    rig.run_until(9_990);
    assert_eq!(rig.closed, 0);
    rig.run_until(10_010);
    assert_eq!(rig.closed, 1, "socket.connection.setup.timeout.ms");
    rig.run_until(25_000);
    assert_eq!(rig.closed, 1);
    rig.run_until(40_000);
    assert_eq!(rig.closed, 2, "twice as long, give or take a fifth");
}
