//! Producer, consumer and admin as state machines.
