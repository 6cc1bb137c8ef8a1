//! Record batches, into a log and out of it.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| topomotion_fuzz::batches(data));
