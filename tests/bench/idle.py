#!/usr/bin/env python3
"""What a cluster costs that does nothing, how soon it answers, and what a thousand connections do to one client.

    python3 tests/bench/idle.py [--broker PROGRAM] [--rounds 5]

- Resident memory of one broker and of three, five seconds after they are ready, nothing asked of them.
- From the start of the process to the first Metadata answer that names all brokers.
- The time that a request takes (Metadata, median of 2,000, one connection), alone and beside 1,000 connections, of which
  100 have sent half a frame and 100 ask and never read what they are answered.

Standard library only. Judges nothing.
"""

import argparse
import os
import pathlib
import resource
import socket
import statistics
import struct
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PORT = 20_000 + os.getpid() % 2_000 * 4  # not that of another run beside this one, nor one that the system gives away
OTHERS, STALLED, REQUESTS = 1_000, 200, 2_000
# Metadata 1 of all topics: API 3, version 1, correlation id 7, a client without a name, null.
BODY = struct.pack(">hhihi", 3, 1, 7, -1, -1)
REQUEST = struct.pack(">i", len(BODY)) + BODY


def read(connection, count):
    data = b""
    while len(data) < count:
        some = connection.recv(count - len(data))
        if not some:
            raise ConnectionError("closed")
        data += some
    return data


def ask(connection):
    """How many brokers there are."""
    connection.sendall(REQUEST)
    answer = read(connection, *struct.unpack(">i", read(connection, 4)))
    return struct.unpack_from(">i", answer, 4)[0]


def dial():
    connection = socket.create_connection(("127.0.0.1", PORT), timeout=10)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


class Cluster:
    def __init__(self, program, brokers):
        command = [program, "broker", "--brokers", str(brokers), "--port", str(PORT), "--no-control"]
        began = time.perf_counter()
        self.said = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=self.said)
        while True:
            try:
                with dial() as connection:
                    if ask(connection) == brokers:
                        break
            except OSError as error:
                if time.perf_counter() - began > 60:
                    self.process.kill()
                    raise RuntimeError(f"no answer within 60 s ({error}): {self.last_words()}") from None
            self.check()
            time.sleep(0.000_5)
        self.took = time.perf_counter() - began
        self.check()

    def last_words(self):
        self.said.seek(0)
        return self.said.read().strip()

    def check(self):
        """Whoever has answered may be another broker at that port."""
        if (code := self.process.poll()) is not None:
            raise RuntimeError(f"the broker has ended with {code}: {self.last_words()}")

    def resident(self, kind="VmRSS"):
        """MB; of RssAnon, what is not the program's own file."""
        self.check()
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split(f"{kind}:")[1].split()[0]) / 1024

    def busy(self):
        """Seconds of a processor so far."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def settle(self):
        """Waits until it has heard whatever was said to it."""
        before = -1.0
        while (now := self.busy()) - before > 0.1:
            before = now
            time.sleep(1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def latency():
    """Median, and what one in a hundred exceeds, in microseconds."""
    took = []
    with dial() as connection:
        for _ in range(REQUESTS):
            began = time.perf_counter()
            ask(connection)
            took.append((time.perf_counter() - began) * 1e6)
    return statistics.median(took), statistics.quantiles(took, n=100)[98]


def stall(connection, number):
    if number % 2 == 0:
        return connection.sendall(REQUEST[: len(REQUEST) // 2])
    connection.setblocking(False)
    try:
        while True:
            connection.send(REQUEST * 100)
    except BlockingIOError:
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--broker", default=ROOT / "target" / "release" / "topomotion", type=pathlib.Path)
    parser.add_argument("--rounds", default=5, type=int)
    arguments = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    for brokers in (1, 3):
        took = []
        for _ in range(arguments.rounds):
            with Cluster(arguments.broker, brokers) as cluster:
                took.append(cluster.took * 1000)
        with Cluster(arguments.broker, brokers) as cluster:
            time.sleep(5)
            resident, own = cluster.resident(), cluster.resident("RssAnon")
        each = " ".join(f"{it:.1f}" for it in took)
        told = f"{brokers} brokers: {resident:.1f} MB resident ({own:.1f} without the program's file)"
        print(f"{told}, first Metadata after {statistics.median(took):.1f} ms ({each})")
    with Cluster(arguments.broker, 1) as cluster:
        latency()
        alone = [latency() for _ in range(arguments.rounds)]
        others = [dial() for _ in range(OTHERS)]
        for number, connection in enumerate(others):
            if number < STALLED:
                stall(connection, number)
            else:
                ask(connection)
        cluster.settle()
        beside = [latency() for _ in range(arguments.rounds)]
        resident = cluster.resident()
        asks = sum(ask(connection) == 1 for connection in others[STALLED:])
    for name, runs in ("alone", alone), (f"beside {OTHERS} connections, {STALLED} of them stalled", beside):
        p50, p99 = (statistics.median(run[at] for run in runs) for at in (0, 1))
        print(f"Metadata {name}: p50 {p50:.0f} µs, p99 {p99:.0f} µs")
    ratio = statistics.median(run[0] for run in beside) / statistics.median(run[0] for run in alone)
    print(f"p50 is {ratio:.2f} times as long; {resident:.1f} MB resident; {asks} of {OTHERS - STALLED} others are still answered")


if __name__ == "__main__":
    main()
