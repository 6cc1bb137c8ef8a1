"""A Kafka Connect 4.3 worker, distributed, with the connectors for files, against the cluster at $BOOTSTRAP_SERVERS.

The worker keeps its connectors, offsets and states in three compacted topics, elects itself by a group of type
"connect", and writes what its sources read in transactions (exactly.once.source.support). Its class path is the
first argument.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

SERVERS = {"bootstrap.servers": os.environ["BOOTSTRAP_SERVERS"]}
# How long anything may take: a limit is there to end what hangs, on a loaded machine too.
PATIENCE = 60
CLASSES = sys.argv[1]
admin = AdminClient(SERVERS)
folder = pathlib.Path(tempfile.mkdtemp(prefix="topomotion-connect-"))


def ok(what):
    print("ok", what, flush=True)


def equal(got, wanted, what):
    assert got == wanted, f"{what}: got {got!r}, not {wanted!r}"


def until(what, test):
    end = time.monotonic() + PATIENCE
    while not (value := test()):
        assert time.monotonic() < end, f"{what}: not in time; the worker said:\n{said()}"
        time.sleep(0.05)
    return value


def said():
    return "".join((folder / "log").read_text().splitlines(keepends=True)[-40:])


class Worker:
    def __init__(self):
        settings = {
            **SERVERS,
            "group.id": "workers",
            "client.id": "worker",
            "key.converter": "org.apache.kafka.connect.storage.StringConverter",
            "value.converter": "org.apache.kafka.connect.storage.StringConverter",
            "exactly.once.source.support": "enabled",
            "plugin.discovery": "service_load",
            "listeners": "http://127.0.0.1:0",
            "offset.flush.interval.ms": 500,
            "scheduled.rebalance.max.delay.ms": 0,
            "session.timeout.ms": 6000,
            "heartbeat.interval.ms": 500,
            "consumer.session.timeout.ms": 6000,  # of a sink that was killed
        }
        for kind, partitions in {"config": None, "offset": 5, "status": 2}.items():
            settings[f"{kind}.storage.topic"] = f"connect-{kind}"
            settings[f"{kind}.storage.replication.factor"] = 3
            if partitions:
                settings[f"{kind}.storage.partitions"] = partitions
        (folder / "worker").write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
        command = ["java", "-XX:TieredStopAtLevel=1", "-Dorg.apache.logging.log4j.level=WARN", "-cp", CLASSES]
        command += ["ConnectWorker", folder / "worker"]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=(folder / "log").open("a"), text=True
        )

    def ask(self, *words):
        """What it answers; none if it cannot do that yet."""
        self.process.stdin.write(" ".join(words) + "\n")
        self.process.stdin.flush()
        while line := self.process.stdout.readline():
            if line.startswith("{"):
                return json.loads(line).get("ok")
            with (folder / "log").open("a") as log:
                log.write(line)
        raise AssertionError(f"the worker ended: {said()}")

    def states(self, name):
        status = self.ask("status", name)
        return [part["state"] for part in [status["connector"], *status["tasks"]]] if status else []

    def install(self, name, kind, **settings):
        settings |= {"connector.class": f"org.apache.kafka.connect.file.FileStream{kind}Connector", "tasks.max": "1"}
        settings["name"] = name
        text = json.dumps(settings)
        until(f"{name} is taken", lambda: self.ask("put", name, text) == name)
        until(f"{name} runs", lambda: self.states(name) == ["RUNNING"] * 2)


def lines(first, last):
    return "".join(f"line {number}\n" for number in range(first, last))


def read_committed(count):
    consumer = Consumer({**SERVERS, "group.id": "check", "isolation.level": "read_committed"})
    consumer.assign([TopicPartition("lines", 0, 0)])
    values, end = [], time.monotonic() + PATIENCE
    while len(values) < count and time.monotonic() < end:
        message = consumer.poll(0.2)
        if message is not None and not message.error():
            values.append(message.value().decode() + "\n")
    extra = consumer.poll(0.5)
    consumer.close()
    assert extra is None, "there is more than was written"
    return "".join(values)


for future in admin.create_topics([NewTopic("lines", 1, 3)]).values():
    future.result(PATIENCE)
(folder / "in.txt").write_text(lines(0, 100))
worker = Worker()
try:
    until("the worker is ready", lambda: worker.ask("list") is not None)
    out = folder / "out.txt"
    worker.install("source", "Source", file=str(folder / "in.txt"), topic="lines")
    for kind in ("config", "offset", "status"):
        resource = ConfigResource(ResourceType.TOPIC, f"connect-{kind}")
        (future,) = admin.describe_configs([resource]).values()
        equal(future.result(PATIENCE)["cleanup.policy"].value, "compact", f"the policy of connect-{kind}")
    ok("a worker starts, makes its three compacted topics, and leads its group")
    worker.install("sink", "Sink", file=str(out), topics="lines")
    until("the lines come out", lambda: out.exists() and out.read_text() == lines(0, 100))
    ok("lines of a file go through a topic into another file, in order")
    equal(read_committed(100), lines(0, 100), "what the topic holds")
    ok("the source writes in transactions: a reader of what is committed finds each line once")
    wanted = ConsumerGroupTopicPartitions("connect-sink", [TopicPartition("lines", 0)])

    def committed():
        return admin.list_consumer_group_offsets([wanted])["connect-sink"].result(PATIENCE).topic_partitions[0].offset

    # Markers of transactions have offsets, too.
    until("the sink commits", lambda: committed() >= 100)
    ok("the sink is a group of its own, and commits")
    offsets = worker.ask("offsets", "source")
    equal(offsets["offsets"][0]["offset"]["position"], len(lines(0, 100)), "the source's position")
    ok("the source's position is kept")
    worker.process.kill()
    worker.process.wait()
    with (folder / "in.txt").open("a") as file:
        file.write(lines(100, 150))
    worker = Worker()
    both = ("source", "sink")
    until("connectors come back", lambda: all(worker.states(it) == ["RUNNING"] * 2 for it in both))
    until("the new lines come out", lambda: out.read_text().endswith("line 149\n"))
    equal(read_committed(150), lines(0, 150), "what the topic holds")
    equal(out.read_text(), lines(0, 150), "what the sink wrote")
    ok("a killed worker's successor knows the connectors and goes on where they were, no line twice")
    worker.ask("pause", "source")
    until("it pauses", lambda: worker.states("source")[:1] == ["PAUSED"])
    until("the sink is deleted", lambda: worker.ask("delete", "sink"))
    until("the sink is gone", lambda: worker.ask("list") == ["source"])
    ok("a connector is paused, another deleted")
    worker.process.stdin.close()
    equal(worker.process.wait(20), 0, "the end of a worker")
    ok("the worker leaves")
finally:
    worker.process.kill()
    worker.process.wait()
    shutil.rmtree(folder)
