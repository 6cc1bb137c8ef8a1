//! A sink task: a consumer whose records go to a store in batches. Offsets are committed now
//! and then, after the writes; what was written after that is written again by whoever takes
//! the task over, and only where a record has an id of its own does that do no harm.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use topomotion_client::{
    Commits, CommonConfig, Consumer, ConsumerConfig, GroupConfig, OffsetReset,
};
use topomotion_wire::{
    AppDeed, Duration, HttpMethod, Input, Instant, Machine, Offset, Output,
    TopicPartition,
};

use super::{ConnectConfig, InsertMode, SinkConfig};
use crate::CallId;
use crate::caller::Caller;
use crate::reader::{Read, Reader};
use crate::switchboard::Slot;

/// Before a write that failed is tried again.
const RETRY: Duration = Duration::from_millis(1_000);
/// How long the store may take.
const TIMEOUT: Duration = Duration::from_millis(30_000);
/// The most records that are written at once.
const BATCH: usize = 2_000;

pub(super) const READER: Slot = Slot(5);
pub(super) const CALLER: Slot = Slot(6);

/// A running sink task.
#[derive(Debug)]
pub(super) struct Sink {
    config: SinkConfig,
    interval: Duration,
    reader: Reader,
    caller: Caller,
    /// Read, and not written yet.
    waiting: Vec<Read>,
    /// Being written.
    open: Option<(CallId, Vec<Read>)>,
    pause: Option<Instant>,
    /// Written, and not committed yet.
    written: BTreeMap<TopicPartition, Offset>,
    due: Instant,
}

impl Sink {
    pub fn start(now: Instant, worker: &ConnectConfig, config: &SinkConfig) -> Sink {
        let mut group = GroupConfig::new(format!("connect-{}", config.name));
        group.commits = Commits::Manual;
        group.session_timeout = worker.session_timeout;
        let mut consumer = Consumer::new(ConsumerConfig {
            offset_reset: OffsetReset::Earliest,
            group: Some(group),
            ..ConsumerConfig::new(CommonConfig {
                client_id: format!("{}-{}", worker.common.client_id, config.name).into(),
                ..worker.common.clone()
            })
        });
        consumer.subscribe(now, config.topics.iter().cloned());
        Sink {
            config: config.clone(),
            interval: worker.flush_interval,
            reader: Reader::new(consumer),
            caller: Caller::new(TIMEOUT),
            waiting: Vec::new(),
            open: None,
            pause: None,
            written: BTreeMap::new(),
            due: now + worker.flush_interval,
        }
    }

    pub fn handle(&mut self, now: Instant, slot: Slot, input: Input) {
        match slot {
            CALLER => self.caller.handle(now, input),
            _ => self.reader.handle(now, input),
        }
    }

    pub fn tick(&mut self, now: Instant) {
        self.reader.tick(now);
        self.caller.tick(now);
    }

    /// Goes on as far as it can, and tells what it did.
    pub fn drive(&mut self, now: Instant) -> Vec<AppDeed> {
        let mut deeds = Vec::new();
        self.waiting.extend(std::iter::from_fn(|| self.reader.take()));
        let owned = self.reader.consumer.owned();
        self.waiting.retain(|read| owned.contains(&read.partition));
        self.written.retain(|partition, _| owned.contains(partition));
        while let Some((call, outcome)) = self.caller.take_outcome() {
            let Some((_, reads)) = self.open.take_if(|(open, _)| *open == call) else {
                continue;
            };
            if outcome.is_ok_and(|response| response.is_success()) {
                for read in reads {
                    self.written.insert(read.partition, Offset(read.offset.0 + 1));
                }
            } else {
                self.waiting = [reads, std::mem::take(&mut self.waiting)].concat();
                self.pause = Some(now + RETRY);
            }
        }
        let rests = self.pause.is_some_and(|pause| pause > now);
        if self.open.is_none() && !self.waiting.is_empty() && !rests {
            let rest = self.waiting.split_off(self.waiting.len().min(BATCH));
            let batch = std::mem::replace(&mut self.waiting, rest);
            self.write(now, batch);
        }
        if self.due <= now {
            self.due = now + self.interval;
            deeds.extend(self.commit(now));
        }
        self.reader.settle();
        deeds
    }

    fn commit(&mut self, now: Instant) -> Option<AppDeed> {
        let done = std::mem::take(&mut self.written);
        if done.is_empty() {
            return None;
        }
        self.reader.consumer.commit_offsets(now, done);
        Some(AppDeed::SinkCommits { task: self.config.name.clone() })
    }

    fn write(&mut self, now: Instant, reads: Vec<Read>) {
        let lines = reads.iter().filter_map(|read| line(self.config.insert_mode, read));
        let lines: Vec<String> = lines.collect();
        if lines.is_empty() {
            // Tombstones: what they say the envelope before them has said.
            for read in reads {
                self.written.insert(read.partition, Offset(read.offset.0 + 1));
            }
            return;
        }
        let what = (format!("/{}/_bulk", self.config.index), lines.join("\n"));
        let call = self.caller.call(now, &self.config.store, HttpMethod::Post, what);
        self.open = Some((call, reads));
    }

    /// Commits what is written, and leaves its group.
    pub fn stop(&mut self, now: Instant, into: &mut std::collections::VecDeque<Output>) {
        // Told by the commit itself.
        let _ = self.commit(now);
        self.reader.consumer.close(now);
        self.reader.settle();
        self.drain(into);
    }

    pub fn drain(&mut self, into: &mut std::collections::VecDeque<Output>) {
        READER.drain(&mut self.reader, into);
        CALLER.drain(&mut self.caller, into);
    }

    pub fn deadline(&self) -> Option<Instant> {
        let due = (!self.written.is_empty()).then_some(self.due);
        let pause =
            self.pause.filter(|_| self.open.is_none() && !self.waiting.is_empty());
        let own = [self.reader.deadline(), self.caller.deadline(), due, pause];
        own.into_iter().flatten().min()
    }
}

/// What the store is told of a record; nothing of a tombstone. Of an envelope only the row
/// itself is kept.
fn line(mode: InsertMode, read: &Read) -> Option<String> {
    let value = String::from_utf8_lossy(read.value.as_deref()?);
    let value: Value = serde_json::from_str(&value).unwrap_or_else(|_| json!(value));
    let is_envelope = value.get("op").is_some() && value.get("source").is_some();
    let doc = match is_envelope {
        true => value.get("after").cloned().unwrap_or_default(),
        false => value,
    };
    let line = match mode {
        InsertMode::Upsert => json!({ "id": id(read), "doc": doc }),
        InsertMode::Insert => json!({ "doc": doc }),
    };
    Some(line.to_string())
}

/// A record's own name: its key, or its place where it has none.
fn id(read: &Read) -> String {
    let Some(key) = &read.key else {
        return format!("{}+{}", read.partition, read.offset);
    };
    let key = String::from_utf8_lossy(key);
    let inner: Option<Value> = serde_json::from_str(&key).ok();
    let inner: Option<Arc<str>> =
        inner.as_ref().and_then(|it| it.get("id")?.as_str()).map(Arc::from);
    inner.map_or_else(|| key.into_owned(), |inner| inner.to_string())
}

#[cfg(test)]
mod tests {
    use topomotion_wire::Bytes;

    use super::*;

    fn read(key: Option<&str>, value: Option<&str>) -> Read {
        let bytes = |text: &str| Bytes::copy_from_slice(text.as_bytes());
        Read {
            partition: TopicPartition::new("shop.orders", 0),
            offset: Offset(4),
            timestamp: 0,
            key: key.map(bytes),
            value: value.map(bytes),
            headers: Vec::new(),
        }
    }

    #[test]
    fn of_an_envelope_the_row_is_kept_under_its_key() {
        let value = r#"{"before":null,"after":{"total":"5"},"op":"c","source":{}}"#;
        let told = line(InsertMode::Upsert, &read(Some(r#"{"id":"7"}"#), Some(value)));
        assert_eq!(told.as_deref(), Some(r#"{"doc":{"total":"5"},"id":"7"}"#));
        let told = line(InsertMode::Insert, &read(None, Some("plain")));
        assert_eq!(told.as_deref(), Some(r#"{"doc":"plain"}"#));
    }

    #[test]
    fn a_deleted_row_is_removed_and_its_tombstone_says_nothing() {
        let value = r#"{"before":{},"after":null,"op":"d","source":{}}"#;
        let told = line(InsertMode::Upsert, &read(Some("7"), Some(value)));
        assert_eq!(told.as_deref(), Some(r#"{"doc":null,"id":"7"}"#));
        assert_eq!(line(InsertMode::Upsert, &read(Some("7"), None)), None);
    }

    #[test]
    fn a_record_without_a_key_is_named_after_its_place() {
        assert_eq!(id(&read(None, Some("v"))), "shop.orders-0+4");
    }
}
