//! Whom a partition belonged to: what the members say, made one story.

use std::collections::BTreeMap;
use std::sync::Arc;

use topomotion_wire::TopicPartition;

use crate::group::Group;

/// What members say of a partition.
#[derive(Debug, Clone)]
pub(crate) enum Claim {
    /// This member owns it; nobody of its generation says so too.
    By { member: Arc<str>, generation: i32 },
    /// Two of the same generation say so, and neither is believed.
    Disputed { generation: i32 },
}

/// Who owns what. A claim of a newer generation counts more; what a member could not own any
/// more is left out.
pub(crate) fn claims(group: &Group) -> BTreeMap<TopicPartition, Claim> {
    let mut claims: BTreeMap<TopicPartition, Claim> = BTreeMap::new();
    for member in &group.members {
        let generation = member.generation;
        for partition in &member.owned {
            if !group.may_own(member, partition) {
                continue;
            }
            let claim = Claim::By { member: member.id.clone(), generation };
            let Some(before) = claims.get_mut(partition) else {
                claims.insert(partition.clone(), claim);
                continue;
            };
            match before {
                Claim::By { member: other, generation: old } if *old == generation => {
                    if *other != member.id {
                        *before = Claim::Disputed { generation };
                    }
                }
                Claim::By { generation: old, .. }
                | Claim::Disputed { generation: old }
                    if *old < generation =>
                {
                    *before = claim;
                }
                Claim::By { .. } | Claim::Disputed { .. } => {}
            }
        }
    }
    claims
}

/// The believed ones.
pub(crate) fn owners(group: &Group) -> BTreeMap<TopicPartition, Arc<str>> {
    let claims = claims(group).into_iter();
    claims
        .filter_map(|(partition, claim)| match claim {
            Claim::By { member, .. } => Some((partition, member)),
            Claim::Disputed { .. } => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Member;

    fn owner_with(generations: [i32; 2]) -> Option<Arc<str>> {
        let partition = TopicPartition::new("t", 0);
        let members =
            ["a", "b"].into_iter().zip(generations).map(|(id, generation)| Member {
                owned: vec![partition.clone()],
                generation,
                ..Member::new(id, ["t"])
            });
        let topics = [("t".into(), 1)].into();
        owners(&Group { members: members.collect(), topics }).remove(&partition)
    }

    #[test]
    fn the_newer_generation_is_believed_and_nobody_in_a_dispute() {
        assert_eq!(owner_with([4, 5]).as_deref(), Some("b"));
        assert_eq!(owner_with([5, 4]).as_deref(), Some("a"));
        assert_eq!(owner_with([5, 5]), None);
    }

    #[test]
    fn what_does_not_exist_or_is_not_subscribed_to_belongs_to_nobody() {
        let owned = [("t", 0), ("t", 7), ("u", 0), ("gone", 0)];
        let owned = owned.map(|(topic, index)| TopicPartition::new(topic, index));
        let member = Member { owned: owned.into(), ..Member::new("a", ["t", "gone"]) };
        let topics = [("t".into(), 1), ("u".into(), 1)].into();
        let owners = owners(&Group { members: vec![member], topics });
        assert_eq!(owners.into_keys().collect::<Vec<_>>(), [TopicPartition::new("t", 0)]);
    }
}
