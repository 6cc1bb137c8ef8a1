//! `range`: topic by topic, the members in order get runs of partitions; the first ones get
//! one more where it does not come out even.

use crate::group::{Assignment, Group, Member, partitions_of};

pub(crate) fn assign(group: &Group) -> Assignment {
    let mut assignment = group.nothing();
    let members = group.in_order();
    for (topic, &count) in &group.topics {
        let subscribes = |member: &&&Member| member.topics.contains(topic);
        let readers: Vec<&&Member> = members.iter().filter(subscribes).collect();
        let Ok(number) = i32::try_from(readers.len()) else { continue };
        if number == 0 {
            continue;
        }
        let mut rest = partitions_of(topic, count);
        for (place, reader) in (0..number).zip(readers) {
            let share = count / number + i32::from(place < count % number);
            let share = rest.by_ref().take(usize::try_from(share).unwrap_or(0));
            assignment.entry(reader.id.clone()).or_default().extend(share);
        }
    }
    assignment
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Assignor;

    #[test]
    fn static_members_come_first_in_the_order_of_their_instances() {
        let mut members = ["z", "y", "a"].map(|id| Member::new(id, ["t"]));
        (members[0].instance, members[1].instance) =
            (Some("one".into()), Some("two".into()));
        let group = Group { members: members.into(), topics: [("t".into(), 4)].into() };
        let assignment = Assignor::Range.assign(&group);
        let sizes = ["z", "y", "a"].map(|id| assignment[id].len());
        assert_eq!(sizes, [2, 1, 1]);
        assert_eq!(assignment["z"][0].partition, 0);
        assert_eq!(assignment["a"][0].partition, 3);
    }
}
