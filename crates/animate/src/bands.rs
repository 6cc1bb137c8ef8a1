//! Words of the film itself: titles above, captions below, a card at each chapter's start.

use topomotion_scene::{Anchor, FontFace, Item, Point, Primitive, Rect};
use topomotion_trace::Tone;

use crate::draw::{self, Ink};
use crate::stage::Stage;
use crate::theme::Paints;
use crate::tokens::{
    MARGIN, RADIUS_CARD, TYPE_CAPTION, TYPE_CARD, TYPE_CLOCK, TYPE_PACKET, TYPE_STEP,
    TYPE_SUBTITLE, TYPE_TITLE,
};
use crate::{Kind, Story};

/// Room at the right end of the header for the clock, px.
const CLOCK: f64 = 230.0;

/// From one line of a subtitle to the next, px.
const SUBTITLE_PITCH: f64 = 18.0;

/// Where a chapter stands among the others.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    /// From 0.
    pub index: usize,
    /// How many there are.
    pub of: usize,
}

impl Place {
    fn told(self) -> String {
        if self.of > 1 {
            format!("{} / {}   ", self.index + 1, self.of)
        } else {
            String::new()
        }
    }
}

/// The lines between the bands and the scene.
pub(crate) fn frame(stage: &Stage, paints: &Paints) -> Item {
    let mut primitives = Vec::new();
    if stage.captions.height > 0.0 {
        primitives.push(draw::rect(
            stage.captions,
            0.0,
            Some(paints.solid("surface")),
            None,
        ));
        let y = stage.captions.y;
        let line = [Point::new(0.0, y), Point::new(stage.size.width, y)];
        primitives.push(draw::polyline(&line, paints.stroke("hairline", 1.0)));
    }
    Item { class: "frame".into(), id: None, name: None, primitives }
}

/// The title of a still picture.
pub(crate) fn title(text: &str, stage: &Stage, paints: &Paints) -> Item {
    let room = stage.size.width - 2.0 * MARGIN;
    let ink = Ink::new(FontFace::SemiBold, TYPE_TITLE, paints.solid("ink"));
    let primitives = vec![fit(ink, text, Point::new(MARGIN, 33.0), room)];
    Item { class: "title".into(), id: None, name: None, primitives }
}

/// The header of a chapter.
pub(crate) fn header(
    film: &str,
    story: &Story<'_>,
    place: Place,
    stage: &Stage,
    paints: &Paints,
) -> Item {
    let room = stage.size.width - 2.0 * MARGIN - CLOCK;
    let large = Ink::new(FontFace::SemiBold, TYPE_TITLE, paints.solid("ink"));
    let small = Ink::new(FontFace::Regular, TYPE_SUBTITLE, paints.solid("muted"));
    let (first, second) = if film.is_empty() {
        (story.title.to_owned(), format!("{}{}", place.told(), story.description))
    } else {
        (film.to_owned(), format!("{}{}", place.told(), story.title))
    };
    let wrapped =
        topomotion_text::wrap(draw::face(small.face), small.size, &second, room, 2).lines;
    // Two lines of a subtitle take their room from above.
    let rise = if wrapped.len() > 1 { 6.0 } else { 0.0 };
    let mut primitives = vec![fit(large, &first, Point::new(MARGIN, 31.0 - rise), room)];
    let line = |(index, text): (usize, &String)| {
        let base = 53.0 - rise + SUBTITLE_PITCH * index as f64;
        small.line(text, Point::new(MARGIN, base), Anchor::Start)
    };
    primitives.extend(wrapped.iter().enumerate().map(line));
    Item { class: "title".into(), id: None, name: None, primitives }
}

/// The tag that says where the story comes from.
pub(crate) fn tag(kind: Kind, stage: &Stage, paints: &Paints) -> Item {
    let right = stage.size.width - MARGIN;
    let (text, color) = match kind {
        Kind::Executed => ("executed by the engine", "executed"),
        Kind::Scripted => ("scripted", "muted"),
    };
    let ink = Ink::new(FontFace::SemiBold, TYPE_PACKET, paints.solid(color));
    let left = right - ink.width(text) - 13.0;
    let spot = Point::new(left, 23.0);
    let sign = match kind {
        Kind::Executed => draw::polygon(
            &[
                Point::new(left - 3.5, 18.5),
                Point::new(left + 5.0, 23.0),
                Point::new(left - 3.5, 27.5),
            ],
            Some(ink.paint),
            None,
        ),
        Kind::Scripted => draw::circle(spot, 3.5, None, Some(paints.stroke(color, 1.5))),
    };
    let primitives = vec![sign, ink.line(text, Point::new(right, 27.0), Anchor::End)];
    Item { class: "kind".into(), id: None, name: None, primitives }
}

/// Engine time.
pub(crate) fn clock(text: &str, stage: &Stage, paints: &Paints) -> Item {
    let ink = Ink::new(FontFace::Mono, TYPE_CLOCK, paints.solid("ink"));
    let at = Point::new(stage.size.width - MARGIN, 51.0);
    let primitives = vec![ink.line(text, at, Anchor::End)];
    Item { class: "clock".into(), id: None, name: None, primitives }
}

/// The mark that time was compressed.
pub(crate) fn leap(text: &str, stage: &Stage, paints: &Paints) -> Item {
    let ink = Ink::new(FontFace::SemiBold, TYPE_PACKET, paints.solid("warning-ink"));
    let right = stage.size.width - MARGIN - 96.0;
    let width = ink.width(text) + 34.0;
    let place = Rect::new(right - width, 37.0, width, 20.0);
    let stroke = Some(paints.stroke("warning", 1.0));
    let mut primitives =
        vec![draw::rect(place, 10.0, Some(paints.solid("warning-soft")), stroke)];
    for step in [0.0, 7.0] {
        let (x, y) = (place.x + 9.0 + step, place.center().y);
        let wedge =
            [Point::new(x, y - 4.0), Point::new(x + 7.0, y), Point::new(x, y + 4.0)];
        primitives.push(draw::polygon(&wedge, Some(ink.paint), None));
    }
    let base = Point::new(place.x + 26.0, place.y + 14.0);
    primitives.push(ink.line(text, base, Anchor::Start));
    Item { class: "leap".into(), id: None, name: None, primitives }
}

/// The step under way.
pub(crate) fn step(
    text: &str,
    number: usize,
    of: usize,
    stage: &Stage,
    paints: &Paints,
) -> Item {
    let band = stage.captions;
    let strong = Ink::new(FontFace::SemiBold, TYPE_PACKET, paints.solid("muted"));
    let quiet = Ink::new(FontFace::Regular, TYPE_STEP, paints.solid("muted"));
    let head = format!("Step {number} / {of}");
    let after = MARGIN + strong.width(&head) + 12.0;
    let room = band.width - after - MARGIN;
    let primitives = vec![
        strong.line(&head, Point::new(MARGIN, band.y + 23.0), Anchor::Start),
        fit(quiet, text, Point::new(after, band.y + 23.0), room),
    ];
    Item { class: "step".into(), id: None, name: None, primitives }
}

/// A caption.
pub(crate) fn caption(text: &str, tone: Tone, stage: &Stage, paints: &Paints) -> Item {
    let band = stage.captions;
    let paint = match tone {
        Tone::Plain => paints.solid("ink"),
        Tone::Error => paints.solid("error-ink"),
    };
    let ink = Ink::new(FontFace::Regular, TYPE_CAPTION, paint);
    let room = band.width - 2.0 * MARGIN;
    let wrapped = topomotion_text::wrap(draw::face(ink.face), ink.size, text, room, 2);
    let first = band.y + if wrapped.lines.len() > 1 { 51.0 } else { 58.0 };
    let line = |(index, line): (usize, &String)| {
        let at = Point::new(MARGIN, first + 24.0 * index as f64);
        ink.line(line, at, Anchor::Start)
    };
    let primitives = wrapped.lines.iter().enumerate().map(line).collect();
    Item { class: "caption".into(), id: None, name: None, primitives }
}

/// A chapter's title card.
pub(crate) fn card(
    story: &Story<'_>,
    place: Place,
    stage: &Stage,
    paints: &Paints,
) -> Item {
    let width = (stage.size.width - 80.0).min(600.0);
    let inner = width - 64.0;
    let large = Ink::new(FontFace::SemiBold, TYPE_CARD, paints.solid("ink"));
    let plain = Ink::new(FontFace::Regular, 15.0, paints.solid("muted"));
    let small = Ink::new(FontFace::SemiBold, 11.5, paints.solid("muted"));
    let wrap = |ink: Ink, text: &str, most| {
        topomotion_text::wrap(draw::face(ink.face), ink.size, text, inner, most).lines
    };
    let titles = wrap(large, story.title, 2);
    let texts = wrap(plain, story.description, 3);
    let over = match (place.of > 1, story.kind) {
        (true, _) => format!("Scenario {} of {}", place.index + 1, place.of),
        (false, Kind::Executed) => "Executed by the engine".to_owned(),
        (false, Kind::Scripted) => "Scripted".to_owned(),
    };
    let height = 62.0 + titles.len() as f64 * 31.0 + texts.len() as f64 * 22.0;
    let middle = Point::new(
        stage.size.width / 2.0,
        (stage.header.bottom() + stage.captions.y) / 2.0,
    );
    let card = draw::around(middle, width, height);
    let whole = Rect::new(0.0, 0.0, stage.size.width, stage.size.height);
    let fallen = Rect::new(card.x, card.y + 5.0, card.width, card.height);
    let mut primitives: Vec<Primitive> = vec![
        draw::rect(whole, 0.0, Some(paints.faint("page", 0.78)), None),
        draw::rect(fallen, RADIUS_CARD, Some(paints.faint("shadow", 0.1)), None),
        draw::rect(
            card,
            RADIUS_CARD,
            Some(paints.solid("surface")),
            Some(paints.stroke("hairline", 1.25)),
        ),
        small.line(&over, Point::new(middle.x, card.y + 33.0), Anchor::Middle),
    ];
    let mut y = card.y + 64.0;
    for line in &titles {
        primitives.push(large.line(line, Point::new(middle.x, y), Anchor::Middle));
        y += 31.0;
    }
    for line in &texts {
        primitives.push(plain.line(line, Point::new(middle.x, y - 3.0), Anchor::Middle));
        y += 22.0;
    }
    Item { class: "card".into(), id: None, name: None, primitives }
}

/// One line, shortened to the room there is.
fn fit(ink: Ink, text: &str, at: Point, room: f64) -> Primitive {
    let text = topomotion_text::ellipsize(draw::face(ink.face), ink.size, text, room);
    ink.line(&text, at, Anchor::Start)
}
