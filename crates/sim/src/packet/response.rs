//! What responses say.

use kafka_protocol::messages::{
    AlterPartitionResponse, BrokerHeartbeatResponse, BrokerRegistrationResponse,
    CreateTopicsResponse, FetchResponse, FetchSnapshotResponse, FindCoordinatorResponse,
    ListOffsetsResponse, MetadataResponse, ProduceResponse, ResponseKind, VoteResponse,
    fetch_response::PartitionData,
};
use topomotion_wire::Response;

use super::request::count_records;
use super::{Dictionary, Part, Told, Weight, error_name};

pub(super) fn tell(response: &Response, names: &Dictionary) -> Told {
    match &response.body {
        ResponseKind::Produce(body) => produce(body, names),
        ResponseKind::Fetch(body) => fetch(body, names),
        ResponseKind::Metadata(body) => metadata(body, names),
        ResponseKind::ListOffsets(body) => list_offsets(body),
        ResponseKind::CreateTopics(body) => create_topics(body),
        ResponseKind::AlterPartition(body) => alter_partition(body, names),
        ResponseKind::BrokerHeartbeat(body) => heartbeat(body),
        ResponseKind::BrokerRegistration(body) => registration(body),
        ResponseKind::Vote(body) => vote(body),
        ResponseKind::BeginQuorumEpoch(body) => {
            let codes = body.topics.iter().flat_map(|topic| &topic.partitions);
            plain(body.error_code, codes.map(|partition| partition.error_code))
        }
        ResponseKind::EndQuorumEpoch(body) => {
            let codes = body.topics.iter().flat_map(|topic| &topic.partitions);
            plain(body.error_code, codes.map(|partition| partition.error_code))
        }
        ResponseKind::FindCoordinator(body) => find_coordinator(body, names),
        ResponseKind::OffsetForLeaderEpoch(body) => {
            let mut told = Told::default();
            for topic in &body.topics {
                for partition in &topic.partitions {
                    told.error(partition.error_code);
                    let name = format!("{}-{}", &*topic.topic.0, partition.partition);
                    let (epoch, end) = (partition.leader_epoch, partition.end_offset);
                    let text = format!("{name} epoch {epoch} ends at {end}");
                    told.push(Part::if_changed(name, text));
                }
            }
            told
        }
        ResponseKind::ApiVersions(body) if body.error_code == 0 => Told::default(),
        ResponseKind::ApiVersions(body) => plain(body.error_code, []),
        ResponseKind::FetchSnapshot(body) => fetch_snapshot(body),
        other => super::admin::answered(other, names)
            .or_else(|| super::groups::answered(other, names))
            .or_else(|| super::transactions::answered(other))
            .unwrap_or_else(|| plain(0, [])),
    }
}

/// A response that says no more than whether it worked.
fn plain(code: i16, codes: impl IntoIterator<Item = i16>) -> Told {
    let mut told = Told::default();
    told.error(code);
    codes.into_iter().for_each(|code| told.error(code));
    let said = told.error.clone().unwrap_or_default();
    told.push(Part {
        subject: String::new(),
        text: String::new(),
        weight: Weight::IfChanged(said),
    });
    told
}

fn produce(body: &ProduceResponse, names: &Dictionary) -> Told {
    let mut told = Told::default();
    for topic in &body.responses {
        let name = names.topic(&topic.name, topic.topic_id);
        for partition in &topic.partition_responses {
            told.error(partition.error_code);
            let subject = format!("{name}-{}", partition.index);
            let leader = &partition.current_leader;
            let text = match names.leader(leader.leader_id.0) {
                _ if partition.error_code == 0 => {
                    format!("{subject} offset {}", partition.base_offset)
                }
                Some(name) => {
                    format!("{subject}, leader={name} epoch {}", leader.leader_epoch)
                }
                None => subject.clone(),
            };
            told.push(Part::always(subject, text));
        }
    }
    told
}

fn fetch(body: &FetchResponse, names: &Dictionary) -> Told {
    let mut told = Told::default();
    told.error(body.error_code);
    if let Some(error) = &told.error {
        let weight = Weight::IfChanged(error.clone());
        told.push(Part { subject: String::new(), text: String::new(), weight });
    }
    for topic in &body.responses {
        let name = names.topic(&topic.topic, topic.topic_id);
        for partition in &topic.partitions {
            let subject = format!("{name}-{}", partition.partition_index);
            told.error(partition.error_code);
            let records = count_records(partition.records.as_ref());
            told.records += records;
            told.push(fetched(subject, partition, records, names).of_replication());
        }
    }
    told
}

fn fetched(
    subject: String,
    data: &PartitionData,
    records: u32,
    names: &Dictionary,
) -> Part {
    let leader = names.leader(data.current_leader.leader_id.0);
    let text = if data.diverging_epoch.end_offset >= 0 {
        let (epoch, end) = (data.diverging_epoch.epoch, data.diverging_epoch.end_offset);
        format!("{subject} diverges: epoch {epoch} ends at {end}")
    } else if data.snapshot_id.end_offset >= 0 {
        format!("{subject} snapshot to offset {}", data.snapshot_id.end_offset)
    } else if let (Some(error), Some(leader)) = (error_name(data.error_code), &leader) {
        let epoch = data.current_leader.leader_epoch;
        format!("{subject} {error}, leader={leader} epoch {epoch}")
    } else if let Some(error) = error_name(data.error_code) {
        format!("{subject} {error}")
    } else if records > 0 {
        let plural = if records == 1 { "record" } else { "records" };
        format!("{subject} {records} {plural} hw {}", data.high_watermark)
    } else {
        format!("{subject} hw {}", data.high_watermark)
    };
    // The watermark is what a later, empty response is compared with.
    let plain = data.diverging_epoch.end_offset < 0 && data.snapshot_id.end_offset < 0;
    let known = (data.error_code == 0 && plain)
        .then(|| format!("{subject} hw {}", data.high_watermark));
    match known {
        Some(said) if records == 0 => {
            Part { subject, text, weight: Weight::IfChanged(said) }
        }
        Some(_) => Part { subject, text, weight: Weight::Always },
        None => Part { subject, weight: Weight::IfChanged(text.clone()), text },
    }
}

fn fetch_snapshot(body: &FetchSnapshotResponse) -> Told {
    let mut told = Told::default();
    told.error(body.error_code);
    for it in body.topics.iter().flat_map(|topic| &topic.partitions) {
        told.error(it.error_code);
        let (end, size) = (it.snapshot_id.end_offset, it.size);
        let until = it.position.saturating_add(
            i64::try_from(it.unaligned_records.len()).unwrap_or(i64::MAX),
        );
        let text = format!("snapshot to offset {end}: {until} of {size} bytes");
        told.push(Part::always("", text));
    }
    told
}

fn metadata(body: &MetadataResponse, names: &Dictionary) -> Told {
    let mut told = Told::default();
    told.error(body.error_code);
    let brokers = names.nodes(body.brokers.iter().map(|broker| broker.node_id.0));
    let text =
        if body.topics.is_empty() { format!("brokers {brokers}") } else { String::new() };
    told.push(Part { subject: String::new(), text, weight: Weight::IfChanged(brokers) });
    for topic in &body.topics {
        let name = topic.name.as_ref().map(|name| name.0.to_string()).unwrap_or_default();
        told.error(topic.error_code);
        for partition in &topic.partitions {
            told.error(partition.error_code);
            let subject = format!("{name}-{}", partition.partition_index);
            let leader = names.leader(partition.leader_id.0);
            let text =
                format!("leader({subject})={}", leader.as_deref().unwrap_or("none"));
            told.push(Part::if_changed(subject, text).of_replication());
        }
    }
    told
}

fn list_offsets(body: &ListOffsetsResponse) -> Told {
    let mut told = Told::default();
    for topic in &body.topics {
        for partition in &topic.partitions {
            told.error(partition.error_code);
            let subject = format!("{}-{}", &*topic.name.0, partition.partition_index);
            let text = match error_name(partition.error_code) {
                None => format!("{subject} offset {}", partition.offset),
                Some(error) => format!("{subject} {error}"),
            };
            told.push(Part::if_changed(subject, text));
        }
    }
    told
}

fn create_topics(body: &CreateTopicsResponse) -> Told {
    let mut told = Told::default();
    for topic in &body.topics {
        told.error(topic.error_code);
        told.push(Part::always(topic.name.0.to_string(), topic.name.0.to_string()));
    }
    told
}

fn alter_partition(body: &AlterPartitionResponse, names: &Dictionary) -> Told {
    let mut told = Told::default();
    told.error(body.error_code);
    for topic in &body.topics {
        let name = names.topic(&Default::default(), topic.topic_id);
        for partition in &topic.partitions {
            told.error(partition.error_code);
            let subject = format!("{name}-{}", partition.partition_index);
            let isr = names.nodes(partition.isr.iter().map(|id| id.0));
            let text = match error_name(partition.error_code) {
                None => format!("{subject} isr={{{isr}}}"),
                Some(_) => subject.clone(),
            };
            told.push(Part::always(subject, text));
        }
    }
    if told.parts.is_empty() {
        told.push(Part::always("", ""));
    }
    told
}

fn heartbeat(body: &BrokerHeartbeatResponse) -> Told {
    let mut told = Told::default();
    told.error(body.error_code);
    let text = match (&told.error, body.is_fenced) {
        (Some(_), _) => String::new(),
        (None, true) => "fenced".to_owned(),
        (None, false) => "not fenced".to_owned(),
    };
    let said = format!("{text} {} {:?}", body.should_shut_down, told.error);
    told.push(Part { subject: String::new(), text, weight: Weight::IfChanged(said) });
    told
}

fn registration(body: &BrokerRegistrationResponse) -> Told {
    let mut told = Told::default();
    told.error(body.error_code);
    let text = match told.error {
        None => format!("broker epoch {}", body.broker_epoch),
        Some(_) => String::new(),
    };
    told.push(Part::always("", text));
    told
}

fn vote(body: &VoteResponse) -> Told {
    let mut told = Told::default();
    told.error(body.error_code);
    for partition in body.topics.iter().flat_map(|topic| &topic.partitions) {
        told.error(partition.error_code);
        let answer = if partition.vote_granted { "granted" } else { "refused" };
        told.push(Part::always("", format!("{answer} epoch {}", partition.leader_epoch)));
    }
    told
}

fn find_coordinator(body: &FindCoordinatorResponse, names: &Dictionary) -> Told {
    let mut told = Told::default();
    told.error(body.error_code);
    if body.coordinators.is_empty() {
        let node = names.leader(body.node_id.0).unwrap_or_else(|| "none".into());
        told.push(Part::if_changed("", node.to_string()));
    }
    for coordinator in &body.coordinators {
        told.error(coordinator.error_code);
        let node = names.leader(coordinator.node_id.0).unwrap_or_else(|| "none".into());
        let key = coordinator.key.to_string();
        told.push(Part::if_changed(key.clone(), format!("coordinator({key})={node}")));
    }
    told
}
