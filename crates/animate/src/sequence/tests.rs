//! What holds for every sequence diagram.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use topomotion_scene::{Layer, Primitive};
use topomotion_trace::{
    Event, Fault, Loss, Packet, PacketId, Time, Tone, Trace, Travel, What,
};

use super::chart::Shape;
use super::*;
use crate::fixture;
use crate::reading::Fate;

fn story(trace: &Trace) -> Story<'_> {
    let kind = Kind::Executed;
    Story { id: "s", title: "Leader election", description: "", trace, kind }
}

fn cast<'a>(stories: &[Story<'a>], options: &Options) -> Cast<'a> {
    Cast::new(&fixture::scene(), stories, options, &Paints::new(&options.theme))
}

/// A chart as text: heights, times, labels.
fn read_out(act: &Act<'_>) -> String {
    let mut out = String::new();
    for row in &act.chart.rows {
        let said = match &row.shape {
            Shape::Pill(index) => {
                let message = &act.tale.messages[*index];
                format!("{} → {}: {}", message.from, message.to, message.label)
            }
            Shape::Tip(index) => {
                let message = &act.tale.messages[*index];
                let fate = match message.fate {
                    Fate::Arrived => "arrives",
                    Fate::Lost(_) => "is lost",
                    Fate::Pending => "is under way",
                };
                format!("  {} {fate} at {}", message.label, message.to)
            }
            Shape::Step { number, text } => format!("— step {number}: {text}"),
            Shape::Mark { full, column, .. } => format!("* column {column}: {full}"),
            Shape::Words { full, .. } => format!("“{full}”"),
            Shape::Across { text, .. } => format!("=== {text}"),
            Shape::Verdict { number, lines, holds } => {
                format!("— step {number}, {holds:?}: {}", lines.join(" "))
            }
            Shape::Note { full, .. } => format!("                    | {full}"),
            Shape::Fold { length, routine } => format!("⋯ {length} {routine}"),
            Shape::Foot { lines } => lines.join(" "),
        };
        let at = crate::clock::told(chart::instant(row.moment));
        out.push_str(&format!("{:>5} {at:>9}  {said}\n", row.y));
    }
    out
}

#[test]
fn an_election_reads_from_top_to_bottom() {
    let trace = fixture::election();
    let cast = cast(&[story(&trace)], &Options::default());
    golden(&read_out(&cast.acts[0]));
}

/// Compares with the file beside this one; `BLESS=1` writes it anew.
#[allow(clippy::disallowed_methods)]
fn golden(text: &str) {
    let path =
        concat!(env!("CARGO_MANIFEST_DIR"), "/src/sequence/golden/leader-election.txt");
    if std::env::var("BLESS").is_ok() {
        std::fs::write(path, text).expect("the golden file can be written");
    }
    let golden = std::fs::read_to_string(path).expect("there is a golden file");
    assert!(golden == text, "run with BLESS=1 to accept:\n{text}");
}

#[test]
fn both_films_play_in_step() {
    let (produce, election) = (fixture::produce(), fixture::election());
    let stories = [story(&produce), story(&election)];
    let options = Options::default();
    let topology = crate::direct(&fixture::scene(), &stories, &options);
    let sequence = direct(&fixture::scene(), &stories, &options);
    assert_eq!(topology.chapters, sequence.chapters);
    assert_eq!(topology.duration, sequence.duration);
}

#[test]
fn every_window_lies_inside_the_film_in_order() {
    let trace = fixture::election();
    let film = direct(&fixture::scene(), &[story(&trace)], &Options::default());
    assert!(film.poster < film.duration);
    let moving = film.sprites.iter().filter(|sprite| sprite.motion.is_some()).count();
    assert!(moving > 20, "{moving}");
    for sprite in &film.sprites {
        assert_eq!(sprite.layer == Layer::Packets, sprite.motion.is_some());
        for window in &sprite.windows {
            assert!(window.start < window.end && window.end <= film.duration);
        }
        for pair in sprite.windows.windows(2) {
            assert!(pair[0].end < pair[1].start, "{sprite:?}");
        }
    }
}

#[test]
fn a_tall_story_is_turned_page_by_page_and_ends_complete() {
    let mut script = fixture::Script::default();
    for turn in 0..60 {
        let at = turn * 5000;
        script.packet("order-producer", "broker-1", "Produce", at, at + 1000);
    }
    let trace = script.trace();
    let film = direct(&fixture::scene(), &[story(&trace)], &Options::default());
    assert!(film.size.height <= 900.0, "{}", film.size.height);
    let pages: BTreeSet<String> = texts(&film, "page").into_iter().collect();
    assert!(pages.contains("page 1 of 3"), "{pages:?}");
    let whole = still(&fixture::scene(), &[story(&trace)], &Options::default());
    assert!(whole.size.height > 1500.0 && whole.sprites.is_empty());
    let names = whole.backdrop.iter().filter(|item| item.class == "message");
    assert_eq!(names.count(), 60);
}

/// The texts of all items of a class.
fn texts(film: &Animation, class: &str) -> Vec<String> {
    let sprites = film.sprites.iter().map(|sprite| &sprite.item);
    let items = film.backdrop.iter().chain(sprites).filter(|item| item.class == class);
    let text = |primitive: &Primitive| match primitive {
        Primitive::Text { text, .. } => Some(text.clone()),
        _ => None,
    };
    items.flat_map(|item| &item.primitives).filter_map(text).collect()
}

#[test]
fn what_is_too_much_is_counted() {
    let trace = fixture::election();
    let pace = crate::Pace { packets: 4, ..crate::Pace::default() };
    let options = Options { pace, ..Options::default() };
    let whole = still(&fixture::scene(), &[story(&trace)], &options);
    let said = texts(&whole, "foot").join(" ");
    assert!(said.contains("Left out, because there is too much of it"), "{said}");
    let folds = texts(&whole, "fold").join(" ");
    assert!(folds.contains("Heartbeat × 8"), "{folds}");
}

#[test]
fn a_story_without_messages_and_no_story_at_all_are_pictures_too() {
    let trace = Trace::default();
    for picture in [
        still(&fixture::scene(), &[story(&trace)], &Options::default()),
        still(&fixture::scene(), &[], &Options::default()),
        direct(&fixture::scene(), &[story(&trace)], &Options::default()),
        direct(&fixture::scene(), &[], &Options::default()),
    ] {
        let heads =
            picture.backdrop.iter().filter(|item| item.class.starts_with("node")).count();
        assert_eq!(heads, 6);
        assert!(picture.size.height > 150.0);
    }
    let nobody = still(&Scene::default(), &[story(&trace)], &Options::default());
    assert!(nobody.size.width > 0.0 && nobody.size.height > 0.0);
}

#[test]
fn a_scripted_message_is_called_like_its_connection_and_its_way_back_is_an_answer() {
    use topomotion_model::{EdgeId, Flow, FlowStep, FlowStepKind, Heading, Hop, Origin};
    let hop = |from: &str, to: &str| Hop {
        from: from.into(),
        to: to.into(),
        edge: EdgeId(0),
        heading: Heading::Forward,
    };
    let hops = [hop("order-producer", "broker-1"), hop("broker-1", "order-producer")];
    let steps = hops.into_iter().map(|hop| FlowStep {
        kind: FlowStepKind::Hops(vec![hop]),
        origin: Origin::default(),
    });
    let flow = Flow { steps: steps.collect() };
    let trace = crate::flow::to_trace(&flow, &crate::Pace::default());
    let story = Story { kind: Kind::Scripted, ..story(&trace) };
    let cast = cast(&[story], &Options::default());
    let forms: Vec<(&str, pill::Form)> = cast.acts[0]
        .tale
        .messages
        .iter()
        .map(|message| (message.label.as_str(), message.form))
        .collect();
    assert_eq!(
        forms,
        [
            ("produce acks=all", pill::Form::Request),
            ("produce acks=all", pill::Form::Response)
        ]
    );
    assert_eq!(cast.acts[0].chart.bars.len(), 1);
}

/// A message in the making: ends, departure, length, fate, news, records.
type Draft = (usize, usize, u64, u64, u8, bool, u32);

const IDS: [&str; 6] =
    ["order-producer", "flink", "broker-1", "broker-2", "broker-3", "controller"];

fn trace_of(drafts: &[Draft], events: &[(u64, u8, usize)]) -> Trace {
    let mut all = Vec::new();
    for (index, (from, to, at, long, fate, news, records)) in drafts.iter().enumerate() {
        let id = PacketId(index as u32);
        let packet = Packet {
            id,
            from: IDS[from % IDS.len()].into(),
            to: IDS[to % IDS.len()].into(),
            travel: Travel::Request,
            api: ["Fetch", "Produce", "AMessageWithAVeryLongNameIndeed"][from % 3].into(),
            detail: String::new(),
            records: *records,
            error: (*fate == 5).then(|| "NOT_LEADER".to_owned()),
            news: *news,
            cause: None,
            bytes: 0,
        };
        all.push(Event { at: Time(*at), what: What::Sent(packet) });
        let end = match fate {
            0 => continue,
            1 => What::Lost(id, Loss::Partitioned),
            2 => What::Lost(id, Loss::ReceiverDown),
            _ => What::Arrived(id),
        };
        all.push(Event { at: Time(at + long), what: end });
    }
    for (index, (at, what, who)) in events.iter().enumerate() {
        let process: std::sync::Arc<str> = IDS[who % IDS.len()].into();
        let text = "some words about what happens at this very moment".to_owned();
        let what = match what % 6 {
            0 => What::Step { index, text: text.clone(), caption: Some(text) },
            1 => What::Fault(Fault::Crash { process }),
            2 => What::Fault(Fault::Restart { process }),
            3 => {
                What::Say { process: Some(process), label: None, text, tone: Tone::Error }
            }
            4 => What::Flash { process },
            _ => What::Verdict { step: index, demand: text, failure: None },
        };
        all.push(Event { at: Time(*at), what });
    }
    all.sort_by_key(|event| event.at);
    Trace { events: all }
}

fn drafts() -> impl Strategy<Value = Vec<Draft>> {
    let draft = (
        0_usize..6,
        0_usize..6,
        0_u64..400_000,
        0_u64..30_000,
        0_u8..9,
        prop::bool::weighted(0.8),
        0_u32..30,
    );
    prop::collection::vec(draft, 0..70)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn labels_never_overlap_time_runs_downwards_and_nothing_is_dropped(
        drafts in drafts(),
        events in prop::collection::vec((0_u64..400_000, 0_u8..6, 0_usize..6), 0..12),
        packets in prop::sample::select(vec![300_usize, 20]),
    ) {
        let trace = trace_of(&drafts, &events);
        let pace = crate::Pace { packets, ..crate::Pace::default() };
        let options = Options { pace, ..Options::default() };
        let cast = cast(&[story(&trace)], &options);
        let act = &cast.acts[0];
        let rows = &act.chart.rows;
        for (index, row) in rows.iter().enumerate() {
            for other in &rows[index + 1..] {
                prop_assert!(!row.rect.overlaps(&other.rect), "{row:?} {other:?}");
                prop_assert!(row.y <= other.y, "{row:?} {other:?}");
                let later = chart::instant(row.moment) <= chart::instant(other.moment);
                prop_assert!(later, "{row:?} {other:?}");
            }
            prop_assert!(row.rect.x >= 0.0 && row.rect.right() <= cast.columns.width);
            prop_assert!(row.rect.bottom() <= act.chart.height);
        }
        // Every message is drawn once, with both its ends, or counted.
        let mut ends: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
        for row in rows {
            match row.shape {
                Shape::Pill(index) => ends.entry(index).or_default().0 += 1,
                Shape::Tip(index) => ends.entry(index).or_default().1 += 1,
                _ => {}
            }
        }
        prop_assert!(ends.values().all(|ends| *ends == (1, 1)), "{ends:?}");
        prop_assert_eq!(ends.len(), act.tale.messages.len());
        let counted: usize = act.tale.entries.iter().map(counted).sum();
        prop_assert_eq!(ends.len() + counted, drafts.len());
        for arrow in &act.chart.arrows {
            for pair in arrow.path.windows(2) {
                prop_assert!(pair[0].y <= pair[1].y, "{arrow:?}");
            }
        }
        pages_hold_everything(act)?;
        let film = direct(&fixture::scene(), &[story(&trace)], &options);
        prop_assert!(film.size.height <= 900.0);
        for window in film.sprites.iter().flat_map(|sprite| &sprite.windows) {
            prop_assert!(window.start < window.end && window.end <= film.duration);
        }
    }
}

/// How many messages an entry counts.
fn counted(entry: &told::Entry) -> usize {
    match &entry.what {
        Told::Gap { routine, .. } => routine.iter().map(|(_, count)| count).sum(),
        Told::Foot { text } => {
            let numbers = text.split(['×', '·']).map(str::trim);
            numbers.filter_map(|word| word.parse::<usize>().ok()).sum()
        }
        _ => 0,
    }
}

/// Pages follow one another without a gap, and each row stands on one of them.
fn pages_hold_everything(act: &Act<'_>) -> Result<(), TestCaseError> {
    let pages = pages::split(&act.chart, 400.0);
    for pair in pages.windows(2) {
        prop_assert_eq!(pair[0].bottom, pair[1].top);
        prop_assert!(pair[0].bottom - pair[0].shown <= 400.0);
        prop_assert!(pair[1].shown < pair[1].top);
    }
    for row in &act.chart.rows {
        let holders = pages.iter().filter(|page| page.holds(row)).count();
        prop_assert_eq!(holders, 1, "{:?}", row);
    }
    Ok(())
}
