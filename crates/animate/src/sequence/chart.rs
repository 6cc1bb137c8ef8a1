//! A story's place on paper: which height belongs to which moment.
//!
//! Time runs downwards, but not to scale: each entry gets the least height at which its
//! label touches no other. So the map from moments to heights is monotone, and nothing more:
//! what happens later never stands higher; what happens at one instant may share a row, if
//! its labels leave room. True times stand at the left, and quiet stretches are folded. A
//! message leaves as its name, level with the moment of its departure, and then slants to
//! the moment of its arrival.

use std::collections::BTreeMap;

use topomotion_scene::{FontFace, Item, Point, Rect};
use topomotion_trace::{Loss, PacketId, Time, Tone};

use super::columns::{Columns, NOTES};
use super::marks::Sign;
use super::told::{Message, Tale, Told, times};
use crate::draw;
use crate::pill;
use crate::reading::Fate;
use crate::theme::Paints;
use crate::warp::Moment;

/// Room above the first entry and below the last, px.
const TOP: f64 = 22.0;
const BOTTOM: f64 = 18.0;
/// Least distance of two instants, px.
const APART: f64 = 10.0;
/// Least distance of two labels, px.
const PAD: f64 = 4.0;
/// Least fall of a message, px.
const FALL: f64 = 16.0;
/// Room between a lifeline and a label beside it, px.
const BESIDE: f64 = 9.0;
/// Least distance of two times at the left, px.
const TICK: f64 = 15.0;
/// Longest line of words at a process and of a mark, px.
const WORDS: f64 = 200.0;
const MARK: f64 = 190.0;
/// Line heights, px.
pub(crate) const LINE: f64 = 15.0;
/// Height of a fold, px.
const FOLD: f64 = 34.0;
/// Longest name of a message, px.
const LONGEST: f64 = 150.0;
/// Height of a name, px.
const PILL: f64 = 20.0;

/// What an entry looks like.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    /// A line across with the step's text.
    Step { number: usize, text: String },
    /// The name of this message.
    Pill(usize),
    /// The end of this message's way.
    Tip(usize),
    /// Words on a lifeline.
    Mark { lines: Vec<String>, sign: Sign, x: f64, column: usize, full: String },
    /// A bubble on a lifeline.
    Words { lines: Vec<String>, label: Option<String>, tone: Tone, x: f64, full: String },
    /// A line across.
    Across { text: String, tone: Tone },
    /// The verdict on what this step expects.
    Verdict { number: usize, lines: Vec<String>, holds: Holds },
    /// A note in the margin.
    Note { lines: Vec<String>, tone: Tone, full: String },
    /// A broken axis.
    Fold { length: String, routine: String },
    /// What was left out.
    Foot { lines: Vec<String> },
}

/// Whether a demand was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    /// It was.
    Yes,
    /// It was not.
    No,
}

/// An entry in its place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    /// The moment that it belongs to.
    pub moment: Moment,
    /// The height that belongs to this moment.
    pub y: f64,
    /// What its label covers.
    pub rect: Rect,
    /// What it looks like.
    pub shape: Shape,
}

/// A message in its place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Arrow {
    /// From the sender, along its name, to its end.
    pub path: Vec<Point>,
    /// Its name, around the origin.
    pub pill: Item,
    /// Where the name stands.
    pub middle: Point,
}

/// What a stretch of a lifeline shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Doing {
    /// It works at something.
    Active,
    /// It is down.
    Down,
    /// It stands still.
    Paused,
}

/// A stretch of a lifeline.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bar {
    /// Whose.
    pub column: usize,
    /// Why.
    pub doing: Doing,
    /// From which height.
    pub top: f64,
    /// To which height.
    pub bottom: f64,
    /// From which moment.
    pub from: Moment,
    /// To which moment; `None` is the end.
    pub to: Option<Moment>,
}

/// A time at the left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Tick {
    /// The instant.
    pub moment: Moment,
    /// Its height.
    pub y: f64,
}

/// A story on paper.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Chart {
    /// In order of time, and so of height.
    pub rows: Vec<Row>,
    /// By message.
    pub arrows: Vec<Arrow>,
    /// Behind the messages.
    pub bars: Vec<Bar>,
    /// At the left.
    pub ticks: Vec<Tick>,
    /// Height of the whole.
    pub height: f64,
}

impl Chart {
    /// Puts a told story on paper.
    pub fn new(tale: &Tale, columns: &Columns, paints: &Paints) -> Chart {
        let mut layout = Layout {
            tale,
            columns,
            chart: Chart::default(),
            sent: BTreeMap::new(),
            y: TOP - APART,
            at: None,
        };
        layout.chart.arrows =
            tale.messages.iter().map(|message| arrow(message, columns, paints)).collect();
        for entry in &tale.entries {
            layout.put(entry.at, &entry.what);
        }
        let mut chart = layout.chart;
        let lowest = chart.rows.iter().map(|row| row.rect.bottom()).fold(TOP, f64::max);
        chart.height = (lowest + BOTTOM).ceil();
        chart.bars = super::bars::of(tale, columns, &chart);
        chart
    }
}

/// The message before its heights are known.
fn arrow(message: &Message, columns: &Columns, paints: &Paints) -> Arrow {
    let draw = |limit: f64| {
        let face = draw::face(FontFace::SemiBold);
        let label = topomotion_text::ellipsize(face, 11.0, &message.label, limit);
        pill::pill(message.kind, message.form, &label, message.records, paints)
    };
    // Over a long way there is room for a long name, however narrow the columns are.
    let ends = (columns.of(&message.from), columns.of(&message.to));
    let way = match ends {
        (Some(from), Some(to)) => (columns.x(from) - columns.x(to)).abs(),
        _ => 0.0,
    };
    let whole = draw(LONGEST);
    let fits = 2.0 * pill::half_width(&whole) + 30.0 <= way;
    let pill = if fits { whole } else { draw(columns.limit) };
    Arrow { path: Vec::new(), pill, middle: Point::default() }
}

/// The instant of a moment.
pub(crate) fn instant(moment: Moment) -> Time {
    let (Moment::Enter(at) | Moment::Leave(at)) = moment;
    at
}

struct Layout<'a> {
    tale: &'a Tale,
    columns: &'a Columns,
    chart: Chart,
    /// Heights at which messages left.
    sent: BTreeMap<PacketId, f64>,
    y: f64,
    at: Option<Time>,
}

/// How much room an entry needs around its height.
struct Room {
    left: f64,
    right: f64,
    above: f64,
    below: f64,
}

impl Layout<'_> {
    fn put(&mut self, at: Time, told: &Told) {
        let Some((room, shape)) = self.measure(told) else { return };
        let mut y = if self.at == Some(at) { self.y } else { self.y + APART };
        if let Shape::Tip(index) = shape {
            let message = &self.tale.messages[index];
            let sent = self.sent.get(&message.id).copied();
            y = y.max(sent.unwrap_or(y) + self.fall(message));
        }
        let y = self.free(y, &room).round();
        let rect = Rect::new(
            room.left,
            y - room.above,
            room.right - room.left,
            room.above + room.below,
        );
        match shape {
            Shape::Pill(index) => self.leave(index, y),
            Shape::Tip(index) => self.land(index, y),
            _ => {}
        }
        let leaves = matches!(shape, Shape::Pill(_) | Shape::Fold { .. });
        let moment = if leaves { Moment::Leave(at) } else { Moment::Enter(at) };
        self.tick(moment, y, &shape);
        self.chart.rows.push(Row { moment, y, rect, shape });
        // After a fold the time is another one.
        self.at = (!matches!(told, Told::Gap { .. })).then_some(at);
        self.y = y;
    }

    fn fall(&self, message: &Message) -> f64 {
        if message.from == message.to { 22.0 } else { FALL }
    }

    /// The least height from `y` on at which the room is free.
    fn free(&self, y: f64, room: &Room) -> f64 {
        let mut y = y;
        loop {
            let place = Rect::new(
                room.left - PAD,
                y - room.above - PAD,
                room.right - room.left + 2.0 * PAD,
                room.above + room.below + 2.0 * PAD,
            );
            let hit = self.chart.rows.iter().rev().find(|row| row.rect.overlaps(&place));
            let Some(row) = hit else { return y };
            y = row.rect.bottom() + PAD + room.above + 0.01;
        }
    }

    fn tick(&mut self, moment: Moment, y: f64, shape: &Shape) {
        if matches!(shape, Shape::Note { .. } | Shape::Foot { .. } | Shape::Fold { .. }) {
            return;
        }
        let last = self.chart.ticks.last();
        let is_new = last.is_none_or(|last| {
            y >= last.y + TICK && instant(moment) > instant(last.moment)
        });
        if is_new {
            self.chart.ticks.push(Tick { moment, y });
        }
    }

    fn measure(&self, told: &Told) -> Option<(Room, Shape)> {
        let (left, right) = self.columns.lane;
        let lane = |above: f64, below: f64| Room { left, right, above, below };
        Some(match told {
            Told::Step { number, text } => {
                (lane(16.0, 8.0), Shape::Step { number: *number, text: text.clone() })
            }
            Told::Send(index) => (self.pill_room(*index)?, Shape::Pill(*index)),
            Told::Land(index) => (self.tip_room(*index)?, Shape::Tip(*index)),
            Told::Mark { process, text, sign } => self.mark(process, text, *sign)?,
            Told::Words { process, label, text, tone } => {
                self.words(process, label.as_deref(), text, *tone)?
            }
            Told::Across { text, tone } => {
                (lane(11.0, 11.0), Shape::Across { text: text.clone(), tone: *tone })
            }
            Told::Verdict { number, demand, failure } => {
                let (holds, text) = match failure {
                    None => (Holds::Yes, demand.clone()),
                    Some(failure) => (Holds::No, format!("{demand}: {failure}")),
                };
                let lines = wrapped(12.0, &text, right - left - 130.0, 3);
                let below = 11.0 + LINE * (lines.len().max(1) - 1) as f64;
                (lane(11.0, below), Shape::Verdict { number: *number, lines, holds })
            }
            Told::Note { text, tone } => {
                let left = self.columns.notes?;
                let lines = wrapped(12.0, text, NOTES - 16.0, 6);
                let below = LINE * lines.len() as f64 - 4.0;
                let room = Room { left, right: left + NOTES, above: 9.0, below };
                (room, Shape::Note { lines, tone: *tone, full: text.clone() })
            }
            Told::Gap { micros, routine } => {
                let routine = if routine.is_empty() {
                    String::new()
                } else {
                    format!("routine: {}", times(routine))
                };
                let room = Room { left: 0.0, ..lane(2.0, FOLD - 2.0) };
                (room, Shape::Fold { length: span(*micros), routine })
            }
            Told::Foot { text } => {
                let lines = wrapped(11.5, text, right - left - 16.0, 4);
                (lane(12.0, LINE * lines.len() as f64), Shape::Foot { lines })
            }
        })
    }

    fn ends(&self, index: usize) -> Option<(f64, f64)> {
        let message = self.tale.messages.get(index)?;
        let (from, to) = (self.columns.of(&message.from)?, self.columns.of(&message.to)?);
        Some((self.columns.x(from), self.columns.x(to)))
    }

    fn pill_room(&self, index: usize) -> Option<Room> {
        let (from, to) = self.ends(index)?;
        let half = pill::half_width(&self.chart.arrows[index].pill);
        let half_height = PILL / 2.0 + 1.0;
        let middle = if to >= from { from + BESIDE + half } else { from - BESIDE - half };
        Some(Room {
            left: middle - half,
            right: middle + half,
            above: half_height,
            below: half_height,
        })
    }

    fn tip_room(&self, index: usize) -> Option<Room> {
        let x = self.tip(index)?;
        let (from, to) = self.ends(index)?;
        let lost = matches!(self.tale.messages[index].fate, Fate::Lost(_));
        let (left, right) = match (lost, to > from) {
            (true, _) => (x - 9.0, x + 9.0),
            (false, true) => (x - 10.0, x),
            (false, false) => (x, x + 10.0),
        };
        let half = if lost { 9.0 } else { 6.0 };
        Some(Room { left, right, above: half, below: half })
    }

    /// How far the message comes.
    fn tip(&self, index: usize) -> Option<f64> {
        let (from, to) = self.ends(index)?;
        let half = pill::half_width(&self.chart.arrows[index].pill);
        let part = match self.tale.messages[index].fate {
            Fate::Arrived => return Some(to),
            Fate::Lost(Loss::Partitioned) => 0.5,
            Fate::Lost(Loss::ConnectionBroken) | Fate::Pending => 0.7,
            Fate::Lost(Loss::ReceiverDown) => 1.0,
        };
        let beyond = 2.0 * half + BESIDE + 14.0;
        let way = ((to - from).abs() - 10.0).max(0.0);
        let reach = (way * part).max(beyond.min(way));
        Some(if to >= from { from + reach } else { from - reach })
    }

    fn leave(&mut self, index: usize, y: f64) {
        let Some((from, to)) = self.ends(index) else { return };
        let id = self.tale.messages[index].id;
        self.sent.insert(id, y);
        let arrow = &mut self.chart.arrows[index];
        let half = pill::half_width(&arrow.pill);
        let side = if to >= from { 1.0 } else { -1.0 };
        arrow.middle = Point::new(from + side * (BESIDE + half), y);
        let after = from + side * (BESIDE + 2.0 * half + 3.0);
        arrow.path = vec![Point::new(from + side * 4.0, y), Point::new(after, y)];
    }

    fn land(&mut self, index: usize, y: f64) {
        let (Some((from, to)), Some(tip)) = (self.ends(index), self.tip(index)) else {
            return;
        };
        let arrow = &mut self.chart.arrows[index];
        let own = (to - from).abs() < 1e-9;
        if let (true, Some(last)) = (own, arrow.path.last().copied()) {
            let out = last.x + 8.0;
            arrow.path.push(Point::new(out, last.y));
            arrow.path.push(Point::new(out, y));
        }
        let arrives = self.tale.messages[index].fate == Fate::Arrived;
        let short = match (arrives, own, to >= from) {
            (false, ..) => 0.0,
            (true, false, true) => -5.0,
            (true, true, _) | (true, false, false) => 5.0,
        };
        arrow.path.push(Point::new(tip + short, y));
    }

    fn mark(&self, process: &str, text: &str, sign: Sign) -> Option<(Room, Shape)> {
        let column = self.columns.of(process)?;
        let x = self.columns.x(column);
        let lines = wrapped_in(FontFace::SemiBold, 11.0, text, MARK - 32.0, 3);
        let wide = widest(FontFace::SemiBold, 11.0, &lines);
        let width = if lines.is_empty() { 16.0 } else { wide + 34.0 };
        let below = 11.0 + 14.0 * (lines.len().max(1) - 1) as f64;
        let room = self.around(x, width, 11.0, below);
        let full = text.to_owned();
        Some((room, Shape::Mark { lines, sign, x, column, full }))
    }

    fn words(
        &self,
        process: &str,
        label: Option<&str>,
        text: &str,
        tone: Tone,
    ) -> Option<(Room, Shape)> {
        let x = self.columns.x(self.columns.of(process)?);
        let lines = wrapped(12.0, text, WORDS, 5);
        let face = draw::face(FontFace::SemiBold);
        let label = label
            .map(|label| topomotion_text::ellipsize(face, 10.0, label, WORDS - 14.0));
        let head = label
            .as_ref()
            .map_or(0.0, |label| draw::width(FontFace::SemiBold, 10.0, label) + 14.0);
        let width = widest(FontFace::Regular, 12.0, &lines).max(head) + 20.0;
        let top = if label.is_some() { 19.0 } else { 0.0 };
        let below = top + LINE * lines.len() as f64 + 3.0;
        let room = self.around(x, width, 11.0, below);
        let full = text.to_owned();
        Some((room, Shape::Words { lines, label, tone, x, full }))
    }

    /// Room centred on a lifeline, but inside the lane.
    fn around(&self, x: f64, width: f64, above: f64, below: f64) -> Room {
        let (low, high) = self.columns.lane;
        let left = (x - width / 2.0).min(high - width).max(low);
        Room { left, right: left + width, above, below }
    }
}

fn wrapped(size: f64, text: &str, room: f64, most: usize) -> Vec<String> {
    wrapped_in(FontFace::Regular, size, text, room, most)
}

fn wrapped_in(
    font: FontFace,
    size: f64,
    text: &str,
    room: f64,
    most: usize,
) -> Vec<String> {
    topomotion_text::wrap(draw::face(font), size, text, room.max(40.0), most).lines
}

fn widest(font: FontFace, size: f64, lines: &[String]) -> f64 {
    lines.iter().map(|line| draw::width(font, size, line)).fold(0.0, f64::max)
}

/// The length of a quiet stretch: `4.2 s`.
fn span(micros: u64) -> String {
    match micros {
        0..1_000_000 => format!("{} ms", (micros + 500) / 1000),
        _ => {
            let tenths = (micros + 50_000) / 100_000;
            format!("{}.{} s", tenths / 10, tenths % 10)
        }
    }
}
