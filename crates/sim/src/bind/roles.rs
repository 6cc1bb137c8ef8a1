//! What each process is: what the script says, else what its words, edges and groups tell.

use topomotion_model::{Process, ProcessRole, Topology};

use super::Draft;

/// What the script tells.
pub(super) fn find(draft: &mut Draft<'_>) {
    let topology = draft.topology;
    for process in &topology.processes {
        if let Some(role) = topology.role_of(&process.id) {
            draft.roles.insert(process.id.clone(), role.in_engine());
            let why = reason(topology, process, role);
            draft.say(format!("`{}` is {}: {why}.", process.id, noun(role)));
        }
    }
}

/// Edges say more once it is known who the brokers are.
pub(super) fn guess(draft: &mut Draft<'_>) {
    for process in &draft.topology.processes {
        if draft.role(&process.id).is_none() && !draft.elsewhere.contains(&process.id) {
            guess_one(draft, process);
        }
    }
}

fn guess_one(draft: &mut Draft<'_>, process: &Process) {
    let dials = draft.dials(&process.id);
    let kafka = dials.iter().find(|edge| edge.speaks_kafka()).copied();
    let target = kafka.and_then(|edge| edge.target.process()).cloned();
    let label = kafka.and_then(|edge| edge.label.as_deref()).unwrap_or_default();
    let (role, why) = match target {
        _ if !dials.is_empty() && draft.is_made_to_produce(&process.id) => {
            (ProcessRole::Producer, "a scenario makes it send records".to_owned())
        }
        Some(target) if label.contains("acks") => {
            (ProcessRole::Producer, format!("it dials `{target}` and speaks of acks"))
        }
        Some(target) => {
            let how =
                format!("it dials `{target}` over kafka and says nothing of producing");
            (ProcessRole::Consumer, how)
        }
        None => return draft.say(format!("`{}` takes no part in the runs.", process.id)),
    };
    draft.roles.insert(process.id.clone(), role);
    draft.say(format!("`{}` is {}: {why}.", process.id, noun(role)));
}

/// Which of the sources settled it: each is tried alone.
fn reason(topology: &Topology, process: &Process, role: ProcessRole) -> &'static str {
    if process.role.is_some() {
        return "the script says so";
    }
    let alone = Process { group: None, ..process.clone() };
    let by_name = Topology { processes: vec![alone.clone()], ..Topology::default() };
    if by_name.role_of(&process.id) == Some(role) {
        return "its name says so";
    }
    let mut processes = topology.processes.clone();
    processes.iter_mut().filter(|other| other.id == process.id).for_each(|other| {
        *other = alone.clone();
    });
    let by_edges =
        Topology { processes, edges: topology.edges.clone(), ..Topology::default() };
    if by_edges.role_of(&process.id) == Some(role) {
        return "its connections say so";
    }
    "its group says so"
}

pub(super) fn noun(role: ProcessRole) -> &'static str {
    match role {
        ProcessRole::Broker => "a broker",
        ProcessRole::Controller => "a controller",
        ProcessRole::Producer => "a producer",
        ProcessRole::Consumer => "a consumer",
        ProcessRole::SchemaRegistry => "a schema registry",
        ProcessRole::Connect => "a Connect worker",
        ProcessRole::Streams => "a stream processor",
        ProcessRole::Zookeeper => "a ZooKeeper server",
        ProcessRole::Database => "a database",
        ProcessRole::Cache => "a cache",
        ProcessRole::Queue => "a queue",
        ProcessRole::Gateway => "a gateway",
        ProcessRole::Storage => "a store of files",
        ProcessRole::Service => "a service",
    }
}
