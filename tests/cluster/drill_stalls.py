#!/usr/bin/python3
"""SIGSTOP for some seconds: a storage node, a whole AZ, a reader, the writer; and a writer that wakes up after another one has
taken the volume while nobody was there to kill it: it must not acknowledge anything any more."""
import argparse
import json
import os
import pathlib
import random
import signal
import time

from admin_frame import order_to_be_writer
from cluster import Cluster, wait_for
from ledger import Ledger
from watcher import Watcher


def stands_still(pid):
    """Whether every thread of the process has stopped: on a busy machine some run on for milliseconds after SIGSTOP."""
    states = [stat.read_text().rsplit(")", 1)[1].split()[0] for stat in pathlib.Path(f"/proc/{pid}/task").glob("*/stat")]
    return all(state == "T" for state in states)


class Stopped:
    """Processes that stand still for the time of a `with`."""

    def __init__(self, pids):
        self.pids = pids

    def __enter__(self):
        for pid in self.pids:
            os.kill(pid, signal.SIGSTOP)
        wait_for(lambda: all(stands_still(pid) for pid in self.pids), 10, "the processes stand still")

    def __exit__(self, *_):
        for pid in self.pids:
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                pass  # control killed it meanwhile, as it should


def serving_reader(cluster):
    return next((i for i in cluster.status()["instances"] if i["role"] == "reader" and i["state"] == "serving"), None)


def stall_storage(cluster, ledger, pids, what, seconds):
    since, before, failed = time.monotonic(), len(ledger.acknowledged), len(ledger.errors)
    with Stopped(pids):
        time.sleep(seconds)
    gap = ledger.longest_gap(since)
    failures = [e for e in ledger.errors[failed:] if e[0] != 1213]
    assert not failures, f"statements failed with {what} stopped: {failures[:3]}"
    assert len(ledger.acknowledged) > before and gap < 3, f"writes stood still for {gap:.1f} s with {what} stopped"
    wait_for(lambda: all(s["state"] == "healthy" for s in cluster.status()["segments"]), 60, "all segments are healthy")
    print(f"{what} stopped for {seconds:.0f} s: {len(ledger.acknowledged) - before} commits meanwhile, longest gap {gap:.2f} s", flush=True)


def stall_writer(cluster, ledger, seconds):
    writer, since = cluster.writer(), time.monotonic()
    with Stopped([writer["pid"]]):
        before = len(ledger.acknowledged)
        wait_for(lambda: cluster.writer()["id"] != writer["id"], seconds, "another writer")
        wait_for(lambda: len(ledger.acknowledged) > before + 10, 10, "writes go on")
    print(f"{writer['id']} stopped: {cluster.writer()['id']} took over, gap {ledger.longest_gap(since):.2f} s", flush=True)
    wait_for(lambda: serving_reader(cluster), 30, "a reader again")


def stall_reader(cluster, ledger, seconds):
    reader, before = serving_reader(cluster), len(ledger.acknowledged)
    with Stopped([reader["pid"]]):
        time.sleep(seconds)
    assert len(ledger.acknowledged) > before, "a stopped reader stops writes"
    wait_for(lambda: serving_reader(cluster) and ledger.is_there(serving_reader(cluster)["port"]), 30, "the reader catches up")
    print(f"{reader['id']} stopped for {seconds:.0f} s: writes went on, and it caught up", flush=True)


def deposed_writer_wakes(cluster, clients, number):
    """Nobody kills the old writer: control stands still too. Its clients are connected to it directly."""
    status = cluster.status()
    old, new = cluster.writer(), serving_reader(cluster)
    config = json.loads((pathlib.Path(cluster.directory) / "cluster.json").read_text())
    admin_port = next(i["admin_port"] for i in config["instances"] if i["id"] == new["id"])
    cluster.query("DROP DATABASE IF EXISTS ledger")
    ledger = Ledger(cluster, clients, seed=number, port=old["port"])
    ledger.create()
    ledger.start()
    wait_for(lambda: len(ledger.acknowledged) > 50, 30, "commits")
    with Stopped([status["control"]["pid"]]):
        with Stopped([old["pid"]]):
            stopped_at = time.monotonic()
            order_to_be_writer(cluster.directory, admin_port, new["id"])

            def writes():
                try:
                    cluster.query(f"CREATE TABLE ledger.new_writer_{number} (id INT PRIMARY KEY)", new["port"])
                    return True
                except Exception:
                    return False
            wait_for(writes, 20, f"{new['id']} has taken the volume")
        time.sleep(2)  # the old one is awake, with its clients
        ledger.stopping.set()
    # What a quorum had made durable before it was sealed may still be answered: it is in the new writer's volume, says the audit.
    late = [key for key, sent_at in ledger.commit_sent_at.items() if sent_at > stopped_at]
    assert not late, f"{len(late)} commits were taken and acknowledged by a deposed writer"
    wait_for(lambda: cluster.status()["serving"], 30, "the cluster serves again")
    ledger.stop()
    rows = ledger.audit()
    print(f"{old['id']} woke up after {new['id']} had taken the volume: nothing more acknowledged, {rows} transactions accounted for", flush=True)
    wait_for(lambda: serving_reader(cluster), 30, "a reader again")


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--seconds", type=float, default=8.0)
    options.add_argument("--clients", type=int, default=8)
    arguments = options.parse_args()
    with Cluster(readers=1) as cluster:
        chance = random.Random(1)
        for number in range(1, arguments.rounds + 1):
            print(f"round {number}", flush=True)
            cluster.query("DROP DATABASE IF EXISTS ledger")
            ledger = Ledger(cluster, arguments.clients, seed=number)
            ledger.create()
            ledger.start()
            watcher = Watcher(cluster, ledger)
            watcher.start()
            wait_for(lambda: len(ledger.acknowledged) > 50, 30, "commits")
            nodes = cluster.status()["storage_nodes"]
            node, az = chance.choice(nodes), chance.choice(("az1", "az2", "az3"))
            stall_storage(cluster, ledger, [node["pid"]], node["id"], arguments.seconds)
            stall_storage(cluster, ledger, [n["pid"] for n in nodes if n["az"] == az], az, arguments.seconds)
            stall_reader(cluster, ledger, 2)
            stall_writer(cluster, ledger, 30)
            stall_reader(cluster, ledger, arguments.seconds)
            ledger.stop()
            watcher.stop()
            ledger.audit()
            deposed_writer_wakes(cluster, arguments.clients, 1000 + number)
        errors = cluster.error_lines(nothing_hung=False)
        assert not errors, "\n".join(errors[:20])


if __name__ == "__main__":
    main()
