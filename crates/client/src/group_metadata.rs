//! Who commits: a group's member, as it names itself in a commit (`ConsumerGroupMetadata`).

use std::sync::Arc;

/// A member of a group at one moment. Whoever commits with an old one is refused (GRP-6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupMetadata {
    /// `group.id`.
    pub group: Arc<str>,
    /// Generation or member epoch; −1 outside the group.
    pub generation: i32,
    /// `member.id`; empty outside the group.
    pub member: Arc<str>,
    /// `group.instance.id` of a static member.
    pub instance: Option<Arc<str>>,
}

impl GroupMetadata {
    /// For offsets of a group that nobody is a member of.
    pub fn outside(group: impl Into<Arc<str>>) -> GroupMetadata {
        GroupMetadata {
            group: group.into(),
            generation: -1,
            member: "".into(),
            instance: None,
        }
    }
}
