//! The trace as text, one line an event, and its digest.

use std::fmt;

use crate::{
    Event, Fault, Flow, Loss, Packet, QuorumRole, StateChange, Time, Tone, Trace, Travel,
    What,
};

impl Trace {
    /// A 64-bit FNV-1a digest of the readable text. Two runs with the same digest said the
    /// same.
    pub fn digest(&self) -> u64 {
        self.to_string().bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.events.iter().try_for_each(|event| writeln!(f, "{event}"))
    }
}

impl fmt::Display for Time {
    /// Seconds with six decimals.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.at, self.what)
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            What::Curtain => f.write_str("— curtain —"),
            What::Step { index, text, .. } => write!(f, "▶ step {index}: {text}"),
            What::Sent(packet) => packet.fmt(f),
            What::Arrived(id) => write!(f, "  #{} arrives", id.0),
            What::Lost(id, loss) => write!(f, "  #{} is lost: {loss}", id.0),
            What::Opened { from, to } => write!(f, "  {from} ⇄ {to} opens"),
            What::Closed { from, to } => write!(f, "  {from} ⇄ {to} closes"),
            What::Mark { process, rule, partition: None } => {
                write!(f, "  {process} [{rule}]")
            }
            What::Mark { process, rule, partition: Some(partition) } => {
                write!(f, "  {process} [{rule}] {partition}")
            }
            What::Deed { process, partition: None, text, .. } => {
                write!(f, "  {process} · {text}")
            }
            What::Deed { process, partition: Some(partition), text, .. } => {
                write!(f, "  {process} · {partition} {text}")
            }
            What::State(change) => write!(f, "  {change}"),
            What::Fault(fault) => write!(f, "✗ {fault}"),
            What::Say { process, label, text, tone } => {
                let mark = if *tone == Tone::Error { "!" } else { "“" };
                let at = process.as_deref().unwrap_or("all");
                let label = label.as_deref().map(|label| format!("[{label}] "));
                write!(f, "{mark} {at}: {}{text}", label.unwrap_or_default())
            }
            What::Flash { process } => write!(f, "! {process} flashes"),
            What::Verdict { step, demand, failure: None } => {
                write!(f, "✓ step {step}: {demand}")
            }
            What::Verdict { step, demand, failure: Some(failure) } => {
                write!(f, "✘ step {step}: {demand}: {failure}")
            }
        }
    }
}

impl fmt::Display for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Packet { id, from, to, api, detail, .. } = self;
        let arrow = if let Travel::Response(_) = self.travel { "⇒" } else { "→" };
        write!(f, "#{} {from}{arrow}{to} {api}", id.0)?;
        if !detail.is_empty() {
            write!(f, " {detail}")?;
        }
        if let Some(error) = &self.error {
            write!(f, " error={error}")?;
        }
        if let Travel::Response(request) = self.travel {
            write!(f, " (answers #{})", request.0)?;
        }
        if let Some(cause) = self.cause {
            write!(f, " (after #{})", cause.0)?;
        }
        if !self.news {
            f.write_str(" ·")?;
        }
        Ok(())
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Loss::ReceiverDown => "receiver down",
            Loss::ConnectionBroken => "connection broken",
            Loss::Partitioned => "network cut",
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Crash { process } => write!(f, "{process} crashes"),
            Fault::Restart { process } => write!(f, "{process} restarts"),
            Fault::Pause { process } => write!(f, "{process} stands still"),
            Fault::Resume { process } => write!(f, "{process} goes on"),
            Fault::Partition { left, right } => {
                write!(f, "cut {{{}}} | {{{}}}", left.join(", "), right.join(", "))
            }
            Fault::Way { from, to, flow } => {
                write!(f, "{{{}}} > {{{}}} {flow}", from.join(", "), to.join(", "))
            }
            Fault::Heal => f.write_str("the network heals"),
        }
    }
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Flow::Free => f.write_str("free"),
            Flow::Lost => f.write_str("cut"),
            Flow::KeptBack => f.write_str("clogged"),
            Flow::Slower(ms) => write!(f, "slower by {ms} ms"),
            Flow::Narrow(bytes) => write!(f, "throttled to {bytes} bytes/s"),
        }
    }
}

impl fmt::Display for QuorumRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            QuorumRole::Unattached => "unattached",
            QuorumRole::Prospective => "prospective",
            QuorumRole::Candidate => "candidate",
            QuorumRole::Leader => "leader",
            QuorumRole::Follower => "follower",
            QuorumRole::Resigned => "resigned",
        })
    }
}

impl fmt::Display for StateChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use StateChange as S;
        match self {
            S::Process { process, state } => write!(f, "{process} is {state:?}"),
            S::Quorum { process, role, epoch } => {
                write!(f, "{process} quorum {role} epoch={epoch}")
            }
            S::Broker { broker, liveness, .. } => {
                write!(f, "controller: {broker} {liveness:?}")
            }
            S::Registration {
                partition,
                isr,
                leader,
                leader_epoch,
                partition_epoch,
                ..
            } => write!(
                f,
                "controller: {partition} leader={} isr={{{}}} epoch={leader_epoch}.{partition_epoch}",
                leader.as_deref().unwrap_or("none"),
                isr.join(", "),
            ),
            S::Replica { process, partition, leader, epoch } => write!(
                f,
                "{process} {partition} leader={} epoch={epoch}",
                leader.as_deref().unwrap_or("none"),
            ),
            S::Appended { process, partition, base, count, epoch, .. } => write!(
                f,
                "{process} {partition} log end {} (+{count}) epoch={epoch}",
                base + count
            ),
            S::Truncated { process, partition, end } => {
                write!(f, "{process} {partition} cut to {end}")
            }
            S::Recovered { process, partition, end } => {
                write!(f, "{process} {partition} found up to {end} only")
            }
            S::HighWatermark { process, partition, offset } => {
                write!(f, "{process} {partition} high watermark {offset}")
            }
            S::LogStart { process, partition, offset } => {
                write!(f, "{process} {partition} log start {offset}")
            }
            S::IsrProposed { process, partition, isr } => {
                write!(f, "{process} {partition} proposes isr={{{}}}", isr.join(", "))
            }
            S::ProduceWaits { process, partition, until } => {
                write!(f, "{process} {partition} produce waits for {until}")
            }
            S::BatchSent { .. }
            | S::BatchAcked { .. }
            | S::BatchFailed { .. }
            | S::Polled { .. }
            | S::LeaderLearned { .. } => client_text(self, f),
            S::LastStable { process, partition, offset } => {
                write!(f, "{process} {partition} last stable {offset}")
            }
            S::Group { .. }
            | S::Member { .. }
            | S::OffsetCommitted { .. }
            | S::CommitAnswered { .. } => group_text(self, f),
            S::Transaction { .. }
            | S::TransactionStep { .. }
            | S::ProducerIdentified { .. } => transaction_text(self, f),
        }
    }
}

fn client_text(change: &StateChange, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    use StateChange as S;
    match change {
        S::BatchSent { process, partition, count, acks, attempt, .. } => write!(
            f,
            "{process} sends {count} to {partition} acks={acks} attempt={attempt}"
        ),
        S::BatchAcked { process, partition, base, .. } => match base {
            Some(base) => write!(f, "{process} acknowledged {partition} at {base}"),
            None => write!(f, "{process} sent {partition} unacknowledged"),
        },
        S::BatchFailed { process, partition, error, .. } => {
            write!(f, "{process} gave up {partition}: {error}")
        }
        S::Polled { process, partition, base, next, records } => {
            write!(f, "{process} read {partition} {base}..{next}")?;
            match *records {
                dense if dense == next - base => Ok(()),
                1 => f.write_str(": 1 record"),
                records => write!(f, ": {records} records"),
            }
        }
        S::LeaderLearned { process, partition, leader, epoch } => write!(
            f,
            "{process} knows {partition} leader={} epoch={epoch}",
            leader.as_deref().unwrap_or("none"),
        ),
        _ => Ok(()),
    }
}

fn group_text(change: &StateChange, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    use StateChange as S;
    match change {
        S::Group { coordinator, group, state, generation, members, .. } => {
            write!(f, "{coordinator} group {group} {state} generation={generation}")?;
            let members = members.iter().map(|member| {
                format!("{}={{{}}}", member.process, member.assigned.join(", "))
            });
            let members: Vec<String> = members.collect();
            write!(f, " members [{}]", members.join(", "))
        }
        S::Member { process, group, generation, change, partitions, owned } => write!(
            f,
            "{process} {group} generation={generation} {change} {{{}}}, owns {{{}}}",
            partitions.join(", "),
            owned.join(", "),
        ),
        S::OffsetCommitted { coordinator, group, partition, offset } => match offset {
            Some(offset) => {
                write!(f, "{coordinator} {group} committed {partition} at {offset}")
            }
            None => write!(f, "{coordinator} {group} forgets {partition}"),
        },
        S::CommitAnswered { process, group, offsets, error } => {
            let offsets: Vec<String> =
                offsets.iter().map(|(at, offset)| format!("{at} {offset}")).collect();
            write!(f, "{process} {group} commit of {}: ", offsets.join(", "))?;
            f.write_str(error.as_deref().unwrap_or("done"))
        }
        _ => Ok(()),
    }
}

fn transaction_text(change: &StateChange, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    use StateChange as S;
    match change {
        S::Transaction { coordinator, id, state, producer, epoch, partitions } => write!(
            f,
            "{coordinator} transaction {id} {state} producer={producer} epoch={epoch} {{{}}}",
            partitions.join(", "),
        ),
        S::TransactionStep { process, id, number, step } => {
            write!(f, "{process} {id} transaction {number} {step}")
        }
        S::ProducerIdentified { process, id, producer, epoch } => {
            let id = id.as_deref().map(|id| format!(" ({id})")).unwrap_or_default();
            write!(f, "{process} is producer {producer} epoch={epoch}{id}")
        }
        _ => Ok(()),
    }
}
