"""Brokers are killed, stopped and cut off while librdkafka 2.16 and kafka-python write to them: nothing that was
acknowledged is lost, and nothing is there twice."""

import os
import subprocess
import threading
import time
import urllib.error
import urllib.request

from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

SERVERS = {"bootstrap.servers": os.environ["BOOTSTRAP_SERVERS"]}
PORT = os.environ["BOOTSTRAP_SERVERS"].split(",")[0].rpartition(":")[2]
PARTITIONS = 6


def ok(what):
    print("ok", what, flush=True)


def broker(order, *arguments, code=0):
    command = [os.environ["TOPOMOTION"], "broker", order, *map(str, arguments), "--port", PORT]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == code, (command, done.stdout, done.stderr)
    return done.stdout + done.stderr


def wait(what, is_so, seconds=60):
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, f"{what} in time: {broker('status')}"
        time.sleep(0.1)


def states():
    return [line.split()[2] for line in broker("status").splitlines()[1:]]


class Load:
    """A producer that goes on writing numbers, and remembers what became of each."""

    def __init__(self, topic):
        self.topic, self.sent, self.acknowledged, self.failed, self.goes_on = topic, 0, [], [], True
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        config = {"enable.idempotence": True, "acks": "all", "linger.ms": 2, "delivery.timeout.ms": 60_000}
        producer = Producer(SERVERS | config)
        while self.goes_on:
            number = self.sent
            self.sent += 1
            told = lambda error, _, number=number: (self.failed if error else self.acknowledged).append(number)
            producer.produce(self.topic, str(number), key=f"k{number % 50}", on_delivery=told)
            producer.poll(0)
            time.sleep(0.001)
        assert producer.flush(60) == 0, "left in the queue"

    def end(self):
        self.goes_on = False
        self.thread.join()
        return self.acknowledged, self.failed


def read(topic):
    consumer = Consumer(SERVERS | {"group.id": "read", "enable.auto.commit": False})
    partitions = [TopicPartition(topic, number, OFFSET_BEGINNING) for number in range(PARTITIONS)]
    ends = {it.partition: consumer.get_watermark_offsets(it, timeout=60)[1] for it in partitions}
    consumer.assign(partitions)
    found, until = [], time.monotonic() + 60
    while len(found) < sum(ends.values()):
        assert time.monotonic() < until, f"{len(found)} of {ends} read"
        found += [(it.partition(), int(it.value())) for it in consumer.consume(1000, 0.2) if it.error() is None]
    consumer.close()
    return found


def survives(topic, hurt, heal):
    admin = AdminClient(SERVERS)
    created = admin.create_topics([NewTopic(topic, PARTITIONS, 3, config={"min.insync.replicas": "2"})])
    created[topic].result(60)
    load = Load(topic)
    # A producer that has no id yet asks one broker for it, and may have asked the one that is hurt.
    wait("50 records acknowledged", lambda: len(load.acknowledged) >= 50)
    broker(hurt, 2)
    time.sleep(4)
    during = len(load.acknowledged)
    wait("the others go on without it", lambda: len(load.acknowledged) >= during + 50)
    broker(heal, 2)
    wait("broker 2 back", lambda: states() == ["running"] * 3)
    time.sleep(1.5)
    acknowledged, failed = load.end()
    assert not failed and len(acknowledged) == load.sent, (len(acknowledged), load.sent, failed[:5])
    found = read(topic)
    numbers = sorted(number for _, number in found)
    assert numbers == list(range(load.sent)), f"{len(numbers)} in the log, {load.sent} were acknowledged"
    for partition in range(PARTITIONS):
        each = [number for at, number in found if at == partition]
        assert each == sorted(each), f"the order in partition {partition}"
    ok(f"{hurt} one of three under load: {load.sent} acknowledged, each is there once and in order")


assert states() == ["running"] * 3, broker("status")
assert "has not crashed" in broker("restart", 1, code=1)
assert "no broker 9" in broker("crash", 9, code=1)
ok("the status, and what makes no sense is refused")
home = os.environ.get("XDG_RUNTIME_DIR") or os.path.join(os.environ["HOME"], ".cache")
address, _, token = open(os.path.join(home, "topomotion", f"broker-{PORT}"), encoding="utf-8").read().partition("#")
try:
    urllib.request.urlopen(address + "/status", timeout=60)
    raise AssertionError("the control port without its token")
except urllib.error.HTTPError as refused:
    assert refused.code == 401, refused
asked = urllib.request.Request(address + "/status", headers={"Authorization": f"Bearer {token}"})
assert b'"state":"running"' in urllib.request.urlopen(asked, timeout=60).read()
ok("the control port answers whoever has the token")
survives("f-crash", "crash", "restart")
survives("f-pause", "pause", "resume")
survives("f-partition", "partition", "heal")
