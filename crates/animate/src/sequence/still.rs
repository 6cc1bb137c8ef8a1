//! The whole of every story in one picture, one story below another.

use topomotion_scene::{Anchor, Animation, FontFace, Item, Point, Scene, Size};

use super::MARGIN;
use super::paint::{self, Sheet, Slices};
use super::shift::shifted;
use super::{Act, Cast, pages};
use crate::bands::{self, Place};
use crate::draw::{self, Ink};
use crate::stage::Stage;
use crate::theme::Paints;
use crate::{Options, Story, describe};

/// Room below the last story for who takes no part, px.
const FOOT: f64 = 30.0;
/// Length of the lifelines where nothing happens, px.
const EMPTY: f64 = 120.0;

/// Draws the picture.
pub(super) fn draw(scene: &Scene, stories: &[Story<'_>], options: &Options) -> Animation {
    let mut paints = Paints::new(&options.theme);
    let cast = Cast::new(scene, stories, options, &paints);
    let mut backdrop = Vec::new();
    let mut height = 0.0;
    for (index, act) in cast.acts.iter().enumerate() {
        let place = Place { index, of: cast.acts.len() };
        let stage = cast.stage(act.chart.height);
        let items = chapter(&cast, act, place, &stage, options, &mut paints);
        backdrop.extend(items.into_iter().map(|item| shifted(item, height)));
        height += stage.size.height;
    }
    if stories.is_empty() {
        let stage = cast.stage(EMPTY);
        backdrop.extend(cast.backdrop(&stage, &mut paints));
        backdrop.push(bands::title(&options.title, &stage, &paints));
        height = stage.size.height;
    }
    if let Some(text) = cast.absent() {
        backdrop.push(foot(&text, cast.columns.width, height, &paints));
        height += FOOT;
    }
    Animation {
        size: Size { width: cast.columns.width, height },
        title: describe::title(stories, options),
        description: cast.description(stories, options),
        transcript: transcript(&cast),
        backdrop,
        palette: paints.palette(),
        ..Animation::default()
    }
}

/// One story from the top of the canvas on.
fn chapter(
    cast: &Cast<'_>,
    act: &Act<'_>,
    place: Place,
    stage: &Stage,
    options: &Options,
    paints: &mut Paints,
) -> Vec<Item> {
    let mut items = Vec::new();
    if place.index > 0 {
        let rule = [Point::new(0.0, 0.5), Point::new(stage.size.width, 0.5)];
        let line = draw::polyline(&rule, paints.stroke("hairline", 1.0));
        items.push(paint::item("frame", vec![line]));
    }
    items.push(bands::header(&options.title, &act.story, place, stage, paints));
    items.push(bands::tag(act.story.kind, stage, paints));
    items.extend(cast.backdrop(stage, paints));
    items.extend(cast.marks_of_state(stage, act, paints));
    let sheet = Sheet {
        tale: &act.tale,
        chart: &act.chart,
        columns: &cast.columns,
        paints,
        kind: act.story.kind,
        start: act.plan.reading.start,
        page: pages::whole(&act.chart),
        y: cast.top(stage),
    };
    items.extend(sheet.pieces(Slices::Whole).into_iter().map(|piece| piece.item));
    items
}

/// The line that says who takes no part.
pub(super) fn foot(text: &str, width: f64, y: f64, paints: &Paints) -> Item {
    let ink = Ink::new(FontFace::Regular, 11.5, paints.solid("muted"));
    let room = width - 2.0 * MARGIN;
    let short = topomotion_text::ellipsize(draw::face(ink.face), ink.size, text, room);
    let at = Point::new(MARGIN, y + 16.0);
    let mut item = paint::item("absent", vec![ink.line(&short, at, Anchor::Start)]);
    item.name = Some(text.to_owned());
    item
}

/// What is said, at the moment of a picture that has only one.
fn transcript(cast: &Cast<'_>) -> Vec<topomotion_scene::Transcript> {
    let lines = cast.acts.iter().flat_map(|act| cast.transcript(act, 0));
    let at = topomotion_scene::Millis(0);
    lines.map(|line| topomotion_scene::Transcript { at, ..line }).collect()
}
