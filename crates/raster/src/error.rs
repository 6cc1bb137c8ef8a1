//! What can go wrong: the asked-for size, the asked-for speed, and the sink.

use std::{fmt, io};

/// Why there is no picture.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The picture has no extent, or one that is no number.
    Empty,
    /// More pixels than this format or this machine can be asked for.
    TooLarge {
        /// Asked for, to the right.
        width: f64,
        /// Asked for, downwards.
        height: f64,
        /// The most on one side.
        side_max: u32,
        /// The most in all.
        pixels_max: u64,
    },
    /// Frames a second outside 1 to 50.
    Speed {
        /// Asked for.
        fps: u32,
    },
    /// The sink did not take what was written.
    Write(io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Empty => f.write_str("the picture has no extent"),
            Error::TooLarge { width, height, side_max, pixels_max } => write!(
                f,
                "a picture of {width:.0} x {height:.0} pixels is too large (at most \
                 {side_max} on a side and {} million in all): choose a smaller scale",
                pixels_max / 1_000_000
            ),
            Error::Speed { fps } => write!(
                f,
                "{fps} frames a second: a GIF plays 1 to 50 (browsers slow faster ones down)"
            ),
            Error::Write(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Write(error) => Some(error),
            Error::Empty | Error::TooLarge { .. } | Error::Speed { .. } => None,
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Error {
        Error::Write(error)
    }
}

impl From<gif::EncodingError> for Error {
    fn from(error: gif::EncodingError) -> Error {
        match error {
            gif::EncodingError::Io(error) => Error::Write(error),
            other => Error::Write(io::Error::other(other.to_string())),
        }
    }
}

impl From<png::EncodingError> for Error {
    fn from(error: png::EncodingError) -> Error {
        match error {
            png::EncodingError::IoError(error) => Error::Write(error),
            other => Error::Write(io::Error::other(other.to_string())),
        }
    }
}
