//! K12, K13, K14: leaders of the quorum and those who hear of them. A leader without a
//! majority gives up in time; whoever hears of its leader promises nobody else a vote; and
//! nobody campaigns against a leader that a majority hears of.
//!
//! Contact is read from the quorum's fetches. A leader hears of whoever fetches in its epoch
//! when that arrives, whenever it answers. A node that asks again soon after it was
//! answered has had the answer; that is all that is taken for contact, so that a slow network
//! excuses everybody. Clocks that were meddled with excuse their node for good.

use std::collections::{BTreeMap, BTreeSet};

use topomotion_sim::{Ballot, ClusterPlan, Sight};
use topomotion_trace::{Fault, ProcessState, QuorumRole, StateChange, Time};

use super::Checker;
use crate::court::Bench;
use crate::model::{Model, Name};

/// Within so much of its answer a follower asks again, µs.
const SOON: u64 = 400_000;
/// So long is a contact steady before it counts against campaigns, µs. What was promised
/// before may arrive until then.
const STEADY: u64 = 6_000_000;
/// On top of the time that a leader has to give up: a fetch may wait there, µs.
const GRACE: u64 = 1_500_000;

/// A leadership as its holder claims it.
#[derive(Debug, Clone, Copy)]
struct Claim {
    epoch: i32,
    since: Time,
}

/// What a follower hears of its leader.
#[derive(Debug, Clone)]
struct Ear {
    leader: Name,
    since: Time,
    last: Time,
}

#[derive(Debug)]
pub(crate) struct Contact {
    voters: Vec<Name>,
    /// The voters as each node said last that it knows them: whoever campaigns counts with its
    /// own.
    known: BTreeMap<Name, Vec<Name>>,
    /// `controller.quorum.fetch.timeout.ms`, in µs.
    timeout: u64,
    claims: BTreeMap<Name, Claim>,
    /// When each leader last heard of each voter in its epoch.
    heard: BTreeMap<(Name, Name), Time>,
    /// When each leader last answered each voter.
    answered: BTreeMap<(Name, Name), Time>,
    ears: BTreeMap<Name, Ear>,
    /// Since when each follows whom it follows; what was answered before does not count.
    following: BTreeMap<Name, Time>,
    standing_still: BTreeSet<Name>,
    meddled: BTreeSet<Name>,
    /// When leaders are looked at next.
    next: Time,
}

impl Contact {
    pub fn new(plan: Option<&ClusterPlan>) -> Contact {
        let voters = plan.iter().flat_map(|plan| plan.voters());
        let own = plan.and_then(|plan| {
            plan.settings.get("controller.quorum.fetch.timeout.ms")?.parse::<u64>().ok()
        });
        Contact {
            voters: voters.map(|node| node.process.0.clone()).collect(),
            timeout: own.unwrap_or(2_000) * 1_000,
            known: BTreeMap::new(),
            claims: BTreeMap::new(),
            heard: BTreeMap::new(),
            answered: BTreeMap::new(),
            ears: BTreeMap::new(),
            following: BTreeMap::new(),
            standing_still: BTreeSet::new(),
            meddled: BTreeSet::new(),
            next: Time(0),
        }
    }

    fn is_sound(&self, process: &Name) -> bool {
        !self.standing_still.contains(process) && !self.meddled.contains(process)
    }

    fn gone(&mut self, process: &Name) {
        self.claims.remove(process);
        self.ears.remove(process);
        self.heard.retain(|(leader, _), _| leader != process);
        self.answered.retain(|(leader, _), _| leader != process);
        self.standing_still.remove(process);
    }

    /// K12.
    fn majorities(&mut self, now: Time, bench: &mut Bench<'_>) {
        let patience = self.timeout * 3 / 2 + GRACE;
        for (leader, claim) in &self.claims {
            if now.0.saturating_sub(claim.since.0) <= patience || !self.is_sound(leader) {
                continue;
            }
            let heard = |voter: &&Name| {
                let place = (leader.clone(), (*voter).clone());
                let last = self.heard.get(&place).copied().unwrap_or(Time(0));
                *voter == leader || now.0.saturating_sub(last.0) <= patience
            };
            let count = self.voters.iter().filter(heard).count();
            bench.demand("K12", count > self.voters.len() / 2, || {
                format!(
                    "{leader} leads the quorum in epoch {} and has heard of only {count} \
                     of {} voters for {} ms",
                    claim.epoch,
                    self.voters.len(),
                    patience / 1_000
                )
            });
        }
    }

    /// K14. A campaign in an epoch above that of a leader that is heard of by so many that the
    /// rest are no majority: pre-votes would have told.
    fn campaign(&self, candidate: &Name, epoch: i32, bench: &mut Bench<'_>) {
        let now = bench.at();
        let steady = |since: Time| now.0.saturating_sub(since.0) >= STEADY;
        for (leader, claim) in &self.claims {
            let healthy =
                claim.epoch < epoch && steady(claim.since) && self.is_sound(leader);
            if !healthy || leader == candidate {
                continue;
            }
            let refuses = |voter: &&Name| {
                let hears = self.ears.get(*voter).is_some_and(|ear| {
                    ear.leader == *leader
                        && steady(ear.since)
                        && now.0.saturating_sub(ear.last.0) <= self.timeout / 2
                });
                *voter != candidate && (*voter == leader || hears && self.is_sound(voter))
            };
            let voters = self.known.get(candidate).unwrap_or(&self.voters);
            let refuse = voters.iter().filter(refuses).count();
            let rest = voters.len() - refuse;
            bench.demand("K14", rest > voters.len() / 2, || {
                format!(
                    "{candidate} campaigns in epoch {epoch} while {leader} leads in epoch \
                     {} and a majority hears of it",
                    claim.epoch
                )
            });
        }
    }

    fn answered(&mut self, leader: &Name, follower: &Name, at: Time) {
        self.answered.insert((leader.clone(), follower.clone()), at);
    }

    /// A follower asks: it has had its last answer, if that was just now.
    fn asked(&mut self, follower: &Name, leader: &Name, at: Time) {
        let place = (leader.clone(), follower.clone());
        let since = self.following.get(follower).copied().unwrap_or(Time(0));
        let told = self.answered.get(&place).copied().filter(|told| *told >= since);
        if told.is_none_or(|told| at.0.saturating_sub(told.0) > SOON) {
            return;
        }
        let is_steady = |ear: &Ear| {
            ear.leader == *leader && at.0.saturating_sub(ear.last.0) <= self.timeout / 2
        };
        let since = match self.ears.get(follower) {
            Some(ear) if is_steady(ear) => ear.since,
            Some(_) | None => at,
        };
        let ear = Ear { leader: leader.clone(), since, last: at };
        self.ears.insert(follower.clone(), ear);
    }

    /// K13.
    fn promised(&self, voter: &Name, epoch: i32, bench: &mut Bench<'_>) {
        let now = bench.at();
        let hears = self.ears.get(voter).filter(|ear| {
            now.0.saturating_sub(ear.last.0) <= self.timeout / 2 && self.is_sound(voter)
        });
        let Some(ear) = hears else { return };
        let Some(claim) = self.claims.get(&ear.leader) else { return };
        bench.demand("K13", claim.epoch < epoch, || {
            format!(
                "{voter} promised its vote in epoch {epoch} while it hears of {}, which \
                 leads in epoch {}",
                ear.leader, claim.epoch
            )
        });
    }
}

impl Checker for Contact {
    fn see(&mut self, _model: &Model, change: &StateChange, bench: &mut Bench<'_>) {
        if let StateChange::Process { process, state: ProcessState::Stopped } = change {
            self.gone(process);
        }
        let StateChange::Quorum { process, role, epoch } = change else { return };
        match role {
            QuorumRole::Leader => {
                let claim = Claim { epoch: *epoch, since: bench.at() };
                self.claims.insert(process.clone(), claim);
            }
            QuorumRole::Candidate => {
                self.claims.remove(process);
                self.campaign(process, *epoch, bench);
            }
            _ => _ = self.claims.remove(process),
        }
        match role {
            QuorumRole::Follower => {
                self.following.insert(process.clone(), bench.at());
            }
            _ => _ = self.ears.remove(process),
        }
    }

    fn witness(&mut self, _model: &Model, sight: &Sight, bench: &mut Bench<'_>) {
        let now = bench.at();
        match sight {
            Sight::QuorumHeard { leader, follower, epoch }
                if self.claims.get(leader).is_some_and(|it| it.epoch == *epoch) =>
            {
                self.heard.insert((leader.clone(), follower.clone()), now);
            }
            Sight::QuorumAnswered { leader, follower } => {
                self.answered(leader, follower, now);
            }
            Sight::QuorumAsked { follower, leader } => self.asked(follower, leader, now),
            Sight::Voted { voter, epoch, kind: Ballot::PreVote, .. } => {
                self.promised(voter, *epoch, bench);
            }
            Sight::Started(process) | Sight::LostPower(process) => self.gone(process),
            Sight::MetadataLog { process, leads, voters, .. } => {
                if leads.is_some() && *voters != self.voters {
                    self.voters.clone_from(voters);
                }
                if self.known.get(process) != Some(voters) {
                    self.known.insert(process.clone(), voters.clone());
                }
            }
            Sight::ClockMoved(process) => _ = self.meddled.insert(process.clone()),
            _ => {}
        }
    }

    fn suffer(&mut self, at: Time, fault: &Fault) {
        match fault {
            Fault::Crash { process } => self.gone(process),
            Fault::Pause { process } => _ = self.standing_still.insert(process.clone()),
            Fault::Resume { process } => {
                self.standing_still.remove(process);
                self.ears.remove(process);
                if let Some(claim) = self.claims.get_mut(process) {
                    claim.since = at;
                }
            }
            Fault::Heal => {
                for process in std::mem::take(&mut self.standing_still) {
                    if let Some(claim) = self.claims.get_mut(&process) {
                        claim.since = at;
                    }
                }
            }
            Fault::Restart { .. } | Fault::Partition { .. } | Fault::Way { .. } => {}
        }
    }

    fn settle(&mut self, _model: &Model, bench: &mut Bench<'_>) {
        let now = bench.at();
        if now >= self.next && !self.voters.is_empty() {
            self.next = Time(now.0 + 200_000);
            self.majorities(now, bench);
        }
    }
}
