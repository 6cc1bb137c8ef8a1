//! What coordinators ask the metadata that this broker has applied.

use std::cell::RefCell;
use std::sync::Arc;

use topomotion_coordinator::Directory;
use topomotion_wire::{ErrorCode, NodeId, ProducerId, TopicId, TopicPartition};

use super::producer_ids::ProducerIds;
use crate::replica::Site;

/// The cluster as this broker knows it, for the length of one call.
#[derive(Debug)]
pub(super) struct Cluster<'a> {
    site: Site<'a>,
    producer_ids: RefCell<&'a mut ProducerIds>,
}

impl<'a> Cluster<'a> {
    pub(super) fn new(site: Site<'a>, producer_ids: &'a mut ProducerIds) -> Cluster<'a> {
        Cluster { site, producer_ids: RefCell::new(producer_ids) }
    }
}

impl Directory for Cluster<'_> {
    fn partition_count(&self, topic: &str) -> Option<i32> {
        let count = self.site.image.topic(topic)?.partitions.len();
        i32::try_from(count).ok()
    }

    fn topic_id(&self, topic: &str) -> Option<TopicId> {
        Some(self.site.image.topic(topic)?.id)
    }

    fn topic_name(&self, id: TopicId) -> Option<Arc<str>> {
        self.site.image.topic_name(id).cloned()
    }

    fn leader(&self, partition: &TopicPartition) -> Option<NodeId> {
        self.site.image.partition(partition)?.leader
    }

    fn topics(&self) -> Vec<Arc<str>> {
        self.site.image.topics().keys().cloned().collect()
    }

    fn claim_producer_id(&self) -> Result<ProducerId, ErrorCode> {
        self.producer_ids.borrow_mut().claim(self.site.now)
    }
}
