//! `uniform`, on the server (KIP-848): as even as possible, and sticky.
//!
//! Where all subscribe to the same, everybody has a quota: who has more gives up, then who
//! has less is filled up, one member after the other. Where subscriptions differ, quotas say
//! nothing, and it balances as [`sticky`] does.

use std::collections::VecDeque;

use topomotion_wire::TopicPartition;

use crate::group::{Assignment, Group};
use crate::owners::owners;
use crate::sticky;

pub(crate) fn assign(group: &Group) -> Assignment {
    let mut subscriptions = group.members.iter().map(|member| &member.topics);
    let Some(first) = subscriptions.next() else { return Assignment::new() };
    match subscriptions.all(|other| other == first) {
        true => by_quota(group),
        false => sticky::assign(group),
    }
}

fn by_quota(group: &Group) -> Assignment {
    let members = group.in_order();
    let all = group.partitions();
    let quota = all.len() / members.len();
    let mut extras = all.len() % members.len();
    let owners = owners(group);
    let mut assignment = group.nothing();
    let mut free: VecDeque<TopicPartition> = VecDeque::new();
    for partition in all {
        match owners.get(&partition).and_then(|owner| assignment.get_mut(owner)) {
            Some(kept) if kept.len() < quota => kept.push(partition),
            // Whoever has one more already is the first to keep one more.
            Some(kept) if kept.len() == quota && extras > 0 => {
                extras -= 1;
                kept.push(partition);
            }
            Some(_) | None => free.push_back(partition),
        }
    }
    for member in members {
        let share = assignment.entry(member.id.clone()).or_default();
        let mut room = quota.saturating_sub(share.len());
        if share.len() <= quota && extras > 0 {
            (room, extras) = (room + 1, extras - 1);
        }
        share.extend(free.drain(..room.min(free.len())));
    }
    assert!(free.is_empty(), "quotas and extras add up to all partitions");
    assignment
}

#[cfg(test)]
mod tests {
    use crate::{Assignor, Group, Member};

    #[test]
    fn members_are_filled_up_one_after_the_other() {
        let members = ["a", "b"].map(|id| Member::new(id, ["t"]));
        let group = Group { members: members.into(), topics: [("t".into(), 5)].into() };
        let assignment = Assignor::Uniform.assign(&group);
        let shares = ["a", "b"]
            .map(|id| assignment[id].iter().map(|it| it.partition).collect::<Vec<_>>());
        assert_eq!(shares, [vec![0, 1, 2], vec![3, 4]]);
    }
}
