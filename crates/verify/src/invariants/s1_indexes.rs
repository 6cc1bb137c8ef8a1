//! S1: in an offset index offsets and positions rise, and each entry points to where a batch
//! begins that reaches to its offset; in a time index time rises and offsets never fall.

use topomotion_sim::{Filed, Sight, Stored};

use super::Checker;
use crate::court::Bench;
use crate::model::Model;

#[derive(Debug)]
pub(crate) struct Indexes;

impl Checker for Indexes {
    fn witness(&mut self, _model: &Model, sight: &Sight, bench: &mut Bench<'_>) {
        let Sight::Stored(stored) = sight else { return };
        match &stored.what {
            Filed::Indexed { entries, batches } => {
                let rises = |a: &(i64, u64), b: &(i64, u64)| a.0 < b.0 && a.1 < b.1;
                is_sorted(stored, entries, rises, bench);
                for (offset, position) in entries {
                    let begins = batches.iter().find(|batch| batch.0 == *position);
                    let fits = begins
                        .is_some_and(|(_, base, last)| (base..=last).contains(&offset));
                    bench.demand("S1", fits, || {
                        let found = match begins {
                            Some((_, base, last)) => {
                                format!("the batch of {base} to {last}")
                            }
                            None => "no batch".to_owned(),
                        };
                        let whose = whose(stored);
                        format!(
                            "{whose} leads for offset {offset} to position {position}, \
                             where {found} begins"
                        )
                    });
                }
            }
            Filed::TimeIndexed { entries } => {
                let rises = |a: &(i64, i64), b: &(i64, i64)| a.0 < b.0 && a.1 <= b.1;
                is_sorted(stored, entries, rises, bench);
                let before = entries.iter().find(|(_, offset)| *offset < stored.segment);
                bench.demand("S1", before.is_none(), || {
                    format!("{} names offset {:?}", whose(stored), before.map(|it| it.1))
                });
            }
            Filed::Gone { .. } | Filed::Rewritten { .. } => {}
        }
    }
}

fn is_sorted<T: std::fmt::Debug>(
    stored: &Stored,
    entries: &[T],
    rises: impl Fn(&T, &T) -> bool,
    bench: &mut Bench<'_>,
) {
    let wrong = entries.windows(2).find(|pair| !rises(&pair[0], &pair[1]));
    bench.demand("S1", wrong.is_none(), || {
        format!("{} does not rise: {wrong:?}", whose(stored))
    });
}

fn whose(Stored { process, partition, segment, .. }: &Stored) -> String {
    format!("an index of {process} for {partition}, segment {segment},")
}
