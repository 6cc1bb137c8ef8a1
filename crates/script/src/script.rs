//! TypeScript and JavaScript, from text to builder.

use topomotion_model::builder::TopologyBuilder;

use crate::console::{ConsoleLevel, ConsoleLine};
use crate::files::Files;
use crate::loading::load;
use crate::places::Places;
use crate::replay::replay;
use crate::sandbox::{self, Failure, Kind, Printed};
use crate::source::Source;
use crate::{Compiled, Options, Stage, failures};

/// Compiles a script whose text is in `compiled.sources`. `None` if it did not come to an end;
/// then there is an error among the diagnostics.
pub(crate) fn compile(
    stage: Stage,
    source: &Source,
    files: &dyn Files,
    options: &Options,
    compiled: &mut Compiled,
) -> Option<TopologyBuilder> {
    let loaded = load(source, files, &mut compiled.sources);
    if !loaded.diagnostics.is_empty() {
        compiled.diagnostics.extend(loaded.diagnostics);
        return None;
    }
    let outcome = sandbox::run(stage, loaded.program(), options);
    let places = Places::new(&loaded.modules);
    compiled.console =
        outcome.printed.into_iter().map(|one| line(one, &places)).collect();
    match outcome.result {
        Ok(returned) => {
            Some(replay(outcome.records, &returned, &places, &compiled.sources))
        }
        Err(failure) => {
            let name = &source.name;
            let told = failures::tell(&failure, name, &places, options);
            compiled.diagnostics.push(told);
            None
        }
    }
}

/// Tells that a script hung in a built-in.
pub(crate) fn give_up(
    source: &Source,
    files: &dyn Files,
    options: &Options,
    compiled: &mut Compiled,
) {
    let loaded = load(source, files, &mut compiled.sources);
    let (places, failure) = (Places::new(&loaded.modules), Failure::of(Kind::Stuck));
    let told = failures::tell(&failure, &source.name, &places, options);
    compiled.diagnostics.push(told);
}

fn line(printed: Printed, places: &Places<'_>) -> ConsoleLine {
    let level = match printed.level {
        2 => ConsoleLevel::Error,
        1 => ConsoleLevel::Warning,
        _ => ConsoleLevel::Log,
    };
    let span = printed.frames.first().and_then(|frame| places.token(*frame));
    ConsoleLine { level, text: printed.text, span }
}
