//! A service among others, call by call.

use super::*;

const CALLER_OF_IT: ConnectionId = ConnectionId::Accepted(1);

fn at(ms: u64) -> Instant {
    Instant::ZERO + Duration::from_millis(ms)
}

/// A service with 20 ms of work of its own, that calls these.
fn service(calls: &[&str]) -> Service {
    let downstream = |host: &&str| Downstream {
        to: Endpoint { host: (*host).into(), port: 8080 },
        path: format!("/{host}"),
    };
    let calls = calls.iter().map(downstream).collect();
    let timeout = Duration::from_millis(500);
    let mut service =
        Service::new(ServiceConfig { calls, timeout, ..ServiceConfig::default() });
    service.handle(at(0), Input::Accepted { connection: CALLER_OF_IT });
    let message = Message::from(HttpRequest {
        correlation: CorrelationId(7),
        method: HttpMethod::Post,
        path: "/order".to_owned(),
        body: String::new(),
    });
    service.handle(at(0), Input::Received { connection: CALLER_OF_IT, message });
    service
}

/// The status of its answer, if it has answered.
fn answer(service: &mut Service) -> Option<u16> {
    std::iter::from_fn(|| service.poll()).find_map(|output| match output {
        Output::Send {
            connection: CALLER_OF_IT,
            message: Message::HttpResponse(response),
        } => Some(response.status),
        _ => None,
    })
}

/// The connection that it opens now.
fn dialled(service: &mut Service) -> Option<ConnectionId> {
    std::iter::from_fn(|| service.poll()).find_map(|output| match output {
        Output::Open { connection, .. } => Some(connection),
        _ => None,
    })
}

#[test]
fn without_anybody_behind_it_a_call_takes_its_own_work() {
    let mut service = service(&[]);
    service.tick(at(19));
    assert_eq!(answer(&mut service), None);
    assert_eq!(service.deadline(), Some(at(20)));
    service.tick(at(20));
    assert_eq!(answer(&mut service), Some(200));
}

#[test]
fn it_calls_one_after_the_other_and_answers_when_all_have() {
    let mut service = service(&["stock", "bank"]);
    let mut now = 20;
    for correlation in [0, 1] {
        service.tick(at(now));
        let connection = dialled(&mut service).expect("it dials the next");
        service.handle(at(now + 1), Input::Opened { connection });
        assert_eq!(answer(&mut service), None);
        let correlation = CorrelationId(correlation);
        let body = String::new();
        let message = Message::from(HttpResponse { correlation, status: 200, body });
        service.handle(at(now + 100), Input::Received { connection, message });
        now += 100;
    }
    assert_eq!(answer(&mut service), Some(200));
}

#[test]
fn who_is_not_there_costs_502_and_who_is_silent_504() {
    let mut refused = service(&["bank"]);
    refused.tick(at(20));
    let connection = dialled(&mut refused).expect("it dials");
    refused.handle(at(21), Input::Closed { connection });
    assert_eq!(answer(&mut refused), Some(502));

    let mut silent = service(&["bank"]);
    silent.tick(at(20));
    let connection = dialled(&mut silent).expect("it dials");
    silent.handle(at(21), Input::Opened { connection });
    assert_eq!(silent.deadline(), Some(at(520)));
    silent.tick(at(520));
    assert_eq!(answer(&mut silent), Some(504));
}

#[test]
fn nobody_is_answered_who_has_hung_up() {
    let mut service = service(&[]);
    service.handle(at(5), Input::Closed { connection: CALLER_OF_IT });
    service.tick(at(20));
    assert_eq!(answer(&mut service), None);
    assert_eq!(service.deadline(), None, "the job is done all the same");
}
