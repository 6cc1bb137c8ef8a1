//! Run files, and the lines of their nemesis and operations.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| topomotion_fuzz::run_file(data));
