//! What applications on Kafka do with records, told in words: tries that fail, dead letters,
//! state that is kept and restored.

use std::fmt;
use std::sync::Arc;

use crate::{Lsn, Offset, RowChange, TopicPartition};

/// Something that an application did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AppDeed {
    /// Its work on a record failed.
    Failed {
        /// Which partition.
        partition: TopicPartition,
        /// Which record.
        offset: Offset,
        /// How many times it has tried by now.
        tries: u32,
        /// When it tries again, in milliseconds from now; not at all without.
        again_ms: Option<u64>,
    },
    /// It tries without end, and nothing behind the record is worked on.
    Blocked {
        /// Which partition.
        partition: TopicPartition,
        /// Which record.
        offset: Offset,
    },
    /// Its work on a record that had failed before succeeded.
    Recovered {
        /// Which partition.
        partition: TopicPartition,
        /// Which record.
        offset: Offset,
        /// How many tries it took.
        tries: u32,
    },
    /// What came of its work on a record goes to the next topic, with the record's headers.
    PassedOn {
        /// Where it stood.
        partition: TopicPartition,
        /// Which record.
        offset: Offset,
        /// Where it goes.
        to: Arc<str>,
        /// `correlation-id=req-7`, one after the other.
        headers: Arc<str>,
    },
    /// A record is put aside, in another topic, with what is known about it in its headers.
    PutAside {
        /// Where it stood.
        partition: TopicPartition,
        /// Which record.
        offset: Offset,
        /// Where it goes.
        to: Arc<str>,
        /// Why.
        error: Arc<str>,
    },
    /// A record that was put aside is written to where it came from.
    Replayed {
        /// Where it came from.
        to: TopicPartition,
        /// Its place there before.
        offset: Offset,
    },
    /// Everything that was put aside has been written again.
    ReplayEnded {
        /// So many records.
        records: usize,
    },
    /// A database has a change on its disk.
    Changed {
        /// Of which table.
        table: Arc<str>,
        /// Which row.
        key: Arc<str>,
        /// What happened to it.
        change: RowChange,
        /// Where the log tells of it.
        lsn: Lsn,
    },
    /// A worker of Connect knows its share of the tasks.
    TasksAssigned {
        /// Of which generation.
        generation: i32,
        /// Which; perhaps none.
        tasks: Vec<Arc<str>>,
    },
    /// A source task begins.
    SourceStarts {
        /// Which.
        task: Arc<str>,
        /// After which place of the database's log.
        at: Lsn,
    },
    /// The place of a source task is safe in its topic.
    OffsetStored {
        /// Of which.
        task: Arc<str>,
        /// Which place.
        lsn: Lsn,
    },
    /// A sink task commits what it has written.
    SinkCommits {
        /// Which.
        task: Arc<str>,
    },
    /// A stream task has its store back.
    Restored {
        /// Of which partition.
        partition: TopicPartition,
        /// So many keys.
        keys: usize,
    },
    /// A stream task left a record out.
    Filtered {
        /// Where it stood.
        offset: Offset,
    },
    /// A stream task counted a record.
    Counted {
        /// Where it stood.
        offset: Offset,
        /// Under which key of the store.
        key: Arc<str>,
        /// The count now.
        count: u64,
    },
    /// A store has written documents.
    Stored {
        /// To which index.
        index: Arc<str>,
        /// So many that it did not have.
        new: usize,
        /// So many in the place of others.
        replaced: usize,
        /// So many it has now.
        documents: usize,
    },
}

impl AppDeed {
    /// Whether it means trouble.
    pub fn is_trouble(&self) -> bool {
        match self {
            AppDeed::Failed { .. } | AppDeed::Blocked { .. } => true,
            AppDeed::Recovered { .. }
            | AppDeed::PassedOn { .. }
            | AppDeed::PutAside { .. }
            | AppDeed::Replayed { .. }
            | AppDeed::ReplayEnded { .. }
            | AppDeed::Changed { .. }
            | AppDeed::TasksAssigned { .. }
            | AppDeed::SourceStarts { .. }
            | AppDeed::OffsetStored { .. }
            | AppDeed::SinkCommits { .. }
            | AppDeed::Restored { .. }
            | AppDeed::Filtered { .. }
            | AppDeed::Counted { .. }
            | AppDeed::Stored { .. } => false,
        }
    }
}

/// A phrase that follows the application's name.
impl fmt::Display for AppDeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AppDeed::Failed { partition, offset, tries, again_ms } => {
                write!(f, "fails on {partition} offset {offset}, try {tries}")?;
                match again_ms {
                    Some(ms) => write!(f, ": again in {ms} ms"),
                    None => Ok(()),
                }
            }
            AppDeed::Blocked { partition, offset } => {
                write!(f, "is stuck: nothing behind {partition} offset {offset} is read")
            }
            AppDeed::Recovered { partition, offset, tries } => {
                write!(f, "has done {partition} offset {offset} at try {tries}")
            }
            AppDeed::PassedOn { partition, offset, to, headers } => {
                write!(f, "has done {partition} offset {offset}, on to {to}")?;
                match &**headers {
                    "" => Ok(()),
                    headers => write!(f, ": {headers}"),
                }
            }
            AppDeed::PutAside { partition, offset, to, error } => write!(
                f,
                "puts it into {to}, headers: original-topic={} original-partition={} \
                 original-offset={offset} error=\"{error}\"",
                partition.topic, partition.partition
            ),
            AppDeed::Replayed { to, offset } => {
                write!(f, "writes what was {to} offset {offset} there again")
            }
            AppDeed::ReplayEnded { records: 1 } => f.write_str("has replayed one record"),
            AppDeed::ReplayEnded { records } => {
                write!(f, "has replayed {records} records")
            }
            AppDeed::Changed { table, key, change, lsn } => {
                write!(f, "commits {} {table} {key} at {lsn}", change.name())
            }
            AppDeed::TasksAssigned { generation, tasks } if tasks.is_empty() => {
                write!(f, "runs no tasks, generation {generation}")
            }
            AppDeed::TasksAssigned { generation, tasks } => {
                write!(f, "runs {}, generation {generation}", tasks.join(", "))
            }
            AppDeed::SourceStarts { task, at } => write!(f, "starts {task} after {at}"),
            AppDeed::OffsetStored { task, lsn } => {
                write!(f, "has stored that {task} got to {lsn}")
            }
            AppDeed::SinkCommits { task } => write!(f, "commits what {task} has written"),
            AppDeed::Restored { partition, keys } => {
                let keys = match keys {
                    1 => "one key".to_owned(),
                    keys => format!("{keys} keys"),
                };
                write!(f, "has restored the store of {partition}: {keys}")
            }
            AppDeed::Filtered { offset } => write!(f, "leaves offset {offset} out"),
            AppDeed::Counted { offset, key, count } => {
                write!(f, "counts offset {offset}: {key} = {count}")
            }
            AppDeed::Stored { index, new, replaced, documents } => write!(
                f,
                "writes {new} new to {index}, {replaced} in the place of others: \
                 {documents} in all"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_letter_tells_where_it_came_from() {
        let partition = TopicPartition::new("orders", 2);
        let (to, error) = ("orders.dlq".into(), "no price".into());
        let deed = AppDeed::PutAside { partition, offset: Offset(7), to, error };
        let told = "puts it into orders.dlq, headers: original-topic=orders \
                    original-partition=2 original-offset=7 error=\"no price\"";
        assert_eq!(deed.to_string(), told);
        assert!(!deed.is_trouble());
    }
}
