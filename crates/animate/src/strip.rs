//! A replica's row: its name and role on the left, the end of its log as cells on the right.
//!
//! Cells up to the high watermark are filled, those beyond it are dashed and empty; the
//! watermark is a tick with its own label below, the start of a leader epoch a notch with its
//! number above: each is told by more than colour.

use topomotion_scene::{Anchor, FontFace, Item, Point, Primitive, Rect, Stroke};

use crate::draw::{self, Ink};
use crate::groups::Member;
use crate::ledger::{Registration, Replica};
use crate::theme::Paints;
use crate::tokens::{
    BORDER_FINE, CELL_HEIGHT, CELL_WIDTH, RADIUS_CELL, TYPE_FINE, TYPE_PANEL,
};

/// Room at both ends of a row, px.
const SIDE: f64 = 10.0;
/// Width of the left part, px.
const LEFT: f64 = 94.0;
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
    let name = Ink::new(FontFace::Mono, TYPE_PANEL, paints.solid("ink"));
    let quiet = Ink::new(FontFace::Mono, TYPE_FINE, paints.solid("muted"));
    let epoch = format!("e{}", subject.replica.epoch);
    let room = LEFT - quiet.width(&epoch) - 8.0;
    let shown = topomotion_text::ellipsize(
        draw::face(name.face),
        TYPE_PANEL,
        subject.partition,
        room,
    );
    let after = x + name.width(&shown) + 6.0;
    let mut primitives = vec![
        name.line(&shown, Point::new(x, y + 16.0), Anchor::Start),
        quiet.line(&epoch, Point::new(after, y + 16.0), Anchor::Start),
    ];
    let end = role_chip(subject, Point::new(x, y + 23.0), paints, &mut primitives);
    let told = subject
        .registration
        .filter(|told| told.leader.as_deref() == Some(subject.process));
    if let Some(registration) = told.filter(|_| subject.leads()) {
        let room = x + LEFT + 2.0 - end - 6.0;
        let text = in_sync(registration, |text| quiet.width(text) <= room);
        let text =
            topomotion_text::ellipsize(draw::face(quiet.face), TYPE_FINE, &text, room);
        primitives.push(quiet.line(
            &text,
            Point::new(end + 6.0, y + 33.0),
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

/// The in-sync set in a small place: without what all ids begin with, and where that is too
/// long still, by the fewest first letters that tell them apart.
fn in_sync(registration: &Registration, fits: impl Fn(&str) -> bool) -> String {
    let replicas = &registration.replicas;
    let shared = shared_stem(replicas);
    let rest = |id: &str| id.get(shared..).unwrap_or(id).to_owned();
    let text = |letters: usize| {
        let name = |id: &String| rest(id).chars().take(letters).collect::<String>();
        let members: Vec<String> = registration.isr.iter().map(name).collect();
        format!("ISR {}", members.join(","))
    };
    let whole = text(usize::MAX);
    if fits(&whole) {
        return whole;
    }
    let longest = replicas.iter().map(|id| id.chars().count()).max().unwrap_or(0);
    let are_distinct = |letters: &usize| {
        let names: std::collections::BTreeSet<String> =
            replicas.iter().map(|id| rest(id).chars().take(*letters).collect()).collect();
        names.len() == replicas.len()
    };
    (1..=longest).find(are_distinct).map_or(whole, text)
}

/// How many bytes the ids begin with that say nothing, since all begin so: `broker-` of
/// `broker-1` and `broker-2`, `eu-west-` of `eu-west-a` and `eu-west-b`. Numbers stay whole,
/// and words too: `berlin` and `bern` share nothing.
fn shared_stem(ids: &[String]) -> usize {
    let Some((first, rest)) = ids.split_first() else { return 0 };
    let is_stem = |length: &usize| {
        let Some(stem) = first.get(..*length) else { return false };
        let before = stem.chars().next_back();
        let after = first[stem.len()..].chars().next();
        let parts = match (before, after) {
            (Some(before), Some(after)) => {
                !before.is_alphanumeric()
                    || before.is_alphabetic() && after.is_ascii_digit()
            }
            _ => false,
        };
        parts && rest.iter().all(|id| id.starts_with(stem) && id.len() > stem.len())
    };
    (1..first.len()).rev().find(is_stem).unwrap_or(0)
}

/// The last records of the log, its epochs, the high watermark and the log end.
pub(crate) fn cells(subject: &Subject<'_>, row: Rect, paints: &Paints) -> Item {
    let replica = subject.replica;
    let strip = Strip::new(row, replica.start, replica.end.max(0));
    let mut primitives = Vec::new();
    let ends =
        [Point::new(strip.left, strip.foot()), Point::new(strip.right, strip.foot())];
    primitives.push(draw::polyline(&ends, paints.stroke("hairline", BORDER_FINE)));
    if strip.start >= strip.end {
        let quiet = Ink::new(FontFace::Regular, TYPE_FINE, paints.solid("muted"));
        let at = Point::new(strip.left, strip.foot() - 5.0);
        let text = match strip.end {
            0 => "empty".to_owned(),
            end => format!("empty, next is {end}"),
        };
        primitives.push(quiet.line(&text, at, Anchor::Start));
    } else {
        // What retention or a deletion took leaves its place free.
        for offset in strip.first.max(strip.start)..strip.end {
            let committed = offset < replica.watermark;
            strip.cell(offset, committed, paints, &mut primitives);
        }
        strip.epochs(&replica.epochs, paints, &mut primitives);
        let ends = (replica.watermark, replica.last_stable);
        strip.ends(ends, paints, &mut primitives);
    }
    let mut name = format!(
        "{} on {}: log end {}, high watermark {}",
        subject.partition, subject.name, strip.end, replica.watermark
    );
    if let Some(offset) = replica.last_stable.filter(|it| *it < replica.watermark) {
        name.push_str(&format!(", last stable offset {offset}"));
    }
    if replica.start > 0 {
        name.push_str(&format!(", log start {}", replica.start));
    }
    for (start, epoch) in &replica.epochs {
        name.push_str(&format!(", epoch {epoch} from offset {start}"));
    }
    Item {
        class: "log".into(),
        id: Some(subject.partition.into()),
        name: Some(name),
        primitives,
    }
}

/// Where the records of a row stand.
#[derive(Debug)]
struct Strip {
    left: f64,
    right: f64,
    top: f64,
    /// First offset that is shown.
    first: i64,
    /// Log start.
    start: i64,
    /// Log end.
    end: i64,
}

impl Strip {
    fn new(row: Rect, start: i64, end: i64) -> Strip {
        let left = row.x + SIDE + LEFT + 14.0;
        let room = row.right() - SIDE - left;
        let count = (room / CELL_WIDTH).floor().clamp(1.0, MOST_CELLS);
        Strip {
            left,
            right: left + CELL_WIDTH * count,
            top: row.y + 12.0,
            first: (end - count as i64).max(0),
            start,
            end,
        }
    }

    fn foot(&self) -> f64 {
        self.top + CELL_HEIGHT
    }

    /// The left border of an offset's cell.
    fn x(&self, offset: i64) -> f64 {
        let cells = offset.clamp(self.first, self.end) - self.first;
        self.left + cells as f64 * CELL_WIDTH
    }

    /// A record; one beyond the high watermark is open and dashed.
    fn cell(
        &self,
        offset: i64,
        committed: bool,
        paints: &Paints,
        all: &mut Vec<Primitive>,
    ) {
        let place =
            Rect::new(self.x(offset) + 0.75, self.top, CELL_WIDTH - 1.5, CELL_HEIGHT);
        all.push(record(place, committed, paints));
        let ink = if committed { "cell-ink" } else { "cell-open-ink" };
        let text = offset.to_string();
        let size = if text.len() > 2 { 7.0 } else { 9.0 };
        let ink = Ink::new(FontFace::Mono, size, paints.solid(ink));
        let base = Point::new(place.center().x, place.y + 12.25);
        all.push(ink.line(&text, base, Anchor::Middle));
    }

    /// A notch with its number where a leader epoch begins, and at the first record shown.
    fn epochs(&self, epochs: &[(i64, i32)], paints: &Paints, all: &mut Vec<Primitive>) {
        let ink = Ink::new(FontFace::Mono, TYPE_FINE, paints.solid("epoch"));
        let mut free = f64::MIN;
        for (index, (start, epoch)) in epochs.iter().enumerate() {
            let next = epochs.get(index + 1).map_or(self.end, |(start, _)| *start);
            if next <= self.first.max(self.start) {
                continue;
            }
            let x = self.x((*start).max(self.start));
            let notch = [Point::new(x, self.top - 9.0), Point::new(x, self.foot())];
            all.push(draw::polyline(&notch, paints.stroke("epoch", BORDER_FINE)));
            let text = format!("e{epoch}");
            if x >= free {
                let at = Point::new(x + 2.5, self.top - 2.5);
                all.push(ink.line(&text, at, Anchor::Start));
                free = x + ink.width(&text) + 4.0;
            }
        }
    }

    /// The high watermark under the cells, and the log end if it is elsewhere.
    fn ends(
        &self,
        (watermark, last_stable): (i64, Option<i64>),
        paints: &Paints,
        all: &mut Vec<Primitive>,
    ) {
        let base = self.foot() + 13.0;
        let mut right = self.right;
        if self.end > watermark {
            let ink = Ink::new(FontFace::Regular, TYPE_FINE, paints.solid("muted"));
            let text = format!("end {}", self.end);
            all.push(ink.line(&text, Point::new(right, base), Anchor::End));
            right -= ink.width(&text) + 5.0;
        }
        let x = self.x(watermark);
        let tick = [Point::new(x, self.top - 2.0), Point::new(x, self.foot() + 2.5)];
        all.push(draw::polyline(&tick, paints.stroke("watermark", 2.0)));
        let flag = [
            Point::new(x, self.foot() + 5.0),
            Point::new(x + 3.0, self.foot() + 1.0),
            Point::new(x - 3.0, self.foot() + 1.0),
        ];
        all.push(draw::polygon(&flag, Some(paints.solid("watermark")), None));
        let ink = Ink::new(FontFace::SemiBold, TYPE_FINE, paints.solid("watermark"));
        // Readers of committed records stop where a transaction is open.
        let held = last_stable.filter(|offset| *offset < watermark);
        if let Some(offset) = held {
            let x = self.x(offset);
            let bar = [Point::new(x, self.top - 4.0), Point::new(x, self.foot() + 2.5)];
            let line = Stroke { dash: vec![3.0, 2.0], ..paints.stroke("warning", 2.0) };
            all.push(draw::polyline(&bar, line));
        }
        let text = match held {
            Some(offset) => format!("LSO {offset} · HW {watermark}"),
            None => format!("HW {watermark}"),
        };
        let half = ink.width(&text) / 2.0;
        let middle = x.min(right - half).max(self.left - 4.0 + half);
        all.push(ink.line(&text, Point::new(middle, base), Anchor::Middle));
    }
}

/// A record's cell, without its offset.
pub(crate) fn record(place: Rect, committed: bool, paints: &Paints) -> Primitive {
    let (fill, dash) =
        if committed { ("cell", Vec::new()) } else { ("cell-open", vec![2.5, 2.0]) };
    let stroke = Stroke { dash, ..paints.stroke("cell-line", BORDER_FINE) };
    draw::rect(place, RADIUS_CELL, Some(paints.solid(fill)), Some(stroke))
}

/// What a member of a group owns: its generation, and a pill for each partition.
pub(crate) fn member_row(member: Option<&Member>, row: Rect, paints: &Paints) -> Item {
    let label = Ink::new(FontFace::Regular, 10.5, paints.solid("muted"));
    let base = row.y + 15.0;
    let mut x = row.x + SIDE;
    let mut primitives = Vec::new();
    let inside = member.filter(|member| member.generation >= 0);
    let generation = match inside {
        Some(member) => format!("gen {}", member.generation),
        None => "in no group".to_owned(),
    };
    primitives.push(label.line(&generation, Point::new(x, base), Anchor::Start));
    x += label.width(&generation) + 8.0;
    let owned = member.map(|member| member.owned.as_slice()).unwrap_or_default();
    if owned.is_empty() && inside.is_some() {
        // A pill without a filling, where others have theirs.
        let text = "no partition";
        let ink = Ink::new(FontFace::SemiBold, 9.0, paints.solid("muted"));
        let width = ink.width(text) + 10.0;
        let place = Rect::new(x, row.y + 4.0, width, 14.0);
        let line = Stroke { dash: vec![2.5, 2.0], ..paints.stroke("line", 1.0) };
        primitives.push(draw::rect(place, 4.0, None, Some(line)));
        let at = Point::new(place.center().x, row.y + 14.25);
        primitives.push(ink.line(text, at, Anchor::Middle));
    }
    let ink = Ink::new(FontFace::SemiBold, 9.0, paints.solid("leader-text"));
    for (index, partition) in owned.iter().enumerate() {
        let text = short(partition, owned);
        let width = ink.width(&text) + 10.0;
        let left = owned.len() - index;
        let more = format!("+{left}");
        let spare = if left > 1 { label.width(&more) + 4.0 } else { 0.0 };
        if x + width > row.right() - SIDE - spare {
            primitives.push(label.line(&more, Point::new(x, base), Anchor::Start));
            break;
        }
        let place = Rect::new(x, row.y + 4.0, width, 14.0);
        primitives.push(draw::rect(place, 4.0, Some(paints.solid("leader")), None));
        let at = Point::new(place.center().x, row.y + 14.25);
        primitives.push(ink.line(&text, at, Anchor::Middle));
        x += width + 4.0;
    }
    let told = match (inside, owned) {
        (None, _) => "in no group".to_owned(),
        (Some(_), []) => format!("{generation}, owns nothing"),
        (Some(_), owned) => format!("{generation}, owns {}", owned.join(", ")),
    };
    Item { class: "row".into(), id: None, name: Some(told), primitives }
}

/// `p0` of `orders-0`, where all are of one topic.
fn short(partition: &str, all: &[String]) -> String {
    let topic = |name: &str| name.rsplit_once('-').map(|(topic, _)| topic.to_owned());
    let own = topic(partition);
    match (all.iter().all(|other| topic(other) == own), partition.rsplit_once('-')) {
        (true, Some((_, number))) => format!("p{number}"),
        _ => partition.to_owned(),
    }
}

/// One row of text: a consumer's position, or what a producer has sent and heard. What is
/// too wide for its row moves together first, and then becomes smaller.
pub(crate) fn text_row(parts: &[(&str, String)], row: Rect, paints: &Paints) -> Item {
    let inks = |size: f64| {
        let label = Ink::new(FontFace::Regular, size, paints.solid("muted"));
        (label, Ink::new(FontFace::Mono, size, paints.solid("ink")))
    };
    let room = row.width - 2.0 * SIDE;
    let width = |size: f64, inner: f64, gap: f64| {
        let (label, value) = inks(size);
        let parts = parts.iter();
        let widths =
            parts.map(|(name, text)| label.width(name) + inner + value.width(text) + gap);
        widths.sum::<f64>() - gap
    };
    let fits = |&&(size, inner, gap): &&(f64, f64, f64)| width(size, inner, gap) <= room;
    let (size, inner, gap) =
        *ROW_SETTINGS.iter().find(fits).unwrap_or(&ROW_SETTINGS[ROW_SETTINGS.len() - 1]);
    let (label, value) = inks(size);
    let excess = (width(size, inner, gap) - room).max(0.0);
    let longest = parts.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut x = row.x + SIDE;
    let mut primitives = Vec::new();
    for (name, text) in parts {
        let base = row.y + 15.0;
        let spare = if name.len() == longest { excess } else { 0.0 };
        let face = draw::face(label.face);
        let shown = match spare > 0.0 {
            true => {
                topomotion_text::ellipsize(face, size, name, label.width(name) - spare)
            }
            false => (*name).to_owned(),
        };
        let name = shown.as_str();
        primitives.push(label.line(name, Point::new(x, base), Anchor::Start));
        x += label.width(name) + inner;
        primitives.push(value.line(text, Point::new(x, base), Anchor::Start));
        x += value.width(text) + gap;
    }
    let told = parts.iter().map(|(name, text)| format!("{name} {text}"));
    let told: Vec<String> = told.map(|part| part.trim_end().to_owned()).collect();
    Item { class: "row".into(), id: None, name: Some(told.join(", ")), primitives }
}

/// Type size, room between a name and its value, room between two pairs, px: the first that
/// fits.
const ROW_SETTINGS: [(f64, f64, f64); 4] =
    [(10.5, 5.0, 12.0), (10.5, 3.0, 7.0), (9.5, 3.0, 6.0), (8.5, 2.5, 5.0)];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Theme;
    use crate::tokens::PANEL_NARROW;

    fn texts(replica: &Replica) -> Vec<(String, f64, f64)> {
        let paints = Paints::new(&Theme::default());
        let subject = Subject {
            process: "b",
            name: "B",
            partition: "orders-0",
            replica,
            registration: None,
        };
        let item = cells(&subject, Rect::new(0.0, 0.0, 252.0, 46.0), &paints);
        let text = |primitive: &Primitive| match primitive {
            Primitive::Text { text, at, anchor, width, .. } => {
                let left = match anchor {
                    Anchor::Start => at.x,
                    Anchor::Middle => at.x - width / 2.0,
                    Anchor::End => at.x - width,
                };
                Some((text.clone(), left, left + width))
            }
            _ => None,
        };
        item.primitives.iter().filter_map(text).collect()
    }

    #[test]
    fn replicas_are_told_apart_by_what_their_ids_do_not_share() {
        let stem = |ids: &[&str]| {
            let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
            shared_stem(&ids)
        };
        assert_eq!(stem(&["broker-1", "broker-2"]), "broker-".len());
        assert_eq!(stem(&["kafka10", "kafka12"]), "kafka".len());
        assert_eq!(stem(&["eu-west-a", "eu-west-spare"]), "eu-west-".len());
        assert_eq!(stem(&["berlin", "bern"]), 0);
        assert_eq!(stem(&["broker-1"]), "broker-".len());
        assert_eq!(stem(&[]), 0);
    }

    #[test]
    fn long_names_of_replicas_shrink_to_what_tells_them_apart() {
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
        let cities = Registration {
            replicas: ids(&["oslo", "bergen", "bodo"]),
            isr: ids(&["oslo", "bodo"]),
            leader: None,
            epoch: 0,
        };
        assert_eq!(in_sync(&cities, |_| true), "ISR oslo,bodo");
        assert_eq!(in_sync(&cities, |text| text.len() < 10), "ISR os,bo");
    }

    #[test]
    fn every_epoch_that_is_seen_has_its_number() {
        let epochs = vec![(0, 0), (3, 1), (14, 7)];
        let replica = Replica { end: 15, watermark: 15, epochs, ..Replica::default() };
        let told: Vec<String> = texts(&replica).into_iter().map(|text| text.0).collect();
        assert!(told.contains(&"e1".to_owned()) && told.contains(&"e7".to_owned()));
        assert!(!told.contains(&"e0".to_owned()), "its records are no longer seen");
    }

    #[test]
    fn the_watermark_and_the_log_end_never_cover_one_another_nor_the_head() {
        for end in 1..12_i64 {
            for watermark in 0..=end {
                let replica = Replica { end, watermark, ..Replica::default() };
                let all = texts(&replica);
                let find =
                    |start: &str| all.iter().find(|text| text.0.starts_with(start));
                let mark = find("HW").unwrap();
                assert!(mark.1 >= SIDE + LEFT + 8.0, "{end} {watermark}");
                assert_eq!(find("end").is_some(), watermark < end);
                if let Some(log_end) = find("end") {
                    assert!(mark.2 < log_end.1, "{end} {watermark}");
                }
            }
        }
    }

    #[test]
    fn a_row_of_text_stays_in_its_panel() {
        let paints = Paints::new(&Theme::default());
        let row = Rect::new(0.0, 0.0, PANEL_NARROW, 22.0);
        for numbers in [["3", "3"], ["1234", "1200"], ["12345", "12000"]] {
            let [next, committed] = numbers.map(str::to_owned);
            let parts = [
                ("customer-orders-0", String::new()),
                ("next", next),
                ("committed", committed),
            ];
            let item = text_row(&parts, row, &paints);
            let ends = item.primitives.iter().map(|primitive| match primitive {
                Primitive::Text { at, width, .. } => at.x + width,
                _ => 0.0,
            });
            let end = ends.fold(0.0, f64::max);
            assert!(end <= row.right() - SIDE + 0.5, "{numbers:?}: {end}");
        }
    }

    #[test]
    fn an_empty_log_says_so() {
        assert_eq!(texts(&Replica::default())[0].0, "empty");
        let gone = Replica { start: 5, end: 5, watermark: 5, ..Replica::default() };
        assert_eq!(texts(&gone)[0].0, "empty, next is 5");
    }

    #[test]
    fn what_retention_took_has_no_cell() {
        let replica = Replica { start: 3, end: 5, watermark: 5, ..Replica::default() };
        let texts = texts(&replica);
        let cells: Vec<&str> = texts.iter().map(|(text, ..)| text.as_str()).collect();
        assert_eq!(cells, ["3", "4", "HW 5"]);
    }
}
