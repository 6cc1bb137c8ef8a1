//! What messages show the judge: votes, the quorum's fetches, ISR changes, refused batches.
//!
//! Each is shown when it is sent, which is when its sender has made up its mind.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use topomotion_log::Batches;
use topomotion_wire::messages::{
    AlterPartitionRequest, AlterPartitionResponse, FetchResponse, ProduceRequest,
    ProduceResponse, RequestKind, ResponseKind, TopicName, VoteResponse,
};
use topomotion_wire::{CorrelationId, ErrorCode, Message, NodeId, TopicPartition};

use super::sight::{Ballot, Sight};
use crate::packet::{Dictionary, METADATA_TOPIC};
use crate::world::LinkId;

/// What was asked, where the answer does not repeat it.
#[derive(Debug)]
enum Question {
    Vote(Ballot, i32),
    QuorumFetch,
    Produce(Vec<(TopicPartition, Bytes)>),
    IsrChange,
}

/// Questions that have not been answered.
#[derive(Debug, Default)]
pub(super) struct Talk {
    open: BTreeMap<(LinkId, CorrelationId), Question>,
    /// Connections on which a leader of the quorum has answered a fetch.
    led: BTreeSet<LinkId>,
}

impl Talk {
    /// Looks at a message that is sent, and tells what it shows.
    pub fn look(
        &mut self,
        link: LinkId,
        [from, to]: [&Arc<str>; 2],
        message: &Message,
        names: &mut Dictionary,
        mut tell: impl FnMut(Sight),
    ) {
        match message {
            Message::HttpRequest(_)
            | Message::HttpResponse(_)
            | Message::Database(_)
            | Message::Zookeeper(_) => {}
            Message::Request(request) => {
                let place = (link, request.correlation);
                if let Some(question) = question(&request.body) {
                    self.open.insert(place, question);
                }
                match &request.body {
                    RequestKind::AlterPartition(body) => {
                        isr_asked(from, body, names, tell);
                    }
                    // Nobody asks again on a connection before it has had its answer.
                    RequestKind::Fetch(_)
                        if self.is_quorum_fetch(place) && self.led.remove(&link) =>
                    {
                        let (follower, leader) = (from.clone(), to.clone());
                        tell(Sight::QuorumAsked { follower, leader });
                    }
                    _ => {}
                }
            }
            Message::Response(response) => {
                let asked = self.open.remove(&(link, response.correlation));
                match (asked, &response.body) {
                    (Some(Question::Vote(kind, epoch)), ResponseKind::Vote(body))
                        if is_granted(body) =>
                    {
                        let (voter, candidate) = (from.clone(), to.clone());
                        tell(Sight::Voted { voter, candidate, epoch, kind });
                    }
                    (Some(Question::QuorumFetch), ResponseKind::Fetch(body))
                        if is_led(body) =>
                    {
                        self.led.insert(link);
                        let (leader, follower) = (from.clone(), to.clone());
                        tell(Sight::QuorumAnswered { leader, follower });
                    }
                    (Some(Question::Produce(sent)), ResponseKind::Produce(body)) => {
                        refused(from, &sent, body, names, tell);
                    }
                    (_, ResponseKind::AlterPartition(body)) => {
                        isr_answered(from, body, names, tell);
                    }
                    _ => {}
                }
            }
        }
    }

    fn is_quorum_fetch(&self, place: (LinkId, CorrelationId)) -> bool {
        matches!(self.open.get(&place), Some(Question::QuorumFetch))
    }
}

fn question(body: &RequestKind) -> Option<Question> {
    match body {
        RequestKind::Vote(vote) => {
            let asked = vote.topics.first()?.partitions.first()?;
            let kind = if asked.pre_vote { Ballot::PreVote } else { Ballot::Vote };
            Some(Question::Vote(kind, asked.replica_epoch))
        }
        RequestKind::Fetch(fetch) => {
            let topic = fetch.topics.first()?;
            (topic.topic_id == METADATA_TOPIC).then_some(Question::QuorumFetch)
        }
        RequestKind::Produce(produce) => {
            (produce.acks != 0).then(|| Question::Produce(sent(produce)))
        }
        RequestKind::AlterPartition(_) => Some(Question::IsrChange),
        _ => None,
    }
}

/// What it shows that a request has arrived: whose fetch a leader of the quorum hears, and in
/// which epoch.
pub(super) fn heard([from, to]: [&Arc<str>; 2], body: &RequestKind) -> Option<Sight> {
    let epoch = match body {
        RequestKind::Fetch(fetch) => {
            let topic = fetch.topics.first()?;
            let asked =
                topic.partitions.first().filter(|_| topic.topic_id == METADATA_TOPIC);
            asked?.current_leader_epoch
        }
        RequestKind::FetchSnapshot(fetch) => {
            fetch.topics.first()?.partitions.first()?.current_leader_epoch
        }
        _ => return None,
    };
    let (leader, follower) = (to.clone(), from.clone());
    Some(Sight::QuorumHeard { leader, follower, epoch })
}

/// Whether a fetch of the metadata log was answered by its leader.
fn is_led(response: &FetchResponse) -> bool {
    let mut partitions = response.responses.iter().flat_map(|it| &it.partitions);
    partitions.all(|it| it.error_code == 0)
}

fn is_granted(vote: &VoteResponse) -> bool {
    let told = vote.topics.first().and_then(|topic| topic.partitions.first());
    told.is_some_and(|told| told.vote_granted)
}

/// The batches of a produce request: not looked into before they are refused.
fn sent(produce: &ProduceRequest) -> Vec<(TopicPartition, Bytes)> {
    let topics = produce.topic_data.iter();
    let all = topics.flat_map(|topic| {
        let name: Arc<str> = topic.name.as_str().into();
        topic.partition_data.iter().map(move |data| {
            let partition = TopicPartition::new(name.clone(), data.index);
            (partition, data.records.clone().unwrap_or_default())
        })
    });
    all.collect()
}

fn refused(
    leader: &Arc<str>,
    sent: &[(TopicPartition, Bytes)],
    body: &ProduceResponse,
    names: &mut Dictionary,
    mut tell: impl FnMut(Sight),
) {
    for topic in &body.responses {
        for told in &topic.partition_responses {
            if told.error_code != ErrorCode::NotEnoughReplicas.code() {
                continue;
            }
            let is_it = |(partition, _): &&(TopicPartition, Bytes)| {
                *partition.topic == *topic.name.as_str()
                    && partition.partition == told.index
            };
            let Some((partition, records)) = sent.iter().find(is_it) else { continue };
            let batches = Batches::new(records.clone()).map_while(Result::ok);
            tell(Sight::Refused {
                leader: leader.clone(),
                partition: names.partition(partition),
                batches: batches.map(|batch| batch.id().0).collect(),
            });
        }
    }
}

fn isr_asked(
    leader: &Arc<str>,
    body: &AlterPartitionRequest,
    names: &mut Dictionary,
    mut tell: impl FnMut(Sight),
) {
    for topic in &body.topics {
        let name = names.topic(&TopicName::default(), topic.topic_id);
        for data in &topic.partitions {
            let members = data.new_isr_with_epochs.iter();
            let member = |member: &topomotion_wire::messages::alter_partition_request::BrokerState| {
                (names.node(NodeId(member.broker_id.0)), member.broker_epoch)
            };
            let members = members.map(member).collect();
            let partition = TopicPartition::new(&*name, data.partition_index);
            let (leader, partition) = (leader.clone(), names.partition(&partition));
            tell(Sight::IsrAsked { leader, partition, members });
        }
    }
}

fn isr_answered(
    controller: &Arc<str>,
    body: &AlterPartitionResponse,
    names: &mut Dictionary,
    mut tell: impl FnMut(Sight),
) {
    for topic in &body.topics {
        let name = names.topic(&TopicName::default(), topic.topic_id);
        for data in topic.partitions.iter().filter(|data| data.error_code == 0) {
            let partition = TopicPartition::new(&*name, data.partition_index);
            tell(Sight::IsrAnswered {
                controller: controller.clone(),
                partition: names.partition(&partition),
                partition_epoch: data.partition_epoch,
            });
        }
    }
}
