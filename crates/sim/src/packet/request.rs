//! What requests say.

use kafka_protocol::messages::{
    AlterPartitionRequest, BrokerHeartbeatRequest, CreateTopicsRequest, FetchRequest,
    ListOffsetsRequest, MetadataRequest, ProduceRequest, RequestKind, VoteRequest,
};
use topomotion_log::Batches;
use topomotion_wire::{Bytes, Request};

use super::{Dictionary, Part, Told};

pub(super) fn tell(request: &Request, names: &Dictionary) -> Told {
    match &request.body {
        RequestKind::Produce(body) => produce(body, names),
        RequestKind::Fetch(body) => fetch(body, names),
        RequestKind::Metadata(body) => metadata(body, names),
        RequestKind::ListOffsets(body) => list_offsets(body),
        RequestKind::CreateTopics(body) => create_topics(body),
        RequestKind::AlterPartition(body) => alter_partition(body, names),
        RequestKind::BrokerHeartbeat(body) => heartbeat(body),
        RequestKind::BrokerRegistration(body) => {
            Told::one(Part::always("", format!("node {}", body.broker_id.0)))
        }
        RequestKind::Vote(body) => vote(body),
        RequestKind::BeginQuorumEpoch(body) => {
            let partitions = body.topics.iter().flat_map(|topic| &topic.partitions);
            let told = partitions.map(|partition| {
                let leader = names.nodes([partition.leader_id.0]);
                Part::if_changed(
                    "",
                    format!("leader={leader} epoch {}", partition.leader_epoch),
                )
            });
            Told { parts: told.collect(), ..Told::default() }
        }
        RequestKind::EndQuorumEpoch(body) => {
            let partitions = body.topics.iter().flat_map(|topic| &topic.partitions);
            let told = partitions.map(|partition| {
                Part::always("", format!("epoch {}", partition.leader_epoch))
            });
            Told { parts: told.collect(), ..Told::default() }
        }
        RequestKind::FindCoordinator(body) => {
            let keys: Vec<&str> =
                body.coordinator_keys.iter().map(|key| &**key).collect();
            let key =
                if keys.is_empty() { body.key.to_string() } else { keys.join(", ") };
            Told::one(Part::if_changed("", key))
        }
        RequestKind::OffsetForLeaderEpoch(body) => {
            let mut told = Told::default();
            for topic in &body.topics {
                for partition in &topic.partitions {
                    let name = format!("{}-{}", &*topic.topic.0, partition.partition);
                    let text = format!("{name} end of epoch {}?", partition.leader_epoch);
                    told.push(Part::if_changed(name, text));
                }
            }
            told
        }
        // Agreeing on versions is part of every connection and of no story.
        RequestKind::ApiVersions(_) => Told::default(),
        RequestKind::FetchSnapshot(body) => {
            let partitions = body.topics.iter().flat_map(|topic| &topic.partitions);
            let told = partitions.map(|it| {
                let (end, at) = (it.snapshot_id.end_offset, it.position);
                Part::always("", format!("snapshot to offset {end}, from byte {at}"))
            });
            Told { parts: told.collect(), ..Told::default() }
        }
        other => super::admin::asked(other, names)
            .or_else(|| super::groups::asked(other, names))
            .or_else(|| super::transactions::asked(other))
            .unwrap_or_else(|| Told::one(Part::if_changed("", ""))),
    }
}

fn produce(body: &ProduceRequest, names: &Dictionary) -> Told {
    let mut told = Told::default();
    let acks = match body.acks {
        -1 => "all".to_owned(),
        other => other.to_string(),
    };
    for topic in &body.topic_data {
        let name = names.topic(&topic.name, topic.topic_id);
        for partition in &topic.partition_data {
            let records = count_records(partition.records.as_ref());
            told.records += records;
            let plural = if records == 1 { "record" } else { "records" };
            let subject = format!("{name}-{}", partition.index);
            let text = format!("{subject} {records} {plural} acks={acks}");
            told.push(Part::always(subject, text));
        }
    }
    told
}

fn fetch(body: &FetchRequest, names: &Dictionary) -> Told {
    let mut told = Told::default();
    for topic in &body.topics {
        let name = names.topic(&topic.topic, topic.topic_id);
        for partition in &topic.partitions {
            let subject = format!("{name}-{}", partition.partition);
            let mut text = format!("{subject} offset {}", partition.fetch_offset);
            if partition.current_leader_epoch >= 0 {
                text.push_str(&format!(" epoch {}", partition.current_leader_epoch));
            }
            told.push(Part::if_changed(subject, text).of_replication());
        }
    }
    told
}

fn metadata(body: &MetadataRequest, names: &Dictionary) -> Told {
    let text = match &body.topics {
        None => "all topics".to_owned(),
        Some(topics) => {
            let topic = |topic: &kafka_protocol::messages::metadata_request::MetadataRequestTopic| {
                names.topic(&topic.name.clone().unwrap_or_default(), topic.topic_id)
            };
            topics.iter().map(topic).collect::<Vec<_>>().join(", ")
        }
    };
    Told::one(Part::if_changed("", text))
}

fn list_offsets(body: &ListOffsetsRequest) -> Told {
    let mut told = Told::default();
    for topic in &body.topics {
        for partition in &topic.partitions {
            let subject = format!("{}-{}", &*topic.name.0, partition.partition_index);
            let which = match partition.timestamp {
                -1 => "latest".to_owned(),
                -2 => "earliest".to_owned(),
                other => format!("at {other}"),
            };
            told.push(Part::if_changed(subject.clone(), format!("{subject} {which}")));
        }
    }
    told
}

fn create_topics(body: &CreateTopicsRequest) -> Told {
    let mut told = Told::default();
    for topic in &body.topics {
        let partitions = match topic.assignments.len() {
            0 => topic.num_partitions,
            given => i32::try_from(given).unwrap_or(i32::MAX),
        };
        told.push(Part::always(
            "",
            format!("{} ({partitions} partitions)", &*topic.name.0),
        ));
    }
    told
}

fn alter_partition(body: &AlterPartitionRequest, names: &Dictionary) -> Told {
    let mut told = Told::default();
    for topic in &body.topics {
        let name = names.topic(&Default::default(), topic.topic_id);
        for partition in &topic.partitions {
            let plain = partition.new_isr.iter().map(|id| id.0);
            let stated =
                partition.new_isr_with_epochs.iter().map(|state| state.broker_id.0);
            let isr = names.nodes(plain.chain(stated));
            let subject = format!("{name}-{}", partition.partition_index);
            told.push(Part::always(subject.clone(), format!("{subject} isr={{{isr}}}")));
        }
    }
    told
}

/// The offset in a heartbeat moves all the time; only the wishes are news.
fn heartbeat(body: &BrokerHeartbeatRequest) -> Told {
    let mut wishes = String::new();
    if body.want_fence {
        wishes.push_str(", asks to be fenced");
    }
    if body.want_shut_down {
        wishes.push_str(", asks to shut down");
    }
    let text = format!("metadata offset {}{wishes}", body.current_metadata_offset);
    let weight = super::Weight::IfChanged(format!("{}{wishes}", body.broker_epoch));
    Told::one(Part { subject: String::new(), text, weight })
}

fn vote(body: &VoteRequest) -> Told {
    let partitions = body.topics.iter().flat_map(|topic| &topic.partitions);
    let told = partitions.map(|partition| {
        let kind = if partition.pre_vote { "pre-vote " } else { "" };
        let epoch = partition.replica_epoch;
        Part::always("", format!("{kind}epoch {epoch} log end {}", partition.last_offset))
    });
    Told { parts: told.collect(), ..Told::default() }
}

/// How many records a message's batches carry, control records included.
pub(super) fn count_records(bytes: Option<&Bytes>) -> u32 {
    let Some(bytes) = bytes else { return 0 };
    let count = |batch: Result<topomotion_log::Batch, _>| {
        batch.map_or(0, |batch| i64::from(batch.count()))
    };
    let total: i64 = Batches::new(bytes.clone()).map(count).sum();
    u32::try_from(total).unwrap_or(u32::MAX)
}
