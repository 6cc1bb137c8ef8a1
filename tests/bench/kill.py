#!/usr/bin/env python3
"""kill -9 of the whole cluster during load, again and again: what was acknowledged must be there, once.

    python3 tests/bench/kill.py [--broker PROGRAM] [--rounds 50] [--seconds 300] [--no-fsync]

An idempotent producer (librdkafka, through confluent-kafka) writes numbers to three partitions without a pause, while the
process that serves all brokers is killed and started again in the same folder, on the same ports. Then everything is
read. Every number that was acknowledged has to be there, no number twice, and each partition in the order of sending.
Needs the environment that `python3 tests/clients/run.py confluent` has made, or confluent-kafka.
"""

import argparse
import os
import pathlib
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
HOME = pathlib.Path(os.environ.get("TOPOMOTION_CLIENTS") or pathlib.Path(tempfile.gettempdir()) / "topomotion-clients")
try:
    from confluent_kafka import Consumer, Producer, TopicPartition
    from confluent_kafka.admin import AdminClient, NewTopic
except ImportError:
    python = HOME / "venv" / "bin" / "python"
    if not python.exists() or pathlib.Path(sys.executable) == python:
        sys.exit("confluent-kafka is not there: python3 tests/clients/run.py confluent")
    os.execv(python, [python, *sys.argv])

PARTITIONS = 3
UNDER_WAY = 2_000  # records without a verdict, at most


def free_ports(count):
    while True:
        first = random.randrange(20_000, 32_000)
        try:
            for port in range(first, first + count):
                with socket.socket() as it:
                    it.bind(("127.0.0.1", port))
            return first
        except OSError:
            continue


class Cluster:
    def __init__(self, program, folder, fsync):
        port = free_ports(3)
        self.command = [program, "broker", "--port", str(port), "--data-dir", folder, "--no-control"]
        self.command += ["--fsync"] if fsync else []
        self.servers = {"bootstrap.servers": ",".join(f"127.0.0.1:{port + n}" for n in range(3))}
        self.start()

    def start(self):
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(self.command, stdout=pipe, stderr=subprocess.DEVNULL, text=True)
        if not self.process.stdout.readline():
            sys.exit(f"the brokers did not start: {self.command}")

    def kill(self):
        self.process.kill()
        self.process.wait()


class Load:
    """Writes numbers until it is told to stop."""

    def __init__(self, servers):
        quiet = {"log_level": 0, "logger": __import__("logging").getLogger("none")}
        settings = {**servers, **quiet, "enable.idempotence": True, "linger.ms": 2, "delivery.timeout.ms": 120_000}
        self.producer = Producer({**settings, "retry.backoff.ms": 50, "reconnect.backoff.max.ms": 200})
        self.acked, self.failed, self.sent = set(), {}, 0
        self.goes_on = True
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while self.goes_on:
            if len(self.producer) < UNDER_WAY:
                number = self.sent
                self.sent += 1
                told = lambda error, _, number=number: self.told(number, error)
                self.producer.produce("load", str(number), partition=number % PARTITIONS, on_delivery=told)
            self.producer.poll(0 if self.sent % 50 else 0.002)

    def told(self, number, error):
        if error:
            self.failed[number] = str(error)
        else:
            self.acked.add(number)

    def stop(self):
        self.goes_on = False
        self.thread.join()
        return self.producer.flush(60)


def read(servers):
    consumer = Consumer({**servers, "group.id": "judge", "enable.partition.eof": True, "log_level": 0})
    consumer.assign([TopicPartition("load", partition, 0) for partition in range(PARTITIONS)])
    found, ended, until = [[] for _ in range(PARTITIONS)], set(), time.monotonic() + 120
    while len(ended) < PARTITIONS and time.monotonic() < until:
        for message in consumer.consume(10_000, 0.5):
            if message.error():
                ended.add(message.partition())
            else:
                found[message.partition()].append(int(message.value()))
    consumer.close()
    if len(ended) < PARTITIONS:
        sys.exit("the partitions could not be read to their ends in two minutes")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--broker", default=ROOT / "target" / "release" / "topomotion", type=pathlib.Path)
    parser.add_argument("--rounds", default=50, type=int)
    parser.add_argument("--seconds", default=300, type=int, help="no new round after this time")
    parser.add_argument("--no-fsync", action="store_true", help="acknowledge before it is flushed")
    arguments = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="topomotion-kill-") as folder:
        cluster = Cluster(arguments.broker, folder, not arguments.no_fsync)
        admin = AdminClient({**cluster.servers, "log_level": 0})
        for future in admin.create_topics([NewTopic("load", PARTITIONS, 3, config={"min.insync.replicas": "2"})]).values():
            future.result(15)
        load = Load(cluster.servers)
        idle = 0
        rounds = 0
        while rounds < arguments.rounds and time.monotonic() - began < arguments.seconds:
            rounds += 1
            before, until = len(load.acked), time.monotonic() + 15
            while len(load.acked) == before and time.monotonic() < until:
                time.sleep(0.01)
            idle += len(load.acked) == before
            time.sleep(random.uniform(0, 0.5))
            cluster.kill()
            cluster.start()
        left = load.stop()
        found = read(cluster.servers)
        cluster.kill()
    everything = [number for partition in found for number in partition]
    lost = load.acked - set(everything)
    doubled = len(everything) - len(set(everything))
    unsorted = sum(partition != sorted(partition) for partition in found)
    flushed = "acknowledged before they are flushed" if arguments.no_fsync else "flushed before they are acknowledged"
    print(f"{rounds} kills, {time.monotonic() - began:.0f} s, records {flushed}")
    print(f"{load.sent} sent, {len(load.acked)} acknowledged, {len(load.failed)} refused, {left} without a verdict")
    print(f"{len(lost)} lost, {doubled} doubled, {unsorted} partitions out of order, {idle} rounds without progress")
    for why in sorted(set(load.failed.values())):
        print(f"refused: {why}")
    # A producer that stands still loses nothing; it is told above, and is no promise that was broken.
    return 1 if lost or doubled or unsorted or not load.acked else 0


if __name__ == "__main__":
    sys.exit(main())
