#!/usr/bin/python3
"""What connections cost: memory of many idle ones, and what a storm of new ones does to those that work.

connections.py [--idle 5000] [--rate 2000] [--seconds 10]      a cluster of its own, stopped and removed at the end; BOREALIS names the program

Idle connections are opened through the cluster endpoint, half of them after a statement of their own; memory is what the system says is
resident (VmRSS) in the writer and in the endpoint's process, before and while they are there. The storm opens connections at the given
rate, logs in, asks nothing and leaves: first alone, with what a connection costs the two processes in CPU, and then beside eight connections
that read rows by key, as they did for as long before the storm began.
The client speaks just enough of the protocol, because a driver's own work would be most of what is measured.
"""
import argparse
import multiprocessing
import pathlib
import resource
import socket
import struct
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests/cluster"))
from cluster import Cluster, wait_for  # noqa: E402

PROTOCOL_41, SECURE_CONNECTION, PLUGIN_AUTH = 0x200, 0x8000, 0x80000
LOGIN = struct.pack("<IIB23x", PROTOCOL_41 | SECURE_CONNECTION | PLUGIN_AUTH, 1 << 24, 45) + b"root\0" + b"\0" + b"caching_sha2_password\0"
QUIT = b"\x01\0\0\0\x01"
WORKERS, OPENERS = 8, 4


def read_packet(stream) -> bytes:
    header = stream.read(4)
    if len(header) < 4:
        raise ConnectionError("the server hung up")
    return stream.read(int.from_bytes(header[:3], "little"))


def log_in(port) -> tuple:
    """An authenticated connection (root has no password in a cluster of its own): socket and buffered reader."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    stream = connection.makefile("rb")
    read_packet(stream)
    connection.sendall(len(LOGIN).to_bytes(3, "little") + b"\x01" + LOGIN)
    answer = read_packet(stream)
    if answer[0] == 1:  # "fast authentication succeeded" comes first
        answer = read_packet(stream)
    if answer[0] != 0:
        raise ConnectionError(answer.decode(errors="replace"))
    return connection, stream


def ask(connection, stream, text):
    """Sends a query with a result set and reads it to its end."""
    packet = b"\x03" + text
    connection.sendall(len(packet).to_bytes(3, "little") + b"\0" + packet)
    ends = 0
    while ends < 2:
        answer = read_packet(stream)
        if answer[0] == 0xFF:
            raise ConnectionError(answer[3:].decode(errors="replace"))
        ends += answer[0] == 0xFE and len(answer) < 9


def resident_mib(pid) -> float:
    line = next(line for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def cpu_seconds(pid) -> float:
    """Of all its threads, those that have ended left out: servers keep theirs."""
    return sum(int(path.read_text().split()[0]) for path in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


def processes(cluster) -> tuple:
    """The writer's pid, and the endpoint's."""
    return cluster.writer()["pid"], int((pathlib.Path(cluster.directory) / "endpoint/pid").read_text().split()[0])


def idle(cluster, count):
    writer, endpoint = processes(cluster)
    before = resident_mib(writer), resident_mib(endpoint)
    kept, started = [], time.monotonic()
    for number in range(count):
        kept.append(log_in(cluster.port))
        if number % 2:
            ask(*kept[-1], b"SELECT COUNT(*) FROM d.t WHERE id = 1")
    took = time.monotonic() - started
    after = resident_mib(writer), resident_mib(endpoint)
    print(f"{count} idle connections, opened in {took:.1f} s: writer {before[0]:.0f} -> {after[0]:.0f} MiB, endpoint {before[1]:.0f} -> {after[1]:.0f} MiB: "
          f"{(sum(after) - sum(before)) * 1024 / count:.1f} KiB each, {sum(after) - sum(before):.0f} MiB together", flush=True)
    for connection, _ in kept:
        connection.close()


def work(port, seconds, results):
    connection, stream = log_in(port)
    done, worst, deadline = 0, 0.0, time.monotonic() + seconds
    while (now := time.monotonic()) < deadline:
        ask(connection, stream, b"SELECT a FROM d.t WHERE id = %d" % (done % 1000))
        worst = max(worst, time.monotonic() - now)
        done += 1
    results.put((done, worst))


def open_and_leave(port, seconds, rate, results):
    began, done = time.monotonic(), 0
    while (now := time.monotonic()) < began + seconds:
        if done >= (now - began) * rate:
            time.sleep(0.0005)
            continue
        connection, _ = log_in(port)
        connection.sendall(QUIT)
        connection.close()
        done += 1
    results.put(done)


def run_all(target, count, *arguments) -> list:
    results = multiprocessing.Queue()
    processes = [multiprocessing.Process(target=target, args=(*arguments, results)) for _ in range(count)]
    for process in processes:
        process.start()

    def finish():
        gathered = [results.get() for _ in processes]
        for process in processes:
            process.join()
        return gathered

    return finish


def storm(cluster, rate, seconds):
    def said(when, results):
        print(f"{when}: {sum(done for done, _ in results) / seconds:.0f} reads a second, the slowest took {max(worst for _, worst in results) * 1000:.0f} ms",
              flush=True)

    both = processes(cluster)
    before = [cpu_seconds(pid) for pid in both]
    opened = sum(run_all(open_and_leave, OPENERS, cluster.port, seconds, rate / OPENERS)())
    writer, endpoint = ((cpu_seconds(pid) - was) / opened * 1e6 for pid, was in zip(both, before))
    print(f"{opened / seconds:.0f} new connections a second and nothing else: {writer:.0f} us of CPU each in the writer, {endpoint:.0f} us in the endpoint", flush=True)
    said("alone", run_all(work, WORKERS, cluster.port, seconds)())
    working = run_all(work, WORKERS, cluster.port, seconds)
    opening = run_all(open_and_leave, OPENERS, cluster.port, seconds, rate / OPENERS)
    opened = sum(opening())
    said(f"beside {opened / seconds:.0f} new connections a second", working())


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--idle", type=int, default=5000)
    arguments.add_argument("--rate", type=int, default=2000)
    arguments.add_argument("--seconds", type=int, default=10)
    given = arguments.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with Cluster(readers=0, options=[f"max_connections={given.idle + 100}"]) as cluster:
        cluster.query("CREATE DATABASE d")
        cluster.query("CREATE TABLE d.t (id INT PRIMARY KEY, a INT)")
        cluster.query("INSERT INTO d.t WITH RECURSIVE n AS (SELECT 0 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 999) SELECT i, i FROM n")
        idle(cluster, given.idle)
        wait_for(lambda: int(cluster.query("SHOW STATUS LIKE 'Threads_connected'")[0][1]) < 10, 30, "the idle connections are gone")
        storm(cluster, given.rate, given.seconds)


if __name__ == "__main__":
    main()
