//! Mistakes made on purpose; see [`Defect`].

use topomotion_wire::Defect;

use crate::group::{Assignment, Group};

/// The group as it would be if nobody had owned anything, where that is the mistake.
pub(crate) fn forgotten(group: &Group) -> Option<Group> {
    Defect::AssignorFresh.is_sown().then(|| {
        let mut group = group.clone();
        group.members.iter_mut().for_each(|member| member.owned.clear());
        group.members.reverse();
        for (place, member) in group.members.iter_mut().enumerate() {
            // Another order, so that the outcome is another one too.
            member.instance = Some(format!("{place:05}").into());
        }
        group
    })
}

/// Spoils what was right.
pub(crate) fn spoil(group: &Group, assignment: &mut Assignment) {
    if Defect::AssignTwice.is_sown() {
        hand_one_over(group, assignment, Keep::Both);
    }
    if Defect::AssignorUneven.is_sown() {
        while hand_one_over(group, assignment, Keep::Taker) {}
    }
}

/// Who has a partition afterwards.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keep {
    Taker,
    Both,
}

/// A partition that the first member with most can read goes from another one to it.
fn hand_one_over(group: &Group, assignment: &mut Assignment, keep: Keep) -> bool {
    let most = group.members.iter().max_by_key(|member| assignment[&member.id].len());
    let Some(most) = most else { return false };
    let taken = assignment.iter_mut().filter(|(id, _)| **id != most.id).find_map(
        |(_, partitions)| {
            let reads = |it: &topomotion_wire::TopicPartition| group.may_own(most, it);
            let at = partitions.iter().position(reads)?;
            Some(match keep {
                Keep::Both => partitions[at].clone(),
                Keep::Taker => partitions.remove(at),
            })
        },
    );
    let Some(taken) = taken else { return false };
    assignment.entry(most.id.clone()).or_default().push(taken);
    true
}
