//! Which rules acted, and how often.

use topomotion_wire::Rule;

/// Counts for every rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    counts: Vec<u64>,
}

impl Default for Coverage {
    fn default() -> Coverage {
        Coverage { counts: vec![0; Rule::ALL.len()] }
    }
}

impl Coverage {
    pub(crate) fn count(&mut self, rule: Rule) {
        if let Some(count) = self.counts.get_mut(rule as usize) {
            *count += 1;
        }
    }

    /// Takes the counts of another run in.
    pub fn add(&mut self, other: &Coverage) {
        for (mine, others) in self.counts.iter_mut().zip(&other.counts) {
            *mine += others;
        }
    }

    /// Every rule's id, what it says, and how often it acted, in the order of the ids.
    pub fn rules(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> {
        let counts = self.counts.iter();
        Rule::ALL.iter().zip(counts).map(|(rule, n)| (rule.id(), rule.statement(), *n))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_a_place_of_its_own() {
        for (index, &rule) in Rule::ALL.iter().enumerate() {
            let mut coverage = Coverage::default();
            coverage.count(rule);
            let counted: Vec<usize> = (0..)
                .zip(coverage.rules())
                .filter_map(|(place, (_, _, count))| (count == 1).then_some(place))
                .collect();
            assert_eq!(counted, [index], "{rule}");
        }
    }
}
