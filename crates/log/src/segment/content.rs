//! The bytes of a segment, in memory, as shared chunks.
//!
//! An append is kept as it came, sharing its bytes with whoever else holds them: a follower's
//! log lies in its leader's. Only small appends are joined, once enough of them have come
//! together, so that a read behind the newest ones is a slice of one chunk and copies nothing.

use bytes::{Bytes, BytesMut};
use topomotion_wire::Offset;

use crate::header::BatchView;

/// How many bytes of small appends are joined into one chunk.
const CHUNK_BYTES: u64 = 64 << 10;
/// What is not small: joining it costs more than it saves.
const LARGE_BYTES: usize = 4 << 10;

/// Whole batches, one behind the other.
#[derive(Debug, Clone)]
struct Chunk {
    /// Of its first byte in the file.
    position: u64,
    /// Of its first batch.
    base: Offset,
    bytes: Bytes,
}

/// All bytes of a segment: whole batches only.
#[derive(Debug, Clone, Default)]
pub(crate) struct Content {
    chunks: Vec<Chunk>,
    /// The chunks before this one are not joined any more.
    settled: usize,
    len: u64,
}

impl Content {
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Adds whole batches, the first of which begins at `base`.
    pub(crate) fn push(&mut self, base: Offset, bytes: Bytes) {
        let is_large = bytes.len() >= LARGE_BYTES;
        if is_large {
            self.settle();
        }
        let position = self.len;
        self.len += bytes.len() as u64;
        self.chunks.push(Chunk { position, base, bytes });
        if is_large || self.loose_bytes() >= CHUNK_BYTES {
            self.settle();
        }
    }

    fn loose_bytes(&self) -> u64 {
        self.chunks.get(self.settled).map_or(0, |first| self.len - first.position)
    }

    /// Joins the loose chunks into one.
    fn settle(&mut self) {
        if let [first, _, ..] = &self.chunks[self.settled..] {
            let (position, base) = (first.position, first.base);
            let mut joined = BytesMut::with_capacity((self.len - position) as usize);
            for chunk in self.chunks.drain(self.settled..) {
                joined.extend_from_slice(&chunk.bytes);
            }
            self.chunks.push(Chunk { position, base, bytes: joined.freeze() });
        }
        self.settled = self.chunks.len();
    }

    /// Keeps the first `len` bytes, which end with a batch.
    pub(crate) fn truncate(&mut self, len: u64) {
        assert!(len <= self.len, "a cut does not add anything");
        let keep = self.chunks.partition_point(|chunk| chunk.position < len);
        self.chunks.truncate(keep);
        if let Some(last) = self.chunks.last_mut() {
            last.bytes.truncate((len - last.position) as usize);
        }
        self.settled = self.settled.min(keep);
        self.len = len;
    }

    /// The bytes of `from..to`, which are whole batches.
    pub(crate) fn slice(&self, from: u64, to: u64) -> Slices {
        let mut slices = Slices::default();
        for chunk in &self.chunks[self.chunk_at(from)..] {
            if chunk.position >= to {
                break;
            }
            let start = from.saturating_sub(chunk.position) as usize;
            let end = chunk.bytes.len().min((to - chunk.position) as usize);
            if start < end {
                slices.push(chunk.bytes.slice(start..end));
            }
        }
        slices
    }

    /// The batches from `position` on, where one begins, each with its position.
    pub(crate) fn walk(&self, position: u64) -> Walk<'_> {
        Walk { chunks: &self.chunks[self.chunk_at(position)..], position }
    }

    /// Which chunk has the byte at `position`. Most look for the last one.
    fn chunk_at(&self, position: u64) -> usize {
        match self.chunks.last() {
            Some(last) if last.position > position => {
                let after = self.chunks.partition_point(|it| it.position <= position);
                after.saturating_sub(1)
            }
            _ => self.chunks.len().saturating_sub(1),
        }
    }

    /// The position of the chunk in which a batch with `offset` would lie.
    pub(crate) fn chunk_with(&self, offset: Offset) -> u64 {
        match self.chunks.last() {
            Some(last) if last.base <= offset => last.position,
            _ => {
                let after = self.chunks.partition_point(|chunk| chunk.base <= offset);
                after.checked_sub(1).map_or(0, |at| self.chunks[at].position)
            }
        }
    }
}

/// Shared pieces of a content, in order; nearly always one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Slices {
    first: Bytes,
    rest: Vec<Bytes>,
}

impl Slices {
    fn push(&mut self, bytes: Bytes) {
        if self.first.is_empty() {
            self.first = bytes;
        } else {
            self.rest.push(bytes);
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Bytes> {
        std::iter::once(&self.first).chain(&self.rest)
    }

    pub(crate) fn len(&self) -> usize {
        self.iter().map(Bytes::len).sum()
    }

    /// One run of bytes; copied only where it is not one already.
    pub(crate) fn join(&self) -> Bytes {
        if self.rest.is_empty() {
            return self.first.clone();
        }
        let mut joined = BytesMut::with_capacity(self.len());
        self.iter().for_each(|bytes| joined.extend_from_slice(bytes));
        joined.freeze()
    }
}

/// Batch after batch, by their headers.
#[derive(Debug, Clone)]
pub(crate) struct Walk<'a> {
    chunks: &'a [Chunk],
    position: u64,
}

impl<'a> Iterator for Walk<'a> {
    type Item = (u64, BatchView<'a>);

    fn next(&mut self) -> Option<(u64, BatchView<'a>)> {
        let mut chunk = self.chunks.first()?;
        if self.position >= chunk.position + chunk.bytes.len() as u64 {
            self.chunks = &self.chunks[1..];
            chunk = self.chunks.first()?;
        }
        let position = self.position;
        let rest = &chunk.bytes[(position - chunk.position) as usize..];
        let view = BatchView::next_checked(rest);
        self.position += view.len() as u64;
        Some((position, view))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RecordRef, encode_batch};

    fn filled(batches: usize, value: usize) -> Content {
        let mut content = Content::default();
        let value = vec![1; value];
        let record = RecordRef { value: Some(&value), ..RecordRef::default() };
        for at in 0..batches {
            let mut bytes = BytesMut::from(&encode_batch([record])[..]);
            crate::batch::place(&mut bytes, Offset(at as i64), Default::default());
            content.push(Offset(at as i64), bytes.freeze());
        }
        content
    }

    #[test]
    fn small_appends_are_joined_and_a_read_of_them_is_a_share() {
        let content = filled(600, 1_000);
        assert!(content.chunks.len() < 100, "{} chunks", content.chunks.len());
        let slices = content.slice(0, content.chunks[0].bytes.len() as u64);
        assert_eq!(slices.join().as_ptr(), content.chunks[0].bytes.as_ptr());
    }

    #[test]
    fn a_walk_meets_every_batch_once_wherever_the_chunks_end() {
        for (batches, value) in [(0, 1), (3, 10), (700, 900), (3, 300_000)] {
            let content = filled(batches, value);
            let seen: Vec<_> =
                content.walk(0).map(|(at, view)| (at, view.base_offset().0)).collect();
            assert_eq!(seen.len(), batches);
            assert!(seen.iter().enumerate().all(|(at, seen)| seen.1 == at as i64));
            for &(position, offset) in &seen {
                let (at, view) = content.walk(position).next().expect("there");
                assert_eq!((at, view.base_offset().0), (position, offset));
                assert!(content.chunk_with(Offset(offset)) <= position);
            }
        }
    }

    #[test]
    fn a_cut_leaves_the_bytes_before_it() {
        let content = filled(700, 900);
        let whole = content.slice(0, content.len()).join();
        let positions: Vec<u64> = content.walk(0).map(|(position, _)| position).collect();
        for &len in positions.iter().step_by(37) {
            let mut cut = content.clone();
            cut.truncate(len);
            assert_eq!(cut.slice(0, len).join(), whole.slice(..len as usize));
            assert_eq!(cut.walk(0).count() as u64, {
                positions.partition_point(|&position| position < len) as u64
            });
            cut.push(Offset(9_999), whole.slice(..positions[1] as usize));
            assert_eq!(cut.len(), len + positions[1]);
            assert!(cut.settled <= cut.chunks.len());
        }
    }
}
