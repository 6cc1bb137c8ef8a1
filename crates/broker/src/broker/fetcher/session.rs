//! The follower's side of a fetch session (KIP-227): what the leader has been told already.
//!
//! Off by default here ([`FetchSessions`]): a fetch that names all of its partitions says in a
//! picture what it is about.

use std::collections::BTreeMap;

use topomotion_wire::messages::fetch_request::{
    FetchPartition, FetchTopic, ForgottenTopic,
};
use topomotion_wire::messages::{FetchRequest, FetchResponse};
use topomotion_wire::{ErrorCode, TopicId};

use crate::config::FetchSessions;

/// The epochs of a request that wants no session, and of one that wants a new one.
const FINAL: i32 = -1;
const INITIAL: i32 = 0;

/// Partitions of a fetch, by topic and index.
pub(super) type Wanted = BTreeMap<(TopicId, i32), FetchPartition>;

/// A session with one leader, or the wish for one.
#[derive(Debug, Clone, Default)]
pub(super) struct Session {
    id: i32,
    epoch: i32,
    told: Wanted,
}

/// What an answer is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answered {
    /// Every partition that was asked for.
    Everything,
    /// Those of which there is news.
    News,
    /// The session, which the leader does not know: a new one is wanted.
    OutOfStep,
}

impl Session {
    /// A request for everything that is wanted: by its partitions, or by what the leader has
    /// not been told yet.
    pub(super) fn request(
        &mut self,
        mode: FetchSessions,
        wanted: Wanted,
    ) -> FetchRequest {
        if mode == FetchSessions::Off {
            let all = topics(wanted.into_iter());
            return FetchRequest::default().with_session_epoch(FINAL).with_topics(all);
        }
        let request = FetchRequest::default()
            .with_session_id(self.id)
            .with_session_epoch(self.epoch);
        if self.epoch == INITIAL {
            self.told.clone_from(&wanted);
            return request.with_topics(topics(wanted.into_iter()));
        }
        let gone = self.told.keys().filter(|key| !wanted.contains_key(key));
        let gone = forgotten(gone.copied());
        let is_news = |(key, it): &(&(TopicId, i32), &FetchPartition)| {
            self.told.get(key) != Some(*it)
        };
        let news = wanted.iter().filter(is_news).map(|(key, it)| (*key, it.clone()));
        let news = topics(news);
        self.told = wanted;
        request.with_topics(news).with_forgotten_topics_data(gone)
    }

    /// Takes what an answer says of the session. One that comes without a session is whole.
    pub(super) fn answered(&mut self, response: &FetchResponse) -> Answered {
        match ErrorCode::try_from_code(response.error_code) {
            Some(ErrorCode::FetchSessionIdNotFound) => {
                (self.id, self.epoch) = (0, INITIAL);
                return Answered::OutOfStep;
            }
            Some(
                ErrorCode::InvalidFetchSessionEpoch | ErrorCode::FetchSessionTopicIdError,
            ) => {
                self.epoch = INITIAL;
                return Answered::OutOfStep;
            }
            Some(_) | None => {}
        }
        let was_told_all = self.epoch == INITIAL;
        self.id = response.session_id;
        self.epoch = match (response.session_id, self.epoch) {
            (0, _) => INITIAL,
            (_, i32::MAX) => 1,
            (_, epoch) => epoch + 1,
        };
        if was_told_all { Answered::Everything } else { Answered::News }
    }

    /// No answer came: nobody knows where the session stands. The next request ends it.
    pub(super) fn failed(&mut self) {
        self.epoch = INITIAL;
    }
}

fn topics(
    partitions: impl Iterator<Item = ((TopicId, i32), FetchPartition)>,
) -> Vec<FetchTopic> {
    let mut topics: Vec<FetchTopic> = Vec::new();
    for ((id, _), partition) in partitions {
        match topics.last_mut().filter(|last| last.topic_id == id.0) {
            Some(last) => last.partitions.push(partition),
            None => topics.push(
                FetchTopic::default()
                    .with_topic_id(id.0)
                    .with_partitions(vec![partition]),
            ),
        }
    }
    topics
}

fn forgotten(partitions: impl Iterator<Item = (TopicId, i32)>) -> Vec<ForgottenTopic> {
    let mut topics: Vec<ForgottenTopic> = Vec::new();
    for (id, partition) in partitions {
        match topics.last_mut().filter(|last| last.topic_id == id.0) {
            Some(last) => last.partitions.push(partition),
            None => topics.push(
                ForgottenTopic::default()
                    .with_topic_id(id.0)
                    .with_partitions(vec![partition]),
            ),
        }
    }
    topics
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(offsets: &[(i32, i64)]) -> Wanted {
        let one = |&(index, offset): &(i32, i64)| {
            let partition = FetchPartition::default().with_partition(index);
            ((TopicId::default(), index), partition.with_fetch_offset(offset))
        };
        offsets.iter().map(one).collect()
    }

    fn named(request: &FetchRequest) -> Vec<i32> {
        let partitions = request.topics.iter().flat_map(|topic| &topic.partitions);
        partitions.map(|it| it.partition).collect()
    }

    fn answer(id: i32, error: Option<ErrorCode>) -> FetchResponse {
        let code = error.map_or(0, |error| error.code());
        FetchResponse::default().with_session_id(id).with_error_code(code)
    }

    #[test]
    fn a_leader_is_told_of_changes_only() {
        let mut session = Session::default();
        let on = FetchSessions::On;
        let first = session.request(on, wanted(&[(0, 5), (1, 5)]));
        assert_eq!((first.session_id, first.session_epoch), (0, 0));
        assert_eq!(named(&first), [0, 1]);
        assert_eq!(session.answered(&answer(9, None)), Answered::Everything);
        let second = session.request(on, wanted(&[(0, 5), (1, 6), (2, 0)]));
        assert_eq!((second.session_id, second.session_epoch), (9, 1));
        assert_eq!(named(&second), [1, 2]);
        assert_eq!(session.answered(&answer(9, None)), Answered::News);
        let third = session.request(on, wanted(&[(1, 6), (2, 0)]));
        assert_eq!((third.session_epoch, named(&third)), (2, vec![]));
        assert_eq!(third.forgotten_topics_data[0].partitions, [0]);
    }

    #[test]
    fn a_lost_session_is_begun_anew() {
        let mut session = Session::default();
        let on = FetchSessions::On;
        session.request(on, wanted(&[(0, 5)]));
        session.answered(&answer(9, None));
        session.failed();
        let again = session.request(on, wanted(&[(0, 5)]));
        assert_eq!(
            (again.session_id, again.session_epoch),
            (9, 0),
            "and ends the old one"
        );
        session.answered(&answer(0, None));
        let whole = session.request(on, wanted(&[(0, 5)]));
        assert_eq!((whole.session_id, whole.session_epoch), (0, 0), "there was no room");
        session.answered(&answer(4, None));
        session.request(on, wanted(&[(0, 5)]));
        let unknown = answer(0, Some(ErrorCode::FetchSessionIdNotFound));
        assert_eq!(session.answered(&unknown), Answered::OutOfStep);
        let new = session.request(on, wanted(&[(0, 5)]));
        assert_eq!((new.session_id, new.session_epoch, named(&new)), (0, 0, vec![0]));
    }

    #[test]
    fn without_sessions_every_request_names_everything() {
        let mut session = Session::default();
        for _ in 0..2 {
            let request = session.request(FetchSessions::Off, wanted(&[(0, 5)]));
            assert_eq!((request.session_epoch, named(&request)), (-1, vec![0]));
            assert_eq!(session.answered(&answer(0, None)), Answered::Everything);
        }
    }
}
