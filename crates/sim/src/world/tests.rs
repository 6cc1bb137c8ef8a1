//! A small machine that is no Kafka at all shows what the network does.

use std::collections::VecDeque;

use topomotion_trace::{Event, Loss};
use topomotion_wire::messages::{
    ApiVersionsRequest, ApiVersionsResponse, RequestKind, ResponseKind,
};
use topomotion_wire::{
    Bytes, ConnectionId, CorrelationId, FlushToken, Message, Request, Response,
};

use super::*;

/// Answers every request; what it saw is kept for the test.
#[derive(Debug, Default)]
struct Echo {
    seen: Vec<String>,
    outputs: VecDeque<Output>,
    alarm: Option<Instant>,
    /// Whether it is due again as soon as it was woken.
    is_restless: bool,
}

impl Echo {
    fn dial(&mut self, number: u64, host: &str) {
        let to = Endpoint { host: host.into(), port: 1 };
        let connection = ConnectionId::Dialled(number);
        self.outputs.push_back(Output::Open { connection, to });
    }

    fn ask(&mut self, number: u64, correlation: i32) {
        let message = Message::from(Request {
            correlation: CorrelationId(correlation),
            version: 3,
            client: "".into(),
            body: RequestKind::ApiVersions(ApiVersionsRequest::default()),
        });
        let connection = ConnectionId::Dialled(number);
        self.outputs.push_back(Output::Send { connection, message });
    }
}

impl Machine for Echo {
    fn handle(&mut self, now: Instant, input: Input) {
        let text = match input {
            Input::Opened { .. } => "opened".to_owned(),
            Input::Accepted { .. } => "accepted".to_owned(),
            Input::Closed { .. } => "closed".to_owned(),
            Input::Flushed { token } => format!("flushed {}", token.0),
            Input::Received { message: Message::Response(response), .. } => {
                format!("answer {}", response.correlation.0)
            }
            Input::Received { connection, message: Message::Request(request) } => {
                let correlation = request.correlation;
                let body = ResponseKind::ApiVersions(ApiVersionsResponse::default());
                let response = Response { correlation, version: 3, body };
                let message = Message::from(response);
                self.outputs.push_back(Output::Send { connection, message });
                format!("request {}", correlation.0)
            }
            Input::Received { message, .. } => format!("{message:?}"),
        };
        self.seen.push(format!("{text} at {}", now.as_millis()));
    }

    fn tick(&mut self, now: Instant) {
        self.alarm = self.is_restless.then_some(now);
        self.seen.push(format!("tick at {}", now.as_millis()));
    }

    fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn deadline(&self) -> Option<Instant> {
        self.alarm
    }
}

const STILL: Physics =
    Physics { latency: Duration(1_000), jitter: Duration(0), flush: Duration(200) };

/// Two hosts, `a` and `b`; `b` listens and `a` has dialled it.
fn pair(physics: Physics) -> (World<Echo>, HostId, HostId) {
    let mut world =
        World::new(7, physics, Recorder::new(BTreeMap::new(), Default::default()));
    let a = world.add("a".into(), None);
    let b = world.add("b".into(), Some(Endpoint { host: "b".into(), port: 1 }));
    world.start(a, Echo::default());
    world.start(b, Echo::default());
    world.command(a, |echo, _| echo.dial(1, "b"));
    (world, a, b)
}

fn run_until(world: &mut World<Echo>, millis: u64) {
    while world.step(Instant(millis * 1_000)) {}
}

fn seen(world: &World<Echo>, host: HostId) -> Vec<&str> {
    world
        .machine(host)
        .map(|echo| echo.seen.iter().map(|line| &**line).collect())
        .unwrap_or_default()
}

fn losses(events: &[Event]) -> Vec<Loss> {
    let loss = |event: &Event| match event.what {
        What::Lost(_, loss) => Some(loss),
        _ => None,
    };
    events.iter().filter_map(loss).collect()
}

use topomotion_trace::What;

#[test]
fn a_dial_takes_a_round_trip_and_an_answer_another() {
    let (mut world, a, b) = pair(STILL);
    run_until(&mut world, 5);
    world.command(a, |echo, _| echo.ask(1, 41));
    run_until(&mut world, 9);
    assert_eq!(seen(&world, a), ["opened at 2", "answer 41 at 7"]);
    assert_eq!(seen(&world, b), ["accepted at 1", "request 41 at 6"]);
}

#[test]
fn dialling_nobody_fails_after_one_latency() {
    let (mut world, a, b) = pair(STILL);
    run_until(&mut world, 5);
    world.crash(b);
    run_until(&mut world, 9);
    world.command(a, |echo, _| echo.dial(2, "b"));
    world.command(a, |echo, _| echo.dial(3, "nowhere"));
    run_until(&mut world, 19);
    assert_eq!(seen(&world, a)[1..], ["closed at 6", "closed at 10", "closed at 10"]);
}

#[test]
fn messages_of_one_connection_never_overtake_each_other() {
    let jumpy = Physics { jitter: Duration(50_000), ..STILL };
    let (mut world, a, b) = pair(jumpy);
    run_until(&mut world, 200);
    world.command(a, |echo, _| (0..20).for_each(|n| echo.ask(1, n)));
    run_until(&mut world, 400);
    let asked: Vec<String> = (0..20).map(|n| format!("request {n}")).collect();
    let heard: Vec<&str> =
        seen(&world, b)[1..].iter().filter_map(|line| line.split(" at").next()).collect();
    assert_eq!(heard, asked);
}

#[test]
fn what_a_dying_process_sent_still_arrives_and_what_is_sent_to_it_does_not() {
    let (mut world, a, b) = pair(STILL);
    run_until(&mut world, 5);
    world.command(a, |echo, _| echo.ask(1, 1));
    run_until(&mut world, 6);
    world.command(a, |echo, _| echo.ask(1, 2));
    world.crash(b);
    run_until(&mut world, 9);
    assert_eq!(seen(&world, a)[1..], ["answer 1 at 7", "closed at 7"]);
    assert_eq!(losses(world.recorder.events()), [Loss::ReceiverDown]);
}

#[test]
fn a_process_that_stands_still_handles_everything_when_it_goes_on() {
    let (mut world, a, b) = pair(STILL);
    run_until(&mut world, 5);
    world.command(b, |echo, _| echo.alarm = Some(Instant(8_000)));
    world.pause(b);
    world.command(a, |echo, _| echo.ask(1, 1));
    run_until(&mut world, 50);
    assert_eq!(seen(&world, b), ["accepted at 1"]);
    world.resume(b);
    run_until(&mut world, 60);
    assert_eq!(seen(&world, b)[1..], ["request 1 at 50", "tick at 50"]);
    assert_eq!(seen(&world, a)[1..], ["answer 1 at 51"]);
}

#[test]
fn a_cut_swallows_in_silence_and_healing_resets_the_connection() {
    let (mut world, a, b) = pair(STILL);
    run_until(&mut world, 5);
    world.command(a, |echo, _| echo.ask(1, 1));
    world.cut(&[a], &[b]);
    run_until(&mut world, 10);
    world.command(a, |echo, _| echo.ask(1, 2));
    world.command(a, |echo, _| echo.dial(2, "b"));
    run_until(&mut world, 20);
    assert_eq!(losses(world.recorder.events()), [Loss::Partitioned; 2]);
    assert_eq!(seen(&world, a)[1..], ["closed at 11"], "the new dial fails");
    world.heal();
    run_until(&mut world, 30);
    assert_eq!(seen(&world, a)[2..], ["closed at 21"]);
    assert_eq!(seen(&world, b)[1..], ["closed at 21"]);
}

#[test]
fn a_flush_comes_back_unless_the_process_died() {
    let (mut world, a, _) = pair(STILL);
    let flush = |number| DiskOp::Flush { file: "f".into(), token: FlushToken(number) };
    world.command(a, |echo, _| echo.outputs.push_back(Output::Disk(flush(1))));
    run_until(&mut world, 5);
    assert_eq!(seen(&world, a)[0], "flushed 1 at 0");
    world.command(a, |echo, _| echo.outputs.push_back(Output::Disk(flush(2))));
    world.crash(a);
    world.start(a, Echo::default());
    run_until(&mut world, 9);
    assert!(seen(&world, a).is_empty(), "it belonged to the process that died");
}

#[test]
fn a_process_dies_with_its_disk_and_a_slow_one_answers_late() {
    let (mut world, a, _) = pair(STILL);
    let append = || DiskOp::Append { file: "f".into(), bytes: Bytes::from_static(b"x") };
    world.disk_mut(a).slow_down(Duration::from_millis(7));
    let flush = DiskOp::Flush { file: "f".into(), token: FlushToken(1) };
    world.command(a, |echo, _| echo.outputs.extend([append(), flush].map(Output::Disk)));
    run_until(&mut world, 5);
    assert!(seen(&world, a).iter().all(|line| !line.starts_with("flushed")));
    run_until(&mut world, 10);
    assert!(seen(&world, a).contains(&"flushed 1 at 7"));
    world.disk_mut(a).fail();
    world.command(a, |echo, _| echo.outputs.push_back(Output::Disk(append())));
    assert!(world.machine(a).is_none());
    assert_eq!(&world.files(a)["f"][..], b"x");
}

#[test]
fn what_is_detained_arrives_after_its_sender_has_dialled_again() {
    let (mut world, a, b) = pair(STILL);
    run_until(&mut world, 5);
    world.detain(&[a], &[b]);
    world.command(a, |echo, _| echo.ask(1, 1));
    world.command(a, |echo, _| {
        let connection = ConnectionId::Dialled(1);
        echo.outputs.push_back(Output::Close { connection });
        echo.dial(2, "b");
    });
    run_until(&mut world, 20);
    world.command(a, |echo, _| echo.ask(2, 2));
    run_until(&mut world, 30);
    world.release(&[a], &[b]);
    run_until(&mut world, 40);
    let heard = ["accepted at 1", "accepted at 6", "request 2 at 21", "request 1 at 31"];
    assert_eq!(seen(&world, b)[..4], heard);
}

#[test]
fn a_cut_one_way_lets_the_other_way_pass() {
    let (mut world, a, b) = pair(STILL);
    run_until(&mut world, 5);
    world.cut_one_way(&[b], &[a]);
    world.command(a, |echo, _| echo.ask(1, 1));
    run_until(&mut world, 20);
    assert_eq!(seen(&world, b)[1..], ["request 1 at 6"]);
    assert_eq!(seen(&world, a), ["opened at 2"], "the answer is lost");
}

#[test]
fn what_is_clogged_arrives_in_a_burst_and_in_order() {
    let (mut world, a, b) = pair(STILL);
    run_until(&mut world, 5);
    world.clog(&[a], &[b]);
    world.command(a, |echo, _| (0..3).for_each(|n| echo.ask(1, n)));
    run_until(&mut world, 20);
    world.unclog(&[a], &[b]);
    run_until(&mut world, 30);
    let heard = ["request 0 at 21", "request 1 at 21", "request 2 at 21"];
    assert_eq!(seen(&world, b)[1..], heard);
}

#[test]
fn a_slow_way_and_a_fast_clock_do_what_they_say() {
    let (mut world, a, b) = pair(STILL);
    run_until(&mut world, 5);
    world.slow(&[a], &[b], Duration::from_millis(30));
    world.drift(a, 200);
    world.command(a, |echo, _| {
        echo.ask(1, 1);
        echo.alarm = Some(Instant(25_000));
    });
    run_until(&mut world, 60);
    assert_eq!(seen(&world, b)[1..], ["request 1 at 36"]);
    assert_eq!(seen(&world, a)[1..], ["tick at 25", "answer 1 at 69"]);
}

#[test]
fn a_message_sent_while_one_is_handled_names_it_as_its_cause() {
    let (mut world, a, _) = pair(STILL);
    run_until(&mut world, 5);
    world.command(a, |echo, _| echo.ask(1, 9));
    run_until(&mut world, 9);
    let text: Vec<String> =
        world.recorder.events().iter().map(ToString::to_string).collect();
    assert_eq!(text[1], "0.005000 #0 a→b ApiVersions ·");
    assert_eq!(text[3], "0.006000 #1 b⇒a ApiVersions (answers #0) (after #0) ·");
}

#[test]
fn a_host_draws_its_jitter_from_its_own_stream() {
    let arrival = |noise: i32| {
        let physics = Physics { jitter: Duration(900), ..STILL };
        let (mut world, a, b) = pair(physics);
        run_until(&mut world, 5);
        world.command(a, |echo, _| (0..noise).for_each(|n| echo.ask(1, n)));
        run_until(&mut world, 50);
        world.command(b, |echo, _| echo.dial(1, "b"));
        while !seen(&world, b).iter().any(|line| line.starts_with("opened")) {
            world.step(Instant(99_000));
        }
        world.now()
    };
    assert_eq!(arrival(0), arrival(0));
}

#[test]
fn where_time_stands_still_those_who_spin_are_named() {
    let (mut world, a, b) = pair(STILL);
    run_until(&mut world, 5);
    assert_eq!(world.spinning(), None);
    world.command(b, |echo, now| (echo.is_restless, echo.alarm) = (true, Some(now)));
    let moment = world.now();
    while world.spinning().is_none() {
        assert!(world.step(Instant(10_000)), "somebody is always due");
    }
    assert_eq!((world.now(), world.spinning()), (moment, Some(vec!["b".into()])));
    world.crash(b);
    world.command(a, |echo, _| echo.dial(2, "b"));
    run_until(&mut world, 10);
    assert_eq!(world.spinning(), None);
}
