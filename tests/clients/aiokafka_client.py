"""aiokafka 0.14 against the cluster at $BOOTSTRAP_SERVERS."""

import asyncio
import os
import time

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

SERVERS = os.environ["BOOTSTRAP_SERVERS"]
# How long anything may take: a limit is there to end what hangs, on a loaded machine too.
PATIENCE = 60


def ok(what):
    print("ok", what, flush=True)


def equal(got, wanted, what):
    assert got == wanted, f"{what}: got {got!r}, not {wanted!r}"


async def take(consumer, count):
    records, until = [], time.monotonic() + PATIENCE
    while len(records) < count and time.monotonic() < until:
        for batch in (await consumer.getmany(timeout_ms=200)).values():
            records += batch
    equal(len(records), count, "records in time")
    return records


async def read(topic, count, **config):
    consumer = AIOKafkaConsumer(bootstrap_servers=SERVERS, **config)
    await consumer.start()
    consumer.assign([TopicPartition(topic, 0)])
    await consumer.seek_to_beginning()
    records = await take(consumer, count)
    await consumer.stop()
    return [record.value.decode() for record in records]


async def produce(topic, values, **config):
    async with AIOKafkaProducer(bootstrap_servers=SERVERS, **config) as producer:
        for value in values:
            await producer.send_and_wait(topic, str(value).encode())


async def topics(admin):
    await admin.create_topics([NewTopic("a-topic", 3, 3)])
    assert "a-topic" in await admin.list_topics()
    described = await admin.describe_topics(["a-topic"])
    equal(len(described[0]["partitions"]), 3, "partitions")
    found = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, "a-topic")])
    assert "min.insync.replicas" in str(found), found
    await admin.create_partitions({"a-topic": NewPartitions(total_count=5)})
    equal(len((await admin.describe_cluster())["brokers"]), 3, "brokers")
    await admin.delete_topics(["a-topic"])
    ok("admin: create, list, describe, settings, partitions, cluster, delete")


async def producing(admin):
    await admin.create_topics([NewTopic("a-produce", 1, 3)])
    sent = []
    for acks in (0, 1, "all"):
        for codec in (None, "gzip", "snappy", "lz4", "zstd"):
            batch = [f"{acks}-{codec}-{number}" for number in range(5)]
            await produce("a-produce", batch, acks=acks, compression_type=codec)
            sent += batch
    equal(await read("a-produce", len(sent)), sent, "all of it")
    ok("acks 0, 1 and all, with every codec")
    await produce("a-auto", range(10), enable_idempotence=True)
    equal(await read("a-auto", 10), [str(n) for n in range(10)], "idempotent")
    ok("an idempotent producer, on a topic that is made when it is written to")


async def transactions(admin):
    await admin.create_topics([NewTopic("a-txn", 1, 3)])
    async with AIOKafkaProducer(bootstrap_servers=SERVERS, transactional_id="a-1") as producer:
        for outcome in ("commit", "abort", "commit"):
            await producer.begin_transaction()
            for number in range(3):
                await producer.send("a-txn", f"{outcome}-{number}".encode())
            await {"commit": producer.commit_transaction, "abort": producer.abort_transaction}[outcome]()
        async with producer.transaction():
            await producer.send("a-txn", b"with offsets")
            await producer.send_offsets_to_transaction({TopicPartition("a-txn", 0): 4}, "a-eos")
    wanted = [f"commit-{number}" for number in range(3)] * 2 + ["with offsets"]
    equal(await read("a-txn", 7, isolation_level="read_committed"), wanted, "read committed")
    equal(len(await read("a-txn", 10)), 10, "read uncommitted")
    found = await admin.list_consumer_group_offsets("a-eos")
    equal([it.offset for it in found.values()], [4], "committed within")
    ok("transactions: committed, aborted, with offsets, and how they are read")


async def groups(admin):
    await admin.create_topics([NewTopic("a-group", 4, 3)])
    async with AIOKafkaProducer(bootstrap_servers=SERVERS) as producer:
        for number in range(40):
            await producer.send("a-group", str(number).encode(), partition=number % 4, headers=[("n", b"1")])
    config = dict(
        bootstrap_servers=SERVERS, group_id="a-group", auto_offset_reset="earliest", enable_auto_commit=False,
        session_timeout_ms=30_000, heartbeat_interval_ms=500, metadata_max_age_ms=2000,
    )
    first = AIOKafkaConsumer("a-group", **config)
    await first.start()
    records = await take(first, 40)
    equal(sorted(int(it.value) for it in records), list(range(40)), "all of it")
    equal(records[0].headers, (("n", b"1"),), "headers")
    await first.commit()
    second = AIOKafkaConsumer("a-group", **config)
    await second.start()
    until = time.monotonic() + PATIENCE
    while (len(first.assignment()), len(second.assignment())) != (2, 2):
        assert time.monotonic() < until, "shared in time"
        await asyncio.sleep(0.1)
    ok("a second member gets half of the partitions")
    assert "a-group" in str(await admin.list_consumer_groups()), "listed"
    described = await admin.describe_consumer_groups(["a-group"])
    assert "Stable" in str(described), described
    await second.stop()
    until = time.monotonic() + PATIENCE
    while len(first.assignment()) != 4:
        assert time.monotonic() < until, "all partitions back"
        await asyncio.sleep(0.1)
    await first.stop()
    await produce("a-group", ["new"])
    third = AIOKafkaConsumer("a-group", **config)
    await third.start()
    equal([it.value for it in await take(third, 1)], [b"new"], "resumed")
    await third.stop()
    ok("it leaves; another one goes on where it was committed; groups are listed and described")


async def main():
    admin = AIOKafkaAdminClient(bootstrap_servers=SERVERS)
    await admin.start()
    await topics(admin)
    await producing(admin)
    await transactions(admin)
    await groups(admin)
    await admin.close()


asyncio.run(main())
