//! The question of the eras before truncation on fetch: where does my last epoch end at the
//! leader (TRN-2, KIP-101, KIP-279)?

use std::collections::BTreeMap;

use topomotion_log::EpochEnd;
use topomotion_wire::messages::offset_for_leader_epoch_request::{
    OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use topomotion_wire::messages::offset_for_leader_epoch_response::EpochEndOffset;
use topomotion_wire::messages::{
    BrokerId, OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse, RequestKind,
    TopicName,
};
use topomotion_wire::{LeaderEpoch, Offset, StrBytes, TopicPartition};

use super::{Fetcher, Fetching, Replicas, State};
use crate::net::{Asked, Effects};
use crate::replica::Replica;

/// The first version that says who asks.
const VERSION: i16 = 3;

impl Fetcher {
    /// Asks for every partition that may not fetch before it is answered. Returns whether
    /// there was any.
    pub(super) fn ask_epochs(
        &mut self,
        fetching: Fetching<'_>,
        followed: &BTreeMap<&TopicPartition, &Replica>,
        effects: &mut Effects,
    ) -> bool {
        let mut asked = BTreeMap::new();
        let mut topics: BTreeMap<&str, OffsetForLeaderTopic> = BTreeMap::new();
        for (&id, replica) in followed {
            let Some(epoch) = replica.epoch_in_question() else { continue };
            if self.resting.contains_key(id) {
                continue;
            }
            asked.insert(id.clone(), replica.leader_epoch());
            let topic = topics.entry(&id.topic).or_insert_with(|| {
                let name = TopicName(StrBytes::from_string(id.topic.to_string()));
                OffsetForLeaderTopic::default().with_topic(name)
            });
            let partition = OffsetForLeaderPartition::default()
                .with_partition(id.partition)
                .with_current_leader_epoch(replica.leader_epoch().0)
                .with_leader_epoch(epoch.0);
            topic.partitions.push(partition);
        }
        if asked.is_empty() {
            return false;
        }
        let request = OffsetForLeaderEpochRequest::default()
            .with_replica_id(BrokerId(fetching.me.0))
            .with_topics(topics.into_values().collect());
        self.state = State::AskingEpochs(asked);
        let question = Asked::LeaderEpochs { leader: self.leader };
        let body = RequestKind::OffsetForLeaderEpoch(request);
        self.ask(fetching.settings, question, VERSION, body, effects);
        true
    }

    /// Takes the answer; whoever it says nothing of rests.
    pub(crate) fn told_epochs(
        &mut self,
        fetching: Fetching<'_>,
        response: &OffsetForLeaderEpochResponse,
        replicas: &mut Replicas,
        effects: &mut Effects,
    ) {
        let State::AskingEpochs(asked) = std::mem::replace(&mut self.state, State::Idle)
        else {
            return;
        };
        let rest_until = fetching.now + fetching.settings.replica_fetch_backoff;
        for (id, leadership) in asked {
            let Some(replica) = replicas.get_mut(&id) else { continue };
            if self.position_of(replica).epoch != leadership {
                continue;
            }
            match end_of(response, &id).filter(|end| end.error_code == 0) {
                Some(told) => {
                    let (epoch, end) =
                        (LeaderEpoch(told.leader_epoch), Offset(told.end_offset));
                    let told = (end.0 >= 0).then_some(EpochEnd { epoch, end });
                    replica.take_epoch_end(told, effects);
                }
                None => _ = self.resting.insert(id, rest_until),
            }
        }
    }
}

fn end_of<'r>(
    response: &'r OffsetForLeaderEpochResponse,
    id: &TopicPartition,
) -> Option<&'r EpochEndOffset> {
    let topic =
        response.topics.iter().find(|topic| topic.topic.as_str() == &*id.topic)?;
    topic.partitions.iter().find(|it| it.partition == id.partition)
}
