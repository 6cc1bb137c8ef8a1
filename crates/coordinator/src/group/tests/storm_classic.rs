//! Storms over a classic group: members that come, go, die, and speak too late; brokers that
//! die. M1, M2, M3, M9 and L6 must hold.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::catch_unwind;

use topomotion_wire::messages::RequestKind;
use topomotion_wire::{
    Bytes, Defect, ErrorCode, Fact, GroupState, GroupView, Random, TopicPartition,
};

use super::classic_member::{Consumer, GROUP, joined, outcome, share, synced};
use super::commits::{commit_request, committed, fetch_offset};
use super::rig::{Followers, Rig};
use crate::shard::Ticket;

/// What a member waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Outside,
    Joining(Ticket),
    Joined,
    Syncing(Ticket),
    Reading,
}

#[derive(Debug)]
struct Client {
    member: Consumer,
    phase: Phase,
}

#[derive(Debug)]
struct Storm {
    rig: Rig,
    random: Random,
    clients: Vec<Client>,
    /// Requests whose senders have given up; they arrive some day.
    late: Vec<(i16, RequestKind)>,
    /// Who was told to own what, by generation.
    told: BTreeMap<(i32, i32), String>,
    generation: i32,
    facts: usize,
    /// Commits under way, each with whether it was of the current generation.
    commits: BTreeMap<Ticket, (i64, bool)>,
    sent: i64,
    /// What the last commit that was answered promised.
    promised: i64,
}

impl Storm {
    fn new(seed: u64) -> Storm {
        let client = || Client {
            member: Consumer { rebalance_ms: 20_000, ..Consumer::new() },
            phase: Phase::Outside,
        };
        Storm {
            rig: Rig::new(),
            random: Random::new(seed, 1),
            clients: (0..4).map(|_| client()).collect(),
            late: Vec::new(),
            told: BTreeMap::new(),
            generation: 0,
            facts: 0,
            commits: BTreeMap::new(),
            sent: 0,
            promised: -1,
        }
    }

    fn blow(&mut self, steps: usize) {
        for _ in 0..steps {
            let at = self.random.below(4) as usize;
            match self.random.below(30) {
                0..18 => self.act(at),
                18 => self.crash(at),
                19 => self.leave(at),
                20 => self.speak_late(),
                21 => self.fail_over(),
                22 => self.rig.followers = Followers::Lag,
                23 | 24 => self.rig.catch_up(),
                25 => self.rig.refusal = Some(ErrorCode::NotEnoughReplicas),
                26 => self.rig.refusal = None,
                _ => self.pass(),
            }
            self.check();
        }
    }

    fn pass(&mut self) {
        let ms = self.random.below(9_000);
        self.rig.pass(ms);
    }

    /// A member does what a member does next.
    fn act(&mut self, at: usize) {
        let rig = &mut self.rig;
        let Client { member, phase } = &mut self.clients[at];
        match *phase {
            Phase::Outside => {
                let request = member.join_request();
                let ticket = rig.ask(9, RequestKind::JoinGroup(request.clone()));
                self.late.push((9, RequestKind::JoinGroup(request)));
                *phase = Phase::Joining(ticket);
            }
            Phase::Joining(ticket) => {
                let Some(answer) = joined(rig, ticket) else { return };
                *phase = match outcome(answer.error_code) {
                    Ok(()) => {
                        member.id = answer.member_id.to_string();
                        member.generation = answer.generation_id;
                        let members = answer.members.iter();
                        member.members =
                            members.map(|it| it.member_id.to_string()).collect();
                        Phase::Joined
                    }
                    Err(ErrorCode::MemberIdRequired) => {
                        member.id = answer.member_id.to_string();
                        Phase::Outside
                    }
                    Err(_) => {
                        member.id.clear();
                        Phase::Outside
                    }
                };
            }
            Phase::Joined => {
                let shares = shares(member);
                *phase = Phase::Syncing(member.sync(rig, &shares));
            }
            Phase::Syncing(ticket) => {
                let Some(answer) = synced(rig, ticket) else { return };
                let (generation, id) = (member.generation, member.id.clone());
                self.clients[at].phase = match answer {
                    Ok(answer) => {
                        self.learn(generation, &id, &answer.assignment);
                        Phase::Reading
                    }
                    Err(error) => self.lost(at, error),
                };
            }
            Phase::Reading => self.read(at),
        }
    }

    /// A member that reads sends heartbeats, and commits.
    fn read(&mut self, at: usize) {
        let member = self.clients[at].member.clone();
        // A commit that was long under way names the generation before.
        let late = i32::from(self.random.below(4) == 0);
        let generation = member.generation - late;
        self.commit(&Consumer { generation, ..member.clone() });
        let rig = &mut self.rig;
        if rig.followers == Followers::Lag {
            // The answer may wait for the followers.
            return;
        }
        if let Err(error) = member.heartbeat(rig) {
            self.clients[at].phase = self.lost(at, error);
        }
    }

    fn lost(&mut self, at: usize, error: ErrorCode) -> Phase {
        if error == ErrorCode::UnknownMemberId {
            self.clients[at].member.id.clear();
        }
        Phase::Outside
    }

    /// Only a member of the current generation may be told that it committed (M3).
    fn commit(&mut self, member: &Consumer) {
        self.sent += 1;
        let who = (&*member.id, member.generation);
        let request = commit_request(who, ("orders", 0), self.sent);
        let current = self.is_current(member);
        let ticket = self.rig.ask(9, RequestKind::OffsetCommit(request));
        self.commits.insert(ticket, (self.sent, current));
        self.take_answers();
    }

    fn take_answers(&mut self) {
        let waiting: Vec<Ticket> = self.commits.keys().copied().collect();
        for ticket in waiting {
            let Some(outcome) = committed(&mut self.rig, ticket) else { continue };
            let (offset, current) = self.commits.remove(&ticket).unwrap();
            if outcome.is_ok() {
                assert!(current, "M3: commit {offset}");
                self.promised = self.promised.max(offset);
            }
        }
    }

    fn is_current(&mut self, member: &Consumer) -> bool {
        let group = self.rig.shard.groups.get_mut(GROUP);
        let Some(classic) = group.and_then(|group| group.classic()) else { return false };
        classic.generation == member.generation
            && classic.members.contains_key(&*member.id)
    }

    /// No partition is told to two members of one generation (M2).
    fn learn(&mut self, generation: i32, member: &str, assignment: &Bytes) {
        for partition in 0..4 {
            let has = (0..16_i32).any(|set| {
                let set: Vec<i32> = (0..4).filter(|it| set >> it & 1 == 1).collect();
                set.contains(&partition) && *assignment == share("orders", &set)
            });
            if has {
                let before = self.told.insert((generation, partition), member.to_owned());
                let same = before.as_deref().is_none_or(|before| before == member);
                assert!(same, "M2: orders-{partition} in {generation}: {before:?} too");
            }
        }
    }

    fn crash(&mut self, at: usize) {
        let client = &mut self.clients[at];
        self.late.push((9, RequestKind::JoinGroup(client.member.join_request())));
        let commit = commit_request(
            (&client.member.id, client.member.generation),
            ("orders", 1),
            self.sent,
        );
        self.late.push((9, RequestKind::OffsetCommit(commit)));
        client.member = Consumer { rebalance_ms: 20_000, ..Consumer::new() };
        client.phase = Phase::Outside;
    }

    fn leave(&mut self, at: usize) {
        let client = &mut self.clients[at];
        if client.phase == Phase::Reading && self.rig.followers == Followers::Keep {
            let _ = client.member.leave(&mut self.rig);
            client.member.id.clear();
            client.phase = Phase::Outside;
        }
    }

    fn speak_late(&mut self) {
        if self.late.is_empty() {
            return;
        }
        let at = self.random.below(self.late.len() as u64) as usize;
        let (version, request) = self.late.swap_remove(at);
        self.rig.ask(version, request);
    }

    /// Whoever waited hears nothing any more, and asks again.
    fn fail_over(&mut self) {
        self.rig.fail_over();
        self.commits.clear();
        for client in &mut self.clients {
            client.phase = match client.phase {
                Phase::Joining(_) => Phase::Outside,
                Phase::Syncing(_) => Phase::Joined,
                other => other,
            };
        }
        assert!(fetch_offset(&mut self.rig) >= self.promised, "M9: {}", self.promised);
    }

    fn check(&mut self) {
        self.take_answers();
        let views: Vec<GroupView> = self.rig.facts[self.facts..]
            .iter()
            .filter_map(|fact| match fact {
                Fact::GroupChanged { view, .. } => Some(view.clone()),
                _ => None,
            })
            .collect();
        self.facts = self.rig.facts.len();
        for view in views {
            self.check_view(&view);
        }
    }

    /// What is durable never goes back (M1), and covers everything once (M2).
    fn check_view(&mut self, view: &GroupView) {
        // Other generations may be lost with their coordinator before they are written.
        if view.state != GroupState::Stable {
            return;
        }
        assert!(view.generation >= self.generation, "M1: {view:?} < {}", self.generation);
        self.generation = view.generation;
        let assigned = view.members.values().flat_map(|it| &it.assigned);
        let assigned: Vec<&TopicPartition> = assigned.collect();
        let distinct: BTreeSet<&&TopicPartition> = assigned.iter().collect();
        assert_eq!((distinct.len(), assigned.len()), (4, 4), "M2: {view:?}");
    }

    /// When the wind has dropped, everybody gets to read, and everything is read (L6).
    fn calm_down(&mut self) {
        self.rig.refusal = None;
        self.rig.catch_up();
        for _ in 0..120 {
            for at in 0..4 {
                self.act(at);
            }
            self.check();
            self.rig.pass(1_000);
        }
        let group = self.rig.shard.groups.get_mut(GROUP);
        let classic = group.and_then(|group| group.classic()).expect("it is there");
        assert!(classic.is_stable(), "L6: {classic:?}");
        assert!(self.clients.iter().all(|it| it.phase == Phase::Reading), "L6");
        let generation = self.clients[0].member.generation;
        let covered = (0..4).filter(|it| self.told.contains_key(&(generation, *it)));
        assert_eq!(covered.count(), 4, "L6: all is read in {generation}");
    }
}

/// A sane leader gives each partition to one member.
fn shares(leader: &Consumer) -> BTreeMap<String, Bytes> {
    let count = i32::try_from(leader.members.len()).unwrap();
    let members = leader.members.iter().zip(0..);
    members
        .map(|(id, place)| {
            let mine: Vec<i32> = (0..4).filter(|it| it % count == place).collect();
            (id.clone(), share("orders", &mine))
        })
        .collect()
}

fn weather(seed: u64) {
    let mut storm = Storm::new(seed);
    storm.blow(600);
    storm.calm_down();
    // What was promised is there in the end, too.
    storm.fail_over();
}

#[test]
fn a_classic_group_weathers_every_storm() {
    (0..25).for_each(weather);
}

#[test]
fn a_storm_notices_what_goes_wrong() {
    for defect in [
        Defect::GenerationReset,
        Defect::AcceptStaleCommit,
        Defect::AckCommitEarly,
        Defect::SyncWaitForever,
    ] {
        let noticed = (0..200).any(|seed| {
            catch_unwind(|| {
                let _sown = defect.sow();
                weather(seed);
            })
            .is_err()
        });
        assert!(noticed, "{}", defect.name());
    }
}
