#!/usr/bin/env python3
"""Whether memory stays where it is while records come and go.

    python3 tests/bench/flat.py [--broker PROGRAM] [--minutes 60] [--rate 2000]

One broker in memory, a topic that keeps 16 MiB, records of 1 KiB at a steady rate, a consumer in a group that reads and
commits them. Resident memory is sampled every five seconds; old segments are looked for every five minutes
(`log.retention.check.interval.ms`), so what counts is the highest value of every ten minutes.
"""

import argparse
import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import produce  # noqa: E402 (it sees to confluent-kafka)
from confluent_kafka import Consumer, Producer  # noqa: E402
from confluent_kafka.admin import NewTopic  # noqa: E402


def resident(process):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--broker", default=produce.ROOT / "target" / "release" / "topomotion", type=pathlib.Path)
    parser.add_argument("--minutes", default=60, type=float)
    parser.add_argument("--rate", default=2_000, type=int)
    arguments = parser.parse_args()
    served = produce.Served([arguments.broker, "broker", "--brokers", "1", "--port", str(produce.PORT), "--no-control"])
    try:
        kept = {"retention.bytes": str(16 << 20), "segment.bytes": str(4 << 20)}
        for future in served.admin.create_topics([NewTopic("flat", 1, 1, config=kept)]).values():
            future.result(15)
        quiet = {**served.settings, "log_level": 0}
        producer = Producer({**quiet, "linger.ms": 20})
        consumer = Consumer({**quiet, "group.id": "flat", "auto.offset.reset": "earliest"})
        consumer.subscribe(["flat"])
        value, began, sent, got, told, peaks = os.urandom(1024), time.monotonic(), 0, 0, 0, {}
        while (passed := time.monotonic() - began) < arguments.minutes * 60:
            while sent < passed * arguments.rate:
                producer.produce("flat", value)
                sent += 1
            producer.poll(0)
            got += sum(message.error() is None for message in consumer.consume(2_000, timeout=0.05))
            if passed >= told:
                told += 5
                now = resident(served.process)
                part = int(passed // 600)
                peaks[part] = max(peaks.get(part, 0), now)
                print(f"{passed:6.0f} s  {now:7.1f} MB  {sent} sent, {got} read", flush=True)
        producer.flush(10)
        consumer.close()
    finally:
        served.stop()
    print("highest of every ten minutes: " + ", ".join(f"{it:.1f} MB" for it in peaks.values()))


if __name__ == "__main__":
    main()
