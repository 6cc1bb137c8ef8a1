//! `cooperative-sticky`: where `sticky` would move a partition, it goes to nobody yet
//! (GRP-8). Its owner sees that it has lost it, gives it up and joins again; then it is free.

use crate::group::{Assignment, Group};
use crate::owners::{Claim, claims};
use crate::sticky;

pub(crate) fn assign(group: &Group) -> Assignment {
    let mut assignment = sticky::assign(group);
    let claims = claims(group);
    for (taker, partitions) in &mut assignment {
        partitions.retain(|partition| match claims.get(partition) {
            None => true,
            Some(Claim::By { member, .. }) => member == taker,
            Some(Claim::Disputed { .. }) => false,
        });
    }
    assignment
}
