//! What ZooKeeper's messages say, and those of a controller of its days.

use topomotion_wire::{
    ControllerCall, CorrelationId, LeaderAndIsr, NodeId, Zab, ZkAnswer, ZkChange,
    ZkEvent, ZkLife, ZkMessage, ZkOp, ZkWatch,
};

use super::{Dictionary, Part, Told, Weight};

/// The request that it answers, if it answers one.
pub(crate) fn answers(message: &ZkMessage) -> Option<CorrelationId> {
    match message {
        ZkMessage::Reply { correlation, .. }
        | ZkMessage::Controlled { correlation, .. } => Some(*correlation),
        ZkMessage::Request { .. }
        | ZkMessage::Event { .. }
        | ZkMessage::Zab(_)
        | ZkMessage::Control { .. } => None,
    }
}

/// What it is called and what it says.
pub(super) fn tell(message: &ZkMessage, names: &Dictionary) -> (&'static str, Told) {
    let (name, part) = match message {
        ZkMessage::Request { op: ZkOp::Ping, .. } => ("ping", routine("")),
        ZkMessage::Reply { result: Ok(ZkAnswer::Pong), .. } => ("pong", routine("")),
        ZkMessage::Request { op, .. } => (op.name(), Part::always("", asked(op))),
        ZkMessage::Reply { result, .. } => match result {
            Ok(answer) => ("ok", Part::always("", answered(answer))),
            Err(error) => ("refused", Part::always("", error.name())),
        },
        ZkMessage::Event { event, path } => {
            ("watch", Part::always("", format!("{path} {}", seen(*event))))
        }
        ZkMessage::Zab(zab) => between(zab),
        ZkMessage::Control { controller_epoch, call, .. } => {
            (call.name(), Part::always("", called(*controller_epoch, call, names)))
        }
        ZkMessage::Controlled { name, .. } => (*name, Part::always("", "")),
    };
    (name, Told { error: message.error(), ..Told::one(part) })
}

fn routine(text: impl Into<String>) -> Part {
    Part { subject: String::new(), text: text.into(), weight: Weight::Never }
}

/// What is asked, without the name of the operation.
fn asked(op: &ZkOp) -> String {
    match op {
        ZkOp::Connect { session: Some(_), .. } => "the session goes on".to_owned(),
        ZkOp::Connect { session: None, timeout } => {
            format!("a session of {} s", timeout.as_millis() / 1_000)
        }
        ZkOp::CreateSession(..) | ZkOp::CloseSession(_) | ZkOp::Ping => String::new(),
        ZkOp::Create { path, life: ZkLife::Ephemeral, .. } => format!("{path} ephemeral"),
        ZkOp::Create { path, life: ZkLife::Persistent, .. }
        | ZkOp::Delete { path, .. }
        | ZkOp::Check { path, .. } => path.to_string(),
        ZkOp::SetData { path, data, .. } => match data.starts_with('{') {
            true => path.to_string(),
            false => format!("{path} = {data}"),
        },
        ZkOp::Multi(ops) => {
            let told = ops.iter().map(|op| format!("{} {}", op.name(), asked(op)));
            told.collect::<Vec<String>>().join(", ")
        }
        ZkOp::GetData(path, watch)
        | ZkOp::Exists(path, watch)
        | ZkOp::GetChildren(path, watch) => match watch {
            ZkWatch::Set => format!("{path} + watch"),
            ZkWatch::Unset => path.to_string(),
        },
    }
}

fn answered(answer: &ZkAnswer) -> String {
    match answer {
        ZkAnswer::Connected(_) => "session".to_owned(),
        ZkAnswer::Done | ZkAnswer::Pong => String::new(),
        ZkAnswer::Data { data, version, .. } => {
            let value: serde_json::Value = serde_json::from_str(data).unwrap_or_default();
            match (value.get("leader"), value.get("isr"), value.get("brokerid")) {
                (Some(leader), Some(isr), _) => format!("leader {leader}, isr {isr}"),
                (_, _, Some(id)) => format!("broker {id}"),
                _ if data.starts_with('{') => format!("version {version}"),
                _ => data.to_string(),
            }
        }
        ZkAnswer::Exists(true) => "it exists".to_owned(),
        ZkAnswer::Exists(false) => "no such znode".to_owned(),
        ZkAnswer::Children(children) => children.join(", "),
    }
}

fn seen(event: ZkEvent) -> &'static str {
    match event {
        ZkEvent::NodeCreated => "created",
        ZkEvent::NodeDeleted => "deleted",
        ZkEvent::NodeDataChanged => "changed",
        ZkEvent::NodeChildrenChanged => "has other children",
    }
}

fn between(zab: &Zab) -> (&'static str, Part) {
    let change = |change: &ZkChange| {
        let asked = asked(&change.op);
        match asked.is_empty() {
            true => change.op.name().to_owned(),
            false => format!("{} {asked}", change.op.name()),
        }
    };
    match zab {
        Zab::FollowerInfo(_, state) => {
            ("FollowerInfo", Part::always("", format!("zxid {}", state.zxid.0)))
        }
        Zab::Snapshot(state) => {
            ("Snapshot", Part::always("", format!("zxid {}", state.zxid.0)))
        }
        Zab::Request(it) => ("forward", Part::always("", change(it))),
        Zab::Proposal(zxid, it) => {
            ("proposal", Part::always("", format!("{}: {}", zxid.0, change(it))))
        }
        // The proposal has told it.
        Zab::Ack(zxid) => ("ack", routine(zxid.0.to_string())),
        Zab::Commit(zxid) => ("commit", routine(zxid.0.to_string())),
        Zab::Ping => ("ping", routine("")),
        Zab::Pong(_) => ("pong", routine("")),
    }
}

/// Partitions that a label names; of more, the number is told.
const NAMED: usize = 3;

fn called(epoch: i32, call: &ControllerCall, names: &Dictionary) -> String {
    let partitions = |partitions: &[LeaderAndIsr]| match partitions.len() {
        0 => "no partition".to_owned(),
        1..=NAMED => {
            let led = partitions.iter().map(|it| {
                let leader = it.leader.map_or("none".into(), |id: NodeId| names.node(id));
                format!("{} {leader}", it.partition)
            });
            led.collect::<Vec<String>>().join(", ")
        }
        many => format!("{many} partitions"),
    };
    match call {
        ControllerCall::LeaderAndIsr(it) => {
            format!("epoch {epoch}: {}", partitions(it))
        }
        ControllerCall::UpdateMetadata { partitions: changed, brokers } => {
            let brokers: Vec<String> =
                brokers.iter().map(|id| id.0.to_string()).collect();
            format!(
                "epoch {epoch}: {}, brokers {}",
                partitions(changed),
                brokers.join(" ")
            )
        }
    }
}

/// Bytes of a header, about.
const HEAD: usize = 16;
/// Bytes of one partition's state.
const STATE: usize = 40;

/// About how long it is on the wire, in bytes.
pub(super) fn size(message: &ZkMessage) -> u32 {
    let body = match message {
        ZkMessage::Request { op, .. } => op_size(op),
        ZkMessage::Reply { result: Ok(answer), .. } => match answer {
            ZkAnswer::Data { data, .. } => data.len() + 68,
            ZkAnswer::Children(children) => children.iter().map(|it| it.len() + 4).sum(),
            ZkAnswer::Exists(_) => 68,
            ZkAnswer::Connected(_) | ZkAnswer::Done | ZkAnswer::Pong => HEAD,
        },
        ZkMessage::Reply { result: Err(_), .. } | ZkMessage::Controlled { .. } => 4,
        ZkMessage::Event { path, .. } => path.len() + 12,
        ZkMessage::Zab(zab) => match zab {
            Zab::FollowerInfo(_, state) | Zab::Snapshot(state) => {
                let node =
                    |(path, node): &(std::sync::Arc<str>, topomotion_wire::Znode)| {
                        path.len() + node.data.len() + 60
                    };
                state.nodes.iter().map(node).sum()
            }
            Zab::Request(change) | Zab::Proposal(_, change) => op_size(&change.op) + HEAD,
            Zab::Ack(_) | Zab::Commit(_) | Zab::Ping => HEAD,
            Zab::Pong(sessions) => HEAD + 12 * sessions.len(),
        },
        ZkMessage::Control { call, .. } => {
            let (ControllerCall::LeaderAndIsr(partitions)
            | ControllerCall::UpdateMetadata { partitions, .. }) = call;
            let nodes: usize =
                partitions.iter().map(|it| it.isr.len() + it.replicas.len()).sum();
            STATE * partitions.len() + 4 * nodes
        }
    };
    u32::try_from(HEAD + body).unwrap_or(u32::MAX)
}

fn op_size(op: &ZkOp) -> usize {
    match op {
        ZkOp::Create { path, data, .. } | ZkOp::SetData { path, data, .. } => {
            path.len() + data.len() + HEAD
        }
        ZkOp::Delete { path, .. }
        | ZkOp::Check { path, .. }
        | ZkOp::GetData(path, _)
        | ZkOp::Exists(path, _)
        | ZkOp::GetChildren(path, _) => path.len() + 8,
        ZkOp::Multi(ops) => ops.iter().map(|op| op_size(op) + 9).sum(),
        ZkOp::Connect { .. } => 44,
        ZkOp::CreateSession(..) | ZkOp::CloseSession(_) | ZkOp::Ping => 8,
    }
}
