#!/usr/bin/python3
"""kill -9 of both storage nodes of an AZ under load: no statement fails. They come back and catch up; then the next AZ goes."""
import argparse
import os
import signal
import time

from cluster import Cluster, wait_for
from ledger import Ledger


def caught_up(cluster, nodes):
    """Every segment on these nodes is healthy, and has records if its group has any: one is made ahead of need."""
    segments = cluster.status()["segments"]
    written = {s["pg"] for s in segments if s["scl"] > 0}
    here = [s for s in segments if s["node"] in nodes]
    return here and all(s["state"] == "healthy" and (s["scl"] > 0 or s["pg"] not in written) for s in here)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--azs", default="az1,az2,az3")
    options.add_argument("--down-seconds", type=float, default=5.0)
    arguments = options.parse_args()
    with Cluster(readers=1) as cluster:
        ledger = Ledger(cluster, clients=16)
        ledger.create()
        ledger.start()
        for az in arguments.azs.split(","):
            time.sleep(2)
            nodes = [n for n in cluster.status()["storage_nodes"] if n["az"] == az]
            before = len(ledger.acknowledged)
            for node in nodes:
                cluster.run("kill", node["id"])
            time.sleep(arguments.down_seconds)
            assert len(ledger.acknowledged) > before, f"nothing was committed without {az}"
            target = cluster.status()["volume"]["vdl"]
            for node in nodes:
                cluster.run("start", node["id"])
            names = {n["id"] for n in nodes}
            wait_for(lambda: caught_up(cluster, names), 60, f"{az} caught up")
            print(f"{az}: {len(ledger.acknowledged) - before} commits meanwhile, caught up past {target}", flush=True)
        time.sleep(1)
        ledger.stop()
        deadlocks = [e for e in ledger.errors if e[0] == 1213]
        failures = [e for e in ledger.errors if e[0] != 1213]
        assert not failures, f"{len(failures)} statements failed: {failures[:5]}"
        print(f"{ledger.audit()} transactions, all accounted for; {len(deadlocks)} deadlocks")
        errors = cluster.error_lines()
        assert not errors, "\n".join(errors[:20])


main()
