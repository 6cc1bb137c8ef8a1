//! Records of the metadata log.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| topomotion_fuzz::metadata(data));
