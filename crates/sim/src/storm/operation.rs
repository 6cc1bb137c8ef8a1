//! One line of what people do: when, who, what.
//!
//! ```text
//! 0.150 shop sends 3 to orders-0 acks=all
//! 1.000 reader seek orders-0 to earliest
//! 2.000 admin set topic orders min.insync.replicas=1
//! 2.500 teller begin
//! 3.000 shutdown broker-1
//! 9.000 start broker-1
//! ```

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use topomotion_model::{Acks, PartitionName, ProcessId, nearest};

use super::strike::everybody;
use super::{Misread, clock, read_clock, words};
use crate::line::admin::AdminLine;
use crate::line::client::{self, ClientLine, Doer};
use crate::{ClusterPlan, NodeRole, ProducerPlan};

/// Something that somebody does; nobody waits for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Operation {
    /// When, in ms of engine time since the cluster stood ready.
    pub at_ms: u64,
    /// What.
    pub deed: Deed,
}

/// What is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// A producer sends records.
    Send {
        /// Who sends.
        producer: ProcessId,
        /// How many records.
        count: u32,
        /// Where to.
        partition: PartitionName,
        /// What is asked for.
        acks: Acks,
    },
    /// The admin client asks, in the words of a run's step.
    Admin {
        /// The words.
        what: String,
    },
    /// A client does something, in the words of a run's step.
    Client {
        /// Which.
        process: ProcessId,
        /// The words.
        what: String,
    },
    /// A node is asked to stop in good order, and stops when it may; a client closes.
    Shutdown(ProcessId),
    /// A process that is down starts again on its disk.
    Start(ProcessId),
}

const HELP: &str = "write: 0.150 shop sends 3 to orders-0 acks=all";
const SENDS: &str = "sends";
const VERBS: [&str; 3] = ["admin", "shutdown", "start"];

impl Operation {
    /// Checks the names against the cluster.
    pub(super) fn check(&self, line: &str, plan: &ClusterPlan) -> Result<(), Misread> {
        let names = Names { line, plan };
        match &self.deed {
            Deed::Send { producer, partition, .. } => {
                let mut producers = plan.producers.iter();
                let known = producers.any(|known| known.process == *producer);
                names.demand(known, producer, "is no producer")?;
                names.partition(partition)
            }
            Deed::Admin { what } => names.admin(what),
            Deed::Client { process, what } => {
                let read: ClientLine = what.parse()?;
                let (fits, is_not) = does(plan, process, &read);
                names.demand(fits, process, is_not)?;
                read.topics().iter().try_for_each(|it| names.topic(it).map(|_| ()))?;
                read.partitions().iter().try_for_each(|it| names.partition(it))
            }
            Deed::Shutdown(process) => names.demand(plan.runs(process), process, ""),
            Deed::Start(process) => names.demand(plan.runs(process), process, ""),
        }
    }
}

/// Whether this process can do such a thing, and what it is not if it cannot.
fn does(
    plan: &ClusterPlan,
    process: &ProcessId,
    line: &ClientLine,
) -> (bool, &'static str) {
    let reads = plan.consumers.iter().any(|known| known.process == *process);
    let mut producers = plan.producers.iter().filter(|known| known.process == *process);
    let writes = producers.clone().next().is_some();
    match line.doer() {
        Doer::Consumer => (reads, "is no consumer"),
        Doer::Producer => {
            (producers.any(ProducerPlan::is_transactional), "has no transactions")
        }
        Doer::Both => (reads && writes, "does not both read and write"),
        Doer::Any => (reads || writes, "is no client"),
    }
}

/// Looks names up, and tells where in the line a wrong one stands.
struct Names<'a> {
    line: &'a str,
    plan: &'a ClusterPlan,
}

impl Names<'_> {
    fn refuse(&self, word: &str, message: String) -> Misread {
        let is_part = |letter: char| letter.is_alphanumeric() || "-_.".contains(letter);
        let stands_alone = |at: &usize| {
            let before = self.line[..*at].chars().next_back();
            let after = self.line[at + word.len()..].chars().next();
            !before.is_some_and(is_part) && !after.is_some_and(is_part)
        };
        let mut places = self.line.match_indices(word).map(|(at, _)| at);
        let at = places.find(stands_alone).unwrap_or(0);
        Misread { column: self.line[..at].chars().count(), message }
    }

    fn demand(&self, fits: bool, id: &ProcessId, is_not: &str) -> Result<(), Misread> {
        if fits {
            return Ok(());
        }
        let all = everybody(self.plan);
        let message = match nearest(id.as_str(), all.iter().copied()) {
            _ if all.contains(&id.as_str()) => format!("`{id}` {is_not}"),
            Some(near) => format!("nobody is called `{id}`: did you mean `{near}`?"),
            None => format!("nobody is called `{id}`: there are {}", all.join(", ")),
        };
        Err(self.refuse(id.as_str(), message))
    }

    fn topic(&self, topic: &str) -> Result<usize, Misread> {
        if let Some(plan) = self.plan.topic(topic) {
            return Ok(plan.assignment.len());
        }
        let known = self.plan.topics.iter().map(|topic| topic.name.as_str());
        let help = match nearest(topic, known.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are {}", known.collect::<Vec<_>>().join(", ")),
        };
        Err(self.refuse(topic, format!("there is no topic `{topic}`: {help}")))
    }

    /// A partition of the cluster as it begins: what grows later is of no concern here, since
    /// every line must stay good when another is taken out.
    fn partition(&self, partition: &PartitionName) -> Result<(), Misread> {
        let name = partition.to_string();
        let count = self.topic(&partition.topic).map_err(|wrong| Misread {
            column: self.refuse(&name, String::new()).column,
            ..wrong
        })?;
        if usize::try_from(partition.partition).is_ok_and(|index| index < count) {
            return Ok(());
        }
        Err(self.refuse(&name, format!("there is no partition {partition}")))
    }

    fn role(&self, id: &ProcessId, without: NodeRole) -> Result<(), Misread> {
        let fits = self.plan.node(id).is_some_and(|node| node.role != without);
        let is_not = match without {
            NodeRole::Broker => "is no controller",
            _ => "is no broker",
        };
        self.demand(fits, id, is_not)
    }

    fn admin(&self, what: &str) -> Result<(), Misread> {
        let broker = |id| self.role(id, NodeRole::Controller);
        match what.parse()? {
            AdminLine::CreateTopic { .. }
            | AdminLine::DescribeQuorum
            | AdminLine::DescribeGroup(_)
            | AdminLine::ListGroups
            | AdminLine::DeleteGroup(_) => Ok(()),
            AdminLine::DeleteOffsets { partition, .. } => self.partition(&partition),
            AdminLine::DeleteTopic(topic)
            | AdminLine::Grow { topic, .. }
            | AdminLine::Set { topic, .. } => self.topic(&topic).map(|_| ()),
            AdminLine::Reassign { partition, to } => {
                self.partition(&partition)?;
                to.iter().try_for_each(broker)
            }
            AdminLine::Elect { partition, .. }
            | AdminLine::DeleteRecords { partition, .. } => self.partition(&partition),
            AdminLine::DumpLog { partition, on, .. } => {
                self.partition(&partition)?;
                broker(&on)
            }
            AdminLine::AddVoter(node) | AdminLine::RemoveVoter(node) => {
                self.role(&node, NodeRole::Broker)
            }
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", clock(self.at_ms))?;
        match &self.deed {
            Deed::Send { producer, count, partition, acks } => {
                let acks = match acks {
                    Acks::None => "0",
                    Acks::Leader => "1",
                    Acks::All => "all",
                };
                write!(f, "{producer} sends {count} to {partition} acks={acks}")
            }
            Deed::Admin { what } => write!(f, "admin {what}"),
            Deed::Client { process, what } => write!(f, "{process} {what}"),
            Deed::Shutdown(node) => write!(f, "shutdown {node}"),
            Deed::Start(process) => write!(f, "start {process}"),
        }
    }
}

/// The words from here on, with one space between them, and the characters before them.
fn rest(line: &str, found: &[(usize, &str)]) -> (usize, String) {
    let column = found.first().map_or(line.chars().count(), |(column, _)| *column);
    let words: Vec<&str> = found.iter().map(|(_, word)| *word).collect();
    (column, words.join(" "))
}

/// Reads the rest of a line in a grammar of its own. Its mistakes stand in the whole line.
fn told<T: FromStr<Err = Misread>>(
    line: &str,
    found: &[(usize, &str)],
) -> Result<String, Misread> {
    let (begun, what) = rest(line, found);
    let place = |column: usize| {
        let mut before = 0;
        for (at, word) in found {
            let end = before + word.chars().count();
            if column <= end {
                return at + column.saturating_sub(before);
            }
            before = end + 1;
        }
        begun + column
    };
    let read = what.parse::<T>().map(|_| what);
    read.map_err(|it| Misread { column: place(it.column), ..it })
}

fn one(line: &str, found: &[(usize, &str)]) -> Result<ProcessId, Misread> {
    match found {
        [(_, name)] => Ok(ProcessId::from(*name)),
        [] => Err(Misread {
            column: line.chars().count(),
            message: "the line ends where the name of a process should stand".to_owned(),
        }),
        [_, (column, word), ..] => Err(Misread {
            column: *column,
            message: format!("`{word}` is one word too many"),
        }),
    }
}

fn send(line: &str, found: &[(usize, &str)]) -> Result<Deed, Misread> {
    let [producer, sends, count, to, partition, acks] = found[..] else {
        let (column, what) = match found.get(6) {
            Some((column, word)) => (*column, format!("`{word}` is one too many")),
            None => (line.chars().count(), "the line ends too early".to_owned()),
        };
        return Err(Misread { column, message: format!("{what}; {HELP}") });
    };
    let wrong = |(column, word): (usize, &str)| Misread {
        column,
        message: format!("`{word}` has no meaning here; {HELP}"),
    };
    if sends.1 != SENDS {
        return Err(wrong(sends));
    }
    if to.1 != "to" {
        return Err(wrong(to));
    }
    let (topic, index) = partition.1.rsplit_once('-').ok_or_else(|| wrong(partition))?;
    Ok(Deed::Send {
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

fn deed(line: &str, found: &[(usize, &str)]) -> Result<Deed, Misread> {
    let verb = found.get(1).map(|(_, word)| *word);
    let does = verb.filter(|verb| *verb == SENDS || client::VERBS.contains(verb));
    match (found.first().map(|(_, word)| *word), does) {
        // A client may be called `admin`: it does what only clients do.
        (Some(name), Some(verb)) if verb != SENDS => Ok(Deed::Client {
            process: ProcessId::from(name),
            what: told::<ClientLine>(line, &found[1..])?,
        }),
        (Some("admin"), None) => {
            Ok(Deed::Admin { what: told::<AdminLine>(line, &found[1..])? })
        }
        (Some("shutdown"), None) => Ok(Deed::Shutdown(one(line, &found[1..])?)),
        (Some("start"), None) => Ok(Deed::Start(one(line, &found[1..])?)),
        (Some(word), None) if found.len() > 1 => {
            let column = found[1].0;
            let verb = verb.unwrap_or_default();
            let near = nearest(verb, client::VERBS.into_iter().chain([SENDS]));
            let first = nearest(word, VERBS);
            let help = match (near, first) {
                (Some(near), _) => format!("did you mean `{near}`?"),
                (None, Some(first)) => {
                    let message =
                        format!("`{word}` is not known here: did you mean `{first}`?");
                    return Err(Misread { column: found[0].0, message });
                }
                (None, None) => HELP.to_owned(),
            };
            let message = format!("`{verb}` has no meaning here; {help}");
            Err(Misread { column, message })
        }
        _ => send(line, found),
    }
}

impl FromStr for Operation {
    type Err = Misread;

    fn from_str(line: &str) -> Result<Operation, Misread> {
        let found = words(line);
        let Some((at, rest)) = found.split_first() else {
            let message = format!("the line is empty; {HELP}");
            return Err(Misread { column: 0, message });
        };
        Ok(Operation { at_ms: read_clock(*at)?, deed: deed(line, rest)? })
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
