#!/usr/bin/python3
"""A storage node with `--gigabytes` of data that does not compress loses its disk: how fast its peers fill it again, and what bounds that.
Six copies are kept on this machine, so it takes more than six times the space. Statements run meanwhile, and none fails."""
import argparse
import os
import pathlib
import random
import shutil
import time

import prometheus
from cluster import Cluster, wait_for
from ledger import Ledger

NODE = "storage-2"
SEED_ROWS, BODY = 4096, 7900  # longer than an entry may be, so each on a page of its own: 64 MiB of pages for 32 MiB
TICKS = os.sysconf("SC_CLK_TCK")
BUDGET = 200.0  # MiB/s: repair_bytes_per_second of storage_node/node.h


def load(cluster, gigabytes):
    """Fills a table with random rows, then with copies of them: too far from each other for a layer's blocks to compress."""
    chance = random.Random(1)
    connection = cluster.connect(read_timeout=600)
    with connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE bulk")
        cursor.execute(f"CREATE TABLE bulk.filler (id INT PRIMARY KEY, body VARBINARY({BODY}) NOT NULL)")
        for first in range(0, SEED_ROWS, 64):
            values = ",".join(f"({i},0x{chance.randbytes(BODY).hex()})" for i in range(first, first + 64))
            cursor.execute("INSERT INTO bulk.filler VALUES " + values)
        rounds = int(gigabytes * 1024 / (SEED_ROWS * 8192 / 2**20))
        for number in range(1, rounds):
            for first in range(0, SEED_ROWS, 512):
                cursor.execute(f"INSERT INTO bulk.filler SELECT id + {number * SEED_ROWS}, body FROM bulk.filler "
                               f"WHERE id BETWEEN {first} AND {first + 511}")
    connection.close()
    return max(rounds, 1) * SEED_ROWS


class Usage:
    """What the processes of the cluster and the machine have used, between two looks."""

    def __init__(self, cluster):
        self.at = time.monotonic()
        self.threads, self.written, self.read = {}, {}, {}
        status = cluster.status()
        for process in status["storage_nodes"] + status["instances"]:
            if not process["pid"]:
                continue
            base = pathlib.Path(f"/proc/{process['pid']}")
            for task in base.glob("task/*/stat"):
                name, rest = task.read_text().rsplit(")", 1)
                fields = rest.split()
                self.threads[process["id"], name.split("(", 1)[1]] = (int(fields[11]) + int(fields[12])) / TICKS
            io = dict(line.split(": ") for line in (base / "io").read_text().splitlines())
            self.written[process["id"]], self.read[process["id"]] = int(io["write_bytes"]), int(io["read_bytes"])
        cpu = [int(word) for word in open("/proc/stat").readline().split()[1:]]
        self.busy, self.idle = sum(cpu[:3]) + sum(cpu[5:8]), cpu[3] + cpu[4]
        device = os.stat(cluster.directory).st_dev
        sector = next((line.split() for line in open("/proc/diskstats") if line.split()[:2] == [str(os.major(device)), str(os.minor(device))]), None)
        self.disk_ms = int(sector[12]) if sector else None

    def since(self, before):
        seconds = self.at - before.at
        threads = {key: (cpu - before.threads.get(key, 0)) / seconds for key, cpu in self.threads.items()}
        cores = (self.busy - before.busy) / (self.busy - before.busy + self.idle - before.idle)
        disk = (self.disk_ms - before.disk_ms) / 10 / seconds if self.disk_ms is not None else None
        return seconds, threads, cores, disk


def describe(rate, threads, cores, disk):
    """The busiest threads, and which of the things that can bound a repair did."""
    own = {name: share for (process, name), share in threads.items() if process == NODE}
    peers = {key: share for key, share in threads.items() if key[0].startswith("storage") and key[0] != NODE}
    top_own, top_peer = max(own.items(), key=lambda kv: kv[1]), max(peers.items(), key=lambda kv: kv[1])
    mine = sum(threads.values()) / os.cpu_count()
    bounds = [words for holds, words in (
        (rate > 0.85 * BUDGET, f"the repair budget of {BUDGET:.0f} MiB/s"), (cores > 0.9, "the machine's processors, which all six nodes share" + (" with others" if mine < 0.6 else "")),
        (top_own[1] > 0.8, f"the node's thread {top_own[0]}"), (top_peer[1] > 0.8, f"{top_peer[0][0]}'s thread {top_peer[0][1]}"),
        (disk is not None and disk > 85, "the disk, which all six nodes share")) if holds]
    return (f"processors {cores * 100:.0f} % busy, {mine * 100:.0f} % for this cluster; disk {'?' if disk is None else f'{disk:.0f} %'}; {NODE}: {top_own[0]} {top_own[1] * 100:.0f} % of a "
            f"processor, {sum(own.values()) * 100:.0f} % in all; peers {sum(peers.values()) * 100:.0f} % in all; bound by "
            f"{' and '.join(bounds) or 'none of these alone'}")


def whole(cluster, target):
    status = cluster.status()
    segments = [s for s in status["segments"] if s["node"] == NODE]
    state = next(n["state"] for n in status["storage_nodes"] if n["id"] == NODE)
    return state == "running" and segments and all(s["state"] == "healthy" for s in segments) and max(s["scl"] for s in segments) >= target


def copied(cluster):
    """Bytes of pages that the node has taken from its peers since its start."""
    port = next(n["metrics_port"] for n in cluster.status()["storage_nodes"] if n["id"] == NODE)
    return prometheus.scrape(port)["borealis_storage_pages_copied_total", ()] * 16384


def layer_bytes(cluster):
    return sum(path.stat().st_size for path in (pathlib.Path(cluster.directory) / NODE).glob("layer-*"))


def wait_whole(cluster, target, seconds):
    """Says once in a while how far the node is."""
    deadline, told = time.monotonic() + seconds, time.monotonic()
    while not whole(cluster, target):
        assert time.monotonic() < deadline, f"not whole within {seconds:.0f} s:\n{cluster.run('status')}"
        if time.monotonic() - told > 5:
            told = time.monotonic()
            parts = [s.get("repaired", 100) for s in cluster.status()["segments"] if s["node"] == NODE]
            print(f"  {sum(parts) / max(len(parts), 1):.0f} %, {layer_bytes(cluster) / 2**20:.0f} MiB", flush=True)
        time.sleep(0.2)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--gigabytes", type=float, default=5.0)
    options.add_argument("--least", type=float, default=20.0, help="MiB/s under which it counts as a crawl")
    options.add_argument("--clients", type=int, default=2, help="of the ledger, meanwhile")
    options.add_argument("--no-verify", action="store_true", help="do not compare all copies at the end")
    arguments = options.parse_args()
    free = shutil.disk_usage("/tmp").free / 2**30
    needed = arguments.gigabytes * 9 + 4
    assert free > needed, f"{free:.0f} GiB are free, some {needed:.0f} are needed"
    with Cluster(readers=0, buffer_pool="256MiB", pg_size="1024MiB") as cluster:
        started = time.monotonic()
        rows = load(cluster, arguments.gigabytes)
        print(f"{rows} rows loaded in {time.monotonic() - started:.0f} s", flush=True)
        wait_for(lambda: all(s["state"] == "healthy" for s in cluster.status()["segments"]), 120, "all segments are healthy")
        ledger = Ledger(cluster, arguments.clients)
        ledger.create()
        ledger.start()
        before = len(ledger.acknowledged)
        cluster.run("kill", NODE)
        wait_for(lambda: all(n["pid"] == 0 for n in cluster.status()["storage_nodes"] if n["id"] == NODE), 10, f"{NODE} gone")
        shutil.rmtree(pathlib.Path(cluster.directory) / NODE)
        target, since = cluster.status()["volume"]["vdl"], Usage(cluster)
        cluster.run("start", NODE)
        wait_whole(cluster, target, 60 + arguments.gigabytes * 1024 / arguments.least)
        seconds, threads, cores, disk = Usage(cluster).since(since)
        pages, layers = copied(cluster) / 2**20, layer_bytes(cluster) / 2**20
        rate = pages / seconds
        print(f"{NODE} lost its disk and was whole again after {seconds:.1f} s: {rows * BODY / 2**20:.0f} MiB of rows, {layers:.0f} MiB on its disk "
              f"({layers / seconds:.0f} MiB/s), {pages:.0f} MiB of pages from its peers ({rate:.0f} MiB/s); "
              f"{len(ledger.acknowledged) - before} commits meanwhile, longest gap {ledger.longest_gap(since.at):.2f} s")
        print(describe(rate, threads, cores, disk))
        ledger.stop()
        failures = [e for e in ledger.errors if e[0] != 1213]
        assert not failures, f"statements failed: {failures[:3]}"
        assert rate > arguments.least, "that is a crawl"
        print(f"{ledger.audit()} transactions, all accounted for", flush=True)
        if not arguments.no_verify:
            started, found = time.monotonic(), cluster.verify()
            assert found["equal"], found
            print(f"{found['pages']} pages equal in {found['segments']} segments, compared in {time.monotonic() - started:.0f} s")


main()
