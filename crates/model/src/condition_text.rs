//! Conditions as text: reading `leader(orders-0) == broker-2`, and writing it again.
//!
//! A mistake carries the byte where it stands, so that a front end can underline it inside
//! the very string of the script.

use std::fmt;

use crate::{Comparison, Condition, PartitionName, ProcessId, Term, nearest};

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
const SUBJECTS: [&str; 7] =
    [ALONE, "leader", "isr", "high-watermark", "log-end", "leader-epoch", "isr-size"];
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
        self.skip_space();
        let start = self.at;
        let subject = self.word();
        let condition = match subject {
            ALONE => return Ok(Condition::NoAcknowledgedRecordLost),
            "leader" => self.leader(),
            "isr" => self.isr(),
            "high-watermark" => self.number(subject, Term::HighWatermark),
            "log-end" => self.number(subject, Term::LogEnd),
            "leader-epoch" => self.number(subject, Term::LeaderEpoch),
            "isr-size" => self.number(subject, Term::IsrSize),
            _ => Err(unknown_subject(subject, start, self)),
        }?;
        Ok(condition)
    }

    fn leader(&mut self) -> Result<Condition, ConditionError> {
        let partition = self.partition("leader")?;
        let comparison = self.equality("leader(orders-0) == broker-2")?;
        let process = self.process("leader(orders-0) == broker-2")?;
        let process = Some(process).filter(|id| id.as_str() != "none");
        Ok(Condition::Leader { partition, comparison, process })
    }

    fn isr(&mut self) -> Result<Condition, ConditionError> {
        const EXAMPLE: &str = "isr(orders-0) == {broker-1, broker-2}";
        let partition = self.partition("isr")?;
        let comparison = self.equality(EXAMPLE)?;
        self.demand("{", EXAMPLE)?;
        let mut processes = Vec::new();
        while !self.takes("}") {
            if !processes.is_empty() {
                self.demand(",", EXAMPLE)?;
            }
            processes.push(self.process(EXAMPLE)?);
        }
        processes.sort();
        processes.dedup();
        Ok(Condition::Isr { partition, comparison, processes })
    }

    fn number(&mut self, subject: &str, term: Term) -> Result<Condition, ConditionError> {
        let example = format!("{subject}(orders-0) >= 1");
        let partition = self.partition(subject)?;
        let comparison = self.comparison(&example)?;
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
        Ok(Condition::Number { term, partition, comparison, value })
    }

    fn process(&mut self, example: &str) -> Result<ProcessId, ConditionError> {
        match self.word() {
            "" => {
                let message = format!("expected a process id {}", self.found());
                Err(self.error(message, format!("write `{example}`")))
            }
            word => Ok(ProcessId::from(word)),
        }
    }

    /// `(orders-0)`
    fn partition(&mut self, subject: &str) -> Result<PartitionName, ConditionError> {
        let example = format!("{subject}(orders-0)");
        self.demand("(", &example)?;
        self.skip_space();
        let start = self.at;
        let word = self.word();
        let numbered = word.rsplit_once('-').filter(|(topic, _)| !topic.is_empty());
        let parsed = numbered.and_then(|(topic, index)| {
            let partition = index.parse().ok()?;
            Some(PartitionName { topic: topic.to_owned(), partition })
        });
        let Some(partition) = parsed else {
            return Err(ConditionError {
                at: start,
                message: match word {
                    "" => format!("expected a partition {}", self.found()),
                    word => format!("`{word}` is not a partition"),
                },
                help: format!(
                    "a partition is its topic, `-` and its number: `{example}`"
                ),
            });
        };
        self.demand(")", &example)?;
        Ok(partition)
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
        match self {
            Condition::NoAcknowledgedRecordLost => f.write_str(ALONE),
            Condition::Leader { partition, comparison, process } => {
                let process = process.as_ref().map_or("none", ProcessId::as_str);
                write!(f, "leader({partition}) {comparison} {process}")
            }
            Condition::Isr { partition, comparison, processes } => {
                let ids: Vec<&str> = processes.iter().map(ProcessId::as_str).collect();
                write!(f, "isr({partition}) {comparison} {{{}}}", ids.join(", "))
            }
            Condition::Number { term, partition, comparison, value } => {
                write!(f, "{term}({partition}) {comparison} {value}")
            }
        }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Term::HighWatermark => "high-watermark",
            Term::LogEnd => "log-end",
            Term::LeaderEpoch => "leader-epoch",
            Term::IsrSize => "isr-size",
        })
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
        ];
        for (text, at, message) in cases {
            let error = Condition::parse(text).unwrap_err();
            assert_eq!((error.at, error.message.as_str()), (at, message), "{text}");
            assert!(!error.help.is_empty(), "{text}");
        }
    }
}
