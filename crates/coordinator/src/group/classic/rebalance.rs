//! The join phase: how it begins, what it waits for, how it ends (GRP-2 to GRP-4).

use std::collections::BTreeSet;
use std::sync::Arc;

use topomotion_wire::{Defect, Duration, ErrorCode, Rule};

use super::{ClassicGroup, State, Wait};
use crate::group::answers;
use crate::group::group::Cx;
use crate::group::outbox::Change;
use crate::group::records::Key;

impl ClassicGroup {
    /// Begins a rebalance, or ends it if this was the last member it waited for.
    pub(super) fn rebalance_or_complete(&mut self, cx: &mut Cx<'_>) {
        match &self.state {
            State::Empty | State::Completing { .. } | State::Stable { .. } => {
                self.prepare(cx);
            }
            State::Preparing(_) => self.complete_if_all_joined(cx),
        }
    }

    /// What a member's end means for the others.
    pub(super) fn after_removal(&mut self, cx: &mut Cx<'_>) {
        match &self.state {
            State::Empty => {}
            State::Completing { .. } | State::Stable { .. } => self.prepare(cx),
            State::Preparing(_) => self.complete_if_all_joined(cx),
        }
    }

    fn prepare(&mut self, cx: &mut Cx<'_>) {
        if let State::Completing { .. } = self.state {
            self.fail_syncing(cx, ErrorCode::RebalanceInProgress);
        }
        cx.out.mark(Rule::Grp2);
        self.since_ms = cx.wall_ms();
        let patience = self.rebalance_timeout();
        if self.state == State::Empty {
            cx.out.mark(Rule::Grp3);
            let delay = cx.config.initial_rebalance_delay;
            self.state = State::Preparing(Wait::Company {
                until: cx.now + delay,
                remaining: Duration(patience.0.saturating_sub(delay.0)),
                newcomer: false,
            });
            return;
        }
        self.state = State::Preparing(Wait::Members { until: cx.now + patience });
        self.complete_if_all_joined(cx);
    }

    fn rebalance_timeout(&self) -> Duration {
        self.members.values().map(|it| it.rebalance_timeout).max().unwrap_or_default()
    }

    fn complete_if_all_joined(&mut self, cx: &mut Cx<'_>) {
        let waits_for_members =
            matches!(self.state, State::Preparing(Wait::Members { .. }));
        let all = self.members.values().all(|member| member.joining.is_some());
        if waits_for_members && all && self.pending.is_empty() {
            self.complete_join(cx);
        }
    }

    /// The time of a join phase is up, in one way or the other.
    pub(super) fn join_due(&mut self, cx: &mut Cx<'_>) {
        let State::Preparing(wait) = &mut self.state else { return };
        match wait {
            Wait::Company { until, remaining, newcomer } if *until <= cx.now => {
                if *newcomer && *remaining > Duration::ZERO {
                    let delay = cx.config.initial_rebalance_delay;
                    *until = cx.now + delay.min(*remaining);
                    *remaining = Duration(remaining.0.saturating_sub(delay.0));
                    *newcomer = false;
                    return;
                }
                self.complete_join(cx);
            }
            Wait::Members { until } if *until <= cx.now => self.complete_join(cx),
            Wait::Company { .. } | Wait::Members { .. } => {}
        }
    }

    /// The join phase ends: whoever has not joined again is out, the generation rises, and
    /// everybody hears of it (GRP-4).
    fn complete_join(&mut self, cx: &mut Cx<'_>) {
        let is_out = |id: &&Arc<str>| {
            let member = &self.members[*id];
            member.joining.is_none() && member.instance.is_none()
        };
        let out: Vec<Arc<str>> = self.members.keys().filter(is_out).cloned().collect();
        for id in out {
            self.remove(&id);
        }
        if !self.elect_joined_leader() {
            // Static members may still come back within their sessions.
            let until = cx.now + self.rebalance_timeout();
            self.state = State::Preparing(Wait::Members { until });
            return;
        }
        self.generation = self.generation.wrapping_add(1).max(0);
        self.since_ms = cx.wall_ms();
        cx.out.mark(Rule::Grp4);
        if self.members.is_empty() {
            self.become_empty(cx);
            return;
        }
        self.protocol = self.select_protocol();
        let until = cx.now + self.rebalance_timeout();
        let missing = self.members.keys().cloned().collect();
        self.state = State::Completing { missing, until };
        let ids: Vec<Arc<str>> = self.members.keys().cloned().collect();
        for id in ids {
            let Some(member) = self.members.get_mut(&id) else { continue };
            member.heard(cx.now);
            member.is_new = false;
            if let Some(waiting) = member.joining.take() {
                self.answer_join(cx, &id, waiting);
            }
        }
    }

    /// The leader must be somebody who has joined; false if there are members, but nobody has.
    fn elect_joined_leader(&mut self) -> bool {
        let joined = |id: &Arc<str>| self.members[id].joining.is_some();
        let stays = self.leader.as_ref().is_some_and(|leader| {
            self.members.get(leader).is_some_and(|member| member.joining.is_some())
        });
        if stays || self.members.is_empty() {
            return true;
        }
        match self.members.keys().find(|id| joined(id)).cloned() {
            Some(leader) => {
                self.leader = Some(leader);
                true
            }
            None => false,
        }
    }

    /// Nobody is left. That is written, so that a successor does not wait for members that
    /// have gone.
    fn become_empty(&mut self, cx: &mut Cx<'_>) {
        self.state = State::Empty;
        self.protocol = None;
        self.leader = None;
        cx.out.mark(Rule::Grp2);
        let key = Key::Classic { group: cx.group.clone() };
        let records = vec![(key, Some(self.empty_value().encode()))];
        cx.out.append(cx.now, &cx.group, records, Change::Nothing);
    }

    /// Of the protocols that everybody has, the one that most members like best.
    pub(super) fn select_protocol(&self) -> Option<Arc<str>> {
        let leader = self.leader.as_ref().and_then(|leader| self.members.get(leader));
        let first = leader.or_else(|| self.members.values().next())?;
        let candidates: Vec<&Arc<str>> = first
            .protocols
            .iter()
            .map(|(name, _)| name)
            .filter(|name| self.members.values().all(|it| it.metadata(name).is_some()))
            .collect();
        let votes_for = |candidate: &Arc<str>| {
            let votes = self.members.values().filter(|member| {
                let mut liked = member.protocols.iter().map(|(name, _)| name);
                liked.find(|name| candidates.contains(name)) == Some(candidate)
            });
            votes.count()
        };
        // The earliest wins a tie.
        candidates.iter().rev().max_by_key(|name| votes_for(name)).map(|&it| it.clone())
    }

    /// Everybody who waits for an assignment of this generation is told otherwise.
    pub(super) fn fail_syncing(&mut self, cx: &mut Cx<'_>, error: ErrorCode) {
        for member in self.members.values_mut() {
            member.assignment = Default::default();
            if let Some(waiting) = member.syncing.take() {
                member.heard(cx.now);
                cx.out.answer(waiting.ticket, answers::sync_refused(error));
            }
        }
    }

    /// Members that never asked for their assignment are out.
    pub(super) fn sync_due(&mut self, cx: &mut Cx<'_>) {
        let (State::Completing { missing, until } | State::Stable { missing, until }) =
            &self.state
        else {
            return;
        };
        if missing.is_empty() || *until > cx.now || Defect::SyncWaitForever.is_sown() {
            return;
        }
        let out: BTreeSet<Arc<str>> = missing.clone();
        for id in &out {
            self.remove(id);
        }
        cx.out.mark(Rule::Grp4);
        self.after_removal(cx);
    }
}
