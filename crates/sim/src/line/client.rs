//! What a client is made to do, as a line: `seek orders-0 to earliest`, `begin`.

use std::str::FromStr;

use topomotion_model::PartitionName;

use super::Words;
use crate::storm::Misread;

/// Something for a client to do.
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
    /// `subscribe orders,audit`
    Subscribe(Vec<String>),
    /// `unsubscribe`
    Unsubscribe,
    /// `commit`: what was handed on; `commit orders-0 to 5`: this.
    Commit(Option<(PartitionName, i64)>),
    /// `commit-async`: the same, tried once.
    CommitAsync,
    /// `work 200 ms per record`: from now on; `work 400 s`: once, and nothing is polled for
    /// so long.
    Work(Work),
    /// `close`
    Close,
    /// `init-transactions`
    InitTransactions,
    /// `begin`
    Begin,
    /// `send-offsets`: what was read counts when the transaction is committed.
    SendOffsets,
    /// `commit-transaction`
    CommitTransaction,
    /// `abort-transaction`
    AbortTransaction,
    /// `transform orders to payments`: a record for each that is read, and the offsets with
    /// them, until the process ends.
    Transform {
        /// The topic that is read.
        from: String,
        /// The topic that is written.
        to: String,
    },
    /// `tombstone orders-0 user2`: a record of this key without a value.
    Tombstone {
        /// To which partition.
        partition: PartitionName,
        /// Of which key.
        key: String,
    },
    /// `header correlation-id=req-7`: goes along with every record that a step has it send
    /// from now on.
    Header {
        /// Its name.
        name: String,
        /// What it says.
        value: String,
    },
}

/// How long an application works, in ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// On each record.
    PerRecord(u64),
    /// On what it has now.
    Once(u64),
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

/// Who is made to do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doer {
    /// A consumer.
    Consumer,
    /// A producer with a `transactional.id`.
    Producer,
    /// A process that is both.
    Both,
    /// Either.
    Any,
}

/// What a line may begin with.
pub const VERBS: [&str; 18] = [
    "seek",
    "pause",
    "resume",
    "assign",
    "subscribe",
    "unsubscribe",
    "commit",
    "commit-async",
    "work",
    "close",
    "init-transactions",
    "begin",
    "send-offsets",
    "commit-transaction",
    "abort-transaction",
    "transform",
    "tombstone",
    "header",
];

fn example(verb: &str) -> &'static str {
    match verb {
        "seek" => "seek orders-0 to earliest",
        "pause" => "pause orders-0",
        "resume" => "resume orders-0",
        "assign" => "assign orders-0,orders-1",
        "subscribe" => "subscribe orders,audit",
        "unsubscribe" => "unsubscribe",
        "commit" => "commit orders-0 to 5",
        "commit-async" => "commit-async",
        "work" => "work 200 ms per record",
        "close" => "close",
        "init-transactions" => "init-transactions",
        "begin" => "begin",
        "send-offsets" => "send-offsets",
        "commit-transaction" => "commit-transaction",
        "abort-transaction" => "abort-transaction",
        "tombstone" => "tombstone orders-0 user2",
        "header" => "header correlation-id=req-7",
        _ => "transform orders to payments",
    }
}

impl ClientLine {
    /// The partitions that it names.
    pub fn partitions(&self) -> &[PartitionName] {
        match self {
            ClientLine::Seek { partition, .. }
            | ClientLine::Tombstone { partition, .. }
            | ClientLine::Commit(Some((partition, _))) => std::slice::from_ref(partition),
            ClientLine::Pause(these)
            | ClientLine::Resume(these)
            | ClientLine::Assign(these) => these,
            _ => &[],
        }
    }

    /// The topics that it names.
    pub fn topics(&self) -> Vec<&str> {
        match self {
            ClientLine::Subscribe(topics) => topics.iter().map(String::as_str).collect(),
            ClientLine::Transform { from, to } => vec![from, to],
            _ => Vec::new(),
        }
    }

    /// Who can do it.
    pub fn doer(&self) -> Doer {
        match self {
            ClientLine::InitTransactions
            | ClientLine::Begin
            | ClientLine::CommitTransaction
            | ClientLine::AbortTransaction
            | ClientLine::Tombstone { .. }
            | ClientLine::Header { .. } => Doer::Producer,
            ClientLine::SendOffsets | ClientLine::Transform { .. } => Doer::Both,
            ClientLine::Close => Doer::Any,
            ClientLine::Seek { .. }
            | ClientLine::Pause(_)
            | ClientLine::Resume(_)
            | ClientLine::Assign(_)
            | ClientLine::Subscribe(_)
            | ClientLine::Unsubscribe
            | ClientLine::Commit(_)
            | ClientLine::CommitAsync
            | ClientLine::Work(_) => Doer::Consumer,
        }
    }
}

impl FromStr for ClientLine {
    type Err = Misread;

    fn from_str(line: &str) -> Result<ClientLine, Misread> {
        let mut words = Words::of(line);
        let verb = words.verb(&VERBS)?;
        words.example = example(verb);
        let read = match verb {
            "seek" => {
                let partition = words.partition()?;
                words.expect("to")?;
                ClientLine::Seek { partition, to: goal(&mut words)? }
            }
            "pause" => ClientLine::Pause(words.partitions()?),
            "resume" => ClientLine::Resume(words.partitions()?),
            "assign" => ClientLine::Assign(words.partitions()?),
            "subscribe" => {
                let (_, topics) = words.next("a topic")?;
                let topics = topics.split(',').filter(|topic| !topic.is_empty());
                ClientLine::Subscribe(topics.map(str::to_owned).collect())
            }
            "unsubscribe" => ClientLine::Unsubscribe,
            "commit" if words.is_empty() => ClientLine::Commit(None),
            "commit" => {
                let partition = words.partition()?;
                words.expect("to")?;
                ClientLine::Commit(Some((partition, words.number()?)))
            }
            "commit-async" => ClientLine::CommitAsync,
            "work" => ClientLine::Work(work(&mut words)?),
            "close" => ClientLine::Close,
            "init-transactions" => ClientLine::InitTransactions,
            "begin" => ClientLine::Begin,
            "send-offsets" => ClientLine::SendOffsets,
            "commit-transaction" => ClientLine::CommitTransaction,
            "abort-transaction" => ClientLine::AbortTransaction,
            "tombstone" => {
                let partition = words.partition()?;
                let key = words.next("a key")?.1.to_owned();
                ClientLine::Tombstone { partition, key }
            }
            "header" => {
                let (column, word) = words.next("a header")?;
                let Some((name, value)) = word.split_once('=') else {
                    let message = format!("`{word}` is no header: write name=value");
                    return Err(Misread { column, message });
                };
                let (name, value) = (name.to_owned(), value.to_owned());
                ClientLine::Header { name, value }
            }
            _ => {
                let from = words.next("a topic")?.1.to_owned();
                words.expect("to")?;
                let to = words.next("a topic")?.1.to_owned();
                ClientLine::Transform { from, to }
            }
        };
        words.finish()?;
        Ok(read)
    }
}

/// `200 ms per record`, `400 s`
fn work(words: &mut Words<'_>) -> Result<Work, Misread> {
    let amount: u64 = words.number()?;
    let (column, unit) = words.next("`ms` or `s`")?;
    let ms = match unit {
        "ms" => amount,
        "s" => amount.saturating_mul(1_000),
        other => {
            let message = format!("`{other}` is no unit of time: write ms or s");
            return Err(Misread { column, message });
        }
    };
    if words.is_empty() {
        return Ok(Work::Once(ms));
    }
    words.expect("per")?;
    words.expect("record")?;
    Ok(Work::PerRecord(ms))
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
    fn every_verb_has_an_example_that_reads() {
        for verb in VERBS {
            assert!(example(verb).starts_with(verb), "{verb}");
            assert!(example(verb).parse::<ClientLine>().is_ok(), "{verb}");
        }
    }

    #[test]
    fn work_is_for_each_record_or_once() {
        for (line, work) in [
            ("work 200 ms per record", Work::PerRecord(200)),
            ("work 400 s", Work::Once(400_000)),
        ] {
            assert_eq!(line.parse(), Ok(ClientLine::Work(work)));
        }
        let orders = PartitionName { topic: "orders".to_owned(), partition: 0 };
        assert_eq!("commit".parse(), Ok(ClientLine::Commit(None)));
        let commit = ClientLine::Commit(Some((orders, 5)));
        assert_eq!("commit orders-0 to 5".parse(), Ok(commit));
    }

    #[test]
    fn a_wrong_line_says_where_and_what_to_write() {
        for (line, column, message) in [
            ("sek orders-0 to 5", 0, "`sek` is not known: did you mean `seek`?"),
            ("work 5 days", 7, "`days` is no unit of time: write ms or s"),
            (
                "transform orders",
                16,
                "`to` is missing; write: transform orders to payments",
            ),
            ("begin now", 6, "`now` is one word too many"),
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
