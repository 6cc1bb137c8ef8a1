//! What the builder accepts, resolves, and refuses.

use super::*;
use crate::{
    Condition, End, FlowStepKind, Heading, Member, Origin, Play, Point, ProcessState,
};

fn builder(ids: &[&str]) -> TopologyBuilder {
    let mut builder = TopologyBuilder::default();
    for id in ids {
        builder.create_process(ProcessConfig::new(*id));
    }
    builder
}

fn built(builder: TopologyBuilder) -> Topology {
    builder.build().expect("a sound topology").0
}

fn errors(builder: TopologyBuilder) -> Vec<String> {
    let found = builder.build().expect_err("a mistake");
    found.into_iter().map(|one| format!("{}: {}", one.code, one.message)).collect()
}

fn steps(topology: &Topology) -> Vec<&FlowStepKind> {
    let Play::Flow(flow) = &topology.scenarios[0].play else { panic!("a flow") };
    flow.steps.iter().map(|step| &step.kind).collect()
}

#[test]
fn groups_and_processes_keep_their_order_and_rows() {
    let mut builder = TopologyBuilder::default();
    let outer = builder.create_group(GroupConfig::new("outer"));
    builder.create_process(ProcessConfig::new("a"));
    builder.group(outer).add_process(ProcessConfig::new("b")).new_row().new_row();
    let inner = builder.group(outer).add_group(GroupConfig::new("inner"));
    builder.group(inner).add_process(ProcessConfig::new("c"));
    let topology = built(builder);
    let group = |id: &str| Member::Group(id.into());
    let process = |id: &str| Member::Process(id.into());
    assert_eq!(topology.rows, [vec![group("outer"), process("a")]]);
    assert_eq!(topology.groups[0].rows, [vec![process("b")], vec![group("inner")]]);
    assert_eq!(topology.groups[1].parent, Some("outer".into()));
}

#[test]
fn replicas_are_spelled_out_and_the_base_id_connects_to_all() {
    let mut builder = builder(&["client"]);
    let label = Some("API".to_owned());
    let replicas = Some(3);
    builder.create_process(ProcessConfig {
        replicas,
        label,
        ..ProcessConfig::new("api")
    });
    builder.connect(EdgeConfig::new("client", "api"));
    builder.connect(EdgeConfig::new("api", "api"));
    let topology = built(builder);
    assert_eq!(topology.processes[3].id.as_str(), "api-3");
    assert_eq!(topology.processes[3].label, "API 3");
    assert_eq!(topology.processes[3].replica_of, Some("api".into()));
    // Three from the client, and the mesh of three: nobody dials itself.
    assert_eq!(topology.edges.len(), 6);
    assert!(topology.edges.iter().all(|edge| edge.source != edge.target));
}

#[test]
fn replicas_out_of_range_are_refused() {
    for replicas in [0, -1, 101, i64::MAX] {
        let mut builder = TopologyBuilder::default();
        let config =
            ProcessConfig { replicas: Some(replicas), ..ProcessConfig::new("api") };
        builder.create_process(config);
        let expected =
            format!("replicas-out-of-range: `api` cannot have {replicas} replicas");
        assert_eq!(errors(builder), [expected]);
    }
}

#[test]
fn an_edge_ends_at_a_process_first_and_else_at_a_group() {
    let mut builder = builder(&["controller", "client"]);
    for id in ["controller", "brokers"] {
        builder.create_group(GroupConfig::new(id));
    }
    builder.connect(EdgeConfig::new("client", "controller"));
    builder.connect(EdgeConfig::new("client", "brokers"));
    let topology = built(builder);
    assert_eq!(topology.edges[0].target, End::Process("controller".into()));
    assert_eq!(topology.edges[1].target, End::Group("brokers".into()));
}

#[test]
fn ids_that_clash_or_are_empty_are_refused() {
    let mut builder = builder(&["a", "a", " "]);
    let outer = builder.create_group(GroupConfig::new("g"));
    builder.group(outer).add_group(GroupConfig::new("g"));
    builder.create_group(GroupConfig::new("g"));
    assert_eq!(
        errors(builder),
        [
            "duplicate-id: two processes have the id `a`",
            "empty-id: a process has an empty id",
            "group-in-itself: group `g` would stand inside itself",
            "duplicate-id: two groups have the id `g`",
        ]
    );
}

#[test]
fn an_unknown_end_names_the_nearest() {
    let mut builder = builder(&["broker-1"]);
    builder.connect(EdgeConfig::new("brokr-1", "nowhere"));
    let found = builder.build().expect_err("two unknown ends");
    assert_eq!(found[0].help.as_deref(), Some("did you mean `broker-1`?"));
    assert_eq!(found[1].help.as_deref(), Some("known processes: broker-1"));
}

#[test]
fn a_step_goes_forward_or_else_backward_along_an_edge() {
    let mut builder = builder(&["a", "b"]);
    builder.connect(EdgeConfig::new("a", "b"));
    let mut flow = FlowBuilder::new();
    flow.from("a").to("b").to("a");
    builder.flow(flow);
    let topology = built(builder);
    let headings: Vec<Heading> = steps(&topology)
        .iter()
        .flat_map(|step| match step {
            FlowStepKind::Hops(hops) => hops.iter().map(|hop| hop.heading).collect(),
            _ => Vec::new(),
        })
        .collect();
    assert_eq!(headings, [Heading::Forward, Heading::Backward]);
    assert_eq!(topology.scenarios[0].id.as_str(), "flow");
}

#[test]
fn an_edge_at_a_group_serves_every_process_inside_it() {
    let mut builder = builder(&["client"]);
    let outer = builder.create_group(GroupConfig::new("outer"));
    let inner = builder.group(outer).add_group(GroupConfig::new("inner"));
    builder.group(inner).add_process(ProcessConfig::new("db"));
    builder.connect(EdgeConfig::new("client", "outer"));
    let mut flow = FlowBuilder::new();
    flow.from("client").to("db").to("client");
    builder.flow(flow);
    assert_eq!(steps(&built(builder)).len(), 3);
}

#[test]
fn a_step_without_an_edge_names_both_ends_and_their_neighbours() {
    let mut builder = builder(&["a", "b", "c"]);
    builder.connect(EdgeConfig::new("a", "b"));
    let mut flow = FlowBuilder::new();
    flow.from("a").to("c");
    builder.flow(flow);
    let found = builder.build().expect_err("no edge");
    assert_eq!(found[0].message, "no edge connects `a` and `c`");
    assert_eq!(
        found[0].help.as_deref(),
        Some(
            "connect them with `connect('a', 'c')`, or go by way of others: \
             `a` has edges with b, `c` has no edge"
        )
    );
}

#[test]
fn a_scenarios_own_layer_is_preferred_among_parallel_edges() {
    let mut builder = builder(&["a", "b"]);
    for layer in ["v1", "v2"] {
        let layer = Some(layer.to_owned());
        builder.connect(EdgeConfig { layer, ..EdgeConfig::new("a", "b") });
    }
    let mut flow = FlowBuilder::new();
    let layer = Some("v2".to_owned());
    flow.scenario(ScenarioConfig { layer, ..ScenarioConfig::new("s", "S") });
    flow.from("a").to("b");
    builder.flow(flow);
    let topology = built(builder);
    let FlowStepKind::Hops(hops) = steps(&topology)[1] else { panic!("a hop") };
    assert_eq!(hops[0].edge.0, 1);
}

#[test]
fn the_cursor_is_unset_at_first_and_after_parallel() {
    let mut builder = builder(&["a", "b"]);
    builder.connect(EdgeConfig::new("a", "b"));
    let mut flow = FlowBuilder::new();
    flow.show_message("too early").parallel([("a", "b")]).show_error("too late");
    builder.flow(flow);
    let error = "no-cursor: this step has no process to start at";
    assert_eq!(errors(builder), [error, error]);
}

#[test]
fn a_label_in_brackets_is_set_off() {
    for (text, label, rest) in [
        ("[GET] /", Some("GET"), "/"),
        ("[ 200 ]ok", Some("200"), "ok"),
        ("[] x", None, "[] x"),
        ("[open", None, "[open"),
        ("plain [no]", None, "plain [no]"),
    ] {
        let mut builder = builder(&["a"]);
        let mut flow = FlowBuilder::new();
        flow.from("a").show_message(text);
        builder.flow(flow);
        let expected = FlowStepKind::Message {
            at: "a".into(),
            label: label.map(str::to_owned),
            text: rest.to_owned(),
        };
        assert_eq!(steps(&built(builder))[1], &expected);
    }
}

#[test]
fn unnamed_flows_get_ids_of_their_own() {
    let mut builder = builder(&["a"]);
    for _ in 0..2 {
        let mut flow = FlowBuilder::new();
        flow.flash_error("a").set_state("a", ProcessState::Error).wait(5);
        builder.flow(flow);
    }
    let ids: Vec<String> =
        built(builder).scenarios.iter().map(|one| one.id.to_string()).collect();
    assert_eq!(ids, ["flow", "flow-2"]);
}

#[test]
fn a_run_names_processes_topics_and_partitions_that_exist() {
    let mut builder = builder(&["broker-1", "shop"]);
    let topic = crate::Topic {
        name: "orders".to_owned(),
        partitions: Some(1),
        ..crate::Topic::default()
    };
    builder.kafka(Cluster { topics: vec![topic], ..Cluster::default() });
    let mut scenario = ScenarioBuilder::new(ScenarioConfig::new("s", "S"));
    let condition = |text: &str| Condition::parse(text).expect("a condition");
    scenario
        .produce("shop", Some("ordrs"), ProduceConfig::default())
        .crash("broker-2")
        .partition(&["shop"], &["shop"])
        .wait_until(condition("leader(orders-1) == broker-3"), DEFAULT_TIMEOUT_MS)
        .expect(condition("no-acknowledged-record-lost"));
    builder.scenario(scenario);
    assert_eq!(
        errors(builder),
        [
            "unknown-topic: no topic has the name `ordrs`",
            "unknown-process: no process has the id `broker-2`",
            "both-sides: `shop` cannot stand on both sides of a partition",
            "unknown-partition: topic `orders` has no partition 1",
            "unknown-process: no process has the id `broker-3`",
        ]
    );
}

#[test]
fn positions_count_only_where_they_are_wanted() {
    let position = Some(Point { x: 1.0, y: 2.0 });
    for (placement, kept, warnings) in
        [(Placement::Manual, position, 0), (Placement::Automatic, None, 1)]
    {
        let mut builder = TopologyBuilder::new(placement);
        builder.create_process(ProcessConfig { position, ..ProcessConfig::new("a") });
        builder.create_process(ProcessConfig { position, ..ProcessConfig::new("b") });
        let (topology, found) = builder.build().expect("a sound topology");
        assert_eq!(topology.processes[0].position, kept);
        assert_eq!(found.len(), warnings);
    }
}

#[test]
fn a_size_counts_unless_the_group_resizes_itself() {
    for resize in [false, true] {
        let mut builder = TopologyBuilder::default();
        let width = Some(300.0);
        let group = builder.create_group(GroupConfig { width, ..GroupConfig::new("g") });
        if resize {
            builder.group(group).auto_resize();
        }
        let size = built(builder).groups[0].size.map(|size| (size.width, size.height));
        assert_eq!(size, (!resize).then_some((300.0, 200.0)));
    }
}

#[test]
fn a_second_cluster_and_unknown_icons_are_refused() {
    let mut builder = TopologyBuilder::default();
    let icon = Some("servr".to_owned());
    builder.create_process(ProcessConfig { icon, ..ProcessConfig::new("a") });
    builder.kafka(Cluster::default()).kafka(Cluster::default());
    assert_eq!(
        errors(builder),
        [
            "two-clusters: the topology names a second kafka cluster",
            "unknown-value: `servr` is not a known icon",
        ]
    );
}

#[test]
fn an_origin_gives_the_part_or_else_the_whole() {
    assert_eq!(Origin::default().part("id"), None);
}

#[test]
fn a_process_stands_in_the_group_that_it_names() {
    let mut builder = TopologyBuilder::default();
    builder.create_group(GroupConfig::new("eu"));
    let parent = Some("eu".to_owned());
    builder.create_group(GroupConfig { parent, ..GroupConfig::new("kafka") });
    let group = Some("kafka".to_owned());
    builder.create_process(ProcessConfig { group, ..ProcessConfig::new("broker-1") });
    let topology = built(builder);
    assert_eq!(topology.processes[0].group, Some("kafka".into()));
    assert_eq!(topology.groups[1].parent, Some("eu".into()));
}

#[test]
fn a_group_that_is_not_there_or_is_another_is_a_mistake() {
    let mut builder = TopologyBuilder::default();
    let data = builder.create_group(GroupConfig::new("data"));
    let named = |group: &str| Some(group.to_owned());
    builder
        .create_process(ProcessConfig { group: named("dat"), ..ProcessConfig::new("a") });
    let elsewhere = ProcessConfig { group: named("web"), ..ProcessConfig::new("b") };
    builder.group(data).add_process(elsewhere);
    assert_eq!(
        errors(builder),
        [
            "unknown-group: there is no group `dat` so far",
            "two-groups: it is added to `data`, but names `web`",
        ]
    );
}
