//! What an administrator asks, as a line: `grow orders to 6`.

use std::collections::BTreeMap;
use std::str::FromStr;

use topomotion_model::{PartitionName, ProcessId};

use super::{Words, read_number};
use crate::storm::Misread;

/// A request of the admin client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AdminLine {
    /// `create-topic audit partitions=3 replicas=3 retention.ms=1000`
    CreateTopic {
        topic: String,
        partitions: Option<i32>,
        replicas: Option<i16>,
        settings: BTreeMap<String, String>,
    },
    /// `delete-topic audit`
    DeleteTopic(String),
    /// `grow orders to 6`
    Grow { topic: String, to: i32 },
    /// `set topic orders min.insync.replicas=1`
    Set { topic: String, settings: BTreeMap<String, String> },
    /// `reassign orders-0 to broker-4,broker-5`
    Reassign { partition: PartitionName, to: Vec<ProcessId> },
    /// `elect preferred orders-0`
    Elect { election: Election, partition: PartitionName },
    /// `delete-records orders-0 before 5`
    DeleteRecords { partition: PartitionName, before: i64 },
    /// `add-voter controller-4`
    AddVoter(ProcessId),
    /// `remove-voter controller-1`
    RemoveVoter(ProcessId),
    /// `describe-quorum`
    DescribeQuorum,
    /// `describe-group flink-cg`
    DescribeGroup(String),
    /// `list-groups`
    ListGroups,
    /// `delete-group flink-cg`
    DeleteGroup(String),
    /// `delete-offsets flink-cg orders-0`
    DeleteOffsets { group: String, partition: PartitionName },
    /// `dump-log segments orders-0 on broker-1`: a look at a broker's disk, which asks nobody
    DumpLog { dump: Dump, partition: PartitionName, on: ProcessId },
}

/// What of a partition's folder is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dump {
    /// The `.log` files: which offsets, how many bytes.
    Segments,
    /// The entries of the `.index` files.
    Indexes,
    /// The entries of the `.timeindex` files.
    Times,
    /// The header of the newest batch.
    Batch,
    /// Every record: its offset, key and value.
    Records,
    /// `leader-epoch-checkpoint`.
    Epochs,
}

/// How a leader is to be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Election {
    /// The first of the replicas, if it is in sync.
    Preferred,
    /// Any living replica.
    Unclean,
}

const VERBS: [&str; 15] = [
    "create-topic",
    "delete-topic",
    "grow",
    "set",
    "reassign",
    "elect",
    "delete-records",
    "add-voter",
    "remove-voter",
    "describe-quorum",
    "describe-group",
    "list-groups",
    "delete-group",
    "delete-offsets",
    "dump-log",
];

impl Dump {
    /// What is looked at, as the files are called.
    pub fn name(self) -> &'static str {
        match self {
            Dump::Segments => ".log",
            Dump::Indexes => ".index",
            Dump::Times => ".timeindex",
            Dump::Batch => "newest batch",
            Dump::Records => "records",
            Dump::Epochs => "leader-epoch-checkpoint",
        }
    }
}

impl AdminLine {
    /// The topic that exists, or is larger, once this is done.
    pub fn grows(&self) -> Option<&str> {
        match self {
            AdminLine::CreateTopic { topic, .. } | AdminLine::Grow { topic, .. } => {
                Some(topic)
            }
            _ => None,
        }
    }
}

impl FromStr for AdminLine {
    type Err = Misread;

    fn from_str(line: &str) -> Result<AdminLine, Misread> {
        let mut words = Words::of(line);
        let verb = words.verb(&VERBS)?;
        words.example = example(verb);
        let read = match verb {
            "create-topic" => return create_topic(words),
            "delete-topic" => AdminLine::DeleteTopic(words.next("a topic")?.1.to_owned()),
            "grow" => {
                let topic = words.next("a topic")?.1.to_owned();
                words.expect("to")?;
                AdminLine::Grow { topic, to: words.number()? }
            }
            "set" => return set(words),
            "reassign" => {
                let partition = words.partition()?;
                words.expect("to")?;
                AdminLine::Reassign { partition, to: words.processes()? }
            }
            "elect" => {
                let election = match words.verb(&["preferred", "unclean"])? {
                    "preferred" => Election::Preferred,
                    _ => Election::Unclean,
                };
                AdminLine::Elect { election, partition: words.partition()? }
            }
            "delete-records" => {
                let partition = words.partition()?;
                words.expect("before")?;
                AdminLine::DeleteRecords { partition, before: words.number()? }
            }
            "add-voter" => AdminLine::AddVoter(words.process()?),
            "remove-voter" => AdminLine::RemoveVoter(words.process()?),
            "dump-log" => dump_log(&mut words)?,
            "describe-group" => {
                AdminLine::DescribeGroup(words.next("a group")?.1.to_owned())
            }
            "list-groups" => AdminLine::ListGroups,
            "delete-group" => AdminLine::DeleteGroup(words.next("a group")?.1.to_owned()),
            "delete-offsets" => {
                let group = words.next("a group")?.1.to_owned();
                AdminLine::DeleteOffsets { group, partition: words.partition()? }
            }
            _ => AdminLine::DescribeQuorum,
        };
        words.finish()?;
        Ok(read)
    }
}

fn example(verb: &str) -> &'static str {
    match verb {
        "create-topic" => "create-topic audit partitions=3 replicas=3",
        "delete-topic" => "delete-topic audit",
        "grow" => "grow orders to 6",
        "set" => "set topic orders min.insync.replicas=1",
        "reassign" => "reassign orders-0 to broker-4,broker-5",
        "elect" => "elect preferred orders-0",
        "delete-records" => "delete-records orders-0 before 5",
        "add-voter" => "add-voter controller-4",
        "remove-voter" => "remove-voter controller-1",
        "dump-log" => "dump-log segments orders-0 on broker-1",
        "describe-group" => "describe-group flink-cg",
        "list-groups" => "list-groups",
        "delete-group" => "delete-group flink-cg",
        "delete-offsets" => "delete-offsets flink-cg orders-0",
        _ => "describe-quorum",
    }
}

const DUMPS: [&str; 6] = ["segments", "indexes", "times", "batch", "records", "epochs"];

fn dump_log(words: &mut Words<'_>) -> Result<AdminLine, Misread> {
    let dump = match words.verb(&DUMPS)? {
        "segments" => Dump::Segments,
        "indexes" => Dump::Indexes,
        "times" => Dump::Times,
        "batch" => Dump::Batch,
        "records" => Dump::Records,
        _ => Dump::Epochs,
    };
    let partition = words.partition()?;
    words.expect("on")?;
    Ok(AdminLine::DumpLog { dump, partition, on: words.process()? })
}

fn create_topic(mut words: Words<'_>) -> Result<AdminLine, Misread> {
    let topic = words.next("a topic")?.1.to_owned();
    let (mut partitions, mut replicas) = (None, None);
    let mut settings = BTreeMap::new();
    for (column, name, value) in words.settings()? {
        match name {
            "partitions" => partitions = Some(read_number(column, value)?),
            "replicas" => replicas = Some(read_number(column, value)?),
            _ => {
                settings.insert(name.to_owned(), value.to_owned());
            }
        }
    }
    Ok(AdminLine::CreateTopic { topic, partitions, replicas, settings })
}

fn set(mut words: Words<'_>) -> Result<AdminLine, Misread> {
    words.expect("topic")?;
    let topic = words.next("a topic")?.1.to_owned();
    let given = words.settings()?;
    if given.is_empty() {
        let message = format!("a setting is missing; write: {}", words.example);
        return Err(Misread { column: words.end, message });
    }
    let settings = given.into_iter();
    let settings =
        settings.map(|(_, name, value)| (name.to_owned(), value.to_owned())).collect();
    Ok(AdminLine::Set { topic, settings })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verb_has_an_example_that_reads() {
        for verb in VERBS {
            assert!(example(verb).starts_with(verb), "{verb}");
            assert!(example(verb).parse::<AdminLine>().is_ok(), "{verb}");
        }
    }

    #[test]
    fn a_topic_is_created_with_what_is_said_of_it() {
        let line = "create-topic audit partitions=3 replicas=2 retention.ms=5";
        let AdminLine::CreateTopic { topic, partitions, replicas, settings } =
            line.parse().expect("a line")
        else {
            panic!("a new topic")
        };
        assert_eq!((&*topic, partitions, replicas), ("audit", Some(3), Some(2)));
        assert_eq!(settings, [("retention.ms".to_owned(), "5".to_owned())].into());
    }

    #[test]
    fn a_wrong_line_says_where_and_what_to_write() {
        for (line, column, message) in [
            ("gorw orders to 6", 0, "`gorw` is not known: did you mean `grow`?"),
            ("grow orders", 11, "`to` is missing; write: grow orders to 6"),
            ("grow orders to many", 15, "`many` is no whole number"),
            (
                "elect prefered orders-0",
                6,
                "`prefered` is not known: did you mean `preferred`?",
            ),
            (
                "elect unclean orders",
                14,
                "`orders` is no partition: write a topic, `-` and a number",
            ),
            (
                "create-topic a partitions",
                15,
                "`partitions` is no setting: write name=value",
            ),
            (
                "set topic orders",
                16,
                "a setting is missing; write: set topic orders min.insync.replicas=1",
            ),
            ("describe-quorum now", 16, "`now` is one word too many"),
        ] {
            let misread = line.parse::<AdminLine>().expect_err(line);
            assert_eq!((misread.column, &*misread.message), (column, message), "{line}");
        }
    }
}
