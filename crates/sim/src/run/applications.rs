//! What applications have their clients do.

use std::sync::Arc;

use topomotion_client::{OffsetReset, OutOfTurn, ProducerRecord};
use topomotion_model::PartitionName;
use topomotion_wire::{Bytes, Duration, Instant, Offset, TopicPartition};

use super::body::Body;
use super::cluster::WALL_CLOCK_BASE_MS;
use super::transform::Transform;
use crate::line::client::{ClientLine, Doer, Goal, Work};

/// Does what a line says; the error says why it cannot be done.
pub(super) fn obey(
    body: &mut Body,
    now: Instant,
    line: &ClientLine,
) -> Result<(), String> {
    if let ClientLine::Close = line {
        close(body, now);
        return Ok(());
    }
    match line.doer() {
        Doer::Producer => produce(body, now, line).map_err(|error| error.to_string()),
        Doer::Both => transact(body, now, line),
        Doer::Consumer | Doer::Any => {
            consume(body, now, line);
            Ok(())
        }
    }
}

/// Both clients of the process end in good order.
pub(super) fn close(body: &mut Body, now: Instant) {
    if let Some(producer) = body.producer_mut() {
        producer.close(now);
    }
    if let Some(consumer) = body.consumer_mut() {
        consumer.close(now);
    }
}

/// Whether both have ended.
pub(super) fn is_closed(body: &Body) -> bool {
    body.producer().is_none_or(topomotion_client::Producer::is_closed)
        && body.consumer().is_none_or(topomotion_client::Consumer::is_closed)
}

fn produce(body: &mut Body, now: Instant, line: &ClientLine) -> Result<(), OutOfTurn> {
    let Some(producer) = body.producer_mut() else { return Ok(()) };
    match line {
        ClientLine::InitTransactions => producer.init_transactions(now),
        ClientLine::Begin => producer.begin_transaction(now),
        ClientLine::CommitTransaction => producer.commit_transaction(now),
        ClientLine::AbortTransaction => producer.abort_transaction(now),
        ClientLine::Tombstone { partition, key } => {
            let partition = place(partition);
            producer.send(
                now,
                ProducerRecord {
                    topic: partition.topic,
                    partition: Some(partition.partition),
                    key: Some(Bytes::from(key.clone().into_bytes())),
                    value: None,
                    headers: Vec::new(),
                    acks: None,
                },
            );
            Ok(())
        }
        _ => Ok(()),
    }
}

fn transact(body: &mut Body, now: Instant, line: &ClientLine) -> Result<(), String> {
    let Body::Worker(worker) = body else {
        return Err("it does not both read and write".to_owned());
    };
    match line {
        ClientLine::SendOffsets => {
            let consumer = &worker.consumer;
            let lack = || "it is in no group".to_owned();
            let group = consumer.group_metadata().ok_or_else(lack)?;
            let owned = consumer.owned().into_iter();
            let offsets =
                owned.filter_map(|at| Some((at.clone(), consumer.position(&at)?)));
            let offsets = offsets.collect();
            let sent = worker.producer.send_offsets_to_transaction(now, offsets, group);
            sent.map_err(|error| error.to_string())
        }
        ClientLine::Transform { from, to } => {
            let transform = Transform::new(from, to, worker.transactions);
            worker.begin(now, transform);
            Ok(())
        }
        _ => Ok(()),
    }
}

fn consume(body: &mut Body, now: Instant, line: &ClientLine) {
    let Some(consumer) = body.consumer_mut() else { return };
    match line {
        ClientLine::Seek { partition, to } => {
            let at = place(partition);
            match to {
                Goal::Offset(offset) => consumer.seek(now, &at, Offset(*offset)),
                Goal::Earliest => consumer.seek_to(now, &at, OffsetReset::Earliest),
                Goal::Latest => consumer.seek_to(now, &at, OffsetReset::Latest),
                Goal::Ago(ms) => {
                    let ms = i64::try_from(*ms).unwrap_or(i64::MAX);
                    let now_ms = WALL_CLOCK_BASE_MS + now.as_millis() as i64;
                    consumer.seek_to_time(now, &at, now_ms.saturating_sub(ms));
                }
            }
        }
        ClientLine::Pause(these) => consumer.pause(these.iter().map(place)),
        ClientLine::Resume(these) => consumer.resume(now, these.iter().map(place)),
        ClientLine::Assign(these) => consumer.assign(now, these.iter().map(place)),
        ClientLine::Subscribe(topics) => {
            consumer.subscribe(now, topics.iter().map(|topic| Arc::from(topic.as_str())));
        }
        ClientLine::Unsubscribe => consumer.unsubscribe(now),
        ClientLine::Commit(None) => consumer.commit(now),
        ClientLine::CommitAsync => consumer.commit_async(now),
        ClientLine::Commit(Some((partition, offset))) => {
            let offsets = [(place(partition), Offset(*offset))];
            consumer.commit_offsets(now, offsets.into());
        }
        ClientLine::Work(Work::PerRecord(ms)) => {
            consumer.set_processing_time(Duration::from_millis(*ms));
        }
        ClientLine::Work(Work::Once(ms)) => {
            consumer.pause_polling(now, now + Duration::from_millis(*ms));
        }
        _ => {}
    }
}

fn place(partition: &PartitionName) -> TopicPartition {
    let index = i32::try_from(partition.partition).unwrap_or(i32::MAX);
    TopicPartition::new(Arc::from(&*partition.topic), index)
}
