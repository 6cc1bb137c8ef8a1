//! Records, compressed and not: what stands behind a batch's header.
//!
//! | codec | as Kafka writes it |
//! |---|---|
//! | gzip | one gzip member |
//! | snappy | xerial's framing: a header of 16 bytes, then blocks behind their lengths; a bare snappy block is read too |
//! | lz4 | one frame of independent blocks of 64 KiB |
//! | zstd | one frame |
//!
//! Bytes come from elsewhere, and few of them can stand for very many: nobody inflates them
//! further than [`MAX_INFLATED_BYTES`].

use std::io::{Read, Write};

use bytes::Bytes;

use crate::{Compression, Malformed};

/// How long the records of one batch may be: as long as the longest request
/// (`socket.request.max.bytes`).
pub const MAX_INFLATED_BYTES: usize = 100 << 20;

/// Magic, version and the oldest version that can read it.
const XERIAL: [u8; 16] =
    [0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0, 0, 0, 0, 1, 0, 0, 0, 1];
/// How many bytes of records go into one snappy block.
const SNAPPY_BLOCK_BYTES: usize = 32 << 10;

impl Compression {
    /// The codec's bits in a batch's attributes.
    pub(crate) const fn bits(self) -> i16 {
        match self {
            Compression::None => 0,
            Compression::Gzip => 1,
            Compression::Snappy => 2,
            Compression::Lz4 => 3,
            Compression::Zstd => 4,
        }
    }

    /// Its name in `compression.type`.
    pub const fn name(self) -> &'static str {
        match self {
            Compression::None => "none",
            Compression::Gzip => "gzip",
            Compression::Snappy => "snappy",
            Compression::Lz4 => "lz4",
            Compression::Zstd => "zstd",
        }
    }

    /// The codec of this name.
    pub fn from_name(name: &str) -> Option<Compression> {
        let all = [
            Compression::None,
            Compression::Gzip,
            Compression::Snappy,
            Compression::Lz4,
            Compression::Zstd,
        ];
        all.into_iter().find(|codec| codec.name() == name)
    }

    /// Fewer bytes that stand for `records`; the same on every machine.
    pub(crate) fn compress(self, records: &[u8]) -> Vec<u8> {
        const IN_MEMORY: &str = "memory takes all that is written";
        match self {
            Compression::None => records.to_vec(),
            Compression::Gzip => {
                let level = flate2::Compression::default();
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
                encoder.write_all(records).expect(IN_MEMORY);
                encoder.finish().expect(IN_MEMORY)
            }
            Compression::Snappy => compress_snappy(records),
            Compression::Lz4 => {
                let frame = lz4_flex::frame::FrameInfo::new()
                    .block_size(lz4_flex::frame::BlockSize::Max64KB)
                    .block_mode(lz4_flex::frame::BlockMode::Independent);
                let encoder =
                    lz4_flex::frame::FrameEncoder::with_frame_info(frame, Vec::new());
                let mut encoder = encoder;
                encoder.write_all(records).expect(IN_MEMORY);
                encoder.finish().expect(IN_MEMORY)
            }
            Compression::Zstd => {
                let level = ruzstd::encoding::CompressionLevel::Fastest;
                ruzstd::encoding::compress_to_vec(records, level)
            }
        }
    }

    /// What `bytes` stand for.
    ///
    /// # Errors
    /// When they are damaged, or stand for more than [`MAX_INFLATED_BYTES`].
    pub(crate) fn inflate(self, bytes: &Bytes) -> Result<Bytes, Malformed> {
        self.inflate_within(MAX_INFLATED_BYTES, bytes)
    }

    fn inflate_within(self, limit: usize, bytes: &Bytes) -> Result<Bytes, Malformed> {
        let damaged = Malformed::Compressed(self);
        match self {
            Compression::None => Ok(bytes.clone()),
            Compression::Gzip => {
                self.drain(limit, flate2::read::GzDecoder::new(&bytes[..]))
            }
            Compression::Snappy => inflate_snappy(limit, bytes),
            Compression::Lz4 => {
                self.drain(limit, lz4_flex::frame::FrameDecoder::new(&bytes[..]))
            }
            Compression::Zstd => {
                let decoder = ruzstd::decoding::StreamingDecoder::new(&bytes[..]);
                self.drain(limit, decoder.map_err(|_| damaged)?)
            }
        }
    }

    fn drain(self, limit: usize, reader: impl Read) -> Result<Bytes, Malformed> {
        let mut inflated = Vec::new();
        let mut reader = reader.take(limit as u64 + 1);
        let read = reader.read_to_end(&mut inflated);
        let read = read.map_err(|_| Malformed::Compressed(self))?;
        if read > limit {
            return Err(Malformed::Inflated(self));
        }
        Ok(Bytes::from(inflated))
    }
}

fn compress_snappy(records: &[u8]) -> Vec<u8> {
    let mut encoder = snap::raw::Encoder::new();
    let mut bytes = XERIAL.to_vec();
    for block in records.chunks(SNAPPY_BLOCK_BYTES) {
        let block = encoder.compress_vec(block).expect("a block is far below 4 GiB");
        let length = u32::try_from(block.len()).expect("and so is what it becomes");
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&block);
    }
    bytes
}

fn inflate_snappy(limit: usize, bytes: &[u8]) -> Result<Bytes, Malformed> {
    let mut inflated = Vec::new();
    // The versions are the writer's own business, as in Kafka.
    if !bytes.starts_with(&XERIAL[..8]) {
        inflate_block(limit, bytes, &mut inflated)?;
        return Ok(Bytes::from(inflated));
    }
    let damaged = Malformed::Compressed(Compression::Snappy);
    let mut rest = bytes.get(XERIAL.len()..).ok_or(damaged)?;
    while let Some((length, behind)) = rest.split_first_chunk::<4>() {
        let length = u32::from_be_bytes(*length) as usize;
        let (block, behind) = behind.split_at_checked(length).ok_or(damaged)?;
        inflate_block(limit, block, &mut inflated)?;
        rest = behind;
    }
    if rest.is_empty() { Ok(Bytes::from(inflated)) } else { Err(damaged) }
}

/// Adds what one snappy block stands for; it says itself how much that is.
fn inflate_block(
    limit: usize,
    block: &[u8],
    inflated: &mut Vec<u8>,
) -> Result<(), Malformed> {
    let damaged = |_| Malformed::Compressed(Compression::Snappy);
    let length = snap::raw::decompress_len(block).map_err(damaged)?;
    // No byte of a block stands for more than 64: whoever claims more is not believed.
    if length.saturating_add(inflated.len()) > limit {
        return Err(Malformed::Inflated(Compression::Snappy));
    }
    if length > block.len().saturating_mul(64) {
        return Err(Malformed::Compressed(Compression::Snappy));
    }
    let before = inflated.len();
    inflated.resize(before + length, 0);
    let mut decoder = snap::raw::Decoder::new();
    let written = decoder.decompress(block, &mut inflated[before..]).map_err(damaged)?;
    inflated.truncate(before + written);
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: [Compression; 5] = [
        Compression::None,
        Compression::Gzip,
        Compression::Snappy,
        Compression::Lz4,
        Compression::Zstd,
    ];

    #[test]
    fn a_codec_is_known_by_its_name() {
        for codec in ALL {
            assert_eq!(Compression::from_name(codec.name()), Some(codec));
        }
        assert_eq!(Compression::from_name("brotli"), None);
    }

    #[test]
    fn what_others_compressed_is_read() {
        // "hello hello hello hello\n", by gzip -n, lz4 -B4 and zstd of the command line.
        let expected = &b"hello hello hello hello\n"[..];
        let files: [(Compression, &[u8]); 3] = [
            (
                Compression::Gzip,
                &[
                    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0xcb,
                    0x48, 0xcd, 0xc9, 0xc9, 0x57, 0xc8, 0x40, 0x27, 0xb9, 0x00, 0x00,
                    0x88, 0x59, 0x0b, 0x18, 0x00, 0x00, 0x00,
                ],
            ),
            (
                Compression::Lz4,
                &[
                    0x04, 0x22, 0x4d, 0x18, 0x64, 0x40, 0xa7, 0x0f, 0x00, 0x00, 0x00,
                    0x69, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x20, 0x06, 0x00, 0x50, 0x65,
                    0x6c, 0x6c, 0x6f, 0x0a, 0x00, 0x00, 0x00, 0x00, 0xe2, 0xff, 0x03,
                    0x42,
                ],
            ),
            (
                Compression::Zstd,
                &[
                    0x28, 0xb5, 0x2f, 0xfd, 0x24, 0x18, 0x6d, 0x00, 0x00, 0x38, 0x68,
                    0x65, 0x6c, 0x6c, 0x6f, 0x20, 0x0a, 0x01, 0x00, 0x99, 0x4b, 0x11,
                    0xa8, 0x7c, 0x2e, 0xa8,
                ],
            ),
        ];
        for (codec, bytes) in files {
            let inflated = codec.inflate(&Bytes::from_static(bytes));
            assert_eq!(inflated.as_deref(), Ok(expected), "{codec:?}");
        }
    }

    #[test]
    fn snappy_is_framed_as_kafka_frames_it() {
        let bytes = compress_snappy(b"aaaaaaaa");
        assert_eq!(bytes[..16], XERIAL);
        assert_eq!(bytes[16..20], [0, 0, 0, bytes.len() as u8 - 20], "one block");
        assert_eq!(bytes[20], 8, "which says how much it stands for");
        let bare = snap::raw::Encoder::new().compress_vec(b"bare").expect("small");
        let inflated = Compression::Snappy.inflate(&Bytes::from(bare));
        assert_eq!(inflated.as_deref(), Ok(&b"bare"[..]));
    }

    #[test]
    fn a_bomb_is_refused_before_it_fills_the_memory() {
        const LIMIT: usize = 1 << 20;
        let zeroes = vec![0; LIMIT + 1];
        for codec in [Compression::Gzip, Compression::Lz4, Compression::Zstd] {
            let bomb = Bytes::from(codec.compress(&zeroes));
            assert!(bomb.len() < LIMIT / 100, "{codec:?}: {} bytes", bomb.len());
            let inflated = codec.inflate_within(LIMIT, &bomb);
            assert_eq!(inflated, Err(Malformed::Inflated(codec)));
            assert!(codec.inflate_within(LIMIT + 1, &bomb).is_ok());
        }
        // It claims 4 GiB.
        let claim = Bytes::from_static(&[0xff, 0xff, 0xff, 0xff, 0x0f, 0]);
        let claimed = Compression::Snappy.inflate(&claim);
        assert_eq!(claimed, Err(Malformed::Inflated(Compression::Snappy)));
    }

    proptest! {
        #[test]
        fn what_is_compressed_is_inflated(
            records in prop::collection::vec(0_u8..4, 0..100_000),
        ) {
            for codec in ALL {
                let bytes = Bytes::from(codec.compress(&records));
                let inflated = codec.inflate(&bytes);
                prop_assert_eq!(inflated.as_deref(), Ok(&records[..]));
            }
        }

        #[test]
        fn damaged_bytes_never_panic(
            at in any::<prop::sample::Index>(), to: u8, cut in any::<prop::sample::Index>(),
        ) {
            let records: Vec<u8> = (0..3_000_u32).map(|it| (it % 97) as u8).collect();
            for codec in ALL {
                let mut bytes = codec.compress(&records);
                let at = at.index(bytes.len());
                bytes[at] = to;
                bytes.truncate(cut.index(bytes.len()) + 1);
                let _ = codec.inflate(&Bytes::from(bytes));
            }
        }
    }
}
