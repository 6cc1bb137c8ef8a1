//! Records inside a batch, read one by one; without copying, where nothing is compressed.

use bytes::Bytes;
use topomotion_wire::Offset;

use crate::batch::{Attributes, Batch};
use crate::{Malformed, varint};

/// A record's header: an application's own key and value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Its name, UTF-8 by convention.
    pub key: Bytes,
    /// Its value, or null.
    pub value: Option<Bytes>,
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Where it stands in the log.
    pub offset: Offset,
    /// Milliseconds; −1 if unknown.
    pub timestamp: i64,
    /// Key, or null.
    pub key: Option<Bytes>,
    /// Value, or null.
    pub value: Option<Bytes>,
    /// Headers, in order.
    pub headers: Vec<Header>,
}

/// The records of one batch. Ends after the first that does not parse.
#[derive(Debug, Clone)]
pub struct Records {
    body: Bytes,
    base_offset: Offset,
    base_timestamp: i64,
    /// The leader's time, where the batch has it.
    appended_at: Option<i64>,
    left: i32,
}

impl Records {
    pub(crate) fn new(batch: &Batch, body: Bytes) -> Records {
        Records {
            body,
            base_offset: batch.base_offset(),
            base_timestamp: batch.base_timestamp(),
            appended_at: batch
                .attributes()
                .contains(Attributes::LOG_APPEND_TIME)
                .then(|| batch.max_timestamp()),
            left: batch.count(),
        }
    }

    /// The times that the producer wrote.
    pub(crate) fn created_at(self) -> impl Iterator<Item = i64> {
        let records = Records { appended_at: None, ..self };
        records.flatten().map(|record| record.timestamp)
    }

    fn read_one(&mut self) -> Result<Record, Malformed> {
        let mut fields = Fields { rest: &self.body, body: &self.body };
        let length = fields.length()?;
        let start = self.body.len() - fields.rest.len();
        let end = start.saturating_add(length);
        if end > self.body.len() {
            return Err(Malformed::Record);
        }
        let record = self.parse(&self.body.slice(start..end))?;
        self.body = self.body.slice(end..);
        Ok(record)
    }

    fn parse(&self, body: &Bytes) -> Result<Record, Malformed> {
        let (_attributes, rest) = body.split_first().ok_or(Malformed::Record)?;
        let mut fields = Fields { rest, body };
        let timestamp = self.base_timestamp.checked_add(fields.number()?);
        let offset = self.base_offset.0.checked_add(fields.number()?);
        let (Some(timestamp), Some(offset)) = (timestamp, offset) else {
            return Err(Malformed::Record);
        };
        let timestamp = self.appended_at.unwrap_or(timestamp);
        let (key, value) = (fields.nullable()?, fields.nullable()?);
        let headers = fields.headers()?;
        if !fields.rest.is_empty() {
            return Err(Malformed::Record);
        }
        Ok(Record { offset: Offset(offset), timestamp, key, value, headers })
    }
}

impl Iterator for Records {
    type Item = Result<Record, Malformed>;

    fn next(&mut self) -> Option<Result<Record, Malformed>> {
        if self.left <= 0 {
            return None;
        }
        self.left -= 1;
        let record = self.read_one();
        if record.is_err() {
            self.left = 0;
        }
        Some(record)
    }
}

/// A cursor over one record's bytes.
struct Fields<'a> {
    rest: &'a [u8],
    body: &'a Bytes,
}

impl Fields<'_> {
    fn number(&mut self) -> Result<i64, Malformed> {
        varint::take(&mut self.rest).ok_or(Malformed::Record)
    }

    fn length(&mut self) -> Result<usize, Malformed> {
        usize::try_from(self.number()?).map_err(|_| Malformed::Record)
    }

    /// As many bytes, shared with the batch.
    fn bytes(&mut self, length: usize) -> Result<Bytes, Malformed> {
        let (taken, rest) =
            self.rest.split_at_checked(length).ok_or(Malformed::Record)?;
        self.rest = rest;
        Ok(self.body.slice_ref(taken))
    }

    /// Length-prefixed bytes, or Kafka's null.
    fn nullable(&mut self) -> Result<Option<Bytes>, Malformed> {
        match self.number()? {
            -1 => Ok(None),
            length => {
                let length = usize::try_from(length).map_err(|_| Malformed::Record)?;
                self.bytes(length).map(Some)
            }
        }
    }

    fn headers(&mut self) -> Result<Vec<Header>, Malformed> {
        let count = self.length()?;
        // Two bytes are the shortest header, so a wild count cannot reserve wild room.
        let mut headers = Vec::with_capacity(count.min(self.rest.len() / 2));
        for _ in 0..count {
            let length = self.length()?;
            headers.push(Header { key: self.bytes(length)?, value: self.nullable()? });
        }
        Ok(headers)
    }
}
