//! Conditions about groups and transactions as text: `group(flink-cg) == stable`.

use super::{ConditionError, Reader};
use crate::{Comparison, Condition, Count, PartitionName, Stateful, nearest};

impl Reader<'_> {
    /// `group(flink-cg) == stable` and `transaction(orders-tx) == ongoing`.
    pub(super) fn state(&mut self, subject: &str) -> Result<Condition, ConditionError> {
        let (example, of) = match subject {
            "group" => {
                let example = "group(flink-cg) == stable";
                (example, Stateful::Group(self.argument("a group", example)?))
            }
            _ => {
                let example = "transaction(orders-tx) == ongoing";
                let id = self.argument("a transactional.id", example)?;
                (example, Stateful::Transaction(id))
            }
        };
        let comparison = self.equality(example)?;
        self.skip_space();
        let start = self.at;
        let word = self.word();
        let states = of.states();
        if states.contains(&word) {
            return Ok(Condition::State { of, comparison, state: word.to_owned() });
        }
        let near = nearest(word, states.iter().copied()).filter(|_| !word.is_empty());
        Err(ConditionError {
            at: start,
            message: match word {
                "" => format!("expected a state {}", self.found()),
                word => format!("`{word}` is no state of a {subject}"),
            },
            help: match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are {}", states.join(", ")),
            },
        })
    }

    /// The other subjects of groups.
    pub(super) fn of_group(
        &mut self,
        subject: &str,
    ) -> Result<Condition, ConditionError> {
        let of = match subject {
            "generation" => {
                Count::Generation(self.argument("a group", "generation(flink-cg) == 2")?)
            }
            "members" => {
                Count::Members(self.argument("a group", "members(flink-cg) == 2")?)
            }
            "owns" => return self.owns(),
            "owned" => return self.owned(),
            "committed" => {
                const EXAMPLE: &str = "committed(flink-cg, orders-0) == 5";
                let group = self.first("a group", EXAMPLE)?;
                let partition = self.partition_name("committed(flink-cg, orders-0)")?;
                self.demand(")", EXAMPLE)?;
                Count::Committed(group, partition)
            }
            "lag" => {
                const EXAMPLE: &str = "lag(flink-cg, orders) == 0";
                let group = self.first("a group", EXAMPLE)?;
                let topic = self.name("a topic", EXAMPLE)?;
                self.demand(")", EXAMPLE)?;
                Count::Lag(group, topic)
            }
            "holds" => {
                const EXAMPLE: &str = "holds(search, orders) == 3";
                self.demand("(", EXAMPLE)?;
                let process = self.process(EXAMPLE)?;
                self.demand(",", EXAMPLE)?;
                let name = self.name("a name", EXAMPLE)?;
                self.demand(")", EXAMPLE)?;
                Count::Holds(process, name)
            }
            "producer-epoch" => {
                const EXAMPLE: &str = "producer-epoch(shop) == 1";
                self.demand("(", EXAMPLE)?;
                let process = self.process(EXAMPLE)?;
                self.demand(")", EXAMPLE)?;
                Count::ProducerEpoch(process)
            }
            _ => {
                let example = "read-twice(flink-cg) == 0";
                Count::ReadTwice(self.argument("a group or a consumer", example)?)
            }
        };
        self.count(&format!("{of} == 2"), of)
    }

    fn owns(&mut self) -> Result<Condition, ConditionError> {
        const EXAMPLE: &str = "owns(flink-1, orders-0)";
        self.demand("(", EXAMPLE)?;
        let process = self.process(EXAMPLE)?;
        self.demand(",", EXAMPLE)?;
        let partition = self.partition_name(EXAMPLE)?;
        self.demand(")", EXAMPLE)?;
        Ok(Condition::Owns { process, partition })
    }

    /// `owned(flink-1) == {orders-0}`, or how many: `owned(flink-1) >= 2`.
    fn owned(&mut self) -> Result<Condition, ConditionError> {
        const EXAMPLE: &str = "owned(flink-1) == {orders-0, orders-1}";
        self.demand("(", EXAMPLE)?;
        let process = self.process(EXAMPLE)?;
        self.demand(")", EXAMPLE)?;
        self.skip_space();
        let start = self.at;
        let comparison = self.comparison(EXAMPLE)?;
        if !self.takes("{") {
            self.at = start;
            return self.count("owned(flink-1) == 2", Count::Owned(process));
        }
        if !matches!(comparison, Comparison::Equal | Comparison::NotEqual) {
            return Err(ConditionError {
                at: start,
                message: format!("`{comparison}` cannot compare sets"),
                help: "use `==` or `!=`".to_owned(),
            });
        }
        let mut partitions: Vec<PartitionName> = Vec::new();
        while !self.takes("}") {
            if !partitions.is_empty() {
                self.demand(",", EXAMPLE)?;
            }
            partitions.push(self.partition_name(EXAMPLE)?);
        }
        partitions.sort();
        partitions.dedup();
        Ok(Condition::Owned { process, comparison, partitions })
    }

    /// `(flink-cg)`
    fn argument(
        &mut self,
        wanted: &str,
        example: &str,
    ) -> Result<String, ConditionError> {
        self.demand("(", example)?;
        let name = self.name(wanted, example)?;
        self.demand(")", example)?;
        Ok(name)
    }

    /// `(flink-cg,`
    fn first(&mut self, wanted: &str, example: &str) -> Result<String, ConditionError> {
        self.demand("(", example)?;
        let name = self.name(wanted, example)?;
        self.demand(",", example)?;
        Ok(name)
    }

    fn name(&mut self, wanted: &str, example: &str) -> Result<String, ConditionError> {
        match self.word() {
            "" => {
                let message = format!("expected {wanted} {}", self.found());
                Err(self.error(message, format!("write `{example}`")))
            }
            name => Ok(name.to_owned()),
        }
    }
}
