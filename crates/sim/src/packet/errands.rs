//! What was last said on each errand, so that repetition is recognised as routine.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Part, Weight};

/// Which way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    /// A request.
    Asking,
    /// A response.
    Answering,
}

/// Messages of one kind between the same two processes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Errand {
    pub from: Arc<str>,
    pub to: Arc<str>,
    pub api: &'static str,
    pub way: Way,
}

/// Last words by errand and subject.
#[derive(Debug, Default)]
pub(crate) struct Errands {
    last: BTreeMap<Errand, BTreeMap<String, String>>,
}

/// Parts shown of one message; the rest is counted.
const SHOWN: usize = 4;

impl Errands {
    /// Remembers what a message says. Returns its detail and whether it is news: parts
    /// that say something new are shown; if there are none, all of them.
    pub fn weigh(&mut self, errand: Errand, parts: &[Part]) -> (String, bool) {
        let known = self.last.entry(errand).or_default();
        let is_news = |part: &&Part| match &part.weight {
            Weight::Always => true,
            Weight::Never => false,
            Weight::IfChanged(said) if known.get(&part.subject) == Some(said) => false,
            Weight::IfChanged(said) => {
                known.insert(part.subject.clone(), said.clone());
                true
            }
        };
        let news: Vec<&Part> = parts.iter().filter(is_news).collect();
        if news.is_empty() {
            (join(parts.iter().collect()), false)
        } else {
            (join(news), true)
        }
    }

    /// A process has been started: it says and hears everything anew.
    pub fn forget(&mut self, process: &str) {
        self.last.retain(|errand, _| &*errand.from != process && &*errand.to != process);
    }
}

fn join(parts: Vec<&Part>) -> String {
    let texts: Vec<&str> =
        parts.iter().map(|part| &*part.text).filter(|text| !text.is_empty()).collect();
    if texts.len() <= SHOWN {
        return texts.join(", ");
    }
    format!("{} and {} more", texts[..SHOWN].join(", "), texts.len() - SHOWN)
}
