//! The replica that a consumer should read from instead of the leader (KIP-392).
//!
//! As Kafka's `RackAwareReplicaSelector` chooses: a replica in the consumer's own rack that is
//! in sync and holds the offset; of several, the one that is furthest. The leader is in no
//! need of being named.

use topomotion_wire::{NodeId, Offset};

use super::leader::Follower;
use super::{Replica, Role, Site};

impl Replica {
    /// Whom a consumer in `rack` should ask for `offset`, if not this leader.
    pub(crate) fn nearest(
        &self,
        site: Site<'_>,
        rack: &str,
        offset: Offset,
    ) -> Option<NodeId> {
        let Role::Leader(leadership) = &self.role else { return None };
        let is_near = |id: NodeId| {
            let broker = site.image.broker(id).filter(|broker| broker.is_active());
            broker.is_some_and(|broker| broker.rack.as_deref() == Some(rack))
        };
        if is_near(site.me) {
            return None;
        }
        let holds = |follower: &Follower| {
            let starts = follower.log_start.is_some_and(|start| start <= offset);
            starts && follower.log_end.is_some_and(|end| end >= offset)
        };
        let near = leadership.followers.iter().filter(|(id, follower)| {
            self.state.isr.contains(id) && is_near(**id) && holds(follower)
        });
        let furthest = near.max_by_key(|(id, it)| (it.log_end, it.caught_up_at, **id));
        furthest.map(|(id, _)| *id)
    }
}
