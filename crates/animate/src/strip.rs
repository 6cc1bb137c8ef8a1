//! A replica's row: its name and role on the left, the end of its log as cells on the right.
//!
//! Cells up to the high watermark are filled, those beyond it are dashed and empty; the
//! watermark is a tick with its own label, so that it is told by more than colour.

use topomotion_scene::{Anchor, FontFace, Item, Point, Primitive, Rect, Stroke};

use crate::draw::{self, Ink};
use crate::ledger::{Registration, Replica};
use crate::theme::Paints;

/// Room at both ends of a row, px.
const SIDE: f64 = 10.0;
/// Width of the left part, px.
const LEFT: f64 = 94.0;
/// Width of a cell, px.
const CELL: f64 = 17.0;
/// Most cells of a strip.
const MOST_CELLS: f64 = 8.0;

/// Whose row it is, and what the row shows.
#[derive(Debug)]
pub(crate) struct Subject<'a> {
    /// The process's id.
    pub process: &'a str,
    /// The process's name.
    pub name: &'a str,
    /// The partition.
    pub partition: &'a str,
    /// The replica, if the trace has told of it.
    pub replica: &'a Replica,
    /// What the controller has committed.
    pub registration: Option<&'a Registration>,
}

impl Subject<'_> {
    fn leads(&self) -> bool {
        self.replica.leader.as_deref() == Some(self.process)
    }

    fn role(&self) -> &'static str {
        match &self.replica.leader {
            Some(leader) if leader == self.process => "leader",
            Some(_) => "follower",
            None => "no leader",
        }
    }
}

/// The row's name, epoch, role and in-sync set.
pub(crate) fn head(subject: &Subject<'_>, row: Rect, paints: &Paints) -> Item {
    let (x, y) = (row.x + SIDE, row.y);
    let name = Ink::new(FontFace::Mono, 11.0, paints.solid("ink"));
    let quiet = Ink::new(FontFace::Mono, 9.5, paints.solid("muted"));
    let epoch = format!("e{}", subject.replica.epoch);
    let room = LEFT - quiet.width(&epoch) - 8.0;
    let shown =
        topomotion_text::ellipsize(draw::face(name.face), 11.0, subject.partition, room);
    let after = x + name.width(&shown) + 6.0;
    let mut primitives = vec![
        name.line(&shown, Point::new(x, y + 15.0), Anchor::Start),
        quiet.line(&epoch, Point::new(after, y + 15.0), Anchor::Start),
    ];
    let end = role_chip(subject, Point::new(x, y + 21.0), paints, &mut primitives);
    let told = subject
        .registration
        .filter(|told| told.leader.as_deref() == Some(subject.process));
    if let Some(registration) = told.filter(|_| subject.leads()) {
        let members: Vec<String> = registration.isr.iter().map(|id| short(id)).collect();
        let text = format!("ISR {}", members.join(","));
        let room = x + LEFT + 2.0 - end - 6.0;
        let text = topomotion_text::ellipsize(draw::face(quiet.face), 9.5, &text, room);
        primitives.push(quiet.line(
            &text,
            Point::new(end + 6.0, y + 31.0),
            Anchor::Start,
        ));
    }
    let name = format!(
        "{} on {}: {}, epoch {}",
        subject.partition,
        subject.name,
        subject.role(),
        subject.replica.epoch
    );
    Item {
        class: "replica".into(),
        id: Some(subject.partition.into()),
        name: Some(name),
        primitives,
    }
}

/// Draws the chip and returns its right end.
fn role_chip(
    subject: &Subject<'_>,
    at: Point,
    paints: &Paints,
    primitives: &mut Vec<Primitive>,
) -> f64 {
    let text = subject.role();
    let (fill, stroke, ink) = if subject.leads() {
        (Some(paints.solid("leader")), None, paints.solid("leader-text"))
    } else {
        (None, Some(paints.stroke("line", 1.0)), paints.solid("muted"))
    };
    let ink = Ink::new(FontFace::SemiBold, 9.0, ink);
    let width = ink.width(text) + 10.0;
    let place = Rect::new(at.x, at.y, width, 14.0);
    primitives.push(draw::rect(place, 4.0, fill, stroke));
    let base = Point::new(place.center().x, at.y + 10.25);
    primitives.push(ink.line(text, base, Anchor::Middle));
    place.right()
}

/// What a process is called in a very small place: the number at the end of its id.
fn short(id: &str) -> String {
    let stem = id.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = &id[stem.len()..];
    if number.is_empty() { id.chars().take(3).collect() } else { number.to_owned() }
}

/// The last records of the log, the high watermark and the log end.
pub(crate) fn cells(subject: &Subject<'_>, row: Rect, paints: &Paints) -> Item {
    let left = row.x + SIDE + LEFT + 14.0;
    let room = row.right() - SIDE - left;
    let count = (room / CELL).floor().clamp(1.0, MOST_CELLS) as i64;
    let replica = subject.replica;
    let end = replica.end.max(0);
    let first = (end - count).max(0);
    let top = row.y + 6.0;
    let mut primitives = Vec::new();
    let foot = Point::new(left, top + 18.0);
    let far = Point::new(left + CELL * count as f64, foot.y);
    primitives.push(draw::polyline(&[foot, far], paints.stroke("hairline", 1.0)));
    for offset in first..end {
        let x = left + (offset - first) as f64 * CELL;
        let place = Rect::new(x + 0.75, top, CELL - 1.5, 18.0);
        cell(offset, place, offset < replica.watermark, paints, &mut primitives);
    }
    let place = |offset: i64| left + (offset.clamp(first, end) - first) as f64 * CELL;
    watermark(
        place(replica.watermark),
        (left, far.x),
        top,
        replica.watermark,
        paints,
        &mut primitives,
    );
    let name = format!(
        "{} on {}: log end {end}, high watermark {}",
        subject.partition, subject.name, replica.watermark
    );
    Item {
        class: "log".into(),
        id: Some(subject.partition.into()),
        name: Some(name),
        primitives,
    }
}

fn cell(
    offset: i64,
    place: Rect,
    committed: bool,
    paints: &Paints,
    primitives: &mut Vec<Primitive>,
) {
    let (fill, ink) =
        if committed { ("cell", "cell-ink") } else { ("cell-open", "cell-open-ink") };
    let dash = if committed { Vec::new() } else { vec![2.5, 2.0] };
    let stroke = Stroke { dash, ..paints.stroke("cell-line", 1.0) };
    primitives.push(draw::rect(place, 3.0, Some(paints.solid(fill)), Some(stroke)));
    let text = offset.to_string();
    let size = if text.len() > 2 { 7.0 } else { 9.0 };
    let ink = Ink::new(FontFace::Mono, size, paints.solid(ink));
    let base = Point::new(place.center().x, place.y + 12.25);
    primitives.push(ink.line(&text, base, Anchor::Middle));
}

fn watermark(
    x: f64,
    (low, high): (f64, f64),
    top: f64,
    offset: i64,
    paints: &Paints,
    primitives: &mut Vec<Primitive>,
) {
    let tick = [Point::new(x, top - 2.0), Point::new(x, top + 22.0)];
    primitives.push(draw::polyline(&tick, paints.stroke("watermark", 2.0)));
    let flag = [
        Point::new(x, top + 24.0),
        Point::new(x + 3.0, top + 20.0),
        Point::new(x - 3.0, top + 20.0),
    ];
    primitives.push(draw::polygon(&flag, Some(paints.solid("watermark")), None));
    let ink = Ink::new(FontFace::SemiBold, 9.0, paints.solid("watermark"));
    let text = format!("HW {offset}");
    let half = ink.width(&text) / 2.0;
    let middle = x.max(low + half - 12.0).min(high - half);
    primitives.push(ink.line(&text, Point::new(middle, top + 33.0), Anchor::Middle));
}

/// One row of text: a consumer's position, or what a producer has sent and heard.
pub(crate) fn text_row(parts: &[(&str, String)], row: Rect, paints: &Paints) -> Item {
    let label = Ink::new(FontFace::Regular, 10.5, paints.solid("muted"));
    let value = Ink::new(FontFace::Mono, 10.5, paints.solid("ink"));
    let mut x = row.x + SIDE;
    let mut primitives = Vec::new();
    for (name, text) in parts {
        let base = row.y + 15.0;
        primitives.push(label.line(name, Point::new(x, base), Anchor::Start));
        x += label.width(name) + 5.0;
        primitives.push(value.line(text, Point::new(x, base), Anchor::Start));
        x += value.width(text) + 12.0;
    }
    let told: Vec<String> =
        parts.iter().map(|(name, text)| format!("{name} {text}")).collect();
    Item { class: "row".into(), id: None, name: Some(told.join(", ")), primitives }
}
