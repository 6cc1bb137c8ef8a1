"""`topomotion record --upstream` in front of the cluster at $BOOTSTRAP_SERVERS, with librdkafka and kafka-python."""

import os
import pathlib
import subprocess
import sys
import tempfile
import time

from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, NewTopic
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition

TOPIC = os.environ.get("TOPIC", "")  # each recording has its own
UPSTREAM = os.environ["BOOTSTRAP_SERVERS"]
# How long anything may take: a limit is there to end what hangs, on a loaded machine too.
PATIENCE = 60


def ok(what):
    print("ok", what, flush=True)


def equal(got, wanted, what):
    assert got == wanted, f"{what}: got {got!r}, not {wanted!r}"


def ports(servers):
    return {int(server.rpartition(":")[2]) for server in servers.split(",")}


def inside():
    """The program that is recorded: it must find everything, and nothing of it behind the recorder's back."""
    servers = os.environ["KAFKA_BOOTSTRAP_SERVERS"]
    upstream = ports(os.environ["UPSTREAM"])
    config = {"bootstrap.servers": servers}
    assert not ports(servers) & upstream, (servers, upstream)
    admin = AdminClient(config | {"client.id": "r-admin"})
    for future in admin.create_topics([NewTopic(TOPIC, 3, 3)]).values():
        future.result(PATIENCE)
    told = {broker.port for broker in admin.list_topics(timeout=PATIENCE).brokers.values()}
    equal(told, ports(servers), "brokers in Metadata")
    equal({node.port for node in admin.describe_cluster().result(PATIENCE).nodes}, ports(servers), "in DescribeCluster")
    producer = Producer(config | {"client.id": "r-producer", "enable.idempotence": True})
    failures = []
    for number in range(30):
        producer.produce(TOPIC, f"payload-{number}", key=f"k{number}", on_delivery=lambda e, _: e and failures.append(e))
    equal((producer.flush(PATIENCE), failures), (0, []), "deliveries")
    config |= {"client.id": "r-consumer", "group.id": TOPIC, "auto.offset.reset": "earliest"}
    consumer = Consumer(config)
    consumer.subscribe([TOPIC])
    seen, until = set(), time.monotonic() + PATIENCE
    while len(seen) < 30 and time.monotonic() < until:
        message = consumer.poll(0.2)
        if message is not None and message.error() is None:
            seen.add(message.value().decode())
    consumer.close()
    equal(seen, {f"payload-{number}" for number in range(30)}, "read back")
    producer = KafkaProducer(bootstrap_servers=servers, client_id="r-python", acks="all")
    producer.send(TOPIC, b"python", partition=1).get(PATIENCE)
    producer.close()
    consumer = KafkaConsumer(bootstrap_servers=servers, client_id="r-python", auto_offset_reset="earliest")
    consumer.assign([TopicPartition(TOPIC, 1)])
    seen, until = set(), time.monotonic() + PATIENCE
    while b"python" not in seen and time.monotonic() < until:
        for records in consumer.poll(200).values():
            seen |= {record.value for record in records}
    consumer.close()
    assert b"python" in seen, seen
    admin = KafkaAdminClient(bootstrap_servers=servers, client_id="r-python")
    equal({broker["port"] for broker in admin.describe_cluster()["brokers"]}, ports(servers), "kafka-python's brokers")
    admin.close()


def record(*options):
    with tempfile.TemporaryDirectory() as folder:
        film, trace = pathlib.Path(folder, "film.svg"), pathlib.Path(folder, "trace.txt")
        command = [os.environ["TOPOMOTION"], "record", "--upstream", UPSTREAM.split(",")[0], "-o", film, "--trace", trace]
        command += [*options, "--", sys.executable, __file__, "inside"]
        environment = dict(os.environ, UPSTREAM=UPSTREAM, TOPIC=f"r-topic-{time.monotonic_ns()}")
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=2 * PATIENCE)
        assert done.returncode == 0, done.stdout + done.stderr
        return film.read_text(), trace.read_text(), done.stderr


if sys.argv[1:] == ["inside"]:
    inside()
    sys.exit(0)

film, trace, _ = record()
ok("programs in front of somebody else's cluster see the recorder's addresses and no others, and work")
for name in ("r-admin", "r-producer", "r-consumer", "r-python", "broker-1", "broker-2", "broker-3"):
    assert name in film and name in trace, name
for api in ("CreateTopics", "Produce", "Fetch", "JoinGroup", "FindCoordinator", "InitProducerId"):
    assert api in trace, api
assert "payload-7" not in trace + film, "a payload"
ok("the recording has them all, and no payload")
_, trace, _ = record("--payloads", "--max-events", "100000")
assert "sends k7=payload-7" in trace and "gets k7=payload-7" in trace, "what was asked for"
ok("payloads where they are asked for")
_, _, said = record("--max-events", "50")
assert "the recording keeps its last 50 events" in said, said
ok("a full recording keeps its end, and says so")
