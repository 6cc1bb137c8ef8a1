//! From what a machine says became true to what the trace says.
//!
//! Node ids become process ids. What a machine says about its own progress with the
//! metadata log is no event of the story and is left out.

use std::sync::Arc;

use topomotion_trace::{BrokerLiveness, QuorumRole, StateChange};
use topomotion_wire::{self as wire, Fact, NodeId, PartitionState, TopicPartition};

use super::{groups, transactions};
use crate::packet::{Dictionary, name_of};

pub(super) fn change(
    process: &Arc<str>,
    fact: Fact,
    names: &mut Dictionary,
) -> Option<StateChange> {
    let process = process.clone();
    Some(match fact {
        Fact::MetadataApplied { .. }
        | Fact::TookOffice { .. }
        | Fact::OffsetsFound { .. }
        | Fact::Client { .. }
        | Fact::Actor { .. }
        | Fact::Log { .. } => return None,
        Fact::LastStable { partition, offset } => StateChange::LastStable {
            process,
            partition: names.partition(&partition),
            offset: offset.0,
        },
        Fact::GroupChanged { .. }
        | Fact::OffsetCommitted { .. }
        | Fact::Member { .. }
        | Fact::CommitAnswered { .. } => return groups::change(process, fact, names),
        Fact::TransactionChanged { .. }
        | Fact::ProducerIdentified { .. }
        | Fact::Transaction { .. } => {
            return transactions::change(process, fact, names);
        }
        Fact::QuorumRole { role, epoch, .. } => {
            StateChange::Quorum { process, role: quorum_role(role), epoch: epoch.0 }
        }
        Fact::BrokerChanged { broker, liveness, .. } => StateChange::Broker {
            controller: process,
            broker: names.node(broker),
            liveness: broker_liveness(liveness),
        },
        Fact::PartitionChanged { partition, state } => {
            registration(process, &partition, &state, names)
        }
        Fact::ReplicaRole { partition, role, epoch } => {
            let leader = match role {
                wire::ReplicaRole::Leader => Some(process.clone()),
                wire::ReplicaRole::Follower { leader } => leader.map(|id| names.node(id)),
            };
            StateChange::Replica {
                process,
                partition: names.partition(&partition),
                leader,
                epoch: epoch.0,
            }
        }
        Fact::IsrProposed { partition, isr } => StateChange::IsrProposed {
            process,
            partition: names.partition(&partition),
            isr: nodes(&isr, names),
        },
        Fact::LeaderLearned { partition, leader, epoch } => StateChange::LeaderLearned {
            process,
            partition: names.partition(&partition),
            leader: leader.map(|id| names.node(id)),
            epoch: epoch.0,
        },
        Fact::Appended { .. }
        | Fact::Truncated { .. }
        | Fact::HighWatermark { .. }
        | Fact::LogStart { .. }
        | Fact::ProduceWaits { .. } => return replica_change(process, fact, names),
        Fact::BatchSent { .. }
        | Fact::BatchAcked { .. }
        | Fact::BatchFailed { .. }
        | Fact::Polled { .. } => return client_change(process, fact, names),
    })
}

fn registration(
    controller: Arc<str>,
    partition: &TopicPartition,
    state: &PartitionState,
    names: &mut Dictionary,
) -> StateChange {
    StateChange::Registration {
        controller,
        partition: names.partition(partition),
        replicas: nodes(&state.replicas, names),
        isr: nodes(&state.isr, names),
        leader: state.leader.map(|id| names.node(id)),
        leader_epoch: state.leader_epoch.0,
        partition_epoch: state.partition_epoch.0,
    }
}

fn replica_change(
    process: Arc<str>,
    fact: Fact,
    names: &mut Dictionary,
) -> Option<StateChange> {
    Some(match fact {
        Fact::Appended { partition, base, count, epoch, batch } => {
            StateChange::Appended {
                process,
                partition: names.partition(&partition),
                base: base.0,
                count,
                epoch: epoch.0,
                batch: batch.0,
            }
        }
        Fact::Truncated { partition, end } => StateChange::Truncated {
            process,
            partition: names.partition(&partition),
            end: end.0,
        },
        Fact::HighWatermark { partition, offset } => StateChange::HighWatermark {
            process,
            partition: names.partition(&partition),
            offset: offset.0,
        },
        Fact::LogStart { partition, offset } => StateChange::LogStart {
            process,
            partition: names.partition(&partition),
            offset: offset.0,
        },
        Fact::ProduceWaits { partition, until } => StateChange::ProduceWaits {
            process,
            partition: names.partition(&partition),
            until: until.0,
        },
        _ => return None,
    })
}

fn client_change(
    process: Arc<str>,
    fact: Fact,
    names: &mut Dictionary,
) -> Option<StateChange> {
    Some(match fact {
        Fact::BatchSent { partition, batch, count, acks, attempt } => {
            StateChange::BatchSent {
                process,
                partition: names.partition(&partition),
                batch: batch.0,
                count,
                acks: names.acks(acks),
                attempt,
            }
        }
        Fact::BatchAcked { partition, batch, count, acks, base } => {
            StateChange::BatchAcked {
                process,
                partition: names.partition(&partition),
                batch: batch.0,
                count,
                acks: names.acks(acks),
                base: base.map(|offset| offset.0),
            }
        }
        Fact::BatchFailed { partition, batch, error } => StateChange::BatchFailed {
            process,
            partition: names.partition(&partition),
            batch: batch.0,
            error: name_of(error),
        },
        Fact::Polled { partition, base, next, records, .. } => StateChange::Polled {
            process,
            partition: names.partition(&partition),
            base: base.0,
            next: next.0,
            records: i64::try_from(records).unwrap_or(i64::MAX),
        },
        _ => return None,
    })
}

fn nodes(ids: &[NodeId], names: &Dictionary) -> Vec<Arc<str>> {
    ids.iter().map(|&id| names.node(id)).collect()
}

fn quorum_role(role: wire::QuorumRole) -> QuorumRole {
    match role {
        wire::QuorumRole::Unattached => QuorumRole::Unattached,
        wire::QuorumRole::Prospective => QuorumRole::Prospective,
        wire::QuorumRole::Candidate => QuorumRole::Candidate,
        wire::QuorumRole::Leader => QuorumRole::Leader,
        wire::QuorumRole::Follower => QuorumRole::Follower,
        wire::QuorumRole::Resigned => QuorumRole::Resigned,
    }
}

fn broker_liveness(liveness: wire::BrokerLiveness) -> BrokerLiveness {
    match liveness {
        wire::BrokerLiveness::Fenced => BrokerLiveness::Fenced,
        wire::BrokerLiveness::Unfenced => BrokerLiveness::Unfenced,
        wire::BrokerLiveness::ControlledShutdown => BrokerLiveness::ControlledShutdown,
    }
}
