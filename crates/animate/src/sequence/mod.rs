//! The sequence view: the same stories, with time running downwards.
//!
//! ```text
//!   Plan (timing, captions) ──told──► Tale ──chart──► Chart ──paint──► Pieces ──┬── still
//!   Scene (who there is) ──columns──► Columns ─────────┘                         └── film
//! ```
//!
//! - [`columns`] gives every process that takes part a lifeline, in the topology's order;
//! - [`told`] lists what happens, in the order of time, and folds quiet stretches;
//! - [`chart`] gives each entry its height: a monotone map from moments to heights;
//! - [`pages`] cuts a tall chart for the film; [`paint`] knows the colours.
//!
//! A film is timed by the very plan that times the film of the topology: the two can play
//! side by side, in step. Nothing is left out in silence: what is not drawn is counted.

mod bars;
mod chart;
mod columns;
mod film;
mod marks;
mod pages;
mod paint;
mod playhead;
mod shift;
mod signs;
mod still;
#[cfg(test)]
mod tests;
mod told;

use std::collections::BTreeSet;

use topomotion_scene::{Animation, Item, Point, Scene, Size};
use topomotion_text::Face;

use crate::draw;
use crate::panels::Rows;
use crate::pill;
use crate::plan::Plan;
use crate::stage::{Bands, Stage};
use crate::theme::Paints;
use crate::{Kind, Options, Story};
use chart::Chart;
use columns::{Columns, Pair};
use told::{Tale, Told};

/// Room at the left and right ends of the picture, px.
const MARGIN: f64 = 24.0;

/// The film: one chapter a story, with the times of [`direct`](crate::direct). Without stories
/// it is a still picture of the lifelines.
pub fn direct(scene: &Scene, stories: &[Story<'_>], options: &Options) -> Animation {
    if stories.is_empty() {
        still::draw(scene, stories, options)
    } else {
        film::direct(scene, stories, options)
    }
}

/// The whole of every story as one still picture, one below another.
pub fn still(scene: &Scene, stories: &[Story<'_>], options: &Options) -> Animation {
    still::draw(scene, stories, options)
}

/// A story, ready to be drawn.
struct Act<'a> {
    story: Story<'a>,
    plan: Plan<'a>,
    tale: Tale,
    chart: Chart,
}

/// All stories on common lifelines.
struct Cast<'a> {
    /// Knows every process by name.
    names: Stage,
    columns: Columns,
    acts: Vec<Act<'a>>,
}

impl<'a> Cast<'a> {
    fn new(
        scene: &Scene,
        stories: &[Story<'a>],
        options: &Options,
        paints: &Paints,
    ) -> Cast<'a> {
        let names = Stage::new(scene, Bands::Film);
        let rows = Rows::of(stories);
        let most = options.pace.packets / stories.len().max(1);
        let mut told: Vec<(Story<'a>, Plan<'a>, Tale)> = Vec::new();
        for story in stories {
            let plan = Plan::new(story, &names, &rows, &options.pace, most);
            let mut tale = Tale::new(&plan, scene, &names);
            // The times of a scripted story mean nothing, so there is nothing to fold.
            if story.kind == Kind::Executed {
                tale.fold(plan.reading.start, plan.reading.end);
            } else {
                tale.fold(plan.reading.end, plan.reading.end);
            }
            told.push((*story, plan, tale));
        }
        let parts: BTreeSet<String> =
            told.iter().flat_map(|(.., tale)| tale.parts()).collect();
        let pairs: Vec<Pair> =
            told.iter().flat_map(|(.., tale)| pairs(tale, paints)).collect();
        let notes = told.iter().any(|(.., tale)| {
            tale.entries.iter().any(|entry| matches!(entry.what, Told::Note { .. }))
        });
        let columns = Columns::new(scene, &parts, &pairs, notes);
        let acts = told.into_iter().map(|(story, plan, tale)| {
            let chart = Chart::new(&tale, &columns, paints);
            Act { story, plan, tale, chart }
        });
        let acts = acts.collect();
        Cast { names, columns, acts }
    }

    /// The canvas for a body of this height below the heads.
    fn stage(&self, body: f64) -> Stage {
        let mut heads = self.columns.heads.clone();
        let height = heads.size.height + body;
        heads.size = Size { width: self.columns.width, height };
        Stage::new(&heads, Bands::Silent)
    }

    /// What stands behind everything on such a canvas: heads, lifelines, the axis.
    fn backdrop(&self, stage: &Stage, paints: &mut Paints) -> Vec<Item> {
        let mut items = vec![self.lifelines(stage, paints)];
        items.extend(crate::paint::backdrop(&stage.scene, paints, &self.changing()));
        items
    }

    fn changing(&self) -> BTreeSet<String> {
        let acts = self.acts.iter();
        let changing = acts.flat_map(|act| act.plan.reading.changing());
        changing.map(str::to_owned).collect()
    }

    /// Where the chart begins on such a canvas.
    fn top(&self, stage: &Stage) -> f64 {
        stage.header.bottom() + self.columns.heads.size.height
    }

    fn lifelines(&self, stage: &Stage, paints: &Paints) -> Item {
        let bottom = stage.size.height;
        let mut primitives = Vec::new();
        for node in &stage.scene.nodes {
            let x = node.rect.center().x;
            let ends = [Point::new(x, node.rect.bottom()), Point::new(x, bottom - 6.0)];
            primitives.push(draw::polyline(&ends, paints.stroke("group-line", 1.25)));
        }
        let axis = self.columns.lane.0 - 12.0;
        let ends = [Point::new(axis, self.top(stage)), Point::new(axis, bottom - 6.0)];
        primitives.push(draw::polyline(&ends, paints.stroke("hairline", 1.0)));
        paint::item("lifelines", primitives)
    }

    /// Who takes no part, in a sentence.
    fn absent(&self) -> Option<String> {
        let absent = &self.columns.absent;
        let names = absent.join(", ");
        (!absent.is_empty())
            .then(|| format!("Without part in it, and not drawn: {names}."))
    }

    /// What there is to see.
    fn description(&self, stories: &[Story<'_>], options: &Options) -> String {
        let mut text = format!(
            "Sequence diagram: a line for each process, time runs downwards. {}",
            crate::describe::film(&self.names, stories, options)
        );
        if let Some(absent) = self.absent() {
            text.push(' ');
            text.push_str(&absent);
        }
        text
    }
}

/// The room that the messages of a story need.
fn pairs(tale: &Tale, paints: &Paints) -> Vec<Pair> {
    let pair = |message: &told::Message| {
        let label = &message.label;
        let pill = pill::pill(message.kind, message.form, label, message.records, paints);
        let text = topomotion_text::width(Face::SemiBold, 11.0, label);
        Pair {
            from: message.from.clone(),
            to: message.to.clone(),
            label: label.clone(),
            extra: (2.0 * pill::half_width(&pill) - text).max(0.0),
        }
    };
    tale.messages.iter().map(pair).collect()
}
