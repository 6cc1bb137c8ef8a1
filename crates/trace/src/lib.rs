//! What happened: append-only plain data, hashable, readable as text.
