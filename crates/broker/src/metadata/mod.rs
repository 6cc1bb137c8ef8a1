//! The cluster's metadata: the records of the metadata log, their bytes, and the image that
//! applying them builds (CTL-14).

mod codec;
mod framing;
mod image;
mod record;

pub use framing::MalformedRecord;
pub use image::{BrokerRegistration, Change, MetadataImage, TopicImage};
pub use record::{
    BrokerChange, FencingChange, LeaderChange, MetadataRecord, NewPartition, NewTopic,
    PartitionChange, ProducerIds, RegisterBroker, TopicConfig,
};
