//! `topomotion record`: what a program does with Kafka, as a picture and a film.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::ExitStatus;
use std::rc::Rc;
use std::sync::Arc;

use topomotion_animate::{Kind, Scheme, Story};
use topomotion_host::{
    Durability, Fact, HostConfig, Hurt, Instant, Parcel, Rule, Saying, Storage,
    TopicPartition, Watch, listen_in, serve_one,
};
use topomotion_model::builder::{
    EdgeConfig, GroupConfig, ProcessConfig, TopologyBuilder,
};
use topomotion_model::{ProcessId, Topology};
use topomotion_sim::{Chronicle, Payloads};
use topomotion_trace::{Fault, PacketId, Trace, What};

use crate::args::Record;
use crate::commands::access;
use crate::commands::broker::failed;
use crate::failure::Failure;
use crate::output::Draft;
use crate::picture::{self, Look};
use crate::terminal::{Terminal, print};
use seen::Seen;

mod seen;

/// Runs the program, and draws what it did.
pub fn run(arguments: &Record, terminal: &Terminal) -> Result<(), Failure> {
    let output = &arguments.output;
    if output != "-" && !output.ends_with(".svg") {
        return Err(Failure::usage(
            "a recording is drawn as SVG: name a file that ends in .svg",
        ));
    }
    let served = match arguments.upstream {
        Some(_) => 0,
        None => arguments.brokers,
    };
    let names = (1..=i32::from(served)).map(|id| (id, broker(id)));
    let names: BTreeMap<i32, Arc<str>> = names.collect();
    let payloads = if arguments.payloads { Payloads::Told } else { Payloads::LeftOut };
    let tape = Rc::new(RefCell::new(Tape {
        chronicle: Chronicle::new(names.clone())
            .with_payloads(payloads)
            .with_room(arguments.max_events),
        brokers: names,
    }));
    let status = watch(arguments, Box::new(Recorder(tape.clone())), terminal)?;
    let tape = Rc::into_inner(tape).map(RefCell::into_inner);
    let Some(Tape { chronicle, brokers }) = tape else {
        return Err(Failure::message("the recording is still being written"));
    };
    let (left_out, began) = chronicle.left_out();
    let trace = chronicle.into_story();
    if let Some(path) = &arguments.trace {
        write(Path::new(path), trace.to_string().as_bytes())?;
    }
    let film = film(&trace, &arguments.command, &Brokers::of(brokers))?;
    match output.as_str() {
        "-" => print(&film)?,
        path => write(Path::new(path), film.as_bytes())?,
    }
    if left_out > 0 {
        terminal.warning(
            &format!(
                "the recording keeps its last {} events: {left_out} messages of its first \
                 {:.1} s are not in it",
                arguments.max_events,
                began.0 as f64 / 1e6
            ),
            Some("--max-events gives it more room"),
        );
    }
    if !status.success() {
        return Err(Failure::message(format!("the program failed: {status}")));
    }
    Ok(())
}

/// Runs the program, in front of a cluster of its own or of one that is there.
fn watch(
    arguments: &Record,
    recorder: Box<dyn Watch>,
    terminal: &Terminal,
) -> Result<ExitStatus, Failure> {
    let own = *terminal;
    let say = move |line: &str| own.say(line);
    let (command, port) = (&arguments.command, arguments.port);
    if let Some(upstream) = &arguments.upstream {
        if access::is_asked_for(&arguments.access) {
            let text = "with --upstream, that cluster says who may log in";
            return Err(Failure::usage(text));
        }
        return listen_in(upstream, port, recorder, command, say).map_err(failed);
    }
    let brokers = arguments.brokers;
    let mut settings = HostConfig::settings_for(brokers);
    settings.authorizer = access::authorizer(&arguments.access);
    let config = HostConfig {
        brokers,
        port,
        control: Some(0),
        schema_registry: None,
        storage: Storage::Memory,
        durability: Durability::PageCache,
        security: access::security(&arguments.access)?,
        settings,
    };
    serve_one(&config, recorder, command, say).map_err(failed)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut draft = Draft::begin(path)?;
    draft.fill(bytes)?;
    draft.commit()
}

/// What is written down.
#[derive(Debug)]
struct Tape {
    chronicle: Chronicle,
    /// What brokers are called.
    brokers: BTreeMap<i32, Arc<str>>,
}

/// Writes down what it is told.
#[derive(Debug)]
struct Recorder(Rc<RefCell<Tape>>);

impl Watch for Recorder {
    fn known(&mut self, id: i32, name: &Arc<str>) {
        let mut tape = self.0.borrow_mut();
        tape.brokers.insert(id, name.clone());
        tape.chronicle.know(id, name.clone());
    }

    fn sent(&mut self, at: Instant, saying: Saying<'_>) -> Parcel {
        let Saying { from, to, link, message, cause } = saying;
        let cause = cause.map(|it| PacketId(it.0));
        let mut tape = self.0.borrow_mut();
        Parcel(tape.chronicle.sent(at, [from, to], link, message, cause).0)
    }

    fn arrived(&mut self, at: Instant, parcel: Parcel) {
        self.0.borrow_mut().chronicle.arrived(at, PacketId(parcel.0));
    }

    fn mark(
        &mut self,
        at: Instant,
        node: &Arc<str>,
        rule: Rule,
        partition: Option<TopicPartition>,
    ) {
        self.0.borrow_mut().chronicle.mark(at, node, rule, partition);
    }

    fn fact(&mut self, at: Instant, node: &Arc<str>, fact: Fact) {
        self.0.borrow_mut().chronicle.fact(at, node, fact);
    }

    fn hurt(&mut self, at: Instant, node: &Arc<str>, others: &[Arc<str>], hurt: Hurt) {
        let process = node.clone();
        let fault = match hurt {
            Hurt::Crash => Fault::Crash { process },
            Hurt::Restart => Fault::Restart { process },
            Hurt::Pause => Fault::Pause { process },
            Hurt::Resume => Fault::Resume { process },
            Hurt::Partition => {
                Fault::Partition { left: vec![process], right: others.to_vec() }
            }
            Hurt::Heal => Fault::Heal,
        };
        self.0.borrow_mut().chronicle.fault(at, fault);
    }

    fn ready(&mut self, at: Instant) {
        self.0.borrow_mut().chronicle.raise_curtain(at);
    }
}

/// The film of a recording.
fn film(trace: &Trace, command: &[String], brokers: &Brokers) -> Result<String, Failure> {
    let title = title(command);
    let story = Story {
        id: "recording",
        title: "As recorded",
        description: "",
        trace,
        kind: Kind::Executed,
    };
    let stories = [story];
    let panels = topomotion_animate::panels(&stories);
    let panels = panels.into_iter().map(|(id, size)| (ProcessId::from(id), size));
    let served = brokers.0.iter();
    let served = served.map(|name| (ProcessId::from(&**name), "broker".to_owned()));
    let clients = seen::clients(trace, |name| brokers.has(name));
    let roles = clients
        .iter()
        .map(|(name, seen)| (ProcessId::from(&**name), seen.role().to_owned()));
    let topology = topology(&clients, brokers, &replicating(trace, brokers))?;
    let options = topomotion_layout::Options {
        panels: panels.collect(),
        roles: roles.chain(served).collect(),
        ..topomotion_layout::Options::default()
    };
    let (scene, _) = topomotion_layout::layout_with_effort(&topology, &options);
    let options =
        topomotion_animate::Options { title, ..topomotion_animate::Options::default() };
    let film = topomotion_animate::direct(&scene, &stories, &options);
    Ok(picture::svg(&film, None, &Look::of(Scheme::Auto)))
}

/// The command, without the folders that its files are in.
fn title(command: &[String]) -> String {
    let name = |word: &String| match word.rsplit_once('/') {
        Some((_, name)) if !word.contains("://") && !name.is_empty() => name.to_owned(),
        _ => word.clone(),
    };
    command.iter().map(name).collect::<Vec<_>>().join(" ")
}

fn broker(id: i32) -> Arc<str> {
    Arc::from(format!("broker-{id}"))
}

/// The brokers' names, in the order of their ids.
#[derive(Debug)]
struct Brokers(Vec<Arc<str>>);

impl Brokers {
    fn of(known: BTreeMap<i32, Arc<str>>) -> Brokers {
        Brokers(known.into_values().collect())
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|it| **it == *name)
    }
}

/// Pairs of brokers that were heard to talk, the later one first.
fn replicating<'a>(trace: &'a Trace, brokers: &Brokers) -> BTreeSet<[&'a str; 2]> {
    let mut pairs = BTreeSet::new();
    for event in &trace.events {
        let What::Sent(packet) = &event.what else { continue };
        if brokers.has(&packet.from) && brokers.has(&packet.to) {
            let (one, other) = (&*packet.from, &*packet.to);
            pairs.insert([one.max(other), one.min(other)]);
        }
    }
    pairs
}

/// Brokers in one group, the clients around them; edges for whoever talked to whom.
fn topology(
    clients: &BTreeMap<Arc<str>, Seen>,
    brokers: &Brokers,
    replicating: &BTreeSet<[&str; 2]>,
) -> Result<Topology, Failure> {
    let mut builder = TopologyBuilder::default();
    let group = builder.create_group(GroupConfig {
        label: Some("Kafka cluster".to_owned()),
        ..GroupConfig::new("brokers")
    });
    for name in &brokers.0 {
        builder.group(group).add_process(ProcessConfig::new(&**name));
    }
    let connect = |builder: &mut TopologyBuilder, from: &str, to: &str, label: &str| {
        builder.connect(EdgeConfig {
            protocol: Some("kafka".to_owned()),
            label: Some(label.to_owned()),
            ..EdgeConfig::new(from, to)
        });
    };
    for [from, to] in replicating {
        connect(&mut builder, from, to, "replicate");
    }
    let mut groups = BTreeMap::new();
    for (client, seen) in clients {
        let process = ProcessConfig::new(&**client);
        // Members of one group stand together.
        match seen.group.as_ref().filter(|group| seen::members(clients, group) > 1) {
            None => {
                builder.create_process(process);
            }
            Some(name) => {
                let id = format!("group {name}");
                let group = groups.entry(name).or_insert_with(|| {
                    builder.create_group(GroupConfig {
                        label: Some(id.clone()),
                        ..GroupConfig::new(id)
                    })
                });
                builder.group(*group).add_process(process);
            }
        }
        for (to, said) in &seen.brokers {
            connect(&mut builder, client, to, &said.label());
        }
    }
    let built = builder.build().map(|(topology, _)| topology);
    built.map_err(|_| Failure::message("what was recorded cannot be drawn"))
}
