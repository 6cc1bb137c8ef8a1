//! The small change of the packed form: whole numbers in as few bytes as they need, lengths in
//! 1/64 px, texts with their length before them.

use std::fmt;

/// Steps of a px: finer than any screen shows, and exact in binary.
const STEPS: f64 = 64.0;

/// Why bytes are no film.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// They begin with something else.
    NotAFilm,
    /// They end too early.
    Cut,
    /// They contradict themselves; which part does.
    Odd(&'static str),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Broken::NotAFilm => f.write_str("it holds no film"),
            Broken::Cut => {
                f.write_str("the film is cut off: part of the file is missing")
            }
            Broken::Odd(part) => {
                f.write_str("the film is damaged (")?;
                f.write_str(part)?;
                f.write_str(")")
            }
        }
    }
}

/// Takes bytes apart.
#[derive(Debug)]
pub(crate) struct Reader<'b> {
    left: &'b [u8],
}

impl<'b> Reader<'b> {
    pub fn new(bytes: &'b [u8]) -> Reader<'b> {
        Reader { left: bytes }
    }

    pub fn take(&mut self, count: usize) -> Result<&'b [u8], Broken> {
        let (taken, left) = self.left.split_at_checked(count).ok_or(Broken::Cut)?;
        self.left = left;
        Ok(taken)
    }

    pub fn byte(&mut self) -> Result<u8, Broken> {
        let (first, left) = self.left.split_first().ok_or(Broken::Cut)?;
        self.left = left;
        Ok(*first)
    }

    /// A whole number.
    pub fn number(&mut self) -> Result<u32, Broken> {
        let mut value = 0_u32;
        for shift in (0..35).step_by(7) {
            let byte = self.byte()?;
            value |= u32::from(byte & 127).checked_shl(shift).unwrap_or(0);
            if byte < 128 {
                return Ok(value);
            }
        }
        Err(Broken::Odd("a number"))
    }

    /// How many things follow. Each takes a byte at least, so there are no more than bytes.
    pub fn count(&mut self) -> Result<usize, Broken> {
        let count = self.number()? as usize;
        if count > self.left.len() { Err(Broken::Cut) } else { Ok(count) }
    }

    /// An index below `end`.
    pub fn index(&mut self, end: usize, part: &'static str) -> Result<usize, Broken> {
        let index = self.number()? as usize;
        if index < end { Ok(index) } else { Err(Broken::Odd(part)) }
    }

    /// A length, px.
    pub fn length(&mut self) -> Result<f64, Broken> {
        let folded = self.number()?;
        let steps = (folded >> 1).cast_signed() ^ -(folded & 1).cast_signed();
        Ok(f64::from(steps) / STEPS)
    }

    pub fn text(&mut self) -> Result<&'b str, Broken> {
        let count = self.count()?;
        std::str::from_utf8(self.take(count)?).map_err(|_| Broken::Odd("a text"))
    }

    pub fn is_empty(&self) -> bool {
        self.left.is_empty()
    }
}

/// Puts bytes together.
#[cfg(feature = "pack")]
#[derive(Debug, Default)]
pub(crate) struct Writer {
    pub bytes: Vec<u8>,
}

#[cfg(feature = "pack")]
impl Writer {
    pub fn number(&mut self, mut value: u32) {
        while value >= 128 {
            self.bytes.push((value & 127) as u8 | 128);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    pub fn count(&mut self, count: usize) {
        self.number(u32::try_from(count).unwrap_or(u32::MAX));
    }

    pub fn length(&mut self, px: f64) {
        let steps = (px * STEPS).round() as i32;
        self.number(steps.cast_unsigned() << 1 ^ (steps >> 31).cast_unsigned());
    }

    pub fn text(&mut self, text: &str) {
        self.count(text.len());
        self.bytes.extend_from_slice(text.as_bytes());
    }
}

#[cfg(all(test, feature = "write"))]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut out = Writer::default();
        for number in [0, 127, 128, 16_384, u32::MAX] {
            out.number(number);
        }
        for px in [0.0, -0.5, 1280.25, -400.015_625, 1e6] {
            out.length(px);
        }
        out.text("Größe");
        let mut read = Reader::new(&out.bytes);
        for number in [0, 127, 128, 16_384, u32::MAX] {
            assert_eq!(read.number(), Ok(number));
        }
        for px in [0.0, -0.5, 1280.25, -400.015_625, 1e6] {
            assert_eq!(read.length(), Ok(px));
        }
        assert_eq!(read.text(), Ok("Größe"));
        assert!(read.is_empty());
    }

    #[test]
    fn numbers_that_do_not_end_are_refused() {
        assert_eq!(Reader::new(&[255; 9]).number(), Err(Broken::Odd("a number")));
        assert_eq!(Reader::new(&[255]).number(), Err(Broken::Cut));
        assert_eq!(Reader::new(&[200, 1, 7]).text(), Err(Broken::Cut));
    }
}
