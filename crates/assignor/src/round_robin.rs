//! `roundrobin`: all partitions in order, to the members in turn; who does not subscribe to
//! a topic is passed over.

use crate::group::{Assignment, Group};

pub(crate) fn assign(group: &Group) -> Assignment {
    let mut assignment = group.nothing();
    let members = group.in_order();
    let mut turn = 0;
    for partition in group.partitions() {
        let order = (0..members.len()).map(|step| (turn + step) % members.len());
        let next = order
            .map(|place| (place, members[place]))
            .find(|(_, member)| member.topics.contains(&partition.topic));
        if let Some((place, member)) = next {
            assignment.entry(member.id.clone()).or_default().push(partition);
            turn = place + 1;
        }
    }
    assignment
}
