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
