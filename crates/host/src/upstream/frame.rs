//! Frames as they are, length prefix included, from a stream.

use std::io;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};
use topomotion_broker::frames::Broken;

/// Bytes of a length prefix.
pub(super) const LENGTH: usize = 4;
/// Room that is taken at least, and at most, for what has not been received yet.
const ROOM_MIN: usize = 16 << 10;
const ROOM_MAX: usize = 1 << 20;

/// Why there is no further frame.
#[derive(Debug)]
pub(super) enum End {
    /// The other end has closed, or is gone.
    Gone,
    /// What comes is no frame.
    Broken(Broken),
}

impl From<io::Error> for End {
    fn from(_: io::Error) -> End {
        End::Gone
    }
}

/// Reads frames of at most so many bytes.
#[derive(Debug)]
pub(super) struct Frames<R> {
    input: R,
    received: BytesMut,
    most: usize,
}

impl<R: AsyncRead + Unpin> Frames<R> {
    pub(super) fn new(input: R, most: usize) -> Frames<R> {
        Frames { input, received: BytesMut::new(), most }
    }

    /// The next frame, whole, with its length in front.
    pub(super) async fn next(&mut self) -> Result<Bytes, End> {
        loop {
            let mut missing = ROOM_MIN;
            if let Some(prefix) = self.received.first_chunk::<LENGTH>() {
                let told = i32::from_be_bytes(*prefix);
                let length = usize::try_from(told).ok().filter(|&it| it <= self.most);
                let length = length.ok_or(End::Broken(Broken::Length(told)))?;
                let whole = LENGTH + length;
                if self.received.len() >= whole {
                    return Ok(self.received.split_to(whole).freeze());
                }
                missing = whole - self.received.len();
            }
            // Memory is taken for what has come, and not for what is announced.
            let most = self.received.len().max(ROOM_MAX);
            self.received.reserve(missing.clamp(ROOM_MIN, most));
            if self.input.read_buf(&mut self.received).await? == 0 {
                return Err(End::Gone);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(test: impl Future<Output = ()>) {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(test);
    }

    #[test]
    fn frames_come_whole_however_they_were_cut() {
        let bytes: &[u8] = b"\0\0\0\x02ab\0\0\0\0\0\0\0\x03c";
        run(async {
            let mut frames = Frames::new(bytes, 10);
            assert_eq!(frames.next().await.unwrap(), &b"\0\0\0\x02ab"[..]);
            assert_eq!(frames.next().await.unwrap(), &b"\0\0\0\0"[..]);
            assert!(matches!(frames.next().await, Err(End::Gone)), "it was cut off");
        });
    }

    #[test]
    fn a_length_beyond_the_limit_is_refused() {
        let bytes: &[u8] = b"GET / HTTP/1.1";
        run(async {
            let mut frames = Frames::new(bytes, 1 << 20);
            let refused = frames.next().await;
            assert!(matches!(refused, Err(End::Broken(Broken::Length(_)))));
        });
    }
}
