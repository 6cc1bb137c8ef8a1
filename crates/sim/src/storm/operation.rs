//! One line of what clients do: when, who, what.
//!
//! ```text
//! 0.150 shop sends 3 to orders-0 acks=all
//! ```

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use topomotion_model::{Acks, PartitionName, ProcessId};

use super::strike::everybody;
use super::{Misread, clock, read_clock, words};
use crate::ClusterPlan;

/// Records sent by a producer, which does not wait for them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Operation {
    /// When, in ms of engine time since the cluster stood ready.
    pub at_ms: u64,
    /// Who sends.
    pub producer: ProcessId,
    /// How many records.
    pub count: u32,
    /// Where to.
    pub partition: PartitionName,
    /// What is asked for.
    pub acks: Acks,
}

impl Operation {
    /// Checks the names against the cluster.
    pub(super) fn check(&self, line: &str, plan: &ClusterPlan) -> Result<(), Misread> {
        let place = |word: &str| line[..line.find(word).unwrap_or(0)].chars().count();
        if !plan.producers.iter().any(|known| known.process == self.producer) {
            let producer = &self.producer;
            let known = everybody(plan).contains(&producer.as_str());
            let message = match known {
                true => format!("`{producer}` is no producer"),
                false => format!("nobody is called `{producer}`"),
            };
            return Err(Misread { column: place(producer.as_str()), message });
        }
        let partition = &self.partition;
        let count = plan.topic(&partition.topic).map_or(0, |it| it.assignment.len());
        if usize::try_from(partition.partition).is_ok_and(|index| index < count) {
            return Ok(());
        }
        let message = format!("there is no partition {partition}");
        Err(Misread { column: place(&partition.to_string()), message })
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Operation { at_ms, producer, count, partition, acks } = self;
        let acks = match acks {
            Acks::None => "0",
            Acks::Leader => "1",
            Acks::All => "all",
        };
        let at = clock(*at_ms);
        write!(f, "{at} {producer} sends {count} to {partition} acks={acks}")
    }
}

impl FromStr for Operation {
    type Err = Misread;

    fn from_str(line: &str) -> Result<Operation, Misread> {
        let found = words(line);
        let help = "write: 0.150 shop sends 3 to orders-0 acks=all";
        let [at, producer, sends, count, to, partition, acks] = found[..] else {
            let (column, what) = match found.get(7) {
                Some((column, word)) => (*column, format!("`{word}` is one too many")),
                None => (line.chars().count(), "the line ends too early".to_owned()),
            };
            return Err(Misread { column, message: format!("{what}; {help}") });
        };
        let wrong = |(column, word): (usize, &str)| Misread {
            column,
            message: format!("`{word}` has no meaning here; {help}"),
        };
        if sends.1 != "sends" {
            return Err(wrong(sends));
        }
        if to.1 != "to" {
            return Err(wrong(to));
        }
        let (topic, index) =
            partition.1.rsplit_once('-').ok_or_else(|| wrong(partition))?;
        Ok(Operation {
            at_ms: read_clock(at)?,
            producer: ProcessId::from(producer.1),
            count: count.1.parse().map_err(|_| wrong(count))?,
            partition: PartitionName {
                topic: topic.to_owned(),
                partition: index.parse().map_err(|_| wrong(partition))?,
            },
            acks: match acks.1 {
                "acks=0" => Acks::None,
                "acks=1" => Acks::Leader,
                "acks=all" => Acks::All,
                _ => return Err(wrong(acks)),
            },
        })
    }
}

impl TryFrom<String> for Operation {
    type Error = String;

    fn try_from(line: String) -> Result<Operation, String> {
        line.parse().map_err(|misread: Misread| misread.message)
    }
}

impl From<Operation> for String {
    fn from(operation: Operation) -> String {
        operation.to_string()
    }
}
