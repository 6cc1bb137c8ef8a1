"""Reads segment files with kafka-python, and says what it found, a line per record.

Run by the test in independent.rs, which is run on request only:
    pip install kafka-python
    cargo test -p topomotion-log --test independent -- --ignored
"""

import struct
import sys

from kafka.record import MemoryRecords


def text(value):
    return "-" if value is None else value.decode()


def main(path):
    with open(path + ".log", "rb") as file:
        content = file.read()
    records = MemoryRecords(content)
    starts, position = {}, 0
    while records.has_next():
        batch = records.next_batch()
        assert batch.validate_crc(), "checksum"
        length, epoch = struct.unpack_from(">ii", content, position + 8)
        starts[position] = (batch.base_offset, batch.last_offset)
        for record in batch:
            headers = ",".join(f"{key}={text(value)}" for key, value in record.headers)
            print(record.offset, epoch, record.timestamp, text(record.key), text(record.value), headers or "-")
        position += 12 + length
    assert position == len(content), "bytes left over"
    base = int(path[-20:])
    with open(path + ".index", "rb") as file:
        for relative, position in struct.iter_unpack(">ii", file.read()):
            first, last = starts[position]
            assert first <= base + relative <= last, "an index entry names its batch"
            print("index", base + relative, position)


main(sys.argv[1])
