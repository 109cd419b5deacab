#!/usr/bin/python3
"""The disk of one storage node goes bad in every way there is, under load: full, failing, lying, slow. For each way: what clients see
(nothing: no statement fails, and commits go on), what `cluster status` shows, and what repairs it. At the end all copies are equal."""
import argparse
import pathlib
import re
import statistics
import subprocess
import threading
import time

from cluster import Cluster, wait_for
from faults import EIO, ENOSPC, Faults
from drill_az_plus_one import Lookers
from ledger import Ledger

NODE = "storage-2"
GAP_MAX_S = 3


class Drill:
    def __init__(self, cluster, ledger, faults):
        self.cluster, self.ledger, self.faults = cluster, ledger, faults
        self.directory = pathlib.Path(cluster.directory) / NODE

    def node(self):
        return next(n for n in self.cluster.status()["storage_nodes"] if n["id"] == NODE)

    def log_size(self):
        return (self.directory / "log").stat().st_size

    def said_since(self, size, words):
        """Whether the node logged a line with all these words after its log was that long."""
        with open(self.directory / "log", errors="replace") as log:
            log.seek(size)
            return next((line.strip() for line in log if all(word in line for word in words)), None)

    def whole(self):
        status = self.cluster.status()
        segments = [s for s in status["segments"] if s["node"] == NODE]
        return (self.node()["state"] == "running" and segments and all(s["state"] == "healthy" for s in segments)
                and max(s["scl"] for s in segments) >= self.target)

    def whole_once(self):
        self.target = 0
        wait_for(self.whole, 60, f"{NODE} is whole")

    def suffer(self, what, apply, shows, mend, repair, seconds=2.0, within=30, least_hits=1):
        """One fault: `apply` it, see that status `shows` it (within seconds), leave it for a while, `mend` the disk, and wait."""
        failed, since, before = len(self.ledger.errors), time.monotonic(), len(self.ledger.acknowledged)
        self.log_before = self.log_size()
        apply()
        shown = wait_for(shows, within, lambda: f"{what}: status or log shows it (status: {self.node()})") if shows else "nothing"
        if least_hits:
            wait_for(lambda: self.faults.hits(NODE) >= least_hits, within, f"{what}: the fault happened")
        time.sleep(seconds)
        self.target = self.cluster.status()["volume"]["vdl"]
        mend()
        mended = time.monotonic()
        wait_for(self.whole, 60, f"{what}: {NODE} is whole again")
        gap = self.ledger.longest_gap(since)
        failures = [e for e in self.ledger.errors[failed:] if e[0] != 1213]
        assert not failures, f"{what}: statements failed: {failures[:3]}"
        assert len(self.ledger.acknowledged) > before and gap < GAP_MAX_S, f"{what}: no commit for {gap:.1f} s"
        print(f"{what}: {len(self.ledger.acknowledged) - before} commits, longest gap {gap:.2f} s; shown: {shown}; "
              f"whole {time.monotonic() - mended:.1f} s after mending ({repair})", flush=True)

    def set(self, *rules):
        return lambda: self.faults.set(NODE, *rules)

    def mend(self):
        self.faults.clear(NODE)

    def reason(self, *words):
        """Status gives a reason for the node's state in which one of the words is."""
        def look():
            node = self.node()
            return f"{node['state']}: {node['reason']}" if node["state"] != "running" and any(w in node["reason"] for w in words) else None
        return look

    def segment_state(self, *states):
        def look():
            found = [s["state"] for s in self.cluster.status()["segments"] if s["node"] == NODE and s["state"] in states]
            return found and f"{len(found)} segments {found[0]}"
        return look

    def logged(self, *words):
        return lambda: self.said_since(self.log_before, words)


def flip_a_bit(path, at):
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)
        file.seek(at)
        file.write(bytes([byte[0] ^ 0x40]))


def flip_in_journal(drill):
    """In the first batch of the oldest file that is needed, behind its header: others follow it, so it is not taken for a torn write."""
    manifest = subprocess.run([drill.cluster.binary, "inspect", "manifest", drill.directory / "manifest"], capture_output=True, text=True, check=True).stdout
    oldest = int(re.search(r"journal files (\d+) to", manifest).group(1))
    flip_a_bit(drill.directory / f"journal-{oldest:010}", 50)


def flip_in_layer(drill):
    path = max(drill.directory.glob("layer-*"), key=lambda layer: layer.stat().st_size)
    flip_a_bit(path, path.stat().st_size // 2)


def fails_to_write(drill, seconds):
    """After a failed write or flush only reading the files tells what is in them: the process ends, and is started again."""
    no_space, broken = drill.reason("No space left"), drill.reason("Input/output error")
    drill.suffer("full disk", drill.set(f"write error={ENOSPC}"), no_space, drill.mend, "control starts it again until there is room", seconds)
    for call in ("write", "sync"):
        drill.suffer(f"EIO on a {call} of the journal", drill.set(f"{call} error={EIO} path=journal- times=1"), drill.logged("Input/output error"),
                     drill.mend, "it is started again and reads what is on disk", 0.5)
    drill.suffer("EIO on every flush", drill.set(f"sync error={EIO}"), broken, drill.mend, "the same, when the disk is", seconds)
    drill.suffer("short writes", drill.set("write short"), None, drill.mend, "nothing needed: the rest is written with a second call", seconds)


def fails_to_read(drill, seconds):
    """A layer that cannot be read, or reads as something else, is not served: its segment comes from the peers again."""
    for what, rule in (("EIO on reads of layers", f"read error={EIO} path=layer- times=3"), ("a bit flips on the way from the disk", "read flip path=layer- times=3")):
        drill.suffer(what, lambda rule=rule: (drill.faults.set(NODE, rule), drill.cluster.verify()), drill.logged("to be copied from a peer"), drill.mend,
                     "the segment is copied from its peers", 0)


def rots(drill, seconds):
    drill.suffer("a bit flips in a layer on disk", lambda: (flip_in_layer(drill), drill.cluster.verify()), drill.logged("to be copied from a peer"),
                 drill.mend, "found by a read, the scrub or cluster verify; the segment is copied from its peers", 0, least_hits=0)

    def stopped_then(flip):
        def apply():
            drill.cluster.run("kill", NODE)
            wait_for(lambda: drill.node()["pid"] == 0, 10, f"{NODE} gone")
            flip(drill)
            drill.cluster.run("start", NODE)
        return apply
    drill.suffer("a bit flips in a layer while the node is down", lambda: (stopped_then(flip_in_layer)(), drill.whole_once(), drill.cluster.verify()),
                 drill.logged("to be copied from a peer"), drill.mend, "the same", 0, least_hits=0)
    drill.suffer("a bit flips in the journal while the node is down", stopped_then(flip_in_journal), drill.logged("journal is damaged"), drill.mend,
                 "the node promises nothing until its peers have given it back what it may have lost", 0, least_hits=0)
    drill.suffer("a bit flips in the journal, the node is killed later", lambda: (flip_in_journal(drill), stopped_then(lambda _: None)()),
                 drill.logged("journal is damaged"), drill.mend, "the same", 0, least_hits=0)


class Commits:
    """Sessions that insert a row at a time; for how long commits take."""

    def __init__(self, cluster, sessions=4):
        self.connections = [cluster.connect() for _ in range(sessions)]
        with self.connections[0].cursor() as cursor:
            cursor.execute("CREATE DATABASE latency")
            cursor.execute("CREATE TABLE latency.t (id INT AUTO_INCREMENT PRIMARY KEY, v INT)")

    def run(self, seconds):
        took = []

        def insert(connection):
            end = time.monotonic() + seconds
            with connection.cursor() as cursor:
                while time.monotonic() < end:
                    since = time.monotonic()
                    cursor.execute("INSERT INTO latency.t (v) VALUES (1)")
                    took.append(time.monotonic() - since)
        threads = [threading.Thread(target=insert, args=(c,)) for c in self.connections]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return took


def percentiles(took):
    took = sorted(took)
    return statistics.median(took) * 1000, took[len(took) * 99 // 100] * 1000


def is_slow(drill, seconds):
    """A disk ten times slower than the others', in turns with a good one: the four fastest acknowledge, so nobody waits for it."""
    commits, good, bad = Commits(drill.cluster), [], []
    since = drill.log_size()
    for _ in range(3):
        good += commits.run(seconds / 3)
        drill.faults.set(NODE, "sync delay=20000", "write delay=5000", "read delay=5000")
        bad += commits.run(seconds / 3)
        assert drill.faults.hits(NODE) > 5, "the disk was not slow"
        drill.faults.clear(NODE)
    (good_median, good_p99), (bad_median, bad_p99) = percentiles(good), percentiles(bad)
    print(f"slow disk (20 ms a flush): median {bad_median:.1f} ms, p99 {bad_p99:.1f} ms of {len(bad)} commits; "
          f"with a good one {good_median:.1f} ms, {good_p99:.1f} ms of {len(good)}", flush=True)
    assert bad_median < 1.5 * good_median + 2 and bad_p99 < 2 * good_p99 + 10, "a slow disk of one node slows commits"
    assert not drill.said_since(since, ["out of service"]), "a slow node was taken for a broken one"
    drill.suffer("a flush that hangs", drill.set("sync delay=8000000 times=1 path=journal-"), drill.segment_state("behind"), drill.mend,
                 "the flush returns, the node catches up", 0, within=12)


def clock_jumps(drill, seconds):
    """The wall clock of a process goes an hour ahead, then an hour back. Nothing that matters hangs on it, so nothing happens."""
    instances = drill.cluster.status()["instances"]
    for name in [NODE] + [i["id"] for i in instances]:
        for hours in (1, -1):
            since, failed, before = time.monotonic(), len(drill.ledger.errors), len(drill.ledger.acknowledged)
            drill.faults.set(name, f"clock shift={hours * 3600}")
            time.sleep(seconds)
            shown = [i["lag_ms"] for i in drill.cluster.status()["instances"] if i["role"] == "reader"]
            for port in (i["port"] for i in instances if i["id"] == name):
                ahead = float(drill.cluster.query("SELECT UNIX_TIMESTAMP()", port)[0][0]) - time.time()
                assert abs(ahead - hours * 3600) < 60, f"the clock of {name} did not jump: {ahead:.0f} s ahead"
            drill.faults.clear(name)
            drill.whole_once()
            gap = drill.ledger.longest_gap(since)
            failures = [e for e in drill.ledger.errors[failed:] if e[0] != 1213]
            assert not failures and gap < GAP_MAX_S, f"{name} {hours:+} h: gap {gap:.1f} s, {failures[:3]}"
            assert all(lag < 10_000 for lag in shown), f"{name} {hours:+} h: readers seem to lag by {shown} ms"
            print(f"clock of {name} {hours:+} h: {len(drill.ledger.acknowledged) - before} commits, longest gap {gap:.2f} s; lag shown {shown} ms", flush=True)


KINDS = {"write": fails_to_write, "read": fails_to_read, "rot": rots, "slow": is_slow, "clock": clock_jumps}


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--kinds", default=",".join(KINDS))
    options.add_argument("--seconds", type=float, default=6.0, help="how long a fault that lasts does")
    arguments = options.parse_args()
    faults = Faults()
    with Cluster(readers=1, buffer_pool="16MiB", faults=faults) as cluster:
        ledger, lookers = Ledger(cluster, clients=4), Lookers(cluster)
        lookers.create()
        ledger.create()
        ledger.start()
        lookers.start()
        drill = Drill(cluster, ledger, faults)
        wait_for(lambda: len(ledger.acknowledged) > 50, 30, "commits")
        for kind in arguments.kinds.split(","):
            KINDS[kind](drill, arguments.seconds)
        lookers.stop()
        ledger.stop()
        found = drill.cluster.verify()
        assert found["equal"], found
        print(f"{ledger.audit()} transactions, all accounted for; {found['pages']} pages equal in {found['segments']} segments")


main()
