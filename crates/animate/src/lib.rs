//! Scene and trace to animation: the stage director of the drawing half.
//!
//! A [`Scene`] says where everything is, a [`Trace`](topomotion_trace::Trace) says what
//! happened. This crate decides what is drawn, in which colours, when and for how long, and
//! what is said about it. It never moves or resizes a node, and it knows no renderer.
//!
//! ```text
//!   Scene ─────────────┐
//!   Trace (executed) ──┼── direct ──► Animation ──► svg, raster, viewer
//!   Flow (scripted) ───┘
//! ```
//!
//! - [`still`] paints a scene alone; [`direct`] makes a film of [`Story`]s, one chapter each.
//! - [`sequence`] draws the same stories with time running downwards.
//! - [`panels`] says how much room the stories need at each process, before the layout.
//! - [`flow::to_trace`] turns a scripted flow into a trace, so that both kinds play alike.
//! - [`Theme`] holds the colours, [`Pace`] the speeds.
//!
//! Engine time is warped, never reordered: nothing leaves before what caused it has arrived,
//! and what happened at the same time is shown at the same time.
//!
//! ```
//! use topomotion_animate::{Kind, Options, Story, direct};
//! use topomotion_scene::Scene;
//! use topomotion_trace::{Event, Time, Trace, What};
//! let text = "the curtain rises".to_owned();
//! let what = What::Step { index: 0, text, caption: Some("Look.".to_owned()) };
//! let trace = Trace { events: vec![Event { at: Time(0), what }] };
//! let kind = Kind::Executed;
//! let story = Story { id: "s", title: "A story", description: "", trace: &trace, kind };
//! let film = direct(&Scene::default(), &[story], &Options::default());
//! assert_eq!(film.transcript[0].text, "Look.");
//! ```

mod aboard;
mod about;
mod bands;
mod bubble;
mod captions;
mod channel;
mod clock;
mod cut;
mod describe;
mod detour;
mod director;
mod draw;
mod facts;
#[cfg(test)]
mod fixture;
mod flights;
pub mod flow;
mod groups;
mod ledger;
mod legend;
mod looks;
mod options;
mod paint;
mod panels;
mod passage;
mod perch;
mod pill;
mod plan;
mod pulse;
mod reading;
mod routine;
mod rules;
pub mod sequence;
mod stage;
mod strip;
mod theme;
mod tokens;
mod told;
mod warp;
mod ways;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use topomotion_scene::{Animation, Scene, Size};

use stage::{Bands, Stage};
use theme::Paints;

pub use options::{Hideable, Kind, Legend, Options, Pace, Story};
pub use theme::{Scheme, Theme, ThemeFile};
pub use warp::Knot;

/// The picture without any story.
pub fn still(scene: &Scene, options: &Options) -> Animation {
    let bands = if options.title.is_empty() { Bands::None } else { Bands::Title };
    let legend = legend::Plan::new(scene, &[], &panels::Rows::default(), options.legend);
    let stage = Stage::with_legend(scene, bands, |width| legend.height(width));
    let mut paints = Paints::new(&options.theme);
    let mut backdrop = paint::backdrop(&stage.scene, &mut paints, &BTreeSet::new());
    backdrop.extend(legend.draw(&stage, &paints));
    if bands == Bands::Title {
        backdrop.push(bands::title(&options.title, &stage, &paints));
    }
    Animation {
        size: stage.size,
        title: options.title.clone(),
        description: describe::scene(scene, options),
        backdrop,
        palette: paints.palette(),
        ..Animation::default()
    }
}

/// The film: one chapter a story, in a loop. Without stories it is the still picture.
pub fn direct(scene: &Scene, stories: &[Story<'_>], options: &Options) -> Animation {
    if stories.is_empty() {
        still(scene, options)
    } else {
        director::direct(scene, stories, options).0
    }
}

/// The film of one story, and when each instant of engine time is shown in it: for who takes the
/// run over at a moment of the film.
pub fn direct_with_knots(
    scene: &Scene,
    story: &Story<'_>,
    options: &Options,
) -> (Animation, Vec<Knot>) {
    let (film, mut knots) = director::direct(scene, std::slice::from_ref(story), options);
    (film, knots.pop().unwrap_or_default())
}

/// How much room each process needs below its body for what the stories show at it; to be
/// known before the layout.
pub fn panels(stories: &[Story<'_>]) -> BTreeMap<String, Size> {
    panels::Rows::of(stories).sizes()
}

#[cfg(test)]
mod tests;
