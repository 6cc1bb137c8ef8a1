//! Ranges as people write them: `0..100`, `3..5`.

use std::fmt;
use std::ops::RangeInclusive;

/// Seeds to try: from the first up to, and without, the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seeds {
    /// The first.
    pub first: u64,
    /// The first that is not tried any more.
    pub end: u64,
}

/// How many brokers a drawn cluster may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brokers(pub RangeInclusive<u32>);

/// More brokers than this no drawn cluster has.
const BROKERS_AT_MOST: u32 = 9;

impl Default for Brokers {
    fn default() -> Brokers {
        Brokers(3..=5)
    }
}

impl fmt::Display for Brokers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.0.start(), self.0.end())
    }
}

/// `0..100`, or `7` for one seed.
pub fn seeds(text: &str) -> Result<Seeds, String> {
    let wrong = || format!("`{text}` is no range of seeds: write it like 0..100");
    let number = |text: &str| text.parse::<u64>().map_err(|_| wrong());
    let (first, end) = match text.split_once("..") {
        Some((first, end)) => (number(first)?, number(end)?),
        None => (number(text)?, number(text)?.saturating_add(1)),
    };
    if first < end { Ok(Seeds { first, end }) } else { Err(wrong()) }
}

/// `3..5`, the last included, or one number.
pub fn brokers(text: &str) -> Result<Brokers, String> {
    let wrong = || {
        format!(
            "`{text}` is no number of brokers: write 3..5, and {BROKERS_AT_MOST} at most"
        )
    };
    let number = |text: &str| text.parse::<u32>().map_err(|_| wrong());
    let (least, most) = text.split_once("..").unwrap_or((text, text));
    let (least, most) = (number(least)?, number(most)?);
    let fits = 1 <= least && least <= most && most <= BROKERS_AT_MOST;
    if fits { Ok(Brokers(least..=most)) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_written() {
        assert_eq!(seeds("3..9"), Ok(Seeds { first: 3, end: 9 }));
        assert_eq!(seeds("7"), Ok(Seeds { first: 7, end: 8 }));
        assert!(seeds("9..3").is_err() && seeds("a..b").is_err());
        assert_eq!(brokers("3..5").map(|it| it.to_string()), Ok("3..5".to_owned()));
        assert_eq!(brokers("4"), Ok(Brokers(4..=4)));
        assert!(brokers("0..2").is_err() && brokers("3..99").is_err());
    }
}
