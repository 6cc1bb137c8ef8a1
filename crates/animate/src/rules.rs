//! What a rule of the engine means, in plain words, for moments of which nothing else tells.
//!
//! The ids are those of the engine's rules; what is not here is not worth a caption, or is
//! always told by what became true (`REP-2` by the watermark, `CTL-3` by the new leader).

use crate::words::Weight;

/// The caption of a rule that acted at a process.
pub(crate) fn words(rule: &str, who: &str) -> Option<(Weight, String)> {
    use Weight::{Detail, Key, Turn};
    let (weight, text) = match rule {
        "REP-4" => {
            (Turn, format!("{who}: too few replicas in sync, the high watermark stands."))
        }
        "REP-5" => (Key, format!("{who} refuses acks=all: too few replicas in sync.")),
        "REP-6" => {
            (Turn, format!("{who} answers acks=all: every replica in sync has it."))
        }
        "REP-7" => {
            (Key, format!("{who} ran out of time: the record stays, its fate is open."))
        }
        "REP-8" => (Turn, format!("{who} answers acks=1 after its own append alone.")),
        "REP-9" => {
            (Turn, format!("{who} finds a follower caught up and wants it in sync."))
        }
        "REP-10" => (Turn, format!("{who} finds that a follower lags too long.")),
        "REP-11" => (Detail, format!("{who} waits: one change of the set at a time.")),
        "REP-12" => (Detail, format!("{who} hears what became of the proposed set.")),
        "REP-13" => (Turn, format!("{who} refuses a fetch from another leader epoch.")),
        "REP-15" => (Key, format!("{who} tells a follower where their logs part.")),
        "REP-16" => (Turn, format!("{who} starts its epoch at the end of its own log.")),
        "REP-17" => {
            (Detail, format!("{who} ignores a leader change that is out of date."))
        }
        "TRN-4" => {
            (Key, format!("{who} is ahead of its leader and starts again inside it."))
        }
        "CTL-1" => (Detail, format!("{who} checks a proposed in-sync set.")),
        "CTL-10" => (Turn, format!("{who} registers a broker and gives it an epoch.")),
        "CTL-12" => (Detail, format!("{who} spreads replicas over the brokers.")),
        "RAFT-2" => (Detail, format!("{who} grants a vote: one candidate an epoch.")),
        "RAFT-5" => (Turn, format!("{who} tells every voter that its epoch has begun.")),
        _ => return of_producers(rule, who).or_else(|| of_groups(rule, who)),
    };
    Some((weight, text))
}

fn of_producers(rule: &str, who: &str) -> Option<(Weight, String)> {
    use Weight::{Detail, Key, Turn};
    let (weight, text) = match rule {
        "PRD-3" => (Detail, format!("{who} numbers its records for each partition.")),
        "PRD-4" => (
            Key,
            format!("{who} has this batch already: answered, and not appended again."),
        ),
        "PRD-5" => (Turn, format!("{who} looks at the producer's epoch.")),
        "PRD-6" => (Turn, format!("{who} sends the later batches again, in order.")),
        "PRD-8" => {
            (Key, format!("{who} cannot close the gap: a new epoch, numbered anew."))
        }
        "PRD-9" => (Detail, format!("{who} takes a block of producer ids.")),
        "TXN-2" => (
            Key,
            format!(
                "{who} fences the producer's predecessor and ends what it left open."
            ),
        ),
        "TXN-3" => (Turn, format!("{who} answers once the decision is durable.")),
        "TXN-4" => {
            (Turn, format!("{who} checks that the partition is in the transaction."))
        }
        "TXN-5" => (Detail, format!("{who} raises the producer's epoch with the end.")),
        "TXN-6" => {
            (Turn, format!("{who} appends the marker that ends the transaction here."))
        }
        "TXN-7" => {
            (Turn, format!("{who} holds readers back at the first open transaction."))
        }
        "TXN-8" => (Key, format!("{who} drops what was aborted.")),
        "TXN-9" => (Turn, format!("{who} keeps the offsets until the transaction ends.")),
        "TXN-10" => {
            (Key, format!("{who} loads its log and sends the markers that are due."))
        }
        "TXN-11" => (Key, format!("{who} aborts a transaction that took too long.")),
        _ => return None,
    };
    Some((weight, text))
}

fn of_groups(rule: &str, who: &str) -> Option<(Weight, String)> {
    use Weight::{Detail, Key, Turn};
    let (weight, text) = match rule {
        "GRP-1" => (Detail, format!("{who}: a group's name says who coordinates it.")),
        "GRP-3" => {
            (Turn, format!("{who} gives a new member its id, and waits for company."))
        }
        "GRP-4" => (Turn, format!("{who} has heard of everybody: the join is over.")),
        "GRP-5" => {
            (Turn, format!("{who} writes the assignment down before anybody learns it."))
        }
        "GRP-6" => (Key, format!("{who} looks whose commit it is before it counts.")),
        "GRP-7" => (Key, format!("{who} knows a static member: it keeps what it had.")),
        "GRP-8" => {
            (Turn, format!("{who} keeps what it owns and gives up only what moves."))
        }
        "GRP-9" => {
            (Key, format!("{who} was too long between two polls and leaves by itself."))
        }
        "GRP-10" => (Turn, format!("{who} divides the partitions among the members.")),
        "GRP-11" => (Detail, format!("{who}: each member follows at its own pace.")),
        "GRP-12" => (Key, format!("{who} fences a member with a wrong epoch.")),
        "GRP-13" => (Turn, format!("{who} waits until the last owner has let go.")),
        "GRP-14" => {
            (Key, format!("{who} has not heard of a member for its session timeout."))
        }
        _ => return None,
    };
    Some((weight, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_told_with_the_name_of_its_process() {
        let (weight, text) = words("REP-5", "Broker 2").unwrap();
        assert_eq!(weight, Weight::Key);
        assert!(text.starts_with("Broker 2 refuses"));
        assert!(words("REP-99", "x").is_none());
    }
}
