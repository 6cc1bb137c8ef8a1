//! What was typed. What it means is worked out by each command.

mod access;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use topomotion_host::Upstream;
use topomotion_scene::Millis;

use crate::lettering::Text;
use crate::ranges;
use crate::terminal::ColorChoice;
use crate::theme;
use crate::units;
pub use access::Access;

/// Diagrams of distributed systems that move: a script in, a film of what a real engine
/// did out.
#[derive(Debug, Parser)]
#[command(name = "topomotion", version, propagate_version = true)]
#[command(after_help = "`-` as a file is standard input or output. \
Exit code: 0 fine, 1 the input has errors, 2 wrong usage.")]
pub struct Arguments {
    /// Colours in messages
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub color: ColorChoice,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Draw a script: a film (SVG, GIF) or one moment of it (PNG, SVG)
    Render(Render),
    /// Show scripts in the browser, and every save of them
    Preview(Preview),
    /// Find mistakes: lint scripts, run their scenarios, verify what they expect
    Check(Check),
    /// List the scenarios of a script, and the built-in ones that fit it
    Scenarios(Scenarios),
    /// Run scenarios on the engine and tell what happened
    Sim(Sim),
    /// Serve a Kafka cluster on this machine, for real clients
    Broker(Broker),
    /// Run a program against a Kafka cluster of its own, and draw what it did
    Record(Record),
    /// Lay an abstract graph (JSON) out and write where everything is (JSON)
    Layout(Layout),
    /// Turn a Mermaid diagram into a YAML script with the same picture
    Import(Import),
    /// Draw the ```topomotion blocks of an mdBook: its preprocessor, called by mdBook itself
    Mdbook(Mdbook),
    /// Begin a script from a template
    New(New),
    /// Print what a shell needs to complete this command's arguments
    Completions(Completions),
}

/// `topomotion render`
#[derive(Debug, Args)]
pub struct Render {
    /// The script: .ts, .js, .yaml, .json, .mmd (Mermaid), or - for standard input
    pub script: String,
    /// Where to: a file (.svg .gif .png .pdf .html .topo.json .layout.json), - for standard
    /// output, or a name with {scenario} in it for one file each
    #[arg(short, long, value_name = "FILE")]
    pub output: String,
    /// Form of the output, where the file's name does not tell
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// Play only this scenario, the script's own or a built-in one (may be repeated)
    #[arg(long = "scenario", value_name = "ID")]
    pub scenarios: Vec<String>,
    /// What is drawn: the topology, or a sequence diagram of its scenarios
    #[arg(long, value_enum, default_value_t)]
    pub view: View,
    /// The topology alone, without any scenario; of a sequence diagram, the whole at once
    #[arg(long, conflicts_with = "at")]
    pub still: bool,
    /// The picture at this moment of the film, such as 3.2s or 3200ms
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = units::moment)]
    pub at: Option<Millis>,
    /// Colours of the picture: light, dark, auto, or a theme file (.json); auto follows the
    /// reader (SVG) or is light (GIF, PNG, PDF) [default: auto]
    #[arg(long, value_name = "THEME", value_parser = theme::wish)]
    pub theme: Option<theme::Wish>,
    /// Explain the marks below the picture [default: if there are two kinds of packets or
    /// of protocols]
    #[arg(long, overrides_with = "no_legend")]
    pub legend: bool,
    /// Do not explain the marks
    #[arg(long)]
    pub no_legend: bool,
    /// Show only these layers, beside what has none
    #[arg(long = "layer", value_name = "NAME", value_delimiter = ',')]
    pub layers: Option<Vec<String>>,
    /// How many times as large the picture becomes
    #[arg(long, value_name = "FACTOR", allow_hyphen_values = true, value_parser = units::factor)]
    pub scale: Option<f64>,
    /// How wide the picture becomes, padding included
    #[arg(long, value_name = "PIXELS", conflicts_with = "scale", value_parser = units::width)]
    pub width: Option<u32>,
    /// Room around the picture, px
    #[arg(long, value_name = "PX", allow_hyphen_values = true, value_parser = units::length)]
    pub padding: Option<f64>,
    /// Leave out the background (SVG, PNG, PDF)
    #[arg(long)]
    pub transparent: bool,
    /// Text as text in an embedded font, or as outlines, which every viewer shows alike (SVG)
    #[arg(long, value_enum, value_name = "FORM")]
    pub text: Option<Text>,
    /// A font file (.ttf, .otf, .ttc) for characters that the bundled fonts lack
    #[arg(long, value_name = "FILE")]
    pub font: Option<String>,
    /// Begin the film here (GIF)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = units::moment)]
    pub from: Option<Millis>,
    /// End the film here (GIF)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = units::moment)]
    pub to: Option<Millis>,
    /// Frames a second, 1 to 50 (GIF) [default: 20]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=50))]
    pub fps: Option<u32>,
    /// How often the film plays: once, a number of times, or forever (SVG, GIF)
    #[arg(long = "loop", value_name = "TIMES", value_parser = units::repeat)]
    pub repeat: Option<topomotion_studio::picture::Repeat>,
    /// Seed of the engine, instead of the script's own
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u64>,
    /// Let readers take a run over and go on with it: the engine goes into the page (.html), or
    /// what it needs into the bundle (.topo.json)
    #[arg(long)]
    pub live: bool,
    /// Draw again whenever the script is saved, until interrupted
    #[arg(long)]
    pub watch: bool,
    /// What the script may take, and how strict to be.
    #[command(flatten)]
    pub strictness: Strictness,
}

/// `topomotion preview`
#[derive(Debug, Args)]
pub struct Preview {
    /// The scripts, or a folder of them
    #[arg(required_unless_present = "playground", value_name = "SCRIPT")]
    pub scripts: Vec<PathBuf>,
    /// A page with an editor instead, to try things on; it begins with the first script, if
    /// one is given, and saves nothing there
    #[arg(long)]
    pub playground: bool,
    /// Port on 127.0.0.1 [default: any that is free]
    #[arg(long, value_name = "PORT", default_value_t = 0, hide_default_value = true)]
    pub port: u16,
    /// Do not open a browser
    #[arg(long)]
    pub no_open: bool,
    /// Play only this scenario, a script's own or a built-in one (may be repeated)
    #[arg(long = "scenario", value_name = "ID")]
    pub scenarios: Vec<String>,
    /// Show only these layers, beside what has none
    #[arg(long = "layer", value_name = "NAME", value_delimiter = ',')]
    pub layers: Option<Vec<String>>,
    /// A theme file (.json); light and dark follow the browser
    #[arg(long, value_name = "THEME")]
    pub theme: Option<String>,
    /// Seed of the engine, instead of the scripts' own
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u64>,
}

/// `topomotion check`
#[derive(Debug, Args)]
pub struct Check {
    /// The scripts, or - for standard input
    #[arg(required = true, value_name = "SCRIPT")]
    pub scripts: Vec<String>,
    /// Tell what was inferred: roles, leaders, topics, and why
    #[arg(long)]
    pub explain: bool,
    /// For people or for machines
    #[arg(long, value_enum, default_value_t)]
    pub format: Told,
    /// Seed of the engine, instead of the script's own
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u64>,
    /// What the script may take, and how strict to be.
    #[command(flatten)]
    pub strictness: Strictness,
}

/// `topomotion scenarios`
#[derive(Debug, Args)]
pub struct Scenarios {
    /// The script, or - for standard input
    pub script: String,
    /// For people or for machines
    #[arg(long, value_enum, default_value_t)]
    pub format: Told,
    /// What the script may take.
    #[command(flatten)]
    pub strictness: Strictness,
}

/// `topomotion sim`
#[derive(Debug, Args)]
pub struct Sim {
    /// The script, or - for standard input
    #[arg(
        required_unless_present_any = ["replay", "seeds", "on"],
        conflicts_with_all = ["replay", "seeds", "on"]
    )]
    pub script: Option<String>,
    /// Run only this scenario, the script's own or a built-in one (may be repeated)
    #[arg(long = "scenario", value_name = "ID", conflicts_with = "replay")]
    pub scenarios: Vec<String>,
    /// Print everything that happened, line by line
    #[arg(long)]
    pub trace: bool,
    /// Print how the cluster came up, too
    #[arg(long, requires = "trace")]
    pub setup: bool,
    /// Seed of the engine, instead of the script's own
    #[arg(long, value_name = "NUMBER", conflicts_with = "replay")]
    pub seed: Option<u64>,
    /// Write the run down, so that it can be replayed without the script
    #[arg(long, value_name = "FILE")]
    pub run_file: Option<String>,
    /// Replay a run that was written down
    #[arg(long, value_name = "FILE")]
    pub replay: Option<String>,
    /// Play the random storms of these seeds, such as 0..100, and judge them
    #[arg(long, value_name = "N..M", value_parser = ranges::seeds, conflicts_with = "replay")]
    pub seeds: Option<ranges::Seeds>,
    /// Stop after so many minutes
    #[arg(long, value_name = "NUMBER", requires = "seeds")]
    pub minutes: Option<f64>,
    /// How many storms at a time [default: one a core]
    #[arg(long, value_name = "NUMBER", requires = "seeds")]
    pub jobs: Option<usize>,
    /// How many brokers a random cluster has [default: 3..5], or a tiny one [default: 2]
    #[arg(long, value_name = "N..M", value_parser = ranges::brokers)]
    pub brokers: Option<ranges::Brokers>,
    /// Draw no groups and no transactions: storms over replication and the quorum alone
    #[arg(long, requires = "seeds")]
    pub without_groups: bool,
    /// Instead of a script: visit every state of a tiny cluster.
    #[command(flatten)]
    pub exhaustive: Exhaustive,
    /// Look for the smallest storm that breaks the same invariant
    #[arg(long, requires = "replay")]
    pub shrink: bool,
    /// Draw the run as a film (.svg)
    #[arg(long, value_name = "FILE", requires = "replay")]
    pub render: Option<String>,
    /// What the script may take, and how strict to be.
    #[command(flatten)]
    pub strictness: Strictness,
}

/// `topomotion sim --exhaustive`
#[derive(Debug, Args)]
pub struct Exhaustive {
    /// Visit every state of a tiny cluster, in every order of events, and judge each
    #[arg(long = "exhaustive", conflicts_with_all = ["replay", "seeds", "seed", "run_file"])]
    pub on: bool,
    /// Records that the application sends, 0 to 2
    #[arg(long, value_name = "NUMBER", default_value_t = 1, requires = "on")]
    pub records: u8,
    /// What they ask for: 1, or -1 for all
    #[arg(long, value_name = "ACKS", default_value_t = -1, allow_hyphen_values = true,
        value_parser = clap::value_parser!(i16).range(-1..=1), requires = "on")]
    pub acks: i16,
    /// Faults that may strike, 0 to 2
    #[arg(long, value_name = "NUMBER", default_value_t = 1, requires = "on")]
    pub faults: u8,
    /// Of these kinds: crash, power-loss, reset, cut [default: all but power-loss]
    #[arg(long, value_name = "KINDS", value_delimiter = ',', requires = "on")]
    pub kinds: Option<Vec<String>>,
    /// Faults strike only when nothing is on its way
    #[arg(long, requires = "on")]
    pub quiet_faults: bool,
    /// Brokers learn at once what was committed to the metadata log
    #[arg(long, requires = "on")]
    pub prompt_metadata: bool,
    /// Controllers beside the brokers; with 0 the brokers vote
    #[arg(long, value_name = "NUMBER", default_value_t = 1, requires = "on")]
    pub controllers: u8,
    /// How much engine time may pass
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = units::duration, requires = "on")]
    pub horizon: Duration,
    /// How many different states may be visited
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000_000, requires = "on")]
    pub states: usize,
    /// A setting of every node, such as era.elr=true (may be repeated)
    #[arg(long = "set", value_name = "NAME=VALUE", requires = "on")]
    pub settings: Vec<String>,
    /// Tell what happens along these choices
    #[arg(long, value_name = "CHOICES", value_delimiter = ',', requires = "on")]
    pub path: Option<Vec<usize>>,
}

/// `topomotion broker`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Broker {
    /// Instead of serving: something for a cluster that is served.
    #[command(subcommand)]
    pub order: Option<BrokerOrder>,
    /// How many brokers; each of them is a controller, too
    #[arg(long, value_name = "NUMBER", default_value_t = 3,
        value_parser = clap::value_parser!(u16).range(1..=9))]
    pub brokers: u16,
    /// Port of the first broker on 127.0.0.1, the others follow; 0 takes any that are free
    #[arg(long, value_name = "PORT", default_value_t = 9092)]
    pub port: u16,
    /// Keep what is written in this folder, in Kafka's formats
    #[arg(long, value_name = "DIR", conflicts_with = "ephemeral")]
    pub data_dir: Option<PathBuf>,
    /// Keep nothing: everything is in memory [default, unless there is a --data-dir]
    #[arg(long)]
    pub ephemeral: bool,
    /// Flush what is written before it is acknowledged
    #[arg(long, requires = "data_dir")]
    pub fsync: bool,
    /// Do not create topics when clients ask about them
    #[arg(long)]
    pub no_auto_create: bool,
    /// How many partitions a topic gets whose creator does not say
    #[arg(long, value_name = "NUMBER", default_value_t = 1,
        value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub partitions: u16,
    /// Serve a Schema Registry, too, at this port of 127.0.0.1; 0 takes any that is free
    #[arg(long, value_name = "PORT", num_args = 0..=1, default_missing_value = "8081")]
    pub schema_registry: Option<u16>,
    /// Port on 127.0.0.1 at which status, crash and the like are heard [default: any that is free]
    #[arg(long, value_name = "PORT", default_value_t = 0, hide_default_value = true)]
    pub control_port: u16,
    /// Hear none of them
    #[arg(long, conflicts_with = "control_port")]
    pub no_control: bool,
    /// Who may connect.
    #[command(flatten)]
    pub access: Access,
}

/// Something for a cluster that is served.
#[derive(Debug, Subcommand)]
pub enum BrokerOrder {
    /// Show every broker of a cluster that is served
    Status(Served),
    /// Kill one of them, as kill -9 would: what it wrote stays
    Crash(OneBroker),
    /// Start it again
    Restart(OneBroker),
    /// Stop one without a word, as SIGSTOP would
    Pause(OneBroker),
    /// Let it go on
    Resume(OneBroker),
    /// Cut one off from the other brokers; clients reach it
    Partition(OneBroker),
    /// Let it reach them again
    Heal(OneBroker),
}

/// A cluster that is served on this machine.
#[derive(Debug, Args)]
pub struct Served {
    /// Port of its first broker
    #[arg(long, value_name = "PORT", default_value_t = 9092)]
    pub port: u16,
}

/// One of its brokers.
#[derive(Debug, Args)]
pub struct OneBroker {
    /// Its id, from 1 on
    pub broker: u16,
    /// Where.
    #[command(flatten)]
    pub served: Served,
}

/// `topomotion record`
#[derive(Debug, Args)]
pub struct Record {
    /// Where to: a file (.svg), or - for standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: String,
    /// Write down everything that happened, line by line, too
    #[arg(long, value_name = "FILE")]
    pub trace: Option<String>,
    /// Listen to a cluster that is there already, instead of serving one: one of its brokers
    #[arg(long, value_name = "HOST:PORT", conflicts_with = "brokers")]
    pub upstream: Option<Upstream>,
    /// How many brokers
    #[arg(long, value_name = "NUMBER", default_value_t = 3,
        value_parser = clap::value_parser!(u16).range(1..=9))]
    pub brokers: u16,
    /// Write down what records hold, too: keys and values, the beginnings of long ones
    #[arg(long)]
    pub payloads: bool,
    /// Port of the first broker on 127.0.0.1, the others follow [default: any that are free]
    #[arg(long, value_name = "PORT", default_value_t = 0, hide_default_value = true)]
    pub port: u16,
    /// How many events are kept: the last ones
    #[arg(long, value_name = "NUMBER", default_value_t = 20_000)]
    pub max_events: usize,
    /// Who may connect.
    #[command(flatten)]
    pub access: Access,
    /// The program and its arguments; it finds the brokers in BOOTSTRAP_SERVERS and
    /// KAFKA_BOOTSTRAP_SERVERS, and where an argument says {bootstrap}
    #[arg(
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "COMMAND"
    )]
    pub command: Vec<String>,
}

/// `topomotion layout`
#[derive(Debug, Args)]
pub struct Layout {
    /// The graph (JSON), or - for standard input
    pub graph: String,
    /// Where to: a file, or - for standard output
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub output: String,
}

/// `topomotion import`
#[derive(Debug, Args)]
pub struct Import {
    /// The diagram (.mmd, .mermaid), or - for standard input
    pub diagram: String,
    /// Where to: a file (.yaml), or - for standard output
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub output: String,
    /// How strict to be.
    #[command(flatten)]
    pub strictness: Strictness,
}

/// `topomotion mdbook`
#[derive(Debug, Args)]
pub struct Mdbook {
    /// What mdBook asks: nothing, or `supports RENDERER`
    #[arg(value_name = "WORD")]
    pub words: Vec<String>,
}

/// `topomotion new`
#[derive(Debug, Args)]
pub struct New {
    /// The script to write; .ts (or the template's ending) is added where there is none
    pub name: String,
    /// What to begin with
    #[arg(long, value_enum, default_value_t)]
    pub template: Template,
}

/// `topomotion completions`
#[derive(Debug, Args)]
pub struct Completions {
    /// Whose
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// What a script may take, and what is said about it.
#[derive(Debug, Clone, Copy, Args)]
pub struct Strictness {
    /// How long the script may run
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = units::duration)]
    pub script_timeout: Duration,
    /// How much memory the script may hold
    #[arg(long, value_name = "SIZE", default_value = "256MB", value_parser = units::bytes)]
    pub script_memory: usize,
    /// Warnings are errors
    #[arg(long)]
    pub deny_warnings: bool,
}

/// Forms of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Moving, or still with --still or --at
    Svg,
    /// Moving
    Gif,
    /// One moment
    Png,
    /// Pages: a moment with --still or --at, else each step of the scenarios
    Pdf,
    /// A page with a player in it, complete in itself
    Html,
    /// What a player on a page of one's own loads, as JSON
    Bundle,
    /// Where everything is, as JSON
    Layout,
}

/// What of a script is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum View {
    /// Processes in their places; messages travel between them
    #[default]
    Topology,
    /// A lifeline for each process; time runs downwards
    Sequence,
}

impl From<View> for topomotion_studio::View {
    fn from(view: View) -> topomotion_studio::View {
        match view {
            View::Topology => topomotion_studio::View::Topology,
            View::Sequence => topomotion_studio::View::Sequence,
        }
    }
}

/// To whom something is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Told {
    /// For people
    #[default]
    Text,
    /// For machines
    Json,
}

/// What a new script begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Template {
    /// A Kafka cluster and a scenario that the engine runs
    #[default]
    Kafka,
    /// Services and a flow written out hop by hop
    Flow,
    /// The same as data
    Yaml,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }
}
