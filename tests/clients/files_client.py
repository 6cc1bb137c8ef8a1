"""What a client wrote survives `kill -9`, and its segment files are read by an independent parser.

Starts brokers of its own with $TOPOMOTION; the one at $BOOTSTRAP_SERVERS is not needed."""

import atexit
import os
import pathlib
import subprocess
import tempfile

from confluent_kafka import Consumer, Producer, TopicPartition
from kafka.record import MemoryRecords

PROGRAM = os.environ["TOPOMOTION"]
COUNT = 3000


def ok(what):
    print("ok", what, flush=True)


def equal(got, wanted, what):
    assert got == wanted, f"{what}: got {got!r}, not {wanted!r}"


def start(folder, *more):
    command = [PROGRAM, "broker", "--brokers", "1", "--port", "0", "--data-dir", folder, *more]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    atexit.register(process.kill)
    return process, process.stdout.readline().strip().partition("=")[2]


def produce(servers, values, codec):
    producer = Producer({"bootstrap.servers": servers, "acks": "all", "compression.codec": codec, "linger.ms": 2})
    for value in values:
        producer.produce("kept", value, key=value)
    equal(producer.flush(60), 0, "left in the queue")


def read(servers, count):
    consumer = Consumer({"bootstrap.servers": servers, "group.id": "g", "enable.auto.commit": False})
    consumer.assign([TopicPartition("kept", 0, 0)])
    messages = []
    while len(messages) < count:
        batch = consumer.consume(count - len(messages), 10)
        assert batch, f"{len(messages)} of {count}"
        messages += [message.value().decode() for message in batch]
    consumer.commit(offsets=[TopicPartition("kept", 0, count)], asynchronous=False)
    consumer.close()
    return messages


def committed(servers):
    consumer = Consumer({"bootstrap.servers": servers, "group.id": "g"})
    found = consumer.committed([TopicPartition("kept", 0)], timeout=60)[0].offset
    consumer.close()
    return found


def refused(*arguments):
    done = subprocess.run([PROGRAM, "broker", *arguments], capture_output=True, text=True, timeout=60)
    equal(done.returncode, 1, "exit code")
    equal(len(done.stderr.strip().splitlines()), 2, f"lines: {done.stderr}")
    return done.stderr


with tempfile.TemporaryDirectory(prefix="topomotion-files-") as folder:
    wanted = []
    for round, codec in enumerate(("none", "gzip", "snappy", "lz4", "zstd")):
        process, servers = start(folder, *(["--fsync"] if codec == "zstd" else []))
        if wanted:
            equal(committed(servers), len(wanted), "the committed offset")
            equal(read(servers, len(wanted)), wanted, f"what was written before, round {round}")
        batch = [f"{codec}-{number}" for number in range(COUNT)]
        produce(servers, batch, codec)
        wanted += batch
        read(servers, len(wanted))
        if round == 0:
            told = refused("--brokers", "1", "--port", "0", "--data-dir", folder)
            assert "another process serves" in told, told
            told = refused("--brokers", "1", "--port", servers.rpartition(":")[2])
            assert "is in use" in told, told
            ok("a data directory and a port that are taken are told of")
        process.kill()
        process.wait()
    ok("five times kill -9: every acknowledged record and every committed offset is there")
    process, servers = start(folder)
    equal(read(servers, len(wanted)), wanted, "after the last kill")
    process.terminate()
    equal(process.wait(60), 0, "exit code")
    told = refused("--brokers", "3", "--port", "0", "--data-dir", folder)
    assert "made for 1 broker, not for" in told, told
    broker = pathlib.Path(folder) / "broker-1"
    segments = sorted((broker / "kept-0").glob("*.log"))
    found, offset = [], 0
    for segment in segments:
        records = MemoryRecords(segment.read_bytes())
        while (batch := records.next_batch()) is not None:
            assert batch.validate_crc(), f"the checksum at {offset}"
            for record in batch:
                equal(record.offset, offset, "offset")
                offset += 1
                found.append(record.value.decode())
    equal(found, wanted, "what kafka-python reads from the segments")
    ok("segments are read back by kafka-python, every codec")
    assert {"partition.metadata", "leader-epoch-checkpoint"} <= {it.name for it in (broker / "kept-0").iterdir()}
    assert (broker / "meta.properties").read_text().count("node.id=1") == 1
    assert (broker / ".kafka_cleanshutdown").exists()
    ok("the folder is laid out as Kafka's")
