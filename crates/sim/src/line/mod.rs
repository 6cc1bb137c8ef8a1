//! Lines of text that a run has people say: what an administrator asks, what a client does.

pub mod actor;
pub mod admin;
pub mod client;

use topomotion_model::{PartitionName, ProcessId, nearest};

use crate::storm::{Misread, words};

/// Reads the words of a line one after the other.
struct Words<'a> {
    words: std::vec::IntoIter<(usize, &'a str)>,
    end: usize,
    example: &'static str,
}

impl<'a> Words<'a> {
    fn of(line: &'a str) -> Words<'a> {
        let end = line.chars().count();
        Words { words: words(line).into_iter(), end, example: "" }
    }

    fn next(&mut self, wanted: &str) -> Result<(usize, &'a str), Misread> {
        self.words.next().ok_or_else(|| {
            let example = self.example;
            let message = match example {
                "" => format!("{wanted} is missing"),
                example => format!("{wanted} is missing; write: {example}"),
            };
            Misread { column: self.end, message }
        })
    }

    /// The word that says what is meant: one of these.
    fn verb(&mut self, known: &[&'static str]) -> Result<&'static str, Misread> {
        let (column, word) = self.next("a verb")?;
        if let Some(verb) = known.iter().find(|verb| **verb == word) {
            return Ok(verb);
        }
        let help = match nearest(word, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are {}", known.join(", ")),
        };
        Err(Misread { column, message: format!("`{word}` is not known: {help}") })
    }

    fn expect(&mut self, word: &str) -> Result<(), Misread> {
        let (column, found) = self.next(&format!("`{word}`"))?;
        if found == word {
            return Ok(());
        }
        let example = self.example;
        let message =
            format!("`{word}` should stand here, not `{found}`; write: {example}");
        Err(Misread { column, message })
    }

    fn partition(&mut self) -> Result<PartitionName, Misread> {
        let (column, word) = self.next("a partition")?;
        read_partition(column, word)
    }

    fn partitions(&mut self) -> Result<Vec<PartitionName>, Misread> {
        let (column, word) = self.next("a partition")?;
        word.split(',').map(|one| read_partition(column, one)).collect()
    }

    fn process(&mut self) -> Result<ProcessId, Misread> {
        Ok(ProcessId::from(self.next("the name of a process")?.1))
    }

    fn processes(&mut self) -> Result<Vec<ProcessId>, Misread> {
        let (_, text) = self.next("the names of processes")?;
        Ok(text.split(',').filter(|name| !name.is_empty()).map(ProcessId::from).collect())
    }

    fn number<N: std::str::FromStr>(&mut self) -> Result<N, Misread> {
        let (column, word) = self.next("a number")?;
        read_number(column, word)
    }

    /// `name=value`, as many as there are.
    fn settings(&mut self) -> Result<Vec<(usize, &'a str, &'a str)>, Misread> {
        let mut found = Vec::new();
        for (column, word) in self.words.by_ref() {
            let Some((name, value)) = word.split_once('=') else {
                let message = format!("`{word}` is no setting: write name=value");
                return Err(Misread { column, message });
            };
            found.push((column, name, value));
        }
        Ok(found)
    }

    /// Whether there are no more words.
    fn is_empty(&self) -> bool {
        self.words.as_slice().is_empty()
    }

    fn finish(mut self) -> Result<(), Misread> {
        match self.words.next() {
            None => Ok(()),
            Some((column, word)) => {
                let message = format!("`{word}` is one word too many");
                Err(Misread { column, message })
            }
        }
    }
}

fn read_partition(column: usize, word: &str) -> Result<PartitionName, Misread> {
    PartitionName::parse(word).ok_or_else(|| {
        let message =
            format!("`{word}` is no partition: write a topic, `-` and a number");
        Misread { column, message }
    })
}

fn read_number<N: std::str::FromStr>(column: usize, word: &str) -> Result<N, Misread> {
    let message = || format!("`{word}` is no whole number");
    word.parse().map_err(|_| Misread { column, message: message() })
}
