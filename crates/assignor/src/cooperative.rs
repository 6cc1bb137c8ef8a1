//! `cooperative-sticky`: where `sticky` would move a partition, it goes to nobody yet
//! (GRP-8). Its owner sees that it has lost it, gives it up and joins again; then it is free.
//!
//! Who no longer subscribes to a topic may hold its partitions all the same: it changed its
//! mind while it was joining. What it holds goes to nobody else before it has let go.

use std::collections::BTreeSet;

use topomotion_wire::TopicPartition;

use crate::group::{Assignment, Group};
use crate::owners::{Claim, claims};
use crate::sticky;

pub(crate) fn assign(group: &Group) -> Assignment {
    let mut assignment = sticky::assign(group);
    let claims = claims(group);
    let left_behind = left_behind(group);
    for (taker, partitions) in &mut assignment {
        partitions.retain(|partition| match claims.get(partition) {
            None => !left_behind.contains(partition),
            Some(Claim::By { member, .. }) => member == taker,
            Some(Claim::Disputed { .. }) => false,
        });
    }
    assignment
}

/// What members hold of topics that they no longer subscribe to.
fn left_behind(group: &Group) -> BTreeSet<&TopicPartition> {
    let of_members = group.members.iter().flat_map(|member| {
        member.owned.iter().filter(|partition| !group.may_own(member, partition))
    });
    of_members.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Member;

    #[test]
    fn what_a_member_holds_of_a_topic_it_has_left_goes_to_nobody_yet() {
        let held = TopicPartition::new("t", 0);
        let leaver = Member {
            owned: vec![held.clone()],
            generation: 4,
            ..Member::new("a", ["u"])
        };
        let taker = Member { generation: 4, ..Member::new("b", ["t", "u"]) };
        let topics = [("t".into(), 1), ("u".into(), 1)].into();
        let mut group = Group { members: vec![leaver, taker], topics };
        assert!(assign(&group).values().all(|share| !share.contains(&held)));
        group.members[0].owned.clear();
        assert!(assign(&group)["b"].contains(&held), "now it is free");
    }
}
