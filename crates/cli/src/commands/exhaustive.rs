//! `topomotion sim --exhaustive`: every order of events of a tiny cluster.

use std::time::Instant;

use topomotion_explore::{
    Acks, Duration, Ending, Explored, INVARIANTS, Learning, Moments, Scope, explore,
    retell,
};

use crate::args::{Exhaustive, Sim};
use crate::failure::Failure;
use crate::terminal::{print, visible};

/// Explores, and fails if an invariant is broken.
pub fn run(arguments: &Sim) -> Result<(), Failure> {
    let scope = scope_of(arguments)?;
    if let Some(path) = &arguments.exhaustive.path {
        let (story, finding) = retell(&scope, path).map_err(Failure::usage)?;
        let end = match &finding {
            Some((invariant, text)) => format!("✘ {text} ({invariant})\n"),
            None => "nothing is broken here\n".to_owned(),
        };
        print(&visible(&format!("{}{end}", lines(&story))))?;
        return if finding.is_none() { Ok(()) } else { Err(Failure::Told) };
    }
    let begun = Instant::now();
    let explored = explore(&scope).map_err(Failure::usage)?;
    print(&visible(&report(&explored, begun.elapsed().as_secs_f64())))?;
    if explored.broken.is_none() { Ok(()) } else { Err(Failure::Told) }
}

fn scope_of(arguments: &Sim) -> Result<Scope, Failure> {
    let Exhaustive { records, faults, controllers, kinds, settings, .. } =
        &arguments.exhaustive;
    let mut scope = Scope {
        controllers: *controllers,
        records: vec![Acks::All; usize::from(*records)],
        faults: *faults,
        horizon: Duration::from_millis(
            arguments.exhaustive.horizon.as_millis().min(u128::from(u32::MAX)) as u64,
        ),
        states: arguments.exhaustive.states,
        ..Scope::default()
    };
    if let Some(brokers) = &arguments.brokers {
        scope.brokers = u8::try_from(*brokers.0.end()).unwrap_or(u8::MAX);
    }
    scope.records.fill(match arguments.exhaustive.acks {
        0 => Acks::None,
        1 => Acks::Leader,
        _ => Acks::All,
    });
    if arguments.exhaustive.quiet_faults {
        scope.moments = Moments::Quiet;
    }
    if arguments.exhaustive.prompt_metadata {
        scope.learning = Learning::AtOnce;
    }
    if let Some(kinds) = kinds {
        let all = topomotion_explore::Fault::ALL;
        let find = |name: &String| {
            let found = all.iter().find(|(_, known)| known == name);
            let help = "there are: crash, power-loss, reset, cut";
            found.map(|(kind, _)| *kind).ok_or_else(|| {
                Failure::usage(format!("no fault is called `{name}`")).help(help)
            })
        };
        scope.kinds = kinds.iter().map(find).collect::<Result<_, Failure>>()?;
    }
    for setting in settings {
        let Some((name, value)) = setting.split_once('=') else {
            let wrong = Failure::usage(format!("`{setting}` sets nothing"));
            return Err(wrong.help("write --set era.elr=true"));
        };
        scope.settings.insert(name.to_owned(), value.to_owned());
    }
    Ok(scope)
}

fn lines(story: &[String]) -> String {
    story.iter().map(|line| format!("  {line}\n")).collect()
}

fn report(explored: &Explored, seconds: f64) -> String {
    let Explored { visited, distinct, transitions, deepest, widest, .. } = explored;
    let latest = explored.latest.as_millis();
    let rate = *transitions as f64 / seconds.max(0.001);
    let mut text = format!(
        "{distinct} states ({visited} arrivals), {transitions} transitions, deepest path \
         {deepest}, at most {widest} waiting\n{latest} ms of engine time, {seconds:.1} s, \
         {rate:.0} transitions a second\n"
    );
    text.push_str(&match explored.ending {
        Ending::Exhausted => "exhausted: there are no other states\n".to_owned(),
        Ending::Horizon(states) => format!(
            "all states before the horizon; in {states} of them time goes on beyond it\n"
        ),
        Ending::Bound(waiting) => {
            format!("not exhausted: the bound was reached, {waiting} states waited\n")
        }
        Ending::Violation => "stopped at the first violation\n".to_owned(),
    });
    match &explored.broken {
        None => {
            let ids = INVARIANTS.map(|(id, _)| id).join(", ");
            text.push_str(&format!("✓ every state satisfies {ids}\n"));
        }
        Some(broken) => {
            text.push_str(&lines(&broken.story));
            let path: Vec<String> = broken.path.iter().map(usize::to_string).collect();
            text.push_str(&format!(
                "✘ {} ({})\n  again: the same command with --path {}\n",
                broken.text,
                broken.invariant,
                path.join(",")
            ));
        }
    }
    text
}
