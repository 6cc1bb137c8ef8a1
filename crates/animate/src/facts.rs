//! What is true of each process at each moment, in words, for those who ask.

use std::collections::{BTreeMap, BTreeSet};

use topomotion_scene::NodeBox;

use crate::ledger::{Hurt, Ledger, Replica, Touch};
use crate::paint::state_word;
use crate::stage::Stage;

/// By process: from when on, and what.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    all: BTreeMap<String, Vec<(u32, Vec<String>)>>,
}

impl Facts {
    /// Something was touched at this moment of the film.
    pub fn touch(&mut self, ledger: &Ledger, touch: &Touch, at: u32, stage: &Stage) {
        let processes: BTreeSet<String> = match touch {
            Touch::Node(process)
            | Touch::Client(process)
            | Touch::Replica(process, _) => BTreeSet::from([process.clone()]),
            Touch::Partition(partition) => ledger.holders(partition).collect(),
        };
        for process in processes {
            let Some(node) = stage.node(&process) else { continue };
            let lines = told(node, ledger, stage);
            let own = self.all.entry(process).or_default();
            while own.last().is_some_and(|(turn, _)| *turn >= at) {
                own.pop();
            }
            if own.last().map(|(_, lines)| lines) != Some(&lines) {
                own.push((at, lines));
            }
        }
    }

    /// By process, then by time.
    pub fn into_all(self) -> impl Iterator<Item = (String, u32, Vec<String>)> {
        self.all.into_iter().flat_map(|(process, turns)| {
            turns.into_iter().map(move |(at, lines)| (process.clone(), at, lines))
        })
    }
}

fn told(node: &NodeBox, ledger: &Ledger, stage: &Stage) -> Vec<String> {
    let process = &*node.id;
    let mut lines = vec![format!("state: {}", state(node, ledger))];
    if let Some(epoch) = ledger.doing(process).crowned {
        lines.push(format!("quorum: active controller, epoch {epoch}"));
    }
    for (partition, replica) in ledger.replicas_of(process) {
        lines.push(format!(
            "{partition}: {}",
            replica_told(process, partition, replica, ledger, stage)
        ));
    }
    for (group, it) in ledger.groups().coordinated(process) {
        let (state, generation) = (it.state.name(), it.generation);
        let members = it.members;
        lines.push(format!(
            "coordinates {group}: {state}, generation {generation}, members {members}"
        ));
    }
    for (id, transaction) in ledger.groups().open_transactions(process) {
        lines.push(format!("transaction {id}: {}", transaction.state));
    }
    client(process, ledger, &mut lines);
    lines
}

fn state(node: &NodeBox, ledger: &Ledger) -> String {
    let doing = ledger.doing(&node.id);
    let mut words = match doing.hurt {
        Some(Hurt::Down) => "down".to_owned(),
        Some(Hurt::Paused) => "paused".to_owned(),
        None => state_word(doing.state(node.state)).to_owned(),
    };
    for (holds, word) in [
        (doing.fenced.is_some() && doing.starting.is_none(), ", fenced"),
        (doing.starting.is_some(), ", starting"),
        (doing.leaving.is_some(), ", shutting down"),
        (doing.cut.is_some(), ", cut off"),
    ] {
        words.push_str(if holds { word } else { "" });
    }
    words
}

fn replica_told(
    process: &str,
    partition: &str,
    replica: &Replica,
    ledger: &Ledger,
    stage: &Stage,
) -> String {
    let leads = replica.leader.as_deref() == Some(process);
    let role = match &replica.leader {
        _ if leads => "leader".to_owned(),
        Some(leader) => format!("follows {}", stage.name(leader)),
        None => "no leader".to_owned(),
    };
    let mut told = format!(
        "{role}, epoch {}, log end {}, high watermark {}",
        replica.epoch, replica.end, replica.watermark
    );
    let below = replica.last_stable.filter(|it| *it < replica.watermark);
    told.extend(below.map(|offset| format!(", last stable {offset}")));
    let registration = ledger.registration(partition).filter(|_| leads);
    if let Some(registration) = registration {
        let isr: Vec<&str> = registration.isr.iter().map(|id| stage.name(id)).collect();
        told.push_str(&format!(", in sync: {}", isr.join(", ")));
    }
    told
}

/// What a producer has sent, what a consumer owns and reads.
fn client(process: &str, ledger: &Ledger, lines: &mut Vec<String>) {
    let sent = ledger.sent(process);
    if sent != Default::default() {
        lines.push(format!(
            "records: {} acknowledged, {} waiting, {} failed",
            sent.acknowledged, sent.in_flight, sent.failed
        ));
    }
    let groups = ledger.groups();
    if let Some((id, epoch)) = groups.identity(process).id {
        let open = if groups.identity(process).open { ", in a transaction" } else { "" };
        lines.push(format!("producer id: {id}, epoch {epoch}{open}"));
    }
    if let Some(member) = groups.member(process) {
        let owned = match &*member.owned {
            [] => "nothing".to_owned(),
            owned => owned.join(", "),
        };
        lines.push(match member.generation {
            ..0 => format!("group {}: not a member", member.group),
            generation => {
                format!("group {}: generation {generation}, owns {owned}", member.group)
            }
        });
    }
    for (partition, next) in ledger.positions_of(process) {
        let committed = groups.committed(process, partition);
        let committed = committed.map(|it| format!(", committed {it}"));
        lines.push(format!(
            "{partition}: reads {next} next{}",
            committed.unwrap_or_default()
        ));
    }
}

#[cfg(test)]
mod tests {
    use topomotion_trace::{Event, Fault, StateChange, Time, What};

    use super::*;
    use crate::fixture;
    use crate::stage::Bands;

    #[test]
    fn a_broker_tells_its_state_its_partitions_offsets_and_epochs() {
        let stage = Stage::new(&fixture::scene(), Bands::Film);
        let (mut ledger, mut facts) = (Ledger::default(), Facts::default());
        let partition: std::sync::Arc<str> = "orders-0".into();
        let process: std::sync::Arc<str> = "broker-1".into();
        let leads = StateChange::Replica {
            process: process.clone(),
            partition: partition.clone(),
            leader: Some(process.clone()),
            epoch: 4,
        };
        let grows = StateChange::Appended {
            process: process.clone(),
            partition,
            base: 0,
            count: 2,
            epoch: 4,
            batch: 7,
        };
        let happen = [
            (0, What::State(leads)),
            (10, What::State(grows)),
            (20, What::Fault(Fault::Crash { process })),
        ];
        for (at, what) in happen {
            for touch in ledger.apply(&Event { at: Time(0), what }) {
                facts.touch(&ledger, &touch, at, &stage);
            }
        }
        let all: Vec<_> = facts.into_all().collect();
        assert_eq!(all.len(), 3);
        assert_eq!(
            all[1].2,
            ["state: running", "orders-0: leader, epoch 4, log end 2, high watermark 0"]
        );
        assert_eq!((all[2].1, &*all[2].2[0]), (20, "state: down"));
    }
}
