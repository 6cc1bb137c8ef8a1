//! What an assignor is told, and what it answers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use topomotion_wire::TopicPartition;

/// Partitions of each member, by `member.id`.
pub type Assignment = BTreeMap<Arc<str>, Vec<TopicPartition>>;

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// `member.id`.
    pub id: Arc<str>,
    /// `group.instance.id` of a static member: its place in the order, which its member id,
    /// new with every start, would not keep.
    pub instance: Option<Arc<str>>,
    /// What it subscribes to.
    pub topics: BTreeSet<Arc<str>>,
    /// What it says it owns.
    pub owned: Vec<TopicPartition>,
    /// The generation it owns that from; the greatest is believed where two own the same.
    pub generation: i32,
}

impl Member {
    /// A member that owns nothing.
    pub fn new<'a>(
        id: impl Into<Arc<str>>,
        topics: impl IntoIterator<Item = &'a str>,
    ) -> Member {
        Member {
            id: id.into(),
            instance: None,
            topics: topics.into_iter().map(Arc::from).collect(),
            owned: Vec::new(),
            generation: -1,
        }
    }
}

/// A group and its topics.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Group {
    /// Its members, each `member.id` once.
    pub members: Vec<Member>,
    /// How many partitions each topic has, for those that exist.
    pub topics: BTreeMap<Arc<str>, i32>,
}

impl Group {
    /// Members in the order in which they are served: static ones by instance, then the
    /// others by id.
    pub(crate) fn in_order(&self) -> Vec<&Member> {
        let mut members: Vec<&Member> = self.members.iter().collect();
        members.sort_by_key(|member| {
            (member.instance.is_none(), member.instance.as_ref(), &member.id)
        });
        members
    }

    /// Everything that is to be given to somebody, in order.
    pub(crate) fn partitions(&self) -> Vec<TopicPartition> {
        let wanted: BTreeSet<&Arc<str>> =
            self.members.iter().flat_map(|member| &member.topics).collect();
        let topics = self.topics.iter().filter(|(topic, _)| wanted.contains(topic));
        topics.flat_map(|(topic, count)| partitions_of(topic, *count)).collect()
    }

    /// Whether a member could own a partition.
    pub(crate) fn may_own(&self, member: &Member, partition: &TopicPartition) -> bool {
        let count = self.topics.get(&partition.topic);
        let exists =
            count.is_some_and(|count| (0..*count).contains(&partition.partition));
        exists && member.topics.contains(&partition.topic)
    }

    /// Nobody has anything.
    pub(crate) fn nothing(&self) -> Assignment {
        self.members.iter().map(|member| (member.id.clone(), Vec::new())).collect()
    }
}

/// All partitions of a topic.
pub(crate) fn partitions_of(
    topic: &Arc<str>,
    count: i32,
) -> impl Iterator<Item = TopicPartition> {
    (0..count).map(|index| TopicPartition::new(topic.clone(), index))
}
