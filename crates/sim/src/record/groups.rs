//! What coordinators and members say of groups.

use std::sync::Arc;

use topomotion_trace::{GroupMember, GroupState, Ownership, StateChange};
use topomotion_wire::{self as wire, Fact, GroupView, TopicPartition};

use crate::packet::{Dictionary, name_of};

pub(super) fn change(
    process: Arc<str>,
    fact: Fact,
    names: &mut Dictionary,
) -> Option<StateChange> {
    Some(match fact {
        Fact::GroupChanged { group, view } => seen(process, group, view, names),
        Fact::OffsetCommitted { group, partition, offset } => {
            StateChange::OffsetCommitted {
                coordinator: process,
                group,
                partition: names.partition(&partition),
                offset: offset.map(|offset| offset.0),
            }
        }
        Fact::Member { group, view } => StateChange::Member {
            process,
            group,
            generation: view.generation,
            change: ownership(view.change),
            partitions: partitions(&view.partitions, names),
            owned: partitions(&view.owned, names),
        },
        Fact::CommitAnswered { group, offsets, error } => {
            let offsets = offsets.iter();
            let named = offsets.map(|(at, offset)| (names.partition(at), offset.0));
            StateChange::CommitAnswered {
                process,
                group,
                offsets: named.collect(),
                error: error.map(name_of),
            }
        }
        _ => return None,
    })
}

fn seen(
    coordinator: Arc<str>,
    group: Arc<str>,
    view: GroupView,
    names: &mut Dictionary,
) -> StateChange {
    let leader = view.leader.and_then(|id| view.members.get(&id));
    let leader = leader.map(|member| member.client.clone());
    let members = view.members.values().map(|member| GroupMember {
        id: member.id.clone(),
        process: member.client.clone(),
        instance: member.instance.clone(),
        epoch: member.epoch,
        assigned: partitions(&member.assigned, names),
    });
    StateChange::Group {
        coordinator,
        group,
        state: state(view.state),
        generation: view.generation,
        leader,
        protocol: view.protocol,
        members: members.collect(),
    }
}

pub(super) fn partitions(
    partitions: &[TopicPartition],
    names: &mut Dictionary,
) -> Vec<Arc<str>> {
    partitions.iter().map(|partition| names.partition(partition)).collect()
}

fn state(state: wire::GroupState) -> GroupState {
    match state {
        wire::GroupState::Empty => GroupState::Empty,
        wire::GroupState::PreparingRebalance => GroupState::PreparingRebalance,
        wire::GroupState::CompletingRebalance => GroupState::CompletingRebalance,
        wire::GroupState::Assigning => GroupState::Assigning,
        wire::GroupState::Reconciling => GroupState::Reconciling,
        wire::GroupState::Stable => GroupState::Stable,
        wire::GroupState::Dead => GroupState::Dead,
    }
}

fn ownership(change: wire::Ownership) -> Ownership {
    match change {
        wire::Ownership::Assigned => Ownership::Assigned,
        wire::Ownership::Revoked => Ownership::Revoked,
        wire::Ownership::Lost => Ownership::Lost,
    }
}
