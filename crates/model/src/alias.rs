//! Names for whoever it is at the moment: `@controller`, `@standby`, `@leader(orders-0)`,
//! `@coordinator(flink-cg)`, `@last`.

use std::fmt;

use crate::{PartitionName, ProcessId, Stateful, nearest};

/// A process that is known only while the run plays. It may stand wherever a process does,
/// written with an `@`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Alias {
    /// `@controller`: the active controller.
    Controller,
    /// `@standby`: the first voter of the topology that runs and is not the active
    /// controller.
    Standby,
    /// `@leader(orders-0)`: who leads the partition.
    Leader(PartitionName),
    /// `@coordinator(flink-cg)`, `@transaction-coordinator(orders-tx)`: the broker that
    /// coordinates the group or the transactions of this id.
    Coordinator(Stateful),
    /// `@last`: whom the latest step hit.
    Last,
}

const EXAMPLES: &str = "there are `@controller`, `@standby`, `@leader(orders-0)`, `@coordinator(a-group)`, \
     `@transaction-coordinator(an-id)` and `@last`";
const WORDS: [&str; 6] =
    ["controller", "standby", "leader", "last", "coordinator", "transaction-coordinator"];

impl Alias {
    /// The alias that stands in a process's place, or what is wrong with it; `None` for a
    /// process's own id.
    pub fn of(process: &ProcessId) -> Option<Result<Alias, String>> {
        let text = process.as_str();
        text.starts_with('@').then(|| Alias::parse(text))
    }

    /// Reads an alias, `@` included; the error says what to write.
    pub fn parse(text: &str) -> Result<Alias, String> {
        let word = text.strip_prefix('@').unwrap_or(text);
        let (word, argument) = match word.split_once('(') {
            Some((word, rest)) => (word.trim(), Some(rest.trim_end_matches(')').trim())),
            None => (word.trim(), None),
        };
        match (word, argument) {
            ("controller", None) => Ok(Alias::Controller),
            ("standby", None) => Ok(Alias::Standby),
            ("last", None) => Ok(Alias::Last),
            ("leader", Some(partition)) => {
                let partition = PartitionName::parse(partition);
                partition
                    .map(Alias::Leader)
                    .ok_or_else(|| "write `@leader(orders-0)`".to_owned())
            }
            ("coordinator", Some(group)) if !group.is_empty() => {
                Ok(Alias::Coordinator(Stateful::Group(group.to_owned())))
            }
            ("transaction-coordinator", Some(id)) if !id.is_empty() => {
                Ok(Alias::Coordinator(Stateful::Transaction(id.to_owned())))
            }
            ("coordinator", _) => Err("write `@coordinator(a-group)`".to_owned()),
            ("transaction-coordinator", _) => {
                Err("write `@transaction-coordinator(an-id)`".to_owned())
            }
            ("leader", None) => Err("write `@leader(orders-0)`".to_owned()),
            (word, _) => Err(match nearest(word, WORDS) {
                Some("leader") => "did you mean `@leader(orders-0)`?".to_owned(),
                Some(near) => format!("did you mean `@{near}`?"),
                None => EXAMPLES.to_owned(),
            }),
        }
    }
}

impl fmt::Display for Alias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Alias::Controller => f.write_str("@controller"),
            Alias::Standby => f.write_str("@standby"),
            Alias::Leader(partition) => write!(f, "@leader({partition})"),
            Alias::Coordinator(Stateful::Group(group)) => {
                write!(f, "@coordinator({group})")
            }
            Alias::Coordinator(Stateful::Transaction(id)) => {
                write!(f, "@transaction-coordinator({id})")
            }
            Alias::Last => f.write_str("@last"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_reads_and_writes_the_same() {
        for text in [
            "@controller",
            "@standby",
            "@leader(orders-0)",
            "@last",
            "@coordinator(flink-cg)",
            "@transaction-coordinator(orders-tx)",
        ] {
            let alias = Alias::of(&text.into()).expect("an alias").expect("a known one");
            assert_eq!(alias.to_string(), text);
        }
        assert_eq!(Alias::of(&"controller".into()), None);
    }

    #[test]
    fn a_wrong_alias_says_what_to_write() {
        for (text, help) in [
            ("@controler", "did you mean `@controller`?"),
            ("@leader", "write `@leader(orders-0)`"),
            ("@leader(orders)", "write `@leader(orders-0)`"),
            ("@coordinator", "write `@coordinator(a-group)`"),
            ("@boss", EXAMPLES),
        ] {
            assert_eq!(Alias::parse(text), Err(help.to_owned()), "{text}");
        }
    }
}
