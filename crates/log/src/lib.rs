//! One partition's log: record batches, leader epochs, and the bytes they are stored as.
