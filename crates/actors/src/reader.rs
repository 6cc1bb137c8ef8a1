//! A consumer together with what it reads: the client hands on the places of records, and
//! whoever works with their content looks at the batches as they come in.

use std::collections::BTreeMap;
use std::collections::VecDeque;

use bytes::Bytes;
use topomotion_client::Consumer;
use topomotion_log::{Batch, Batches};
use topomotion_wire::messages::ResponseKind;
use topomotion_wire::{
    BatchId, Fact, Input, Instant, Machine, Message, Offset, Output, TopicPartition,
};

/// A record that was handed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Read {
    pub partition: TopicPartition,
    pub offset: Offset,
    /// Milliseconds since 1970.
    pub timestamp: i64,
    pub key: Option<Bytes>,
    pub value: Option<Bytes>,
    pub headers: Vec<(Bytes, Option<Bytes>)>,
}

impl Read {
    /// The text of a header, if it is there.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().rfind(|(key, _)| **key == *name.as_bytes());
        std::str::from_utf8(found?.1.as_ref()?).ok()
    }
}

/// A consumer that hands on the records themselves.
#[derive(Debug, Clone)]
pub(crate) struct Reader {
    pub consumer: Consumer,
    /// Batches that came in and were not handed on yet.
    seen: BTreeMap<(TopicPartition, BatchId), Batch>,
    read: VecDeque<Read>,
    outputs: VecDeque<Output>,
}

impl Reader {
    pub fn new(consumer: Consumer) -> Reader {
        let (read, outputs) = (VecDeque::new(), VecDeque::new());
        Reader { consumer, seen: BTreeMap::new(), read, outputs }
    }

    /// The next record, in the order of the log.
    pub fn take(&mut self) -> Option<Read> {
        self.read.pop_front()
    }

    /// Takes what the consumer wants and tells; to be called after each command to it.
    pub fn settle(&mut self) {
        while let Some(output) = self.consumer.poll() {
            if let Output::Fact(Fact::Polled { partition, base, next, batches, .. }) =
                &output
            {
                self.handed_on(partition, (*base, *next), batches);
            }
            self.outputs.push_back(output);
        }
    }

    /// Keeps the batches of an answer until the consumer says that it hands them on.
    fn look_at(&mut self, message: &Message) {
        let Message::Response(response) = message else { return };
        let ResponseKind::Fetch(fetch) = &response.body else { return };
        for topic in &fetch.responses {
            for told in &topic.partitions {
                let partition =
                    TopicPartition::new(topic.topic.as_str(), told.partition_index);
                let records = told.records.clone().unwrap_or_default();
                for batch in Batches::new(records).map_while(Result::ok) {
                    self.seen.insert((partition.clone(), batch.id()), batch);
                }
            }
        }
    }

    fn handed_on(
        &mut self,
        partition: &TopicPartition,
        (base, next): (Offset, Offset),
        batches: &[BatchId],
    ) {
        for id in batches {
            let place = (partition.clone(), *id);
            let Some(batch) = self.seen.get(&place) else { continue };
            let records = batch.records().into_iter().flatten();
            for record in records.map_while(Result::ok) {
                if record.offset < base || record.offset >= next {
                    continue;
                }
                let headers = record.headers.into_iter();
                let headers = headers.map(|header| (header.key, header.value));
                self.read.push_back(Read {
                    partition: partition.clone(),
                    offset: record.offset,
                    timestamp: record.timestamp,
                    key: record.key,
                    value: record.value,
                    headers: headers.collect(),
                });
            }
            if batch.next_offset() <= next {
                self.seen.remove(&place);
            }
        }
    }
}

impl Machine for Reader {
    fn handle(&mut self, now: Instant, input: Input) {
        if let Input::Received { message, .. } = &input {
            self.look_at(message);
        }
        self.consumer.handle(now, input);
        self.settle();
    }

    fn tick(&mut self, now: Instant) {
        self.consumer.tick(now);
        self.settle();
    }

    fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn deadline(&self) -> Option<Instant> {
        self.consumer.deadline()
    }
}
