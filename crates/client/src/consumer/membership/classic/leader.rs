//! The leader of a classic group divides the partitions of all topics that any member
//! subscribes to (GRP-10).

use std::collections::BTreeSet;
use std::sync::Arc;

use topomotion_assignor::{Assignment, Assignor, Group, Member};
use topomotion_wire::messages::JoinGroupResponse;
use topomotion_wire::messages::sync_group_request::SyncGroupRequestAssignment;
use topomotion_wire::{ClientDeed, ErrorCode, Rule};

use super::super::protocol::{Subscription, encode_assignment};
use super::super::{Known, Step, Topics, counts};
use super::{Classic, Phase};
use crate::metadata::text;

/// A member as the leader is told of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Candidate {
    id: Arc<str>,
    instance: Option<Arc<str>>,
    subscription: Subscription,
}

/// What a leader has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Task {
    Divide,
    /// It is a static member that came back: the old assignment stands (KIP-814).
    LeaveAsIs,
}

/// Every topic that somebody subscribes to.
fn topics_of(candidates: &[Candidate]) -> BTreeSet<Arc<str>> {
    candidates.iter().flat_map(|it| it.subscription.topics.iter().cloned()).collect()
}

impl Classic {
    /// Takes the lead of a new generation.
    pub(super) fn lead(&mut self, told: &JoinGroupResponse) {
        let assignor = told.protocol_name.as_ref().map_or("", |it| it.as_str());
        let candidates = told.members.iter().map(|member| Candidate {
            id: member.member_id.as_str().into(),
            instance: member.group_instance_id.as_ref().map(|it| it.as_str().into()),
            subscription: Subscription::decode(&member.metadata).unwrap_or_default(),
        });
        let candidates: Vec<Candidate> = candidates.collect();
        let topics = topics_of(&candidates);
        let task = match told.skip_assignment {
            true => Task::LeaveAsIs,
            false => Task::Divide,
        };
        self.phase = Phase::Dividing { assignor: assignor.into(), candidates, task };
        self.steps.push_back(Step::Follow(topics));
    }

    /// Divides, as soon as all topics are known or known not to exist.
    pub(super) fn divide(&mut self, known: &dyn Topics) {
        let Phase::Dividing { assignor, candidates, task } = &self.phase else { return };
        let topics = topics_of(candidates);
        if topics.iter().any(|topic| known.known(topic) == Known::Nothing) {
            return;
        }
        let Some(chosen) = Assignor::from_name(assignor) else {
            return self.bar(ErrorCode::InconsistentGroupProtocol);
        };
        let group = Group {
            members: candidates.iter().map(|it| it.member(chosen)).collect(),
            topics: counts(&topics, known),
        };
        let counts = &group.topics;
        let divided = topics.iter().map(|it| (it.clone(), counts.get(it).copied()));
        self.leads = Some(divided.collect());
        if *task == Task::LeaveAsIs {
            return self.ask_for_share(chosen.name(), Vec::new());
        }
        let assignment = chosen.assign(&group);
        self.steps.push_back(Step::Mark(Rule::Grp10));
        self.steps.push_back(Step::Deed(ClientDeed::Divides {
            assignor: chosen.name(),
            members: assignment.len(),
            partitions: assignment.values().map(Vec::len).sum(),
        }));
        self.ask_for_share(chosen.name(), shares(&assignment));
    }
}

impl Candidate {
    /// `sticky` goes by what it remembers, since eager members have given everything up.
    fn member(&self, assignor: Assignor) -> Member {
        let said = &self.subscription;
        let (owned, generation) = match (assignor, &said.remembered) {
            (Assignor::Sticky, Some(remembered)) => remembered.clone(),
            _ => (said.owned.clone(), said.generation),
        };
        let (id, instance) = (self.id.clone(), self.instance.clone());
        Member { id, instance, topics: said.topics.clone(), owned, generation }
    }
}

fn shares(assignment: &Assignment) -> Vec<SyncGroupRequestAssignment> {
    let shares = assignment.iter().map(|(member, partitions)| {
        let mut share = SyncGroupRequestAssignment::default();
        share.member_id = text(member);
        share.assignment = encode_assignment(partitions);
        share
    });
    shares.collect()
}
