//! Which nodes belong to one Kafka cluster, where a script shows several side by side.
//!
//! What hangs together is one cluster: nodes with a connection between them, in one group or
//! in one that bears Kafka's name, in zones side by side, in one series (`broker-1`, `broker-2`)
//! outside all groups, with copies of one partition, with a client that does the same at both,
//! or that the script's runs name. Copying from one cluster to another (MirrorMaker) holds
//! nothing together. Most scripts do not draw everything, so a part is a cluster of its own only
//! if it shows that: brokers with a controller, with a connection among themselves, or with
//! something that mirrors them. One of them must hold what the script says there is.

use std::collections::{BTreeMap, BTreeSet};

use crate::labels::{CONSUMES, PRODUCES, has_word};
use crate::layers::{lines, processes_named};
use crate::{Edge, End, Group, GroupId, Play, Process, ProcessId, ProcessRole, Topology};

/// Words of copying from cluster to cluster.
const MIRRORS: &[&str] =
    &["mirror", "mirrors", "mirroring", "mirrormaker", "mirrormaker2", "mm2", "linking"];

/// Words of a group that holds a cluster.
const CLUSTER: &[&str] = &["kafka", "msk", "redpanda", "cluster"];

/// Words of a group that is part of a cluster.
const ZONE: &[&str] = &["zone", "az", "rack", "availability"];

impl Topology {
    /// The Kafka clusters that the script shows, each as its brokers, controllers and ZooKeeper
    /// servers. The first is what runs play on: the one that the script's own name, else the
    /// one whose first node comes first, of those that have brokers enough for the script's
    /// topics. It has the nodes that belong to none for sure, too.
    pub fn kafka_clusters(&self) -> Vec<BTreeSet<&ProcessId>> {
        let drawing = Drawing::of(self);
        let nodes = self.processes.iter().map(|it| &it.id);
        let nodes = nodes.filter(|id| drawing.is_node(id)).enumerate();
        let mut parts = Parts(nodes.map(|(at, id)| (id, at)).collect());
        if parts.0.is_empty() {
            return Vec::new();
        }
        drawing.join(&mut parts);
        let mut standing = drawing.standing(&parts);
        if !standing.iter().any(|part| drawing.holds_every_topic(&parts, *part)) {
            standing.clear();
        }
        let mut clusters: BTreeMap<usize, BTreeSet<&ProcessId>> = BTreeMap::new();
        let mut others = BTreeSet::new();
        for (id, part) in &parts.0 {
            if standing.contains(part) {
                clusters.entry(*part).or_default().insert(id);
            } else {
                others.insert(*id);
            }
        }
        let named = drawing.named_in_runs();
        let mut clusters: Vec<_> = clusters.into_iter().collect();
        clusters.sort_by_key(|(part, nodes)| {
            let is_unnamed = named.iter().all(|id| !nodes.contains(id));
            (is_unnamed, !drawing.holds_every_topic(&parts, *part))
        });
        let mut clusters: Vec<_> = clusters.into_iter().map(|(_, nodes)| nodes).collect();
        match clusters.first_mut() {
            Some(first) => first.extend(others),
            None if others.is_empty() => {}
            None => clusters.push(others),
        }
        clusters
    }
}

/// A topology, and what is asked of it again and again.
struct Drawing<'a> {
    topology: &'a Topology,
    roles: BTreeMap<&'a ProcessId, ProcessRole>,
    /// Processes that copy from one cluster to another.
    mirrors: BTreeSet<&'a ProcessId>,
}

impl<'a> Drawing<'a> {
    fn of(topology: &'a Topology) -> Drawing<'a> {
        let mirrors = |it: &&Process| {
            [it.id.as_str(), &it.label].into_iter().any(|text| has_word(text, MIRRORS))
        };
        let mirrors =
            topology.processes.iter().filter(mirrors).map(|it| &it.id).collect();
        Drawing { topology, roles: topology.roles(), mirrors }
    }

    fn is_node(&self, id: &ProcessId) -> bool {
        use ProcessRole::{Broker, Controller, Zookeeper};
        matches!(self.roles.get(id), Some(Broker | Controller | Zookeeper))
    }

    /// Puts into one part whatever hangs together.
    fn join(&self, parts: &mut Parts<'a>) {
        for edge in self.topology.edges.iter().filter(|edge| !self.is_mirroring(edge)) {
            let ends = [&edge.source, &edge.target].map(|end| self.nodes(end));
            if ends.iter().all(|nodes| !nodes.is_empty()) {
                parts.join(ends.into_iter().flatten());
            }
        }
        parts.join(self.named_in_runs());
        for nodes in self.neighbours().into_values() {
            parts.join(nodes);
        }
        let topics = self.topology.cluster.iter().flat_map(|cluster| &cluster.topics);
        for replicas in topics.flat_map(|topic| &topic.assignment) {
            parts.join(replicas);
        }
        for nodes in self.dialled_alike().into_values() {
            parts.join(nodes);
        }
    }

    /// The nodes in each group, in the zones beside each other, in each series outside all
    /// groups, and anywhere in a group that bears a cluster's name.
    fn neighbours(&self) -> BTreeMap<Home<'a>, Vec<&'a ProcessId>> {
        let groups: BTreeMap<&GroupId, &Group> =
            self.topology.groups.iter().map(|group| (&group.id, group)).collect();
        let mut neighbours: BTreeMap<_, Vec<&ProcessId>> = BTreeMap::new();
        for node in self.topology.processes.iter().filter(|it| self.is_node(&it.id)) {
            let parent = |group: &&Group| groups.get(group.parent.as_ref()?).copied();
            let home = node.group.as_ref().and_then(|home| groups.get(home)).copied();
            let series = Some(Home::Series(series(node.id.as_str())));
            let series = series.filter(|_| node.group.is_none());
            let mut add = |home| neighbours.entry(home).or_default().push(&node.id);
            series.into_iter().for_each(&mut add);
            for group in std::iter::successors(home, parent) {
                if node.group.as_ref() == Some(&group.id) || bears(group, CLUSTER) {
                    add(Home::Group(&group.id));
                }
                if bears(group, ZONE) {
                    add(Home::ZonesOf(group.parent.as_ref()));
                }
            }
        }
        neighbours
    }

    /// The nodes that one client writes to, and those that it reads from.
    fn dialled_alike(
        &self,
    ) -> BTreeMap<(&'a ProcessId, ProcessRole), Vec<&'a ProcessId>> {
        let mut dialled: BTreeMap<_, Vec<&ProcessId>> = BTreeMap::new();
        for edge in self.topology.edges.iter().filter(|edge| !self.is_mirroring(edge)) {
            let Some(client) = edge.source.process() else { continue };
            let label = edge.label.as_deref().unwrap_or_default();
            let deed = match self.roles.get(client) {
                _ if has_word(label, PRODUCES) => ProcessRole::Producer,
                _ if has_word(label, CONSUMES) => ProcessRole::Consumer,
                Some(role @ (ProcessRole::Producer | ProcessRole::Consumer)) => *role,
                _ => continue,
            };
            let nodes = self.nodes(&edge.target);
            dialled.entry((client, deed)).or_default().extend(nodes);
        }
        dialled
    }

    /// The nodes that the script's runs name, and those that the clients dial whom they name.
    fn named_in_runs(&self) -> Vec<&'a ProcessId> {
        let runs = self.topology.scenarios.iter();
        let runs = runs.filter(|scenario| matches!(scenario.play, Play::Run(_)));
        let words = |run| lines(run).flat_map(|line| line.split([' ', ',']));
        let named: BTreeSet<&str> = runs
            .flat_map(|run| {
                processes_named(run).into_iter().map(ProcessId::as_str).chain(words(run))
            })
            .collect();
        let is_named = |id: &ProcessId| named.contains(id.as_str());
        let mut nodes: Vec<&ProcessId> =
            self.roles.keys().copied().filter(|id| is_named(id)).collect();
        for edge in self.topology.edges.iter().filter(|edge| !self.is_mirroring(edge)) {
            if edge.source.process().is_some_and(is_named) {
                nodes.extend(self.nodes(&edge.target));
            }
        }
        nodes.retain(|id| self.is_node(id));
        nodes
    }

    /// The parts that are clusters of their own.
    fn standing(&self, parts: &Parts<'_>) -> BTreeSet<usize> {
        let of_role = |wanted: fn(ProcessRole) -> bool| -> BTreeSet<usize> {
            let fits = |(id, _): &(&&ProcessId, &usize)| wanted(self.roles[**id]);
            parts.0.iter().filter(fits).map(|(_, part)| *part).collect()
        };
        let with_brokers = of_role(|role| role == ProcessRole::Broker);
        let mut shown = of_role(|role| role != ProcessRole::Broker);
        let mut mirrored: BTreeMap<&ProcessId, BTreeSet<usize>> = BTreeMap::new();
        for edge in &self.topology.edges {
            let [source, target] =
                [&edge.source, &edge.target].map(|end| self.nodes(end));
            let at = |nodes: &[&ProcessId]| nodes.first().map(|id| parts.0[*id]);
            match (at(&source), at(&target), edge.source.process()) {
                (Some(one), Some(other), _) if one == other => {
                    shown.insert(one);
                }
                (Some(one), Some(other), _) => shown.extend([one, other]),
                (None, Some(part), Some(mirror)) if self.is_mirroring(edge) => {
                    mirrored.entry(mirror).or_default().insert(part);
                }
                _ => {}
            }
        }
        shown.extend(mirrored.into_values().filter(|it| it.len() > 1).flatten());
        with_brokers.intersection(&shown).copied().collect()
    }

    /// Whether this part has a broker for each copy of what the script says there is.
    fn holds_every_topic(&self, parts: &Parts<'_>, part: usize) -> bool {
        let is_ours = |(id, at): &(&&ProcessId, &usize)| {
            **at == part && self.roles[**id] == ProcessRole::Broker
        };
        let brokers = parts.0.iter().filter(is_ours).count();
        let mut topics = self.topology.cluster.iter().flat_map(|it| &it.topics);
        topics.all(|it| it.replication_factor.is_none_or(|it| it as usize <= brokers))
    }

    /// Whether the edge, or who dials on it, speaks of copying to another cluster.
    fn is_mirroring(&self, edge: &Edge) -> bool {
        let label = edge.label.as_deref().unwrap_or_default();
        has_word(label, MIRRORS)
            || edge.source.process().is_some_and(|id| self.mirrors.contains(id))
    }

    /// The nodes at an end.
    fn nodes(&self, end: &'a End) -> Vec<&'a ProcessId> {
        let is_node = |id: &&ProcessId| self.is_node(id);
        match end {
            End::Process(id) => Some(id).into_iter().filter(is_node).collect(),
            End::Group(group) => {
                let within = |it: &&Process| {
                    it.group.as_ref().is_some_and(|home| self.is_within(home, group))
                };
                let inside = self.topology.processes.iter().filter(within);
                inside.map(|it| &it.id).filter(is_node).collect()
            }
        }
    }

    /// Whether a group is another one, or somewhere in it.
    fn is_within(&self, inner: &GroupId, outer: &GroupId) -> bool {
        let parent = |id: &&GroupId| self.topology.group(id)?.parent.as_ref();
        std::iter::successors(Some(inner), parent).any(|id| id == outer)
    }
}

/// The number of the part that each node is in.
struct Parts<'a>(BTreeMap<&'a ProcessId, usize>);

impl<'a> Parts<'a> {
    /// These are in one part; what is no node does not count.
    fn join(&mut self, ids: impl IntoIterator<Item = &'a ProcessId>) {
        let parts: BTreeSet<usize> =
            ids.into_iter().filter_map(|id| self.0.get(id).copied()).collect();
        let Some(first) = parts.first().copied().filter(|_| parts.len() > 1) else {
            return;
        };
        for part in self.0.values_mut().filter(|part| parts.contains(part)) {
            *part = first;
        }
    }
}

fn bears(group: &Group, words: &[&str]) -> bool {
    [group.id.as_str(), &group.label].into_iter().any(|text| has_word(text, words))
}

/// What nodes have in common by where they stand.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Home<'a> {
    Group(&'a GroupId),
    /// Zones within one group, or within none.
    ZonesOf(Option<&'a GroupId>),
    /// Whose ids differ in a number only, or in a letter.
    Series(&'a str),
}

/// An id without its number, or without the letter behind its last hyphen.
fn series(id: &str) -> &str {
    let stem = id.trim_end_matches(|c: char| c.is_ascii_digit());
    let is_hyphen = |c: char| !c.is_alphanumeric();
    match id.rsplit_once(is_hyphen) {
        Some((stem, letter)) if letter.len() == 1 => stem,
        _ => stem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builder::{
        EdgeConfig, GroupConfig, ProcessConfig, ScenarioBuilder, ScenarioConfig,
        TopologyBuilder,
    };
    use crate::{Cluster, Topic};

    /// Two regions: three brokers in one group each, and a controller each.
    fn regions(clusters: &str) -> TopologyBuilder {
        let mut builder = TopologyBuilder::default();
        for region in ["eu", "us"] {
            let config = GroupConfig::new(format!("{region}-{clusters}"));
            let group = builder.create_group(config);
            for number in 1..=3 {
                let id = format!("{region}-broker-{number}");
                builder.group(group).add_process(ProcessConfig::new(id));
            }
            builder.create_process(ProcessConfig::new(format!("{region}-controller")));
        }
        builder
    }

    fn connected(mut builder: TopologyBuilder, edges: &[(&str, &str, &str)]) -> Topology {
        for (source, target, label) in edges {
            let label = (!label.is_empty()).then(|| (*label).to_owned());
            builder.connect(EdgeConfig { label, ..EdgeConfig::new(*source, *target) });
        }
        builder.build().expect("a sound topology").0
    }

    fn sizes(topology: &Topology) -> Vec<usize> {
        topology.kafka_clusters().iter().map(BTreeSet::len).collect()
    }

    const TO_CONTROLLERS: [(&str, &str, &str); 2] =
        [("eu-broker-1", "eu-controller", ""), ("us-broker-2", "us-controller", "")];

    #[test]
    fn regions_that_nothing_holds_together_are_clusters_of_their_own() {
        let topology = connected(regions("brokers"), &TO_CONTROLLERS);
        let clusters = topology.kafka_clusters();
        assert_eq!(sizes(&topology), [4, 4]);
        assert!(clusters[1].iter().all(|id| id.as_str().starts_with("us-")));
    }

    #[test]
    fn what_is_not_drawn_separates_nothing() {
        assert_eq!(sizes(&connected(regions("brokers"), &[])), [8]);
        let one_region = connected(regions("brokers"), &TO_CONTROLLERS[..1]);
        assert_eq!(sizes(&one_region), [8], "nobody says what the other one is");
        assert!(connected(TopologyBuilder::default(), &[]).kafka_clusters().is_empty());
    }

    #[test]
    fn replication_holds_together_and_mirroring_does_not() {
        let with = |edge| {
            connected(regions("brokers"), &[TO_CONTROLLERS.as_slice(), &[edge]].concat())
        };
        assert_eq!(sizes(&with(("us-broker-1", "eu-broker-1", "replicate"))), [8]);
        assert_eq!(sizes(&with(("us-broker-1", "eu-broker-1", "mirror orders"))), [4, 4]);
        assert_eq!(sizes(&with(("us-controller", "eu-controller", ""))), [8]);
    }

    #[test]
    fn a_client_of_both_holds_them_together_unless_it_mirrors() {
        let dials = |client: &str, labels: [&str; 2]| {
            let mut builder = regions("brokers");
            builder.create_process(ProcessConfig::new(client));
            let ends = ["eu-broker-1", "us-broker-1"];
            let own: Vec<_> = ends
                .into_iter()
                .zip(labels)
                .map(|(end, label)| (client, end, label))
                .collect();
            sizes(&connected(builder, &[TO_CONTROLLERS.as_slice(), &own].concat()))
        };
        assert_eq!(dials("shop", ["produce orders", "produce orders"]), [8]);
        assert_eq!(dials("order-producer", ["", ""]), [8]);
        assert_eq!(dials("bridge", ["fetch orders", "produce eu.orders"]), [4, 4]);
        assert_eq!(dials("mirror-maker", ["fetch orders", "fetch orders"]), [4, 4]);
        assert_eq!(dials("kafka-ui", ["", ""]), [4, 4]);
    }

    #[test]
    fn a_series_outside_all_groups_is_one_cluster() {
        for [one, other] in [["1", "2"], ["a", "b"]] {
            let ids = [("broker", one), ("zk", one), ("broker", other), ("zk", other)]
                .map(|(name, number)| format!("{name}-{number}"));
            let mut builder = TopologyBuilder::default();
            for id in &ids {
                builder.create_process(ProcessConfig::new(id));
            }
            let edges = [(&*ids[0], &*ids[1], ""), (&*ids[2], &*ids[3], "")];
            assert_eq!(sizes(&connected(builder, &edges)), [4]);
        }
    }

    #[test]
    fn a_cluster_has_a_broker_for_each_copy() {
        let with = |factor: u32| {
            let mut builder = regions("brokers");
            let (name, replication_factor) = ("orders".to_owned(), Some(factor));
            let topic = Topic { name, replication_factor, ..Topic::default() };
            builder.kafka(Cluster { topics: vec![topic], ..Cluster::default() });
            sizes(&connected(builder, &TO_CONTROLLERS))
        };
        assert_eq!([with(3), with(4)], [vec![4, 4], vec![8]]);
    }

    #[test]
    fn the_runs_tell_what_they_are_about() {
        let running = |first: &str, then: &str| {
            let mut builder = regions("brokers");
            builder.create_process(ProcessConfig::new("us-producer"));
            let mut run = ScenarioBuilder::new(ScenarioConfig::new("outage", ""));
            run.crash(first).restart(then);
            builder.scenario(run);
            let edges =
                [TO_CONTROLLERS.as_slice(), &[("us-producer", "us-broker-3", "")]];
            connected(builder, &edges.concat())
        };
        let outage = running("us-broker-1", "us-broker-1");
        assert!(outage.kafka_clusters()[0].contains(&ProcessId::from("us-broker-3")));
        assert_eq!(sizes(&outage), [4, 4]);
        assert_eq!(sizes(&running("us-broker-1", "us-producer")), [4, 4]);
        assert_eq!(
            sizes(&running("us-broker-1", "eu-broker-2")),
            [8],
            "one run, one cluster"
        );
    }

    #[test]
    fn a_mirror_tells_that_what_it_copies_between_are_clusters() {
        let mut builder = TopologyBuilder::default();
        for id in ["edge-broker", "core-broker", "mm2"] {
            builder.create_process(ProcessConfig::new(id));
        }
        let edges = [("mm2", "edge-broker", "fetch"), ("mm2", "core-broker", "produce")];
        assert_eq!(sizes(&connected(builder, &edges)), [1, 1]);
    }

    #[test]
    fn the_zones_of_one_place_are_one_cluster() {
        assert_eq!(zones(["zone-a", "zone-b"], None), [4]);
        assert_eq!(zones(["zone-a", "zone-b"], Some("Europe")), [4]);
        assert_eq!(zones(["paris", "berlin"], Some("Kafka in Europe")), [4]);
        assert_eq!(zones(["paris", "berlin"], Some("Europe")), [2, 2]);
    }

    /// A broker and its controller in each of two groups, within a group of this name.
    fn zones(names: [&str; 2], around: Option<&str>) -> Vec<usize> {
        let mut builder = TopologyBuilder::default();
        let parent = around.map(|_| "all".to_owned());
        if let Some(label) = around.map(str::to_owned) {
            let label = Some(label);
            builder.create_group(GroupConfig { label, ..GroupConfig::new("all") });
        }
        for (name, zone) in names.into_iter().zip(["a", "b"]) {
            let config = GroupConfig { parent: parent.clone(), ..GroupConfig::new(name) };
            let group = builder.create_group(config);
            for role in ["broker", "controller"] {
                let id = format!("{role}-{zone}");
                builder.group(group).add_process(ProcessConfig::new(id));
            }
        }
        let edges = [("broker-a", "controller-a", ""), ("broker-b", "controller-b", "")];
        sizes(&connected(builder, &edges))
    }
}
