//! One line of the nemesis's list: when, what, to whom.
//!
//! ```text
//! 12.034 crash broker-1
//! 13.500 cut broker-1 > broker-2,broker-3
//! 15.000 slow controller-1 > broker-1 by 250 ms
//! ```

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use topomotion_model::{ProcessId, nearest};

use super::{Misread, clock, read_clock, words};
use crate::ClusterPlan;

/// One blow of the nemesis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Strike {
    /// When, in ms of engine time since the cluster stood ready.
    pub at_ms: u64,
    /// What.
    pub blow: Blow,
    /// To whom; of a way, from whom.
    pub on: Vec<ProcessId>,
    /// Of a way, to whom.
    pub towards: Vec<ProcessId>,
    /// How much, in the blow's own unit.
    pub amount: u64,
}

/// What a line must name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// Nobody.
    World,
    /// One process.
    Process,
    /// One process and an amount in this unit.
    Amount(&'static str),
    /// Two sides.
    Way,
    /// Two sides and an amount in this unit.
    WayAmount(&'static str),
}

macro_rules! blows {
    ($($name:ident = $word:literal, $shape:expr, $what:literal;)*) => {
        /// What the nemesis can do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Blow {
            $(#[doc = $what] $name,)*
        }

        impl Blow {
            /// Everything it can do.
            pub const ALL: &'static [Blow] = &[$(Blow::$name,)*];

            /// The word for it.
            pub const fn word(self) -> &'static str {
                match self { $(Blow::$name => $word,)* }
            }

            /// What it does.
            pub const fn what(self) -> &'static str {
                match self { $(Blow::$name => $what,)* }
            }

            const fn shape(self) -> Shape {
                match self { $(Blow::$name => $shape,)* }
            }
        }
    };
}

blows! {
    Crash = "crash", Shape::Process, "The process is killed; its disk and page cache stay.";
    PowerLoss = "power-loss", Shape::Process, "The host loses power: what was not flushed is lost.";
    LoseDisk = "lose-disk", Shape::Process, "The host dies and its disk with it: it comes back empty.";
    Restart = "restart", Shape::Process, "The process starts again on its disk.";
    Pause = "pause", Shape::Process, "The process stands still, as in a long collection of garbage.";
    Resume = "resume", Shape::Process, "It goes on.";
    Partition = "partition", Shape::Way, "Nothing passes between the two sides, either way.";
    Cut = "cut", Shape::Way, "Nothing passes from one side to the other.";
    Clog = "clog", Shape::Way, "Everything from one side to the other is kept back.";
    Unclog = "unclog", Shape::Way, "What was kept back arrives in a burst.";
    Detain = "detain", Shape::Way, "What is sent on the present connections is kept back.";
    Release = "release", Shape::Way, "It arrives, even where the sender has long dialled again.";
    Reset = "reset", Shape::Way, "Every connection between the two sides breaks.";
    Slow = "slow", Shape::WayAmount("ms"), "Each message takes so much longer.";
    SlowDial = "slow-dial", Shape::WayAmount("ms"), "Each dial takes so much longer.";
    Throttle = "throttle", Shape::WayAmount("bytes/s"), "Only so much passes.";
    SlowDisk = "slow-disk", Shape::Amount("ms"), "Each flush takes so much longer.";
    FullDisk = "full-disk", Shape::Amount("bytes"), "The disk holds no more than this; who writes more dies.";
    FailDisk = "fail-disk", Shape::Process, "Every write fails; who writes dies.";
    MendDisk = "mend-disk", Shape::Process, "The disk is as it should be.";
    Jump = "jump", Shape::Amount("ms"), "The host's clock jumps ahead.";
    Drift = "drift", Shape::Amount("percent"), "The host's clock runs at this speed.";
    Heal = "heal", Shape::World, "The network is mended, and whoever stood still goes on.";
}

impl Strike {
    /// A blow that names one process.
    pub fn on(at_ms: u64, blow: Blow, process: ProcessId) -> Strike {
        Strike { at_ms, blow, on: vec![process], towards: Vec::new(), amount: 0 }
    }

    /// The world is mended.
    pub fn heal(at_ms: u64) -> Strike {
        let (on, towards) = (Vec::new(), Vec::new());
        Strike { at_ms, blow: Blow::Heal, on, towards, amount: 0 }
    }

    /// Reads a blow without a time, as a step of a run has it: `cut broker-1 > broker-2`.
    pub(crate) fn read_untimed(line: &str) -> Result<Strike, Misread> {
        let words = words(line).into_iter();
        Reader { words, end: line.chars().count() }.strike(0)
    }

    /// The blow without its time.
    pub(crate) fn untimed(&self) -> String {
        let text = self.to_string();
        text.split_once(' ').map_or(String::new(), |(_, text)| text.to_owned())
    }

    /// Checks the names against the cluster.
    pub(super) fn check(&self, line: &str, plan: &ClusterPlan) -> Result<(), Misread> {
        self.check_names(line, plan, |_| Ok(false))
    }

    /// Checks the names against the cluster, but for those that `stands_in` knows: the
    /// error says what to write.
    pub(crate) fn check_names(
        &self,
        line: &str,
        plan: &ClusterPlan,
        stands_in: impl Fn(&ProcessId) -> Result<bool, String>,
    ) -> Result<(), Misread> {
        for process in self.on.iter().chain(&self.towards) {
            if plan.runs(process) || stands_in(process) == Ok(true) {
                continue;
            }
            let before = line.find(process.as_str()).unwrap_or(0);
            let column = line[..before].chars().count();
            let names = everybody(plan);
            let known = nearest(process.as_str(), names.iter().copied());
            let help = match (stands_in(process), known) {
                (Err(help), _) => help,
                (_, Some(near)) => format!("did you mean `{near}`?"),
                (_, None) => format!("there are {}", names.join(", ")),
            };
            let message = format!("nobody is called `{process}`: {help}");
            return Err(Misread { column, message });
        }
        Ok(())
    }
}

/// Everybody who runs.
pub(super) fn everybody(plan: &ClusterPlan) -> Vec<&str> {
    let nodes = plan.nodes.iter().map(|node| node.process.as_str());
    let producers = plan.producers.iter().map(|one| one.process.as_str());
    let consumers = plan.consumers.iter().map(|one| one.process.as_str());
    nodes.chain(producers).chain(consumers).collect()
}

impl fmt::Display for Strike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", clock(self.at_ms), self.blow.word())?;
        let side = |list: &[ProcessId]| {
            list.iter().map(ProcessId::as_str).collect::<Vec<_>>().join(",")
        };
        match self.blow.shape() {
            Shape::World => Ok(()),
            Shape::Process => write!(f, " {}", side(&self.on)),
            Shape::Amount(unit) => {
                write!(f, " {} by {} {unit}", side(&self.on), self.amount)
            }
            Shape::Way => write!(f, " {} > {}", side(&self.on), side(&self.towards)),
            Shape::WayAmount(unit) => {
                let (on, towards) = (side(&self.on), side(&self.towards));
                write!(f, " {on} > {towards} by {} {unit}", self.amount)
            }
        }
    }
}

/// Reads the words of a line one after the other.
struct Reader<'a> {
    words: std::vec::IntoIter<(usize, &'a str)>,
    end: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self, wanted: &str) -> Result<(usize, &'a str), Misread> {
        self.words.next().ok_or_else(|| Misread {
            column: self.end,
            message: format!("the line ends where {wanted} should stand"),
        })
    }

    fn expect(&mut self, word: &str) -> Result<(), Misread> {
        let (column, found) = self.next(&format!("`{word}`"))?;
        if found == word {
            return Ok(());
        }
        let message = format!("`{word}` should stand here, not `{found}`");
        Err(Misread { column, message })
    }

    fn side(&mut self) -> Result<Vec<ProcessId>, Misread> {
        let (_, text) = self.next("the name of a process")?;
        Ok(text.split(',').filter(|name| !name.is_empty()).map(ProcessId::from).collect())
    }

    fn one(&mut self) -> Result<Vec<ProcessId>, Misread> {
        let (_, text) = self.next("the name of a process")?;
        Ok(vec![ProcessId::from(text)])
    }

    fn amount(&mut self, unit: &str) -> Result<u64, Misread> {
        self.expect("by")?;
        let (column, text) = self.next("a number")?;
        let number = text.parse().map_err(|_| Misread {
            column,
            message: format!("`{text}` is no whole number"),
        })?;
        self.expect(unit)?;
        Ok(number)
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

    /// What is left of a line: the blow, and to whom.
    fn strike(mut self, at_ms: u64) -> Result<Strike, Misread> {
        let blow = self.blow()?;
        let mut strike =
            Strike { at_ms, blow, on: Vec::new(), towards: Vec::new(), amount: 0 };
        match blow.shape() {
            Shape::World => {}
            Shape::Process => strike.on = self.one()?,
            Shape::Amount(unit) => {
                strike.on = self.one()?;
                strike.amount = self.amount(unit)?;
            }
            Shape::Way | Shape::WayAmount(_) => {
                strike.on = self.side()?;
                self.expect(">")?;
                strike.towards = self.side()?;
                if let Shape::WayAmount(unit) = blow.shape() {
                    strike.amount = self.amount(unit)?;
                }
            }
        }
        self.finish()?;
        Ok(strike)
    }

    fn blow(&mut self) -> Result<Blow, Misread> {
        let (column, word) = self.next("a fault")?;
        let mut known = Blow::ALL.iter();
        if let Some(blow) = known.find(|blow| blow.word() == word) {
            return Ok(*blow);
        }
        let names = Blow::ALL.iter().map(|blow| blow.word());
        let help = match nearest(word, names.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are {}", names.collect::<Vec<_>>().join(", ")),
        };
        let message = format!("there is no fault `{word}`: {help}");
        Err(Misread { column, message })
    }
}

impl FromStr for Strike {
    type Err = Misread;

    fn from_str(line: &str) -> Result<Strike, Misread> {
        let words = words(line).into_iter();
        let mut reader = Reader { words, end: line.chars().count() };
        let at_ms = read_clock(reader.next("a time")?)?;
        reader.strike(at_ms)
    }
}

impl TryFrom<String> for Strike {
    type Error = String;

    fn try_from(line: String) -> Result<Strike, String> {
        line.parse().map_err(|misread: Misread| misread.message)
    }
}

impl From<Strike> for String {
    fn from(strike: Strike) -> String {
        strike.to_string()
    }
}
