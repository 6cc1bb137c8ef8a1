//! `topomotion broker`: a Kafka cluster on this machine, for real clients.

use std::cell::RefCell;
use std::io::{self, Write};

use topomotion_host::{
    AutoCreateTopics, Durability, HostConfig, HostError, Storage, asked_to_stop, serve,
};

use crate::args::Broker;
use crate::commands::{access, control};
use crate::failure::Failure;
use crate::terminal::Terminal;

/// Serves until the process is asked to stop.
pub fn run(arguments: Broker, terminal: &Terminal) -> Result<(), Failure> {
    if let Some(order) = &arguments.order {
        return control::obey(order);
    }
    let config = config(arguments)?;
    let wanted = access::told(&config.security);
    let kept = match (&config.storage, config.durability) {
        (Storage::Memory, _) => {
            "in memory; --data-dir DIR keeps what is written".to_owned()
        }
        (Storage::Directory(path), Durability::PageCache) => {
            format!("what is written is kept in {}", path.display())
        }
        (Storage::Directory(path), Durability::Platter) => {
            format!(
                "what is written is kept in {}, flushed before it is acknowledged",
                path.display()
            )
        }
    };
    let noted = RefCell::new(None);
    let (own, count) = (*terminal, config.brokers);
    let ready = |ready: &topomotion_host::Ready| {
        // Whoever does not read this needs no address.
        let mut out = io::stdout();
        let _ = writeln!(out, "bootstrap.servers={}", ready.bootstrap());
        if let Some(address) = &ready.schema_registry {
            let _ = writeln!(out, "schema.registry.url=http://{address}");
        }
        if let (Some(control), [first, ..]) = (&ready.control, &ready.addresses[..]) {
            let _ = writeln!(out, "control=http://{}", control.address);
            if let Err(why) =
                noted.borrow_mut().insert(control::leave(first.port(), control))
            {
                terminal.warning(
                    &format!("`topomotion broker status` will not find it: {why}"),
                    None,
                );
            }
        }
        let _ = out.flush();
        let brokers =
            if count == 1 { "1 broker".into() } else { format!("{count} brokers") };
        terminal.say(&format!("{brokers}, {kept}{wanted}; Ctrl-C stops"));
    };
    let outcome = serve(&config, asked_to_stop, ready, move |line| own.say(line));
    if let Some(Ok(Some(note))) = noted.take() {
        control::clear(&note);
    }
    outcome.map_err(failed)
}

fn config(arguments: Broker) -> Result<HostConfig, Failure> {
    let brokers = arguments.brokers;
    let mut settings = HostConfig::settings_for(brokers);
    settings.authorizer = access::authorizer(&arguments.access);
    settings.num_partitions = i32::from(arguments.partitions);
    if arguments.no_auto_create {
        settings.auto_create_topics = AutoCreateTopics::Off;
    }
    Ok(HostConfig {
        brokers,
        port: arguments.port,
        control: (!arguments.no_control).then_some(arguments.control_port),
        schema_registry: arguments.schema_registry,
        storage: arguments.data_dir.map_or(Storage::Memory, Storage::Directory),
        durability: if arguments.fsync {
            Durability::Platter
        } else {
            Durability::PageCache
        },
        security: access::security(&arguments.access)?,
        settings,
    })
}

pub(super) fn failed(error: HostError) -> Failure {
    let failure = Failure::message(error.to_string());
    match error.help() {
        Some(help) => failure.help(help),
        None => failure,
    }
}
