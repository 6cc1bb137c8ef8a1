//! M8: a static member that is away for less than its session timeout stays in its group.

use std::collections::{BTreeMap, BTreeSet};

use topomotion_sim::{ClusterPlan, ConsumerPlan, Sight};
use topomotion_trace::{GroupMember, GroupState, StateChange};

use super::Checker;
use crate::court::Bench;
use crate::homes::{home_in, is_deposed};
use crate::model::{Model, Name};

/// So long a coordinator may take to say that a member is out, in µs: it says it when that is
/// durable, and the member may be back by then.
const LATE: u64 = 15_000_000;

/// How patient a group is with a static member, in µs.
#[derive(Debug, Clone, Copy)]
struct Patience {
    session: u64,
    /// How long it may take to give up what it no longer has, where it need not join again.
    revocation: Option<u64>,
}

/// The static members of a group.
#[derive(Debug, Default)]
struct Members {
    /// Who coordinates, and in which epoch it leads the group's home: in another one it has read
    /// its log again.
    coordinator: Option<(Name, i32)>,
    now: BTreeSet<Name>,
    /// Those that this coordinator has taken out, of whom some may be back.
    out: BTreeSet<Name>,
    /// Those that another coordinator would find: where members join, nothing is written before
    /// all have, and each has been told what it is given. What they are given may be written
    /// and not told, if that takes too long.
    written: BTreeSet<Name>,
}

/// A static member as its coordinator hears it.
#[derive(Debug, Default)]
struct Presence {
    /// When each of its questions came; it counts when it is answered.
    arrived: BTreeMap<u64, u64>,
    heard: Option<u64>,
    /// At the moment of its last answer: since when it had waited for one.
    waited: Option<(u64, u64)>,
    /// When it was heard again after it had been silent for too long.
    lapsed: Option<u64>,
    /// What it was given last, as far as that was told.
    assigned: BTreeSet<Name>,
    /// Its epoch then, and its group's.
    epochs: (i32, i32),
    /// Whether some of that has vanished since, with its topic: it is to be given up, too.
    has_less: bool,
    /// Since when it has had to give up some of that before its epoch moves (GRP-13).
    must_revoke: Option<u64>,
}

impl Presence {
    /// When the first question came since the last one that was answered; one that was
    /// refused may have been decided, too.
    fn waiting_since(&self) -> Option<u64> {
        let heard = self.heard.unwrap_or_default();
        self.arrived.values().filter(|asked| **asked >= heard).copied().min()
    }
}

/// Whether a group's coordinator has told of it before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coordinator {
    New,
    Known,
}

#[derive(Debug, Default)]
pub(crate) struct Static {
    /// Of consumers with a `group.instance.id`.
    patience: BTreeMap<Name, Patience>,
    /// Static members of each group.
    members: BTreeMap<Name, Members>,
    /// By group and process.
    presence: BTreeMap<(Name, Name), Presence>,
    /// Whose clock is not the world's.
    moved: BTreeSet<Name>,
    /// The moment of what was seen last.
    now: u64,
}

fn patience(plan: &ClusterPlan, consumer: &ConsumerPlan) -> Patience {
    let read = |of: &BTreeMap<String, String>, name: &str, default: u64| {
        of.get(name).and_then(|it| it.parse().ok()).unwrap_or(default) * 1_000
    };
    let own = &consumer.settings;
    match own.get("group.protocol").map(String::as_str) {
        Some("consumer") => Patience {
            session: read(&plan.settings, "group.consumer.session.timeout.ms", 45_000),
            revocation: Some(read(own, "max.poll.interval.ms", 300_000)),
        },
        _ => Patience {
            session: read(own, "session.timeout.ms", 45_000),
            revocation: None,
        },
    }
}

impl Static {
    pub fn new(plan: Option<&ClusterPlan>) -> Static {
        let consumers = plan
            .into_iter()
            .flat_map(|plan| plan.consumers.iter().map(move |it| (plan, it)));
        let with_instance = consumers
            .filter(|(_, it)| it.settings.contains_key("group.instance.id"))
            .map(|(plan, it)| (it.process.0.clone(), patience(plan, it)));
        Static { patience: with_instance.collect(), ..Static::default() }
    }

    /// Something has come from a member: what is refused, or never answered, does not keep it
    /// in its group.
    fn hear(&mut self, (group, process): (&Name, &Name), number: u64, at: u64) {
        if self.patience.contains_key(process) {
            let place = (group.clone(), process.clone());
            self.presence.entry(place).or_default().arrived.insert(number, at);
        }
    }

    /// A member was answered.
    fn keep(&mut self, (group, process): (&Name, &Name), number: u64) {
        let place = (group.clone(), process.clone());
        let (Some(patience), Some(presence)) =
            (self.patience.get(process), self.presence.get_mut(&place))
        else {
            return;
        };
        presence.waited = presence.waiting_since().map(|since| (self.now, since));
        let Some(at) = presence.arrived.remove(&number) else { return };
        if presence.heard.is_some_and(|heard| at >= heard + patience.session) {
            presence.lapsed = Some(at);
        }
        presence.heard = presence.heard.max(Some(at));
    }

    /// When a story begins, time begins anew; what members have been given stays theirs.
    fn pass(&mut self, at: u64) {
        if at < self.now {
            for presence in self.presence.values_mut() {
                let assigned = std::mem::take(&mut presence.assigned);
                let epochs = presence.epochs;
                *presence = Presence { assigned, epochs, ..Presence::default() };
            }
        }
        self.now = at;
    }

    /// Notes whether a member has to give something up. Its time to do so is counted from the
    /// question that it was decided with, whose answer waits until that is durable; a new
    /// coordinator counts anew.
    fn look_at(
        &mut self,
        group: &Name,
        generation: i32,
        member: &GroupMember,
        (coordinator, at): (Coordinator, u64),
    ) {
        let place = (group.clone(), member.process.clone());
        let Some(presence) = self.presence.get_mut(&place) else { return };
        let assigned: BTreeSet<Name> = member.assigned.iter().cloned().collect();
        let is_less = !presence.assigned.is_subset(&assigned);
        presence.assigned = assigned;
        let epochs = (member.epoch, generation);
        let is_same = std::mem::replace(&mut presence.epochs, epochs) == epochs;
        if member.epoch == generation {
            presence.has_less = is_same && (is_less || presence.has_less);
            presence.must_revoke = None;
        } else if is_less || std::mem::take(&mut presence.has_less) {
            // Its answer may have left at this very moment.
            let waited = presence.waited.filter(|(answered, _)| *answered == at);
            let since = waited.map(|(_, since)| since).or(presence.waiting_since());
            presence.must_revoke = Some(since.unwrap_or(at));
        } else if coordinator == Coordinator::New {
            presence.must_revoke = presence.must_revoke.map(|_| at);
        }
    }

    /// A member is in its group no more.
    fn judge(&mut self, group: &Name, gone: &Name, bench: &mut Bench<'_>) {
        let place = (group.clone(), gone.clone());
        let (Some(patience), Some(presence)) =
            (self.patience.get(gone), self.presence.remove(&place))
        else {
            return;
        };
        let at = bench.at().0;
        let Some(heard) = presence.heard else { return };
        let is_slow = presence
            .must_revoke
            .zip(patience.revocation)
            .is_some_and(|(since, within)| at >= since + within);
        let holds = at >= heard + patience.session
            || presence.lapsed.is_some_and(|lapsed| at <= lapsed + LATE)
            || is_slow;
        bench.demand("M8", holds, || {
            format!(
                "static member {gone} was taken out of {group} {} ms after it was heard",
                (at - heard) / 1_000
            )
        });
    }
}

impl Checker for Static {
    fn see(&mut self, model: &Model, change: &StateChange, bench: &mut Bench<'_>) {
        self.pass(bench.at().0);
        let StateChange::Group { coordinator, group, state, generation, members, .. } =
            change
        else {
            return;
        };
        let home = home_in(model, "__consumer_offsets", group);
        if home.as_ref().is_none_or(|home| {
            model.led_by(coordinator, home).is_none() || model.was_unclean(home)
        }) {
            self.members.remove(group);
            return;
        }
        let with_instance = members.iter().filter(|it| it.instance.is_some());
        let now: BTreeSet<Name> =
            with_instance.clone().map(|it| it.process.clone()).collect();
        let known = self.members.entry(group.clone()).or_default();
        let leader_epoch = home
            .and_then(|home| model.registrations.get(&home))
            .map_or(0, |it| it.leader_epoch);
        let office = Some((coordinator.clone(), leader_epoch));
        let is_new = std::mem::replace(&mut known.coordinator, office.clone()) != office;
        if is_new {
            known.out.clear();
        }
        // A group's death is told when it is durable. Whoever was taken out of it before, and is
        // in one of the same name by then, is looked for in what is told of that next.
        let now = match state {
            GroupState::Dead => known.now.intersection(&known.out).cloned().collect(),
            _ => now,
        };
        let before = std::mem::replace(&mut known.now, now.clone());
        known.out.extend(before.difference(&now).cloned());
        let written = match state {
            GroupState::PreparingRebalance => known.written.clone(),
            GroupState::CompletingRebalance => {
                let written = known.written.clone();
                known.written.retain(|member| now.contains(member));
                written
            }
            GroupState::Dead => std::mem::take(&mut known.written),
            _ => std::mem::replace(&mut known.written, now.clone()),
        };
        let who = if is_new { Coordinator::New } else { Coordinator::Known };
        for member in with_instance {
            self.look_at(group, *generation, member, (who, bench.at().0));
        }
        if self.moved.contains(coordinator) {
            return;
        }
        let before = if is_new { written } else { before };
        for gone in before.iter().filter(|it| !now.contains(*it)) {
            self.judge(group, gone, bench);
        }
    }

    fn witness(&mut self, model: &Model, sight: &Sight, bench: &mut Bench<'_>) {
        self.pass(bench.at().0);
        match sight {
            Sight::Heard { number, process, group, .. } => {
                self.hear((group, process), *number, bench.at().0);
            }
            Sight::Kept { number, coordinator, process, group }
                if !is_deposed(model, coordinator, group) =>
            {
                self.keep((group, process), *number);
            }
            Sight::ClockMoved(process) => _ = self.moved.insert(process.clone()),
            _ => {}
        }
    }
}
