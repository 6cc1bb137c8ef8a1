//! From a script that failed to a diagnostic that helps.

use std::time::Duration;

use topomotion_model::{Diagnostic, FileId, Span, nearest};

use crate::Options;
use crate::api;
use crate::places::Places;
use crate::sandbox::{Failure, Frame, Kind};

/// Callers beyond these are left out.
const MOST_CALLERS: usize = 3;

/// Names that exist elsewhere, and what to use here.
const MISSING: &[(&[&str], &str)] = &[
    (
        &["setTimeout", "setInterval", "requestAnimationFrame"],
        "scripts have no timers: use `flow.wait(ms)` for a pause in the animation",
    ),
    (
        &["fetch", "XMLHttpRequest", "WebSocket"],
        "scripts reach no network: put the data into the script",
    ),
    (&["require", "module", "exports"], "write `import { … } from './file'`"),
    (
        &["process", "Deno", "Bun", "__dirname", "Buffer"],
        "scripts see nothing of the machine they run on",
    ),
    (
        &["window", "document", "localStorage", "alert", "navigator"],
        "scripts do not run in a page",
    ),
];

/// Tells a failure.
pub(crate) fn tell(
    failure: &Failure,
    name: &str,
    places: &Places<'_>,
    options: &Options,
) -> Diagnostic {
    let place = failure.frames.first().and_then(|frame| places.token(*frame));
    let place_or_start = place.or(Some(Span { file: FileId(0), start: 0, end: 0 }));
    let limit = seconds(options.time_limit);
    let diagnostic = match &failure.kind {
        Kind::Thrown { name, message } => {
            thrown(name, message, failure.frames.first().copied(), place, places)
        }
        Kind::ThrewNull => Diagnostic::error(
            "script-memory",
            format!("{name} threw `null`, or ran out of memory"),
            place_or_start,
        )
        .help("throw an `Error`; or look for a list or a text that grows without end"),
        Kind::TimedOut => timed_out(failure, name, &limit, places),
        Kind::Stuck => Diagnostic::error(
            "script-stuck",
            format!("{name} hung in a built-in function and was given up after {limit}"),
            places.only_call(NATIVE_LOOPS).or(place_or_start),
        )
        .help(
            "look for work on a huge array, such as `sort` or `join` of one with holes",
        ),
        Kind::OutOfMemory => Diagnostic::error(
            "script-memory",
            format!("{name} used more than {} MB of memory", options.memory_limit >> 20),
            place_or_start,
        )
        .at(if place.is_some() { "memory ran out here" } else { "" })
        .help("look for a list or a text that grows without end"),
        Kind::NeverSettled => Diagnostic::error(
            "script-waits",
            format!("{name} waits for a promise that nothing settles"),
            place_or_start,
        )
        .help("only `topology.apply()` needs an `await`; nothing else happens later"),
        Kind::NoThread | Kind::Broken => Diagnostic::error(
            "script-engine",
            format!("{name} could not be run: the script engine did not start"),
            None,
        )
        .help("free some memory and try again; a `memory limit` below 2 MB is too small"),
    };
    callers(diagnostic, failure, places)
}

/// Built-ins that take as long as an array is, holes included, and cannot be stopped.
const NATIVE_LOOPS: &[&str] = &[
    "sort",
    "toSorted",
    "join",
    "fill",
    "indexOf",
    "lastIndexOf",
    "includes",
    "reverse",
    "toReversed",
    "concat",
    "splice",
    "toSpliced",
    "shift",
    "unshift",
    "with",
    "copyWithin",
    "flat",
    "toString",
    "slice",
    "stringify",
];

fn timed_out(
    failure: &Failure,
    name: &str,
    limit: &str,
    places: &Places<'_>,
) -> Diagnostic {
    let frame = failure.frames.first().copied();
    let place =
        places.running_loop(frame).or(frame.and_then(|frame| places.token(frame)));
    let start = Span { file: FileId(0), start: 0, end: 0 };
    let message = format!("{name} did not end within {limit}");
    Diagnostic::error("script-timeout", message, place.or(Some(start)))
        .at(if place.is_some() { "still running here" } else { "" })
        .help("look for a loop that never ends, or make less in one script")
}

fn seconds(limit: Duration) -> String {
    match limit.subsec_millis() {
        0 => format!("{} s", limit.as_secs()),
        _ => format!("{} ms", limit.as_millis()),
    }
}

fn thrown(
    name: &str,
    message: &str,
    frame: Option<Frame>,
    place: Option<Span>,
    places: &Places<'_>,
) -> Diagnostic {
    if name == "TypeError" && message == "not a function" {
        return not_a_function(frame, place, places);
    }
    if let Some(missing) = not_defined(name, message) {
        return undefined(missing, place);
    }
    match name {
        "SyntaxError" => Diagnostic::error("syntax", lower(message), place),
        "TypeError" | "ReferenceError" | "RangeError" | "InternalError" => {
            let error = Diagnostic::error("script-error", lower(message), place)
                .at("thrown here");
            match message.contains("call stack") {
                true => error.help("a function calls itself without end"),
                false => error,
            }
        }
        "Error" => {
            let message = format!("the script threw: {message}");
            Diagnostic::error("script-error", message, place).at("thrown here")
        }
        "" => {
            let message = format!("the script threw {message}, which is no error");
            Diagnostic::error("script-error", message, place)
                .help("throw an `Error`: it knows where it was made")
        }
        name => {
            let message = format!("the script threw {name}: {message}");
            Diagnostic::error("script-error", message, place).at("thrown here")
        }
    }
}

fn not_a_function(
    frame: Option<Frame>,
    place: Option<Span>,
    places: &Places<'_>,
) -> Diagnostic {
    let site = frame.and_then(|frame| places.any_call(frame));
    let called = site.filter(|site| !site.name.is_empty()).zip(frame);
    let Some((site, frame)) = called else {
        let message = "what is called here is not a function";
        return Diagnostic::error("not-a-function", message, place);
    };
    let file = FileId(frame.file);
    let span = Some(Span { file, start: site.name_at.start, end: site.name_at.end });
    let message = format!("`{}` is not a function", site.name);
    let error = Diagnostic::error("not-a-function", message, span);
    let known = api::method_names().chain(api::public_names());
    match nearest(&site.name, known) {
        Some(near) if near == site.name => {
            let owners = api::CLASSES
                .iter()
                .filter(|class| class.methods.iter().any(|method| method.name == near));
            let owners: Vec<String> = owners.map(one_of).collect();
            error
                .at("not a method of this builder")
                .help(format!("`{near}` is a method of {}", owners.join(", and of ")))
        }
        Some(near) => error
            .at("no such method")
            .help(format!("did you mean `{near}`?"))
            .fix(span, near),
        None => error.at("no such method"),
    }
}

/// A class by its name, and how an object of it is had.
fn one_of(class: &api::Class) -> String {
    let makers = api::CLASSES.iter().flat_map(|maker| {
        let makes =
            |method: &&api::Method| method.gives == api::Gives::Object(class.name);
        maker.methods.iter().filter(makes).map(|method| (maker.name, method.name))
    });
    let made = match class.made_by {
        api::MadeBy::New(_) => format!("`new {}(topology)`", class.name),
        api::MadeBy::Method => {
            let makers = makers.map(|(maker, method)| format!("`{maker}.{method}`"));
            makers.collect::<Vec<String>>().join(" or ")
        }
    };
    format!("{} ({made})", class.name)
}

/// The name in `'x' is not defined`, or `x is not defined`.
fn not_defined<'a>(name: &str, message: &'a str) -> Option<&'a str> {
    let missing = message.strip_suffix(" is not defined")?;
    (name == "ReferenceError").then(|| missing.trim_matches('\''))
}

fn undefined(missing: &str, place: Option<Span>) -> Diagnostic {
    let message = format!("`{missing}` is not defined");
    let error =
        Diagnostic::error("not-defined", message, place).at("nothing has this name");
    let elsewhere = MISSING.iter().find(|(names, _)| names.contains(&missing));
    if let Some((_, help)) = elsewhere {
        return error.help(*help);
    }
    match nearest(missing, api::public_names()) {
        Some(near) => error.help(format!("did you mean `{near}`?")).fix(place, near),
        None => error.help("declare it with `const`, or mend its spelling"),
    }
}

/// Who called the place that failed.
fn callers(diagnostic: Diagnostic, failure: &Failure, places: &Places<'_>) -> Diagnostic {
    let mut frames = failure.frames.iter().skip(1).copied().collect::<Vec<_>>();
    frames.dedup();
    let first = failure.frames.first().copied();
    let others =
        frames.into_iter().filter(|frame| Some(*frame) != first && frame.line > 0);
    others.take(MOST_CALLERS).fold(diagnostic, |diagnostic, frame| {
        diagnostic.label(places.token(frame), "called from here")
    })
}

/// The engine begins some messages with a capital; ours begin without.
fn lower(message: &str) -> String {
    let mut chars = message.chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => "an error without a message".to_owned(),
    }
}
