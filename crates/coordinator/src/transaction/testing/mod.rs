//! One transaction coordinator in a world of its own: a log with a high watermark, partition
//! leaders that take markers, clients that ask.

mod rig;
mod stories;
mod storm;
