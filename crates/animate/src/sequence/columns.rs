//! Who stands where: a lifeline for each process that takes part, its head, its groups.
//!
//! Lifelines keep the order of the topology, members of a group side by side. Two lifelines
//! are as far apart as their heads and the names of the messages between them need; if the
//! picture would become too wide that way, names are shortened, in steps. The full text is
//! always in the tooltip.

use std::collections::{BTreeMap, BTreeSet};

use topomotion_scene::{
    FontFace, GroupBox, NodeBox, Outline, Point, Rect, Scene, Size, TextLine,
};

use crate::draw;
use crate::paint::{display_name, names};

/// Longest names, px, in the order in which they are tried: of heads, of messages.
const LIMITS: [(f64, f64); 5] =
    [(140.0, 110.0), (112.0, 110.0), (92.0, 84.0), (72.0, 64.0), (56.0, 48.0)];
/// Longest word for which a head is made wider than that, px.
const WORD: f64 = 64.0;
/// Width that a lifeline may have in any case, px.
const SHARE: f64 = 92.0;
/// Widest picture that is not made narrower, px.
const WIDEST: f64 = 2200.0;
/// Least width of a picture, px.
const LEAST: f64 = 720.0;
/// Room for times at the left, px.
const AXIS: f64 = 92.0;
/// Room for notes at the right, px.
pub(crate) const NOTES: f64 = 236.0;
/// Room at the right end, px.
const MARGIN: f64 = 24.0;
/// Room that a mark on an outermost lifeline needs, px.
const ASIDE: f64 = 74.0;
/// Line height and font size of heads, px.
const LINE: f64 = 15.0;
const FONT: f64 = 12.0;
/// The same of groups' titles.
const TITLE_LINE: f64 = 14.0;
const TITLE_FONT: f64 = 11.0;

/// Two lifelines that need room between them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pair {
    /// From whom.
    pub from: String,
    /// To whom; the same for a message to oneself.
    pub to: String,
    /// Name of the message.
    pub label: String,
    /// Width beside the name, px.
    pub extra: f64,
}

/// One process in time.
#[derive(Debug, Clone)]
pub(crate) struct Lifeline {
    /// The process.
    pub id: String,
    /// Its name in running text.
    pub name: String,
    /// Where its line is.
    pub x: f64,
}

/// All lifelines.
#[derive(Debug, Clone)]
pub(crate) struct Columns {
    /// From left to right.
    pub lifelines: Vec<Lifeline>,
    /// Their heads and groups, as a scene whose top is 0.
    pub heads: Scene,
    /// The names of those who take no part.
    pub absent: Vec<String>,
    /// Longest name of a message, px.
    pub limit: f64,
    /// Between the times and the notes.
    pub lane: (f64, f64),
    /// Left end of the notes, if there are any.
    pub notes: Option<f64>,
    /// Of the whole picture.
    pub width: f64,
    places: BTreeMap<String, usize>,
}

impl Columns {
    /// Finds room for the processes in `parts` (for all, if none of them is known) and for the
    /// messages between them.
    pub fn new(
        scene: &Scene,
        parts: &BTreeSet<String>,
        pairs: &[Pair],
        has_notes: bool,
    ) -> Columns {
        let order = order(scene);
        let takes_part = |index: &usize| parts.contains(&scene.nodes[*index].id);
        let (mut present, mut absent): (Vec<usize>, Vec<usize>) =
            order.iter().partition(|index| takes_part(index));
        if present.is_empty() {
            present = std::mem::take(&mut absent);
        }
        let nodes: Vec<&NodeBox> =
            present.iter().map(|index| &scene.nodes[*index]).collect();
        let names = names(scene);
        let absent = absent.iter().filter_map(|at| names.get(&scene.nodes[*at].id));
        let absent: Vec<String> = absent.cloned().collect();
        let titles = titles(&nodes);
        let mut made = None;
        for (head, limit) in LIMITS {
            let draft = Draft { scene, nodes: &nodes, titles: &titles, head, limit };
            let columns = draft.columns(pairs, has_notes);
            let fits = columns.width <= WIDEST.max(SHARE * nodes.len() as f64);
            made = Some(Columns { absent: absent.clone(), ..columns });
            if fits {
                break;
            }
        }
        made.expect("there are limits to try")
    }

    /// The place of a process among the lifelines.
    pub fn of(&self, process: &str) -> Option<usize> {
        self.places.get(process).copied()
    }

    /// Where the lifeline is.
    pub fn x(&self, column: usize) -> f64 {
        self.lifelines.get(column).map_or(0.0, |lifeline| lifeline.x)
    }
}

/// The nodes from left to right: the script's order, but groups stay together.
fn order(scene: &Scene) -> Vec<usize> {
    let parents: BTreeMap<&str, Option<&str>> = scene
        .groups
        .iter()
        .map(|group| (group.id.as_str(), group.parent.as_deref()))
        .collect();
    let mut first: BTreeMap<&str, usize> = BTreeMap::new();
    let mut keys: Vec<(Vec<usize>, usize)> = Vec::new();
    for (index, node) in scene.nodes.iter().enumerate() {
        let mut key: Vec<usize> = chain(node, &parents)
            .into_iter()
            .map(|group| *first.entry(group).or_insert(index))
            .collect();
        key.push(index);
        keys.push((key, index));
    }
    keys.sort();
    keys.into_iter().map(|(_, index)| index).collect()
}

/// The groups around a node, outermost first.
fn chain<'a>(
    node: &'a NodeBox,
    parents: &BTreeMap<&'a str, Option<&'a str>>,
) -> Vec<&'a str> {
    let mut chain = Vec::new();
    let mut group = node.group.as_deref();
    // A group that stands in itself would have no end.
    while let Some(id) = group.filter(|id| !chain.contains(id)) {
        chain.push(id);
        group = parents.get(id).copied().flatten();
    }
    chain.reverse();
    chain
}

/// What the heads say: short names, full labels where short ones are the same, ids where
/// even these are.
fn titles(nodes: &[&NodeBox]) -> Vec<String> {
    let count = |texts: &[String], text: &str| {
        texts.iter().filter(|other| other.as_str() == text).count()
    };
    let short: Vec<String> = nodes.iter().map(|node| display_name(node)).collect();
    let full: Vec<String> = nodes.iter().map(|node| node.label.clone()).collect();
    let title = |(index, node): (usize, &&NodeBox)| {
        if count(&short, &short[index]) == 1 {
            short[index].clone()
        } else if count(&full, &full[index]) == 1 {
            full[index].clone()
        } else {
            format!("{}\n{}", short[index], node.id)
        }
    };
    nodes.iter().enumerate().map(title).collect()
}

/// The lifelines with names of at most these widths.
struct Draft<'a> {
    scene: &'a Scene,
    nodes: &'a [&'a NodeBox],
    titles: &'a [String],
    head: f64,
    limit: f64,
}

/// A head before it has a place.
struct Head {
    lines: Vec<String>,
    width: f64,
}

impl Draft<'_> {
    fn columns(&self, pairs: &[Pair], has_notes: bool) -> Columns {
        let heads: Vec<Head> = self.titles.iter().map(|title| self.head(title)).collect();
        let places: BTreeMap<String, usize> = self
            .nodes
            .iter()
            .enumerate()
            .map(|(index, node)| (node.id.clone(), index))
            .collect();
        let (xs, right) = self.places(&heads, &places, pairs);
        let notes = has_notes.then_some(right + 18.0);
        let width = notes.map_or(right, |notes| notes + NOTES) + MARGIN;
        let lifelines = self.nodes.iter().zip(&xs).map(|(node, &x)| Lifeline {
            id: node.id.clone(),
            name: display_name(node),
            x,
        });
        Columns {
            lifelines: lifelines.collect(),
            heads: self.heads(&heads, &xs),
            absent: Vec::new(),
            limit: self.limit,
            lane: (AXIS, right),
            notes,
            width: width.max(LEAST).ceil(),
            places,
        }
    }

    fn head(&self, title: &str) -> Head {
        let words = title.split_whitespace();
        let words = words.map(|word| draw::width(FontFace::SemiBold, FONT, word));
        let longest = words.filter(|word| *word <= WORD).fold(0.0, f64::max);
        let room = (self.head - 20.0).max(longest + 0.5);
        let face = draw::face(FontFace::SemiBold);
        let wrap =
            |text: &str, most| topomotion_text::wrap(face, FONT, text, room, most).lines;
        let mut lines = wrap(title, 3);
        // What tells processes apart stands at the end more often than not.
        let whole = wrap(title, 100);
        if let (Some(last), true) = (whole.last(), whole.len() > lines.len()) {
            lines = whole.iter().take(2).cloned().collect();
            let end = format!("… {last}");
            lines.push(topomotion_text::ellipsize(face, FONT, &end, room));
        }
        let widths = lines.iter().map(|line| draw::width(FontFace::SemiBold, FONT, line));
        let width = (widths.fold(0.0, f64::max) + 24.0).max(56.0_f64.min(self.head));
        Head { lines, width: width.ceil() }
    }

    /// Where the lines are, and the right end of what they need.
    fn places(
        &self,
        heads: &[Head],
        places: &BTreeMap<String, usize>,
        pairs: &[Pair],
    ) -> (Vec<f64>, f64) {
        let depth = |index: usize| self.chain(index).len() as f64;
        let mut demands: BTreeMap<usize, Vec<(usize, f64)>> = BTreeMap::new();
        let mut beyond: BTreeMap<usize, f64> = BTreeMap::new();
        for pair in pairs {
            let (Some(&a), Some(&b)) = (places.get(&pair.from), places.get(&pair.to))
            else {
                continue;
            };
            let text = draw::width(FontFace::SemiBold, 11.0, &pair.label).min(self.limit);
            if a == b {
                let room = beyond.entry(a).or_default();
                *room = room.max(text + pair.extra + 28.0);
            } else {
                let room = text + pair.extra + 30.0;
                demands.entry(a.max(b)).or_default().push((a.min(b), room));
            }
        }
        let mut xs: Vec<f64> = Vec::new();
        for (index, head) in heads.iter().enumerate() {
            let half = head.width / 2.0;
            let least = match index.checked_sub(1) {
                None => AXIS + (half + 8.0 * depth(0) + 4.0).max(ASIDE),
                Some(before) => {
                    let apart = self.crossed(before, index) as f64;
                    let heads = heads[before].width / 2.0 + half + 14.0 + 12.0 * apart;
                    let own = beyond.get(&before).map_or(0.0, |room| room + 12.0);
                    xs[before] + heads.max(own)
                }
            };
            let wished = demands.get(&index).into_iter().flatten();
            let x = wished.fold(least, |x, (from, room)| x.max(xs[*from] + room));
            xs.push(x.ceil());
        }
        let last = xs.len().checked_sub(1).map_or(AXIS + ASIDE, |last| {
            let head = heads[last].width / 2.0 + 8.0 * depth(last) + 4.0;
            let own = beyond.get(&last).copied().unwrap_or(0.0);
            xs[last] + head.max(own).max(ASIDE)
        });
        (xs, last)
    }

    fn chain(&self, index: usize) -> Vec<&str> {
        let parents = self
            .scene
            .groups
            .iter()
            .map(|group| (group.id.as_str(), group.parent.as_deref()))
            .collect();
        chain(self.nodes[index], &parents)
    }

    /// How many groups' borders stand between two neighbours.
    fn crossed(&self, a: usize, b: usize) -> usize {
        let (a, b) = (self.chain(a), self.chain(b));
        let common = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
        a.len() + b.len() - 2 * common
    }

    /// The heads below their groups' titles.
    fn heads(&self, heads: &[Head], xs: &[f64]) -> Scene {
        let mut spans: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
        let deepest =
            (0..heads.len()).map(|index| self.chain(index).len()).max().unwrap_or(0);
        for (index, head) in heads.iter().enumerate() {
            let chain = self.chain(index);
            let height = chain.len();
            for (level, group) in chain.into_iter().enumerate() {
                let pad = 8.0 + 6.0 * (height - 1 - level) as f64;
                let half = head.width / 2.0 + pad;
                let span = spans.entry(group).or_insert((xs[index], xs[index]));
                *span = (span.0.min(xs[index] - half), span.1.max(xs[index] + half));
            }
        }
        let mut groups: Vec<GroupBox> = self
            .scene
            .groups
            .iter()
            .filter_map(|group| Some(bracket(group, *spans.get(group.id.as_str())?)))
            .collect();
        let tops = stack(&mut groups, deepest);
        let top = tops.last().copied().unwrap_or(8.0);
        let lines = heads.iter().map(|head| head.lines.len()).max().unwrap_or(1);
        let height = LINE * lines as f64 + 17.0;
        for group in &mut groups {
            let inner = deepest.saturating_sub(group.depth + 1) as f64;
            group.rect.height = top + height + 8.0 + 5.0 * inner - group.rect.y;
        }
        let below = if groups.is_empty() { 8.0 } else { 12.0 + 5.0 * deepest as f64 };
        let nodes = self.nodes.iter().zip(heads).zip(xs);
        Scene {
            size: Size { width: 0.0, height: top + height + below },
            groups,
            nodes: nodes
                .map(|((node, head), &x)| node_at(node, head, x, (top, height)))
                .collect(),
            routes: Vec::new(),
        }
    }
}

/// A group's frame over this span, its title wrapped into it.
fn bracket(group: &GroupBox, (left, right): (f64, f64)) -> GroupBox {
    let ink = draw::face(FontFace::SemiBold);
    let room = right - left - 16.0;
    let wrapped = topomotion_text::wrap(ink, TITLE_FONT, &group.label, room, 2);
    let line = |(index, text): (usize, &String)| TextLine {
        text: text.clone(),
        at: Point::new(left + 8.0, 16.0 + TITLE_LINE * index as f64),
        width: draw::width(FontFace::SemiBold, TITLE_FONT, text),
        size: TITLE_FONT,
        face: FontFace::SemiBold,
    };
    let lines: Vec<TextLine> = wrapped.lines.iter().enumerate().map(line).collect();
    let height = TITLE_LINE * lines.len() as f64 + 10.0;
    let rect = Rect::new(left, 0.0, right - left, height);
    GroupBox { rect, title: rect, lines, ..group.clone() }
}

/// Puts titles of one depth into one row; returns the top of each row, and of the heads.
fn stack(groups: &mut [GroupBox], deepest: usize) -> Vec<f64> {
    let mut tops = vec![8.0];
    for depth in 0..deepest {
        let row = groups.iter().filter(|group| group.depth == depth);
        let height = row.map(|group| group.rect.height).fold(0.0, f64::max);
        let top = tops.last().copied().unwrap_or(0.0);
        for group in groups.iter_mut().filter(|group| group.depth == depth) {
            group.rect.y += top;
            group.title.y += top;
            group.lines.iter_mut().for_each(|line| line.at.y += top);
        }
        tops.push(top + height);
    }
    tops
}

/// The process as a head: a box with its name.
fn node_at(node: &NodeBox, head: &Head, x: f64, (top, height): (f64, f64)) -> NodeBox {
    let rect = Rect::new(x - head.width / 2.0, top, head.width, height);
    let first = rect.center().y - LINE * head.lines.len() as f64 / 2.0 + 11.0;
    let line = |(index, text): (usize, &String)| {
        let width = draw::width(FontFace::SemiBold, FONT, text);
        let at = Point::new(x - width / 2.0, first + LINE * index as f64);
        TextLine { text: text.clone(), at, width, size: FONT, face: FontFace::SemiBold }
    };
    NodeBox {
        rect,
        body: rect,
        panel: None,
        outline: Outline::Box,
        icon: None,
        lines: head.lines.iter().enumerate().map(line).collect(),
        dot: Rect::new(rect.right() - 9.0, rect.y - 3.0, 8.0, 8.0),
        badges: Vec::new(),
        ..node.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn all(scene: &Scene) -> BTreeSet<String> {
        scene.nodes.iter().map(|node| node.id.clone()).collect()
    }

    fn crowd(count: usize) -> Scene {
        let mut scene = fixture::scene();
        let model = scene.nodes[0].clone();
        scene.groups.clear();
        scene.nodes = (0..count)
            .map(|index| NodeBox {
                id: format!("worker-{index}"),
                label: format!("Stream worker number {index}"),
                group: None,
                ..model.clone()
            })
            .collect();
        scene
    }

    #[test]
    fn lifelines_stand_in_the_order_of_the_script_and_groups_stay_together() {
        let mut scene = fixture::scene();
        scene.nodes.swap(1, 3);
        let columns = Columns::new(&scene, &all(&scene), &[], true);
        let ids: Vec<&str> =
            columns.lifelines.iter().map(|line| line.id.as_str()).collect();
        assert_eq!(
            ids,
            ["order-producer", "broker-2", "broker-1", "broker-3", "flink", "controller"]
        );
    }

    #[test]
    fn names_of_messages_have_room_between_their_lifelines() {
        let scene = fixture::scene();
        let label = "a rather long name".to_owned();
        let pair = Pair {
            from: "broker-1".into(),
            to: "broker-2".into(),
            label: label.clone(),
            extra: 20.0,
        };
        let columns = Columns::new(&scene, &all(&scene), &[pair], false);
        let x = |id: &str| columns.x(columns.of(id).unwrap());
        let wide = draw::width(FontFace::SemiBold, 11.0, &label);
        assert!(x("broker-2") - x("broker-1") >= wide.min(columns.limit) + 50.0);
    }

    #[test]
    fn heads_never_touch_and_a_crowd_stays_narrow() {
        for count in [2, 9, 30, 60] {
            let scene = crowd(count);
            let columns = Columns::new(&scene, &all(&scene), &[], true);
            assert_eq!(columns.heads.nodes.len(), count);
            for pair in columns.heads.nodes.windows(2) {
                assert!(pair[0].rect.right() + 10.0 <= pair[1].rect.x);
            }
            assert!(columns.width < 5800.0, "{count}: {}", columns.width);
        }
    }

    #[test]
    fn who_takes_no_part_is_named_and_not_drawn() {
        let parts = ["flink".to_owned()].into();
        let columns = Columns::new(&fixture::scene(), &parts, &[], false);
        assert_eq!(columns.lifelines.len(), 1);
        assert_eq!(columns.absent.len(), 5);
        let nobody = Columns::new(&fixture::scene(), &BTreeSet::new(), &[], false);
        assert_eq!((nobody.lifelines.len(), nobody.absent.len()), (6, 0));
    }

    #[test]
    fn two_processes_of_one_name_are_told_apart_by_their_ids() {
        let mut scene = fixture::scene();
        scene.nodes[3].label = scene.nodes[2].label.clone();
        let nodes: Vec<&NodeBox> = scene.nodes.iter().collect();
        let titles = titles(&nodes);
        assert_eq!(titles[2], "Broker 1\nbroker-1");
        assert_eq!(titles[3], "Broker 1\nbroker-2");
        assert_eq!(titles[4], "Broker 3");
    }
}
