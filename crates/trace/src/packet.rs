//! Messages on their way.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A packet's number in its trace.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct PacketId(pub u32);

/// One message, as its sender sent it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Packet {
    /// Its number.
    pub id: PacketId,
    /// Who sent it.
    pub from: Arc<str>,
    /// To whom.
    pub to: Arc<str>,
    /// Request or response.
    pub travel: Travel,
    /// The API's name in Kafka's words (`Fetch`), or the label of a scripted packet
    /// (possibly empty).
    pub api: Arc<str>,
    /// The essence of its content in a few words: `orders-0 offset 5 epoch 3`.
    pub detail: String,
    /// Records that it carries.
    pub records: u32,
    /// The error that it reports.
    pub error: Option<String>,
    /// Whether it tells its receiver anything that the one before it on the same errand did
    /// not: records, an error, an offset that has moved, a state that has changed. A message
    /// without news is routine.
    pub news: bool,
    /// The packet or timer that made the sender send it: the packet whose arrival was being
    /// handled, `None` when a timer or a command was.
    pub cause: Option<PacketId>,
    /// Size on the wire in bytes, header included; 0 where nothing was encoded.
    pub bytes: u32,
}

/// Which way a message goes on its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Travel {
    /// From the dialling end.
    Request,
    /// From the dialled end, answering this request.
    Response(PacketId),
    /// In a scripted flow, where nobody said which.
    Scripted,
}

/// Why a message never arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// Its receiver was dead.
    ReceiverDown,
    /// Its connection broke while it travelled.
    ConnectionBroken,
    /// The network was cut.
    Partitioned,
}
