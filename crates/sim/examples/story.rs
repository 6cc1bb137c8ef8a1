//! Plays a built-in scenario on the production picture and prints the trace.
#[path = "../tests/common/production.rs"]
mod production;

fn main() {
    let which = std::env::args().nth(1).unwrap_or_default();
    let binding = topomotion_sim::bind(&production::topology()).expect("binds");
    for scenario in topomotion_sim::builtin_scenarios(&binding) {
        if !scenario.id.as_str().contains(&which) {
            continue;
        }
        let judged = topomotion_verify::run(&binding, &scenario, &Default::default())
            .expect("runs");
        if std::env::args().any(|a| a == "setup") {
            print!("{}", judged.outcome.setup);
        }
        print!("{}", judged.outcome.trace);
        println!(
            "{:?} events {} {:?}\n{:?}",
            judged.outcome.ending,
            judged.outcome.events,
            judged.outcome.verdicts,
            judged.violations
        );
    }
}
