//! What holds for every film, tried on stories written by hand.

use topomotion_scene::{Layer, Sprite};
use topomotion_svg::{EmbeddedFont, ThemeChoice};

use super::*;
use crate::fixture;

fn story<'a>(title: &'a str, trace: &'a topomotion_trace::Trace) -> Story<'a> {
    let description = "A record is on the way while the leader of its partition dies.";
    Story { id: "s", title, description, trace, kind: Kind::Executed }
}

fn film() -> Animation {
    let (produce, election) = (fixture::produce(), fixture::election());
    let stories = [
        story("acks=all, the full chain", &produce),
        story("Leader election", &election),
    ];
    let options =
        Options { title: "Kafka Production Deep Dive".into(), ..Options::default() };
    direct(&fixture::scene(), &stories, &options)
}

/// The film as a file, fonts inside.
fn svg(film: &Animation, theme: ThemeChoice) -> String {
    use topomotion_scene::FontFace::{Mono, Regular, SemiBold};
    let fonts = [Regular, SemiBold, Mono].map(|face| {
        let own = draw::face(face);
        EmbeddedFont {
            face,
            family: topomotion_text::family(own).into(),
            weight: topomotion_text::weight(own),
            lacks: BTreeSet::new(),
            data: topomotion_text::font_bytes(own).to_vec(),
        }
    });
    let options =
        topomotion_svg::Options { theme, fonts: fonts.to_vec(), ..Default::default() };
    topomotion_svg::render(film, &options)
}

#[test]
#[ignore = "writes pictures to look at into target/look"]
#[allow(clippy::disallowed_methods)]
fn pictures_to_look_at() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/look");
    std::fs::create_dir_all(folder).unwrap();
    let film = film();
    for (name, theme) in [
        ("light", ThemeChoice::Light),
        ("dark", ThemeChoice::Dark),
        ("auto", ThemeChoice::Auto),
    ] {
        std::fs::write(format!("{folder}/film-{name}.svg"), svg(&film, theme)).unwrap();
    }
    let still = still(&fixture::scene(), &Options::default());
    std::fs::write(format!("{folder}/still.svg"), svg(&still, ThemeChoice::Light))
        .unwrap();
}

fn packets(film: &Animation) -> impl Iterator<Item = &Sprite> {
    film.sprites.iter().filter(|sprite| sprite.item.class == "packet")
}

#[test]
fn every_window_lies_inside_the_film_in_order() {
    let film = film();
    for sprite in &film.sprites {
        for window in &sprite.windows {
            assert!(
                window.start < window.end && window.end <= film.duration,
                "{sprite:?}"
            );
            assert_eq!(window.start.0 % 50, 0, "{sprite:?}");
        }
        for pair in sprite.windows.windows(2) {
            assert!(pair[0].end < pair[1].start, "{sprite:?}");
        }
    }
}

#[test]
fn packets_travel_and_nothing_else_does() {
    let film = film();
    assert!(packets(&film).count() > 20);
    for sprite in &film.sprites {
        assert_eq!(sprite.layer == Layer::Packets, sprite.motion.is_some());
    }
}

/// A story, timed, and all its flights.
fn with_plan(trace: &topomotion_trace::Trace, check: impl Fn(&plan::Plan<'_>)) {
    let story = story("", trace);
    let stage = Stage::new(&fixture::scene(), Bands::Film);
    let rows = panels::Rows::of(&[story]);
    check(&plan::Plan::new(&story, &stage, &rows, &Pace::default(), 300));
}

#[test]
fn nothing_leaves_before_what_caused_it_has_arrived() {
    for trace in [fixture::produce(), fixture::election()] {
        with_plan(&trace, |plan| {
            let flights = &plan.reading.flights;
            let mut causes = 0;
            for effect in flights {
                let cause =
                    flights.iter().find(|f| Some(f.packet.id) == effect.packet.cause);
                let Some(cause) = cause else { continue };
                let (seen, left) =
                    (plan.warp.enter(cause.end), plan.warp.leave(effect.sent));
                assert!(seen <= left, "{} after {}", effect.packet, cause.packet);
                causes += 1;
            }
            assert!(causes > 3);
        });
    }
}

#[test]
fn what_is_simultaneous_stays_simultaneous_and_order_stays_order() {
    with_plan(&fixture::election(), |plan| {
        let flights = &plan.reading.flights;
        for (a, b) in flights.iter().flat_map(|a| flights.iter().map(move |b| (a, b))) {
            if a.sent <= b.sent {
                assert!(plan.warp.leave(a.sent) <= plan.warp.leave(b.sent));
            }
            if a.end <= b.sent {
                assert!(plan.warp.enter(a.end) <= plan.warp.leave(b.sent));
            }
        }
    });
}

#[test]
fn every_packet_of_note_can_be_followed_and_every_caption_read() {
    with_plan(&fixture::election(), |plan| {
        for flight in plan.reading.flights.iter().filter(|flight| flight.is_news()) {
            let least = if flight.is_response() { 750 } else { 900 };
            let long = plan.warp.enter(flight.end) - plan.warp.leave(flight.sent);
            assert!((least..3 * least).contains(&long), "{}: {long}", flight.packet);
        }
        for pair in plan.captions.windows(2) {
            let apart = plan.warp.enter(pair[1].at) - plan.warp.enter(pair[0].at);
            assert!(apart >= pair[0].hold, "{}", pair[0].text);
        }
    });
}

#[test]
fn routine_is_counted_where_it_is_not_drawn() {
    let film = film();
    let said = |text: &str| film.transcript.iter().any(|line| line.text == text);
    assert!(said("Routine, not shown one by one: Heartbeat ×8."));
    let breaths = film.sprites.iter().filter(|sprite| sprite.item.class == "routine");
    assert_eq!(breaths.count(), 2);
}

#[test]
fn a_budget_turns_news_into_routine_and_says_so() {
    let trace = fixture::election();
    let pace = Pace { packets: 10, ..Pace::default() };
    let options = Options { pace, ..Options::default() };
    let film = direct(&fixture::scene(), &[story("s", &trace)], &options);
    let pills = packets(&film).filter(|sprite| sprite.item.primitives.len() > 1).count();
    // A lost packet is drawn in two pieces.
    assert!(pills <= 11, "{pills}");
    assert!(film.transcript.iter().any(|line| line.text.starts_with("Routine")));
}

#[test]
fn the_same_stories_give_the_same_film() {
    assert_eq!(film(), film());
    assert_eq!(svg(&film(), ThemeChoice::Auto), svg(&film(), ThemeChoice::Auto));
}

#[test]
fn an_empty_scene_and_an_empty_trace_make_a_film_too() {
    let trace = topomotion_trace::Trace::default();
    let film = direct(&Scene::default(), &[story("", &trace)], &Options::default());
    assert!(
        film.duration.0 > 0 && film.sprites.iter().all(|sprite| sprite.motion.is_none())
    );
    assert!(direct(&Scene::default(), &[], &Options::default()).sprites.is_empty());
}

#[test]
fn a_scripted_film_shows_its_kind_and_no_clock() {
    use topomotion_model::{EdgeId, Flow, FlowStep, FlowStepKind, Heading, Hop, Origin};
    let hop = |from: &str, to: &str| Hop {
        from: from.into(),
        to: to.into(),
        edge: EdgeId(0),
        heading: Heading::Forward,
    };
    let error = FlowStepKind::Error {
        at: "broker-1".into(),
        label: Some("TIMEOUT".into()),
        text: "no answer from the followers".into(),
    };
    let kinds = vec![FlowStepKind::Hops(vec![hop("order-producer", "broker-1")]), error];
    let steps =
        kinds.into_iter().map(|kind| FlowStep { kind, origin: Origin::default() });
    let trace = flow::to_trace(&Flow { steps: steps.collect() }, &Pace::default());
    let story = Story { kind: Kind::Scripted, ..story("A flow", &trace) };
    let film = direct(&fixture::scene(), &[story], &Options::default());
    let classes: BTreeSet<&str> =
        film.sprites.iter().map(|sprite| sprite.item.class.as_str()).collect();
    assert!(classes.contains("bubble") && classes.contains("glow"));
    assert!(classes.contains("kind") && !classes.contains("clock"));
    let said = "Broker 1: [TIMEOUT] no answer from the followers";
    assert!(film.transcript.iter().any(|line| line.text == said));
}

#[test]
fn what_a_member_does_not_own_it_does_not_read() {
    use topomotion_trace::{Ownership, StateChange};
    let member = |change, owned: &[&str]| StateChange::Member {
        process: "flink".into(),
        group: "north".into(),
        generation: 1,
        change,
        partitions: vec!["orders-0".into()],
        owned: owned.iter().map(|name| (*name).into()).collect(),
    };
    let mut script = fixture::Script::default();
    script.state(0, member(Ownership::Assigned, &["orders-0"]));
    let (process, partition) = ("flink".into(), "orders-0".into());
    let polled = StateChange::Polled { process, partition, base: 0, next: 3, records: 3 };
    script.state(1_000_000, polled);
    script.state(2_000_000, member(Ownership::Revoked, &[]));
    let trace = script.trace();
    let mut scene = fixture::scene();
    for panel in scene.nodes.iter_mut().filter_map(|node| node.panel.as_mut()) {
        panel.height += 40.0;
    }
    let film = direct(&scene, &[story("Rebalance", &trace)], &Options::default());
    let rows = film.sprites.iter().filter_map(|sprite| sprite.item.name.as_deref());
    let rows: Vec<&str> = rows.filter(|name| name.starts_with("orders-0")).collect();
    let told = ["orders-0, next –", "orders-0, next 3", "orders-0, not read"];
    assert_eq!(rows, told);
}

#[test]
fn a_film_is_a_small_file() {
    let svg = topomotion_svg::render(&film(), &topomotion_svg::Options::default());
    assert!(svg.len() < 100_000, "{}", svg.len());
}
