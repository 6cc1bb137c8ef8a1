//! Produce (0), versions 3–13, on brokers.
//!
//! - `acks=0`: appended, never answered; an error closes the connection (REP-8).
//! - `acks=1`: answered after the leader's append.
//! - `acks=-1`: refused before the append while the ISR is too small (REP-5), else answered
//!   when the high watermark has passed the last record (REP-6) or time is up (REP-7).
//! - Each partition has its own outcome; the answer leaves when the last one is decided.
//! - Version 13 names topics by id. Coordinators' topics are theirs alone:
//!   INVALID_TOPIC_EXCEPTION.
//! - Zstandard came with version 7: before, such a batch is UNSUPPORTED_COMPRESSION_TYPE.
//! - A batch that is there already is answered with its first offset (PRD-4). Records of a
//!   transaction need a `transactional.id`.

use std::collections::BTreeMap;

use topomotion_log::{Attributes, Batch, Compression};
use topomotion_wire::messages::produce_request::TopicProduceData;
use topomotion_wire::messages::produce_response::{
    PartitionProduceResponse, TopicProduceResponse,
};
use topomotion_wire::messages::{ProduceRequest, ProduceResponse};
use topomotion_wire::{
    Acks, Bytes, Duration, ErrorCode, Fact, Offset, Rule, TopicId, TopicPartition,
};

use super::shared;
use crate::broker::{Broker, DelayedProduce, Pending, Refused, hint_at_leaders};
use crate::config::TimestampType;
use crate::coordinators::InternalTopic;
use crate::net::{Answer, Effects, Ticket};
use crate::replica::Site;

/// The first version that names topics by id.
const BY_ID: i16 = 13;
/// The first version whose batches may be compressed by Zstandard.
const WITH_ZSTD: i16 = 7;

/// Appends what the request carries and its coordinator has not `refused` (TXN-4), and answers, waits, or stays silent.
pub(crate) fn handle(
    broker: &mut Broker,
    site: Site<'_>,
    ticket: Ticket,
    version: i16,
    request: ProduceRequest,
    refused: &Refused,
    effects: &mut Effects,
) {
    let acks = match request.acks {
        _ if request.transactional_id.is_none() && has_transactional(&request) => {
            let error = ErrorCode::TransactionalIdAuthorizationFailed;
            return refuse(ticket, &request, error, effects);
        }
        0 => Acks::None,
        1 => Acks::Leader,
        -1 => Acks::All,
        _ => return refuse(ticket, &request, ErrorCode::InvalidRequiredAcks, effects),
    };
    let mut pending = BTreeMap::new();
    let mut response = ProduceResponse::default();
    for (at, topic) in request.topic_data.into_iter().enumerate() {
        let mut answers = Vec::new();
        let name = name_of(site, version, &topic);
        for (index, data) in topic.partition_data.into_iter().enumerate() {
            let id = name.clone().map(|name| TopicPartition::new(name, data.index));
            let records = data.records.unwrap_or_default();
            let is_repeated = |id: &TopicPartition| pending.contains_key(id);
            let appended = match id {
                Ok(id) if is_repeated(&id) => Err(ErrorCode::InvalidRequest),
                Ok(id) if refused.contains_key(&id) => Err(refused[&id]),
                Ok(id) if version < WITH_ZSTD && is_zstd(&records) => {
                    let is_there = broker.replicas().contains_key(&id);
                    let unsupported = ErrorCode::UnsupportedCompressionType;
                    Err(if is_there { unsupported } else { site.absent(&id) })
                }
                id => id.and_then(|id| append(broker, site, acks, id, records, effects)),
            };
            let answer = PartitionProduceResponse::default()
                .with_index(data.index)
                .with_log_append_time_ms(-1)
                .with_log_start_offset(-1);
            answers.push(match appended {
                Ok(appended) => {
                    let waiting = appended.waiting((at, index));
                    pending.extend(waiting.map(|it| (appended.id.clone(), it)));
                    answer
                        .with_base_offset(appended.base.0)
                        .with_log_append_time_ms(appended.time_ms)
                        .with_log_start_offset(appended.log_start.0)
                }
                Err(error) => answer.with_base_offset(-1).with_error_code(error.code()),
            });
        }
        let answer = TopicProduceResponse::default()
            .with_name(topic.name)
            .with_topic_id(topic.topic_id)
            .with_partition_responses(answers);
        response.responses.push(answer);
    }
    let until = wait_until(site, request.timeout_ms);
    let produce = DelayedProduce { ticket, version, until, response, pending };
    finish(broker, site, produce, acks, effects);
}

fn is_zstd(records: &Bytes) -> bool {
    let first = Batch::split_from(&mut records.clone());
    first.is_ok_and(|it| it.attributes().compression() == Ok(Compression::Zstd))
}

/// Whether any batch is part of a transaction.
fn has_transactional(request: &ProduceRequest) -> bool {
    let data = request.topic_data.iter().flat_map(|topic| &topic.partition_data);
    let first = |mut records: Bytes| Batch::split_from(&mut records).ok();
    let batches = data.filter_map(|data| data.records.clone().and_then(first));
    batches
        .into_iter()
        .any(|batch| batch.attributes().contains(Attributes::TRANSACTIONAL))
}

struct Appended {
    id: TopicPartition,
    base: Offset,
    log_start: Offset,
    /// The time that the leader gave the records, or −1 where they bear their producer's.
    time_ms: i64,
    /// With acks=all: what the high watermark has to reach.
    awaits: Option<Offset>,
}

impl Appended {
    fn waiting(&self, place: (usize, usize)) -> Option<Pending> {
        self.awaits.map(|until| Pending { until, place })
    }
}

fn append(
    broker: &mut Broker,
    site: Site<'_>,
    acks: Acks,
    id: TopicPartition,
    records: Bytes,
    effects: &mut Effects,
) -> Result<Appended, ErrorCode> {
    if InternalTopic::named(&id.topic).is_some() {
        return Err(ErrorCode::InvalidTopicException);
    }
    let replica = broker.replica_mut(&id).ok_or_else(|| site.absent(&id))?;
    let appended = replica.append(site, acks, records, effects)?;
    let awaits = (acks == Acks::All).then_some(appended.end);
    if acks == Acks::All && replica.high_watermark() < appended.end {
        let (partition, until) = (id.clone(), appended.end);
        effects.fact(Fact::ProduceWaits { partition, until });
    }
    if acks == Acks::Leader {
        effects.mark_at(Rule::Rep8, &id);
    }
    let log_start = replica.log().start_offset();
    let time_ms = match site.topic(&id.topic).timestamp_type() {
        TimestampType::CreateTime => -1,
        TimestampType::LogAppendTime => site.wall_ms(),
    };
    Ok(Appended { base: appended.base, log_start, time_ms, awaits, id })
}

/// The topic that a request names, one way or the other.
pub(super) fn name_of(
    site: Site<'_>,
    version: i16,
    topic: &TopicProduceData,
) -> Result<std::sync::Arc<str>, ErrorCode> {
    if version < BY_ID {
        return Ok(shared(&topic.name));
    }
    let name = site.image.topic_name(TopicId(topic.topic_id));
    name.cloned().ok_or(ErrorCode::UnknownTopicId)
}

fn wait_until(site: Site<'_>, timeout_ms: i32) -> topomotion_wire::Instant {
    site.now + Duration::from_millis(u64::try_from(timeout_ms).unwrap_or(0))
}

fn finish(
    broker: &mut Broker,
    site: Site<'_>,
    mut produce: DelayedProduce,
    acks: Acks,
    effects: &mut Effects,
) {
    if acks != Acks::None && (acks == Acks::Leader || produce.pending.is_empty()) {
        hint_at_leaders(site, produce.version, &mut produce.response);
    }
    let answers = produce.response.responses.iter();
    let mut answers = answers.flat_map(|topic| &topic.partition_responses);
    match acks {
        Acks::None if answers.any(|answer| answer.error_code != 0) => {
            effects.answer(produce.ticket, Answer::Close);
        }
        Acks::None => effects.answer(produce.ticket, Answer::Silence),
        Acks::Leader => effects.reply(produce.ticket, produce.response),
        Acks::All if produce.pending.is_empty() => {
            effects.reply(produce.ticket, produce.response);
        }
        Acks::All => {
            // A leader alone has moved its watermark already: the first look will find it.
            produce.pending.keys().for_each(|id| effects.touch(id));
            broker.wait_for_watermark(produce);
        }
    }
}

fn refuse(
    ticket: Ticket,
    request: &ProduceRequest,
    error: ErrorCode,
    effects: &mut Effects,
) {
    if request.acks == 0 {
        return effects.answer(ticket, Answer::Close);
    }
    let topic = |topic: &TopicProduceData| {
        let answer = |index: i32| {
            PartitionProduceResponse::default()
                .with_index(index)
                .with_base_offset(-1)
                .with_error_code(error.code())
        };
        let answers = topic.partition_data.iter().map(|data| answer(data.index));
        TopicProduceResponse::default()
            .with_name(topic.name.clone())
            .with_topic_id(topic.topic_id)
            .with_partition_responses(answers.collect())
    };
    let responses = request.topic_data.iter().map(topic).collect();
    effects.reply(ticket, ProduceResponse::default().with_responses(responses));
}
