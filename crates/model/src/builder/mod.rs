//! The builder beneath every front end.
//!
//! It mirrors the script's names (`createGroup` is [`create_group`](TopologyBuilder::create_group))
//! and accepts everything in any order. Nothing is judged before [`build`](TopologyBuilder::build),
//! which finds every mistake at once: duplicate ids, ends that nobody has, steps without an
//! edge. It draws nothing and runs nothing.
//!
//! ```
//! use topomotion_model::builder::{EdgeConfig, GroupConfig, ProcessConfig, TopologyBuilder};
//!
//! let mut topology = TopologyBuilder::default();
//! let brokers = topology.create_group(GroupConfig::new("brokers"));
//! topology.group(brokers).add_process(ProcessConfig::new("broker-1")).auto_resize();
//! topology.create_process(ProcessConfig::new("shop"));
//! topology.connect(EdgeConfig::new("shop", "broker-1"));
//! let (topology, warnings) = topology.build().expect("every id is known");
//! assert_eq!((topology.processes.len(), warnings.len()), (2, 0));
//! ```

mod assemble;
mod cluster;
mod config;
mod edges;
mod flow;
mod ids;
mod processes;
mod run;
#[cfg(test)]
mod tests;

pub use config::{EdgeConfig, GroupConfig, ProcessConfig, ProduceConfig, ScenarioConfig};
pub use flow::FlowBuilder;
pub use run::{DEFAULT_TIMEOUT_MS, ScenarioBuilder};

use crate::{Cluster, Diagnostic, Direction, Origin, Placement, Topology, nearest};

/// The most replicas of one process.
pub const MOST_REPLICAS: i64 = 100;
/// The most processes of one topology, replicas counted.
pub const MOST_PROCESSES: usize = 10_000;
/// The most edges of one topology.
pub const MOST_EDGES: usize = 50_000;
/// The most partitions of one topic.
pub const MOST_PARTITIONS: u32 = 1_000;

/// Makes a [`Topology`], and collects what is wrong with it.
#[derive(Debug, Clone, Default)]
pub struct TopologyBuilder {
    /// Title above the picture.
    pub title: Option<String>,
    /// A sentence or two for those who cannot see the picture.
    pub description: Option<String>,
    /// Who decides positions.
    pub placement: Placement,
    /// Main direction of the layers.
    pub direction: Direction,
    members: Vec<Draft>,
    groups: Vec<GroupDraft>,
    processes: Vec<ProcessDraft>,
    edges: Vec<EdgeConfig>,
    cluster: Option<Cluster>,
    plays: Vec<PlayDraft>,
    diagnostics: Vec<Diagnostic>,
}

/// A group of a builder that is still at work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct GroupRef(usize);

/// A member of a row: the place of its draft.
#[derive(Debug, Clone, Copy)]
enum Draft {
    Group(usize),
    Process(usize),
}

#[derive(Debug, Clone)]
struct GroupDraft {
    config: GroupConfig,
    parent: Option<usize>,
    rows: Vec<Vec<Draft>>,
    sizing: Sizing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sizing {
    AsAsked,
    ByContents,
}

#[derive(Debug, Clone)]
struct ProcessDraft {
    config: ProcessConfig,
    group: Option<usize>,
}

#[derive(Debug, Clone)]
enum PlayDraft {
    Flow(FlowBuilder),
    Run(Box<ScenarioBuilder>),
}

impl TopologyBuilder {
    /// A builder for a topology placed in this way.
    pub fn new(placement: Placement) -> TopologyBuilder {
        TopologyBuilder { placement, ..TopologyBuilder::default() }
    }

    /// Makes a group, within the one that it names as its parent, if any.
    pub fn create_group(&mut self, config: GroupConfig) -> GroupRef {
        if let Some(parent) =
            self.home(config.parent.as_deref(), &config.origin, "parent")
        {
            return self.group(parent).add_group(config);
        }
        let index = self.push_group(config, None);
        self.members.push(Draft::Group(index));
        GroupRef(index)
    }

    /// A group, to go on with.
    pub fn group(&mut self, group: GroupRef) -> GroupBuilder<'_> {
        GroupBuilder { builder: self, group }
    }

    /// Makes a process, within the group that it names, if any.
    pub fn create_process(&mut self, config: ProcessConfig) -> &mut TopologyBuilder {
        if let Some(home) = self.home(config.group.as_deref(), &config.origin, "group") {
            self.group(home).add_process(config);
            return self;
        }
        let index = self.push_process(config, None);
        self.members.push(Draft::Process(index));
        self
    }

    /// Connects: the source dials the target.
    pub fn connect(&mut self, config: EdgeConfig) -> &mut TopologyBuilder {
        self.edges.push(config);
        self
    }

    /// Names the Kafka cluster that the topology shows. There is one at most.
    pub fn kafka(&mut self, cluster: Cluster) -> &mut TopologyBuilder {
        match &self.cluster {
            None => self.cluster = Some(cluster),
            Some(first) => self.diagnostics.push(
                Diagnostic::error(
                    "two-clusters",
                    "the topology names a second kafka cluster",
                    cluster.origin.whole,
                )
                .at("a topology shows one cluster")
                .label(first.origin.whole, "the first is named here")
                .help("put every topic and setting into one `kafka({ … })`"),
            ),
        }
        self
    }

    /// Adds the scenarios of a scripted flow.
    pub fn flow(&mut self, flow: FlowBuilder) -> &mut TopologyBuilder {
        self.plays.push(PlayDraft::Flow(flow));
        self
    }

    /// Adds a scenario that the engine runs.
    pub fn scenario(&mut self, scenario: ScenarioBuilder) -> &mut TopologyBuilder {
        self.plays.push(PlayDraft::Run(Box::new(scenario)));
        self
    }

    /// Adds what a front end has found, so that it stands among the builder's own findings.
    pub fn report(&mut self, diagnostic: Diagnostic) -> &mut TopologyBuilder {
        self.diagnostics.push(diagnostic);
        self
    }

    /// The topology and its warnings; or, if there is any error, all that was found.
    pub fn build(self) -> Result<(Topology, Vec<Diagnostic>), Vec<Diagnostic>> {
        assemble::assemble(self)
    }

    /// The group with this id; none, and a word about it, if there is none so far.
    fn home(
        &mut self,
        id: Option<&str>,
        origin: &Origin,
        part: &str,
    ) -> Option<GroupRef> {
        let id = id?;
        let known = || self.groups.iter().map(|group| group.config.id.as_str());
        if let Some(index) = known().position(|one| one == id) {
            return Some(GroupRef(index));
        }
        let message = format!("there is no group `{id}` so far");
        let error = Diagnostic::error("unknown-group", message, origin.part(part))
            .at("not a group that was made before");
        let help = match nearest(id, known()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "make the group first, then what stands in it".to_owned(),
        };
        self.report(error.help(help));
        None
    }

    /// Says so if what is added to a group names another.
    fn expect_home(
        &mut self,
        home: GroupRef,
        id: Option<&str>,
        origin: &Origin,
        part: &str,
    ) {
        let here = &self.groups[home.0].config.id;
        if let Some(id) = id.filter(|id| id != here) {
            let message = format!("it is added to `{here}`, but names `{id}`");
            let error = Diagnostic::error("two-groups", message, origin.part(part))
                .at("stands in one group")
                .help(format!("leave out `{part}`, or add it to `{id}`"));
            self.report(error);
        }
    }

    fn push_group(&mut self, config: GroupConfig, parent: Option<usize>) -> usize {
        self.groups.push(GroupDraft {
            config,
            parent,
            rows: vec![Vec::new()],
            sizing: Sizing::AsAsked,
        });
        self.groups.len() - 1
    }

    fn push_process(&mut self, config: ProcessConfig, group: Option<usize>) -> usize {
        self.processes.push(ProcessDraft { config, group });
        self.processes.len() - 1
    }
}

/// Fills one group.
#[derive(Debug)]
pub struct GroupBuilder<'a> {
    builder: &'a mut TopologyBuilder,
    group: GroupRef,
}

impl<'a> GroupBuilder<'a> {
    /// Adds a process to the current row.
    pub fn add_process(&mut self, config: ProcessConfig) -> &mut GroupBuilder<'a> {
        let named = config.group.as_deref();
        self.builder.expect_home(self.group, named, &config.origin, "group");
        let index = self.builder.push_process(config, Some(self.group.0));
        self.push(Draft::Process(index));
        self
    }

    /// What follows goes to the next row.
    pub fn new_row(&mut self) -> &mut GroupBuilder<'a> {
        self.draft().rows.push(Vec::new());
        self
    }

    /// Adds a group to the current row; gives the child.
    pub fn add_group(&mut self, config: GroupConfig) -> GroupRef {
        let named = config.parent.as_deref();
        self.builder.expect_home(self.group, named, &config.origin, "parent");
        let index = self.builder.push_group(config, Some(self.group.0));
        self.push(Draft::Group(index));
        GroupRef(index)
    }

    /// Its size follows its contents.
    pub fn auto_resize(&mut self) -> &mut GroupBuilder<'a> {
        self.draft().sizing = Sizing::ByContents;
        self
    }

    /// It is shown only with this layer.
    pub fn layer(&mut self, name: impl Into<String>) -> &mut GroupBuilder<'a> {
        self.draft().config.layer = Some(name.into());
        self
    }

    fn draft(&mut self) -> &mut GroupDraft {
        &mut self.builder.groups[self.group.0]
    }

    fn push(&mut self, member: Draft) {
        let rows = &mut self.draft().rows;
        match rows.last_mut() {
            Some(row) => row.push(member),
            None => rows.push(vec![member]),
        }
    }
}
