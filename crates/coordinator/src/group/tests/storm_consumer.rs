//! Storms over a KIP-848 group: members that come, go, die, are slow to let go, and lose
//! answers; brokers that die. M1, M3, M4 and L6 must hold.

use std::panic::catch_unwind;

use topomotion_wire::messages::RequestKind;
use topomotion_wire::{Defect, ErrorCode, Fact, GroupState, Instant, Random};

use super::classic_member::GROUP;
use super::commits::{commit_request, committed};
use super::consumer_member::{Member, beaten};
use super::rig::{Followers, Rig};
use crate::group::Partitions;
use crate::shard::Ticket;

/// A member, what it shall own, and what it waits for.
#[derive(Debug)]
struct Client {
    /// What it believes to own is `member.owned`.
    member: Member,
    /// What it was told to own.
    told: Partitions,
    waits: Option<Ticket>,
    /// When it last said something that was answered.
    heard: Instant,
}

impl Client {
    fn new(name: usize, now: Instant) -> Client {
        let member = Member { rebalance_ms: 20_000, ..Member::new(&format!("m{name}")) };
        Client { member, told: Partitions::new(), waits: None, heard: now }
    }

    fn abandon(&mut self) {
        self.member.epoch = 0;
        self.member.owned.clear();
        self.told.clear();
    }
}

#[derive(Debug)]
struct Storm {
    rig: Rig,
    random: Random,
    clients: Vec<Client>,
    lives: usize,
    epoch: i32,
    facts: usize,
}

impl Storm {
    fn new(seed: u64) -> Storm {
        Storm {
            rig: Rig::new(),
            random: Random::new(seed, 2),
            clients: (0..4).map(|name| Client::new(name, Instant::ZERO)).collect(),
            lives: 4,
            epoch: 0,
            facts: 0,
        }
    }

    fn blow(&mut self, steps: usize) {
        for _ in 0..steps {
            let at = self.random.below(4) as usize;
            match self.random.below(32) {
                0..16 => self.act(at),
                16 | 17 => self.settle(at),
                18 => self.crash(at),
                19 => self.leave(at),
                20 => self.fail_over(),
                21 => self.rig.followers = Followers::Lag,
                22 | 23 => self.rig.catch_up(),
                24 => self.rig.refusal = Some(ErrorCode::NotEnoughReplicas),
                25 => self.rig.refusal = None,
                26 => self.resubscribe(at),
                27 => self.lose_answer(at),
                28 => self.commit(at),
                _ => {
                    let ms = self.random.below(6_000);
                    self.rig.pass(ms);
                }
            }
            self.check();
        }
    }

    /// A heartbeat, or the answer to the last one.
    fn act(&mut self, at: usize) {
        let rig = &mut self.rig;
        let client = &mut self.clients[at];
        let Some(ticket) = client.waits else {
            client.waits = Some(client.member.send(rig));
            return;
        };
        let Some(answer) = beaten(rig, ticket) else { return };
        client.waits = None;
        let before = client.member.owned.clone();
        match client.member.obey(&answer) {
            Ok(()) => {
                client.heard = rig.now;
                if answer.assignment.is_some() {
                    client.told = client.member.owned.clone();
                }
                client.member.owned = before;
            }
            Err(
                ErrorCode::FencedMemberEpoch
                | ErrorCode::UnknownMemberId
                | ErrorCode::GroupIdNotFound,
            ) => client.abandon(),
            Err(_) => {}
        }
    }

    /// The application lets go of what it must; then it takes what it was given.
    fn settle(&mut self, at: usize) {
        let client = &mut self.clients[at];
        let lets_go = client.member.owned.difference(&client.told).count() > 0;
        match lets_go {
            true => client.member.owned.retain(|it| client.told.contains(it)),
            false => client.member.owned = client.told.clone(),
        }
    }

    fn crash(&mut self, at: usize) {
        self.clients[at] = Client::new(self.lives, self.rig.now);
        self.lives += 1;
    }

    /// A goodbye that may get lost.
    fn leave(&mut self, at: usize) {
        let member = Member { epoch: -1, ..self.clients[at].member.clone() };
        self.crash(at);
        if self.random.below(2) == 0 {
            member.send(&mut self.rig);
        }
    }

    fn resubscribe(&mut self, at: usize) {
        let choice = [vec!["orders"], vec!["orders", "parcels"], vec!["parcels"]];
        let choice = choice[self.random.below(3) as usize].clone();
        self.clients[at].member.topics = choice;
    }

    /// Its connection broke: it asks again.
    fn lose_answer(&mut self, at: usize) {
        self.clients[at].waits = None;
    }

    fn fail_over(&mut self) {
        self.rig.fail_over();
        self.clients.iter_mut().for_each(|client| client.waits = None);
    }

    /// Only a member in its current epoch may be told that it committed (M3).
    fn commit(&mut self, at: usize) {
        let member = &self.clients[at].member;
        let epoch = member.epoch - self.random.below(2) as i32;
        let group = self.rig.shard.groups.get_mut(GROUP);
        let known = group.and_then(|group| group.consumer());
        let known = known.and_then(|it| it.members.get(&*member.id)).map(|it| it.epoch);
        let request = commit_request((&member.id, epoch), ("orders", 0), 1);
        let ticket = self.rig.ask(9, RequestKind::OffsetCommit(request));
        if let Some(Ok(())) = committed(&mut self.rig, ticket) {
            let empty = epoch < 0;
            assert!(known == Some(epoch) || empty, "M3: {epoch} of {known:?}");
        }
    }

    fn check(&mut self) {
        for fact in &self.rig.facts[self.facts..] {
            if let Fact::GroupChanged { view, .. } = fact {
                assert!(view.generation >= self.epoch, "M1: {view:?} < {}", self.epoch);
                self.epoch = view.generation;
            }
        }
        self.facts = self.rig.facts.len();
        // Whoever has not been answered for a session knows that it may be out.
        let session = self.rig.config.consumer_session_timeout;
        let now = self.rig.now;
        let valid = |it: &&Client| it.heard + session > now;
        let clients: Vec<&Client> = self.clients.iter().filter(valid).collect();
        for (at, one) in clients.iter().enumerate() {
            for other in &clients[at + 1..] {
                let both = one.member.owned.intersection(&other.member.owned).count();
                assert_eq!(both, 0, "M4: {one:?} {other:?} {:?}", self.rig.shard);
            }
        }
    }

    /// When the wind has dropped, everything is read by somebody (L6).
    fn calm_down(&mut self) {
        self.rig.refusal = None;
        self.rig.catch_up();
        for client in &mut self.clients {
            client.member.topics = vec!["orders", "parcels"];
        }
        for _ in 0..150 {
            for at in 0..4 {
                self.act(at);
                self.settle(at);
                self.check();
            }
            self.rig.pass(1_000);
        }
        let group = self.rig.shard.groups.get_mut(GROUP);
        let consumer = group.and_then(|group| group.consumer()).expect("it is there");
        assert_eq!(consumer.state(), GroupState::Stable, "L6: {consumer:?}");
        let owned: usize = self.clients.iter().map(|it| it.member.owned.len()).sum();
        assert_eq!(owned, 6, "L6: {:?}", self.clients);
    }
}

fn weather(seed: u64) {
    let mut storm = Storm::new(seed);
    storm.blow(500);
    storm.calm_down();
}

#[test]
fn a_kip_848_group_weathers_every_storm() {
    (0..25).for_each(weather);
}

#[test]
fn a_storm_notices_what_goes_wrong_in_a_kip_848_group() {
    for defect in [Defect::ReleaseEarly, Defect::AcceptStaleCommit] {
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
