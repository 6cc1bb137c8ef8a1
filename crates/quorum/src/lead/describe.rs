//! DescribeQuorum: who votes, who watches, and how far each of them has come.

use topomotion_wire::Instant;
use topomotion_wire::messages::DescribeQuorumRequest;

use crate::messages::{self, Described};
use crate::role::{Replica, Role};
use crate::{Quorum, ReplyToken};

impl Quorum {
    pub(crate) fn on_describe(
        &mut self,
        now: Instant,
        token: ReplyToken,
        request: &DescribeQuorumRequest,
    ) {
        let response = messages::describe_response(request, self.describe(now).as_ref());
        self.reply(token, response);
    }

    /// The quorum as its leader sees it; nothing on any other node.
    fn describe(&self, now: Instant) -> Option<Described> {
        let Role::Leader(leading) = &self.role else { return None };
        let of = |(id, replica): (_, &Replica)| messages::DescribedReplica {
            id,
            end: replica.end,
            fetched_at: replica.end.map(|_| replica.fetched_at),
            caught_up_at: replica.caught_up_at,
        };
        let own = messages::DescribedReplica {
            id: self.config.node,
            end: Some(self.log.end_offset()),
            fetched_at: Some(now),
            caught_up_at: Some(now),
        };
        let mut voters: Vec<_> =
            leading.voters.iter().map(|(id, replica)| of((*id, replica))).collect();
        voters.extend(self.is_voter().then_some(own));
        voters.sort_by_key(|voter| voter.id);
        let observers = leading.observers.iter();
        Some(Described {
            leadership: self.leadership(),
            high_watermark: self.high_watermark,
            voters,
            observers: observers.map(|(id, replica)| of((*id, replica))).collect(),
            endpoints: self.voters().clone(),
        })
    }
}
