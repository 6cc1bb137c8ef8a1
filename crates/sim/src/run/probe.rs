//! What the judge is shown of a machine's inside when something has happened to it: plain
//! data, copied out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use topomotion_broker::{Node, ReplicaView};
use topomotion_log::{Attributes, Batch, Log, LogConfig, Marker, MarkerKind};
use topomotion_model::ProcessId;
use topomotion_quorum::VoterSet;
use topomotion_trace::{QuorumRole, StateChange};
use topomotion_wire::{NodeId, Offset, ReplicaRole, TopicPartition};

use super::body::Body;
use super::cluster::Cluster;
use crate::record::KnownProducer;
use crate::{Attention, Sight};

/// Looks inside whoever something has happened to.
#[derive(Debug)]
pub(super) struct Probe {
    attention: Attention,
    /// Replicas that were looked at since their process was started.
    found: BTreeSet<(Arc<str>, Arc<str>)>,
    /// Replicas that were once taken from their process; their logs may begin anew.
    moved: BTreeSet<(Arc<str>, Arc<str>)>,
    /// The replicas of each partition, as committed.
    replicas: BTreeMap<Arc<str>, Vec<Arc<str>>>,
    /// How far each process had applied metadata when it was looked at last.
    taken: BTreeMap<Arc<str>, i64>,
}

impl Probe {
    /// Nothing has been looked at yet.
    pub fn new(attention: Attention) -> Probe {
        Probe {
            attention,
            found: BTreeSet::new(),
            moved: BTreeSet::new(),
            replicas: BTreeMap::new(),
            taken: BTreeMap::new(),
        }
    }

    /// What a change of state shows.
    pub fn change(&mut self, cluster: &Cluster<'_>, change: &StateChange) -> Vec<Sight> {
        let stamp = match change {
            StateChange::Appended { process, partition, base, .. }
                if self.attention == Attention::Invariants =>
            {
                stamp(cluster, process, partition, *base)
            }
            _ => None,
        };
        let more = match change {
            _ if self.attention != Attention::Invariants => None,
            StateChange::Replica { process, partition, .. }
            | StateChange::Appended { process, partition, .. }
            | StateChange::Truncated { process, partition, .. } => {
                epochs(cluster, process, partition)
            }
            StateChange::Quorum { process, .. } => metadata_log(cluster, process),
            _ => None,
        };
        let known = match change {
            _ if self.attention != Attention::Invariants => None,
            StateChange::Replica { process, partition, .. }
            | StateChange::Appended { process, partition, .. }
            | StateChange::Truncated { process, partition, .. } => {
                producers(cluster, process, partition)
            }
            _ => None,
        };
        let shown = self.one(cluster, change).into_iter();
        shown.chain(stamp).chain(more).chain(known).collect()
    }

    fn one(&mut self, cluster: &Cluster<'_>, change: &StateChange) -> Option<Sight> {
        match change {
            StateChange::Registration { partition, replicas, .. } => {
                let before = self.replicas.insert(partition.clone(), replicas.clone());
                let gone =
                    before.into_iter().flatten().filter(|it| !replicas.contains(it));
                self.moved.extend(gone.map(|it| (it, partition.clone())));
                None
            }
            StateChange::Replica { process, partition, .. } => {
                let place = (process.clone(), partition.clone());
                if self.found.contains(&place) && !self.moved.contains(&place) {
                    return None;
                }
                let Some(view) = node(cluster, process)?.replica(&read(partition)?)
                else {
                    // What comes after is a log that begins anew.
                    self.moved.insert(place);
                    return None;
                };
                self.moved.remove(&place);
                self.found.insert(place);
                let (process, partition) = (process.clone(), partition.clone());
                Some(Sight::Found { process, partition, end: view.log_end.0 })
            }
            StateChange::HighWatermark { process, partition, .. }
                if self.attention == Attention::Invariants =>
            {
                let view = leader(cluster, process, partition)?;
                Some(Sight::Leads {
                    process: process.clone(),
                    partition: partition.clone(),
                    isr: names(cluster, &view.isr),
                    maximal_isr: names(cluster, &view.maximal_isr),
                    partition_epoch: view.partition_epoch.0,
                })
            }
            StateChange::IsrProposed { process, partition, isr }
                if self.attention == Attention::Invariants =>
            {
                let known = names(cluster, &leader(cluster, process, partition)?.isr);
                let new = isr.iter().filter(|member| !known.contains(member));
                Some(Sight::Proposes {
                    process: process.clone(),
                    partition: partition.clone(),
                    newcomers: new.cloned().collect(),
                })
            }
            StateChange::Quorum { process, role: QuorumRole::Leader, .. } => {
                let end = node(cluster, process)?.quorum().log().end_offset().0;
                Some(Sight::Elected { process: process.clone(), end })
            }
            _ => None,
        }
    }

    /// What a sight leads to: at a node that has applied metadata, there is more to see.
    pub fn sight(&mut self, cluster: &Cluster<'_>, sight: &Sight) -> Vec<Sight> {
        match sight {
            Sight::Started(process) => {
                self.found.retain(|(other, _)| other != process);
                self.taken.remove(process);
                Vec::new()
            }
            Sight::Applied { process, .. } if self.attention == Attention::Invariants => {
                let Some(node) = node(cluster, process) else { return Vec::new() };
                let offset = node.metadata_offset().0;
                let digest = digest(&format!("{:?}", node.image()));
                let image = Sight::Image { process: process.clone(), offset, digest };
                let committed = node.quorum().is_leader().then(|| {
                    let (holders, voters) = holders(cluster, node, offset);
                    Sight::Committed { process: process.clone(), offset, holders, voters }
                });
                let taken = self.take(node, process, offset);
                let log = metadata_log(cluster, process);
                [image].into_iter().chain(committed).chain(taken).chain(log).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The batches that a node has applied since it was looked at last.
    fn take(&mut self, node: &Node, process: &Arc<str>, offset: i64) -> Option<Sight> {
        let from = self.taken.insert(process.clone(), offset).unwrap_or(0);
        let log = node.quorum().log();
        let (from, to) = (Offset(from).max(log.start_offset()), Offset(offset));
        if from >= to {
            return None;
        }
        let batches = log.batches(from, to);
        let told =
            |batch: Batch| (batch.base_offset().0, batch.leader_epoch().0, batch.crc());
        let batches = batches.map(told).collect();
        Some(Sight::MetadataTaken { process: process.clone(), batches })
    }
}

/// A node's metadata log as it is.
fn metadata_log(cluster: &Cluster<'_>, process: &Arc<str>) -> Option<Sight> {
    let quorum = node(cluster, process)?.quorum();
    let voters = quorum.voters().ids();
    let named = voters.filter_map(|id| cluster.plan.process_of(id.0));
    Some(Sight::MetadataLog {
        process: process.clone(),
        leads: quorum.is_leader().then_some(quorum.epoch().0),
        start: quorum.log().start_offset().0,
        end: quorum.log().end_offset().0,
        high_watermark: quorum.high_watermark().0,
        snapshots: quorum.snapshots().map(|id| id.end.0).collect(),
        voters: named.map(|process| process.0.clone()).collect(),
    })
}

/// A replica's leader epochs as they are.
fn epochs(
    cluster: &Cluster<'_>,
    process: &Arc<str>,
    partition: &Arc<str>,
) -> Option<Sight> {
    let log = node(cluster, process)?.log(&read(partition)?)?;
    let entries = log.epochs().entries().iter();
    Some(Sight::Epochs {
        process: process.clone(),
        partition: partition.clone(),
        start: log.start_offset().0,
        end: log.end_offset().0,
        epochs: entries.map(|entry| (entry.epoch.0, entry.start.0)).collect(),
    })
}

/// What a replica knows of producers, if anybody with a number has written there.
fn producers(
    cluster: &Cluster<'_>,
    process: &Arc<str>,
    partition: &Arc<str>,
) -> Option<Sight> {
    let states = node(cluster, process)?.log(&read(partition)?)?.producers();
    let known = states.iter().map(|(id, state)| {
        let known = KnownProducer {
            epoch: state.epoch.0,
            last_sequence: state.last_sequence(),
            transaction: state.transaction.map(|offset| offset.0),
        };
        (id.0, known)
    });
    let known: BTreeMap<i64, KnownProducer> = known.collect();
    let (process, partition) = (process.clone(), partition.clone());
    (!known.is_empty()).then_some(Sight::Producers { process, partition, known })
}

/// Whose batch it is that was just appended at this offset, if anybody's.
fn stamp(
    cluster: &Cluster<'_>,
    process: &Arc<str>,
    partition: &Arc<str>,
    base: i64,
) -> Option<Sight> {
    let of_disk;
    let log = match node(cluster, process) {
        Some(node) => node.log(&read(partition)?)?,
        // Its disk has failed after it had written this there.
        None => {
            let host = cluster.host(&ProcessId(process.clone()))?;
            let (files, settings) = (cluster.world.files(host), LogConfig::default());
            of_disk = Log::recover(read(partition)?, settings, &files);
            &of_disk
        }
    };
    let batch = log.batches(Offset(base), Offset(base + 1)).next()?;
    let stamp = batch.producer()?;
    let (process, partition) = (process.clone(), partition.clone());
    let (producer, epoch) = (stamp.id, stamp.epoch);
    if !batch.is_control() {
        // Compaction may have taken some of them.
        let count = batch.next_offset().0 - batch.base_offset().0;
        let sequence = stamp.base_sequence;
        return Some(Sight::Numbered {
            process,
            partition,
            base,
            count,
            producer,
            epoch,
            sequence,
            in_transaction: batch.attributes().contains(Attributes::TRANSACTIONAL),
        });
    }
    let commits = Marker::of_batch(&batch)?.kind == MarkerKind::Commit;
    Some(Sight::Marked { process, partition, base, producer, epoch, commits })
}

/// A replica as its process sees it, if that leads.
fn leader(
    cluster: &Cluster<'_>,
    process: &Arc<str>,
    partition: &str,
) -> Option<ReplicaView> {
    let view = node(cluster, process)?.replica(&read(partition)?)?;
    (view.role == ReplicaRole::Leader).then_some(view)
}

fn names(cluster: &Cluster<'_>, ids: &[NodeId]) -> Vec<Arc<str>> {
    let named = ids.iter().filter_map(|id| cluster.plan.process_of(id.0));
    named.map(|process| process.0.clone()).collect()
}

fn node<'c>(cluster: &'c Cluster<'_>, process: &Arc<str>) -> Option<&'c Node> {
    let host = cluster.host(&ProcessId(process.clone()))?;
    cluster.world.machine(host).and_then(Body::node)
}

/// How many of the voters have the log up to here, and how many there are: of the set in
/// force, which may count since before that was committed, or of the set below it, when the
/// leader committed it and changed the voters in one step.
fn holders(cluster: &Cluster<'_>, leader: &Node, offset: i64) -> (usize, usize) {
    let has = |process: &ProcessId| {
        node(cluster, &process.0)
            .is_none_or(|node| node.quorum().log().end_offset().0 >= offset)
    };
    let count = |voters: &VoterSet| {
        let named = voters.ids().filter_map(|id| cluster.plan.process_of(id.0));
        (named.filter(|process| has(process)).count(), voters.len())
    };
    let in_force = count(leader.quorum().voters());
    if 2 * in_force.0 > in_force.1 {
        return in_force;
    }
    count(leader.quorum().voters_below(Offset(offset)))
}

fn read(partition: &str) -> Option<TopicPartition> {
    let (topic, index) = partition.rsplit_once('-')?;
    Some(TopicPartition::new(topic, index.parse().ok()?))
}

/// FNV-1a.
fn digest(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
