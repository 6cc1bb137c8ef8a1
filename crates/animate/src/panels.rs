//! The rows that stories show below the bodies of their processes, and the room they need.
//!
//! Rows are chosen once for a whole film, so that nothing moves while it plays.

use std::collections::{BTreeMap, BTreeSet};

use topomotion_scene::{Rect, Size};
use topomotion_trace::{StateChange, What};

use crate::Story;
use crate::ledger::replica_of;
use crate::reading::Reading;
use crate::tokens::{PANEL_NARROW, PANEL_WIDE, ROW_CLIENT, ROW_REPLICA};

/// Most partitions that a film shows.
const MOST_PARTITIONS: usize = 6;
/// Room above the first row and below the last, px.
const PAD: f64 = 6.0;

/// One row of a panel.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Row {
    /// A replica of this partition.
    Replica(String),
    /// A consumer's position in this partition.
    Position(String),
    /// What a producer has sent and heard.
    Sent,
    /// Who a producer is, and whether a transaction of it is open.
    Identity,
    /// What a member of a group owns.
    Member,
}

impl Row {
    fn height(&self) -> f64 {
        match self {
            Row::Replica(_) => ROW_REPLICA,
            Row::Position(_) | Row::Sent | Row::Identity | Row::Member => ROW_CLIENT,
        }
    }
}

/// All rows, by process.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub by_process: BTreeMap<String, Vec<Row>>,
}

impl Rows {
    /// The rows that these stories need.
    pub fn of(stories: &[Story<'_>]) -> Rows {
        let shown = shown_partitions(stories);
        let identified = identified(stories);
        let mut found: BTreeMap<String, BTreeSet<(Vec<String>, Row)>> = BTreeMap::new();
        for story in stories {
            for event in &story.trace.events {
                let Some((process, row)) = row_of(&event.what, &shown) else { continue };
                if row == Row::Identity && !identified.contains(process) {
                    continue;
                }
                let key = match &row {
                    Row::Replica(partition) | Row::Position(partition) => {
                        natural(partition)
                    }
                    Row::Sent | Row::Identity | Row::Member => Vec::new(),
                };
                found.entry(process.to_owned()).or_default().insert((key, row));
            }
        }
        let rows = found.into_iter().map(|(process, rows)| {
            (process, rows.into_iter().map(|(_, row)| row).collect())
        });
        Rows { by_process: rows.collect() }
    }

    /// The room for each process; all that hold replicas get the same.
    pub fn sizes(&self) -> BTreeMap<String, Size> {
        let height = |rows: &[Row]| rows.iter().map(Row::height).sum::<f64>() + 2.0 * PAD;
        let holds = |rows: &[Row]| rows.iter().any(|row| matches!(row, Row::Replica(_)));
        let holders = self.by_process.values().filter(|rows| holds(rows));
        let tallest = holders.map(|rows| height(rows)).fold(0.0, f64::max);
        let size = |rows: &[Row]| {
            if holds(rows) {
                Size { width: PANEL_WIDE, height: tallest }
            } else {
                Size { width: PANEL_NARROW, height: height(rows) }
            }
        };
        self.by_process
            .iter()
            .map(|(process, rows)| (process.clone(), size(rows)))
            .collect()
    }

    /// The rows of a process that fit into its panel, each with its place.
    pub fn places(&self, process: &str, panel: Rect) -> Vec<(&Row, Rect)> {
        let rows = self.by_process.get(process).map(Vec::as_slice).unwrap_or_default();
        let mut y = panel.y + PAD;
        let mut places = Vec::new();
        for row in rows {
            let place = Rect::new(panel.x, y, panel.width, row.height());
            if place.bottom() > panel.bottom() + 0.5 {
                break;
            }
            y = place.bottom();
            places.push((row, place));
        }
        places
    }
}

/// The producers whose ids and epochs are part of a story: those that have transactions, and
/// those that are given another id or epoch while it plays.
fn identified<'a>(stories: &[Story<'a>]) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    for story in stories {
        let all = story.trace.events.iter();
        let played = Reading::new(story.trace).events.iter();
        found.extend(all.filter_map(|event| identity_of(&event.what, true)));
        found.extend(played.filter_map(|event| identity_of(&event.what, false)));
    }
    found
}

fn identity_of(what: &What, transactional: bool) -> Option<&str> {
    let What::State(StateChange::ProducerIdentified { process, id, .. }) = what else {
        return None;
    };
    (id.is_some() || !transactional).then_some(process)
}

/// The partitions to which something happens; all of them, if nothing happens to any.
fn shown_partitions(stories: &[Story<'_>]) -> BTreeSet<String> {
    let (mut touched, mut known) = (BTreeSet::new(), BTreeSet::new());
    for story in stories {
        let reading = Reading::new(story.trace);
        for event in reading.events {
            touched.extend(partition_of(&event.what).map(|name| (natural(name), name)));
        }
        for event in &story.trace.events {
            known.extend(partition_of(&event.what).map(|name| (natural(name), name)));
        }
    }
    let chosen = if touched.is_empty() { known } else { touched };
    chosen.into_iter().take(MOST_PARTITIONS).map(|(_, name)| name.to_owned()).collect()
}

fn partition_of(what: &What) -> Option<&str> {
    let What::State(change) = what else { return None };
    let partition = match change {
        StateChange::Registration { partition, .. }
        | StateChange::BatchSent { partition, .. }
        | StateChange::Polled { partition, .. } => partition,
        change => replica_of(change)?.1,
    };
    (!partition.starts_with("__")).then_some(partition)
}

fn row_of<'a>(what: &'a What, shown: &BTreeSet<String>) -> Option<(&'a str, Row)> {
    let What::State(change) = what else { return None };
    let (process, row) = match change {
        StateChange::BatchSent { process, .. }
        | StateChange::BatchAcked { process, .. } => {
            return Some((process, Row::Sent));
        }
        StateChange::Polled { process, partition, .. } => {
            (&**process, Row::Position(partition.to_string()))
        }
        StateChange::Member { process, .. } => return Some((process, Row::Member)),
        StateChange::ProducerIdentified { process, .. } => {
            return Some((process, Row::Identity));
        }
        change => {
            let (process, partition) = replica_of(change)?;
            (process, Row::Replica(partition.to_owned()))
        }
    };
    let (Row::Replica(partition) | Row::Position(partition)) = &row else { return None };
    shown.contains(partition).then_some((process, row))
}

/// A key that sorts numbers by value: `orders-2` before `orders-10`.
fn natural(name: &str) -> Vec<String> {
    let is_digit = |c: char| c.is_ascii_digit();
    let digits = name.len() - name.trim_end_matches(is_digit).len();
    let (stem, number) = name.split_at(name.len() - digits);
    vec![stem.to_owned(), format!("{number:0>12}")]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Kind, fixture};

    #[test]
    fn all_brokers_get_the_same_room() {
        let trace = fixture::produce();
        let kind = Kind::Executed;
        let story = Story { id: "s", title: "", description: "", trace: &trace, kind };
        let sizes = Rows::of(&[story]).sizes();
        assert_eq!(sizes["broker-1"], sizes["broker-3"]);
        assert_eq!(sizes["broker-1"], Size { width: 252.0, height: 58.0 });
        assert_eq!(sizes["order-producer"].width, 176.0);
        assert!(!sizes.contains_key("controller"));
    }

    #[test]
    fn partitions_are_in_the_order_of_their_numbers() {
        assert!(natural("orders-2") < natural("orders-10"));
        assert!(natural("a-10") < natural("b-2"));
    }
}
