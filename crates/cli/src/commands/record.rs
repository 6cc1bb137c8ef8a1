//! `topomotion record`: what a program does with Kafka, as a picture and a film.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use topomotion_animate::{Kind, Scheme, Story};
use topomotion_host::{
    Durability, Fact, HostConfig, Instant, Parcel, Rule, Saying, Storage, TopicPartition,
    Watch, serve_one,
};
use topomotion_model::builder::{
    EdgeConfig, GroupConfig, ProcessConfig, TopologyBuilder,
};
use topomotion_model::{ProcessId, Topology};
use topomotion_raster::{Background, Fit};
use topomotion_sim::Chronicle;
use topomotion_trace::{PacketId, Trace, What};

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
    let brokers = arguments.brokers;
    let config = HostConfig {
        brokers,
        port: arguments.port,
        storage: Storage::Memory,
        durability: Durability::PageCache,
        settings: HostConfig::settings_for(brokers),
    };
    let names =
        (1..=i32::from(brokers)).map(|id| (id, Arc::from(format!("broker-{id}"))));
    let tape = Rc::new(RefCell::new(Tape {
        chronicle: Chronicle::new(names.collect()),
        room: arguments.max_events,
        left_out: 0,
        next: 0,
    }));
    let own = *terminal;
    let status = serve_one(
        &config,
        Box::new(Recorder(tape.clone())),
        &arguments.command,
        move |line| own.say(line),
    )
    .map_err(failed)?;
    let tape = Rc::into_inner(tape).map(RefCell::into_inner);
    let Some(Tape { chronicle, left_out, .. }) = tape else {
        return Err(Failure::message("the recording is still being written"));
    };
    let trace = chronicle.into_story();
    if let Some(path) = &arguments.trace {
        write(Path::new(path), trace.to_string().as_bytes())?;
    }
    let film = film(&trace, &arguments.command, brokers)?;
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

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut draft = Draft::begin(path)?;
    draft.fill(bytes)?;
    draft.commit()
}

/// What is written down, and for how much more there is room.
#[derive(Debug)]
struct Tape {
    chronicle: Chronicle,
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

    fn ready(&mut self, at: Instant) {
        self.0.borrow_mut().chronicle.raise_curtain(at);
    }
}

/// The film of a recording.
fn film(trace: &Trace, command: &[String], brokers: u16) -> Result<String, Failure> {
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
    let served = (1..=brokers).map(|id| (broker(id), "broker".to_owned()));
    let served: Vec<(ProcessId, String)> = served.collect();
    let clients = clients(trace, brokers);
    let roles = clients
        .iter()
        .map(|(name, seen)| (ProcessId::from(&**name), seen.role().to_owned()));
    let topology = topology(&clients, brokers)?;
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

fn broker(id: u16) -> ProcessId {
    ProcessId::from(&*format!("broker-{id}"))
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
fn clients(trace: &Trace, brokers: u16) -> BTreeMap<Arc<str>, Seen> {
    let is_broker = |name: &str| (1..=brokers).any(|id| *name == *broker(id).as_str());
    let mut clients: BTreeMap<Arc<str>, Seen> = BTreeMap::new();
    for event in &trace.events {
        let What::Sent(packet) = &event.what else { continue };
        if !is_broker(&packet.from) {
            let seen = clients.entry(packet.from.clone()).or_default();
            seen.apis.insert(packet.api.clone());
            seen.brokers.insert(packet.to.clone());
        }
    }
    clients
}

/// Brokers in one group, the clients around them; edges for whoever talked to whom.
fn topology(
    clients: &BTreeMap<Arc<str>, Seen>,
    brokers: u16,
) -> Result<Topology, Failure> {
    let mut builder = TopologyBuilder::default();
    let group = builder.create_group(GroupConfig::new("brokers"));
    for id in 1..=brokers {
        builder.group(group).add_process(ProcessConfig::new(broker(id).as_str()));
    }
    let connect = |builder: &mut TopologyBuilder, from: &str, to: &str, label: &str| {
        builder.connect(EdgeConfig {
            protocol: Some("kafka".to_owned()),
            label: Some(label.to_owned()),
            ..EdgeConfig::new(from, to)
        });
    };
    for id in 2..=brokers {
        for other in 1..id {
            let (from, to) = (broker(id), broker(other));
            connect(&mut builder, from.as_str(), to.as_str(), "replicate");
        }
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
