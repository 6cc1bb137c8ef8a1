"""The programs of examples/clients, each held to what it says; and two of them filmed.

They are run where their packages are: the folder that the first argument names.
"""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

from confluent_kafka import Consumer, Producer, TopicPartition

SERVERS = {"bootstrap.servers": os.environ["BOOTSTRAP_SERVERS"]}
# How long anything may take: a limit is there to end what hangs, on a loaded machine too.
PATIENCE = 60
HOME = pathlib.Path(sys.argv[1])


def ok(what):
    print("ok", what, flush=True)


def equal(got, wanted, what):
    assert got == wanted, f"{what}: got {got!r}, not {wanted!r}"


def start(program, *words, **variables):
    command = ["node", HOME / program, *map(str, words)]
    pipe = subprocess.PIPE
    environment = {**os.environ, **variables}
    return subprocess.Popen(command, env=environment, stdout=pipe, stderr=subprocess.STDOUT, text=True)


def end(process, seconds=PATIENCE):
    said, _ = process.communicate(timeout=seconds)
    assert process.returncode == 0, f"{process.args}: {said}"
    return said.splitlines()


def run(program, *words, **variables):
    return end(start(program, *words, **variables))


def read(topic, partitions):
    consumer = Consumer({**SERVERS, "group.id": "check", "isolation.level": "read_committed", "enable.partition.eof": True})
    consumer.assign([TopicPartition(topic, partition, 0) for partition in range(partitions)])
    messages, ended, until = [], set(), time.monotonic() + PATIENCE
    while len(ended) < partitions and time.monotonic() < until:
        message = consumer.poll(0.2)
        if message is None:
            continue
        if message.error():
            ended.add(message.partition())
        else:
            messages.append(message)
    consumer.close()
    equal(len(ended), partitions, f"partitions of {topic} that were read to their end")
    return messages


# Making topics.
said = run("admin.mjs")
names = "payments, payments.dead, receipts"
equal(said[:2], [f"made {names}", f"topics: {names}"], "what the first run says")
pattern = r"payments-(\d): leader [123], replicas( [123]){3}, in sync( [123]){3}"
equal([bool(re.fullmatch(pattern, line)) for line in said[2:]], [True] * 3, f"partitions: {said[2:]}")
equal(run("admin.mjs")[0], "the topics are there already", "what the second run says")
ok("admin.mjs makes three topics, once, and tells who leads")

# One payment's life, and who reads it.
reader = start("consumer.mjs", 4)
states = ["REQUESTED", "AUTHORISED", "CAPTURED", "SETTLED"]
said = run("producer.mjs")
places = [re.fullmatch(r"sent (\w+) to (payments-\d) at (\d+)", line).groups() for line in said]
equal([state for state, _, _ in places], states, "what was sent")
equal({partition for _, partition, _ in places}, {places[0][1]}, "the partition of one key")
equal([int(offset) for *_, offset in places], [0, 1, 2, 3], "offsets")
ok("producer.mjs: four events of one key, in order, in one partition")
said = end(reader)
mails = [line for line in said if "mails about" in line]
wanted = [f"{places[0][1]}@{n} PAYMENT_{it}: mails about pay-7, {it}" for n, it in enumerate(states)]
equal(mails, wanted, "what was read")
equal(said[-1], "left the group", "the end")
said = run("lag.mjs", "mailers", 1)
equal(said[-1], "mailers: Empty, 0 members, lag 0", "the group afterwards")
equal(len([line for line in said if "caught up" in line]), 3, "partitions without lag")
ok("consumer.mjs reads them, commits, and leaves; lag.mjs sees nothing behind")

# Batches.
said = run("batch.mjs")
(told,) = re.findall(r"100 records to 3 partitions in (\d+) requests", said[0])
assert int(told) <= 3, "a request for each broker at most"
total = len(read("payments", 3))
equal(total, 105, "payments")
said = run("lag.mjs", "mailers", 1)
equal(said[-1], "mailers: Empty, 0 members, lag 101", "the group while nobody reads")
ok("batch.mjs: a hundred records in three requests; lag.mjs sees them")

# Receipts, exactly once: one payment cannot have any.
producer = Producer(SERVERS)
producer.produce("payments", key="pay-bad", value=json.dumps({"id": "pay-bad", "cents": -1, "state": "REQUESTED"}))
equal(producer.flush(PATIENCE), 0, "what was not delivered")
said = run("transaction.mjs", total + 1)
equal(sum(" committed: " in line for line in said), total, "transactions committed")
equal([line.split(" ", 1)[1] for line in said if "aborted" in line], ["aborted: pay-bad is of -1 cents"], "aborted")
# (batch.mjs has written one that is of no payment's place.)
receipts = [json.loads(message.value()) for message in read("receipts", 3)]
of = [receipt["of"] for receipt in receipts if "of" in receipt]
equal((len(of), len(set(of))), (total, total), "receipts, and payments that have one")
assert not any(receipt["id"] == "pay-bad" for receipt in receipts), "an aborted receipt is seen"
ok("transaction.mjs: a receipt for each payment, once; what is aborted is not seen")

# Dead letters.
said = run("dead-letters.mjs", total + 1)
equal(sum(line.endswith(" entered") for line in said), total, "payments entered")
(dead,) = read("payments.dead", 1)
headers = {name: value.decode() for name, value in dead.headers()}
equal(dead.key(), b"pay-bad", "the key of what was put aside")
equal((headers["dead.topic"], headers["dead.tries"]), ("payments", "3"), "where it came from")
equal(headers["dead.reason"], "pay-bad is of -1 cents", "why")
ok("dead-letters.mjs: what fails three times is put aside, with where and why; the rest goes on")

# The pair for a service that has to run.
port = 18_000 + os.getpid() % 2_000
one = start("service-consumer.mjs", NAME="notifier-1", HEALTH_PORT=str(port))
other = start("service-consumer.mjs", NAME="notifier-2")


def status(path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as refused:
        return refused.code
    except OSError:
        return None


until = time.monotonic() + PATIENCE
while (status("/health"), status("/ready"), status("/else")) != (200, 200, 404):
    assert time.monotonic() < until, "the consumer gets ready in time"
    time.sleep(0.1)
said = run("service-producer.mjs", 30)
equal(said[-1], "sent 30 payments, 0 failed; disconnected", "what the producer says")
writer = start("service-producer.mjs")
assert any(line.strip() == "connected" for line in writer.stdout), "the producer never got to work"
time.sleep(1)
writer.send_signal(signal.SIGTERM)
told = end(writer)[-1]
assert re.fullmatch(r"sent \d+ payments, 0 failed; disconnected", told), told
more = int(told.split()[1])
until = time.monotonic() + PATIENCE
while not (lag := run("lag.mjs", "notifiers", 1))[-1].endswith("2 members, lag 0"):
    assert time.monotonic() < until, f"the group catches up in time: {lag}"
for process in (one, other):
    process.send_signal(signal.SIGTERM)
both = [end(process) for process in (one, other)]
equal([said[-1] for said in both], ["stopped as it should"] * 2, "how they end")
notified = sum("tells the customer" in line for said in both for line in said)
equal(notified, total + 30 + more, "customers told")
equal(sum("puts pay-bad aside" in line for said in both for line in said), 1, "what one of them puts aside")
equal(run("lag.mjs", "notifiers", 1)[-1], "notifiers: Empty, 0 members, lag 0", "the group at the end")
ok("service-producer.mjs and two of service-consumer.mjs: health, rebalance, nothing lost, a clean end")

# Films.
with tempfile.TemporaryDirectory(prefix="topomotion-films-") as folder:
    for program, clients in {"shop.mjs": ["checkout", "mailer", "receipts"], "batch.mjs": ["importer"]}.items():
        film = pathlib.Path(folder) / f"{program}.svg"
        command = [os.environ["TOPOMOTION"], "record", "-o", film, "--", "node", HOME / program]
        done = subprocess.run(command, capture_output=True, text=True, timeout=2 * PATIENCE)
        equal(done.returncode, 0, f"{program}: {done.stdout}{done.stderr}")
        text = film.read_text()
        missing = [name for name in [*clients, "broker-3"] if f'data-id="{name}"' not in text]
        equal(missing, [], f"who is not in the film of {program}")
ok("shop.mjs and batch.mjs are filmed, with everybody in it")
