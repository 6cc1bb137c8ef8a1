//! What can go wrong: only the asked-for size.

use std::fmt;

/// Why there are no pages.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// No moment was asked for, or the picture has no extent, or one that is no number.
    Empty,
    /// Larger than a page may be.
    TooLarge {
        /// Asked for, to the right, px.
        width: f64,
        /// Asked for, downwards, px.
        height: f64,
        /// The most on one side, px.
        side_max: f64,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Empty => f.write_str("the picture has no extent"),
            Error::TooLarge { width, height, side_max } => write!(
                f,
                "a page of {width:.0} x {height:.0} px is too large (at most {side_max:.0} on a \
                 side): choose a smaller scale"
            ),
        }
    }
}

impl std::error::Error for Error {}
