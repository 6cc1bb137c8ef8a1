//! A chart in its colours, as items that each know from which moment on they are seen.

use topomotion_scene::{Anchor, FontFace, Item, Point, Primitive, Rect, Stroke};
use topomotion_trace::{Time, Tone};

use super::chart::{Arrow, Bar, Chart, Doing, Holds, LINE, Row, Shape, instant};
use super::columns::{Columns, NOTES};
use super::marks::Sign;
use super::pages::Page;
use super::shift::shifted;
use super::signs::{self, Head};
use super::told::{Message, Tale};
use crate::Kind;
use crate::clock;
use crate::draw::{self, Ink};
use crate::pill::{self, Form};
use crate::reading::Fate;
use crate::theme::Paints;
use crate::warp::Moment;

/// When a piece is first seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Seen {
    /// At this moment.
    At(Moment),
    /// When the present has come down to this height of the chart.
    Height(f64),
}

/// Something drawn.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Piece {
    /// What.
    pub item: Item,
    /// From when on.
    pub from: Seen,
    /// Until when, if not to the end.
    pub to: Option<Moment>,
}

/// A page of a chart, to be drawn with its top at `y`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sheet<'a> {
    pub tale: &'a Tale,
    pub chart: &'a Chart,
    pub columns: &'a Columns,
    pub paints: &'a Paints,
    pub kind: Kind,
    /// When the story begins.
    pub start: Time,
    pub page: Page,
    pub y: f64,
}

/// What part of a lifeline's bar is one piece.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Slices {
    /// All of it.
    Whole,
    /// So much, px.
    Each(f64),
}

impl Sheet<'_> {
    /// Everything on the page, in drawing order.
    pub fn pieces(&self, slices: Slices) -> Vec<Piece> {
        let rows = || self.chart.rows.iter().filter(|row| self.page.shows(row));
        let mut pieces: Vec<Piece> = rows().filter_map(|row| self.ground(row)).collect();
        for bar in &self.chart.bars {
            self.bar(bar, slices, &mut pieces);
        }
        pieces.extend(self.ticks());
        let messages = self.tale.messages.iter().zip(&self.chart.arrows);
        pieces.extend(messages.filter_map(|(message, arrow)| self.line(message, arrow)));
        pieces.extend(rows().filter_map(|row| self.row(row)));
        for piece in &mut pieces {
            piece.item =
                shifted(std::mem::take(&mut piece.item), self.y - self.page.shown);
        }
        pieces
    }

    /// The ways of messages, seen while they are under way.
    pub fn ghosts(&self) -> Vec<Piece> {
        let messages = self.tale.messages.iter().zip(&self.chart.arrows);
        let ghost = |(message, arrow): (&Message, &Arrow)| {
            let path = clipped(&arrow.path, self.page);
            if path.len() < 2 {
                return None;
            }
            let mut stroke = self.paints.stroke(color(message), 1.25);
            stroke.paint.opacity = 0.55;
            stroke.dash = vec![1.5, 4.0];
            let item = item("way", vec![draw::polyline(&path, stroke)]);
            Some(Piece {
                item: shifted(item, self.y - self.page.shown),
                from: Seen::At(Moment::Leave(message.sent)),
                to: Some(Moment::Enter(message.end)),
            })
        };
        messages.filter_map(ghost).collect()
    }

    fn told(&self, at: Time) -> String {
        clock::told(Time(at.0.saturating_sub(self.start.0)))
    }

    /// The line of a message that has ended its way, and its end.
    fn line(&self, message: &Message, arrow: &Arrow) -> Option<Piece> {
        let path = clipped(&arrow.path, self.page);
        let (last, end) = (*path.last()?, *arrow.path.last()?);
        if path.len() < 2 {
            return None;
        }
        let name = color(message);
        let mut stroke = self.paints.stroke(name, 1.6);
        if message.form == Form::Response || message.fate == Fate::Pending {
            stroke.dash = vec![6.0, 4.0];
            stroke.width = 1.4;
        }
        let mut primitives = vec![draw::polyline(&path, stroke)];
        if last == end {
            let from = path[path.len() - 2];
            primitives.extend(self.end(message, from, last, name));
        }
        let from = Seen::At(Moment::Enter(message.end));
        Some(Piece { item: item("line", primitives), from, to: None })
    }

    fn end(
        &self,
        message: &Message,
        from: Point,
        tip: Point,
        name: &str,
    ) -> Vec<Primitive> {
        match message.fate {
            Fate::Arrived => {
                let head = match message.form {
                    Form::Response => Head::Open,
                    Form::Request | Form::Failing => Head::Closed,
                };
                vec![signs::arrow_head(from, tip, head, name, self.paints)]
            }
            Fate::Lost(_) => {
                let cross = pill::cross(self.paints);
                let moved = super::shift::moved(cross, tip.x, tip.y);
                moved.primitives
            }
            Fate::Pending => {
                let rim = Some(self.paints.stroke(name, 1.4));
                vec![draw::circle(tip, 3.5, Some(self.paints.solid("page")), rim)]
            }
        }
    }

    fn ticks(&self) -> Vec<Piece> {
        let on_page = |y: f64| self.page.shown <= y && y < self.page.bottom;
        let tick = |y: f64, text: &str, moment: Moment| {
            let ink = Ink::new(FontFace::Mono, 10.5, self.paints.solid("muted"));
            let right = self.columns.lane.0 - 20.0;
            let dash = [Point::new(right + 5.0, y), Point::new(right + 11.0, y)];
            let primitives = vec![
                ink.line(text, Point::new(right, y + 3.5), Anchor::End),
                draw::polyline(&dash, self.paints.stroke("line", 1.0)),
            ];
            Piece { item: item("time", primitives), from: Seen::At(moment), to: None }
        };
        match self.kind {
            Kind::Executed => {
                let mut last = String::new();
                let mut ticks = Vec::new();
                for found in self.chart.ticks.iter().filter(|tick| on_page(tick.y)) {
                    let text = self.told(instant(found.moment));
                    if text != last {
                        ticks.push(tick(found.y, &text, found.moment));
                    }
                    last = text;
                }
                ticks
            }
            // The times of a scripted story mean nothing: its messages are counted.
            Kind::Scripted => {
                let sends = self
                    .chart
                    .rows
                    .iter()
                    .filter(|row| matches!(row.shape, Shape::Pill(_)));
                let numbered = sends.enumerate().filter(|(_, row)| on_page(row.y));
                let mut ticks: Vec<(f64, String, Moment)> = Vec::new();
                for (index, row) in numbered {
                    let number = format!("{}", index + 1);
                    match ticks.last_mut().filter(|last| row.y < last.0 + 10.0) {
                        Some(last) => last.1 = format!("{}, {number}", last.1),
                        None => ticks.push((row.y, number, row.moment)),
                    }
                }
                ticks.iter().map(|(y, text, moment)| tick(*y, text, *moment)).collect()
            }
        }
    }

    fn bar(&self, bar: &Bar, slices: Slices, pieces: &mut Vec<Piece>) {
        let (top, bottom) =
            (bar.top.max(self.page.shown), bar.bottom.min(self.page.bottom));
        let step = match slices {
            Slices::Whole => f64::INFINITY,
            Slices::Each(step) => step,
        };
        let mut y = top;
        while y < bottom {
            let mut end = (y + step).min(bottom);
            if bottom - end < 4.0 {
                end = bottom;
            }
            let primitives = self.stretch(bar, y, end);
            let from = if y <= bar.top { Seen::At(bar.from) } else { Seen::Height(y) };
            let mut drawn = item("bar", primitives);
            drawn.id = self.columns.lifelines.get(bar.column).map(|line| line.id.clone());
            pieces.push(Piece { item: drawn, from, to: None });
            y = end;
        }
    }

    fn stretch(&self, bar: &Bar, top: f64, bottom: f64) -> Vec<Primitive> {
        let x = self.columns.x(bar.column);
        let place = Rect::new(x - 4.0, top, 8.0, bottom - top);
        let role = self.columns.heads.nodes.get(bar.column).map_or("", |node| &node.role);
        let look = self.paints.role(role);
        let (fill, line, dash) = match bar.doing {
            Doing::Active => (look.fill, look.line, Vec::new()),
            Doing::Down => {
                (self.paints.solid("page"), self.paints.solid("stopped"), vec![3.0, 4.0])
            }
            Doing::Paused => (
                self.paints.solid("warning-soft"),
                self.paints.solid("warning"),
                vec![3.0, 3.0],
            ),
        };
        let stroke =
            |dash: &[f64]| Stroke { paint: line, width: 1.25, dash: dash.to_vec() };
        let side = |x: f64| {
            draw::polyline(&[Point::new(x, top), Point::new(x, bottom)], stroke(&dash))
        };
        let cap = |y: f64| {
            let ends = [Point::new(place.x, y), Point::new(place.right(), y)];
            draw::polyline(&ends, stroke(&[]))
        };
        let mut all = vec![
            draw::rect(place, 0.0, Some(fill), None),
            side(place.x),
            side(place.right()),
        ];
        if top <= bar.top {
            all.push(cap(top));
        }
        if bottom >= bar.bottom {
            all.push(cap(bottom));
        }
        all
    }

    fn row(&self, row: &Row) -> Option<Piece> {
        let (drawn, from) = match &row.shape {
            Shape::Pill(index) => return self.name(*index, row),
            Shape::Tip(_) => return None,
            Shape::Step { number, text } => (self.step(row, *number, text), row.moment),
            Shape::Mark { lines, sign, x, column, full } => {
                let mut drawn = self.mark(row, lines, *sign, *x);
                let line = self.columns.lifelines.get(*column)?;
                drawn.id = Some(line.id.clone());
                let text = if full.is_empty() { "glows" } else { full };
                drawn.name = Some(format!("{}: {text}", line.name));
                (drawn, row.moment)
            }
            Shape::Words { lines, label, tone, x, full } => {
                let mut drawn = self.words(row, lines, label.as_deref(), *tone, *x);
                drawn.name = Some(full.clone());
                (drawn, row.moment)
            }
            Shape::Across { text, tone } => (self.across(row, text, *tone), row.moment),
            Shape::Verdict { number, lines, holds } => {
                (self.verdict(row, *number, lines, *holds), row.moment)
            }
            Shape::Note { lines, tone, full } => {
                let mut drawn = self.note(row, lines, *tone);
                drawn.name = Some(full.clone());
                (drawn, row.moment)
            }
            Shape::Fold { length, routine } => {
                (self.fold_words(row, length, routine), row.moment)
            }
            Shape::Foot { lines } => {
                let ink = Ink::new(FontFace::Regular, 11.5, self.paints.solid("muted"));
                let at = Point::new(row.rect.x + 8.0, row.y + 3.0);
                let ground = self.paints.faint("page", 0.88);
                let mut drawn = vec![draw::rect(row.rect, 3.0, Some(ground), None)];
                drawn.extend(block(ink, lines, at, LINE));
                (item("foot", drawn), row.moment)
            }
        };
        Some(Piece { item: drawn, from: Seen::At(from), to: None })
    }

    /// The message's name, and the short way on which it leaves.
    fn name(&self, index: usize, row: &Row) -> Option<Piece> {
        let message = self.tale.messages.get(index)?;
        let arrow = self.chart.arrows.get(index)?;
        let start = *arrow.path.first()?;
        let mut stroke = self.paints.stroke(color(message), 1.6);
        if message.form == Form::Response {
            stroke.dash = vec![6.0, 4.0];
        }
        let mut primitives = vec![draw::polyline(&[start, arrow.middle], stroke)];
        let pill =
            super::shift::moved(arrow.pill.clone(), arrow.middle.x, arrow.middle.y);
        primitives.extend(pill.primitives);
        let mut drawn = item("message", primitives);
        drawn.name = Some(match self.kind {
            Kind::Executed => format!(
                "{}, {} to {}",
                message.title,
                self.told(message.sent),
                self.told(message.end)
            ),
            Kind::Scripted => message.title.clone(),
        });
        Some(Piece { item: drawn, from: Seen::At(row.moment), to: None })
    }

    fn step(&self, row: &Row, number: usize, text: &str) -> Item {
        let strong = Ink::new(FontFace::SemiBold, 11.0, self.paints.solid("muted"));
        let plain = Ink::new(FontFace::Regular, 12.0, self.paints.solid("ink"));
        let rect = row.rect;
        let head = format!("Step {number}");
        let after = rect.x + strong.width(&head) + 18.0;
        let room = rect.right() - after - 8.0;
        let text =
            topomotion_text::ellipsize(draw::face(plain.face), plain.size, text, room);
        let ground = Rect::new(
            rect.x,
            rect.y + 6.0,
            after + plain.width(&text) + 8.0 - rect.x,
            rect.height - 6.0,
        );
        let top = rect.y + 3.0;
        let line = [Point::new(rect.x, top), Point::new(rect.right(), top)];
        let mut drawn = item(
            "step",
            vec![
                draw::polyline(&line, self.paints.stroke("group-line", 1.0)),
                draw::rect(ground, 3.0, Some(self.paints.faint("page", 0.88)), None),
                strong.line(&head, Point::new(rect.x + 8.0, row.y + 4.0), Anchor::Start),
                plain.line(&text, Point::new(after, row.y + 4.0), Anchor::Start),
            ],
        );
        drawn.name = Some(format!("{head}: {text}"));
        drawn
    }

    fn mark(&self, row: &Row, lines: &[String], sign: Sign, x: f64) -> Item {
        let paints = self.paints;
        if lines.is_empty() {
            let middle = Point::new(x, row.y);
            let ring = |radius: f64, opacity: f32| {
                let paint = paints.faint("error", opacity);
                let stroke = Stroke { paint, width: 2.0, dash: Vec::new() };
                draw::circle(middle, radius, None, Some(stroke))
            };
            let spot = draw::circle(middle, 3.5, Some(paints.solid("error")), None);
            return item("mark", vec![ring(10.0, 0.3), ring(6.5, 0.7), spot]);
        }
        let (fill, line, text) = signs::colors(sign);
        let ink = Ink::new(FontFace::SemiBold, 11.0, paints.solid(text));
        let stroke = Some(paints.stroke(line, 1.25));
        let mut primitives =
            vec![draw::rect(row.rect, 11.0, Some(paints.solid(fill)), stroke)];
        let spot = Point::new(row.rect.x + 14.0, row.y);
        primitives.extend(signs::sign(sign, spot, paints));
        let at = Point::new(row.rect.x + 25.0, row.y + 4.0);
        primitives.extend(block(ink, lines, at, 14.0));
        item("mark", primitives)
    }

    fn words(
        &self,
        row: &Row,
        lines: &[String],
        label: Option<&str>,
        tone: Tone,
        x: f64,
    ) -> Item {
        let paints = self.paints;
        let (fill, line, text) = tone_colors(tone);
        let rect = row.rect;
        let middle = x.clamp(rect.x + 10.0, (rect.right() - 10.0).max(rect.x + 10.0));
        let stroke = || Some(paints.stroke(line, 1.25));
        let corners = [
            Point::new(middle - 5.0, rect.y),
            Point::new(middle, rect.y - 5.0),
            Point::new(middle + 5.0, rect.y),
        ];
        let mut primitives = vec![
            draw::rect(rect, 7.0, Some(paints.solid(fill)), stroke()),
            draw::polygon(&corners, Some(paints.solid(fill)), None),
            draw::polyline(&corners, paints.stroke(line, 1.25)),
        ];
        let mut y = rect.y + 15.0;
        if let Some(label) = label {
            let ink = Ink::new(FontFace::SemiBold, 10.0, paints.solid("page"));
            let chip =
                Rect::new(rect.x + 8.0, rect.y + 6.0, ink.width(label) + 12.0, 16.0);
            let ground = if tone == Tone::Error { "error-ink" } else { "muted" };
            primitives.push(draw::rect(chip, 4.0, Some(paints.solid(ground)), None));
            let at = Point::new(chip.x + 6.0, chip.y + 11.5);
            primitives.push(ink.line(label, at, Anchor::Start));
            y += 20.0;
        }
        let ink = Ink::new(FontFace::Regular, 12.0, paints.solid(text));
        primitives.extend(block(ink, lines, Point::new(rect.x + 10.0, y), LINE));
        item("bubble", primitives)
    }

    fn across(&self, row: &Row, text: &str, tone: Tone) -> Item {
        let (fill, line, color) = match tone {
            Tone::Plain => ("surface", "running", "ink"),
            Tone::Error => tone_colors(tone),
        };
        let ink = Ink::new(FontFace::SemiBold, 11.0, self.paints.solid(color));
        let room = row.rect.width - 40.0;
        let text = topomotion_text::ellipsize(draw::face(ink.face), ink.size, text, room);
        let width = ink.width(&text) + 28.0;
        let mut stroke = self.paints.stroke(line, 1.5);
        stroke.dash = vec![7.0, 5.0];
        let ends = [Point::new(row.rect.x, row.y), Point::new(row.rect.right(), row.y)];
        let chip = Rect::new(row.rect.x + 10.0, row.rect.y, width, row.rect.height);
        let border = Some(self.paints.stroke(line, 1.25));
        let at = Point::new(chip.x + 14.0, row.y + 4.0);
        item(
            "fault",
            vec![
                draw::polyline(&ends, stroke),
                draw::rect(chip, 11.0, Some(self.paints.solid(fill)), border),
                ink.line(&text, at, Anchor::Start),
            ],
        )
    }

    fn verdict(&self, row: &Row, number: usize, lines: &[String], holds: Holds) -> Item {
        let paints = self.paints;
        let (fill, line, color) = match holds {
            Holds::Yes => ("surface", "running", "ink"),
            Holds::No => ("error-soft", "error", "error-ink"),
        };
        let ink = Ink::new(FontFace::SemiBold, 12.0, paints.solid(color));
        let strong = Ink::new(FontFace::SemiBold, 11.0, paints.solid("muted"));
        let head = format!("Step {number}");
        let left = row.rect.x + strong.width(&head) + 18.0;
        let wide = lines.iter().map(|line| ink.width(line)).fold(0.0, f64::max);
        let chip = Rect::new(left, row.rect.y, wide + 40.0, row.rect.height);
        let ground = Rect::new(row.rect.x, row.y - 9.0, left - row.rect.x, 18.0);
        let stroke = Some(paints.stroke(line, 1.5));
        let mut primitives = vec![
            draw::rect(ground, 3.0, Some(paints.faint("page", 0.88)), None),
            strong.line(&head, Point::new(row.rect.x + 8.0, row.y + 4.0), Anchor::Start),
            draw::rect(chip, 11.0, Some(paints.solid(fill)), stroke),
        ];
        let spot = Point::new(chip.x + 16.0, row.y);
        primitives.extend(match holds {
            Holds::Yes => signs::tick(spot, paints),
            Holds::No => signs::cross(spot, paints),
        });
        let at = Point::new(chip.x + 28.0, row.y + 4.5);
        primitives.extend(block(ink, lines, at, LINE));
        let mut drawn = item("verdict", primitives);
        let word = if holds == Holds::Yes { "It holds" } else { "Broken" };
        drawn.name = Some(format!("{word}: {}", lines.join(" ")));
        drawn
    }

    fn note(&self, row: &Row, lines: &[String], tone: Tone) -> Item {
        let paints = self.paints;
        let (line, color) = match tone {
            Tone::Plain => ("group-line", "ink"),
            Tone::Error => ("error", "error-ink"),
        };
        let rule = row.rect.x + 1.5;
        let (top, bottom) = (row.rect.y + 1.0, row.rect.bottom() - 1.0);
        let mut leader = paints.stroke(line, 1.0);
        leader.dash = vec![2.0, 3.0];
        let from = Point::new(self.columns.lane.1 - 10.0, row.y);
        let ink = Ink::new(FontFace::Regular, 12.0, paints.solid(color));
        let mut primitives = vec![
            draw::polyline(&[from, Point::new(rule, row.y)], leader),
            draw::polyline(
                &[Point::new(rule, top), Point::new(rule, bottom)],
                paints.stroke(line, 3.0),
            ),
        ];
        let at = Point::new(row.rect.x + 12.0, row.y + 3.5);
        primitives.extend(block(ink, lines, at, LINE));
        debug_assert!(row.rect.width <= NOTES + 1.0, "notes stay in their margin");
        item("note", primitives)
    }

    /// What stands behind the bars: at a fold nothing is drawn to scale.
    fn ground(&self, row: &Row) -> Option<Piece> {
        let Shape::Fold { .. } = row.shape else { return None };
        let (item, from) = (self.fold(row), Seen::At(row.moment));
        Some(Piece { item, from, to: None })
    }

    /// A broken axis.
    fn fold(&self, row: &Row) -> Item {
        let paints = self.paints;
        let rect = row.rect;
        let mut dotted = paints.stroke("line", 1.25);
        dotted.dash = vec![1.0, 5.0];
        let mut primitives =
            vec![draw::rect(rect, 0.0, Some(paints.solid("page")), None)];
        for lifeline in &self.columns.lifelines {
            let ends = [
                Point::new(lifeline.x, rect.y + 3.0),
                Point::new(lifeline.x, rect.bottom() - 2.0),
            ];
            primitives.push(draw::polyline(&ends, dotted.clone()));
        }
        item("fold", primitives)
    }

    /// How long the fold is, and what went on in it.
    fn fold_words(&self, row: &Row, length: &str, routine: &str) -> Item {
        let paints = self.paints;
        let rect = row.rect;
        let ink = Ink::new(FontFace::SemiBold, 11.0, paints.solid("warning-ink"));
        let width = ink.width(length) + 35.0;
        let right = self.columns.lane.0 - 12.0;
        let middle = rect.center().y;
        let chip = Rect::new(right - width, middle - 10.0, width, 20.0);
        let stroke = Some(paints.stroke("warning", 1.0));
        let fill = Some(paints.solid("warning-soft"));
        let mut primitives = vec![draw::rect(chip, 10.0, fill, stroke)];
        for step in [0.0, 5.0, 10.0] {
            let dot = Point::new(chip.x + 10.0 + step, middle);
            primitives.push(draw::circle(dot, 1.4, Some(ink.paint), None));
        }
        let at = Point::new(chip.right() - 8.0, middle + 4.0);
        primitives.push(ink.line(length, at, Anchor::End));
        let quiet = Ink::new(FontFace::Regular, 11.0, paints.solid("muted"));
        let left = self.columns.lane.0 + 8.0;
        let room = rect.right() - left - 16.0;
        let text =
            topomotion_text::ellipsize(draw::face(quiet.face), quiet.size, routine, room);
        if !text.is_empty() {
            let ground =
                Rect::new(left - 6.0, middle - 9.0, quiet.width(&text) + 12.0, 18.0);
            let border = Some(paints.stroke("hairline", 1.0));
            primitives.push(draw::rect(ground, 9.0, Some(paints.solid("page")), border));
            primitives.push(quiet.line(
                &text,
                Point::new(left, middle + 4.0),
                Anchor::Start,
            ));
        }
        let mut drawn = item("fold", primitives);
        drawn.name = Some(format!("Nothing of note for {length}. {routine}"));
        drawn
    }
}

/// The colour of a message.
pub(crate) fn color(message: &Message) -> &'static str {
    match message.form {
        Form::Failing => "packet-error",
        Form::Request | Form::Response => message.kind.color(),
    }
}

fn tone_colors(tone: Tone) -> (&'static str, &'static str, &'static str) {
    match tone {
        Tone::Plain => ("surface", "line", "ink"),
        Tone::Error => ("error-soft", "error", "error-ink"),
    }
}

pub(crate) fn item(class: &str, primitives: Vec<Primitive>) -> Item {
    Item { class: class.to_owned(), id: None, name: None, primitives }
}

/// Lines of text below one another.
fn block(ink: Ink, lines: &[String], first: Point, apart: f64) -> Vec<Primitive> {
    let line = |(index, text): (usize, &String)| {
        let at = Point::new(first.x, first.y + apart * index as f64);
        ink.line(text, at, Anchor::Start)
    };
    lines.iter().enumerate().map(line).collect()
}

/// The part of a falling line that is on the page.
pub(crate) fn clipped(path: &[Point], page: Page) -> Vec<Point> {
    let mut kept: Vec<Point> = Vec::new();
    for pair in path.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        let (top, bottom) = (a.y.max(page.shown), b.y.min(page.bottom));
        if top > bottom || a.y > page.bottom || b.y < page.shown {
            continue;
        }
        let at = |y: f64| {
            let part = if b.y > a.y { (y - a.y) / (b.y - a.y) } else { 0.0 };
            Point::new(a.x + (b.x - a.x) * part, y)
        };
        let (first, last) = if b.y > a.y { (at(top), at(bottom)) } else { (a, b) };
        if kept.last() != Some(&first) {
            kept.push(first);
        }
        kept.push(last);
    }
    kept
}
