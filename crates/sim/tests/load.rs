//! A minute of engine time, idle and under load: how much happens, and always the same.

#[allow(dead_code)]
mod common;

use common::{assert_passed, condition, play, record, scenario};
use topomotion_model::Acks;
use topomotion_model::builder::ProduceConfig;

#[test]
fn a_minute_of_load_is_acknowledged_in_full() {
    let mut steps = scenario("load");
    for second in 0..60 {
        let batch = ProduceConfig { count: 100, ..record(Acks::All) };
        if second % 2 == 0 {
            (0..10).for_each(|_| {
                steps.produce("order-producer", Some("orders"), batch.clone());
            });
        }
        steps.wait(900);
    }
    steps.expect(condition("high-watermark(orders-0) == 30000"));
    steps.expect(condition("no-acknowledged-record-lost"));
    let judged = play(None, steps);
    assert_passed(&judged);
    let (outcome, last) = (&judged.outcome, judged.outcome.trace.events.last());
    println!(
        "{} events handled, {} written, until {}, digest {:016x}",
        outcome.events,
        outcome.trace.events.len(),
        last.map(|event| event.at.to_string()).unwrap_or_default(),
        outcome.digest
    );
}
