"""Log-ins, ACLs and TLS against clusters of its own: librdkafka, kafka-python, and the programs for kafkajs and Java that are given as
arguments (JSON: name to command). $TOPOMOTION serves."""

import base64
import json
import os
import pathlib
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicCollection
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    NewTopic,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)
from kafka import KafkaAdminClient, KafkaProducer
from kafka.errors import KafkaError as PythonError

MECHANISMS = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
CERTIFICATE = pathlib.Path(__file__).resolve().parents[2] / "crates/host/tests/tls/certificate.pem"
PASSWORDS = {"alice": "alice-secret,=1", "bob": "bob-secret", "root": "root-secret"}


def ok(what):
    print("ok", what, flush=True)


def equal(got, wanted, what):
    assert got == wanted, f"{what}: got {got!r}, not {wanted!r}"


class Broker:
    """`topomotion broker` with one broker and these options."""

    def __init__(self, *options):
        command = [os.environ["TOPOMOTION"], "broker", "--brokers", "1", "--port", "0", "--no-control", *options]
        self.lines, told = [], queue.Queue()
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True)
        threading.Thread(target=lambda: [told.put(line) for line in self.process.stdout], daemon=True).start()
        self.listener = threading.Thread(target=lambda: self.lines.extend(self.process.stderr), daemon=True)
        self.listener.start()
        # The last thing that comes is its end.
        threading.Thread(target=lambda: (self.process.wait(), told.put("")), daemon=True).start()
        self.told = {}
        wanted = {"bootstrap.servers"} | ({"schema.registry.url"} if "--schema-registry" in options else set())
        while not wanted <= self.told.keys():
            name, _, value = told.get(timeout=60).strip().partition("=")
            if not value:
                self.listener.join(5)
                raise RuntimeError(f"the broker did not start: {''.join(self.lines)}")
            self.told[name] = value
        self.bootstrap = self.told["bootstrap.servers"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        equal(self.process.wait(60), 0, "the broker's end")
        self.listener.join(5)

    def heard(self, what, seconds=30):
        until = time.monotonic() + seconds
        while not any(what in line for line in self.lines):
            assert time.monotonic() < until, f"{what!r} in {self.lines}"
            time.sleep(0.02)


def rdkafka(servers, user, mechanism, password=None, **more):
    return {
        "bootstrap.servers": servers,
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": mechanism,
        "sasl.username": user,
        "sasl.password": password or PASSWORDS[user],
        "client.id": user,
        "log_level": 0,
    } | {name.replace("_", "."): value for name, value in more.items()}


def refusals(config):
    """The errors of a client that is not let in."""
    seen = queue.Queue()
    producer = Producer(config | {"error_cb": seen.put})
    until = time.monotonic() + 60
    while time.monotonic() < until:
        producer.poll(0.05)
        if not seen.empty():
            return seen.get()
    raise AssertionError("no error came")


def mechanisms(broker):
    admin = AdminClient(rdkafka(broker.bootstrap, "alice", "PLAIN"))
    admin.create_topics([NewTopic("log-ins", 1, 1)])["log-ins"].result(60)
    for number, mechanism in enumerate(MECHANISMS):
        config = rdkafka(broker.bootstrap, "alice", mechanism)
        producer = Producer(config)
        producer.produce("log-ins", f"by {mechanism}")
        equal(producer.flush(60), 0, f"{mechanism}: unsent")
        consumer = Consumer(config | {"group.id": mechanism, "auto.offset.reset": "earliest"})
        consumer.subscribe(["log-ins"])
        seen, until = [], time.monotonic() + 60
        while len(seen) <= number and time.monotonic() < until:
            message = consumer.poll(0.1)
            if message is not None and message.error() is None:
                seen.append(message.value().decode())
        consumer.close()
        equal(seen[-1:], [f"by {mechanism}"], f"{mechanism}: read back")
        ok(f"librdkafka: {mechanism}, produced and read in a group")
        error = refusals(config | {"sasl.password": "wrong"})
        equal(error.code(), KafkaError._AUTHENTICATION, f"{mechanism}: {error}")
        ok(f"librdkafka: {mechanism}, a wrong password is refused")
    broker.heard('("alice")')
    ok("the broker tells who did not get in")


def python(broker):
    for mechanism in MECHANISMS:
        config = {
            "bootstrap_servers": broker.bootstrap,
            "security_protocol": "SASL_PLAINTEXT",
            "sasl_mechanism": mechanism,
            "sasl_plain_username": "bob",
        }
        producer = KafkaProducer(**config, sasl_plain_password=PASSWORDS["bob"])
        producer.send("log-ins", b"python").get(60)
        producer.close()
        ok(f"kafka-python: {mechanism}")
        try:
            KafkaAdminClient(**config, sasl_plain_password="wrong", bootstrap_timeout_ms=1000).list_topics()
        except PythonError:
            ok(f"kafka-python: {mechanism}, a wrong password is refused")
        else:
            raise AssertionError("a wrong password was taken")


def strangers(broker):
    plain = AdminClient({"bootstrap.servers": broker.bootstrap, "log_level": 0})
    try:
        plain.list_topics(timeout=1)
    except KafkaException:
        ok("librdkafka: whoever does not log in hears nothing")
    else:
        raise AssertionError("the topics were told to a stranger")
    broker.heard("this listener wants SASL")
    told = pathlib.Path(f"/proc/{broker.process.pid}/cmdline")
    if told.exists():
        assert not any(password.encode() in told.read_bytes() for password in PASSWORDS.values())
        ok("no password is in the list of processes")


def acl(kind, name, pattern, user, operation, permission=AclPermissionType.ALLOW):
    return AclBinding(kind, name, pattern, f"User:{user}", "*", operation, permission)


def refused(act, code, what):
    try:
        act()
    except KafkaException as error:
        equal(error.args[0].code(), code, what)
        return ok(f"librdkafka: {what}")
    raise AssertionError(f"{what}: nobody objected")


def produce(broker, user, topic):
    failures = []
    producer = Producer(rdkafka(broker.bootstrap, user, "SCRAM-SHA-256"))
    producer.produce(topic, user, on_delivery=lambda error, _: error and failures.append(error))
    producer.flush(60)
    if failures:
        raise KafkaException(failures[0])


def read(broker, user, topic, group):
    config = rdkafka(broker.bootstrap, user, "SCRAM-SHA-256")
    consumer = Consumer(config | {"group.id": group, "auto.offset.reset": "earliest", "isolation.level": "read_committed"})
    consumer.subscribe([topic])
    until = time.monotonic() + 60
    try:
        while time.monotonic() < until:
            message = consumer.poll(0.1)
            if message is None:
                continue
            if message.error() is not None:
                raise KafkaException(message.error())
            return message.value().decode()
    finally:
        consumer.close()
    raise AssertionError("nothing came")


def acls(broker):
    topic, prefixed, literal = ResourceType.TOPIC, ResourcePatternType.PREFIXED, ResourcePatternType.LITERAL
    root = AdminClient(rdkafka(broker.bootstrap, "root", "PLAIN"))
    alice = AdminClient(rdkafka(broker.bootstrap, "alice", "PLAIN"))
    for future in root.create_topics([NewTopic("open-1", 2, 1), NewTopic("closed", 1, 1)]).values():
        future.result(60)
    refused(
        lambda: produce(broker, "alice", "open-1"), KafkaError.TOPIC_AUTHORIZATION_FAILED, "what no ACL allows is denied"
    )
    entries = [
        acl(topic, "open-", prefixed, "alice", AclOperation.WRITE),
        acl(topic, "open-1", literal, "bob", AclOperation.READ),
        acl(ResourceType.GROUP, "g-", prefixed, "bob", AclOperation.READ),
    ]
    for future in root.create_acls(entries).values():
        future.result(60)
    named = TopicCollection(["open-1"])
    everything = AclBindingFilter(
        ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ANY
    )
    equal(set(map(str, root.describe_acls(everything).result(60))), set(map(str, entries)), "described")
    ok("librdkafka: ACLs are created and described")
    produce(broker, "alice", "open-1")
    equal(set(alice.list_topics(timeout=60).topics), {"open-1"}, "what alice sees")
    told = [alice.describe_cluster(include_authorized_operations=True).result(60)]
    told += [it.result(60) for it in alice.describe_topics(named, include_authorized_operations=True).values()]
    rights = [{it.name for it in one.authorized_operations or ()} for one in told]
    equal(rights, [set(), {"WRITE", "DESCRIBE"}], "what alice may do in the cluster, and to a topic")
    (all_rights,) = root.describe_topics(named, include_authorized_operations=True).values()
    equal(len(all_rights.result(60).authorized_operations), 8, "what root may do to a topic")
    equal(read(broker, "bob", "open-1", "g-1"), "alice", "read")
    ok("librdkafka: what an ACL allows is done, and no other topic is seen")
    group = KafkaError.GROUP_AUTHORIZATION_FAILED
    refused(lambda: read(broker, "bob", "open-1", "other"), group, "another group is denied")
    refused(
        lambda: read(broker, "bob", "closed", "g-1"), KafkaError.TOPIC_AUTHORIZATION_FAILED, "another topic is denied"
    )
    refused(
        lambda: alice.create_topics([NewTopic("mine", 1, 1)])["mine"].result(60),
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        "creating a topic is denied",
    )
    cluster = KafkaError.CLUSTER_AUTHORIZATION_FAILED
    refused(lambda: alice.create_acls(entries[:1])[entries[0]].result(60), cluster, "creating ACLs is denied")
    refused(lambda: alice.delete_acls([everything])[everything].result(60), cluster, "deleting ACLs is denied")
    equal(len(root.describe_acls(everything).result(60)), len(entries), "nothing of that was done")
    denial = acl(topic, "open-1", literal, "alice", AclOperation.WRITE, AclPermissionType.DENY)
    root.create_acls([denial])[denial].result(60)
    refused(
        lambda: produce(broker, "alice", "open-1"), KafkaError.TOPIC_AUTHORIZATION_FAILED, "a denial goes first"
    )
    gone = root.delete_acls([everything])[everything].result(60)
    equal(len(gone), 4, "deleted")
    equal(root.describe_acls(everything).result(60), [], "left")
    ok("librdkafka: ACLs are deleted")


def registry(broker):
    """The registry is part of the cluster: it needs no log-in there, and no ACL."""
    schema = json.dumps({"schema": '{"type":"string"}'}).encode()
    kind = {"Content-Type": "application/vnd.schemaregistry.v1+json"}
    url = broker.told["schema.registry.url"] + "/subjects/guarded-value/versions"
    with urllib.request.urlopen(urllib.request.Request(url, schema, kind, method="POST"), timeout=60) as answer:
        equal(json.load(answer), {"id": 1}, "the schema's id")
    alice = AdminClient(rdkafka(broker.bootstrap, "alice", "PLAIN"))
    refused(
        lambda: produce(broker, "alice", "_schemas"),
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        "the registry's topic is denied to everybody else",
    )
    equal("_schemas" in alice.list_topics(timeout=60).topics, False, "its topic is seen")
    ok("the schema registry serves behind log-ins and ACLs")


def credentials(broker):
    """SCRAM credentials that administrators keep in the cluster."""
    admin = AdminClient(rdkafka(broker.bootstrap, "root", "PLAIN"))
    info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 8192)
    for password in ("first", "second"):
        change = UserScramCredentialUpsertion("carol", info, password.encode(), b"some salt")
        admin.alter_user_scram_credentials([change])["carol"].result(60)
        until(lambda: log_in(broker, "carol", password))
        error = refusals(rdkafka(broker.bootstrap, "carol", "SCRAM-SHA-256", "wrong"))
        equal(error.code(), KafkaError._AUTHENTICATION, "a wrong password")
    told = admin.describe_user_scram_credentials(["carol"])["carol"].result(60)
    infos = [(it.mechanism, it.iterations) for it in told.scram_credential_infos]
    equal(infos, [(ScramMechanism.SCRAM_SHA_256, 8192)], "described")
    weak = UserScramCredentialUpsertion("carol", ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 10), b"x", b"salt")
    refused(
        lambda: admin.alter_user_scram_credentials([weak])["carol"].result(60),
        KafkaError.UNACCEPTABLE_CREDENTIAL,
        "a credential that is too weak is refused",
    )
    gone = UserScramCredentialDeletion("carol", ScramMechanism.SCRAM_SHA_256)
    admin.alter_user_scram_credentials([gone])["carol"].result(60)
    until(lambda: not log_in(broker, "carol", "second"))
    refused(
        lambda: admin.describe_user_scram_credentials(["carol"])["carol"].result(60),
        KafkaError.RESOURCE_NOT_FOUND,
        "a credential that is gone",
    )
    ok("librdkafka: SCRAM credentials are kept by the cluster: put, used, changed, described, deleted")


def log_in(broker, user, password):
    """Whether somebody gets in by SCRAM-SHA-256."""
    admin = AdminClient(rdkafka(broker.bootstrap, user, "SCRAM-SHA-256", password))
    try:
        return bool(admin.list_topics(timeout=2).brokers)
    except KafkaException:
        return False


def until(is_so):
    end = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < end, "not in time"


def recorded(broker, folder):
    """`record --upstream` in front of a cluster that wants log-ins: they pass, and are not written down."""
    film, trace = folder / "film.svg", folder / "trace.txt"
    command = [os.environ["TOPOMOTION"], "record", "-o", film, "--trace", trace, "--upstream", broker.bootstrap]
    done = subprocess.run([*command, "--", sys.executable, __file__, "inside"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    told = trace.read_text() + film.read_text() + done.stderr
    for name, password in PASSWORDS.items():
        for secret in (password, base64.b64encode(f"\0{name}\0{password}".encode()).decode(), "c=biws"):
            assert secret not in told, f"{secret} was written down"
    assert "Produce log-ins" in told, trace.read_text()
    ok("record --upstream: log-ins pass, and none of them is written down")


def inside():
    """What is recorded."""
    for mechanism in MECHANISMS:
        producer = Producer(rdkafka(os.environ["BOOTSTRAP_SERVERS"], "alice", mechanism))
        producer.produce("log-ins", mechanism)
        equal(producer.flush(60), 0, "unsent")


def disabled(broker):
    admin = AdminClient(rdkafka(broker.bootstrap, "alice", "PLAIN"))
    entry = acl(ResourceType.TOPIC, "open", ResourcePatternType.LITERAL, "alice", AclOperation.WRITE)
    refused(
        lambda: admin.create_acls([entry])[entry].result(60), KafkaError.SECURITY_DISABLED, "without --acls there are none"
    )


def tls(users, commands):
    """SASL_SSL, and SSL alone."""
    options = ["--tls-cert", str(CERTIFICATE), "--tls-key", str(CERTIFICATE.with_name("key.pem"))]
    with Broker(*options, "--users", str(users)) as broker:
        config = rdkafka(broker.bootstrap, "alice", "SCRAM-SHA-512")
        config |= {"security.protocol": "SASL_SSL", "ssl.ca.location": str(CERTIFICATE)}
        admin = AdminClient(config)
        admin.create_topics([NewTopic("secret", 1, 1)])["secret"].result(60)
        producer = Producer(config)
        for number in range(1_000):
            producer.produce("secret", f"{number:01000}")
        equal(producer.flush(60), 0, "unsent")
        ok("librdkafka: SASL_SSL")
        producer = KafkaProducer(
            bootstrap_servers=broker.bootstrap,
            security_protocol="SASL_SSL",
            ssl_cafile=str(CERTIFICATE),
            sasl_mechanism="SCRAM-SHA-256",
            sasl_plain_username="bob",
            sasl_plain_password=PASSWORDS["bob"],
        )
        producer.send("secret", b"python").get(60)
        producer.close()
        ok("kafka-python: SASL_SSL")
        refusals(config | {"security.protocol": "SASL_PLAINTEXT"})
        broker.heard("this listener is TLS")
        strange = {name: value for name, value in config.items() if name != "ssl.ca.location"}
        refusals(strange)
        broker.heard("UnknownCA")
        ok("librdkafka: whoever does not trust the certificate, or speaks no TLS, stays out")
        log_in = ["sasl.mechanism=SCRAM-SHA-256", "sasl.username=bob", f"sasl.password={PASSWORDS['bob']}"]
        if kcat(broker, "SASL_SSL", log_in, "-C", "-t", "secret", "-o", "-1", "-e", "-q") == "python\n":
            ok("kcat: SASL_SSL")
        others(broker, commands, CA=str(CERTIFICATE))
    with Broker(*options) as broker:
        producer = Producer(
            {"bootstrap.servers": broker.bootstrap, "security.protocol": "SSL", "ssl.ca.location": str(CERTIFICATE)}
        )
        producer.produce("open", "over TLS")
        equal(producer.flush(60), 0, "unsent")
        ok("librdkafka: SSL without a log-in")
        if kcat(broker, "SSL", [], "-C", "-t", "open", "-e", "-q") == "over TLS\n":
            ok("kcat: SSL without a log-in")


def kcat(broker, protocol, settings, *what):
    """What kcat prints; None where there is none."""
    if not shutil.which("kcat"):
        return print("SKIPPED: TLS by kcat, which is not installed (apt-get install kcat)", flush=True)
    settings = [f"security.protocol={protocol}", f"ssl.ca.location={CERTIFICATE}", *settings]
    command = ["kcat", "-b", broker.bootstrap, *(word for it in settings for word in ("-X", it)), *what]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def others(broker, commands, **more):
    for name, command in commands.items():
        environment = dict(os.environ, BOOTSTRAP_SERVERS=broker.bootstrap, NAME="root", PASSWORD=PASSWORDS["root"])
        environment |= {"ALICE": PASSWORDS["alice"]} | more
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"{name}: {done.stdout}{done.stderr}"
        for line in done.stdout.splitlines():
            if line.startswith("ok "):
                ok(f"{name}: {line[3:]}")


def main():
    if sys.argv[1:] == ["inside"]:
        return inside()
    commands = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}
    with tempfile.TemporaryDirectory() as folder:
        users = pathlib.Path(folder) / "users"
        users.write_text("# who may log in\n" + "".join(f"{name}:{word}\n" for name, word in PASSWORDS.items()))
        with Broker("--users", str(users)) as broker:
            mechanisms(broker)
            python(broker)
            strangers(broker)
            disabled(broker)
            credentials(broker)
            recorded(broker, pathlib.Path(folder))
        with Broker("--users", str(users), "--acls", "--super-user", "root", "--schema-registry", "0") as broker:
            registry(broker)
            acls(broker)
            others(broker, commands)
        tls(users, commands)
        with Broker("--user", "alice:alice-secret,=1", "--sasl", "SCRAM-SHA-512") as broker:
            error = refusals(rdkafka(broker.bootstrap, "alice", "PLAIN"))
            assert "SCRAM-SHA-512" in str(error), error
            ok("librdkafka: a mechanism that is not offered is refused, with those that are")


if __name__ == "__main__":
    main()
