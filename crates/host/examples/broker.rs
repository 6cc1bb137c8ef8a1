//! The smallest program around the crate: a cluster of so many brokers, in memory or on disk.
//!
//! `cargo run --release -p topomotion-host --example broker -- 3 9092 /tmp/data`

// The rim, as the crate itself.
#![allow(clippy::disallowed_methods, clippy::print_stdout)]

use std::error::Error;

use topomotion_host::{Durability, HostConfig, Security, Storage, asked_to_stop, serve};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let brokers = arguments.next().map_or(Ok(1), |it| it.parse())?;
    let port = arguments.next().map_or(Ok(9092), |it| it.parse())?;
    let storage =
        arguments.next().map_or(Storage::Memory, |it| Storage::Directory(it.into()));
    let config = HostConfig {
        brokers,
        port,
        control: None,
        schema_registry: None,
        storage,
        durability: Durability::PageCache,
        security: Security::default(),
        settings: HostConfig::settings_for(brokers),
    };
    let ready = |ready: &topomotion_host::Ready| println!("{}", ready.bootstrap());
    serve(&config, asked_to_stop, ready, |line| eprintln!("{line}"))?;
    Ok(())
}
