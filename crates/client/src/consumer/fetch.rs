//! Fetching: one request per broker, and what each answer means for its partitions.

use topomotion_wire::messages::fetch_request::{FetchPartition, FetchTopic};
use topomotion_wire::messages::fetch_response::PartitionData;
use topomotion_wire::messages::{BrokerId, FetchRequest, RequestKind, ResponseKind};
use topomotion_wire::{
    ClientDeed, Endpoint, ErrorCode, Instant, NodeId, Offset, StrBytes, TopicPartition,
};

use super::position::{Flow, Position};
use super::{Consumer, Errand, Stop};
use crate::errors::{FetchRemedy, error_of, fetch_remedy};
use crate::metadata::{Leadership, topic_name};

impl Consumer {
    pub(super) fn fetch(
        &mut self,
        now: Instant,
        to: &Endpoint,
        from: NodeId,
        partitions: Vec<TopicPartition>,
    ) {
        let mut request = FetchRequest::default();
        request.replica_id = BrokerId(-1);
        let wait = self.config.fetch_max_wait.as_millis();
        request.max_wait_ms = i32::try_from(wait).unwrap_or(i32::MAX);
        request.min_bytes = self.config.fetch_min_bytes;
        request.max_bytes = self.config.fetch_max_bytes;
        request.isolation_level = self.isolation();
        if let Some(rack) = &self.config.client_rack {
            request.rack_id = StrBytes::from_string(rack.to_string());
        }
        let mut asked = Vec::with_capacity(partitions.len());
        for partition in partitions {
            let Some(assigned) = self.assigned.get(&partition) else { continue };
            let Position::At { next, leader, .. } = assigned.position else { continue };
            let mut wanted = FetchPartition::default();
            wanted.partition = partition.partition;
            wanted.current_leader_epoch = leader.0;
            wanted.fetch_offset = next.0;
            wanted.last_fetched_epoch = -1;
            wanted.log_start_offset = -1;
            wanted.partition_max_bytes = self.config.max_partition_fetch_bytes;
            let name = topic_name(&partition.topic);
            if request.topics.last().is_none_or(|topic| topic.topic != name) {
                let mut topic = FetchTopic::default();
                topic.topic = name;
                request.topics.push(topic);
            }
            if let Some(topic) = request.topics.last_mut() {
                topic.partitions.push(wanted);
            }
            asked.push((partition, next));
        }
        self.fetching.insert(from);
        let errand = Errand::Fetch { from, asked };
        self.cluster.send(now, to, RequestKind::Fetch(request), errand);
    }

    pub(super) fn fetched(
        &mut self,
        now: Instant,
        from: NodeId,
        asked: &[(TopicPartition, Offset)],
        body: &ResponseKind,
    ) {
        let whole = match body {
            ResponseKind::Fetch(response) => error_of(response.error_code),
            _ => Some(ErrorCode::UnknownServerError),
        };
        for (partition, offset) in asked {
            // Whoever went elsewhere meanwhile has no use for the answer; nor does a
            // position that is in doubt.
            let assigned = self.assigned.get(partition);
            let Some(Position::At { next, .. }) = assigned.map(|it| it.position) else {
                continue;
            };
            if next != *offset {
                continue;
            }
            let told = told_of(body, partition);
            let error = whole.or_else(|| told.and_then(|it| error_of(it.error_code)));
            match (error, told) {
                (Some(error), _) => {
                    let source = Source { from, offset: *offset, told };
                    self.refused(now, partition, error, source);
                }
                (None, Some(told)) => self.answered_for(now, partition, *offset, told),
                // A leader may leave a partition out when it has nothing to say.
                (None, None) => {}
            }
        }
    }

    fn answered_for(
        &mut self,
        now: Instant,
        partition: &TopicPartition,
        offset: Offset,
        told: &PartitionData,
    ) {
        let Some(assigned) = self.assigned.get_mut(partition) else { return };
        if told.preferred_read_replica.0 >= 0 {
            let replica = NodeId(told.preferred_read_replica.0);
            let until = now + self.config.common.metadata_max_age;
            let before = assigned.nearer.replace((replica, until));
            if before.is_none_or(|(before, _)| before != replica) {
                let deed = ClientDeed::ReadsFrom { replica };
                self.cluster.deed(Some(partition), deed);
            }
        }
        let is_full = told.records.as_ref().is_some_and(|it| !it.is_empty());
        match assigned.flow {
            Flow::Paused if is_full => assigned.held = Some((offset, told.clone())),
            Flow::Running if is_full && !self.application.is_polling(now) => {
                assigned.held = Some((offset, told.clone()));
                self.application.wait(partition);
            }
            Flow::Paused | Flow::Revoking => {}
            Flow::Running => self.took(now, partition, offset, told),
        }
    }

    fn refused(
        &mut self,
        now: Instant,
        partition: &TopicPartition,
        error: ErrorCode,
        source: Source<'_>,
    ) {
        if let Some(told) = source.told {
            let leader = &told.current_leader;
            let hint = Leadership::hint(leader.leader_id.0, leader.leader_epoch);
            hint.map(|hint| self.cluster.hinted(partition, hint));
        }
        match fetch_remedy(error) {
            FetchRemedy::Again | FetchRemedy::Refresh => {
                self.failed(now, partition, error);
            }
            FetchRemedy::Stop => self.stop(partition, Stop::Refused(error)),
            FetchRemedy::Reset => {
                let leader = self.cluster.metadata.leadership(partition);
                let leads = leader.and_then(|known| known.leader) == Some(source.from);
                match leads {
                    true => self.out_of_range(partition, source.offset),
                    // A nearer replica may know less: its leader is asked.
                    false => self.back_to_leader(partition),
                }
            }
        }
    }
}

/// Where an error came from.
#[derive(Clone, Copy)]
struct Source<'a> {
    from: NodeId,
    offset: Offset,
    told: Option<&'a PartitionData>,
}

fn told_of<'a>(
    body: &'a ResponseKind,
    partition: &TopicPartition,
) -> Option<&'a PartitionData> {
    let ResponseKind::Fetch(response) = body else { return None };
    let topics = response.responses.iter();
    topics
        .filter(|topic| topic.topic.0.as_str() == &*partition.topic)
        .flat_map(|topic| &topic.partitions)
        .find(|told| told.partition_index == partition.partition)
}
