//! Conditions as text: reading `leader(orders-0) == broker-2`, and writing it again.
//!
//! A mistake carries the byte where it stands, so that a front end can underline it inside
//! the very string of the script.

mod group;

use std::fmt;

use crate::{
    Alias, Comparison, Condition, Count, INVARIANTS, PartitionName, ProcessId,
    ReplicaSet, Term, nearest,
};

/// Why a text is no condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionError {
    /// The byte of the text where it goes wrong.
    pub at: usize,
    /// What is wrong, lower case.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl fmt::Display for ConditionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at byte {}): {}", self.message, self.at, self.help)
    }
}

impl std::error::Error for ConditionError {}

const ALONE: &str = "no-acknowledged-record-lost";
const SUBJECTS: [&str; 34] = [
    ALONE,
    "violation",
    "told",
    "fenced",
    "unfenced",
    "leader",
    "controller",
    "isr",
    "elr",
    "replicas",
    "voters",
    "high-watermark",
    "log-start",
    "log-end",
    "leader-epoch",
    "isr-size",
    "quorum-epoch",
    "under-replicated",
    "offline",
    "partitions",
    "position",
    "records-read",
    "group",
    "transaction",
    "generation",
    "members",
    "owns",
    "owned",
    "committed",
    "lag",
    "last-stable",
    "producer-epoch",
    "read-twice",
    "holds",
];
const EXAMPLES: &str = "conditions look like `leader(orders-0) == broker-2`, \
     `isr(orders-0) == {a, b}`, `high-watermark(orders-0) >= 1` or `no-acknowledged-record-lost`";

impl Condition {
    /// Reads a condition.
    ///
    /// ```
    /// use topomotion_model::Condition;
    ///
    /// let condition = Condition::parse("leader(orders-0)==broker-2").unwrap();
    /// assert_eq!(condition.to_string(), "leader(orders-0) == broker-2");
    /// let error = Condition::parse("leeder(orders-0) == broker-2").unwrap_err();
    /// assert_eq!((error.at, error.help.as_str()), (0, "did you mean `leader`?"));
    /// ```
    pub fn parse(text: &str) -> Result<Condition, ConditionError> {
        let mut reader = Reader { text, at: 0 };
        let condition = reader.condition()?;
        reader.skip_space();
        match reader.rest() {
            "" => Ok(condition),
            rest => Err(reader.error(
                format!("`{}` is left over", rest.trim_end()),
                "a condition is one statement; demand two in two steps",
            )),
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn error(
        &self,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> ConditionError {
        ConditionError { at: self.at, message: message.into(), help: help.into() }
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    /// Takes `token` if it comes next.
    fn takes(&mut self, token: &str) -> bool {
        self.skip_space();
        let comes = self.rest().starts_with(token);
        if comes {
            self.at += token.len();
        }
        comes
    }

    fn demand(&mut self, token: &str, example: &str) -> Result<(), ConditionError> {
        if self.takes(token) {
            return Ok(());
        }
        let message = format!("expected `{token}` {}", self.found());
        Err(self.error(message, format!("write `{example}`")))
    }

    fn found(&self) -> String {
        match self.rest().chars().next() {
            Some(c) => format!("but found `{c}`"),
            None => "but the condition ends".to_owned(),
        }
    }

    /// Letters, digits, `-`, `_` and `.`; empty if none comes next.
    fn word(&mut self) -> &'a str {
        self.skip_space();
        let legal = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
        let rest = self.rest();
        let end = rest.find(|c| !legal(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn condition(&mut self) -> Result<Condition, ConditionError> {
        if self.takes("!") {
            return self.not();
        }
        self.skip_space();
        let start = self.at;
        let subject = self.word();
        match subject {
            ALONE => Ok(Condition::NoAcknowledgedRecordLost),
            "violation" => self.violation(),
            "told" => self.told(),
            "fenced" => self.fenced("fenced(broker-1)").map(Condition::Fenced),
            "unfenced" => {
                let broker = self.fenced("unfenced(broker-1)")?;
                Ok(Condition::Not(Box::new(Condition::Fenced(broker))))
            }
            "leader" => self.leader(),
            "controller" => self.controller(),
            "isr" => self.replicas(subject, ReplicaSet::Isr),
            "elr" => self.replicas(subject, ReplicaSet::Elr),
            "replicas" => self.replicas(subject, ReplicaSet::Assigned),
            "voters" => self.voters(),
            "high-watermark" => self.number(subject, Term::HighWatermark),
            "log-start" => self.number(subject, Term::LogStart),
            "log-end" => self.number(subject, Term::LogEnd),
            "leader-epoch" => self.number(subject, Term::LeaderEpoch),
            "isr-size" => self.number(subject, Term::IsrSize),
            "quorum-epoch" => self.count("quorum-epoch >= 2", Count::QuorumEpoch),
            "under-replicated" => {
                self.count("under-replicated == 0", Count::UnderReplicated)
            }
            "offline" => self.count("offline == 0", Count::Offline),
            "partitions" => self.partitions(),
            "position" => self.position(),
            "records-read" => self.records_read(),
            "last-stable" => self.number(subject, Term::LastStable),
            "group" | "transaction" => self.state(subject),
            "generation" | "members" | "owns" | "owned" | "committed" | "lag"
            | "producer-epoch" | "read-twice" | "holds" => self.of_group(subject),
            _ => Err(unknown_subject(subject, start, self)),
        }
    }

    /// What follows `!`.
    fn not(&mut self) -> Result<Condition, ConditionError> {
        self.skip_space();
        let start = self.at;
        match self.condition()? {
            inner @ (Condition::Violation(_)
            | Condition::Told { .. }
            | Condition::Owns { .. }
            | Condition::Fenced(_)) => Ok(Condition::Not(Box::new(inner))),
            _ => Err(ConditionError {
                at: start,
                message: "`!` cannot stand here".to_owned(),
                help:
                    "it stands before `fenced(…)`, `told(…)`, `owns(…)` and `violation(…)`; \
                       compare with `!=`"
                        .to_owned(),
            }),
        }
    }

    fn violation(&mut self) -> Result<Condition, ConditionError> {
        self.demand("(", "violation(J3)")?;
        self.skip_space();
        let start = self.at;
        let word = self.word();
        if !INVARIANTS.contains(&word) {
            let known = INVARIANTS.iter().copied();
            let near = nearest(word, known).filter(|_| !word.is_empty());
            return Err(ConditionError {
                at: start,
                message: match word {
                    "" => format!("expected an invariant {}", self.found()),
                    word => format!("no invariant is called `{word}`"),
                },
                help: match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("there are {}", INVARIANTS.join(", ")),
                },
            });
        }
        self.demand(")", "violation(J3)")?;
        Ok(Condition::Violation(word.to_owned()))
    }

    fn told(&mut self) -> Result<Condition, ConditionError> {
        const EXAMPLE: &str = "told(order-producer, NOT_ENOUGH_REPLICAS)";
        self.demand("(", EXAMPLE)?;
        let process = self.process(EXAMPLE)?;
        self.demand(",", EXAMPLE)?;
        self.skip_space();
        let start = self.at;
        let error = self.word();
        let legal = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        if error.is_empty() || !error.chars().all(legal) {
            return Err(ConditionError {
                at: start,
                message: match error {
                    "" => format!("expected an error {}", self.found()),
                    error => format!("`{error}` is no error's name"),
                },
                help: format!("errors are written as Kafka does: `{EXAMPLE}`"),
            });
        }
        self.demand(")", EXAMPLE)?;
        Ok(Condition::Told { process, error: error.to_owned() })
    }

    fn fenced(&mut self, example: &str) -> Result<ProcessId, ConditionError> {
        self.demand("(", example)?;
        let broker = self.process(example)?;
        self.demand(")", example)?;
        Ok(broker)
    }

    fn leader(&mut self) -> Result<Condition, ConditionError> {
        let partition = self.partition("leader")?;
        let comparison = self.equality("leader(orders-0) == broker-2")?;
        let process = self.process("leader(orders-0) == broker-2")?;
        let process = Some(process).filter(|id| id.as_str() != "none");
        Ok(Condition::Leader { partition, comparison, process })
    }

    fn controller(&mut self) -> Result<Condition, ConditionError> {
        let comparison = self.equality("controller == controller-2")?;
        let process = self.process("controller == controller-2")?;
        let process = Some(process).filter(|id| id.as_str() != "none");
        Ok(Condition::Controller { comparison, process })
    }

    fn replicas(
        &mut self,
        subject: &str,
        set: ReplicaSet,
    ) -> Result<Condition, ConditionError> {
        let example = format!("{subject}(orders-0) == {{broker-1, broker-2}}");
        let partition = self.partition(subject)?;
        let comparison = self.equality(&example)?;
        let processes = self.set(&example)?;
        Ok(Condition::Replicas { set, partition, comparison, processes })
    }

    fn voters(&mut self) -> Result<Condition, ConditionError> {
        const EXAMPLE: &str = "voters == {controller-1, controller-2, controller-3}";
        let comparison = self.equality(EXAMPLE)?;
        Ok(Condition::Voters { comparison, processes: self.set(EXAMPLE)? })
    }

    /// `{broker-1, broker-2}`, sorted.
    fn set(&mut self, example: &str) -> Result<Vec<ProcessId>, ConditionError> {
        self.demand("{", example)?;
        let mut processes = Vec::new();
        while !self.takes("}") {
            if !processes.is_empty() {
                self.demand(",", example)?;
            }
            processes.push(self.process(example)?);
        }
        processes.sort();
        processes.dedup();
        Ok(processes)
    }

    fn number(&mut self, subject: &str, term: Term) -> Result<Condition, ConditionError> {
        let example = format!("{subject}(orders-0) >= 1");
        self.demand("(", &example)?;
        let partition = self.partition_name(&format!("{subject}(orders-0)"))?;
        let of_replica = matches!(
            term,
            Term::HighWatermark | Term::LogStart | Term::LogEnd | Term::LastStable
        );
        let replica = match of_replica && self.takes(",") {
            true => Some(self.process(&format!("{subject}(orders-0, broker-2) >= 1"))?),
            false => None,
        };
        self.demand(")", &format!("{subject}(orders-0)"))?;
        let (comparison, value) = self.against(&example)?;
        Ok(Condition::Number { term, partition, replica, comparison, value })
    }

    fn partitions(&mut self) -> Result<Condition, ConditionError> {
        const EXAMPLE: &str = "partitions(orders) == 6";
        self.demand("(", EXAMPLE)?;
        let topic = match self.word() {
            "" => {
                let message = format!("expected a topic {}", self.found());
                return Err(self.error(message, format!("write `{EXAMPLE}`")));
            }
            topic => topic.to_owned(),
        };
        self.demand(")", EXAMPLE)?;
        self.count(EXAMPLE, Count::Partitions(topic))
    }

    fn position(&mut self) -> Result<Condition, ConditionError> {
        const EXAMPLE: &str = "position(reader, orders-0) == 5";
        self.demand("(", EXAMPLE)?;
        let reader = self.process(EXAMPLE)?;
        self.demand(",", EXAMPLE)?;
        let partition = self.partition_name("position(reader, orders-0)")?;
        self.demand(")", EXAMPLE)?;
        self.count(EXAMPLE, Count::Position(reader, partition))
    }

    fn records_read(&mut self) -> Result<Condition, ConditionError> {
        const EXAMPLE: &str = "records-read(reader) >= 3";
        self.demand("(", EXAMPLE)?;
        let reader = self.process(EXAMPLE)?;
        self.demand(")", EXAMPLE)?;
        self.count(EXAMPLE, Count::RecordsRead(reader))
    }

    fn count(&mut self, example: &str, of: Count) -> Result<Condition, ConditionError> {
        let (comparison, value) = self.against(example)?;
        Ok(Condition::Count { of, comparison, value })
    }

    /// `>= 1`
    fn against(&mut self, example: &str) -> Result<(Comparison, i64), ConditionError> {
        let comparison = self.comparison(example)?;
        self.skip_space();
        let start = self.at;
        let word = self.word();
        let value = word.parse().map_err(|_| ConditionError {
            at: start,
            message: match word {
                "" => format!("expected a number {}", self.found()),
                word => format!("`{word}` is not a whole number"),
            },
            help: format!("write `{example}`"),
        })?;
        Ok((comparison, value))
    }

    /// A process id, or an alias such as `@leader(orders-0)`.
    fn process(&mut self, example: &str) -> Result<ProcessId, ConditionError> {
        self.skip_space();
        let start = self.at;
        if self.takes("@") {
            return self.alias(start);
        }
        match self.word() {
            "" => {
                let message = format!("expected a process id {}", self.found());
                Err(self.error(message, format!("write `{example}`")))
            }
            word => Ok(ProcessId::from(word)),
        }
    }

    fn alias(&mut self, start: usize) -> Result<ProcessId, ConditionError> {
        self.word();
        if self.takes("(") {
            self.word();
            self.demand(")", "@leader(orders-0)")?;
        }
        let text = &self.text[start..self.at];
        match Alias::parse(text) {
            Ok(alias) => Ok(ProcessId::from(alias.to_string())),
            Err(help) => Err(ConditionError {
                at: start,
                message: format!("nobody is meant by `{text}`"),
                help,
            }),
        }
    }

    /// `(orders-0)`
    fn partition(&mut self, subject: &str) -> Result<PartitionName, ConditionError> {
        let example = format!("{subject}(orders-0)");
        self.demand("(", &example)?;
        let partition = self.partition_name(&example)?;
        self.demand(")", &example)?;
        Ok(partition)
    }

    /// `orders-0`
    fn partition_name(&mut self, example: &str) -> Result<PartitionName, ConditionError> {
        self.skip_space();
        let start = self.at;
        let word = self.word();
        PartitionName::parse(word).ok_or_else(|| ConditionError {
            at: start,
            message: match word {
                "" => format!("expected a partition {}", self.found()),
                word => format!("`{word}` is not a partition"),
            },
            help: format!("a partition is its topic, `-` and its number: `{example}`"),
        })
    }

    fn comparison(&mut self, example: &str) -> Result<Comparison, ConditionError> {
        let longest_first = [
            ("==", Comparison::Equal),
            ("!=", Comparison::NotEqual),
            (">=", Comparison::AtLeast),
            ("<=", Comparison::AtMost),
            (">", Comparison::MoreThan),
            ("<", Comparison::LessThan),
        ];
        for (sign, comparison) in longest_first {
            if self.takes(sign) {
                return Ok(comparison);
            }
        }
        if self.rest().starts_with('=') {
            return Err(self.error("`=` does not compare", "write `==`"));
        }
        let message = format!("expected a comparison {}", self.found());
        Err(self.error(message, format!("write `{example}`")))
    }

    fn equality(&mut self, example: &str) -> Result<Comparison, ConditionError> {
        self.skip_space();
        let start = self.at;
        match self.comparison(example)? {
            equal @ (Comparison::Equal | Comparison::NotEqual) => Ok(equal),
            order => Err(ConditionError {
                at: start,
                message: format!("`{order}` cannot compare names"),
                help: "use `==` or `!=`".to_owned(),
            }),
        }
    }
}

fn unknown_subject(subject: &str, start: usize, reader: &Reader<'_>) -> ConditionError {
    let (message, help) = match (subject, nearest(subject, SUBJECTS)) {
        ("", _) if reader.text.trim().is_empty() => {
            ("the condition is empty".to_owned(), EXAMPLES.to_owned())
        }
        ("", _) => {
            (format!("expected a condition {}", reader.found()), EXAMPLES.to_owned())
        }
        (subject, Some(near)) => {
            (format!("`{subject}` is not known"), format!("did you mean `{near}`?"))
        }
        (subject, None) => (format!("`{subject}` is not known"), EXAMPLES.to_owned()),
    };
    ConditionError { at: start, message, help }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |process: &Option<ProcessId>| {
            process.as_ref().map_or("none", ProcessId::as_str).to_owned()
        };
        let set = |processes: &[ProcessId]| {
            let ids: Vec<&str> = processes.iter().map(ProcessId::as_str).collect();
            format!("{{{}}}", ids.join(", "))
        };
        match self {
            Condition::NoAcknowledgedRecordLost => f.write_str(ALONE),
            Condition::Violation(invariant) => write!(f, "violation({invariant})"),
            Condition::Told { process, error } => write!(f, "told({process}, {error})"),
            Condition::Fenced(broker) => write!(f, "fenced({broker})"),
            Condition::Owns { process, partition } => {
                write!(f, "owns({process}, {partition})")
            }
            Condition::Owned { process, comparison, partitions } => {
                let names: Vec<String> =
                    partitions.iter().map(ToString::to_string).collect();
                write!(f, "owned({process}) {comparison} {{{}}}", names.join(", "))
            }
            Condition::State { of, comparison, state } => {
                write!(f, "{of} {comparison} {state}")
            }
            Condition::Not(inner) => write!(f, "!{inner}"),
            Condition::Leader { partition, comparison, process } => {
                write!(f, "leader({partition}) {comparison} {}", name(process))
            }
            Condition::Controller { comparison, process } => {
                write!(f, "controller {comparison} {}", name(process))
            }
            Condition::Replicas { set: which, partition, comparison, processes } => {
                write!(f, "{which}({partition}) {comparison} {}", set(processes))
            }
            Condition::Voters { comparison, processes } => {
                write!(f, "voters {comparison} {}", set(processes))
            }
            Condition::Number { term, partition, replica, comparison, value } => {
                match replica {
                    Some(replica) => write!(f, "{term}({partition}, {replica})")?,
                    None => write!(f, "{term}({partition})")?,
                }
                write!(f, " {comparison} {value}")
            }
            Condition::Count { of, comparison, value } => {
                write!(f, "{of} {comparison} {value}")
            }
        }
    }
}

impl fmt::Display for ReplicaSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ReplicaSet::Isr => "isr",
            ReplicaSet::Elr => "elr",
            ReplicaSet::Assigned => "replicas",
        })
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Term::HighWatermark => "high-watermark",
            Term::LogStart => "log-start",
            Term::LogEnd => "log-end",
            Term::LastStable => "last-stable",
            Term::LeaderEpoch => "leader-epoch",
            Term::IsrSize => "isr-size",
        })
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Count::QuorumEpoch => f.write_str("quorum-epoch"),
            Count::UnderReplicated => f.write_str("under-replicated"),
            Count::Offline => f.write_str("offline"),
            Count::Partitions(topic) => write!(f, "partitions({topic})"),
            Count::Position(reader, at) => write!(f, "position({reader}, {at})"),
            Count::RecordsRead(reader) => write!(f, "records-read({reader})"),
            Count::Generation(group) => write!(f, "generation({group})"),
            Count::Members(group) => write!(f, "members({group})"),
            Count::Owned(process) => write!(f, "owned({process})"),
            Count::Committed(group, at) => write!(f, "committed({group}, {at})"),
            Count::Lag(group, topic) => write!(f, "lag({group}, {topic})"),
            Count::ProducerEpoch(process) => write!(f, "producer-epoch({process})"),
            Count::ReadTwice(who) => write!(f, "read-twice({who})"),
            Count::Holds(process, name) => write!(f, "holds({process}, {name})"),
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Comparison::Equal => "==",
            Comparison::NotEqual => "!=",
            Comparison::AtLeast => ">=",
            Comparison::AtMost => "<=",
            Comparison::MoreThan => ">",
            Comparison::LessThan => "<",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_reads_and_writes_the_same() {
        for text in [
            "no-acknowledged-record-lost",
            "leader(orders-0) == broker-2",
            "leader(orders-0) != none",
            "isr(orders-0) == {broker-1, broker-2}",
            "isr(orders-0) != {}",
            "high-watermark(my.topic-x-12) >= 3",
            "log-end(orders-0) < 10",
            "leader-epoch(orders-0) > 0",
            "isr-size(orders-0) <= 2",
            "log-end(orders-0) == -1",
            "log-end(orders-0, broker-2) == 3",
            "log-start(orders-0) >= 5",
            "violation(J3)",
            "!violation(R12)",
            "told(order-producer, NOT_ENOUGH_REPLICAS)",
            "fenced(broker-1)",
            "!fenced(broker-1)",
            "controller == controller-2",
            "controller != @last",
            "leader(orders-0) != @leader(orders-1)",
            "quorum-epoch >= 2",
            "voters == {a, b, c}",
            "elr(orders-0) == {broker-2}",
            "replicas(orders-0) == {broker-4, broker-5}",
            "partitions(orders) == 6",
            "position(reader, orders-0) == 5",
            "records-read(reader) >= 3",
            "group(flink-cg) == stable",
            "group(flink-cg) != preparing-rebalance",
            "transaction(orders.tx) == prepare-commit",
            "generation(flink-cg) == 2",
            "members(flink-cg) >= 2",
            "owns(flink-1, orders-0)",
            "!owns(flink-1, orders-0)",
            "owned(flink-1) == {orders-0, orders-1}",
            "owned(flink-1) != {}",
            "owned(flink-1) == 2",
            "committed(flink-cg, orders-0) == 5",
            "lag(flink-cg, orders) == 0",
            "holds(search, orders) >= 3",
            "last-stable(orders-0) == 3",
            "last-stable(orders-0, broker-2) == 3",
            "producer-epoch(shop) == 1",
            "read-twice(flink-cg) == 0",
            "leader(orders-0) == @coordinator(flink-cg)",
        ] {
            assert_eq!(Condition::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn spaces_and_the_order_of_a_set_do_not_matter() {
        let one = Condition::parse("  isr( orders-0 )=={b,a , a}  ").unwrap();
        assert_eq!(one, Condition::parse("isr(orders-0) == {a, b}").unwrap());
    }

    #[test]
    fn unfenced_is_not_fenced() {
        let one = Condition::parse("unfenced(broker-1)").unwrap();
        assert_eq!(one, Condition::parse("! fenced( broker-1 )").unwrap());
    }

    #[test]
    fn none_stands_for_no_leader() {
        let Condition::Leader { process, .. } =
            Condition::parse("leader(orders-0) == none").unwrap()
        else {
            panic!("a leader condition")
        };
        assert_eq!(process, None);
    }

    #[test]
    fn a_mistake_says_where_and_what_to_do() {
        let cases = [
            ("leeder(a-0) == b", 0, "`leeder` is not known"),
            ("leader a-0", 7, "expected `(` but found `a`"),
            ("leader(orders) == b", 7, "`orders` is not a partition"),
            ("leader(orders-0 == b", 16, "expected `)` but found `=`"),
            ("leader(orders-0) = b", 17, "`=` does not compare"),
            ("leader(orders-0) >= b", 17, "`>=` cannot compare names"),
            ("leader(orders-0) ==", 19, "expected a process id but the condition ends"),
            ("isr(orders-0) == a", 17, "expected `{` but found `a`"),
            ("isr(orders-0) == {a b}", 20, "expected `,` but found `b`"),
            ("log-end(orders-0) >= many", 21, "`many` is not a whole number"),
            ("leader(a-0) == b && x", 17, "`&& x` is left over"),
            ("", 0, "the condition is empty"),
            ("  ö(", 2, "`ö` is not known"),
            ("leader(a-99999999999) == b", 7, "`a-99999999999` is not a partition"),
            ("violation(Q9)", 10, "no invariant is called `Q9`"),
            ("violation()", 10, "expected an invariant but found `)`"),
            ("told(shop)", 9, "expected `,` but found `)`"),
            ("told(shop, late)", 11, "`late` is no error's name"),
            ("!leader(a-0) == b", 1, "`!` cannot stand here"),
            ("controller == @boss", 14, "nobody is meant by `@boss`"),
            ("controller >= a", 11, "`>=` cannot compare names"),
            ("leader-epoch(a-0, b) > 1", 16, "expected `)` but found `,`"),
            ("position(reader) == 5", 15, "expected `,` but found `)`"),
            ("partitions() == 5", 11, "expected a topic but found `)`"),
            ("group(g) == stabel", 12, "`stabel` is no state of a group"),
            ("transaction(t) == stable", 18, "`stable` is no state of a transaction"),
            ("owned(p) >= {a-0}", 9, "`>=` cannot compare sets"),
            ("committed(g) == 5", 11, "expected `,` but found `)`"),
            ("lag(, orders) == 5", 4, "expected a group but found `,`"),
        ];
        for (text, at, message) in cases {
            let error = Condition::parse(text).unwrap_err();
            assert_eq!((error.at, error.message.as_str()), (at, message), "{text}");
            assert!(!error.help.is_empty(), "{text}");
        }
    }
}
