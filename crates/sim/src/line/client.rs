//! What a consumer is made to do, as a line: `seek orders-0 to earliest`.

use std::str::FromStr;

use topomotion_model::PartitionName;

use super::Words;
use crate::storm::Misread;

/// Something for a consumer to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientLine {
    /// `seek orders-0 to 5`
    Seek {
        /// In which partition.
        partition: PartitionName,
        /// Where to.
        to: Goal,
    },
    /// `pause orders-0,orders-1`
    Pause(Vec<PartitionName>),
    /// `resume orders-0,orders-1`
    Resume(Vec<PartitionName>),
    /// `assign orders-0,orders-1`
    Assign(Vec<PartitionName>),
}

/// Where a consumer goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// This offset.
    Offset(i64),
    /// The first one there is.
    Earliest,
    /// Behind the last one.
    Latest,
    /// `3500 ms ago`: the first record that is not older.
    Ago(u64),
}

const VERBS: [&str; 4] = ["seek", "pause", "resume", "assign"];

impl ClientLine {
    /// The partitions that it names.
    pub fn partitions(&self) -> &[PartitionName] {
        match self {
            ClientLine::Seek { partition, .. } => std::slice::from_ref(partition),
            ClientLine::Pause(these)
            | ClientLine::Resume(these)
            | ClientLine::Assign(these) => these,
        }
    }
}

impl FromStr for ClientLine {
    type Err = Misread;

    fn from_str(line: &str) -> Result<ClientLine, Misread> {
        let mut words = Words::of(line);
        let verb = words.verb(&VERBS)?;
        words.example = match verb {
            "seek" => "seek orders-0 to earliest",
            "pause" => "pause orders-0",
            "resume" => "resume orders-0",
            _ => "assign orders-0,orders-1",
        };
        let read = match verb {
            "seek" => {
                let partition = words.partition()?;
                words.expect("to")?;
                ClientLine::Seek { partition, to: goal(&mut words)? }
            }
            "pause" => ClientLine::Pause(words.partitions()?),
            "resume" => ClientLine::Resume(words.partitions()?),
            _ => ClientLine::Assign(words.partitions()?),
        };
        words.finish()?;
        Ok(read)
    }
}

fn goal(words: &mut Words<'_>) -> Result<Goal, Misread> {
    let (column, word) = words.next("an offset")?;
    if let Some(ms) = word.parse().ok().filter(|_| !words.is_empty()) {
        words.expect("ms")?;
        words.expect("ago")?;
        return Ok(Goal::Ago(ms));
    }
    match word {
        "earliest" => Ok(Goal::Earliest),
        "latest" => Ok(Goal::Latest),
        word => {
            let offset = word.parse().ok().filter(|offset| *offset >= 0);
            offset.map(Goal::Offset).ok_or_else(|| {
                let message =
                    format!("`{word}` is no offset: write a number, earliest or latest");
                Misread { column, message }
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_consumer_is_sent_to_an_offset_or_an_end() {
        for (line, goal) in [
            ("seek orders-0 to 5", Goal::Offset(5)),
            ("seek orders-0 to earliest", Goal::Earliest),
            ("seek orders-0 to latest", Goal::Latest),
            ("seek orders-0 to 3500 ms ago", Goal::Ago(3_500)),
        ] {
            let partition = PartitionName { topic: "orders".to_owned(), partition: 0 };
            assert_eq!(line.parse(), Ok(ClientLine::Seek { partition, to: goal }));
        }
    }

    #[test]
    fn a_wrong_line_says_where_and_what_to_write() {
        for (line, column, message) in [
            ("sek orders-0 to 5", 0, "`sek` is not known: did you mean `seek`?"),
            (
                "seek orders-0 to 5 ms",
                21,
                "`ago` is missing; write: seek orders-0 to earliest",
            ),
            ("seek orders-0", 13, "`to` is missing; write: seek orders-0 to earliest"),
            (
                "seek orders-0 to begin",
                17,
                "`begin` is no offset: write a number, earliest or latest",
            ),
            (
                "pause orders",
                6,
                "`orders` is no partition: write a topic, `-` and a number",
            ),
        ] {
            let misread = line.parse::<ClientLine>().expect_err(line);
            assert_eq!((misread.column, &*misread.message), (column, message), "{line}");
        }
    }
}
