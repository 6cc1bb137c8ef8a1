//! Finding a position, and finding out whether it is still good (GRP-15, KIP-320).

use topomotion_wire::messages::list_offsets_request::{
    ListOffsetsPartition, ListOffsetsTopic,
};
use topomotion_wire::messages::list_offsets_response::ListOffsetsPartitionResponse;
use topomotion_wire::messages::offset_for_leader_epoch_request::{
    OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use topomotion_wire::messages::offset_for_leader_epoch_response::EpochEndOffset;
use topomotion_wire::messages::{
    BrokerId, ListOffsetsRequest, OffsetForLeaderEpochRequest, RequestKind, ResponseKind,
};
use topomotion_wire::{
    ClientDeed, Defect, Endpoint, ErrorCode, Instant, LeaderEpoch, Offset, PositionCause,
    Rule, TopicPartition,
};

use super::position::{Asking, Goal, Position};
use super::{Consumer, Errand, Stop};
use crate::IsolationLevel;
use crate::errors::error_of;
use crate::metadata::topic_name;

impl Consumer {
    pub(super) fn list_offsets(
        &mut self,
        now: Instant,
        to: &Endpoint,
        partitions: Vec<TopicPartition>,
    ) {
        let mut request = ListOffsetsRequest::default();
        request.replica_id = BrokerId(-1);
        request.isolation_level = self.isolation();
        let timeout = self.config.common.request_timeout.as_millis();
        request.timeout_ms = i32::try_from(timeout).unwrap_or(i32::MAX);
        let mut asked = Vec::with_capacity(partitions.len());
        for partition in partitions {
            let epoch = self.known_epoch(&partition);
            let Some(assigned) = self.assigned.get_mut(&partition) else { continue };
            let Position::Sought { goal, asking } = &mut assigned.position else {
                continue;
            };
            *asking = Asking::UnderWay;
            let goal = *goal;
            let mut wanted = ListOffsetsPartition::default();
            wanted.partition_index = partition.partition;
            wanted.current_leader_epoch = epoch.0;
            wanted.timestamp = goal.timestamp();
            let name = topic_name(&partition.topic);
            if request.topics.last().is_none_or(|topic| topic.name != name) {
                let mut topic = ListOffsetsTopic::default();
                topic.name = name;
                request.topics.push(topic);
            }
            if let Some(topic) = request.topics.last_mut() {
                topic.partitions.push(wanted);
            }
            asked.push((partition, goal));
        }
        let body = RequestKind::ListOffsets(request);
        self.cluster.send(now, to, body, Errand::ListOffsets(asked));
    }

    pub(super) fn isolation(&self) -> i8 {
        match self.config.isolation_level {
            _ if Defect::ReadUncommitted.is_sown() => 0,
            IsolationLevel::ReadUncommitted => 0,
            IsolationLevel::ReadCommitted => 1,
        }
    }

    pub(super) fn listed(
        &mut self,
        now: Instant,
        asked: &[(TopicPartition, Goal)],
        body: &ResponseKind,
    ) {
        for (partition, goal) in asked {
            // Whoever went elsewhere meanwhile has no use for the answer.
            let still = Position::Sought { goal: *goal, asking: Asking::UnderWay };
            if self.assigned.get(partition).is_none_or(|it| it.position != still) {
                continue;
            }
            let told = offset_of(body, partition);
            match told.map(|told| (told, error_of(told.error_code))) {
                Some((told, None)) => self.found(partition, *goal, told),
                Some((_, Some(error))) => self.failed(now, partition, error),
                None => self.failed(now, partition, ErrorCode::UnknownServerError),
            }
        }
    }

    fn found(
        &mut self,
        partition: &TopicPartition,
        goal: Goal,
        told: &ListOffsetsPartitionResponse,
    ) {
        let leader = self.known_epoch(partition);
        let Some(assigned) = self.assigned.get_mut(partition) else { return };
        if told.offset < 0 {
            // No record is as young: the end is next.
            return assigned.go(Position::sought(Goal::Latest));
        }
        let (next, epoch) = (Offset(told.offset), LeaderEpoch(told.leader_epoch));
        assigned.go(Position::At { next, epoch, leader });
        self.cluster.mark(Rule::Grp15, partition);
        let deed = ClientDeed::Positioned { at: next, cause: goal.cause() };
        self.cluster.deed(Some(partition), deed);
    }

    /// The position lies outside the log.
    pub(super) fn out_of_range(&mut self, partition: &TopicPartition, at: Offset) {
        self.cluster.mark(Rule::Grp15, partition);
        self.cluster.deed(Some(partition), ClientDeed::OutOfRange { at });
        self.reset(partition, Stop::OutOfRange(at));
    }

    /// Starts again as `auto.offset.reset` says, or not at all.
    fn reset(&mut self, partition: &TopicPartition, why: Stop) {
        match Goal::of(self.config.offset_reset) {
            None => self.stop(partition, why),
            Some(goal) => {
                if let Some(assigned) = self.assigned.get_mut(partition) {
                    assigned.go(Position::sought(goal));
                }
            }
        }
    }

    /// Asks a new leader where the epoch of the last record that was read ends.
    pub(super) fn validate(
        &mut self,
        now: Instant,
        to: &Endpoint,
        partitions: Vec<TopicPartition>,
    ) {
        let mut request = OffsetForLeaderEpochRequest::default();
        request.replica_id = BrokerId(-1);
        let mut asked = Vec::with_capacity(partitions.len());
        for partition in partitions {
            let current = self.known_epoch(&partition);
            let Some(assigned) = self.assigned.get_mut(&partition) else { continue };
            let Position::Doubted { next, epoch, asking } = &mut assigned.position else {
                continue;
            };
            *asking = Asking::UnderWay;
            let (next, epoch) = (*next, *epoch);
            let mut wanted = OffsetForLeaderPartition::default();
            wanted.partition = partition.partition;
            wanted.current_leader_epoch = current.0;
            wanted.leader_epoch = epoch.0;
            let name = topic_name(&partition.topic);
            if request.topics.last().is_none_or(|topic| topic.topic != name) {
                let mut topic = OffsetForLeaderTopic::default();
                topic.topic = name;
                request.topics.push(topic);
            }
            if let Some(topic) = request.topics.last_mut() {
                topic.partitions.push(wanted);
            }
            asked.push((partition, next, epoch));
        }
        let body = RequestKind::OffsetForLeaderEpoch(request);
        self.cluster.send(now, to, body, Errand::Validate(asked));
    }

    pub(super) fn validated(
        &mut self,
        now: Instant,
        asked: &[(TopicPartition, Offset, LeaderEpoch)],
        body: &ResponseKind,
    ) {
        for (partition, next, epoch) in asked {
            let (next, epoch) = (*next, *epoch);
            let still = Position::Doubted { next, epoch, asking: Asking::UnderWay };
            if self.assigned.get(partition).is_none_or(|it| it.position != still) {
                continue;
            }
            let told = epoch_end_of(body, partition);
            match told.map(|told| (told, error_of(told.error_code))) {
                Some((told, None)) => self.compared(partition, next, epoch, told),
                Some((_, Some(error))) => self.failed(now, partition, error),
                None => self.failed(now, partition, ErrorCode::UnknownServerError),
            }
        }
    }

    fn compared(
        &mut self,
        partition: &TopicPartition,
        next: Offset,
        epoch: LeaderEpoch,
        told: &EpochEndOffset,
    ) {
        let known = told.end_offset >= 0 && told.leader_epoch >= 0;
        let end = (LeaderEpoch(told.leader_epoch), Offset(told.end_offset));
        if known && end.1 >= next {
            return self.confirmed(partition, next, epoch);
        }
        let diverging = known.then_some(end);
        self.cluster.mark(Rule::Grp15, partition);
        let deed = ClientDeed::Truncated { at: next, diverging };
        self.cluster.deed(Some(partition), deed);
        let why = Stop::Truncated { at: next, diverging };
        match diverging.filter(|_| Goal::of(self.config.offset_reset).is_some()) {
            // Goes back to where the logs part; what was read beyond is gone.
            Some((epoch, end)) => {
                self.confirmed(partition, end, epoch);
                let cause = PositionCause::Divergence;
                let deed = ClientDeed::Positioned { at: end, cause };
                self.cluster.deed(Some(partition), deed);
            }
            None => self.reset(partition, why),
        }
    }

    /// The position is good under the present leader.
    pub(super) fn confirmed(
        &mut self,
        partition: &TopicPartition,
        next: Offset,
        epoch: LeaderEpoch,
    ) {
        let leader = self.known_epoch(partition);
        if let Some(assigned) = self.assigned.get_mut(partition) {
            assigned.go(Position::At { next, epoch, leader });
        }
    }
}

fn offset_of<'a>(
    body: &'a ResponseKind,
    partition: &TopicPartition,
) -> Option<&'a ListOffsetsPartitionResponse> {
    let ResponseKind::ListOffsets(response) = body else { return None };
    let topics = response.topics.iter();
    topics
        .filter(|topic| topic.name.0.as_str() == &*partition.topic)
        .flat_map(|topic| &topic.partitions)
        .find(|told| told.partition_index == partition.partition)
}

fn epoch_end_of<'a>(
    body: &'a ResponseKind,
    partition: &TopicPartition,
) -> Option<&'a EpochEndOffset> {
    let ResponseKind::OffsetForLeaderEpoch(response) = body else { return None };
    let topics = response.topics.iter();
    topics
        .filter(|topic| topic.topic.0.as_str() == &*partition.topic)
        .flat_map(|topic| &topic.partitions)
        .find(|told| told.partition == partition.partition)
}
