//! Fetch sessions (KIP-227): a fetcher names its partitions once, and from then on only what
//! changes; the answers carry only what has news.
//!
//! ```text
//!   epoch −1           no session, and an end to the one that is named
//!   epoch 0            all partitions; the answer tells the new session's id, or 0 for none
//!   epoch 1, 2, …      changes only; each fetch raises the epoch by one
//! ```
//!
//! The cache is bounded (`max.incremental.fetch.session.cache.slots`). A newcomer takes the
//! place of a session that nobody has used for two minutes; or of one that is worth less:
//! followers' sessions are worth more than consumers', larger ones more than smaller ones, and
//! one that is younger than two minutes gives way only to a follower, if it is a consumer's.

use std::collections::BTreeMap;

use topomotion_wire::messages::fetch_request::FetchTopic;
use topomotion_wire::messages::fetch_response::PartitionData;
use topomotion_wire::messages::{FetchRequest, FetchResponse, TopicName};
use topomotion_wire::{Duration, ErrorCode, Instant, Offset};
use uuid::Uuid;

use crate::replica::{AtLeast, FetchAt};

/// `min.incremental.fetch.session.eviction.ms`, which Kafka lets nobody set.
const EVICTION: Duration = Duration::from_millis(120_000);
/// No session.
const NONE: i32 = 0;
/// The epochs of a request for a new session, and for none.
const INITIAL: i32 = 0;
const FINAL: i32 = -1;

/// How a fetch is to be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SessionUse {
    /// With everything.
    None,
    /// With everything, and the id of a new session.
    Create(Naming, Worth),
    /// With what has news since this session's last answer.
    Increment {
        /// Which session.
        id: i32,
        /// The epoch that it has if nobody else has used it since.
        epoch: i32,
    },
}

/// How requests of a session name topics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Naming {
    ByName,
    ById,
}

/// Whose session it is, the dearer last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Worth {
    Consumer,
    Follower,
}

/// One partition that a fetcher wants, as it named it.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) topic: TopicName,
    pub(crate) id: Uuid,
    pub(crate) index: i32,
    pub(crate) at: FetchAt,
    /// Where the fetcher's own log starts, if it has one.
    pub(crate) log_start: Offset,
}

/// What sets a partition apart from all others of its session.
type Key = (TopicName, Uuid, i32);

#[derive(Debug, Clone)]
struct Cached {
    /// Whoever got records goes to the end of the line.
    place: u64,
    wanted: Wanted,
    high_watermark: i64,
    log_start: i64,
}

#[derive(Debug, Clone)]
struct Session {
    epoch: i32,
    naming: Naming,
    worth: Worth,
    created: Instant,
    used: Instant,
    partitions: BTreeMap<Key, Cached>,
    next_place: u64,
}

/// Every fetch session of a broker.
#[derive(Debug, Clone, Default)]
pub(crate) struct FetchSessions {
    sessions: BTreeMap<i32, Session>,
    issued: u64,
}

/// What a new session's id is drawn from, and how many there may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cache {
    pub(crate) now: Instant,
    /// Differs between the lives of a broker, so that an old id is not taken for a new one.
    pub(crate) seed: u64,
    pub(crate) slots: usize,
}

impl FetchSessions {
    /// Reads what a request wants in the light of its session.
    ///
    /// # Errors
    /// When the session is not there, or not where the fetcher believes it to be.
    pub(crate) fn open(
        &mut self,
        now: Instant,
        naming: Naming,
        worth: Worth,
        request: FetchRequest,
    ) -> Result<(SessionUse, Vec<Wanted>), ErrorCode> {
        let (id, epoch) = (request.session_id, request.session_epoch);
        if epoch == INITIAL || epoch == FINAL {
            self.sessions.remove(&id);
            let session = match epoch {
                FINAL => SessionUse::None,
                _ => SessionUse::Create(naming, worth),
            };
            return Ok((session, wanted(request.topics).collect()));
        }
        let session = self.sessions.get_mut(&id);
        let session = session.ok_or(ErrorCode::FetchSessionIdNotFound)?;
        if session.epoch != epoch {
            return Err(ErrorCode::InvalidFetchSessionEpoch);
        }
        if session.naming != naming {
            return Err(ErrorCode::FetchSessionTopicIdError);
        }
        for topic in request.forgotten_topics_data {
            for index in topic.partitions {
                session.partitions.remove(&(topic.topic.clone(), topic.topic_id, index));
            }
        }
        wanted(request.topics).for_each(|wanted| session.want(wanted));
        if session.partitions.is_empty() {
            self.sessions.remove(&id);
            return Ok((SessionUse::None, Vec::new()));
        }
        session.epoch = after(epoch);
        session.used = now;
        let mut line: Vec<&Cached> = session.partitions.values().collect();
        line.sort_by_key(|cached| cached.place);
        let wanted = line.into_iter().map(|cached| cached.wanted.clone()).collect();
        Ok((SessionUse::Increment { id, epoch: session.epoch }, wanted))
    }

    /// Makes an answer of everything that was read for `wanted`.
    pub(crate) fn answer(
        &mut self,
        cache: Cache,
        session: SessionUse,
        wanted: Vec<Wanted>,
        response: FetchResponse,
    ) -> FetchResponse {
        match session {
            SessionUse::None => response,
            SessionUse::Create(naming, worth) => {
                let session = Session::new(cache.now, naming, worth, wanted, &response);
                let id = self.keep(cache, session);
                response.with_session_id(id)
            }
            SessionUse::Increment { id, epoch } => {
                let session = self.sessions.get_mut(&id);
                match session.filter(|session| session.epoch == epoch) {
                    Some(session) => session.news(response).with_session_id(id),
                    None => refused(ErrorCode::InvalidFetchSessionEpoch),
                }
            }
        }
    }

    /// Keeps a new session if there is room for it. Returns its id, or 0.
    fn keep(&mut self, cache: Cache, session: Session) -> i32 {
        let fits = self.sessions.len() < cache.slots || self.evict_for(cache, &session);
        if !fits || session.partitions.is_empty() {
            return NONE;
        }
        let id = self.next_id(cache.seed);
        self.sessions.insert(id, session);
        id
    }

    fn evict_for(&mut self, cache: Cache, newcomer: &Session) -> bool {
        let is_old = |since: Instant| cache.now.since(since) > EVICTION;
        let longest_unused = self.sessions.iter().min_by_key(|(_, it)| it.used);
        let stale = longest_unused.filter(|(_, it)| is_old(it.used)).map(|(id, _)| *id);
        let value = |it: &Session| (it.worth, it.partitions.len());
        let gives_way = |it: &Session| {
            let privileged = newcomer.worth == Worth::Follower;
            is_old(it.created) || (privileged && it.worth == Worth::Consumer)
        };
        let cheapest = || {
            let candidates = self.sessions.iter().filter(|(_, it)| gives_way(it));
            let (id, it) = candidates.min_by_key(|(id, it)| (value(it), **id))?;
            (value(it) <= value(newcomer)).then_some(*id)
        };
        let Some(id) = stale.or_else(cheapest) else { return false };
        self.sessions.remove(&id).is_some()
    }

    /// A positive number that no session has.
    fn next_id(&mut self, seed: u64) -> i32 {
        loop {
            self.issued += 1;
            let drawn = topomotion_wire::Random::new(seed, self.issued).next_u64();
            let id = i32::try_from(drawn & 0x7fff_ffff).unwrap_or(NONE);
            if id != NONE && !self.sessions.contains_key(&id) {
                return id;
            }
        }
    }
}

impl Session {
    fn new(
        now: Instant,
        naming: Naming,
        worth: Worth,
        all: Vec<Wanted>,
        response: &FetchResponse,
    ) -> Session {
        let mut session = Session {
            epoch: after(INITIAL),
            naming,
            worth,
            created: now,
            used: now,
            partitions: BTreeMap::new(),
            next_place: 0,
        };
        all.into_iter().for_each(|wanted| session.want(wanted));
        for topic in &response.responses {
            for data in &topic.partitions {
                let key = (topic.topic.clone(), topic.topic_id, data.partition_index);
                let cached = session.partitions.get_mut(&key);
                cached.into_iter().for_each(|cached| _ = cached.note(data));
            }
        }
        session
    }

    /// Adds a partition, or takes what a fetcher now says of it.
    fn want(&mut self, wanted: Wanted) {
        let key = (wanted.topic.clone(), wanted.id, wanted.index);
        if let Some(cached) = self.partitions.get_mut(&key) {
            // Who believes in another leadership may have thrown the last answer away.
            if cached.wanted.at.current_leader_epoch != wanted.at.current_leader_epoch {
                cached.high_watermark = -1;
            }
            cached.wanted = wanted;
            return;
        }
        let place = self.next_place;
        self.next_place += 1;
        let cached = Cached { place, wanted, high_watermark: -1, log_start: -1 };
        self.partitions.insert(key, cached);
    }

    /// What the fetcher has not been told yet.
    fn news(&mut self, mut response: FetchResponse) -> FetchResponse {
        for topic in &mut response.responses {
            let (name, id) = (topic.topic.clone(), topic.topic_id);
            topic.partitions.retain(|data| {
                let key = (name.clone(), id, data.partition_index);
                let Some(cached) = self.partitions.get_mut(&key) else { return true };
                if data.records.as_ref().is_some_and(|records| !records.is_empty()) {
                    cached.place = self.next_place;
                    self.next_place += 1;
                }
                cached.note(data) == News::Some
            });
        }
        response.responses.retain(|topic| !topic.partitions.is_empty());
        response
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum News {
    None,
    Some,
}

impl Cached {
    /// Remembers what is said of the partition, and tells whether it says anything new.
    fn note(&mut self, data: &PartitionData) -> News {
        let has_moved = data.high_watermark != self.high_watermark
            || data.log_start_offset != self.log_start;
        (self.high_watermark, self.log_start) =
            (data.high_watermark, data.log_start_offset);
        if data.error_code != 0 {
            // When the error is gone, that is news.
            self.high_watermark = -1;
        }
        let has_records = data.records.as_ref().is_some_and(|it| !it.is_empty());
        let is_news = has_moved
            || has_records
            || data.error_code != 0
            || data.diverging_epoch.end_offset >= 0
            || data.preferred_read_replica.0 >= 0;
        if is_news { News::Some } else { News::None }
    }
}

/// The answer to a fetch that is refused as a whole.
pub(crate) fn refused(error: ErrorCode) -> FetchResponse {
    FetchResponse::default().with_error_code(error.code())
}

/// Every partition of a request, in its order.
fn wanted(topics: Vec<FetchTopic>) -> impl Iterator<Item = Wanted> {
    topics.into_iter().flat_map(|topic| {
        let (name, id) = (topic.topic, topic.topic_id);
        topic.partitions.into_iter().map(move |it| Wanted {
            topic: name.clone(),
            id,
            index: it.partition,
            at: FetchAt {
                offset: Offset(it.fetch_offset),
                current_leader_epoch: crate::api::known_epoch(it.current_leader_epoch),
                last_fetched_epoch: crate::api::known_epoch(it.last_fetched_epoch),
                max_bytes: usize::try_from(it.partition_max_bytes).unwrap_or(0),
                at_least: AtLeast::OneBatch,
            },
            log_start: Offset(it.log_start_offset),
        })
    })
}

const fn after(epoch: i32) -> i32 {
    match epoch {
        i32::MAX => 1,
        _ => epoch + 1,
    }
}

#[cfg(test)]
mod tests;
