//! Topologies as scripts make them, laid out as scenes.

use std::collections::BTreeMap;

use topomotion_layout::{Options, layout};
use topomotion_model::builder::{EdgeConfig, GroupConfig, ProcessConfig};
use topomotion_model::{
    Placement, Point, ProcessId, Shape, ShardRole, Topology, TopologyBuilder,
};
use topomotion_scene::{Outline, Rect, Scene, Size, TextLine};

/// The production cluster that the documentation walks through.
fn production() -> Topology {
    let mut builder = TopologyBuilder::new(Placement::Automatic);
    let groups = [
        ("controller", "KRaft Controller", &[("controller", "KRaft Controller")][..]),
        (
            "brokers",
            "Kafka Cluster (3 Brokers)",
            &[
                ("broker-1", "Broker 1 (Leader p0,p1)"),
                ("broker-2", "Broker 2 (Leader p2)"),
                ("broker-3", "Broker 3 (Follower)"),
            ],
        ),
        ("schema", "Schema Registry", &[("schema-registry", "Schema Registry")]),
        (
            "producers",
            "Producers",
            &[
                ("order-producer", "Order Service"),
                ("event-producer", "Analytics SDK"),
                ("cdc-producer", "Debezium (CDC)"),
            ],
        ),
        (
            "flink-cg",
            "Consumer Group: flink-stream",
            &[("flink-1", "Flink TaskManager 1"), ("flink-2", "Flink TaskManager 2")],
        ),
        ("spark-cg", "Consumer Group: spark-batch", &[("spark", "Spark Executor")]),
    ];
    for (id, label, processes) in groups {
        let group = builder.create_group(GroupConfig {
            label: Some(label.into()),
            ..GroupConfig::new(id)
        });
        for (id, label) in processes {
            builder.group(group).add_process(process(id, label));
        }
    }
    for (source, target, label) in [
        ("controller", "broker-1", "metadata"),
        ("controller", "broker-2", "metadata"),
        ("controller", "broker-3", "metadata"),
        ("broker-2", "broker-1", "replicate"),
        ("broker-3", "broker-1", "replicate"),
        ("order-producer", "broker-1", "produce acks=all"),
        ("event-producer", "broker-2", "produce acks=1"),
        ("cdc-producer", "broker-1", "produce acks=all"),
        ("order-producer", "schema-registry", "validate schema"),
        ("flink-1", "broker-1", "fetch p0"),
        ("flink-2", "broker-2", "fetch p2"),
        ("spark", "broker-1", "batch fetch"),
    ] {
        let label = Some(label.into());
        builder.connect(EdgeConfig { label, ..EdgeConfig::new(source, target) });
    }
    builder.build().expect("the topology is sound").0
}

fn process(id: &str, label: &str) -> ProcessConfig {
    let shards = [("broker-1", "p0,p1"), ("broker-2", "p2")];
    let shard_id = shards.iter().find(|s| s.0 == id).map(|s| s.1.to_owned());
    let shard_role = match id {
        "broker-1" | "broker-2" => Some(ShardRole::Primary),
        "broker-3" => Some(ShardRole::Replica),
        _ => None,
    };
    let label = Some(label.into());
    ProcessConfig { label, shard_id, shard_role, ..ProcessConfig::new(id) }
}

fn line_box(line: &TextLine) -> Rect {
    Rect::new(line.at.x, line.at.y - line.size * 0.7, line.width, line.size * 0.7)
}

/// What every scene must hold.
fn assert_sound(scene: &Scene) {
    let picture = Rect::new(0.0, 0.0, scene.size.width, scene.size.height);
    for node in &scene.nodes {
        assert!(picture.contains(&node.rect), "{}", node.id);
        let texts = node.lines.iter().chain(node.badges.iter().map(|badge| &badge.line));
        for line in texts {
            let inside = node.body.contains(&line_box(line));
            assert!(inside, "{}: {:?} in {:?}", node.id, line, node.body);
        }
        let icon = node.icon.as_ref().expect("every node has an icon").1;
        assert!(node.body.contains(&icon) && node.body.contains(&node.dot));
        assert!(!node.lines.iter().any(|line| line_box(line).overlaps(&icon)));
        assert!(!node.lines.iter().any(|line| line_box(line).overlaps(&node.dot)));
    }
    for group in &scene.groups {
        for line in &group.lines {
            assert!(group.title.grown(1.0).contains(&line_box(line)), "{}", group.id);
        }
    }
    for label in scene.routes.iter().filter_map(|route| route.label.as_ref()) {
        for line in &label.lines {
            assert!(label.rect.contains(&line_box(line)), "{}", label.text);
        }
    }
}

#[test]
fn the_production_cluster_fits_a_page() {
    let scene = layout(&production(), &Options::default());
    assert_sound(&scene);
    let aspect = scene.size.width / scene.size.height;
    assert!((1.2..2.2).contains(&aspect), "{:?}", scene.size);
    assert_eq!(scene.routes.len(), 12);
    let height = |id| {
        let node = scene.nodes.iter().find(|node| node.id == id);
        node.expect("all processes are there").rect.height
    };
    assert_eq!(height("broker-1"), height("broker-3"), "boxes of a row are equally high");
}

#[test]
fn panels_stand_below_their_bodies() {
    let size = Size { width: 220.0, height: 80.0 };
    let panels = BTreeMap::from([(ProcessId::from("broker-1"), size)]);
    let scene = layout(&production(), &Options { panels, ..Options::default() });
    assert_sound(&scene);
    let node = scene.nodes.iter().find(|node| node.id == "broker-1").expect("is there");
    let panel = node.panel.expect("has a panel");
    assert!(node.rect.contains(&panel) && panel.width >= 220.0);
    assert_eq!((panel.y, panel.bottom()), (node.body.bottom(), node.rect.bottom()));
}

#[test]
fn text_stays_inside_every_outline() {
    let shapes = [
        Shape::Default,
        Shape::Cylinder,
        Shape::Diamond,
        Shape::Cloud,
        Shape::Hexagon,
        Shape::Parallelogram,
        Shape::Circle,
    ];
    let mut builder = TopologyBuilder::new(Placement::Automatic);
    for (index, shape) in shapes.into_iter().enumerate() {
        builder.create_process(ProcessConfig {
            shape,
            label: Some("A label of several words, wrapped".into()),
            shard_id: Some("p0,p1,p2,p3,p4,p5,p6,p7,p8,p9,p10,p11,p12".into()),
            shard_role: Some(ShardRole::Replica),
            ..ProcessConfig::new(format!("p{index}"))
        });
        if index > 0 {
            builder.connect(EdgeConfig::new("p0", format!("p{index}")));
        }
    }
    let topology = builder.build().expect("the topology is sound").0;
    let scene = layout(&topology, &Options::default());
    assert_sound(&scene);
    let diamond = &scene.nodes[2];
    assert_eq!(diamond.outline, Outline::Diamond);
    for line in &diamond.lines {
        let rect = line_box(line);
        let (center, body) = (diamond.body.center(), diamond.body);
        for x in [rect.x, rect.right()] {
            for y in [rect.y, rect.bottom()] {
                let share = (x - center.x).abs() / body.width
                    + (y - center.y).abs() / body.height;
                assert!(share <= 0.5, "a corner of the text leaves the rhombus");
            }
        }
    }
}

#[test]
fn places_given_by_hand_are_kept() {
    let mut builder = TopologyBuilder::new(Placement::Manual);
    let at = |x, y| Some(Point { x, y });
    for (id, position) in [("a", at(100.0, 50.0)), ("b", at(600.0, 300.0)), ("c", None)] {
        builder.create_process(ProcessConfig { position, ..ProcessConfig::new(id) });
    }
    builder.connect(EdgeConfig::new("a", "b"));
    let topology = builder.build().expect("the topology is sound").0;
    let scene = layout(&topology, &Options::default());
    assert_sound(&scene);
    let (a, b) = (scene.nodes[0].rect, scene.nodes[1].rect);
    assert_eq!((b.x - a.x, b.y - a.y), (500.0, 250.0));
}

#[test]
fn the_same_topology_gives_the_same_scene() {
    let topology = production();
    let options = Options::default();
    assert_eq!(layout(&topology, &options), layout(&topology, &options));
}
