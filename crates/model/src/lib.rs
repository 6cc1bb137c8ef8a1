//! Topologies and scenarios as plain data, with the builder that makes them.
