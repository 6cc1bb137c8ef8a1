//! After the decision: a marker for every partition that takes part, then the end is complete
//! (TXN-3, TXN-6, TXN-10).
//!
//! Markers go to the partitions' leaders, one request per broker, and again until each is
//! written; a partition that was deleted needs none. A coordinator that is told of a newer one
//! or of a newer producer sends no more: whoever is newer goes on with it.

use std::collections::BTreeMap;
use std::sync::Arc;

use topomotion_wire::messages::write_txn_markers_request::{
    WritableTxnMarker, WritableTxnMarkerTopic,
};
use topomotion_wire::messages::{
    ProducerId as WireProducerId, ResponseKind, WriteTxnMarkersRequest,
    WriteTxnMarkersResponse,
};
use topomotion_wire::{
    Defect, ErrorCode, Instant, NodeId, TopicPartition, TransactionState,
};

use super::answer::topic_name;
use super::entries::Change;
use super::machine::TransactionShard;
use super::state::Transaction;
use crate::{Directory, Effect};

/// What a decided end waits for.
#[derive(Debug, Clone)]
pub(super) struct Ending {
    markers: BTreeMap<TopicPartition, Delivery>,
    /// When to append the completion again, after it was refused.
    complete_at: Option<Instant>,
    /// A newer coordinator or producer ends it.
    given_up: bool,
}

/// Where a marker is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Delivery {
    /// To be sent then.
    Due(Instant),
    /// On its way.
    Sent,
}

impl Ending {
    fn of(now: Instant, transaction: &Transaction) -> Ending {
        let mut markers: BTreeMap<_, _> = transaction
            .partitions
            .iter()
            .map(|partition| (partition.clone(), Delivery::Due(now)))
            .collect();
        if Defect::MarkerLost.is_sown() && markers.len() > 1 {
            markers.pop_last();
        }
        Ending { markers, complete_at: None, given_up: false }
    }

    /// The completion could not be appended.
    pub fn complete_again_at(&mut self, at: Instant) {
        self.complete_at = Some(at);
    }

    /// When there is something to do.
    pub fn next_due(&self) -> Option<Instant> {
        if self.given_up {
            return None;
        }
        let markers = self.markers.values().filter_map(|delivery| match delivery {
            Delivery::Due(at) => Some(*at),
            Delivery::Sent => None,
        });
        markers.chain(self.complete_at).min()
    }

    /// The markers to send now.
    fn due(&self, now: Instant) -> Vec<TopicPartition> {
        if self.given_up {
            return Vec::new();
        }
        let is_due =
            |delivery: &Delivery| matches!(delivery, Delivery::Due(at) if *at <= now);
        let due = self.markers.iter().filter(|(_, delivery)| is_due(delivery));
        due.map(|(partition, _)| partition.clone()).collect()
    }
}

/// What goes to one broker: partitions by id.
type Load = BTreeMap<Arc<str>, Vec<TopicPartition>>;

impl TransactionShard {
    /// If the end of this id was just decided, its markers leave.
    pub(super) fn begin_ending(
        &mut self,
        now: Instant,
        directory: &dyn Directory,
        id: &Arc<str>,
    ) {
        let Some(entry) = self.entries.get_mut(id) else { return };
        let Some(transaction) = entry.durable.as_ref().filter(|found| found.is_ending())
        else {
            return;
        };
        entry.ending = Some(Ending::of(now, transaction));
        self.send_markers(now, directory);
    }

    /// Every end that a predecessor decided goes on.
    pub(super) fn resume_endings(&mut self, now: Instant, directory: &dyn Directory) {
        for entry in self.entries.values_mut() {
            let ending = entry.durable.as_ref().filter(|found| found.is_ending());
            entry.ending = ending.map(|transaction| Ending::of(now, transaction));
        }
        self.send_markers(now, directory);
    }

    /// Sends every marker that is due, by leader, and completes what needs none any more.
    pub(super) fn send_markers(&mut self, now: Instant, directory: &dyn Directory) {
        let mut loads: BTreeMap<NodeId, Load> = BTreeMap::new();
        for (id, entry) in &mut self.entries {
            let Some(ending) = &mut entry.ending else { continue };
            for partition in ending.due(now) {
                if !exists(directory, &partition) {
                    ending.markers.remove(&partition);
                } else if let Some(leader) = directory.leader(&partition) {
                    ending.markers.insert(partition.clone(), Delivery::Sent);
                    let load = loads.entry(leader).or_default();
                    load.entry(id.clone()).or_default().push(partition);
                } else {
                    let again = Delivery::Due(now + self.config.retry_backoff);
                    ending.markers.insert(partition, again);
                }
            }
        }
        for (to, load) in loads {
            let request = self.marker_request(&load);
            self.effects.push_back(Effect::WriteMarkers { to, request });
        }
        self.complete_endings(now);
    }

    /// Leaders changed: what waited for one is tried at once.
    pub(super) fn hurry_markers(&mut self, now: Instant, directory: &dyn Directory) {
        let endings = self.entries.values_mut().filter_map(|entry| entry.ending.as_mut());
        for delivery in endings.flat_map(|ending| ending.markers.values_mut()) {
            if matches!(delivery, Delivery::Due(_)) {
                *delivery = Delivery::Due(now);
            }
        }
        self.send_markers(now, directory);
    }

    /// A broker has written markers, or has not.
    pub(super) fn take_marker_answers(
        &mut self,
        now: Instant,
        directory: &dyn Directory,
        request: &WriteTxnMarkersRequest,
        response: Option<&ResponseKind>,
    ) {
        let response = match response {
            Some(ResponseKind::WriteTxnMarkers(response)) => Some(response),
            _ => None,
        };
        for marker in &request.markers {
            self.take_marker_answer(now, marker, response);
        }
        self.send_markers(now, directory);
    }

    fn take_marker_answer(
        &mut self,
        now: Instant,
        marker: &WritableTxnMarker,
        response: Option<&WriteTxnMarkersResponse>,
    ) {
        let again = Delivery::Due(now + self.config.retry_backoff);
        let ending = self.entries.values_mut().find_map(|entry| {
            let transaction = entry.durable.as_ref()?;
            is_about(marker, transaction).then_some(entry.ending.as_mut()).flatten()
        });
        let Some(ending) = ending else { return };
        for partition in partitions_of(marker) {
            match response.and_then(|response| outcome(response, marker, &partition)) {
                Some(Outcome::Written) => {
                    ending.markers.remove(&partition);
                }
                Some(Outcome::Fenced) => ending.given_up = true,
                Some(Outcome::Again) | None => {
                    if let Some(delivery) = ending.markers.get_mut(&partition) {
                        *delivery = again;
                    }
                }
            }
        }
    }

    /// Ends without an open marker are complete.
    fn complete_endings(&mut self, now: Instant) {
        let is_whole = |ending: &Ending| {
            ending.markers.is_empty() && ending.complete_at.is_none() && !ending.given_up
        };
        let whole: Vec<Arc<str>> = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.pending.is_none())
            .filter(|(_, entry)| entry.ending.as_ref().is_some_and(is_whole))
            .map(|(id, _)| id.clone())
            .collect();
        whole.iter().for_each(|id| self.complete(now, id));
    }

    /// Appends the completion of ends where that was refused before.
    pub(super) fn complete_again(&mut self, now: Instant) {
        let endings = self.entries.values_mut().filter_map(|entry| entry.ending.as_mut());
        for ending in endings {
            ending.complete_at.take_if(|at| *at <= now);
        }
        self.complete_endings(now);
    }

    fn complete(&mut self, now: Instant, id: &Arc<str>) {
        let transaction = self.entries.get(id).and_then(|entry| entry.durable.as_ref());
        let Some(transaction) = transaction else { return };
        let next = transaction.completed(self.wall_ms(now));
        self.write(id, Change::own(Some(next), Vec::new()));
    }

    fn marker_request(&self, load: &Load) -> WriteTxnMarkersRequest {
        let markers = load.iter().filter_map(|(id, partitions)| {
            let transaction = self.entries.get(id)?.durable.as_ref()?;
            Some(
                WritableTxnMarker::default()
                    .with_producer_id(WireProducerId(transaction.producer.0))
                    .with_producer_epoch(transaction.epoch.0)
                    .with_transaction_result(is_commit(transaction))
                    .with_topics(by_topic(partitions))
                    .with_coordinator_epoch(self.epoch.0),
            )
        });
        WriteTxnMarkersRequest::default().with_markers(markers.collect())
    }
}

/// What a broker says of one marker.
enum Outcome {
    Written,
    Again,
    Fenced,
}

fn outcome(
    response: &WriteTxnMarkersResponse,
    marker: &WritableTxnMarker,
    partition: &TopicPartition,
) -> Option<Outcome> {
    let code = response
        .markers
        .iter()
        .filter(|result| result.producer_id == marker.producer_id)
        .flat_map(|result| &result.topics)
        .filter(|topic| *topic.name == *partition.topic)
        .flat_map(|topic| &topic.partitions)
        .find(|result| result.partition_index == partition.partition)?
        .error_code;
    Some(match ErrorCode::try_from_code(code) {
        None => Outcome::Written,
        Some(
            ErrorCode::InvalidProducerEpoch | ErrorCode::TransactionCoordinatorFenced,
        ) => Outcome::Fenced,
        Some(_) => Outcome::Again,
    })
}

fn exists(directory: &dyn Directory, partition: &TopicPartition) -> bool {
    let count = directory.partition_count(&partition.topic).unwrap_or(0);
    partition.partition < count
}

fn is_commit(transaction: &Transaction) -> bool {
    transaction.state == TransactionState::PrepareCommit
}

fn is_about(marker: &WritableTxnMarker, transaction: &Transaction) -> bool {
    transaction.is_ending()
        && marker.producer_id.0 == transaction.producer.0
        && marker.producer_epoch == transaction.epoch.0
        && marker.transaction_result == is_commit(transaction)
}

fn partitions_of(marker: &WritableTxnMarker) -> impl Iterator<Item = TopicPartition> {
    marker.topics.iter().flat_map(|topic| {
        let name: Arc<str> = Arc::from(&**topic.name);
        topic
            .partition_indexes
            .iter()
            .map(move |&index| TopicPartition::new(name.clone(), index))
    })
}

fn by_topic(partitions: &[TopicPartition]) -> Vec<WritableTxnMarkerTopic> {
    let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for partition in partitions {
        topics.entry(&partition.topic).or_default().push(partition.partition);
    }
    let topic = |(name, indexes): (&str, Vec<i32>)| {
        WritableTxnMarkerTopic::default()
            .with_name(topic_name(name))
            .with_partition_indexes(indexes)
    };
    topics.into_iter().map(topic).collect()
}
