//! rskafka 0.6 against the cluster at $BOOTSTRAP_SERVERS.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use futures::StreamExt;
use rskafka::client::consumer::{StartOffset, StreamConsumerBuilder};
use rskafka::client::partition::{
    Compression, OffsetAt, PartitionClient, UnknownTopicHandling,
};
use rskafka::client::producer::{BatchProducerBuilder, aggregator::RecordAggregator};
use rskafka::client::{Client, ClientBuilder};
use rskafka::record::Record;
use tokio::time::timeout;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

const PATIENCE: Duration = Duration::from_secs(60);

fn ok(what: &str) {
    println!("ok {what}");
}

fn record(key: &str, value: &str) -> Record {
    Record {
        key: Some(key.into()),
        value: Some(value.into()),
        headers: BTreeMap::from([("from".to_owned(), b"rust".to_vec())]),
        timestamp: DateTime::from_timestamp_millis(1_700_000_000_123).expect("a time"),
    }
}

async fn create(
    client: &Client,
    topic: &str,
    partitions: i32,
) -> Outcome<Arc<PartitionClient>> {
    client.controller_client()?.create_topic(topic, partitions, 3, 60_000).await?;
    let partition =
        client.partition_client(topic, 0, UnknownTopicHandling::Retry).await?;
    Ok(Arc::new(partition))
}

async fn topics(client: &Client) -> Outcome {
    create(client, "made", 3).await?;
    let again = client.controller_client()?.create_topic("made", 3, 3, 60_000).await;
    assert!(again.is_err(), "a topic that is there cannot be created");
    let all = client.list_topics().await?;
    let made = all.iter().find(|it| it.name == "made").expect("it is listed");
    assert_eq!(made.partitions.len(), 3);
    client.controller_client()?.delete_topic("made", 60_000).await?;
    while client.list_topics().await?.iter().any(|it| it.name == "made") {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    ok("topics are created, listed and deleted");
    Ok(())
}

async fn codecs(client: &Client) -> Outcome {
    let partition = create(client, "codecs", 1).await?;
    let all = [
        Compression::NoCompression,
        Compression::Gzip,
        Compression::Lz4,
        Compression::Snappy,
    ];
    for (number, codec) in all.into_iter().enumerate() {
        let value = number.to_string();
        let records = vec![record("a", &value), record("b", &value)];
        let offsets = partition.produce(records, codec).await?;
        let first = 2 * i64::try_from(number)?;
        assert_eq!(offsets, [first, first + 1], "offsets of {codec:?}");
    }
    let (found, end) = partition.fetch_records(0, 1..1_000_000, 1_000).await?;
    assert_eq!((found.len(), end), (8, 8));
    for (offset, it) in found.iter().enumerate() {
        let wanted = record(["a", "b"][offset % 2], &(offset / 2).to_string());
        assert_eq!((it.offset, &it.record), (i64::try_from(offset)?, &wanted));
    }
    let (rest, _) = partition.fetch_records(5, 1..1_000_000, 1_000).await?;
    assert_eq!(
        rest.iter().find(|it| it.offset == 5).map(|it| &it.record),
        Some(&found[5].record)
    );
    ok("keys, values, headers and times come back, through every codec");
    Ok(())
}

async fn offsets(client: &Client) -> Outcome {
    let partition = create(client, "offsets", 1).await?;
    let records = (0..10).map(|it| record("k", &it.to_string())).collect();
    partition.produce(records, Compression::NoCompression).await?;
    assert_eq!(partition.get_offset(OffsetAt::Earliest).await?, 0);
    assert_eq!(partition.get_offset(OffsetAt::Latest).await?, 10);
    partition.delete_records(4, 60_000).await?;
    assert_eq!(partition.get_offset(OffsetAt::Earliest).await?, 4);
    assert!(
        partition.fetch_records(1, 1..1_000, 500).await.is_err(),
        "what is deleted is out of range"
    );
    ok("first and last offsets, and records deleted before one");
    Ok(())
}

async fn streams(client: &Client) -> Outcome {
    let partition = create(client, "streams", 1).await?;
    let mut stream = StreamConsumerBuilder::new(partition.clone(), StartOffset::Earliest)
        .with_max_wait_ms(100)
        .build();
    let producer = BatchProducerBuilder::new(partition)
        .with_linger(Duration::from_millis(2))
        .build(RecordAggregator::new(1_024));
    let sent = (0..50).map(|it| producer.produce(record("k", &it.to_string())));
    for outcome in futures::future::join_all(sent).await {
        outcome?;
    }
    for offset in 0..50 {
        let next = timeout(PATIENCE, stream.next()).await?.expect("it has no end")?;
        assert_eq!(next.0.offset, offset);
        assert_eq!(next.0.record.value, Some(offset.to_string().into_bytes()));
    }
    ok("a stream follows what a batching producer writes");
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let servers = std::env::var("BOOTSTRAP_SERVERS")?;
    let servers = servers.split(',').map(ToOwned::to_owned).collect();
    let client = timeout(PATIENCE, ClientBuilder::new(servers).build()).await??;
    topics(&client).await?;
    codecs(&client).await?;
    offsets(&client).await?;
    streams(&client).await
}
