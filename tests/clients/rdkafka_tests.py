"""The test programs that rust-rdkafka brings, against what they are written for: one broker, topics of three partitions."""

import os
import re
import subprocess
import sys

# These name broker 0 (the first one here is 1), or speak to port 9092, whatever they are told.
SKIPPED = ["test_configs", "test_metadata", "test_topics", "test_future_producer_send"]
# This one counts on a new topic not to be there within 100 ms.
SKIPPED += ["test_base_producer_timeout"]
command = [os.environ["TOPOMOTION"], "broker", "--brokers", "1", "--port", "0", "--partitions", "3", "--no-control"]
broker = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
environment = {**os.environ, "RUST_BACKTRACE": "0", "RUST_LOG": "off"}
environment["KAFKA_HOST"] = broker.stdout.readline().strip().partition("=")[2]
failed = False
for program in sys.argv[1:]:
    skipped = [part for name in SKIPPED for part in ("--skip", name)]
    done = subprocess.run([program, "--test-threads=4", *skipped], env=environment, capture_output=True, text=True)
    for name in re.findall(r"^test (\S+) \.\.\. ok$", done.stdout, re.M):
        print(f"ok {os.path.basename(program).rsplit('-', 1)[0]}: {name}", flush=True)
    if done.returncode != 0:
        failed = True
        print(f"{program}\n{done.stdout[-6000:]}{done.stderr[-2000:]}", flush=True)
broker.terminate()
broker.wait(30)
sys.exit(failed)
