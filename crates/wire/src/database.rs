//! What a database says to whoever follows its write-ahead log: PostgreSQL's streaming
//! replication, as Debezium speaks it.

use std::fmt;
use std::sync::Arc;

/// A place in the write-ahead log, in bytes from its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Lsn(pub u64);

/// As PostgreSQL writes it: `0/16B3748`.
impl fmt::Display for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:X}/{:X}", self.0 >> 32, self.0 & 0xFFFF_FFFF)
    }
}

/// What happened to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowChange {
    /// It is new.
    Insert,
    /// It is another.
    Update,
    /// It is gone.
    Delete,
}

impl RowChange {
    /// As the log has it: `INSERT`.
    pub const fn name(self) -> &'static str {
        match self {
            RowChange::Insert => "INSERT",
            RowChange::Update => "UPDATE",
            RowChange::Delete => "DELETE",
        }
    }

    /// As Debezium's envelopes have it: `c`.
    pub const fn op(self) -> &'static str {
        match self {
            RowChange::Insert => "c",
            RowChange::Update => "u",
            RowChange::Delete => "d",
        }
    }
}

/// A committed change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalRecord {
    /// Where it stands.
    pub lsn: Lsn,
    /// When it was committed, in milliseconds since 1970.
    pub ts_ms: i64,
    /// Of which table.
    pub table: Arc<str>,
    /// The row's primary key.
    pub key: Arc<str>,
    /// What happened.
    pub change: RowChange,
    /// The row as it was, as JSON; none for a new one.
    pub before: Option<Arc<str>>,
    /// The row as it is, as JSON; none for one that is gone.
    pub after: Option<Arc<str>>,
}

/// A message of the replication stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseMessage {
    /// To the database: send everything after this place, and go on.
    StartReplication {
        /// Who follows: the database keeps what this slot has not confirmed.
        slot: Arc<str>,
        /// After which place; the slot's own confirmed place if that is later.
        after: Lsn,
    },
    /// From the database.
    XLogData(WalRecord),
    /// To the database: everything up to here is safe elsewhere, and may be forgotten.
    StandbyStatus {
        /// Up to where.
        flushed: Lsn,
    },
    /// From the database: it does not do what it was asked.
    ErrorResponse {
        /// Why.
        message: Arc<str>,
    },
}

impl DatabaseMessage {
    /// Its name in PostgreSQL's protocol.
    pub const fn name(&self) -> &'static str {
        match self {
            DatabaseMessage::StartReplication { .. } => "START_REPLICATION",
            DatabaseMessage::XLogData(_) => "XLogData",
            DatabaseMessage::StandbyStatus { .. } => "StandbyStatus",
            DatabaseMessage::ErrorResponse { .. } => "ErrorResponse",
        }
    }

    /// About how long it is on the wire, in bytes.
    pub fn len_bytes(&self) -> usize {
        let length = |text: &Option<Arc<str>>| text.as_ref().map_or(1, |it| it.len());
        match self {
            DatabaseMessage::StartReplication { slot, .. } => 50 + slot.len(),
            DatabaseMessage::XLogData(record) => {
                let row = length(&record.before) + length(&record.after);
                30 + record.table.len() + record.key.len() + row
            }
            DatabaseMessage::StandbyStatus { .. } => 39,
            DatabaseMessage::ErrorResponse { message } => 20 + message.len(),
        }
    }
}

/// What it says, without its name.
impl fmt::Display for DatabaseMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DatabaseMessage::StartReplication { slot, after } => {
                write!(f, "slot {slot} after {after}")
            }
            DatabaseMessage::XLogData(record) => {
                let WalRecord { lsn, table, key, change, after, .. } = record;
                write!(f, "{lsn} {} {table} {key}", change.name())?;
                after.as_ref().map_or(Ok(()), |after| write!(f, " {after}"))
            }
            DatabaseMessage::StandbyStatus { flushed } => write!(f, "flushed {flushed}"),
            DatabaseMessage::ErrorResponse { message } => f.write_str(message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_the_log_is_written_in_two_halves() {
        assert_eq!(Lsn(0x16_B374_8000).to_string(), "16/B3748000");
        assert_eq!(Lsn(255).to_string(), "0/FF");
    }

    #[test]
    fn a_change_is_told_with_its_row() {
        let change = RowChange::Delete;
        let (table, key): (Arc<str>, Arc<str>) = ("orders".into(), "7".into());
        let (before, after) = (Some("{}".into()), None);
        let lsn = Lsn(24);
        let record = WalRecord { lsn, ts_ms: 0, table, key, change, before, after };
        let told = DatabaseMessage::XLogData(record).to_string();
        assert_eq!(told, "0/18 DELETE orders 7");
    }
}
