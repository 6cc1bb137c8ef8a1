//! Frames on four connections of a node.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| topomotion_fuzz::node(data));
