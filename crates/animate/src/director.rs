//! The director: stories in, film out.
//!
//! Each story becomes a chapter: a title card, then its events at the playing times of its
//! [`Plan`], then a rest. State is replayed through the [`Ledger`] into [`Channels`]; messages
//! go into the [`Sky`].

use std::collections::{BTreeMap, BTreeSet};

use topomotion_scene::{Animation, Chapter, Millis, Scene, Transcript, Window};
use topomotion_trace::{Event, Fault, Time, Tone, What};

use crate::about::{self, Parts};
use crate::bands::{self, Place};
use crate::bubble::{Speech, bubble};
use crate::captions::reading_ms;
use crate::channel::{Channels, Slot};
use crate::clock;
use crate::facts::Facts;
use crate::flights::{Manifest, Sky};
use crate::ledger::{Ledger, Touch};
use crate::panels::{Row, Rows};
use crate::passage;
use crate::perch::{Perch, perch};
use crate::plan::Plan;
use crate::reading::Reading;
use crate::stage::{Bands, Stage};
use crate::strip::{self, Subject};
use crate::theme::Paints;
use crate::tokens::FLASH_MS;
use crate::{
    Kind, Knot, Options, Story, cut, describe, legend, looks, paint, pulse, routine,
};

/// Makes the film, and says when each story's instants are shown.
pub(crate) fn direct(
    scene: &Scene,
    stories: &[Story<'_>],
    options: &Options,
) -> (Animation, Vec<Vec<Knot>>) {
    let speaks = stories.iter().any(|story| {
        let mut events = story.trace.events.iter();
        story.kind == Kind::Executed || events.any(|event| is_for_all(&event.what))
    });
    let rows = Rows::of(stories);
    let legend = legend::Plan::new(scene, stories, &rows, options.legend);
    let bands = if speaks { Bands::Film } else { Bands::Silent };
    let stage = Stage::with_legend(scene, bands, |width| legend.height(width));
    let mut paints = Paints::new(&options.theme);
    let changing = changing(stories);
    let mut backdrop = paint::backdrop(&stage.scene, &mut paints, &changing);
    backdrop.extend(legend.draw(&stage, &paints));
    backdrop.push(bands::frame(&stage, &paints));
    let mut film = Film {
        stage: &stage,
        paints: &paints,
        options,
        rows,
        changing,
        channels: Channels::default(),
        sky: Sky::default(),
        facts: Facts::default(),
        chapters: Vec::new(),
        transcript: Vec::new(),
        posters: Vec::new(),
        perches: perches(&stage.scene),
        busy: Vec::new(),
        knots: Vec::new(),
    };
    let mut now = 0;
    for (index, story) in stories.iter().enumerate() {
        now = film.play(story, Place { index, of: stories.len() }, now);
    }
    let poster = film.poster();
    let Film { mut channels, sky, facts, chapters, transcript, busy, knots, .. } = film;
    let (mut sprites, mut manifest) = sky.land(&mut channels, &paints);
    let flights = sprites.iter().flat_map(|sprite| sprite.windows.iter().copied());
    let busy: Vec<Window> = busy.into_iter().chain(flights).collect();
    sprites.extend(pulse::throb(&stage.scene, &mut paints, &busy, now));
    sprites.extend(channels.sprites(now));
    clip(&mut sprites, &mut manifest, now);
    let parts = Parts {
        scene: &stage.scene,
        backdrop: &backdrop,
        sprites: &sprites,
        manifest: &manifest,
    };
    let about = about::about(&parts, facts, &options.layers);
    let animation = Animation {
        size: stage.size,
        duration: Millis(now),
        poster,
        title: describe::title(stories, options),
        description: describe::film(&stage, stories, options),
        transcript,
        chapters,
        backdrop,
        sprites,
        about,
        palette: paints.palette(),
    };
    (animation, knots)
}

/// The processes of whom something is seen to change.
fn changing(stories: &[Story<'_>]) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for story in stories {
        let reading = Reading::new(story.trace);
        all.extend(reading.changing().into_iter().map(str::to_owned));
    }
    all
}

/// Whether an event is told below the picture.
fn is_for_all(what: &What) -> bool {
    matches!(
        what,
        What::Step { .. }
            | What::Fault(_)
            | What::Verdict { .. }
            | What::Say { process: None, .. }
    )
}

fn perches(scene: &Scene) -> BTreeMap<String, Perch> {
    scene.nodes.iter().map(|node| (node.id.clone(), perch(scene, node))).collect()
}

/// Nothing is seen beyond the end.
fn clip(sprites: &mut Vec<topomotion_scene::Sprite>, manifest: &mut Manifest, end: u32) {
    for sprite in sprites.iter_mut() {
        for window in &mut sprite.windows {
            window.end = window.end.min(Millis(end));
        }
    }
    let is_seen = |sprite: &topomotion_scene::Sprite| {
        sprite.windows.iter().all(|window| window.start < window.end)
    };
    let mut seen = sprites.iter().map(is_seen);
    manifest.shows.retain(|_| seen.next().unwrap_or(false));
    sprites.retain(is_seen);
}

struct Film<'a> {
    stage: &'a Stage,
    paints: &'a Paints,
    options: &'a Options,
    rows: Rows,
    changing: BTreeSet<String>,
    channels: Channels,
    sky: Sky,
    facts: Facts,
    chapters: Vec<Chapter>,
    transcript: Vec<Transcript>,
    /// Moments at which a caption begins, for the choice of the poster.
    posters: Vec<u32>,
    /// Where the chips of each process sit.
    perches: BTreeMap<String, Perch>,
    /// When a title card covers the picture.
    busy: Vec<Window>,
    /// When each story's instants are shown.
    knots: Vec<Vec<Knot>>,
}

impl Film<'_> {
    /// Plays a story from `start` on and returns its end.
    fn play(&mut self, story: &Story<'_>, place: Place, start: u32) -> u32 {
        let pace = &self.options.pace;
        let most = pace.packets / place.of.max(1);
        let plan = Plan::new(story, self.stage, &self.rows, pace, most);
        let offset = start + pace.card_ms.next_multiple_of(50);
        self.open(story, place, &plan, (start, offset));
        self.packets(&plan, offset);
        let spoken = self.events(&plan, offset);
        let read = self.captions(&plan, offset);
        let rest = offset + plan.warp.end() + pace.rest_ms;
        let end = rest.max(read + 300).max(spoken + 300).next_multiple_of(50);
        if story.kind == Kind::Executed {
            clock::show(&plan, offset, end, self.stage, self.paints, &mut self.channels);
        }
        let steps = steps(&plan).map(|(at, ..)| Millis(offset + plan.warp.enter(at)));
        self.knots.push(plan.warp.shown_from(offset).collect());
        self.chapters.push(Chapter {
            id: story.id.to_owned(),
            title: story.title.to_owned(),
            start: Millis(start),
            end: Millis(end),
            steps: steps.collect(),
        });
        end
    }

    /// The title card, and everything as it is before the first event.
    fn open(
        &mut self,
        story: &Story<'_>,
        place: Place,
        plan: &Plan<'_>,
        (start, offset): (u32, u32),
    ) {
        self.channels.clear(start);
        let (stage, paints) = (self.stage, self.paints);
        let header = bands::header(&self.options.title, story, place, stage, paints);
        self.channels.set(Slot::Header, "title", start, Some(header));
        let tag = bands::tag(story.kind, stage, paints);
        self.channels.set(Slot::Header, "kind", start, Some(tag));
        if offset > start {
            let card = bands::card(story, place, stage, paints);
            self.channels.flash(Slot::Card, "card", (start, offset), card);
            self.busy.push(Window { start: Millis(start), end: Millis(offset) });
        }
        let mut ledger = Ledger::default();
        for event in plan.reading.before {
            ledger.apply(event);
        }
        let processes: Vec<String> =
            stage.scene.nodes.iter().map(|node| node.id.clone()).collect();
        for process in &processes {
            self.show(&ledger, &Touch::Node(process.clone()), start);
            self.show(&ledger, &Touch::Client(process.clone()), start);
            for row in self.rows.by_process.get(process).cloned().unwrap_or_default() {
                if let Row::Replica(partition) = row {
                    self.show(
                        &ledger,
                        &Touch::Replica(process.clone(), partition),
                        start,
                    );
                }
            }
        }
    }

    fn packets(&mut self, plan: &Plan<'_>, offset: u32) {
        for flight in plan.reading.flights.iter().filter(|flight| plan.is_news(flight)) {
            let window = Window {
                start: Millis(offset + plan.warp.leave(flight.sent)),
                end: Millis(offset + plan.warp.enter(flight.end)),
            };
            self.sky.fly(flight, window, self.stage, self.paints);
        }
        let notes = routine::fly(plan, offset, self.stage, self.paints, &mut self.sky);
        self.transcript.extend(notes.into_iter().map(|note| Transcript {
            at: Millis(offset + plan.warp.enter(note.at)),
            clock: clock::told(note.at),
            text: note.text,
        }));
    }

    /// Replays what happened; returns until when the last bubble is to be read.
    fn events(&mut self, plan: &Plan<'_>, offset: u32) -> u32 {
        let mut ledger = Ledger::default();
        for event in plan.reading.before {
            ledger.apply(event);
        }
        let mut spoken = 0;
        for event in plan.reading.events {
            let at = offset + plan.warp.enter(event.at);
            for touch in ledger.apply(event) {
                self.show(&ledger, &touch, at);
            }
            if let What::Fault(fault) = &event.what {
                let scene = &self.stage.scene;
                cut::show(fault, scene, at, &mut self.channels, self.paints);
                if let Fault::Way { from, to, flow } = fault {
                    let sides = (&from[..], &to[..]);
                    passage::show(
                        sides,
                        *flow,
                        scene,
                        at,
                        &mut self.channels,
                        self.paints,
                    );
                } else if *fault == Fault::Heal {
                    passage::clear(scene, at, &mut self.channels);
                }
            }
            spoken = self.speak(event, at).unwrap_or(spoken).max(spoken);
        }
        let all: Vec<(Time, usize, String)> = steps(plan)
            .map(|(at, index, text)| (at, index, self.stage.with_names(text)))
            .collect();
        let last = all.iter().map(|(_, index, _)| index + 1).max().unwrap_or(0);
        for (at, index, text) in &all {
            let item = bands::step(text, index + 1, last, self.stage, self.paints);
            let at = offset + plan.warp.enter(*at);
            self.channels.set(Slot::Step, "step", at, Some(item));
        }
        spoken
    }

    /// Bubbles and glows; returns until when they are seen.
    fn speak(&mut self, event: &Event, at: u32) -> Option<u32> {
        match &event.what {
            What::Say { process: Some(process), label, text, tone } => {
                let node = self.stage.node(process)?;
                let speech = Speech { label: label.as_deref(), text, tone: *tone };
                let end = at + reading_ms(text, &self.options.pace).next_multiple_of(50);
                let item = bubble(node, speech, self.stage, self.paints);
                self.channels.flash(Slot::Bubble, "bubble", (at, end), item);
                if *tone == Tone::Error {
                    let glow = looks::glow(node, self.paints);
                    self.channels.flash(Slot::Glow, process, (at, end), glow);
                }
                let who = self.stage.name(process);
                let label = label.as_deref().map(|label| format!("[{label}] "));
                let text = format!("{who}: {}{text}", label.unwrap_or_default());
                self.transcript.push(Transcript {
                    at: Millis(at),
                    clock: clock::told(event.at),
                    text,
                });
                Some(end)
            }
            What::Flash { process } => {
                let node = self.stage.node(process)?;
                let glow = looks::glow(node, self.paints);
                self.channels.flash(Slot::Glow, process, (at, at + FLASH_MS), glow);
                Some(at + FLASH_MS)
            }
            _ => None,
        }
    }

    /// Captions and the transcript; returns when the last one has been read.
    fn captions(&mut self, plan: &Plan<'_>, offset: u32) -> u32 {
        let mut read = 0;
        for caption in &plan.captions {
            let at = offset + plan.warp.enter(caption.at);
            let item =
                bands::caption(&caption.text, caption.tone, self.stage, self.paints);
            let end = at + (caption.hold + 2500).next_multiple_of(50);
            self.channels.flash(Slot::Caption, "caption", (at, end), item);
            self.posters.push(at);
            read = at + caption.hold;
        }
        self.transcript.extend(plan.lines.iter().map(|line| Transcript {
            at: Millis(offset + plan.warp.enter(line.at)),
            clock: clock::told(line.at),
            text: line.text.clone(),
        }));
        self.transcript.sort_by_key(|line| line.at);
        read
    }

    /// Draws a touched place as it is now.
    fn show(&mut self, ledger: &Ledger, touch: &Touch, at: u32) {
        self.facts.touch(ledger, touch, at, self.stage);
        match touch {
            Touch::Node(process) => {
                let Some(node) = self.stage.node(process) else { return };
                let doing = ledger.doing(process);
                if self.changing.contains(process) {
                    looks::show(node, &doing, at, &mut self.channels, self.paints);
                }
                let Some(perch) = self.perches.get(process) else { return };
                let channels = &mut self.channels;
                let told = (&doing, ledger.groups());
                looks::show_chip(node, *perch, told, at, channels, self.paints);
            }
            Touch::Replica(process, partition) => {
                self.replica(ledger, process, partition, at);
            }
            Touch::Partition(partition) => {
                let processes: Vec<String> =
                    self.rows.by_process.keys().cloned().collect();
                for process in processes {
                    self.replica(ledger, &process, partition, at);
                }
            }
            Touch::Client(process) => self.client(ledger, process, at),
        }
    }

    fn replica(&mut self, ledger: &Ledger, process: &str, partition: &str, at: u32) {
        let node = self.stage.node(process);
        let Some(panel) = node.and_then(|node| node.panel) else { return };
        let places = self.rows.places(process, panel);
        let place = places
            .iter()
            .find(|(row, _)| matches!(row, Row::Replica(name) if name == partition));
        let Some((_, place)) = place else { return };
        let Some(replica) = ledger.replica(process, partition) else { return };
        let subject = Subject {
            process,
            name: self.stage.name(process),
            partition,
            replica,
            registration: ledger.registration(partition),
        };
        let key = format!("{process} {partition}");
        let head = strip::head(&subject, *place, self.paints);
        self.channels.set(Slot::Head, &key, at, Some(head));
        let cells = strip::cells(&subject, *place, self.paints);
        self.channels.set(Slot::Cells, &key, at, Some(cells));
    }

    fn client(&mut self, ledger: &Ledger, process: &str, at: u32) {
        let node = self.stage.node(process);
        let Some(panel) = node.and_then(|node| node.panel) else { return };
        let groups = ledger.groups();
        for (row, place) in self.rows.places(process, panel) {
            let (key, parts) = match row {
                Row::Replica(_) => continue,
                Row::Member => {
                    let item =
                        strip::member_row(groups.member(process), place, self.paints);
                    let key = format!("{process} member");
                    self.channels.set(Slot::Row, &key, at, Some(item));
                    continue;
                }
                Row::Identity => {
                    let identity = groups.identity(process);
                    let known = identity.id;
                    let id = known.map_or("–".to_owned(), |(id, _)| id.to_string());
                    let epoch = known.map_or("–".to_owned(), |(_, it)| it.to_string());
                    let mut parts = vec![("id", id), ("epoch", epoch)];
                    if identity.open {
                        parts.push(("in transaction", String::new()));
                    }
                    ("identity", parts)
                }
                // The row keeps its place while another member has the partition.
                Row::Position(partition)
                    if groups
                        .member(process)
                        .is_some_and(|it| !it.owned.contains(partition)) =>
                {
                    let parts = vec![
                        (partition.as_str(), String::new()),
                        ("not read", String::new()),
                    ];
                    (partition.as_str(), parts)
                }
                Row::Position(partition) => {
                    let next = ledger.position(process, partition);
                    let next = next.map_or("–".to_owned(), |next| next.to_string());
                    let mut parts =
                        vec![(partition.as_str(), String::new()), ("next", next)];
                    let committed = groups.committed(process, partition);
                    parts.extend(committed.map(|it| ("committed", it.to_string())));
                    (partition.as_str(), parts)
                }
                Row::Sent => {
                    let sent = ledger.sent(process);
                    let mut parts = vec![("acknowledged", sent.acknowledged.to_string())];
                    if sent.in_flight > 0 {
                        parts.push(("waiting", sent.in_flight.to_string()));
                    }
                    if sent.failed > 0 {
                        parts.push(("failed", sent.failed.to_string()));
                    }
                    ("sent", parts)
                }
            };
            let item = strip::text_row(&parts, place, self.paints);
            self.channels.set(Slot::Row, &format!("{process} {key}"), at, Some(item));
        }
    }

    /// The moment with most packets in the air; where nothing flies, the first caption.
    fn poster(&self) -> Millis {
        let windows: Vec<Window> = self.sky.windows().collect();
        let middle = |window: &Window| {
            let at = window.start.0.midpoint(window.end.0) / 50 * 50;
            Millis(at)
        };
        let mut best = (0, Millis(self.posters.first().map_or(0, |at| at + 100)));
        for window in &windows {
            let at = middle(window);
            let count = windows.iter().filter(|other| other.holds(at)).count();
            let spoken =
                self.posters.iter().any(|&start| start <= at.0 && at.0 < start + 3000);
            let score = count * 2 + usize::from(spoken);
            if score > best.0 {
                best = (score, at);
            }
        }
        best.1
    }
}

fn steps<'p>(plan: &'p Plan<'_>) -> impl Iterator<Item = (Time, usize, &'p str)> {
    plan.reading.events.iter().filter_map(|event| match &event.what {
        What::Step { index, text, .. } => Some((event.at, *index, text.as_str())),
        _ => None,
    })
}
