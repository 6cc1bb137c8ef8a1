//! Who of a group reads which partition: the assignors of Kafka's clients and brokers.
//!
//! Pure functions of members, subscriptions, partition counts and what everybody owned
//! before; no member is asked and nothing is remembered. The client that leads a classic
//! group calls them, and so does the coordinator of a KIP-848 group.
