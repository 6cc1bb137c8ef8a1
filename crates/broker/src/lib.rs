//! One Kafka node: its partitions, its controller, its metadata.
