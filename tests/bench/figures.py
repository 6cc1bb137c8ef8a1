#!/usr/bin/env python3
"""The project's figures, each as a whole process: median wall, CPU and peak memory, and the size of what it wrote.

    python3 tests/bench/figures.py [--runs 5] [--binary target/release/topomotion]

Build first: cargo build --release -p topomotion-cli. `dot` (Graphviz) is measured beside us where it is installed, on
the same graph. Standard library only. Judges nothing.
"""
import argparse, os, shutil, statistics, subprocess, tempfile, time

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), '..', '..'))
SEED = 'crates/script/tests/seed/kafka-deep-dive.ts'
DOT = '''digraph G { compound=true; node [shape=box];
subgraph cluster_controller { label="KRaft Controller"; controller [label="KRaft Controller"]; }
subgraph cluster_brokers { label="Kafka Cluster (3 Brokers)"; b1 [label="Broker 1 (Leader p0,p1)"]; b2 [label="Broker 2 (Leader p2)"]; b3 [label="Broker 3 (Follower)"]; }
subgraph cluster_schema { label="Schema Registry"; sr [label="Schema Registry"]; }
subgraph cluster_producers { label="Producers"; op [label="Order Service"]; ep [label="Analytics SDK"]; cp [label="Debezium (CDC)"]; }
subgraph cluster_flink { label="Consumer Group: flink-stream"; f1 [label="Flink TaskManager 1"]; f2 [label="Flink TaskManager 2"]; }
subgraph cluster_spark { label="Consumer Group: spark-batch"; sp [label="Spark Executor"]; }
controller -> b1 [label=metadata]; controller -> b2 [label=metadata]; controller -> b3 [label=metadata];
b2 -> b1 [label=replicate]; b3 -> b1 [label=replicate]; op -> b1 [label="produce acks=all"];
ep -> b2 [label="produce acks=1"]; cp -> b1 [label="produce acks=all"]; op -> sr [label="validate schema"];
f1 -> b1 [label="fetch p0"]; f2 -> b2 [label="fetch p2"]; sp -> b1 [label="batch fetch"]; }
'''


def once(command):
    start = time.perf_counter()
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, child.returncode


def measure(name, command, runs, output=None):
    once(command)
    rows = [once(command) for _ in range(runs)]
    wall, cpu, rss = (statistics.median(row[i] for row in rows) for i in range(3))
    size = f'{os.path.getsize(output) / 1024:.1f} KB' if output and os.path.exists(output) else '-'
    codes = sorted({row[3] for row in rows})
    print(f'| {name} | {wall * 1000:.0f} ms | {cpu * 1000:.0f} ms | {rss:.0f} MB | {size} | {codes} |', flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--runs', type=int, default=5)
    parser.add_argument('--binary', default=os.path.join(ROOT, 'target', 'release', 'topomotion'))
    options = parser.parse_args()
    print('| what | wall | CPU | peak memory | output | exit |\n|---|---|---|---|---|---|')
    with tempfile.TemporaryDirectory() as folder:
        def ours(name, arguments, output=None):
            path = os.path.join(folder, output) if output else None
            command = [options.binary] + [a.replace('OUT', path or '') for a in arguments]
            measure(name, command, options.runs, path)
        ours('check, reference script', ['check', SEED])
        ours('still SVG, reference script', ['render', SEED, '--still', '-o', 'OUT'], 'still.svg')
        if shutil.which('dot'):
            graph = os.path.join(folder, 'g.dot')
            with open(graph, 'w') as file:
                file.write(DOT)
            svg = os.path.join(folder, 'dot.svg')
            measure('dot -Tsvg, the same graph', ['dot', '-Tsvg', graph, '-o', svg], options.runs, svg)
        film = ['render', SEED, '--scenario', 'leader-election', '-o', 'OUT']
        ours('leader election, animated SVG', film, 'film.svg')
        ours('leader election, the whole film as GIF, 1280 px, 20 frames/s',
             film + ['--width', '1280', '--fps', '20'], 'film.gif')
        busy = 'tests/bench/packets-300.ts'
        ours('300 packets, still SVG', ['render', busy, '--still', '-o', 'OUT'], 'busy-still.svg')
        ours('300 packets, animated SVG', ['render', busy, '-o', 'OUT'], 'busy.svg')


if __name__ == '__main__':
    main()
