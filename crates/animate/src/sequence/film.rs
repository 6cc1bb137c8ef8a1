//! The film: the chart appears as time goes, page by page.
//!
//! A message's name appears as it leaves, a bead travels its way, and its line stays once it
//! has arrived. A line across the page shows where the present is. Whoever works at something
//! is lit.

use topomotion_scene::{
    Animation, Chapter, Item, Layer, Millis, Motion, Point, Scene, Sprite, Transcript,
    Window,
};
use topomotion_trace::{Time, What};

use super::MARGIN;
use super::chart::Doing;
use super::pages::{self, Page};
use super::paint::{self, Piece, Seen, Sheet, Slices, clipped};
use super::playhead::Playhead;
use super::told::Told;
use super::{Act, Cast};
use crate::bands::{self, Place};
use crate::captions::reading_ms;
use crate::channel::{Channels, Slot};
use crate::ledger::{Ledger, Touch};
use crate::plan::Plan;
use crate::stage::Stage;
use crate::theme::Paints;
use crate::warp::{GRID, Moment};
use crate::{Kind, Options, Story, clock, describe, draw, looks};

/// Tallest film, px.
const TALLEST: f64 = 900.0;
/// Least height of a page below the heads, px.
const LEAST: f64 = 320.0;
/// Room below a page for its number, px.
const FOOT: f64 = 26.0;
/// Length of the pieces in which a bar grows, px.
const SLICE: f64 = 24.0;

/// Makes the film.
pub(super) fn direct(
    scene: &Scene,
    stories: &[Story<'_>],
    options: &Options,
) -> Animation {
    let mut paints = Paints::new(&options.theme);
    let cast = Cast::new(scene, stories, options, &paints);
    let tallest = cast.acts.iter().map(|act| act.chart.height).fold(0.0, f64::max);
    let above = cast.top(&cast.stage(0.0));
    let page = tallest.min((TALLEST - above - FOOT).max(LEAST));
    let stage = cast.stage(page + FOOT);
    let mut backdrop = cast.backdrop(&stage, &mut paints);
    if let Some(text) = cast.absent() {
        let y = stage.size.height - FOOT + 4.0;
        backdrop.push(blank(&stage, &paints));
        backdrop.push(super::still::foot(&text, stage.size.width * 0.8, y, &paints));
    }
    let mut film = Film {
        cast: &cast,
        stage: &stage,
        paints: &paints,
        options,
        page,
        channels: Channels::default(),
        sprites: Vec::new(),
        chapters: Vec::new(),
        transcript: Vec::new(),
        best: (0, 0),
    };
    let mut now = 0;
    for (index, act) in cast.acts.iter().enumerate() {
        now = film.play(act, Place { index, of: cast.acts.len() }, now);
    }
    let Film { channels, mut sprites, chapters, transcript, best, .. } = film;
    sprites.extend(channels.sprites(now));
    Animation {
        size: stage.size,
        duration: Millis(now),
        poster: Millis(best.1),
        title: describe::title(stories, options),
        description: cast.description(stories, options),
        transcript,
        chapters,
        backdrop,
        sprites,
        palette: paints.palette(),
        ..Animation::default()
    }
}

/// Lifelines end above the last line of the picture.
fn blank(stage: &Stage, paints: &Paints) -> Item {
    let (width, height) = (stage.size.width, stage.size.height);
    let place = topomotion_scene::Rect::new(0.0, height - FOOT + 2.0, width, FOOT - 2.0);
    paint::item("frame", vec![draw::rect(place, 0.0, Some(paints.solid("page")), None)])
}

struct Film<'a> {
    cast: &'a Cast<'a>,
    stage: &'a Stage,
    paints: &'a Paints,
    options: &'a Options,
    page: f64,
    channels: Channels,
    sprites: Vec<Sprite>,
    chapters: Vec<Chapter>,
    transcript: Vec<Transcript>,
    /// The page with most on it: how much, and when it is full.
    best: (usize, u32),
}

/// When a chapter plays: from its card, from its first moment, to its end.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: u32,
    offset: u32,
    end: u32,
}

/// The playing time of a moment.
pub(super) fn playing(plan: &Plan<'_>, offset: u32, moment: Moment) -> u32 {
    offset
        + match moment {
            Moment::Enter(at) => plan.warp.enter(at),
            Moment::Leave(at) => plan.warp.leave(at),
        }
}

impl Film<'_> {
    /// Plays a story from `start` on and returns its end.
    fn play(&mut self, act: &Act<'_>, place: Place, start: u32) -> u32 {
        let offset = start + self.options.pace.card_ms.next_multiple_of(GRID);
        let end = self.end(act, offset);
        let span = Span { start, offset, end };
        self.open(act, place, span);
        self.heads(act, span);
        let pages = pages::split(&act.chart, self.page);
        let playhead = Playhead::new(act, offset, &pages);
        for (index, page) in pages.iter().enumerate() {
            let from = if index == 0 { start } else { playhead.turns[index] };
            let to = playhead.turns.get(index + 1).copied().unwrap_or(end);
            let seen = Window { start: Millis(from), end: Millis(to) };
            self.page(act, *page, seen, offset, &playhead);
            if pages.len() > 1 && from < to {
                let text = format!("page {} of {}", index + 1, pages.len());
                let item = self.number(&text);
                self.channels.flash(Slot::Step, "page", (from, to), item);
            }
        }
        let bright = paint_playhead(self.cast, self.stage, self.paints);
        self.sprites.extend(playhead.sprites(&bright, self.cast.top(self.stage)));
        if act.story.kind == Kind::Executed {
            clock::show(
                &act.plan,
                offset,
                end,
                self.stage,
                self.paints,
                &mut self.channels,
            );
        }
        let steps = act.plan.reading.events.iter().filter_map(|event| match event.what {
            What::Step { .. } => Some(Millis(offset + act.plan.warp.enter(event.at))),
            _ => None,
        });
        self.chapters.push(Chapter {
            id: act.story.id.to_owned(),
            title: act.story.title.to_owned(),
            start: Millis(start),
            end: Millis(end),
            steps: steps.collect(),
        });
        self.transcript.extend(self.cast.transcript(act, offset));
        end
    }

    /// The end of a chapter: that of the same chapter in the film of the topology.
    fn end(&self, act: &Act<'_>, offset: u32) -> u32 {
        let (plan, pace) = (&act.plan, &self.options.pace);
        let rest = offset + plan.warp.end() + pace.rest_ms;
        let read = plan
            .captions
            .last()
            .map_or(0, |caption| offset + plan.warp.enter(caption.at) + caption.hold);
        let spoken = plan.reading.events.iter().filter_map(|event| {
            let at = offset + plan.warp.enter(event.at);
            match &event.what {
                What::Say { process: Some(process), text, .. } => {
                    self.cast.names.node(process)?;
                    Some(at + reading_ms(text, pace).next_multiple_of(GRID))
                }
                What::Flash { process } => {
                    self.cast.names.node(process)?;
                    Some(at + 900)
                }
                _ => None,
            }
        });
        let spoken = spoken.max().unwrap_or(0);
        rest.max(read + 300).max(spoken + 300).next_multiple_of(GRID)
    }

    /// The title card and the header.
    fn open(&mut self, act: &Act<'_>, place: Place, span: Span) {
        self.channels.clear(span.start);
        let (stage, paints) = (self.stage, self.paints);
        let header = bands::header(&self.options.title, &act.story, place, stage, paints);
        self.channels.set(Slot::Header, "title", span.start, Some(header));
        let tag = bands::tag(act.story.kind, stage, paints);
        self.channels.set(Slot::Header, "kind", span.start, Some(tag));
        if span.offset > span.start {
            let card = bands::card(&act.story, place, stage, paints);
            self.channels.flash(Slot::Card, "card", (span.start, span.offset), card);
        }
    }

    /// The states of the heads, and who is at work.
    fn heads(&mut self, act: &Act<'_>, span: Span) {
        let changing = self.cast.changing();
        let mut ledger = Ledger::default();
        act.plan.reading.before.iter().for_each(|event| drop(ledger.apply(event)));
        let mut show = |ledger: &Ledger, process: &str, at: u32| {
            let node =
                self.stage.node(process).filter(|node| changing.contains(&node.id));
            if let Some(node) = node {
                let doing = ledger.doing(process);
                looks::show(node, &doing, at, &mut self.channels, self.paints);
            }
        };
        for lifeline in &self.cast.columns.lifelines {
            show(&ledger, &lifeline.id, span.start);
        }
        for event in act.plan.reading.events {
            let at = span.offset + act.plan.warp.enter(event.at);
            for touch in ledger.apply(event) {
                if let Touch::Node(process) = touch {
                    show(&ledger, &process, at);
                }
            }
        }
        for bar in act.chart.bars.iter().filter(|bar| bar.doing == Doing::Active) {
            let from = playing(&act.plan, span.offset, bar.from);
            let to = bar.to.map_or(span.end, |to| playing(&act.plan, span.offset, to));
            let to = to.max(from + 400).min(span.end);
            let node = self.stage.scene.nodes.get(bar.column);
            if let Some(node) = node.filter(|_| from < to) {
                let item = lit(node, self.paints);
                self.channels.flash(Slot::Glow, &node.id, (from, to), item);
            }
        }
    }

    /// One page, while it is seen.
    fn page(
        &mut self,
        act: &Act<'_>,
        page: Page,
        seen: Window,
        offset: u32,
        playhead: &Playhead,
    ) {
        let sheet = Sheet {
            tale: &act.tale,
            chart: &act.chart,
            columns: &self.cast.columns,
            paints: self.paints,
            kind: act.story.kind,
            start: act.plan.reading.start,
            page,
            y: self.cast.top(self.stage),
        };
        let when = |piece: &Piece| {
            let start = match piece.from {
                Seen::At(moment) => playing(&act.plan, offset, moment),
                Seen::Height(y) => playhead.when(y),
            };
            let end = piece.to.map_or(seen.end.0, |to| playing(&act.plan, offset, to));
            let window = Window {
                start: Millis(start.max(seen.start.0)),
                end: Millis(end.min(seen.end.0)),
            };
            (window.start < window.end).then_some(window)
        };
        let pieces = sheet.pieces(Slices::Each(SLICE));
        let score = pieces.len();
        let ghosts = sheet.ghosts();
        for (layer, pieces) in [(Layer::Edges, ghosts), (Layer::Nodes, pieces)] {
            self.sprites.extend(pieces.into_iter().filter_map(|piece| {
                let windows = vec![when(&piece)?];
                Some(Sprite { item: piece.item, layer, windows, motion: None })
            }));
        }
        let beads: Vec<Sprite> = (0..act.tale.messages.len())
            .filter_map(|index| self.bead(act, index, page, seen, offset))
            .collect();
        self.sprites.extend(beads);
        if score > self.best.0 && seen.end.0 >= seen.start.0 + 2 * GRID {
            self.best = (score, seen.end.0 - GRID);
        }
    }

    /// What travels while a message is under way.
    fn bead(
        &self,
        act: &Act<'_>,
        index: usize,
        page: Page,
        seen: Window,
        offset: u32,
    ) -> Option<Sprite> {
        let message = act.tale.messages.get(index)?;
        let arrow = act.chart.arrows.get(index)?;
        // It sets out from the end of the name.
        let way = clipped(arrow.path.get(1..).unwrap_or_default(), page);
        let from = playing(&act.plan, offset, Moment::Leave(message.sent));
        let to = playing(&act.plan, offset, Moment::Enter(message.end));
        let window = Window {
            start: Millis(from.max(seen.start.0)),
            end: Millis(to.min(seen.end.0)),
        };
        if way.len() < 2 || window.start >= window.end {
            return None;
        }
        let by = self.cast.top(self.stage) - page.shown;
        let path = way.iter().map(|point| Point::new(point.x, point.y + by)).collect();
        let rim = Some(self.paints.stroke("page", 1.5));
        let fill = Some(self.paints.solid(paint::color(message)));
        let bead = draw::circle(Point::default(), 5.5, fill, rim);
        Some(Sprite {
            item: paint::item("packet", vec![bead]),
            layer: Layer::Packets,
            windows: vec![window],
            motion: Some(Motion { path }),
        })
    }

    fn number(&self, text: &str) -> Item {
        let ink = draw::Ink::new(
            topomotion_scene::FontFace::Regular,
            11.5,
            self.paints.solid("muted"),
        );
        let at = Point::new(
            self.stage.size.width - MARGIN,
            self.stage.size.height - FOOT + 20.0,
        );
        paint::item("page", vec![ink.line(text, at, topomotion_scene::Anchor::End)])
    }
}

/// A head whose process is at work.
fn lit(node: &topomotion_scene::NodeBox, paints: &Paints) -> Item {
    let look = paints.role(&node.role);
    let ring = |by: f64, width: f64, opacity: f32| {
        let paint = topomotion_scene::Paint { opacity, ..look.line };
        let stroke = topomotion_scene::Stroke { paint, width, dash: Vec::new() };
        draw::rect(node.rect.grown(by), 10.0 + by, None, Some(stroke))
    };
    let mut item = paint::item("lit", vec![ring(3.0, 5.0, 0.25), ring(0.5, 2.5, 1.0)]);
    item.id = Some(node.id.clone());
    item
}

/// The present, drawn at height 0.
fn paint_playhead(cast: &Cast<'_>, stage: &Stage, paints: &Paints) -> Item {
    let left = cast.columns.lane.0 - 12.0;
    let right = cast.columns.notes.unwrap_or(stage.size.width - MARGIN) - 8.0;
    let mut stroke = paints.stroke("watermark", 1.25);
    stroke.paint.opacity = 0.7;
    let line = [Point::new(left, 0.0), Point::new(right, 0.0)];
    let wedge = [
        Point::new(left - 7.0, -5.0),
        Point::new(left + 1.0, 0.0),
        Point::new(left - 7.0, 5.0),
    ];
    paint::item(
        "playhead",
        vec![
            draw::polyline(&line, stroke),
            draw::polygon(&wedge, Some(paints.solid("watermark")), None),
        ],
    )
}

impl Cast<'_> {
    /// What is said in a story, and what is left out.
    pub(super) fn transcript(&self, act: &Act<'_>, offset: u32) -> Vec<Transcript> {
        let line = |at: Time, text: String| Transcript {
            at: Millis(offset + act.plan.warp.enter(at)),
            clock: clock::told(at),
            text,
        };
        let lines = act.plan.lines.iter().map(|told| line(told.at, told.text.clone()));
        let mut all: Vec<Transcript> = lines.collect();
        for event in act.plan.reading.events {
            let What::Say { process: Some(process), label, text, .. } = &event.what
            else {
                continue;
            };
            let who = self.names.name(process);
            let label = label.as_deref().map(|label| format!("[{label}] "));
            let text = format!("{who}: {}{text}", label.unwrap_or_default());
            all.push(line(event.at, text));
        }
        for entry in &act.tale.entries {
            match &entry.what {
                Told::Gap { routine, .. } if !routine.is_empty() => {
                    let counts = super::told::times(routine);
                    let text = format!("Routine, not shown one by one: {counts}.");
                    all.push(line(entry.at, text));
                }
                Told::Foot { text } => all.push(line(entry.at, format!("{text}."))),
                _ => {}
            }
        }
        all.sort_by_key(|line| line.at);
        all
    }

    /// The state marks of heads as the story begins, where they may change.
    pub(super) fn marks_of_state(
        &self,
        stage: &Stage,
        act: &Act<'_>,
        paints: &Paints,
    ) -> Vec<Item> {
        let mut ledger = Ledger::default();
        act.plan.reading.before.iter().for_each(|event| drop(ledger.apply(event)));
        let changing = self.changing();
        let mut channels = Channels::default();
        for node in stage.scene.nodes.iter().filter(|node| changing.contains(&node.id)) {
            looks::show(node, &ledger.doing(&node.id), 0, &mut channels, paints);
        }
        channels.sprites(1).into_iter().map(|sprite| sprite.item).collect()
    }
}
