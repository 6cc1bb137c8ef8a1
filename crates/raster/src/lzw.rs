//! GIF's compression, quick on long runs of one value.
//!
//! Nearly every pixel of a film's frame is "unchanged". The phrases made of that value alone
//! form one chain in the dictionary; a run walks along it in one step instead of one lookup
//! a pixel. The codes are the usual ones: any reader of GIF understands them.

/// The longest code, in bits.
const WIDTH_MAX: u32 = 12;
/// Slots for the phrases; a power of two above twice their number.
const SLOTS: usize = 1 << 13;

/// The data of one image: the smallest code's width, then the codes. `common` is the value
/// that runs are expected of; every value is below `1 << bits`.
pub(crate) fn encode(values: &[u8], common: u8, bits: u8) -> Vec<u8> {
    let mut encoder = Encoder::new(common, bits);
    encoder.clear();
    let mut rest = values;
    while let Some(&value) = rest.first() {
        if value == common && encoder.is_run() {
            let length = run(rest, common);
            encoder.take_run(length);
            rest = &rest[length..];
        } else {
            encoder.take(value);
            rest = &rest[1..];
        }
    }
    encoder.finish()
}

/// How many values at the beginning are `common`.
fn run(values: &[u8], common: u8) -> usize {
    const BLOCK: usize = 32;
    let is_same = |block: &&[u8]| **block == [common; BLOCK];
    let blocks = values.chunks_exact(BLOCK).take_while(is_same).count() * BLOCK;
    let tail = &values[blocks..];
    blocks + tail.iter().take_while(|value| **value == common).count()
}

/// What has been read and not yet written.
#[derive(Clone, Copy)]
enum Phrase {
    Nothing,
    /// The common value, so many times.
    Run(usize),
    /// Anything else, by its code.
    Other(u16),
}

struct Encoder {
    out: Vec<u8>,
    pending: u64,
    pending_bits: u32,
    bits: u8,
    width: u32,
    /// The next phrase's code.
    next: u32,
    phrase: Phrase,
    /// Codes of the runs: of one value, two values, ….
    runs: Vec<u16>,
    /// Prefix, value and code of each other phrase; 0 for none.
    others: Box<[u32; SLOTS]>,
}

impl Encoder {
    fn new(common: u8, bits: u8) -> Encoder {
        assert!((2..=8).contains(&bits), "GIF stores values of 2 to 8 bits");
        Encoder {
            out: vec![bits],
            pending: 0,
            pending_bits: 0,
            bits,
            width: u32::from(bits) + 1,
            next: 0,
            phrase: Phrase::Nothing,
            runs: vec![u16::from(common)],
            others: Box::new([0; SLOTS]),
        }
    }

    fn is_run(&self) -> bool {
        matches!(self.phrase, Phrase::Nothing | Phrase::Run(_))
    }

    /// Takes the common value `left` times.
    fn take_run(&mut self, mut left: usize) {
        let mut length = if let Phrase::Run(length) = self.phrase { length } else { 0 };
        while length + left > self.runs.len() {
            left -= self.runs.len() - length + 1;
            self.write(u32::from(self.runs[self.runs.len() - 1]));
            if let Some(code) = self.learn() {
                self.runs.push(code);
            }
            length = 1;
        }
        self.phrase = Phrase::Run(length + left);
    }

    fn take(&mut self, value: u8) {
        let Some(prefix) = self.code() else {
            self.phrase = self.single(value);
            return;
        };
        let key = u32::from(prefix) << 8 | u32::from(value);
        let mut slot = (key.wrapping_mul(0x9e37_79b1) >> 19) as usize;
        while self.others[slot] != 0 {
            if self.others[slot] >> WIDTH_MAX == key {
                let code = self.others[slot] & ((1 << WIDTH_MAX) - 1);
                self.phrase = Phrase::Other(code as u16);
                return;
            }
            slot = (slot + 1) % SLOTS;
        }
        self.write(u32::from(prefix));
        if let Some(code) = self.learn() {
            self.others[slot] = key << WIDTH_MAX | u32::from(code);
        }
        self.phrase = self.single(value);
    }

    fn single(&self, value: u8) -> Phrase {
        if u16::from(value) == self.runs[0] {
            Phrase::Run(1)
        } else {
            Phrase::Other(u16::from(value))
        }
    }

    /// The code of what has been read.
    fn code(&self) -> Option<u16> {
        match self.phrase {
            Phrase::Nothing => None,
            Phrase::Run(length) => Some(self.runs[length - 1]),
            Phrase::Other(code) => Some(code),
        }
    }

    /// A code for a new phrase; `None` if the dictionary was full and began anew.
    fn learn(&mut self) -> Option<u16> {
        self.widen();
        let code = self.next;
        self.next += 1;
        if self.next == 1 << WIDTH_MAX {
            self.clear();
            return None;
        }
        Some(code as u16)
    }

    /// Codes grow when the reader's dictionary does, which is one phrase behind.
    fn widen(&mut self) {
        if self.next == 1 << self.width && self.width < WIDTH_MAX {
            self.width += 1;
        }
    }

    /// Begins the dictionary anew.
    fn clear(&mut self) {
        let clear = 1 << self.bits;
        self.write(clear);
        self.width = u32::from(self.bits) + 1;
        // One code clears, the next one ends.
        self.next = clear + 2;
        self.runs.truncate(1);
        self.others.fill(0);
    }

    fn write(&mut self, code: u32) {
        self.pending |= u64::from(code) << self.pending_bits;
        self.pending_bits += self.width;
        while self.pending_bits >= 8 {
            self.out.push(self.pending as u8);
            self.pending >>= 8;
            self.pending_bits -= 8;
        }
    }

    fn finish(mut self) -> Vec<u8> {
        if let Some(code) = self.code() {
            self.write(u32::from(code));
            self.widen();
        }
        self.write((1 << self.bits) + 1);
        if self.pending_bits > 0 {
            self.out.push(self.pending as u8);
        }
        self.out
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use proptest::prelude::*;

    use super::*;

    /// Through the library's own reader.
    fn decode(data: &[u8], length: usize) -> Vec<u8> {
        let colors = [0; 256 * 3];
        let mut bytes = Vec::new();
        let mut encoder =
            gif::Encoder::new(&mut bytes, length as u16, 1, &colors).unwrap();
        let frame = gif::Frame {
            width: length as u16,
            height: 1,
            buffer: Cow::Borrowed(data),
            ..gif::Frame::default()
        };
        encoder.write_lzw_pre_encoded_frame(&frame).unwrap();
        drop(encoder);
        let mut options = gif::DecodeOptions::new();
        options.set_color_output(gif::ColorOutput::Indexed);
        options.check_lzw_end_code(true);
        let mut decoder = options.read_info(&bytes[..]).unwrap();
        decoder.read_next_frame().unwrap().unwrap().buffer.to_vec()
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_was_written(
            parts in prop::collection::vec((0..12_u8, 1..400_usize), 1..60),
            seed in any::<u32>(),
        ) {
            let mut random = seed;
            let mut values = Vec::new();
            for (value, length) in parts {
                if value == 0 {
                    // Noise, which fills the dictionary.
                    for _ in 0..length {
                        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        values.push((random >> 24) as u8);
                    }
                } else {
                    values.extend(std::iter::repeat_n(if value < 8 { 255 } else { value }, length));
                }
            }
            let data = encode(&values, 255, 8);
            prop_assert!(decode(&data, values.len()) == values);
        }

        #[test]
        fn codes_end_at_every_width(length in 1..9000_usize, noise in any::<bool>()) {
            let value = |i: usize| if noise { (i * i / 7 + i) as u8 } else { 255 };
            let values: Vec<u8> = (0..length).map(value).collect();
            prop_assert!(decode(&encode(&values, 255, 8), length) == values);
        }
    }

    #[test]
    fn a_long_run_costs_next_to_nothing() {
        let values = vec![255; 60_000];
        let data = encode(&values, 255, 8);
        assert!(data.len() < 500, "{}", data.len());
        assert_eq!(decode(&data, values.len()), values);
    }

    #[test]
    fn few_colors_take_short_codes() {
        let values: Vec<u8> = (0..1000).map(|i| (i % 3) as u8).collect();
        assert_eq!(decode(&encode(&values, 3, 2), values.len()), values);
    }
}
