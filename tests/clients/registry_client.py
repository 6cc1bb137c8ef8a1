"""Confluent's own Schema Registry client with Avro, against `topomotion broker --schema-registry`.

What is registered has to be in the compacted topic `_schemas`, so a broker that starts again has it.
"""

import os
import re
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from confluent_kafka import DeserializingConsumer, SerializingProducer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

ORDER = '{"type":"record","name":"Order","fields":[{"name":"id","type":"string"},{"name":"total","type":"long"}]}'
NOTED = ORDER.replace("]}", ',{"name":"note","type":"string","default":""}]}')
BROKEN = ORDER.replace("]}", ',{"name":"note","type":"string"}]}')
SHORT = '{"type":"record","name":"Order","fields":[{"name":"id","type":"string"}]}'
NAMED = """{"title":"Customer","type":"object","properties":{"name":{"type":"string"}},"required":["name"]}"""


def ok(what):
    print("ok", what, flush=True)


def equal(got, wanted, what):
    assert got == wanted, f"{what}: got {got!r}, not {wanted!r}"


class Broker:
    def __init__(self, folder):
        command = [os.environ["TOPOMOTION"], "broker", "--port", "0", "--schema-registry", "0", "--data-dir", folder]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.at = {}
        while not {"bootstrap.servers", "schema.registry.url"} <= self.at.keys():
            line = self.process.stdout.readline()
            assert line, self.process.stderr.read()
            name, _, value = line.strip().partition("=")
            self.at[name] = value
        self.registry = SchemaRegistryClient({"url": self.at["schema.registry.url"]})
        # Whoever outlives its brokers would complain every second.
        self.servers = {"bootstrap.servers": self.at["bootstrap.servers"], "log_level": 0}

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        equal(self.process.wait(60), 0, "the end of the broker")


def refusal(act):
    try:
        act()
    except SchemaRegistryError as refused:
        return refused.http_status_code, refused.error_code
    raise AssertionError("it was not refused")


def serialised(broker):
    """Records through a topic, each with the id of its schema before it."""
    orders = [{"id": f"order-{number}", "total": number} for number in range(20)]
    producer = SerializingProducer(
        {**broker.servers, "value.serializer": AvroSerializer(broker.registry, ORDER), "linger.ms": 1}
    )
    failures = []
    for order in orders:
        producer.produce("orders", value=order, on_delivery=lambda error, _: error and failures.append(error))
    equal((producer.flush(60), failures), (0, []), "what was not delivered")
    equal([value for value, _ in read(broker, AvroDeserializer(broker.registry), 20)], orders, "what was read")
    return orders


def read(broker, deserializer, count):
    settings = {**broker.servers, "group.id": "readers", "value.deserializer": deserializer}
    consumer = DeserializingConsumer(settings)
    consumer.assign([TopicPartition("orders", 0, 0)])
    values, end = [], time.monotonic() + 60
    while len(values) < count and time.monotonic() < end:
        message = consumer.poll(0.2)
        if message is not None:
            values.append((message.value(), message.offset()))
    consumer.close()
    return values


def led_by_all(broker):
    """Who leads the registry's topic, once all three brokers have what is in it: with fewer, nobody might follow."""
    admin, until = AdminClient(broker.servers), time.monotonic() + 60
    while time.monotonic() < until:
        partition = admin.list_topics("_schemas", 60).topics["_schemas"].partitions[0]
        if len(partition.isrs) == 3:
            return partition.leader
        time.sleep(0.1)
    raise AssertionError(f"in sync: {partition.isrs}")


def raw(url, path, body=None, method="GET", headers=None):
    request = urllib.request.Request(url + path, body, headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.headers["Content-Type"], refused.read()


folder = tempfile.TemporaryDirectory(prefix="topomotion-registry-")
broker = Broker(folder.name)
try:
    registry = broker.registry
    orders = serialised(broker)
    ok("Avro records are written under a schema that is registered, and read by it")
    latest = registry.get_latest_version("orders-value")
    equal((latest.version, latest.schema_id), (1, 1), "the first version")
    equal(registry.register_schema("orders-value", Schema(ORDER, "AVRO")), 1, "the same schema's id")
    equal(registry.get_schema(1).schema_str.replace(" ", ""), ORDER, "the schema of id 1")
    equal(registry.lookup_schema("orders-value", Schema(ORDER, "AVRO")).version, 1, "its version")
    equal(registry.get_subjects(), ["orders-value"], "subjects")
    ok("a schema is found by its id, by its subject and by itself; registering it again changes nothing")

    equal(registry.test_compatibility("orders-value", Schema(BROKEN, "AVRO")), False, "a field without default")
    equal(registry.test_compatibility("orders-value", Schema(NOTED, "AVRO")), True, "a field with default")
    equal(refusal(lambda: registry.register_schema("orders-value", Schema(BROKEN, "AVRO"))), (409, 409), "refusal")
    equal(registry.get_versions("orders-value"), [1], "versions after a refusal")
    equal(refusal(lambda: registry.register_schema("x", Schema('{"type":"cat"}', "AVRO"))), (422, 42201), "no Avro")
    equal(refusal(lambda: registry.get_latest_version("nobody")), (404, 40401), "no such subject")
    equal(refusal(lambda: registry.get_schema(99)), (404, 40403), "no such id")
    ok("what readers could not read is refused with 409, and not kept")

    equal(registry.register_schema("orders-value", Schema(NOTED, "AVRO")), 2, "the second schema's id")
    producer = SerializingProducer({**broker.servers, "value.serializer": AvroSerializer(registry, NOTED)})
    producer.produce("orders", value={"id": "late", "total": 7, "note": "gift"})
    equal(producer.flush(60), 0, "what was not delivered")
    as_now = read(broker, AvroDeserializer(registry, NOTED), 21)
    equal(as_now[0][0], {**orders[0], "note": ""}, "an old record, as the new schema reads it")
    as_then = read(broker, AvroDeserializer(registry, ORDER), 21)
    equal(as_then[-1][0], {"id": "late", "total": 7}, "a new record, as the old schema reads it")
    ok("a schema evolves: old records are read with its default, new ones by who knows only the old")

    equal(registry.get_compatibility(), "BACKWARD", "the level at first")
    registry.set_compatibility("orders-value", "NONE")
    equal(registry.get_compatibility("orders-value"), "NONE", "the subject's level")
    equal(registry.register_schema("orders-value", Schema(BROKEN, "AVRO")), 3, "what breaks, where that is allowed")
    equal(registry.delete_version("orders-value", 3), 3, "the version that was deleted")
    registry.set_compatibility("orders-value", "FULL")
    ok("levels are set for one subject, versions deleted")

    context = SerializationContext("customers", MessageField.VALUE)
    frame = JSONSerializer(NAMED, registry)({"name": "Ada"}, context)
    equal(frame[0], 0, "the first byte of a frame")
    equal(JSONDeserializer(NAMED, schema_registry_client=registry)(frame, context), {"name": "Ada"}, "what was said")
    equal(registry.get_latest_version("customers-value").schema.schema_type, "JSON", "its type")
    odd = "a b/ü%-value"
    number = registry.register_schema(odd, Schema(ORDER, "AVRO"))
    equal((number, registry.get_versions(odd)), (1, [1]), "a subject with signs that a path escapes")
    ok("JSON schemas, and subjects with any sign in their names")

    url = broker.at["schema.registry.url"]
    status, kind, body = raw(url, "/")
    equal((status, kind, body), (200, "application/vnd.schemaregistry.v1+json", b"{}"), "the root")
    equal(raw(url, "/nothing")[0], 404, "no such path")
    equal(raw(url, "/subjects", method="PATCH")[0], 405, "no such method")
    equal(raw(url, "/subjects/x/versions", b"\xff", "POST")[0], 400, "no text")
    equal(raw(url, "/subjects/x/versions", b"{", "POST")[0], 422, "no JSON")
    equal(raw(url, "/subjects", headers={"X": "x" * 20_000})[0], 431, "a head without end")
    ok("what is no request is refused by its kind")

    admin = AdminClient(broker.servers)
    resource = ConfigResource(ResourceType.TOPIC, "_schemas")
    (future,) = admin.describe_configs([resource]).values()
    equal(future.result(60)["cleanup.policy"].value, "compact", "the policy of _schemas")
    before = {subject: registry.get_versions(subject) for subject in registry.get_subjects()}
    broker.stop()
    broker = Broker(folder.name)
    registry = broker.registry
    equal({subject: registry.get_versions(subject) for subject in registry.get_subjects()}, before, "what it knows")
    equal(registry.get_compatibility("orders-value"), "FULL", "the level")
    equal(refusal(lambda: registry.register_schema("orders-value", Schema(SHORT, "AVRO"))), (409, 409), "refusal")
    equal(len(read(broker, AvroDeserializer(registry), 21)), 21, "records that it can still read")
    ok("it is all in a compacted topic: a registry that starts again knows it")

    # Whoever leads the topic dies; the registry goes on with the next.
    program, port = os.environ["TOPOMOTION"], re.search(r":(\d+)", broker.servers["bootstrap.servers"])[1]
    leader = led_by_all(broker)
    subprocess.run([program, "broker", "crash", str(leader), "--port", port], check=True, capture_output=True)
    equal(registry.register_schema("late-value", Schema(NOTED, "AVRO")), 2, "a schema, while a broker is down")
    subprocess.run([program, "broker", "restart", str(leader), "--port", port], check=True, capture_output=True)
    equal(registry.get_versions("late-value"), [1], "its versions")
    ok("the leader of its topic dies, and who registers meanwhile does not notice")
    broker.stop()
finally:
    broker.process.kill()
    folder.cleanup()
