//! A state as one number.
//!
//! A machine's state is taken from its `Debug` form, which names every field it has, while it
//! is being written. On the way everything is made relative that two states may differ in
//! and still behave alike: moments become distances from now, running numbers become their
//! rank, and what only counts is left out. So a cluster that idles comes back to where it
//! was, and the search ends.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use topomotion_wire::{ConnectionId, Instant};

/// Sixty-four bits over words and bytes; the same on every machine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Digest(u64);

impl Default for Digest {
    fn default() -> Digest {
        Digest(0x9e37_79b9_7f4a_7c15)
    }
}

impl Digest {
    pub fn word(&mut self, word: u64) {
        let mixed = (self.0 ^ word).wrapping_mul(0xff51_afd7_ed55_8ccd);
        self.0 = (mixed ^ (mixed >> 32)).wrapping_mul(0xc4ce_b9fe_1a85_ec53)
            ^ mixed.rotate_left(23);
    }

    pub fn bytes(&mut self, bytes: &[u8]) {
        self.word(bytes.len() as u64);
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.word(u64::from_le_bytes(word));
        }
    }

    pub fn value(self) -> u64 {
        self.0
    }
}

/// What the names of connections are in one host's state.
pub(crate) type Names = BTreeMap<ConnectionId, u64>;

/// Pauses that double with each failure have reached their limit before this.
const LIMIT: u64 = 7;

/// What the next number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    Itself,
    Nothing,
    Limited,
    Moment,
    Token,
    Dialled,
    Accepted,
}

/// Takes a `Debug` form in.
#[derive(Debug)]
pub(crate) struct Writer<'a> {
    digest: [Digest; 2],
    now: Instant,
    /// Moments longer ago than this have no effect any more, in microseconds.
    oldest: u64,
    names: &'a Names,
    expected: Expected,
    tokens: Vec<u64>,
}

impl<'a> Writer<'a> {
    pub fn new(now: Instant, oldest: u64, names: &'a Names) -> Writer<'a> {
        let second = Digest(0x2545_f491_4f6c_dd1d);
        Writer {
            digest: [Digest::default(), second],
            now,
            oldest,
            names,
            expected: Expected::Itself,
            tokens: Vec::new(),
        }
    }

    /// Takes something in.
    pub fn take(&mut self, state: &impl fmt::Debug) {
        // It refuses nothing.
        let _ = write!(self, "{state:?}");
    }

    pub fn word(&mut self, word: u64) {
        self.digest.iter_mut().for_each(|digest| digest.word(word));
    }

    pub fn value(&self) -> u128 {
        let [high, low] = self.digest;
        u128::from(high.value()) << 64 | u128::from(low.value())
    }

    fn number(&mut self, number: u64) {
        let word = match std::mem::replace(&mut self.expected, Expected::Itself) {
            Expected::Itself => number,
            Expected::Nothing => return,
            Expected::Limited => number.min(LIMIT),
            Expected::Moment => {
                let now = self.now.as_micros();
                match number.checked_sub(now) {
                    Some(ahead) => ahead,
                    None => 1 << 63 | (now - number).min(self.oldest),
                }
            }
            Expected::Token => match self.tokens.iter().position(|it| *it == number) {
                Some(rank) => rank as u64,
                None => {
                    self.tokens.push(number);
                    self.tokens.len() as u64 - 1
                }
            },
            Expected::Dialled => self.name_of(ConnectionId::Dialled(number)),
            Expected::Accepted => self.name_of(ConnectionId::Accepted(number)),
        };
        self.word(word);
    }

    /// A connection that is gone has no name; nobody can tell such ones apart.
    fn name_of(&self, connection: ConnectionId) -> u64 {
        self.names.get(&connection).copied().unwrap_or(u64::MAX)
    }
}

/// What a piece of a `Debug` form says of the number behind it.
fn expected_after(text: &str) -> Option<Expected> {
    Some(match text {
        "Instant" => Expected::Moment,
        "ReplyToken" => Expected::Token,
        "Dialled" => Expected::Dialled,
        "Accepted" => Expected::Accepted,
        // Numbers that only count, or say when something was last so.
        "CorrelationId" | "FlushToken" | "now" | "serial" | "tokens" | "flushes"
        | "next_token" | "next_connection" | "next_correlation" | "next_id"
        | "numbers" | "number" | "appended_at" | "since" | "session_epoch" => {
            Expected::Nothing
        }
        "failures" | "attempts" => Expected::Limited,
        // A field ends here: what was expected of it did not come.
        ", " | " }" | "]" | ")" => Expected::Itself,
        _ => return None,
    })
}

impl Write for Writer<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let bytes = text.as_bytes();
        if bytes.first().is_some_and(u8::is_ascii_digit)
            && let Ok(number) = text.parse()
        {
            self.number(number);
            return Ok(());
        }
        if let Some(expected) = expected_after(text)
            && (self.expected != Expected::Nothing || expected != Expected::Moment)
        {
            self.expected = expected;
        }
        self.digest.iter_mut().for_each(|digest| digest.bytes(bytes));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use topomotion_wire::CorrelationId;

    #[expect(dead_code, reason = "read by way of Debug")]
    #[derive(Debug)]
    struct State {
        due: Option<Instant>,
        failures: u32,
        serial: u64,
        asked: CorrelationId,
        offset: i64,
    }

    const STATE: State = State {
        due: Some(Instant(1_500)),
        failures: 8,
        serial: 4,
        asked: CorrelationId(9),
        offset: 3,
    };

    fn digest(state: &impl fmt::Debug, now: u64) -> u128 {
        let names = Names::from([(ConnectionId::Dialled(5), 0)]);
        let mut writer = Writer::new(Instant(now), 1_000, &names);
        writer.take(state);
        writer.value()
    }

    #[test]
    fn a_moment_is_a_distance_from_now() {
        let later = State { due: Some(Instant(2_500)), ..STATE };
        assert_eq!(digest(&STATE, 1_000), digest(&later, 2_000));
        assert_ne!(digest(&STATE, 1_000), digest(&later, 2_001));
        assert_ne!(digest(&STATE, 1_000), digest(&State { due: None, ..STATE }, 1_000));
        let long_ago = |at| State { due: Some(Instant(at)), ..STATE };
        assert_eq!(digest(&long_ago(1), 5_000), digest(&long_ago(2), 5_000));
    }

    #[test]
    fn what_only_counts_is_left_out_and_what_has_a_limit_stops_there() {
        let other = State { serial: 7, failures: 20, asked: CorrelationId(1), ..STATE };
        assert_eq!(digest(&STATE, 0), digest(&other, 0));
        assert_ne!(digest(&STATE, 0), digest(&State { failures: 2, ..STATE }, 0));
    }

    #[test]
    fn everything_else_counts() {
        assert_ne!(digest(&STATE, 0), digest(&State { offset: 4, ..STATE }, 0));
        assert_ne!(digest(&STATE, 0), digest(&State { offset: -3, ..STATE }, 0));
    }

    #[test]
    fn a_connection_has_the_name_that_it_was_given() {
        let gone = [ConnectionId::Dialled(7), ConnectionId::Dialled(8)];
        assert_eq!(digest(&gone[0], 0), digest(&gone[1], 0));
        assert_ne!(digest(&ConnectionId::Dialled(5), 0), digest(&gone[0], 0));
    }
}
