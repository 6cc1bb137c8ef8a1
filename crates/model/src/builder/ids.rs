//! Who is known by which id, and what to say about an id that nobody has.

use std::collections::BTreeMap;

use crate::{Diagnostic, End, GroupId, ProcessId, Span, Topology, nearest};

/// Every id of a topology, with the place where it was given.
#[derive(Debug, Default)]
pub(super) struct Known {
    processes: BTreeMap<ProcessId, Option<Span>>,
    replicas: BTreeMap<ProcessId, Vec<ProcessId>>,
    groups: BTreeMap<GroupId, Vec<ProcessId>>,
    parents: BTreeMap<GroupId, GroupId>,
    homes: BTreeMap<ProcessId, GroupId>,
    /// In the script's order, so that the first of two equally near names wins.
    order: Vec<ProcessId>,
}

impl Known {
    pub(super) fn new(topology: &Topology) -> Known {
        let mut known = Known::default();
        for group in &topology.groups {
            known.groups.entry(group.id.clone()).or_default();
            if let Some(parent) = &group.parent {
                known.parents.insert(group.id.clone(), parent.clone());
            }
        }
        for process in &topology.processes {
            let id = &process.id;
            known.processes.insert(id.clone(), process.origin.part("id"));
            known.order.push(id.clone());
            if let Some(base) = &process.replica_of {
                known.replicas.entry(base.clone()).or_default().push(id.clone());
            }
            if let Some(group) = &process.group {
                known.homes.insert(id.clone(), group.clone());
                known.groups.entry(group.clone()).or_default().push(id.clone());
            }
        }
        known
    }

    /// Whether the process stands in the group, or in a group inside it.
    pub(super) fn stands_in(&self, process: &ProcessId, group: &GroupId) -> bool {
        let mut home = self.homes.get(process);
        // A chain of parents is no longer than there are groups, even if it were a circle.
        for _ in 0..=self.groups.len() {
            match home {
                Some(id) if id == group => return true,
                Some(id) => home = self.parents.get(id),
                None => return false,
            }
        }
        false
    }

    /// The replicas of a base id.
    pub(super) fn replicas(&self, base: &str) -> Option<&[ProcessId]> {
        self.replicas.get(&ProcessId::from(base)).map(Vec::as_slice)
    }

    /// The one process that a step names.
    pub(super) fn process(
        &self,
        name: &str,
        span: Option<Span>,
    ) -> Result<ProcessId, Box<Diagnostic>> {
        let id = ProcessId::from(name);
        if self.processes.contains_key(&id) {
            return Ok(id);
        }
        if let Some(replicas) = self.replicas.get(&id) {
            return Err(Box::new(several_replicas(name, replicas, span)));
        }
        Err(Box::new(self.unknown(name, span)))
    }

    /// What an edge's end names: a process, or all replicas of one, or else a group.
    pub(super) fn ends(
        &self,
        name: &str,
        span: Option<Span>,
    ) -> Result<Vec<End>, Box<Diagnostic>> {
        let id = ProcessId::from(name);
        if self.processes.contains_key(&id) {
            return Ok(vec![End::Process(id)]);
        }
        if let Some(replicas) = self.replicas.get(&id) {
            return Ok(replicas.iter().cloned().map(End::Process).collect());
        }
        let group = GroupId::from(name);
        if self.groups.contains_key(&group) {
            return Ok(vec![End::Group(group)]);
        }
        Err(Box::new(self.unknown(name, span)))
    }

    fn unknown(&self, name: &str, span: Option<Span>) -> Diagnostic {
        let message = format!("no process has the id `{name}`");
        let error = Diagnostic::error("unknown-process", message, span);
        if let Some(members) = self.groups.get(&GroupId::from(name)) {
            return error
                .at("a group has this id, but a step needs a process")
                .help(processes_of_group(name, members));
        }
        let error = error.at("no process has this id");
        match nearest(name, self.order.iter().map(ProcessId::as_str)) {
            Some(near) => error
                .label(self.place(near), "a similar id is given here")
                .help(format!("did you mean `{near}`?"))
                .fix(span, near),
            None if self.order.is_empty() => {
                error.help("the topology has no process yet")
            }
            None => error.help(format!("known processes: {}", list(&self.order))),
        }
    }

    fn place(&self, id: &str) -> Option<Span> {
        self.processes.get(&ProcessId::from(id)).copied().flatten()
    }
}

fn processes_of_group(name: &str, members: &[ProcessId]) -> String {
    match members {
        [] => format!("group `{name}` holds no process"),
        members => format!("group `{name}` holds: {}", list(members)),
    }
}

fn several_replicas(
    name: &str,
    replicas: &[ProcessId],
    span: Option<Span>,
) -> Diagnostic {
    let message = format!("`{name}` stands for {} replicas here", replicas.len());
    Diagnostic::error("ambiguous-replica", message, span)
        .at("a step needs one process")
        .help(format!("name one of them: {}", list(replicas)))
}

/// Up to eight ids, and how many more there are.
pub(super) fn list(ids: &[ProcessId]) -> String {
    const SHOWN: usize = 8;
    let shown: Vec<&str> = ids.iter().take(SHOWN).map(ProcessId::as_str).collect();
    let more = match ids.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{}{more}", shown.join(", "))
}
