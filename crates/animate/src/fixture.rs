//! A small cluster and its stories, written by hand, for tests.

use topomotion_scene::{
    FontFace, GroupBox, LabelBox, NodeBox, NodeState, Outline, Point, Rect, Route, Scene,
    Size, TextLine,
};
use topomotion_trace::{
    Event, Fault, Loss, Packet, PacketId, StateChange, Time, Trace, Travel, What,
};

/// Three brokers, a controller, a producer and a consumer.
#[allow(clippy::too_many_lines)]
pub(crate) fn scene() -> Scene {
    let nodes = vec![
        node(
            "order-producer",
            "Order Service",
            "producer",
            "zap",
            (60.0, 60.0),
            (180.0, 34.0),
        ),
        node(
            "flink",
            "Flink TaskManager",
            "consumer",
            "layers",
            (700.0, 60.0),
            (180.0, 34.0),
        ),
        node(
            "broker-1",
            "Broker 1 (Leader p0,p1)",
            "broker",
            "server",
            (60.0, 300.0),
            (252.0, 96.0),
        ),
        node("broker-2", "Broker 2", "broker", "server", (372.0, 300.0), (252.0, 96.0)),
        node("broker-3", "Broker 3", "broker", "server", (684.0, 300.0), (252.0, 96.0)),
        node(
            "controller",
            "KRaft Controller",
            "controller",
            "shield",
            (408.0, 560.0),
            (180.0, 0.0),
        ),
    ];
    let brokers = Rect::new(30.0, 244.0, 936.0, 240.0);
    let groups = vec![GroupBox {
        id: "brokers".into(),
        parent: None,
        depth: 0,
        rect: brokers,
        label: "Kafka Cluster (3 Brokers)".into(),
        title: Rect::new(46.0, 254.0, 220.0, 22.0),
        lines: vec![line(
            "Kafka Cluster (3 Brokers)",
            46.0,
            270.0,
            13.0,
            FontFace::SemiBold,
        )],
        style: None,
        color: None,
        description: None,
    }];
    let routes = vec![
        route(
            0,
            "order-producer",
            "broker-1",
            "produce acks=all",
            "kafka",
            &[(150.0, 150.0), (150.0, 300.0)],
        ),
        route(
            1,
            "flink",
            "broker-1",
            "fetch p0",
            "kafka",
            &[(760.0, 150.0), (760.0, 200.0), (220.0, 200.0), (220.0, 300.0)],
        ),
        route(
            2,
            "broker-2",
            "broker-1",
            "replicate",
            "tcp",
            &[(372.0, 330.0), (312.0, 330.0)],
        ),
        route(
            3,
            "broker-3",
            "broker-1",
            "replicate",
            "tcp",
            &[(810.0, 452.0), (810.0, 520.0), (120.0, 520.0), (120.0, 452.0)],
        ),
        route(
            4,
            "controller",
            "broker-2",
            "metadata",
            "tcp",
            &[(498.0, 560.0), (498.0, 452.0)],
        ),
    ];
    Scene { size: Size { width: 996.0, height: 660.0 }, groups, nodes, routes }
}

fn line(text: &str, x: f64, y: f64, size: f64, face: FontFace) -> TextLine {
    let width = crate::draw::width(face, size, text);
    TextLine { text: text.into(), at: Point::new(x, y), width, size, face }
}

fn node(
    id: &str,
    label: &str,
    role: &str,
    icon: &str,
    at: (f64, f64),
    panel: (f64, f64),
) -> NodeBox {
    let (width, height) = (panel.0, 56.0);
    let body = Rect::new(at.0, at.1, width, height);
    let below = Rect::new(at.0, at.1 + height, width, panel.1);
    NodeBox {
        id: id.into(),
        group: role.eq("broker").then(|| "brokers".into()),
        rect: Rect::new(at.0, at.1, width, height + panel.1),
        body,
        panel: (panel.1 > 0.0).then_some(below),
        outline: Outline::Box,
        role: role.into(),
        color: None,
        icon: Some((icon.into(), Rect::new(at.0 + 14.0, at.1 + 18.0, 20.0, 20.0))),
        label: label.into(),
        lines: vec![line(label, at.0 + 44.0, at.1 + 33.0, 14.0, FontFace::SemiBold)],
        dot: Rect::new(at.0 + width - 20.0, at.1 + 10.0, 10.0, 10.0),
        state: NodeState::Running,
        badges: Vec::new(),
        external: false,
        description: None,
    }
}

fn route(
    edge: usize,
    source: &str,
    target: &str,
    label: &str,
    protocol: &str,
    points: &[(f64, f64)],
) -> Route {
    let points: Vec<Point> = points.iter().map(|&(x, y)| Point::new(x, y)).collect();
    let middle = points.len() / 2;
    let (a, b) = (points[middle - 1], points[middle]);
    let width = crate::draw::width(FontFace::Regular, 11.0, label) + 8.0;
    let at = Point::new((a.x + b.x) / 2.0 - width / 2.0, (a.y + b.y) / 2.0 - 9.0);
    Route {
        edge,
        source: source.into(),
        target: target.into(),
        points,
        radius: 10.0,
        label: (b.x - a.x).abs().max((b.y - a.y).abs()).gt(&90.0).then(|| LabelBox {
            text: label.into(),
            rect: Rect::new(at.x, at.y, width, 18.0),
            lines: vec![line(label, at.x + 4.0, at.y + 13.0, 11.0, FontFace::Regular)],
        }),
        protocol: Some(protocol.into()),
        kind: protocol.eq("kafka").then(|| "pulse".into()),
        style: None,
        color: None,
    }
}

/// A trace in the making. Times are engine time in µs.
#[derive(Debug, Default)]
pub(crate) struct Script {
    events: Vec<Event>,
    next: u32,
    cause: Option<PacketId>,
}

impl Script {
    pub fn event(&mut self, at: u64, what: What) -> &mut Script {
        self.events.push(Event { at: Time(at), what });
        self
    }

    pub fn state(&mut self, at: u64, change: StateChange) -> &mut Script {
        self.event(at, What::State(change))
    }

    pub fn mark(&mut self, at: u64, process: &str, rule: &str) -> &mut Script {
        let partition = Some("orders-0".into());
        self.event(
            at,
            What::Mark { process: process.into(), rule: rule.into(), partition },
        )
    }

    pub fn send(&mut self, from: &str, to: &str, api: &str, at: u64) -> PacketId {
        let id = PacketId(self.next);
        self.next += 1;
        let packet = Packet {
            id,
            from: from.into(),
            to: to.into(),
            travel: Travel::Request,
            api: api.into(),
            detail: "orders-0 offset 0".into(),
            records: u32::from(api == "Produce"),
            error: None,
            news: true,
            cause: self.cause,
            bytes: 120,
        };
        self.event(at, What::Sent(packet));
        id
    }

    pub fn packet(
        &mut self,
        from: &str,
        to: &str,
        api: &str,
        at: u64,
        end: u64,
    ) -> PacketId {
        let id = self.send(from, to, api, at);
        self.event(end, What::Arrived(id));
        id
    }

    pub fn routine(&mut self, from: &str, to: &str, api: &str, at: u64, end: u64) {
        let id = self.send(from, to, api, at);
        if let Some(Event { what: What::Sent(packet), .. }) = self.events.last_mut() {
            packet.news = false;
        }
        self.event(end, What::Arrived(id));
    }

    pub fn answer(&mut self, to: PacketId, at: u64, end: u64, records: u32) -> PacketId {
        let question = self.events.iter().find_map(|event| match &event.what {
            What::Sent(packet) if packet.id == to => Some(packet.clone()),
            _ => None,
        });
        let question = question.expect("the question was sent");
        let id = self.send(&question.to, &question.from, &question.api, at);
        if let Some(Event { what: What::Sent(packet), .. }) = self.events.last_mut() {
            packet.travel = Travel::Response(to);
            packet.records = records;
            packet.cause = Some(to);
        }
        self.event(end, What::Arrived(id));
        id
    }

    pub fn lose(&mut self, from: &str, to: &str, api: &str, at: u64, end: u64) {
        let id = self.send(from, to, api, at);
        self.event(end, What::Lost(id, Loss::ReceiverDown));
    }

    pub fn trace(&self) -> Trace {
        let mut events = self.events.clone();
        events.sort_by_key(|event| event.at);
        Trace { events }
    }
}

pub(crate) fn set_up(script: &mut Script) {
    let all = || vec!["broker-1".into(), "broker-2".into(), "broker-3".into()];
    script.state(
        0,
        StateChange::Registration {
            controller: "controller".into(),
            partition: "orders-0".into(),
            replicas: all(),
            isr: all(),
            leader: Some("broker-1".into()),
            leader_epoch: 0,
            partition_epoch: 0,
        },
    );
    let role = topomotion_trace::QuorumRole::Leader;
    script.state(0, StateChange::Quorum { process: "controller".into(), role, epoch: 1 });
    for broker in ["broker-1", "broker-2", "broker-3"] {
        script.state(
            0,
            StateChange::Replica {
                process: broker.into(),
                partition: "orders-0".into(),
                leader: Some("broker-1".into()),
                epoch: 0,
            },
        );
    }
    script.event(0, What::Curtain);
}

fn appended(process: &str, base: i64, epoch: i32) -> StateChange {
    StateChange::Appended {
        process: process.into(),
        partition: "orders-0".into(),
        base,
        count: 1,
        epoch,
        batch: 7,
    }
}

pub(crate) fn watermark(process: &str, offset: i64) -> StateChange {
    let partition = "orders-0".into();
    StateChange::HighWatermark { process: process.into(), partition, offset }
}

/// A record is produced with acks=all, replicated and acknowledged.
pub(crate) fn produce() -> Trace {
    let mut script = Script::default();
    set_up(&mut script);
    produce_into(&mut script);
    script.trace()
}

fn produce_into(script: &mut Script) {
    let text = "order-producer sends \"order-123\" to orders, acks=all".into();
    script.event(100, What::Step { index: 0, text, caption: None });
    let produce = script.packet("order-producer", "broker-1", "Produce", 100, 1100);
    script.state(1150, appended("broker-1", 0, 0));
    let waits = |until| StateChange::ProduceWaits {
        process: "broker-1".into(),
        partition: "orders-0".into(),
        until,
    };
    script.state(1150, waits(1));
    for (broker, at) in [("broker-2", 1200), ("broker-3", 1300)] {
        let fetch = script.packet(broker, "broker-1", "Fetch", at, at + 1000);
        script.answer(fetch, at + 1000, at + 2000, 1);
        script.state(at + 2050, appended(broker, 0, 0));
        let second = script.packet(broker, "broker-1", "Fetch", at + 2100, at + 3100);
        script.answer(second, at + 3300, at + 4300, 0);
        script.state(at + 4300, watermark(broker, 1));
    }
    script.state(4400, watermark("broker-1", 1));
    script.mark(4400, "broker-1", "REP-2");
    script.mark(4400, "broker-1", "REP-6");
    script.answer(produce, 4400, 5400, 0);
    script.state(
        5400,
        StateChange::BatchAcked {
            process: "order-producer".into(),
            partition: "orders-0".into(),
            batch: 7,
            count: 1,
            acks: "all".into(),
            base: Some(0),
        },
    );
}

/// The leader crashes, is fenced, and another broker leads.
pub(crate) fn election() -> Trace {
    let mut script = Script::default();
    set_up(&mut script);
    produce_into(&mut script);
    let text = "broker-1 crashes".into();
    script.event(20_000, What::Step { index: 1, text, caption: None });
    script.event(20_000, What::Fault(Fault::Crash { process: "broker-1".into() }));
    for turn in 0..4_u64 {
        let at = 2_000_000 * (turn + 1);
        for broker in ["broker-2", "broker-3"] {
            script.routine(broker, "controller", "BrokerHeartbeat", at, at + 800);
        }
    }
    script.lose("broker-2", "broker-1", "Fetch", 30_000, 31_000);
    let (liveness, broker) =
        (topomotion_trace::BrokerLiveness::Fenced, "broker-1".into());
    let controller = || "controller".into();
    script.state(
        9_000_000,
        StateChange::Broker { controller: controller(), broker, liveness },
    );
    script.state(
        9_000_000,
        StateChange::Registration {
            controller: controller(),
            partition: "orders-0".into(),
            replicas: vec!["broker-1".into(), "broker-2".into(), "broker-3".into()],
            isr: vec!["broker-2".into(), "broker-3".into()],
            leader: Some("broker-2".into()),
            leader_epoch: 1,
            partition_epoch: 1,
        },
    );
    script.mark(9_000_000, "controller", "CTL-3");
    for broker in ["broker-2", "broker-3"] {
        let fetch = script.packet(broker, "controller", "Fetch", 9_001_000, 9_002_000);
        script.answer(fetch, 9_002_000, 9_003_000, 2);
        script.state(
            9_003_100,
            StateChange::Replica {
                process: broker.into(),
                partition: "orders-0".into(),
                leader: Some("broker-2".into()),
                epoch: 1,
            },
        );
    }
    let metadata =
        script.packet("order-producer", "broker-3", "Metadata", 9_010_000, 9_011_000);
    script.answer(metadata, 9_011_000, 9_012_000, 0);
    let produce =
        script.packet("order-producer", "broker-2", "Produce", 9_013_000, 9_014_000);
    script.state(9_014_000, appended("broker-2", 1, 1));
    let fetch = script.packet("broker-3", "broker-2", "Fetch", 9_014_100, 9_015_000);
    script.answer(fetch, 9_015_000, 9_016_000, 1);
    script.state(9_016_000, appended("broker-3", 1, 1));
    script.packet("broker-3", "broker-2", "Fetch", 9_016_100, 9_017_000);
    script.state(9_017_000, watermark("broker-2", 2));
    script.mark(9_017_000, "broker-2", "REP-2");
    script.mark(9_017_000, "broker-2", "REP-6");
    script.answer(produce, 9_017_000, 9_018_000, 0);
    let demand = "no-acknowledged-record-lost".into();
    script.event(9_020_000, What::Verdict { step: 3, demand, failure: None });
    script.trace()
}
