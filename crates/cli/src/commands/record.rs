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
use topomotion_raster::{Background, Fit};
use topomotion_sim::{Chronicle, Payloads};
use topomotion_trace::{Fault, PacketId, Trace, What};

use crate::args::Record;
use crate::commands::broker::failed;
use crate::failure::Failure;
use crate::output::Draft;
use crate::picture::{self, Look};
use crate::terminal::{Terminal, print};
use crate::units::Repeat;

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
        chronicle: Chronicle::new(names.clone()).with_payloads(payloads),
        brokers: names,
        room: arguments.max_events,
        left_out: 0,
        next: 0,
    }));
    let status = watch(arguments, Box::new(Recorder(tape.clone())), terminal)?;
    let tape = Rc::into_inner(tape).map(RefCell::into_inner);
    let Some(Tape { chronicle, brokers, left_out, .. }) = tape else {
        return Err(Failure::message("the recording is still being written"));
    };
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
            &format!("the recording was full: {left_out} later messages are not in it"),
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
        return listen_in(upstream, port, recorder, command, say).map_err(failed);
    }
    let brokers = arguments.brokers;
    let config = HostConfig {
        brokers,
        port,
        control: Some(0),
        storage: Storage::Memory,
        durability: Durability::PageCache,
        settings: HostConfig::settings_for(brokers),
    };
    serve_one(&config, recorder, command, say).map_err(failed)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut draft = Draft::begin(path)?;
    draft.fill(bytes)?;
    draft.commit()
}

/// What is written down, and for how much more there is room.
#[derive(Debug)]
struct Tape {
    chronicle: Chronicle,
    /// What brokers are called.
    brokers: BTreeMap<i32, Arc<str>>,
    room: usize,
    left_out: u64,
    /// Numbers of messages that are left out.
    next: u32,
}

impl Tape {
    fn is_full(&self) -> bool {
        self.chronicle.len() >= self.room
    }
}

/// Writes down what it is told, while there is room.
#[derive(Debug)]
struct Recorder(Rc<RefCell<Tape>>);

/// Numbers from here on are of messages that are not written down.
const LEFT_OUT: u32 = 1 << 31;

impl Watch for Recorder {
    fn known(&mut self, id: i32, name: &Arc<str>) {
        let mut tape = self.0.borrow_mut();
        tape.brokers.insert(id, name.clone());
        tape.chronicle.know(id, name.clone());
    }

    fn sent(&mut self, at: Instant, saying: Saying<'_>) -> Parcel {
        let mut tape = self.0.borrow_mut();
        if tape.is_full() {
            tape.left_out += 1;
            tape.next = tape.next.wrapping_add(1) % LEFT_OUT;
            return Parcel(LEFT_OUT + tape.next);
        }
        let Saying { from, to, link, message, cause } = saying;
        let cause = cause.filter(|it| it.0 < LEFT_OUT).map(|it| PacketId(it.0));
        Parcel(tape.chronicle.sent(at, [from, to], link, message, cause).0)
    }

    fn arrived(&mut self, at: Instant, parcel: Parcel) {
        if parcel.0 < LEFT_OUT {
            self.0.borrow_mut().chronicle.arrived(at, PacketId(parcel.0));
        }
    }

    fn mark(
        &mut self,
        at: Instant,
        node: &Arc<str>,
        rule: Rule,
        partition: Option<TopicPartition>,
    ) {
        let mut tape = self.0.borrow_mut();
        if !tape.is_full() {
            tape.chronicle.mark(at, node, rule, partition);
        }
    }

    fn fact(&mut self, at: Instant, node: &Arc<str>, fact: Fact) {
        let mut tape = self.0.borrow_mut();
        if !tape.is_full() {
            tape.chronicle.fact(at, node, fact);
        }
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
        // Faults are few, and what follows makes no sense without them.
        self.0.borrow_mut().chronicle.fault(at, fault);
    }

    fn ready(&mut self, at: Instant) {
        self.0.borrow_mut().chronicle.raise_curtain(at);
    }
}

/// The film of a recording.
fn film(trace: &Trace, command: &[String], brokers: &Brokers) -> Result<String, Failure> {
    let title = command.join(" ");
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
    let clients = clients(trace, brokers);
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
    let look = Look {
        theme: Scheme::Auto,
        fit: Fit::Scale(1.0),
        background: Background::Opaque,
        fps: 20,
        repeat: Repeat::Forever,
        from: None,
        to: None,
    };
    Ok(picture::svg(&film, None, &look))
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

/// What a client was seen to do.
#[derive(Debug, Default)]
struct Seen {
    apis: BTreeSet<Arc<str>>,
    brokers: BTreeSet<Arc<str>>,
}

impl Seen {
    fn does(&self, api: &str) -> bool {
        self.apis.iter().any(|it| **it == *api)
    }

    /// What its connections are called.
    fn label(&self) -> &'static str {
        match (self.does("Produce"), self.does("Fetch")) {
            (true, true) => "produce, fetch",
            (true, false) => "produce",
            (false, true) => "fetch",
            (false, false) => "admin",
        }
    }

    fn role(&self) -> &'static str {
        match (self.does("Produce"), self.does("Fetch")) {
            (true, false) => "producer",
            (false, true) => "consumer",
            (true, true) | (false, false) => "service",
        }
    }
}

/// The clients that were seen.
fn clients(trace: &Trace, brokers: &Brokers) -> BTreeMap<Arc<str>, Seen> {
    let mut clients: BTreeMap<Arc<str>, Seen> = BTreeMap::new();
    for event in &trace.events {
        let What::Sent(packet) = &event.what else { continue };
        if !brokers.has(&packet.from) {
            let seen = clients.entry(packet.from.clone()).or_default();
            seen.apis.insert(packet.api.clone());
            seen.brokers.insert(packet.to.clone());
        }
    }
    clients
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
    let group = builder.create_group(GroupConfig::new("brokers"));
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
    for (client, seen) in clients {
        builder.create_process(ProcessConfig::new(&**client));
        for to in &seen.brokers {
            connect(&mut builder, client, to, seen.label());
        }
    }
    let built = builder.build().map(|(topology, _)| topology);
    built.map_err(|_| Failure::message("what was recorded cannot be drawn"))
}
