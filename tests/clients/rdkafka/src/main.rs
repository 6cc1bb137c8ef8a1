//! rust-rdkafka 0.39 against the cluster at $BOOTSTRAP_SERVERS.

use std::collections::BTreeSet;
use std::error::Error;
use std::time::{Duration, Instant};

use futures::future::{join_all, try_join_all};
use rdkafka::admin::{
    AdminClient, AdminOptions, NewPartitions, NewTopic, ResourceSpecifier, TopicReplication,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, Headers, Message, OwnedHeaders, OwnedMessage};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use rdkafka::{Offset, TopicPartitionList};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

const PATIENCE: Duration = Duration::from_secs(60);
const CODECS: [&str; 5] = ["none", "gzip", "snappy", "lz4", "zstd"];

fn ok(what: &str) {
    println!("ok {what}");
}

fn config(settings: &[(&str, &str)]) -> Outcome<ClientConfig> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", std::env::var("BOOTSTRAP_SERVERS")?);
    settings.iter().for_each(|(name, value)| {
        config.set(*name, *value);
    });
    Ok(config)
}

fn producer(settings: &[(&str, &str)]) -> Outcome<FutureProducer> {
    Ok(config(settings)?.create()?)
}

fn admin() -> Outcome<AdminClient<DefaultClientContext>> {
    Ok(config(&[])?.create()?)
}

/// What the admin client tells of each thing that was asked.
fn each<T>(told: Vec<Result<T, (String, RDKafkaErrorCode)>>) -> Outcome<Vec<T>> {
    let each = told.into_iter().map(|it| it.map_err(|(name, code)| format!("{name}: {code}").into()));
    each.collect()
}

async fn create(topic: &str, partitions: i32) -> Outcome {
    let wanted = NewTopic::new(topic, partitions, TopicReplication::Fixed(3));
    each(admin()?.create_topics(&[wanted], &AdminOptions::new()).await?)?;
    Ok(())
}

/// Values to one partition; their offsets.
async fn produce(producer: &FutureProducer, topic: &str, values: &[String]) -> Outcome<Vec<i64>> {
    let sent = values.iter().map(|value| {
        producer.send(FutureRecord::<(), _>::to(topic).payload(value).partition(0), PATIENCE)
    });
    let delivered = try_join_all(sent).await.map_err(|(error, _)| error)?;
    Ok(delivered.iter().map(|it| it.offset).collect())
}

fn numbers(name: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{name}-{number}")).collect()
}

fn take(consumers: &[&BaseConsumer], count: usize) -> Outcome<Vec<OwnedMessage>> {
    let (mut found, until) = (Vec::new(), Instant::now() + PATIENCE);
    while found.len() < count {
        if Instant::now() > until {
            return Err(format!("{} records in time, not {count}", found.len()).into());
        }
        for consumer in consumers {
            if let Some(message) = consumer.poll(Duration::from_millis(20)) {
                found.push(message?.detach());
            }
        }
    }
    Ok(found)
}

fn values(messages: &[OwnedMessage]) -> Vec<String> {
    let value = |it: &OwnedMessage| String::from_utf8_lossy(it.payload().unwrap_or_default()).into();
    messages.iter().map(value).collect()
}

/// So many records of partition 0, from its beginning, by a consumer that is no member.
fn read(topic: &str, count: usize, isolation: &str) -> Outcome<Vec<OwnedMessage>> {
    let settings = [("group.id", "r-none"), ("isolation.level", isolation)];
    let consumer: BaseConsumer = config(&settings)?.create()?;
    let mut place = TopicPartitionList::new();
    place.add_partition_offset(topic, 0, Offset::Beginning)?;
    consumer.assign(&place)?;
    take(&[&consumer], count)
}

async fn topics() -> Outcome {
    create("r-topic", 3).await?;
    let (admin, options) = (admin()?, AdminOptions::new());
    let again = NewTopic::new("r-topic", 3, TopicReplication::Fixed(3));
    let refused = admin.create_topics(&[again], &options).await?.remove(0);
    assert!(matches!(refused, Err((_, RDKafkaErrorCode::TopicAlreadyExists))), "{refused:?}");
    each(admin.create_partitions(&[NewPartitions::new("r-topic", 5)], &options).await?)?;
    let client = admin.inner();
    let until = Instant::now() + PATIENCE;
    while client.fetch_metadata(Some("r-topic"), PATIENCE)?.topics()[0].partitions().len() != 5 {
        assert!(Instant::now() < until, "more partitions in time");
    }
    assert_eq!(client.fetch_metadata(None, PATIENCE)?.brokers().len(), 3);
    let told = admin.describe_configs(&[ResourceSpecifier::Topic("r-topic")], &options).await?;
    let told = told.into_iter().collect::<Result<Vec<_>, _>>().map_err(|code| code.to_string())?;
    let policy = told[0].get("cleanup.policy").and_then(|it| it.value.clone());
    assert_eq!(policy.as_deref(), Some("delete"));
    each(admin.delete_topics(&["r-topic"], &options).await?)?;
    ok("topics are created, grown, described and deleted; not created twice");
    Ok(())
}

async fn codecs() -> Outcome {
    create("r-codecs", 1).await?;
    let mut wanted = Vec::new();
    for acks in ["0", "1", "all"] {
        for codec in CODECS {
            let producer = producer(&[("acks", acks), ("compression.codec", codec), ("linger.ms", "5")])?;
            let sent = numbers(&format!("{acks}-{codec}-{}", "x".repeat(200)), 20);
            produce(&producer, "r-codecs", &sent).await?;
            wanted.extend(sent);
        }
    }
    assert_eq!(values(&read("r-codecs", wanted.len(), "read_committed")?), wanted);
    ok("acks 0, 1 and all, with every codec");
    Ok(())
}

async fn keys() -> Outcome {
    create("r-keys", 4).await?;
    let producer = producer(&[("enable.idempotence", "true")])?;
    let headers = || OwnedHeaders::new().insert(Header { key: "from", value: Some("rust") });
    let names = numbers("key", 40);
    let sent = names.iter().map(|key| {
        let record = FutureRecord::to("r-keys").key(key).payload(key).headers(headers());
        producer.send(record.timestamp(1_700_000_000_123), PATIENCE)
    });
    let sent = try_join_all(sent).await.map_err(|(error, _)| error)?;
    assert!(sent.iter().map(|it| it.partition).collect::<BTreeSet<_>>().len() > 1, "spread");
    let consumer: BaseConsumer = config(&[("group.id", "r-none")])?.create()?;
    let mut places = TopicPartitionList::new();
    for partition in 0..4 {
        places.add_partition_offset("r-keys", partition, Offset::Beginning)?;
    }
    consumer.assign(&places)?;
    for message in take(&[&consumer], 40)? {
        let name = String::from_utf8_lossy(message.key().unwrap_or_default()).into_owned();
        let number = names.iter().position(|it| *it == name).ok_or("a key that was sent")?;
        assert_eq!((message.partition(), message.offset()), (sent[number].partition, sent[number].offset));
        assert_eq!(message.timestamp().to_millis(), Some(1_700_000_000_123));
        let header = message.headers().ok_or("headers")?.get(0);
        assert_eq!((header.key, header.value), ("from", Some(&b"rust"[..])));
    }
    let first = consumer.fetch_watermarks("r-keys", sent[0].partition, PATIENCE)?;
    assert_eq!(first.0, 0);
    assert!(first.1 > 0);
    ok("an idempotent producer; keys, headers and times come back from where they went");
    Ok(())
}

fn member(group: &str, protocol: &str) -> Outcome<BaseConsumer> {
    let mut config = config(&[("group.id", group), ("enable.auto.commit", "false")])?;
    config.set("auto.offset.reset", "earliest").set("group.protocol", protocol);
    if protocol == "classic" {
        config.set("session.timeout.ms", "30000").set("heartbeat.interval.ms", "500");
    }
    let consumer: BaseConsumer = config.create()?;
    consumer.subscribe(&[group])?;
    Ok(consumer)
}

async fn groups(protocol: &str) -> Outcome {
    let group = &format!("r-group-{protocol}");
    create(group, 4).await?;
    let producer = producer(&[])?;
    let send = |round: &str| {
        let sent = numbers(round, 40).into_iter().enumerate();
        let sent = sent.map(|(number, value)| {
            let (producer, partition) = (&producer, i32::try_from(number % 4).unwrap_or(0));
            async move {
                let record = FutureRecord::<(), _>::to(group).payload(&value).partition(partition);
                producer.send(record, PATIENCE).await
            }
        });
        join_all(sent.collect::<Vec<_>>())
    };
    for sent in send("one").await {
        sent.map_err(|(error, _)| error)?;
    }
    let first = member(group, protocol)?;
    assert_eq!(values(&take(&[&first], 40)?).into_iter().collect::<BTreeSet<_>>().len(), 40);
    first.commit_consumer_state(CommitMode::Sync)?;
    let second = member(group, protocol)?;
    let until = Instant::now() + PATIENCE;
    while (first.assignment()?.count(), second.assignment()?.count()) != (2, 2) {
        assert!(Instant::now() < until, "{protocol}: shared in time");
        for consumer in [&first, &second] {
            assert!(consumer.poll(Duration::from_millis(20)).is_none(), "nothing is read twice");
        }
    }
    for sent in send("two").await {
        sent.map_err(|(error, _)| error)?;
    }
    let found: BTreeSet<_> = values(&take(&[&first, &second], 40)?).into_iter().collect();
    assert_eq!(found, numbers("two", 40).into_iter().collect());
    second.commit_consumer_state(CommitMode::Sync)?;
    drop((first, second));
    // What the first had read after its commit comes again; what was committed does not.
    let third = member(group, protocol)?;
    let again = values(&take(&[&third], 20)?);
    assert!(again.iter().all(|value| value.starts_with("two")), "{again:?}");
    let members = third.fetch_group_list(Some(group), PATIENCE)?;
    if protocol == "classic" {
        assert_eq!((members.groups()[0].state(), members.groups()[0].members().len()), ("Stable", 1));
    }
    drop(third);
    let told = admin()?.delete_groups(&[group], &AdminOptions::new()).await?;
    each(told)?;
    ok(&format!("{protocol}: two members share a topic, a third goes on where was committed"));
    Ok(())
}

async fn transactions() -> Outcome {
    create("r-txn", 1).await?;
    let open = |id| producer(&[("transactional.id", id)]);
    let writer = open("r-1")?;
    writer.init_transactions(PATIENCE)?;
    for outcome in ["commit", "abort", "again"] {
        writer.begin_transaction()?;
        produce(&writer, "r-txn", &numbers(outcome, 3)).await?;
        match outcome {
            "abort" => writer.abort_transaction(PATIENCE)?,
            _ => writer.commit_transaction(PATIENCE)?,
        }
    }
    let wanted = [numbers("commit", 3), numbers("again", 3)].concat();
    assert_eq!(values(&read("r-txn", 6, "read_committed")?), wanted);
    assert_eq!(read("r-txn", 9, "read_uncommitted")?.len(), 9);
    ok("transactions: committed, aborted, and how they are read");
    // Consume, transform, produce: the offsets are part of it.
    let reader = member_of("r-txn", "r-txn-group")?;
    let found = take(&[&reader], 6)?;
    create("r-out", 1).await?;
    writer.begin_transaction()?;
    produce(&writer, "r-out", &values(&found)).await?;
    let metadata = reader.group_metadata().ok_or("a member's metadata")?;
    writer.send_offsets_to_transaction(&reader.position()?, &metadata, PATIENCE)?;
    writer.commit_transaction(PATIENCE)?;
    let committed = reader.committed(PATIENCE)?;
    let committed = committed.elements_for_topic("r-txn")[0].offset();
    assert!(matches!(committed, Offset::Offset(offset) if offset > found[5].offset()), "{committed:?}");
    assert_eq!(values(&read("r-out", 6, "read_committed")?), wanted);
    let next = open("r-1")?;
    next.init_transactions(PATIENCE)?;
    writer.begin_transaction()?;
    let refused = produce(&writer, "r-out", &numbers("late", 1)).await;
    let error = writer.commit_transaction(PATIENCE);
    assert!(refused.is_err() || error.is_err(), "a zombie is fenced");
    assert!(matches!(error, Err(KafkaError::Transaction(_))), "{error:?}");
    ok("consume, transform, produce in one transaction; a zombie is fenced");
    Ok(())
}

fn member_of(topic: &str, group: &str) -> Outcome<BaseConsumer> {
    let settings = [("group.id", group), ("auto.offset.reset", "earliest"), ("enable.auto.commit", "false")];
    let consumer: BaseConsumer = config(&settings)?.create()?;
    consumer.subscribe(&[topic])?;
    Ok(consumer)
}

#[tokio::main]
async fn main() -> Outcome {
    topics().await?;
    codecs().await?;
    keys().await?;
    groups("classic").await?;
    groups("consumer").await?;
    transactions().await
}
