//! Where the group left off: OffsetFetch, and what it means for a position (GRP-15).

use topomotion_wire::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopics,
};
use topomotion_wire::messages::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartitions,
};
use topomotion_wire::messages::{GroupId, OffsetFetchRequest, RequestKind, ResponseKind};
use topomotion_wire::{
    ClientDeed, ErrorCode, Instant, LeaderEpoch, Offset, PositionCause, Rule,
    TopicPartition,
};

use super::group::Group;
use super::position::{Asking, Goal, Position};
use super::{Consumer, Errand, Stop};
use crate::GroupProtocol;
use crate::errors::{error_of, is_retriable};
use crate::metadata::{text, topic_name};
use crate::network::Route;

impl Consumer {
    /// Asks for every partition whose position is not known yet.
    pub(super) fn fetch_committed(
        &mut self,
        now: Instant,
        group: &Group,
        route: Option<&Route>,
    ) {
        let Some(route) = route else { return };
        let mut wanted = OffsetFetchRequestGroup::default();
        wanted.group_id = GroupId(text(&group.config.id));
        wanted.member_epoch = -1;
        if group.is_subscribed() && group.config.protocol == GroupProtocol::Consumer {
            let member = group.membership.metadata();
            wanted.member_id = Some(text(&member.member));
            wanted.member_epoch = member.generation;
        }
        let mut asked = Vec::new();
        let mut topics: Vec<OffsetFetchRequestTopics> = Vec::new();
        for (partition, assigned) in &mut self.assigned {
            if assigned.position != Position::Unset(Asking::Idle)
                || assigned.is_resting(now)
            {
                continue;
            }
            assigned.position = Position::Unset(Asking::UnderWay);
            let name = topic_name(&partition.topic);
            if topics.last().is_none_or(|topic| topic.name != name) {
                let mut topic = OffsetFetchRequestTopics::default();
                topic.name = name;
                topics.push(topic);
            }
            if let Some(topic) = topics.last_mut() {
                topic.partition_indexes.push(partition.partition);
            }
            asked.push(partition.clone());
        }
        if asked.is_empty() {
            return;
        }
        wanted.topics = Some(topics);
        let mut request = OffsetFetchRequest::default();
        request.groups = vec![wanted];
        // What a transaction has not decided yet is waited for (KIP-447).
        request.require_stable = true;
        let body = RequestKind::OffsetFetch(request);
        self.cluster.send(now, route, body, Errand::Committed(asked));
    }

    pub(super) fn committed(
        &mut self,
        now: Instant,
        group: &mut Group,
        asked: &[TopicPartition],
        body: &ResponseKind,
    ) {
        let told = match body {
            ResponseKind::OffsetFetch(response) => response.groups.first(),
            _ => None,
        };
        let whole = match told {
            Some(told) => error_of(told.error_code),
            None => Some(ErrorCode::UnknownServerError),
        };
        if let Some(ErrorCode::NotCoordinator | ErrorCode::CoordinatorNotAvailable) =
            whole
        {
            let error = ErrorCode::NotCoordinator;
            self.forget_coordinator(now, group, error);
        }
        for partition in asked {
            let position = self.assigned.get(partition).map(|it| it.position);
            if position != Some(Position::Unset(Asking::UnderWay)) {
                continue;
            }
            let told = told.and_then(|told| told_of(told, partition));
            let error = whole.or_else(|| told.and_then(|it| error_of(it.error_code)));
            match (error, told) {
                (None, Some(told)) => self.begin(partition, told),
                (Some(error), _) if may_pass(error) => {
                    self.failed(now, partition, error);
                }
                (Some(error), _) => self.stop(partition, Stop::Refused(error)),
                (None, None) => {
                    self.failed(now, partition, ErrorCode::UnknownServerError);
                }
            }
        }
    }

    /// Begins where the group left off, or where `auto.offset.reset` says.
    fn begin(
        &mut self,
        partition: &TopicPartition,
        told: &OffsetFetchResponsePartitions,
    ) {
        if told.committed_offset < 0 {
            return self.begin_without(partition);
        }
        let known = self.known_epoch(partition);
        let (next, epoch) =
            (Offset(told.committed_offset), LeaderEpoch(told.committed_leader_epoch));
        if let Some(assigned) = self.assigned.get_mut(partition) {
            let unproven = Position::At { next, epoch, leader: LeaderEpoch(-1) };
            assigned.go(unproven.under(known));
        }
        self.cluster.mark(Rule::Grp15, partition);
        let deed = ClientDeed::Positioned { at: next, cause: PositionCause::Committed };
        self.cluster.deed(Some(partition), deed);
    }

    /// There is nothing to go by but `auto.offset.reset`.
    pub(super) fn begin_without(&mut self, partition: &TopicPartition) {
        let position = match Goal::of(self.config.offset_reset) {
            Some(goal) => Position::sought(goal),
            None => Position::Stopped(Stop::NoOffset),
        };
        if let Some(assigned) = self.assigned.get_mut(partition) {
            assigned.go(position);
        }
        if let Position::Stopped(_) = position {
            self.cluster.mark(Rule::Grp15, partition);
            self.cluster.deed(Some(partition), ClientDeed::NoOffset);
        }
    }
}

/// Whether the same question may be answered later.
fn may_pass(error: ErrorCode) -> bool {
    let of_members = [ErrorCode::StaleMemberEpoch, ErrorCode::UnknownMemberId];
    of_members.contains(&error) || is_retriable(error)
}

fn told_of<'a>(
    told: &'a OffsetFetchResponseGroup,
    partition: &TopicPartition,
) -> Option<&'a OffsetFetchResponsePartitions> {
    let topics = told.topics.iter();
    topics
        .filter(|topic| topic.name.0.as_str() == &*partition.topic)
        .flat_map(|topic| &topic.partitions)
        .find(|told| told.partition_index == partition.partition)
}
