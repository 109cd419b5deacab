#!/usr/bin/python3
"""A storage node loses its directory under load: it comes back empty, gives no promises until its peers have mended it,
and ends up with every segment again. Then so do others, one after
the other; at the end two whole ones go and a new writer opens the volume: everything is there."""
import argparse
import os
import pathlib
import shutil
import signal
import time

from cluster import Cluster, wait_for
from ledger import Ledger


def healthy(cluster, name, target):
    segments = [s for s in cluster.status()["segments"] if s["node"] == name]
    return segments and all(s["state"] == "healthy" for s in segments) and max(s["scl"] for s in segments) >= target


def lose(cluster, name):
    """The node's process is killed, its directory removed, and it is started again. Gives the time until it is whole."""
    cluster.run("kill", name)
    wait_for(lambda: all(n["pid"] == 0 for n in cluster.status()["storage_nodes"] if n["id"] == name), 10, f"{name} gone")
    shutil.rmtree(pathlib.Path(cluster.directory) / name)
    target, since = cluster.status()["volume"]["vdl"], time.monotonic()
    cluster.run("start", name)
    wait_for(lambda: healthy(cluster, name, target), 120, f"{name} rebuilt")
    return time.monotonic() - since


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--nodes", default="storage-1,storage-2,storage-5")
    options.add_argument("--load-seconds", type=float, default=10.0)
    arguments = options.parse_args()
    nodes = arguments.nodes.split(",")
    with Cluster(readers=1) as cluster:
        ledger = Ledger(cluster, clients=8)
        ledger.create()
        ledger.start()
        for name in nodes:
            time.sleep(arguments.load_seconds)
            before = len(ledger.acknowledged)
            took = lose(cluster, name)
            print(f"{name}: directory removed, rebuilt from its peers within {took:.1f} s, {len(ledger.acknowledged) - before} commits meanwhile", flush=True)
        ledger.stop()
        failures = [e for e in ledger.errors if e[0] != 1213]
        assert not failures, f"{len(failures)} statements failed: {failures[:5]}"
        # Now the rebuilt ones count: without two others every quorum needs them, and a new writer knows only what they say.
        others = [n["id"] for n in cluster.status()["storage_nodes"] if n["id"] not in nodes][:2]
        for name in others:
            cluster.run("kill", name)
        for instance in cluster.status()["instances"]:
            os.kill(instance["pid"], signal.SIGKILL)
        wait_for(lambda: not cluster.status()["serving"], 10, "the instances gone")
        wait_for(lambda: cluster.status()["serving"], 30, "a new writer")
        print(f"{ledger.audit()} transactions, all accounted for, read with {', '.join(nodes)} and without {', '.join(others)}")


main()
