#!/usr/bin/python3
"""Segments change hands under load: a node that stays away is replaced, comes back and drops what it no longer holds; a node is
drained and removed; a new one gets segments; nodes and the writer die in the middle of it. No statement fails but by the failover,
and at the end everything is read with two other nodes stopped."""
import argparse
import os
import pathlib
import signal
import time

import prometheus
from bulk import Bulk
from cluster import Cluster, wait_for
from ledger import Ledger

REPAIR_AFTER_S = 2
PATIENCE_S = 150


def seats(status) -> dict:
    """(group, zone) -> nodes that hold its seats."""
    zones = {n["id"]: n["az"] for n in status["storage_nodes"]}
    held = {}
    for segment in status["segments"]:
        if "successor_of" not in segment:
            held.setdefault((segment["pg"], zones.get(segment["node"])), []).append(segment["node"])
    return held


def is_settled(cluster, without=()) -> bool:
    """Every group has its six seats, two in each zone, all on nodes that serve them, and nothing changes."""
    status = cluster.status()
    held = seats(status)
    return (status["repair"]["wanted"] == 0 and all(s["state"] in ("healthy", "behind") for s in status["segments"])
            and len(held) == 3 * status["volume"]["protection_groups"] and all(len(set(nodes)) == 2 for nodes in held.values())
            and not any(s["node"] in without for s in status["segments"]))


def settle(cluster, what, without=()) -> float:
    since = time.monotonic()
    wait_for(lambda: is_settled(cluster, without), PATIENCE_S, f"{what}; status: {cluster.run('status')}")
    return time.monotonic() - since


def held_by(cluster, name) -> set:
    """The groups of which the node itself says that it has a segment."""
    values = prometheus.scrape(cluster.storage(name)["metrics_port"])
    return {int(dict(labels)["pg"]) for (metric, labels) in values if metric == "borealis_storage_segment_scl"}


def with_seat(cluster, name) -> set:
    return {s["pg"] for s in cluster.status()["segments"] if s["node"] == name}


def busiest(cluster, zone) -> str:
    nodes = [n for n in cluster.status()["storage_nodes"] if n["az"] == zone and n["pid"] != 0]
    return max(nodes, key=lambda n: n["segments"])["id"]


def kill(cluster, name):
    cluster.run("kill", name)
    wait_for(lambda: cluster.storage(name)["pid"] == 0, 10, f"{name} gone")


def replaced(cluster):
    """A node stays away: its seats move. It comes back: what it has and no longer holds is dropped."""
    victim = busiest(cluster, "az1")
    count = cluster.storage(victim)["segments"]
    kill(cluster, victim)
    took = settle(cluster, f"the seats of {victim} moved", without=[victim])
    print(f"{victim} killed: its {count} segments are elsewhere after {took:.1f} s", flush=True)
    cluster.run("start", victim)
    wait_for(lambda: cluster.storage(victim)["state"] == "running", 60, f"{victim} in service")
    wait_for(lambda: held_by(cluster, victim) == with_seat(cluster, victim), PATIENCE_S, f"{victim} has what it holds and nothing else")
    settle(cluster, f"{victim} back")
    print(f"{victim} is back: it dropped its leftovers and was given {cluster.storage(victim)['segments']} segments", flush=True)


def drained(cluster):
    """A node is drained, removed, and another takes its place."""
    victim = busiest(cluster, "az2")
    refusal = refused(cluster, "remove-storage", victim)
    assert "segment" in refusal, refusal
    count, since = cluster.storage(victim)["segments"], time.monotonic()
    cluster.run("drain", victim)
    wait_for(lambda: cluster.storage(victim)["segments"] == 0, PATIENCE_S, f"{victim} drained")
    print(f"{victim} drained: {count} segments in {time.monotonic() - since:.1f} s", flush=True)
    assert "may be removed" in cluster.run("status")
    said = cluster.run("remove-storage", victim)
    assert str(pathlib.Path(cluster.directory) / victim) in said and (pathlib.Path(cluster.directory) / victim).is_dir(), said
    assert not cluster.storage(victim), "it is still in the status"
    assert "no storage node" in refused(cluster, "drain", victim)
    name = cluster.run("add-storage", "--az", "az2").split()[0]
    assert name != victim, "the name of a node that was"
    since = time.monotonic()
    wait_for(lambda: cluster.storage(name)["segments"] > 0, PATIENCE_S, f"{name} given segments")
    settle(cluster, f"{name} in balance")
    print(f"{name} added: {cluster.storage(name)['segments']} segments after {time.monotonic() - since:.1f} s", flush=True)


def refused(cluster, *words) -> str:
    try:
        cluster.run(*words)
    except RuntimeError as error:
        assert "exit 1" in str(error), error
        return str(error)
    raise AssertionError(f"cluster {' '.join(words)} was not refused")


def second_failure(cluster):
    first, second = busiest(cluster, "az1"), busiest(cluster, "az3")
    kill(cluster, first)
    wait_for(lambda: cluster.status()["repair"]["wanted"] > 0, 30, f"the repair of {first} begun")
    kill(cluster, second)
    took = settle(cluster, f"{first} and {second} replaced", without=[first, second])
    print(f"{first} killed, and {second} during its repair: all healthy after {took:.1f} s", flush=True)
    for name in (first, second):
        cluster.run("start", name)
    settle(cluster, f"{first} and {second} back")


def failover(cluster):
    victim, writer = busiest(cluster, "az2"), cluster.writer()
    kill(cluster, victim)
    wait_for(lambda: cluster.status()["repair"]["wanted"] > 0, 30, f"the repair of {victim} begun")
    since = time.monotonic()
    os.kill(writer["pid"], signal.SIGKILL)
    wait_for(lambda: cluster.writer()["id"] != writer["id"] and cluster.status()["serving"], 30, "the next writer")
    print(f"the writer killed during a repair: the next one serves after {time.monotonic() - since:.1f} s", flush=True)
    settle(cluster, f"{victim} replaced under the next writer", without=[victim])
    cluster.run("start", victim)
    settle(cluster, f"{victim} back")


def everything_stopped(cluster):
    """Which nodes there are and who holds what outlives every process."""
    before = {n["id"] for n in cluster.status()["storage_nodes"]}
    cluster.run("down")
    cluster.up()
    assert {n["id"] for n in cluster.status()["storage_nodes"]} == before
    settle(cluster, "the cluster up again")
    print("down and up: all healthy", flush=True)


def audit(cluster, ledger, bulk):
    """Without two nodes, of one zone and of another: what moved counts now."""
    stopped = [busiest(cluster, "az1"), busiest(cluster, "az3")]
    for name in stopped:
        cluster.run("stop", name)
    bulk.check()
    print(f"{ledger.audit()} transactions, all accounted for, and {bulk.megabytes} MB of bulk data, read without {' and '.join(stopped)}")


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--megabytes", type=int, default=300)
    options.add_argument("--clients", type=int, default=8)
    arguments = options.parse_args()
    with Cluster(readers=1, storage_nodes=9, pg_size="16MiB", options=[f"storage_repair_after={REPAIR_AFTER_S}"]) as cluster:
        ledger, bulk = Ledger(cluster, clients=arguments.clients), Bulk(cluster, arguments.megabytes)
        ledger.create()
        bulk.load()
        ledger.start()
        settle(cluster, "the cluster at rest")
        print(f"{cluster.status()['volume']['protection_groups']} protection groups on 9 nodes", flush=True)
        replaced(cluster)
        drained(cluster)
        second_failure(cluster)
        failures = [e for e in ledger.errors if e[0] != 1213]
        assert not failures, f"{len(failures)} statements failed: {failures[:5]}"
        failover(cluster)
        ledger.stop()
        everything_stopped(cluster)
        audit(cluster, ledger, bulk)
        lines = [line for line in cluster.error_lines() if "cannot become writer" not in line]
        assert not lines, lines[:10]


main()
