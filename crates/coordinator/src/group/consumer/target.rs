//! The target assignment: what the coordinator computes when the group epoch has risen.

use std::collections::BTreeMap;
use std::sync::Arc;

use topomotion_assignor as assignor;
use topomotion_assignor::Assignor;
use topomotion_wire::{Rule, TopicPartition};

use super::{ConsumerGroup, Records, target_records};
use crate::group::Partitions;
use crate::group::group::Cx;
use crate::shard::Directory;

impl ConsumerGroup {
    /// Stands for what is known of the topics that somebody subscribes to.
    pub(super) fn hash_metadata(&self, directory: &dyn Directory) -> i64 {
        // FNV-1a: only equality matters, and only between hashes of this coordinator's kind.
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        let mut feed = |bytes: &[u8]| {
            for byte in bytes {
                hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
            }
        };
        for topic in self.topics() {
            let Some(id) = directory.topic_id(&topic) else { continue };
            feed(id.0.as_bytes());
            feed(&directory.partition_count(&topic).unwrap_or_default().to_be_bytes());
        }
        hash.cast_signed()
    }

    /// The assignor that most members ask for; without a wish, the first that is configured.
    pub(super) fn assignor(&self, configured: &[Assignor]) -> Assignor {
        let default = configured.first().copied().unwrap_or(Assignor::Uniform);
        let mut votes: BTreeMap<Assignor, usize> = BTreeMap::new();
        for member in self.members.values() {
            let wish = member.value.assignor.as_deref().and_then(Assignor::from_name);
            if let Some(wish) = wish {
                *votes.entry(wish).or_default() += 1;
            }
        }
        let most = votes.into_iter().rev().max_by_key(|(_, count)| *count);
        most.map_or(default, |(assignor, _)| assignor)
    }

    /// Computes the target for the group epoch, from scratch but for what everybody has.
    pub(super) fn assign(&mut self, cx: &mut Cx<'_>, records: &mut Records) {
        let directory = cx.directory;
        let topics = self.topics();
        let group = assignor::Group {
            members: self.members.keys().map(|id| self.assignee(id, directory)).collect(),
            topics: topics
                .into_iter()
                .filter_map(|it| directory.partition_count(&it).map(|count| (it, count)))
                .collect(),
        };
        cx.out.mark(Rule::Grp10);
        let assignment = self.assignor(&cx.config.consumer_assignors).assign(&group);
        let targets: BTreeMap<Arc<str>, Partitions> = assignment
            .into_iter()
            .map(|(id, partitions)| {
                let ids = partitions.into_iter();
                let ids = ids.filter_map(|it| {
                    directory.topic_id(&it.topic).map(|id| (id, it.partition))
                });
                (id, ids.collect())
            })
            .collect();
        records.extend(target_records(&cx.group, &self.targets, &targets, self.epoch));
        self.targets = targets;
        self.target_epoch = self.epoch;
    }

    fn assignee(&self, id: &Arc<str>, directory: &dyn Directory) -> assignor::Member {
        let member = &self.members[id];
        let target = self.targets.get(id).into_iter().flatten();
        assignor::Member {
            id: id.clone(),
            instance: member.value.instance.clone(),
            topics: member.value.topics.clone(),
            owned: target
                .filter_map(|&(topic, index)| {
                    directory.topic_name(topic).map(|it| TopicPartition::new(it, index))
                })
                .collect(),
            generation: self.target_epoch,
        }
    }
}
