"""librdkafka 2.16, through confluent-kafka, against the cluster at $BOOTSTRAP_SERVERS."""

import os
import time

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    ConsumerGroupTopicPartitions,
    IsolationLevel,
    KafkaException,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    OffsetSpec,
    ResourceType,
)

SERVERS = {"bootstrap.servers": os.environ["BOOTSTRAP_SERVERS"]}
# How long anything may take: a limit is there to end what hangs, on a loaded machine too.
PATIENCE = 60
admin = AdminClient(SERVERS)


def ok(what):
    print("ok", what, flush=True)


def equal(got, wanted, what):
    assert got == wanted, f"{what}: got {got!r}, not {wanted!r}"


def results(futures, timeout=PATIENCE):
    return {key: future.result(timeout) for key, future in futures.items()}


def create(name, partitions=1, replicas=3, config=None):
    results(admin.create_topics([NewTopic(name, partitions, replicas, config=config or {})]))


def produce(topic, values, **config):
    failures = []
    producer = Producer({**SERVERS, "linger.ms": 1, **config})
    for value in values:
        told = lambda error, _: error and failures.append(error)
        producer.produce(topic, str(value), on_delivery=told)
    equal(producer.flush(PATIENCE), 0, "left in the queue")
    equal(failures, [], f"deliveries to {topic}")


def read(topic, count, partition=0, offset=OFFSET_BEGINNING, seconds=PATIENCE, **config):
    """So many messages of one partition, by assignment."""
    consumer = Consumer({**SERVERS, "group.id": f"read-{time.monotonic_ns()}", "enable.auto.commit": False, **config})
    consumer.assign([TopicPartition(topic, partition, offset)])
    messages = take(consumer, count, seconds)
    consumer.close()
    return messages


def take(consumer, count, seconds=PATIENCE):
    messages, until = [], time.monotonic() + seconds
    while len(messages) < count and time.monotonic() < until:
        message = consumer.poll(0.2)
        if message is not None:
            assert message.error() is None, message.error()
            messages.append(message)
    equal(len(messages), count, "messages in time")
    return messages


def values(messages):
    return [message.value().decode() for message in messages]


def topics():
    create("c-topic", 3, 3, {"retention.ms": "3600000"})
    listed = admin.list_topics(timeout=PATIENCE)
    equal(len(listed.brokers), 3, "brokers")
    equal(len(listed.topics["c-topic"].partitions), 3, "partitions")
    equal({len(it.replicas) for it in listed.topics["c-topic"].partitions.values()}, {3}, "replicas")
    try:
        create("c-topic")
        raise AssertionError("a topic twice")
    except KafkaException as error:
        equal(error.args[0].name(), "TOPIC_ALREADY_EXISTS", "a topic twice")
    results(admin.create_partitions([NewPartitions("c-topic", 5)]))
    until = time.monotonic() + PATIENCE
    while len(admin.list_topics("c-topic", timeout=PATIENCE).topics["c-topic"].partitions) != 5:
        assert time.monotonic() < until, "five partitions in time"
    ok("create a topic, and more partitions; not twice")
    resource = ConfigResource(ResourceType.TOPIC, "c-topic")
    entries = next(iter(results(admin.describe_configs([resource])).values()))
    equal(entries["retention.ms"].value, "3600000", "retention.ms")
    resource.add_incremental_config(
        ConfigEntry("retention.ms", "60000", incremental_operation=AlterConfigOpType.SET)
    )
    results(admin.incremental_alter_configs([resource]))
    until = time.monotonic() + PATIENCE
    while True:
        entries = next(iter(results(admin.describe_configs([ConfigResource(ResourceType.TOPIC, "c-topic")])).values()))
        if entries["retention.ms"].value == "60000":
            break
        assert time.monotonic() < until, "an altered setting in time"
    equal([*entries["segment.bytes"].synonyms], ["log.segment.bytes"], "synonyms of a default")
    equal([*entries["retention.ms"].synonyms], ["retention.ms"], "synonyms of a topic's own setting")
    broker = ConfigResource(ResourceType.BROKER, "1")
    entries = next(iter(results(admin.describe_configs([broker])).values()))
    assert "auto.create.topics.enable" in entries, sorted(entries)
    ok("settings of topics and brokers are described, a topic's are altered")
    cluster = admin.describe_cluster().result(PATIENCE)
    equal(len(cluster.nodes), 3, "nodes described")
    ok("the cluster is described")
    results(admin.delete_topics(["c-topic"]))
    until = time.monotonic() + PATIENCE
    while "c-topic" in admin.list_topics(timeout=PATIENCE).topics:
        assert time.monotonic() < until, "a topic gone in time"
    ok("a topic is deleted")


def producing():
    create("c-produce")
    sent = []
    for acks in ("0", "1", "all"):
        for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
            batch = [f"{acks}-{codec}-{number}" for number in range(50)]
            produce("c-produce", batch, acks=acks, **{"compression.codec": codec})
            sent += batch
    equal(values(read("c-produce", len(sent))), sent, "all codecs")
    ok("acks 0, 1 and all, with every codec")
    producer = Producer(SERVERS)
    create("c-keys", 4)
    for number in range(40):
        producer.produce("c-keys", str(number), key=f"k{number % 8}", headers=[("n", str(number)), ("none", None)])
    equal(producer.flush(PATIENCE), 0, "left")
    seen = {}
    for partition in range(4):
        low, high = watermarks("c-keys", partition)
        for message in read("c-keys", high - low, partition):
            seen.setdefault(message.key(), set()).add(partition)
            equal(message.headers(), [("n", message.value()), ("none", None)], "headers")
    equal({len(partitions) for partitions in seen.values()}, {1}, "partitions of a key")
    equal(len(seen), 8, "keys")
    ok("a key keeps to its partition; headers")
    try:
        producer.produce("c-produce", b"x" * 2_000_000)
        raise AssertionError("too large a message")
    except KafkaException as error:
        equal(error.args[0].name(), "MSG_SIZE_TOO_LARGE", "too large")
    ok("a message that is too large")
    producer.produce("c-auto", "made on the side")
    equal(producer.flush(PATIENCE), 0, "left")
    equal(values(read("c-auto", 1)), ["made on the side"], "auto-created")
    ok("a topic is made when it is written to")


def watermarks(topic, partition=0):
    consumer = Consumer({**SERVERS, "group.id": "watermarks"})
    found = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=PATIENCE)
    consumer.close()
    return found


def offsets():
    create("c-offsets")
    produce("c-offsets", range(10))
    equal(values(read("c-offsets", 3, offset=7)), ["7", "8", "9"], "from an offset")
    asked = {TopicPartition("c-offsets", 0): OffsetSpec.latest()}
    found = results(admin.list_offsets(asked, isolation_level=IsolationLevel.READ_COMMITTED))
    equal([it.offset for it in found.values()], [10], "latest")
    asked = {TopicPartition("c-offsets", 0): OffsetSpec.max_timestamp()}
    assert next(iter(results(admin.list_offsets(asked)).values())).offset >= 0
    results(admin.delete_records([TopicPartition("c-offsets", 0, 4)]))
    equal(watermarks("c-offsets"), (4, 10), "after deleting records")
    equal(values(read("c-offsets", 6)), [str(n) for n in range(4, 10)], "from the new beginning")
    ok("offsets: earliest, latest, by time; records are deleted")


def groups(protocol):
    topic, group = f"c-group-{protocol}", f"c-{protocol}"
    create(topic, 4)
    produce(topic, range(100))
    config = {**SERVERS, "group.id": group, "auto.offset.reset": "earliest", "enable.auto.commit": False}
    config["group.protocol"] = protocol
    if protocol == "classic":
        config |= {"session.timeout.ms": 30_000, "heartbeat.interval.ms": 500}
    first, second = Consumer(config), Consumer(config)
    first.subscribe([topic])
    equal(sorted(map(int, values(take(first, 100)))), list(range(100)), "all of it")
    first.commit(asynchronous=False)
    second.subscribe([topic])
    until = time.monotonic() + PATIENCE
    while (len(first.assignment()), len(second.assignment())) != (2, 2):
        assert time.monotonic() < until, f"shared: {first.assignment()} {second.assignment()}"
        equal(first.poll(0.1), None, "nothing new")
        equal(second.poll(0.1), None, "nothing new")
    ok(f"{protocol}: a second member gets half of the partitions, and nothing is read twice")
    described = results(admin.describe_consumer_groups([group]))[group]
    equal((described.state.name, len(described.members)), ("STABLE", 2), "described")
    listed = admin.list_consumer_groups().result(PATIENCE)
    assert group in [it.group_id for it in listed.valid], listed.valid
    second.close()
    until = time.monotonic() + PATIENCE
    while len(first.assignment()) != 4:
        assert time.monotonic() < until, "all partitions back"
        equal(first.poll(0.1), None, "nothing new")
    produce(topic, range(100, 120))
    equal(sorted(map(int, values(take(first, 20)))), list(range(100, 120)), "what is new")
    first.commit(asynchronous=False)
    first.close()
    ok(f"{protocol}: it leaves, and the first has them all again")
    third = Consumer(config)
    third.subscribe([topic])
    produce(topic, range(120, 125))
    equal(sorted(map(int, values(take(third, 5, 20)))), list(range(120, 125)), "resumed")
    third.close()
    asked = ConsumerGroupTopicPartitions(group)
    found = admin.list_consumer_group_offsets([asked])[group].result(PATIENCE)
    equal(sum(it.offset for it in found.topic_partitions), 120, "committed offsets")
    results(admin.delete_consumer_groups([group]))
    ok(f"{protocol}: another one goes on where it was committed; the group is described, listed, deleted")


def transactions():
    create("c-txn")
    produce("c-txn", range(5), **{"enable.idempotence": True})
    producer = Producer({**SERVERS, "transactional.id": "c-1"})
    producer.init_transactions(20)
    for outcome in ("commit", "abort", "commit"):
        producer.begin_transaction()
        for number in range(3):
            producer.produce("c-txn", f"{outcome}-{number}")
        equal(producer.flush(PATIENCE), 0, "left in the queue")
        {"commit": producer.commit_transaction, "abort": producer.abort_transaction}[outcome](20)
    committed = [str(n) for n in range(5)] + [f"commit-{n}" for n in range(3)] * 2
    found = read("c-txn", len(committed), **{"isolation.level": "read_committed"})
    equal(values(found), committed, "read committed")
    found = read("c-txn", 14, **{"isolation.level": "read_uncommitted"})
    equal(sum(it.startswith("abort") for it in values(found)), 3, "read uncommitted")
    ok("transactions: committed, aborted, and how they are read")
    create("c-out")
    consumer = Consumer({**SERVERS, "group.id": "c-eos", "auto.offset.reset": "earliest", "enable.auto.commit": False})
    consumer.subscribe(["c-txn"])
    batch = take(consumer, 5)
    producer.begin_transaction()
    for message in batch:
        producer.produce("c-out", message.value())
    producer.send_offsets_to_transaction(
        consumer.position(consumer.assignment()), consumer.consumer_group_metadata(), 20
    )
    producer.commit_transaction(20)
    equal(consumer.committed(consumer.assignment(), timeout=PATIENCE)[0].offset, 5, "committed within")
    consumer.close()
    equal(values(read("c-out", 5, **{"isolation.level": "read_committed"})), values(batch), "copied")
    zombie = producer
    heir = Producer({**SERVERS, "transactional.id": "c-1"})
    heir.init_transactions(20)
    try:
        zombie.begin_transaction()
        zombie.produce("c-out", "from beyond")
        zombie.commit_transaction(20)
        raise AssertionError("a zombie committed")
    except KafkaException as error:
        assert error.args[0].fatal(), error
    ok("consume, transform, produce in one transaction; a zombie is fenced")


topics()
producing()
offsets()
groups("classic")
groups("consumer")
transactions()
