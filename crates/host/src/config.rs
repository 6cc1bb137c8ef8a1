//! What to serve, and where.

use std::path::PathBuf;

use topomotion_broker::{AutoCreateTopics, BrokerSettings, FetchSessions};
use topomotion_wire::Duration;

use crate::sasl::Sasl;
use crate::tls::Tls;

/// A cluster to be served.
#[derive(Debug, Clone)]
pub struct HostConfig {
    /// How many brokers, at least 1. Each of them is a controller, too.
    pub brokers: u16,
    /// The first broker's port; the others have those that follow. 0: whichever are free.
    pub port: u16,
    /// The port at which brokers can be hurt; 0: whichever is free. None: they cannot.
    pub control: Option<u16>,
    /// The port of a Schema Registry; 0: whichever is free. None: there is none.
    pub schema_registry: Option<u16>,
    /// Where records are kept.
    pub storage: Storage,
    /// What an acknowledgement promises.
    pub durability: Durability,
    /// Who may do what.
    pub security: Security,
    /// What holds for every node. See [`HostConfig::settings_for`].
    pub settings: BrokerSettings,
}

/// Who may connect, and do what. By default everybody may do everything, as with Kafka.
#[derive(Debug, Clone, Default)]
pub struct Security {
    /// Who may log in. None: nobody has to.
    pub sasl: Option<Sasl>,
    /// What is said is encrypted. None: it is not.
    pub tls: Option<Tls>,
}

/// Where records are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Storage {
    /// In memory: gone with the process.
    Memory,
    /// In this directory, one folder a broker, in Kafka's layout.
    Directory(PathBuf),
}

/// What an acknowledgement promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// The records are in the page cache of every broker that has to have them: they survive
    /// the death of the process, and of the machine if another one has them. Kafka's default.
    PageCache,
    /// They are on the platter: nothing is said before what was written is flushed.
    Platter,
}

impl HostConfig {
    /// What differs from Kafka's defaults in a small cluster on one machine: its internal
    /// topics have no more replicas than there are brokers, the first rebalance of a group waits
    /// for nobody (as in the `server.properties` that Kafka ships), and voters that share a
    /// process need not wait a second for one another, nor brokers for their controller. A
    /// process that died is given up after two seconds, for its next one has to wait as long
    /// before it may register in its place. Topics are created when a client asks
    /// about them, as Kafka's default is.
    pub fn settings_for(brokers: u16) -> BrokerSettings {
        let mut settings = BrokerSettings::default();
        let replicas = i16::try_from(brokers.min(3)).unwrap_or(3);
        settings.offsets_topic_replication_factor = replicas;
        settings.transaction_state_log_replication_factor = replicas;
        settings.transaction_state_log_min_isr = i32::from(replicas.min(2));
        settings.groups.initial_rebalance_delay = Duration::ZERO;
        settings.quorum_election_timeout = Duration::from_millis(50);
        settings.quorum_election_backoff_max = Duration::from_millis(50);
        settings.broker_heartbeat_interval = Duration::from_millis(250);
        settings.broker_resend_backoff = Duration::from_millis(2);
        settings.broker_resend_backoff_max = Duration::from_millis(50);
        settings.broker_session_timeout = Duration::from_millis(2_000);
        settings.auto_create_topics = AutoCreateTopics::On;
        settings.fetch_sessions = FetchSessions::On;
        settings
    }
}
