//! What must hold in every state: R2, R3, R8, R12, K1, K6.

use topomotion_wire::{Acks, NodeId, PartitionState};

use crate::disk::Entry;
use crate::evidence::{Copy, Evidence, Seen};

/// The invariants that are judged, with what they say.
pub const INVARIANTS: [(&str, &str); 6] = [
    ("R2", "every sound replica in the ISR or ELR has what its leader calls replicated"),
    ("R3", "a registered leader is in the registered ISR"),
    ("R8", "the ISR that a leader counts on contains the one that was committed"),
    ("R12", "what was acknowledged with acks=all is in every later leader's log"),
    ("K1", "an epoch of the quorum has at most one leader"),
    ("K6", "what is committed in the metadata log is the same everywhere"),
];

/// Something that must never be, and is: which invariant, and what is seen, in words.
pub type Finding = (&'static str, String);

/// Every invariant that this state breaks.
pub fn judge(evidence: &Evidence<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    registered_leader_in_isr(evidence, &mut found);
    for (leader, copy) in evidence.nodes.iter().filter_map(leads) {
        maximal_isr_contains_committed(evidence, leader, copy, &mut found);
    }
    if let Some((leader, copy, registration)) = present_leader(evidence) {
        isr_is_strong(evidence, leader, copy, registration, &mut found);
        promises_are_kept(evidence, leader, &mut found);
    }
    one_leader_an_epoch(evidence, &mut found);
    committed_is_agreed(evidence, &mut found);
    found
}

fn leads<'a, 'e>(seen: &'a Seen<'e>) -> Option<(&'a Seen<'e>, &'a Copy)> {
    let copy = seen.copy.as_ref().filter(|copy| copy.leads)?;
    Some((seen, copy))
}

/// The node that leads by the last registration and knows it: the one that can still commit.
fn present_leader<'a>(
    evidence: &'a Evidence<'_>,
) -> Option<(&'a Seen<'a>, &'a Copy, &'a PartitionState)> {
    let registration = evidence.history.registration()?;
    let mut leaders = evidence.nodes.iter().filter_map(leads);
    let (leader, copy) = leaders.find(|(leader, copy)| {
        registration.leader == Some(leader.id)
            && registration.leader_epoch == copy.leader_epoch
    })?;
    Some((leader, copy, registration))
}

/// R2.
fn isr_is_strong(
    evidence: &Evidence<'_>,
    leader: &Seen<'_>,
    copy: &Copy,
    registration: &PartitionState,
    found: &mut Vec<Finding>,
) {
    let below = |log: &[Entry]| -> Vec<(i64, i32, u32)> {
        let below = log.iter().filter(|entry| entry.base < copy.high_watermark);
        below.map(|entry| (entry.base, entry.epoch, entry.batch)).collect()
    };
    let wanted = below(leader.log);
    for member in registration.isr.iter().chain(&registration.elr) {
        let Some(other) = evidence.nodes.iter().find(|seen| seen.id == *member) else {
            continue;
        };
        if evidence.is_sound(*member) && below(other.log) != wanted {
            let (leader, end) = (leader.id, end_of(other.log));
            let watermark = copy.high_watermark;
            let text = format!(
                "broker {leader} calls everything before offset {watermark} replicated, \
                 and broker {member}, which may lead next, does not have the same \
                 there; its log ends at {end}"
            );
            found.push(("R2", text));
        }
    }
}

fn end_of(log: &[Entry]) -> i64 {
    log.last().map_or(0, |entry| entry.end)
}

/// R3.
fn registered_leader_in_isr(evidence: &Evidence<'_>, found: &mut Vec<Finding>) {
    let applied = evidence.nodes.iter().filter_map(|seen| seen.registration.as_ref());
    for state in evidence.history.registrations.values().chain(applied) {
        if let Some(leader) = state.leader.filter(|leader| !state.isr.contains(leader)) {
            let isr = names(&state.isr);
            found.push(("R3", format!("{leader} leads and is not in the ISR {isr}")));
        }
    }
}

/// R8.
fn maximal_isr_contains_committed(
    evidence: &Evidence<'_>,
    leader: &Seen<'_>,
    copy: &Copy,
    found: &mut Vec<Finding>,
) {
    let epoch = copy.partition_epoch.0;
    let Some(committed) = evidence.history.registrations.get(&epoch) else { return };
    if !committed.isr.iter().all(|member| copy.maximal_isr.contains(member)) {
        let (own, isr) = (names(&copy.maximal_isr), names(&committed.isr));
        let leader = leader.id;
        let text = format!(
            "broker {leader} counts on {own}, but {isr} is committed in partition epoch \
             {epoch}"
        );
        found.push(("R8", text));
    }
}

/// R12.
fn promises_are_kept(
    evidence: &Evidence<'_>,
    leader: &Seen<'_>,
    found: &mut Vec<Finding>,
) {
    let all = evidence.history.promises.iter().filter(|it| it.acks == Acks::All);
    for promise in all {
        let holds =
            |entry: &Entry| (entry.base, entry.batch) == (promise.base, promise.batch);
        if !leader.log.iter().any(holds) {
            let (leader, base) = (leader.id, promise.base);
            let end = end_of(leader_log(evidence, leader));
            let text = format!(
                "the record acknowledged at offset {base} is not in the log of broker \
                 {leader}, which leads and whose log ends at {end}"
            );
            found.push(("R12", text));
        }
    }
}

fn leader_log<'a>(evidence: &'a Evidence<'_>, leader: NodeId) -> &'a [Entry] {
    let seen = evidence.nodes.iter().find(|seen| seen.id == leader);
    seen.map_or(&[], |seen| seen.log)
}

/// K1.
fn one_leader_an_epoch(evidence: &Evidence<'_>, found: &mut Vec<Finding>) {
    for (epoch, leaders) in &evidence.history.leaders {
        if leaders.len() > 1 {
            let leaders: Vec<String> = leaders.iter().map(i32::to_string).collect();
            let leaders = leaders.join(" and ");
            found.push((
                "K1",
                format!("nodes {leaders} both led the quorum in epoch {epoch}"),
            ));
        }
    }
}

/// K6. What was once called committed stays so.
fn committed_is_agreed(evidence: &Evidence<'_>, found: &mut Vec<Finding>) {
    let known = &evidence.history.committed;
    for seen in &evidence.nodes {
        let committed = committed_of(seen);
        let differs = known.iter().zip(committed).find(|(a, b)| !is_same(a, b));
        if let Some((_, entry)) = differs {
            let (node, base) = (seen.id, entry.base);
            let text = format!(
                "node {node} calls another record committed at offset {base} of the \
                 metadata log than somebody before"
            );
            found.push(("K6", text));
        }
    }
}

fn is_same(a: &Entry, b: &Entry) -> bool {
    (a.base, a.end, a.epoch, a.batch) == (b.base, b.end, b.epoch, b.batch)
}

/// The part of a node's metadata log that it calls committed.
pub(crate) fn committed_of<'a>(seen: &Seen<'a>) -> &'a [Entry] {
    let watermark = seen.member.as_ref().map_or(0, |member| member.high_watermark);
    let count = seen.metadata.iter().take_while(|entry| entry.end <= watermark).count();
    &seen.metadata[..count]
}

fn names(nodes: &[NodeId]) -> String {
    let names: Vec<String> = nodes.iter().map(ToString::to_string).collect();
    format!("{{{}}}", names.join(", "))
}

#[cfg(test)]
mod tests;
