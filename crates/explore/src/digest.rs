//! A state as one number.
//!
//! A machine's state is taken from its `Debug` form, which names every field it has. On the
//! way everything is made relative that two states may differ in and still behave alike:
//! moments become distances from now, running numbers become their rank, and what only counts
//! is left out. So a cluster that idles comes back to where it was, and the search ends.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use topomotion_wire::{ConnectionId, Instant};

use crate::disk::timeless_records;
use crate::world::BEAT;

/// Sixty-four bits over words and bytes; the same on every machine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Digest(u64);

impl Default for Digest {
    fn default() -> Digest {
        Digest(0x9e37_79b9_7f4a_7c15)
    }
}

impl Digest {
    /// Another one, that differs from the default on the same input.
    pub fn second() -> Digest {
        Digest(0x2545_f491_4f6c_dd1d)
    }

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

/// A hundred and twenty-eight bits: no two of a billion states share them by chance.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wide([Digest; 2]);

impl Default for Wide {
    fn default() -> Wide {
        Wide([Digest::default(), Digest::second()])
    }
}

impl Wide {
    pub fn word(&mut self, word: u64) {
        self.0.iter_mut().for_each(|digest| digest.word(word));
    }

    pub fn long(&mut self, long: u128) {
        self.word(long as u64);
        self.word((long >> 64) as u64);
    }

    pub fn bytes(&mut self, bytes: &[u8]) {
        self.0.iter_mut().for_each(|digest| digest.bytes(bytes));
    }

    pub fn value(self) -> u128 {
        let [high, low] = self.0;
        u128::from(high.value()) << 64 | u128::from(low.value())
    }
}

/// What the names of connections are in one host's state.
pub(crate) type Names = BTreeMap<ConnectionId, u64>;

/// Pauses that double with each failure end on the same beat from here on.
const LIMIT: u64 = 4;

/// What is as far ahead as this never comes, in microseconds: limits to how long a request or
/// a record may take, a connection may idle, what was learnt may be used.
const NEVER: u64 = 5_000_000;

/// A machine's state apart from the moments and the connections in it, and these in the order
/// in which it names them. It stays the same while time goes by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shape {
    rest: u128,
    moments: Vec<(Instant, Passed)>,
    connections: Vec<ConnectionId>,
}

impl Shape {
    /// Of everything that a state's `Debug` form says.
    pub fn of(state: &impl fmt::Debug) -> Shape {
        let mut writer = Writer::default();
        writer.take(state);
        writer.shape()
    }

    /// Adds the state, as it is at a moment, to a digest.
    pub fn add_to(&self, all: &mut Wide, now: Instant, oldest: u64, names: &Names) {
        all.long(self.rest);
        for (moment, passed) in &self.moments {
            all.word(distance(*moment, *passed, now, oldest));
        }
        for connection in &self.connections {
            // A connection that is gone has no name; nobody can tell such ones apart.
            all.word(names.get(connection).copied().unwrap_or(u64::MAX));
        }
    }

    /// The whole state where no moment and no connection has a meaning of its own.
    pub fn value(&self) -> u128 {
        self.rest
    }
}

/// What a moment means that has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Passed {
    /// How long ago it was, up to a limit.
    Counts,
    /// Nothing more: whatever waited for it has been free to go on.
    IsGone,
}

/// How far a moment is from now.
fn distance(moment: Instant, passed: Passed, now: Instant, oldest: u64) -> u64 {
    let (moment, now) = (moment.as_micros(), now.as_micros());
    match moment.checked_sub(now) {
        Some(ahead) => ahead.div_ceil(BEAT.as_micros()).min(NEVER / BEAT.as_micros()),
        None if passed == Passed::IsGone => 0,
        None => 1 << 63 | (now - moment).min(oldest),
    }
}

/// What the next number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Expected {
    #[default]
    Itself,
    Nothing,
    Limited,
    Moment,
    /// A moment that has no meaning once it has passed.
    Deadline,
    Token,
    Dialled,
    Accepted,
}

/// Takes `Debug` forms in.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    text: Vec<u8>,
    expected: Expected,
    /// How many braces are open of something that is left out.
    skipped: Option<u32>,
    /// What was read of a string of bytes that has not ended.
    bytes: Option<String>,
    tokens: Vec<u64>,
    moments: Vec<(Instant, Passed)>,
    connections: Vec<ConnectionId>,
}

impl Writer {
    /// Takes something in.
    pub fn take(&mut self, state: &impl fmt::Debug) {
        // It refuses nothing.
        let _ = write!(self, "{state:?}");
    }

    pub fn word(&mut self, word: u64) {
        self.text.extend_from_slice(&word.to_le_bytes());
    }

    pub fn shape(self) -> Shape {
        let mut rest = Wide::default();
        rest.bytes(&self.text);
        Shape { rest: rest.value(), moments: self.moments, connections: self.connections }
    }

    fn moment(&mut self, moment: Instant, passed: Passed) {
        self.text.push(MOMENT);
        self.moments.push((moment, passed));
    }

    fn number(&mut self, number: u64, text: &str) {
        match std::mem::take(&mut self.expected) {
            Expected::Itself => self.text.extend_from_slice(text.as_bytes()),
            Expected::Nothing => {}
            Expected::Limited => self.text.push(number.min(LIMIT) as u8 + b'0'),
            Expected::Moment => self.moment(Instant(number), Passed::Counts),
            Expected::Deadline => self.moment(Instant(number), Passed::IsGone),
            Expected::Token => {
                let rank = self.tokens.iter().position(|it| *it == number);
                let rank = rank.unwrap_or_else(|| {
                    self.tokens.push(number);
                    self.tokens.len() - 1
                });
                self.word(rank as u64);
            }
            Expected::Dialled => self.connections.push(ConnectionId::Dialled(number)),
            Expected::Accepted => self.connections.push(ConnectionId::Accepted(number)),
        }
    }
}

/// Stands for a moment in the text.
const MOMENT: u8 = 1;

/// What never changes, is not explored, or is only kept to be told: pieces of a `Debug` form,
/// each in front of a brace.
fn is_left_out(text: &str) -> bool {
    matches!(
        text,
        "Random"
            | "NodeConfig"
            | "ProducerConfig"
            | "CommonConfig"
            | "BatchBuilder"
            | "observers"
    )
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
        | "numbers" | "number" | "appended_at" | "since" | "session_epoch"
        | "BatchId" | "leader_end" | "topics" | "active" | "base_timestamp"
        | "max_timestamp" | "turn" | "refreshed" | "retention_checked" | "created" => {
            Expected::Nothing
        }
        "pause" | "not_before" | "until" | "due" | "at" | "expires" | "update_at" => {
            Expected::Deadline
        }
        "failures" | "attempts" => Expected::Limited,
        // A field ends here: what was expected of it did not come.
        ", " | " }" | "]" | ")" => Expected::Itself,
        _ => return None,
    })
}

/// What [`Bytes`](topomotion_wire::Bytes) write of themselves, read back.
fn unescaped(text: &str) -> Vec<u8> {
    let mut rest = text.bytes();
    let mut bytes = Vec::new();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'\\' => match rest.next() {
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                Some(b't') => b'\t',
                Some(b'0') => 0,
                Some(b'x') => {
                    let digit = |byte: Option<u8>| {
                        byte.and_then(|it| char::from(it).to_digit(16)).unwrap_or(0)
                    };
                    (digit(rest.next()) << 4 | digit(rest.next())) as u8
                }
                Some(other) => other,
                None => break,
            },
            other => other,
        });
    }
    bytes
}

impl Write for Writer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if let Some(depth) = &mut self.skipped {
            match text {
                " { " | "{" => *depth += 1,
                " }" | "}" => *depth -= 1,
                _ => return Ok(()),
            }
            if *depth == 0 {
                self.skipped = None;
            }
            return Ok(());
        }
        if let Some(escaped) = &mut self.bytes {
            if text == "\"" {
                let records = unescaped(escaped);
                self.bytes = None;
                self.word(timeless_records(&records));
            } else {
                escaped.push_str(text);
            }
            return Ok(());
        }
        if text == "b\"" {
            self.bytes = Some(String::new());
            return Ok(());
        }
        let bytes = text.as_bytes();
        match bytes.first() {
            Some(b'0'..=b'9') => {
                if let Ok(number) = text.parse() {
                    self.number(number, text);
                    return Ok(());
                }
            }
            Some(b'A'..=b'Z' | b'o') if is_left_out(text) => {
                self.skipped = Some(0);
                return Ok(());
            }
            _ => {}
        }
        if let Some(expected) = expected_after(text)
            && (expected != Expected::Moment || self.expected == Expected::Itself)
        {
            self.expected = expected;
        }
        self.text.extend_from_slice(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use topomotion_wire::{CorrelationId, Random};

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
        due: Some(Instant(1_500_000)),
        failures: 8,
        serial: 4,
        asked: CorrelationId(9),
        offset: 3,
    };

    fn digest(state: &impl fmt::Debug, now: u64) -> u128 {
        let names = Names::from([(ConnectionId::Dialled(5), 0)]);
        let mut all = Wide::default();
        Shape::of(state).add_to(&mut all, Instant(now), 1_000_000, &names);
        all.value()
    }

    #[test]
    fn a_moment_is_a_distance_from_now() {
        let at = |micros| State { due: Some(Instant(micros)), ..STATE };
        assert_eq!(digest(&STATE, 1_000_000), digest(&at(2_500_000), 2_000_000));
        assert_ne!(digest(&STATE, 1_000_000), digest(&at(2_500_001), 2_000_000));
        assert_ne!(digest(&STATE, 0), digest(&State { due: None, ..STATE }, 0));
        assert_eq!(digest(&at(1), 5_000_000), digest(&at(2), 5_000_000));
    }

    #[test]
    fn what_goes_off_on_the_same_beat_is_due_at_the_same_time() {
        let at = |micros| State { due: Some(Instant(micros)), ..STATE };
        assert_eq!(digest(&at(100_000), 0), digest(&at(500_000), 0));
        assert_eq!(digest(&at(9_000_000), 0), digest(&at(8_000_000), 0), "never");
    }

    #[test]
    fn what_only_counts_is_left_out_and_what_has_a_limit_stops_there() {
        let other = State { serial: 7, failures: 20, asked: CorrelationId(1), ..STATE };
        assert_eq!(digest(&STATE, 0), digest(&other, 0));
        assert_ne!(digest(&STATE, 0), digest(&State { failures: 2, ..STATE }, 0));
    }

    #[test]
    fn what_is_drawn_later_is_left_out_with_all_that_is_in_it() {
        let with = |stream| (Random::new(1, stream), STATE);
        assert_eq!(digest(&with(1), 0), digest(&with(2), 0));
        assert_ne!(digest(&with(1), 0), digest(&STATE, 0));
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
