//! Settings of producers and consumers.

use topomotion_client::{
    CommonConfig, ConsumerConfig, IsolationLevel, Keys, OffsetReset, PartitionerClass,
    ProducerConfig, Spread,
};
use topomotion_log::Compression;
use topomotion_wire::Acks;

use super::{Known, is_off, ms, number};
use crate::plan::MEMBERSHIP;

/// What a producer can be set to.
pub(super) const PRODUCER: &[Known<ProducerConfig>] = &[
    Known {
        name: "acks",
        set: |s, v| {
            s.acks = match v {
                "all" | "-1" => Acks::All,
                "1" => Acks::Leader,
                "0" => Acks::None,
                _ => return Err("write `all`, `1` or `0`"),
            };
            Ok(())
        },
    },
    Known { name: "linger.ms", set: |s, v| ms(v, &mut s.linger) },
    Known { name: "batch.size", set: |s, v| number(v, &mut s.batch_size) },
    Known {
        name: "compression.type",
        set: |s, v| {
            let codec = Compression::from_name(v);
            s.compression =
                codec.ok_or("write `none`, `gzip`, `snappy`, `lz4` or `zstd`")?;
            Ok(())
        },
    },
    Known { name: "buffer.memory", set: |s, v| number(v, &mut s.buffer_memory) },
    Known { name: "max.block.ms", set: |s, v| ms(v, &mut s.max_block) },
    Known { name: "max.request.size", set: |s, v| number(v, &mut s.max_request_size) },
    Known {
        name: "max.in.flight.requests.per.connection",
        set: |s, v| number(v, &mut s.max_in_flight),
    },
    Known { name: "retries", set: |s, v| number(v, &mut s.retries) },
    Known { name: "delivery.timeout.ms", set: |s, v| ms(v, &mut s.delivery_timeout) },
    Known { name: "metadata.max.idle.ms", set: |s, v| ms(v, &mut s.metadata_max_idle) },
    Known {
        name: "partitioner.class",
        set: |s, v| {
            s.partitioner = match v.rsplit('.').next() {
                Some("RoundRobinPartitioner") => PartitionerClass::RoundRobin,
                Some("DefaultPartitioner") => PartitionerClass::BuiltIn,
                _ => return Err("write `RoundRobinPartitioner`, or leave it out"),
            };
            Ok(())
        },
    },
    Known {
        name: "partitioner.ignore.keys",
        set: |s, v| {
            s.keys = if is_off(v)? { Keys::Decide } else { Keys::Ignored };
            Ok(())
        },
    },
    Known {
        name: "partitioner.adaptive.partitioning.enable",
        set: |s, v| {
            s.spread = if is_off(v)? { Spread::Uniform } else { Spread::Adaptive };
            Ok(())
        },
    },
    Known {
        name: "partitioner.availability.timeout.ms",
        set: |s, v| ms(v, &mut s.availability_timeout),
    },
];

/// What a consumer can be set to.
pub(super) const CONSUMER: &[Known<ConsumerConfig>] = &[
    Known {
        // How it comes by its partitions is the plan's to say: `ConsumerPlan::membership`.
        name: MEMBERSHIP,
        set: |_, v| match v {
            "assign" | "subscribe" => Ok(()),
            _ => Err("write `assign` or `subscribe`"),
        },
    },
    Known { name: "fetch.min.bytes", set: |s, v| number(v, &mut s.fetch_min_bytes) },
    Known { name: "fetch.max.wait.ms", set: |s, v| ms(v, &mut s.fetch_max_wait) },
    Known { name: "fetch.max.bytes", set: |s, v| number(v, &mut s.fetch_max_bytes) },
    Known {
        name: "max.partition.fetch.bytes",
        set: |s, v| number(v, &mut s.max_partition_fetch_bytes),
    },
    Known { name: "max.poll.records", set: |s, v| number(v, &mut s.max_poll_records) },
    Known {
        name: "client.rack",
        set: |s, v| {
            s.client_rack = (!v.is_empty()).then(|| v.into());
            Ok(())
        },
    },
    Known {
        name: "isolation.level",
        set: |s, v| {
            s.isolation_level = match v {
                "read_uncommitted" => IsolationLevel::ReadUncommitted,
                "read_committed" => IsolationLevel::ReadCommitted,
                _ => return Err("write `read_uncommitted` or `read_committed`"),
            };
            Ok(())
        },
    },
    Known {
        name: "auto.offset.reset",
        set: |s, v| {
            s.offset_reset = match v {
                "earliest" => OffsetReset::Earliest,
                "latest" => OffsetReset::Latest,
                "none" => OffsetReset::None,
                _ => return Err("write `earliest`, `latest` or `none`"),
            };
            Ok(())
        },
    },
];

/// What every client has.
pub(super) const CLIENT: &[Known<CommonConfig>] = &[
    Known { name: "request.timeout.ms", set: |s, v| ms(v, &mut s.request_timeout) },
    Known { name: "retry.backoff.ms", set: |s, v| ms(v, &mut s.retry_backoff) },
    Known { name: "retry.backoff.max.ms", set: |s, v| ms(v, &mut s.retry_backoff_max) },
    Known { name: "reconnect.backoff.ms", set: |s, v| ms(v, &mut s.reconnect_backoff) },
    Known {
        name: "reconnect.backoff.max.ms",
        set: |s, v| ms(v, &mut s.reconnect_backoff_max),
    },
    Known {
        name: "socket.connection.setup.timeout.ms",
        set: |s, v| ms(v, &mut s.connection_setup_timeout),
    },
    Known {
        name: "socket.connection.setup.timeout.max.ms",
        set: |s, v| ms(v, &mut s.connection_setup_timeout_max),
    },
    Known {
        name: "connections.max.idle.ms",
        set: |s, v| ms(v, &mut s.connections_max_idle),
    },
    Known { name: "metadata.max.age.ms", set: |s, v| ms(v, &mut s.metadata_max_age) },
];
