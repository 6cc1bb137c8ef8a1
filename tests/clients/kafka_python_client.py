"""kafka-python 3.0 against the cluster at $BOOTSTRAP_SERVERS."""

import os
import time
from concurrent.futures import ThreadPoolExecutor

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, NewTopic
from kafka.errors import TopicAlreadyExistsError
from kafka.structs import OffsetAndMetadata

SERVERS = os.environ["BOOTSTRAP_SERVERS"].split(",")
# How long anything may take: a limit is there to end what hangs, on a loaded machine too.
PATIENCE = 60
admin = KafkaAdminClient(bootstrap_servers=SERVERS)


def ok(what):
    print("ok", what, flush=True)


def equal(got, wanted, what):
    assert got == wanted, f"{what}: got {got!r}, not {wanted!r}"


def create(name, partitions=1):
    admin.create_topics([NewTopic(name=name, num_partitions=partitions, replication_factor=3)])


def produce(topic, values, **config):
    producer = KafkaProducer(bootstrap_servers=SERVERS, linger_ms=1, **config)
    sent = [producer.send(topic, str(value).encode()) for value in values]
    producer.flush(PATIENCE)
    offsets = [future.get(PATIENCE).offset for future in sent]
    producer.close()
    return offsets


def read(topic, count, partition=0, offset=0, **config):
    consumer = KafkaConsumer(bootstrap_servers=SERVERS, enable_auto_commit=False, **config)
    consumer.assign([TopicPartition(topic, partition)])
    consumer.seek(TopicPartition(topic, partition), offset)
    records = take(consumer, count)
    consumer.close()
    return records


def take(consumer, count):
    records, until = [], time.monotonic() + PATIENCE
    while len(records) < count and time.monotonic() < until:
        for batch in consumer.poll(timeout_ms=200).values():
            records += batch
    equal(len(records), count, "records in time")
    return records


def values(records):
    return [record.value.decode() for record in records]


def topics():
    create("p-topic", 3)
    try:
        create("p-topic")
        raise AssertionError("a topic twice")
    except TopicAlreadyExistsError:
        pass
    assert "p-topic" in admin.list_topics()
    described = admin.describe_topics(["p-topic"])[0]
    equal(len(described["partitions"]), 3, "partitions")
    ok("create, list and describe a topic; not twice")
    found = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, "p-topic")], config_filter="all")
    assert "min.insync.replicas" in str(found), found
    ok("a topic's settings are described")
    admin.create_partitions({"p-topic": 5})
    until = time.monotonic() + PATIENCE
    while len(admin.describe_topics(["p-topic"])[0]["partitions"]) != 5:
        assert time.monotonic() < until, "five partitions in time"
    ok("more partitions")
    equal(len(admin.describe_cluster()["brokers"]), 3, "brokers")
    ok("the cluster is described")
    told = admin.describe_log_dirs(topic_partitions={"p-topic": [0, 1]})
    equal(sorted(it["broker"] for it in told), [1, 2, 3], "brokers with log directories")
    for (directory,) in (it["log_dirs"] for it in told):
        (topic,) = directory["topics"]
        sizes = [(it["partition_index"], it["partition_size"], it["offset_lag"]) for it in topic["partitions"]]
        equal((topic["name"], sizes), ("p-topic", [(0, 0, 0), (1, 0, 0)]), "partitions on the disk")
        assert 0 < directory["usable_bytes"] <= directory["total_bytes"], directory
    ok("log directories are described")
    admin.delete_topics(["p-topic"])
    until = time.monotonic() + PATIENCE
    while "p-topic" in admin.list_topics():
        assert time.monotonic() < until, "a topic gone in time"
    ok("a topic is deleted")


def producing():
    create("p-produce")
    sent = []
    for acks in (1, "all"):
        for codec in (None, "gzip", "snappy", "lz4", "zstd"):
            batch = [f"{acks}-{codec}-{number}" for number in range(50)]
            offsets = produce("p-produce", batch, acks=acks, compression_type=codec)
            equal(offsets, list(range(len(sent), len(sent) + 50)), "offsets told")
            sent += batch
    batch = [f"0-{number}" for number in range(20)]
    produce("p-produce", batch, acks=0)
    equal(values(read("p-produce", len(sent) + 20)), sent + batch, "all of it")
    ok("acks 0, 1 and all, with every codec")
    producer = KafkaProducer(bootstrap_servers=SERVERS)
    create("p-keys", 3)
    headers = [("n", b"1"), ("empty", b"")]
    placed = [producer.send("p-keys", b"v", key=b"same", headers=headers).get(PATIENCE).partition for _ in range(5)]
    equal(len(set(placed)), 1, "partitions of a key")
    record = read("p-keys", 5, placed[0])[0]
    equal((record.key, list(record.headers)), (b"same", headers), "key and headers")
    producer.close()
    ok("a key keeps to its partition; headers")
    produce("p-idempotent", range(30), enable_idempotence=True)
    equal(len(read("p-idempotent", 30)), 30, "idempotent")
    ok("an idempotent producer, on a topic that is made when it is written to")


def transactions():
    create("p-txn")
    producer = KafkaProducer(bootstrap_servers=SERVERS, transactional_id="p-1")
    producer.init_transactions()
    for outcome in ("commit", "abort", "commit"):
        producer.begin_transaction()
        for number in range(3):
            producer.send("p-txn", f"{outcome}-{number}".encode())
        producer.flush(PATIENCE)
        {"commit": producer.commit_transaction, "abort": producer.abort_transaction}[outcome]()
    producer.close()
    wanted = [f"commit-{number}" for number in range(3)] * 2
    equal(values(read("p-txn", 6, isolation_level="read_committed")), wanted, "read committed")
    equal(len(read("p-txn", 9)), 9, "read uncommitted")
    ok("transactions: committed, aborted, and how they are read")


def share(consumers, each):
    """Polls consumers, each in a thread of its own, until each of them has so many partitions.

    Not in turns: a join that ends while its consumer is not being polled is begun again by the next poll
    (`join_group_async` of kafka-python 3.0.12), so that two consumers in turns can keep each other rebalancing for ever.
    """
    until = time.monotonic() + PATIENCE

    def poll(consumer):
        while any(len(it.assignment()) != each for it in consumers):
            assert time.monotonic() < until, "shared in time"
            equal(consumer.poll(timeout_ms=1000), {}, "nothing new")

    with ThreadPoolExecutor(len(consumers)) as threads:
        list(threads.map(poll, consumers))


def groups():
    create("p-group", 4)
    produce("p-group", range(40))
    config = dict(
        bootstrap_servers=SERVERS, group_id="p-group", auto_offset_reset="earliest", enable_auto_commit=False,
        session_timeout_ms=30_000, heartbeat_interval_ms=500,
    )
    first = KafkaConsumer("p-group", **config)
    equal(sorted(map(int, values(take(first, 40)))), list(range(40)), "all of it")
    first.commit()
    second = KafkaConsumer("p-group", **config)
    share([first, second], 2)
    ok("a second member gets half of the partitions, and nothing is read twice")
    described = admin.describe_groups(["p-group"])
    assert "Stable" in str(described), described
    assert "p-group" in str(admin.list_groups()), "listed"
    second.close()
    share([first], 4)
    first.close()
    third = KafkaConsumer("p-group", **config)
    produce("p-group", range(40, 45))
    equal(sorted(map(int, values(take(third, 5)))), list(range(40, 45)), "resumed")
    partition = TopicPartition("p-group", 0)
    third.commit({partition: OffsetAndMetadata(1, "a note", -1)})
    equal(third.committed(partition), 1, "committed")
    third.seek_to_beginning(partition)
    equal(third.position(partition), 0, "the beginning")
    ends = third.end_offsets([TopicPartition("p-group", it) for it in range(4)])
    equal(sum(ends.values()), 45, "ends")
    third.close()
    ok("it leaves; another one goes on where it was committed; seek, beginning, end")
    found = admin.list_group_offsets("p-group")
    assert "a note" in str(found), found
    ok("a group's offsets are told, notes and all")


topics()
producing()
transactions()
groups()
