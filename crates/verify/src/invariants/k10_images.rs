//! K6 and K10: whoever has applied the same metadata has the same image.

use std::collections::BTreeMap;

use topomotion_sim::Sight;

use super::Checker;
use crate::court::Bench;
use crate::model::{Model, Name};

#[derive(Debug, Default)]
pub(crate) struct Images {
    seen: BTreeMap<i64, (u64, Name)>,
}

impl Checker for Images {
    fn witness(&mut self, _model: &Model, sight: &Sight, bench: &mut Bench<'_>) {
        let Sight::Image { process, offset, digest } = sight else { return };
        let first = self.seen.entry(*offset).or_insert((*digest, process.clone()));
        bench.demand("K10", first.0 == *digest, || {
            format!(
                "{} and {process} have both applied metadata up to {offset} and differ",
                first.1
            )
        });
    }
}
