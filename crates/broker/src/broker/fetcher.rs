//! Copies partitions from one leader: one fetch for all of them, the next when the answer is
//! there.
//!
//! Each partition of an answer is taken only if its replica still stands where it stood when
//! the fetch was sent (REP-17). What the answer may say: records (TRN-5), a point of
//! divergence (TRN-3), or that the offset lies outside the leader's log (TRN-4), which takes a
//! question for the leader's offsets first. Any other error rests the partition for
//! `replica.fetch.backoff.ms`. In the eras before truncation on fetch, epochs are asked for
//! before anything is fetched (TRN-2, [`epochs`]).

mod epochs;
mod session;

use std::collections::{BTreeMap, BTreeSet};

use topomotion_log::EpochEnd;
use topomotion_wire::messages::fetch_request::{FetchPartition, ReplicaState};
use topomotion_wire::messages::fetch_response::PartitionData;
use topomotion_wire::messages::list_offsets_request::{
    ListOffsetsPartition, ListOffsetsTopic,
};
use topomotion_wire::messages::{
    BrokerId, FetchResponse, ListOffsetsRequest, ListOffsetsResponse, RequestKind,
    TopicName,
};
use topomotion_wire::{
    BrokerEpoch, ErrorCode, Instant, LeaderEpoch, NodeId, Offset, StrBytes, TopicId,
    TopicPartition,
};

use session::{Answered, Session, Wanted};

use super::Replicas;
use crate::config::BrokerSettings;
use crate::net::{Ask, Asked, Effects, Purpose};
use crate::replica::{FetchedData, Replica};

/// The newest version that carries nothing of the quorum's.
const FETCH_VERSION: i16 = 17;
const LIST_OFFSETS_VERSION: i16 = 6;
/// ListOffsets asks for the log's start and end by these timestamps.
const EARLIEST: i64 = -2;
const LATEST: i64 = -1;

/// The fetcher for one leader.
#[derive(Debug, Clone)]
pub(crate) struct Fetcher {
    leader: NodeId,
    state: State,
    session: Session,
    /// Partitions that wait after an error.
    resting: BTreeMap<TopicPartition, Instant>,
    /// Partitions whose offset lies outside the leader's log.
    lost: BTreeSet<TopicPartition>,
}

#[derive(Debug, Clone)]
enum State {
    Idle,
    /// Each partition with where it stood.
    Fetching(BTreeMap<TopicPartition, Position>),
    /// Asked where the leader's logs end; then, with the ends, where they begin.
    AskingEnds(BTreeMap<TopicPartition, LeaderEpoch>),
    AskingStarts(BTreeMap<TopicPartition, (LeaderEpoch, Offset)>),
    /// Asked where epochs end in the leader's logs; each partition with its leadership.
    AskingEpochs(BTreeMap<TopicPartition, LeaderEpoch>),
    Resting {
        until: Instant,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Position {
    epoch: LeaderEpoch,
    offset: Offset,
}

/// What a fetch says of its sender.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fetching<'a> {
    pub(crate) now: Instant,
    pub(crate) me: NodeId,
    pub(crate) epoch: Option<BrokerEpoch>,
    pub(crate) settings: &'a BrokerSettings,
}

impl Fetcher {
    pub(crate) fn new(leader: NodeId) -> Fetcher {
        let (resting, lost) = (BTreeMap::new(), BTreeSet::new());
        let (state, session) = (State::Idle, Session::default());
        Fetcher { leader, state, session, resting, lost }
    }

    /// When there is something to do that no answer brings.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::Resting { until } => Some(until),
            State::Idle => self.resting.values().copied().min(),
            State::Fetching(_)
            | State::AskingEnds(_)
            | State::AskingStarts(_)
            | State::AskingEpochs(_) => None,
        }
    }

    /// Sends the next question, unless one is under way.
    pub(crate) fn pump(
        &mut self,
        fetching: Fetching<'_>,
        replicas: &Replicas,
        effects: &mut Effects,
    ) {
        match self.state {
            State::Idle => {}
            State::Resting { until } if until <= fetching.now => self.state = State::Idle,
            _ => return,
        }
        let followed: BTreeMap<&TopicPartition, &Replica> = replicas
            .iter()
            .filter(|(_, replica)| replica.followed_leader() == Some(self.leader))
            .collect();
        self.resting
            .retain(|id, until| *until > fetching.now && followed.contains_key(id));
        self.lost.retain(|id| followed.contains_key(id));
        // A leader that is not told which incarnation fetches cannot tell it from the next
        // one.
        if fetching.epoch.is_none() {
            return;
        }
        if !self.lost.is_empty() {
            self.ask_ends(fetching, &followed, effects);
        } else if !self.ask_epochs(fetching, &followed, effects) {
            self.fetch(fetching, &followed, effects);
        }
    }

    fn fetch(
        &mut self,
        fetching: Fetching<'_>,
        followed: &BTreeMap<&TopicPartition, &Replica>,
        effects: &mut Effects,
    ) {
        let mut positions = BTreeMap::new();
        let mut wanted = Wanted::new();
        for (&id, replica) in followed {
            if self.resting.contains_key(id) || replica.epoch_in_question().is_some() {
                continue;
            }
            let (offset, last_epoch) = replica.fetch_position();
            let epoch = replica.leader_epoch();
            positions.insert(id.clone(), Position { epoch, offset });
            let partition = FetchPartition::default()
                .with_partition(id.partition)
                .with_current_leader_epoch(epoch.0)
                .with_fetch_offset(offset.0)
                .with_last_fetched_epoch(last_epoch.map_or(-1, |epoch| epoch.0))
                .with_log_start_offset(replica.log().start_offset().0)
                .with_partition_max_bytes(fetching.settings.replica_fetch_max_bytes);
            wanted.insert((replica.topic_id(), id.partition), partition);
        }
        if positions.is_empty() {
            return;
        }
        let settings = fetching.settings;
        let max_wait_ms = settings.replica_fetch_wait_max.as_millis();
        let replica_state = ReplicaState::default()
            .with_replica_id(BrokerId(fetching.me.0))
            .with_replica_epoch(fetching.epoch.map_or(-1, |epoch| epoch.0));
        let request = self
            .session
            .request(settings.fetch_sessions, wanted)
            .with_replica_state(replica_state)
            .with_max_wait_ms(i32::try_from(max_wait_ms).unwrap_or(i32::MAX))
            .with_min_bytes(settings.replica_fetch_min_bytes)
            .with_max_bytes(settings.replica_fetch_response_max_bytes);
        self.state = State::Fetching(positions);
        let asked = Asked::Fetch { leader: self.leader };
        self.ask(settings, asked, FETCH_VERSION, RequestKind::Fetch(request), effects);
    }

    /// Takes the answer to a fetch.
    pub(crate) fn fetched(
        &mut self,
        fetching: Fetching<'_>,
        response: FetchResponse,
        replicas: &mut Replicas,
        name_of: impl Fn(TopicId) -> Option<std::sync::Arc<str>>,
        effects: &mut Effects,
    ) {
        let State::Fetching(mut positions) =
            std::mem::replace(&mut self.state, State::Idle)
        else {
            return;
        };
        let answered = self.session.answered(&response);
        if answered == Answered::OutOfStep {
            return;
        }
        if response.error_code != 0 {
            return self.failed(fetching);
        }
        let rest_until = fetching.now + fetching.settings.replica_fetch_backoff;
        for topic in response.responses {
            let Some(name) = name_of(TopicId(topic.topic_id)) else { continue };
            for data in topic.partitions {
                let id = TopicPartition::new(name.clone(), data.partition_index);
                let Some(position) = positions.remove(&id) else { continue };
                let Some(replica) = replicas.get_mut(&id) else { continue };
                if position != self.position_of(replica) {
                    continue;
                }
                match take(replica, data, effects) {
                    Taken::Done => {}
                    Taken::Lost => _ = self.lost.insert(id),
                    Taken::Failed => _ = self.resting.insert(id, rest_until),
                }
            }
        }
        if answered == Answered::News {
            return;
        }
        // What the leader left out is as good as an error.
        for id in positions.into_keys() {
            self.resting.insert(id, rest_until);
        }
    }

    fn position_of(&self, replica: &Replica) -> Position {
        let follows = replica.followed_leader() == Some(self.leader);
        let epoch = if follows { replica.leader_epoch() } else { LeaderEpoch(-1) };
        Position { epoch, offset: replica.fetch_position().0 }
    }

    fn ask_ends(
        &mut self,
        fetching: Fetching<'_>,
        followed: &BTreeMap<&TopicPartition, &Replica>,
        effects: &mut Effects,
    ) {
        let epoch = |id: &TopicPartition| followed.get(id).map(|it| it.leader_epoch());
        let asked: BTreeMap<TopicPartition, LeaderEpoch> = std::mem::take(&mut self.lost)
            .into_iter()
            .filter_map(|id| epoch(&id).map(|epoch| (id, epoch)))
            .collect();
        let wanted = asked.iter().map(|(id, epoch)| (id, *epoch));
        let body = list_offsets(fetching.me, LATEST, wanted);
        self.state = State::AskingEnds(asked);
        self.ask_offsets(fetching.settings, body, effects);
    }

    /// Takes the answer to a question for the leader's offsets (TRN-4).
    pub(crate) fn told_offsets(
        &mut self,
        fetching: Fetching<'_>,
        response: &ListOffsetsResponse,
        replicas: &mut Replicas,
        effects: &mut Effects,
    ) {
        let rest_until = fetching.now + fetching.settings.replica_fetch_backoff;
        match std::mem::replace(&mut self.state, State::Idle) {
            State::AskingEnds(asked) => {
                let mut ends = BTreeMap::new();
                for (id, epoch) in asked {
                    match offset_of(response, &id) {
                        Some(end) => _ = ends.insert(id, (epoch, end)),
                        None => _ = self.resting.insert(id, rest_until),
                    }
                }
                if ends.is_empty() {
                    return;
                }
                let wanted = ends.iter().map(|(id, (epoch, _))| (id, *epoch));
                let body = list_offsets(fetching.me, EARLIEST, wanted);
                self.state = State::AskingStarts(ends);
                self.ask_offsets(fetching.settings, body, effects);
            }
            State::AskingStarts(ends) => {
                for (id, (epoch, end)) in ends {
                    let Some(replica) = replicas.get_mut(&id) else { continue };
                    if self.position_of(replica).epoch != epoch {
                        continue;
                    }
                    match offset_of(response, &id) {
                        Some(start) => replica.restart_inside(start, end, effects),
                        None => _ = self.resting.insert(id, rest_until),
                    }
                }
            }
            state @ (State::Idle
            | State::Fetching(_)
            | State::AskingEpochs(_)
            | State::Resting { .. }) => {
                self.state = state;
            }
        }
    }

    /// No answer: everything rests for a while.
    pub(crate) fn failed(&mut self, fetching: Fetching<'_>) {
        let until = fetching.now + fetching.settings.replica_fetch_backoff;
        self.state = State::Resting { until };
        self.session.failed();
    }

    fn ask_offsets(
        &self,
        settings: &BrokerSettings,
        body: RequestKind,
        effects: &mut Effects,
    ) {
        let asked = Asked::LeaderOffsets { leader: self.leader };
        self.ask(settings, asked, LIST_OFFSETS_VERSION, body, effects);
    }

    fn ask(
        &self,
        settings: &BrokerSettings,
        asked: Asked,
        version: i16,
        body: RequestKind,
        effects: &mut Effects,
    ) {
        effects.ask(Ask {
            to: self.leader,
            purpose: Purpose::Replication,
            asked,
            version,
            body,
            timeout: settings.request_timeout,
        });
    }
}

enum Taken {
    Done,
    Lost,
    Failed,
}

fn take(replica: &mut Replica, data: PartitionData, effects: &mut Effects) -> Taken {
    match ErrorCode::try_from_code(data.error_code) {
        None if data.error_code == 0 => {}
        Some(ErrorCode::OffsetOutOfRange) => return Taken::Lost,
        None | Some(_) => return Taken::Failed,
    }
    let diverging = &data.diverging_epoch;
    if diverging.end_offset >= 0 {
        let (epoch, end) = (LeaderEpoch(diverging.epoch), Offset(diverging.end_offset));
        replica.truncate_diverging(EpochEnd { epoch, end }, effects);
        return Taken::Done;
    }
    let high_watermark = Offset(data.high_watermark);
    let log_start = Offset(data.log_start_offset);
    let records = data.records.unwrap_or_default();
    let data = FetchedData { high_watermark, log_start, records };
    match replica.append_fetched(data, effects) {
        Ok(()) => Taken::Done,
        Err(_) => Taken::Failed,
    }
}

fn list_offsets<'a>(
    me: NodeId,
    timestamp: i64,
    partitions: impl Iterator<Item = (&'a TopicPartition, LeaderEpoch)>,
) -> RequestKind {
    let mut topics: BTreeMap<&str, ListOffsetsTopic> = BTreeMap::new();
    for (id, epoch) in partitions {
        let topic = topics.entry(&id.topic).or_insert_with(|| {
            let name = TopicName(StrBytes::from_string(id.topic.to_string()));
            ListOffsetsTopic::default().with_name(name)
        });
        let partition = ListOffsetsPartition::default()
            .with_partition_index(id.partition)
            .with_current_leader_epoch(epoch.0)
            .with_timestamp(timestamp);
        topic.partitions.push(partition);
    }
    let request = ListOffsetsRequest::default()
        .with_replica_id(BrokerId(me.0))
        .with_topics(topics.into_values().collect());
    RequestKind::ListOffsets(request)
}

fn offset_of(response: &ListOffsetsResponse, id: &TopicPartition) -> Option<Offset> {
    let topic = response.topics.iter().find(|topic| topic.name.as_str() == &*id.topic)?;
    let found = topic.partitions.iter().find(|it| it.partition_index == id.partition)?;
    (found.error_code == 0 && found.offset >= 0).then_some(Offset(found.offset))
}

#[cfg(test)]
mod tests;
