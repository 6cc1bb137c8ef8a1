//! Pixels: PNG and GIF.
