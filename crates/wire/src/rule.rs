//! The rules of Kafka that the engine implements, by id.
//!
//! A machine emits [`Output::Mark`](crate::Output::Mark) when a rule *acts*. The same mark
//! proves to the tests that a run reached the rule, and becomes the caption under the
//! picture. The ids are grouped as in the project's semantics reference: `REP` leader side
//! of replication, `TRN` truncation, `CTL` controller, `PRD` producer, `GRP` consumer groups,
//! `RAFT` metadata quorum.

use std::fmt;

macro_rules! rules {
    ($($name:ident = $id:literal: $statement:literal;)*) => {
        /// One rule of Kafka's behaviour.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule {
            $(#[doc = $statement] $name,)*
        }

        impl Rule {
            /// Every rule, in the order of the ids.
            pub const ALL: &'static [Rule] = &[$(Rule::$name,)*];

            /// The id, such as `REP-7`.
            pub const fn id(self) -> &'static str {
                match self { $(Rule::$name => $id,)* }
            }

            /// The rule in one plain sentence.
            pub const fn statement(self) -> &'static str {
                match self { $(Rule::$name => $statement,)* }
            }

            /// The rule with this id.
            pub fn from_id(id: &str) -> Option<Rule> {
                match id { $($id => Some(Rule::$name),)* _ => None }
            }
        }
    };
}

rules! {
    Rep1 = "REP-1": "Every replica keeps log start ≤ high watermark ≤ log end.";
    Rep2 = "REP-2": "The high watermark follows the slowest member of the maximal ISR.";
    Rep3 = "REP-3": "Until an ISR change is decided, the larger set counts.";
    Rep4 = "REP-4": "Below min.insync.replicas the high watermark stands still.";
    Rep5 = "REP-5": "acks=all is refused before the append when the ISR is too small.";
    Rep6 = "REP-6": "acks=all is answered when the high watermark has passed the record.";
    Rep7 = "REP-7": "A produce that times out has an unknown outcome: the record stays.";
    Rep8 = "REP-8": "acks=1 is answered after the leader's own append; acks=0 never.";
    Rep9 = "REP-9": "A follower that has caught up is taken into the ISR.";
    Rep10 = "REP-10": "A follower that lags too long leaves the ISR.";
    Rep11 = "REP-11": "One ISR change per partition is under way at a time.";
    Rep12 = "REP-12": "The controller's answer decides what becomes of a proposed ISR.";
    Rep13 = "REP-13": "A fetch names the leader epoch it believes in, and a wrong one is refused.";
    Rep14 = "REP-14": "A follower learns a new high watermark one fetch later.";
    Rep15 = "REP-15": "A fetch that does not match the leader's history gets the point of divergence.";
    Rep16 = "REP-16": "A new leader starts its epoch at its log end and keeps its own high watermark.";
    Rep17 = "REP-17": "A leader change with an older partition epoch is ignored.";
    Rep18 = "REP-18": "A fetch waits at the leader until there is something to read.";
    Trn1 = "TRN-1": "A follower of an older era cuts its log at its own high watermark.";
    Trn2 = "TRN-2": "A follower of an older era is told where an epoch ends, and cuts its log there.";
    Trn3 = "TRN-3": "A follower cuts its log where it diverges from its leader's.";
    Trn4 = "TRN-4": "A follower beyond its leader's log starts again inside it.";
    Trn5 = "TRN-5": "A follower's high watermark is the leader's, but never beyond its own log end.";
    Ctl1 = "CTL-1": "The controller checks a proposed ISR against its own epochs.";
    Ctl2 = "CTL-2": "Every change raises the partition epoch; a set leader raises the leader epoch.";
    Ctl3 = "CTL-3": "The new leader is the first replica in order that is in the ISR and alive.";
    Ctl4 = "CTL-4": "A leader elected without proof recovers alone before its ISR may grow.";
    Ctl5 = "CTL-5": "Leadership goes back to the preferred replica, the first in order.";
    Ctl6 = "CTL-6": "Below min.insync.replicas, whoever leaves the ISR stays eligible to lead.";
    Ctl7 = "CTL-7": "Without eligible leader replicas the last member never leaves the ISR.";
    Ctl8 = "CTL-8": "A broker is unfenced once it has caught up with its own registration.";
    Ctl9 = "CTL-9": "A broker without heartbeats is fenced and leaves every ISR.";
    Ctl10 = "CTL-10": "A registration gives the broker its epoch: the offset of its record.";
    Ctl11 = "CTL-11": "A broker that shuts down gives its leaderships away before it stops.";
    Ctl12 = "CTL-12": "Replicas are spread over the brokers, leaders in turn.";
    Ctl13 = "CTL-13": "A reassignment ends when every target replica is in sync.";
    Ctl14 = "CTL-14": "Brokers learn of changes by reading the metadata log.";
    Log4 = "LOG-4": "Whole old segments are deleted, oldest first, never beyond the high watermark.";
    Log5 = "LOG-5": "Of every key the last value stays; tombstones and markers stay for a while.";
    Prd1 = "PRD-1": "A key decides the partition; records without one keep to a partition for a batch.";
    Prd2 = "PRD-2": "A batch leaves when it is full, when linger.ms has passed, or when it must.";
    Prd3 = "PRD-3": "A producer gets an id and an epoch, and numbers its records per partition.";
    Prd4 = "PRD-4": "A batch that the leader has already is answered with its first offset and not appended.";
    Prd5 = "PRD-5": "A producer's new epoch starts at sequence 0; an older epoch is refused.";
    Prd6 = "PRD-6": "After a lost batch, a producer sends the later ones again in order.";
    Prd7 = "PRD-7": "What a replica knows of producers is folded from its log.";
    Prd8 = "PRD-8": "A producer with an unknown gap raises its epoch and numbers anew.";
    Prd9 = "PRD-9": "Brokers take producer ids from the controller in blocks.";
    Txn1 = "TXN-1": "A transaction goes from state to state in a fixed order.";
    Txn2 = "TXN-2": "A producer that begins again fences its predecessor and aborts what that left open.";
    Txn3 = "TXN-3": "The end of a transaction is answered once the decision is durable; markers follow.";
    Txn4 = "TXN-4": "A partition is added to the transaction before its first record is taken.";
    Txn5 = "TXN-5": "Every end of a transaction raises the producer's epoch.";
    Txn6 = "TXN-6": "A marker ends the transaction in a partition.";
    Txn7 = "TXN-7": "The last stable offset stops at the first open transaction.";
    Txn8 = "TXN-8": "A reader of committed records drops what was aborted.";
    Txn9 = "TXN-9": "Offsets committed in a transaction count when it does.";
    Txn10 = "TXN-10": "A new transaction coordinator loads its log and sends the markers that are due.";
    Txn11 = "TXN-11": "A transaction that takes too long is aborted by its coordinator.";
    Grp1 = "GRP-1": "A group's coordinator leads the partition of the offsets topic that its name hashes to.";
    Grp2 = "GRP-2": "A group goes from state to state at its coordinator.";
    Grp3 = "GRP-3": "A new member is given an id first; the first rebalance waits for company.";
    Grp4 = "GRP-4": "The join ends when every member has joined again or the time is up.";
    Grp5 = "GRP-5": "The assignment is written to the offsets topic before members learn it.";
    Grp6 = "GRP-6": "A commit counts only from a member of the current generation.";
    Grp7 = "GRP-7": "A static member that comes back keeps its partitions without a rebalance.";
    Grp8 = "GRP-8": "Cooperative members keep what they own and give up only what must move.";
    Grp9 = "GRP-9": "A consumer that is too slow between polls leaves the group by itself.";
    Grp10 = "GRP-10": "The assignor divides the partitions among the members.";
    Grp11 = "GRP-11": "Group epoch, target assignment, member epoch: each member follows at its own pace.";
    Grp12 = "GRP-12": "A member with a wrong epoch is fenced.";
    Grp13 = "GRP-13": "A partition is given to its next owner only after the last one let go.";
    Grp14 = "GRP-14": "A member that is not heard from for its session timeout is removed.";
    Grp15 = "GRP-15": "A consumer without a position starts where auto.offset.reset says.";
    Raft1 = "RAFT-1": "A vote and an epoch are on disk before anybody hears of them.";
    Raft2 = "RAFT-2": "A vote goes to one candidate per epoch whose log is no shorter.";
    Raft3 = "RAFT-3": "Before it raises the epoch, a voter asks whether it would win.";
    Raft4 = "RAFT-4": "Metadata is committed when a majority of the voters has it.";
    Raft5 = "RAFT-5": "A new quorum leader tells every voter that its epoch has begun.";
    Raft6 = "RAFT-6": "Fetching from an offset acknowledges everything before it.";
    Raft7 = "RAFT-7": "A quorum leader that no majority fetches from steps down.";
    Raft8 = "RAFT-8": "A quorum leader that leaves names its successors in order.";
    Raft9 = "RAFT-9": "Election timeouts are random, so that a split vote resolves itself.";
    Raft10 = "RAFT-10": "A change of the voter set takes effect when it is appended, one at a time.";
    Raft11 = "RAFT-11": "The controller answers when its records are committed, not before.";
    Raft12 = "RAFT-12": "Every decision of the controller is a record of the metadata log.";
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_found_by_its_id() {
        for &rule in Rule::ALL {
            assert_eq!(Rule::from_id(rule.id()), Some(rule));
            assert!(rule.statement().ends_with('.'));
        }
        assert_eq!(Rule::from_id("REP-99"), None);
    }
}
