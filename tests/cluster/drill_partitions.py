#!/usr/bin/python3
"""The network between real processes is cut, each process in a network namespace of its own (network.py): a storage node, an AZ, one way
only, the writer from some storage nodes, from a reader, from control, from everything; an AZ and one more node. Cuts are silent: nothing is
refused, connections hang half open. Who can go on does, writes that cannot wait, and minutes of backed-off retries do not follow a cut."""
import argparse
import sys
import time

import network
from cluster import Cluster, wait_for
from drill_stalls import Stopped
from faults import Faults
from ledger import Ledger
from network import Network

GAP_MAX_S = 3
AZ1, AZ2 = ["storage-1", "storage-2"], ["storage-3", "storage-4"]


class Drill:
    def __init__(self, cluster, cuts, ledger, seconds):
        self.cluster, self.cuts, self.ledger, self.seconds = cluster, cuts, ledger, seconds

    def healthy(self):
        status = self.cluster.status()
        return (all(s["state"] == "healthy" for s in status["segments"]) and all(n["state"] == "running" for n in status["storage_nodes"])
                and all(i["state"] == "serving" for i in status["instances"]) and status["writes"]["state"] == "going on")

    def cut(self, what, cut, shows, gap_max=GAP_MAX_S, failures_expected=False, writes_wait=False):
        """Makes a cut, sees that status shows it, waits, and heals. No statement fails unless the writer has to go."""
        since, failed, before = time.monotonic(), len(self.ledger.errors), len(self.ledger.acknowledged)
        cut()
        shown = wait_for(shows, 25, lambda: f"{what}: status shows it: {self.cluster.run('status')}") if shows else "nothing"
        time.sleep(max(0, since + self.seconds - time.monotonic()))
        healed_from = len(self.ledger.acknowledged)
        self.cuts.heal()
        healed = time.monotonic()
        wait_for(lambda: len(self.ledger.acknowledged) > healed_from + 5, 10, f"{what}: writes go on after healing")
        again = time.monotonic() - healed
        wait_for(self.healthy, 30, f"{what}: all is healthy")
        gap = self.ledger.longest_gap(since)
        failures = [e for e in self.ledger.errors[failed:] if e[0] != 1213]
        assert failures_expected or not failures, f"{what}: statements failed: {failures[:3]}"
        assert writes_wait or gap < gap_max, f"{what}: no commit for {gap:.1f} s"
        print(f"{what}: {len(self.ledger.acknowledged) - before} commits, longest gap {gap:.2f} s, {len(failures)} broken; shown: {shown}; "
              f"healed: commits after {again:.1f} s, all healthy after {time.monotonic() - healed:.1f} s", flush=True)

    def nodes_in(self, state, names):
        def look():
            found = {n["id"]: n["state"] for n in self.cluster.status()["storage_nodes"]}
            return all(found[name] == state for name in names) and f"{', '.join(names)} {state}"
        return look

    def segments_in(self, state, names):
        def look():
            found = [s["state"] for s in self.cluster.status()["segments"] if s["node"] in names]
            return all(one == state for one in found) and f"segments {state}"
        return look

    def lags(self, name):
        lag_ms = next(i["lag_ms"] for i in self.cluster.status()["instances"] if i["id"] == name)
        return lag_ms > 1000 and f"{name} lags by {lag_ms / 1000:.1f} s"

    def writes_wait(self):
        writes = self.cluster.status()["writes"]
        return writes["state"] == "waiting" and writes["reason"]

    def writer(self):
        return self.cluster.writer()["id"]

    def reader(self):
        return next(i["id"] for i in self.cluster.status()["instances"] if i["role"] == "reader")


def all_cuts(drill):
    cuts = drill.cuts
    drill.cut("a storage node from all", lambda: cuts.isolate(["storage-3"]), drill.nodes_in("silent", ["storage-3"]))
    drill.cut("an AZ from all others", lambda: cuts.isolate(AZ1), drill.nodes_in("silent", AZ1))
    drill.cut("an AZ, only what it sends", lambda: cuts.isolate(AZ2, both_ways=False), drill.nodes_in("silent", AZ2))
    writer, reader = drill.writer(), drill.reader()
    drill.cut("the writer from an AZ", lambda: cuts.cut([writer], AZ1), None)
    drill.cut("the writer from an AZ, one way", lambda: cuts.cut([writer], AZ2, both_ways=False), None)
    drill.cut("storage nodes of two AZs from each other", lambda: cuts.cut(AZ1, AZ2), None)
    drill.cut("the reader from the writer", lambda: cuts.cut([writer], [reader]), lambda: drill.lags(reader))
    drill.cut("the reader from all storage nodes", lambda: cuts.cut([reader], [n for n in cuts.addresses if n.startswith("storage")]), None)
    drill.cut("an AZ and one more node", lambda: cuts.isolate(AZ1 + ["storage-3"]), drill.writes_wait, writes_wait=True)
    drill.cut("the writer from everything", lambda: cuts.isolate([writer]), lambda: drill.writer() != writer and f"{drill.writer()} took over",
              gap_max=12, failures_expected=True)
    writer = drill.writer()
    drill.cut("the writer from four storage nodes, for a moment", lambda: cuts.cut([writer], AZ1 + AZ2), drill.writes_wait, writes_wait=True)
    drill.cut("the writer from four storage nodes", lambda: cuts.cut([writer], AZ1 + AZ2),
              lambda: drill.writer() != writer and f"{drill.writer()} took over", gap_max=25, failures_expected=True)


def back_at_once(drill, seconds):
    """A cut long enough for TCP to have backed off: after healing, two other nodes stand still, so that commits need those that were cut off."""
    failed = len(drill.ledger.errors)
    drill.cuts.cut([drill.writer()], AZ1)
    time.sleep(seconds)
    drill.cuts.heal()
    healed, before = time.monotonic(), len(drill.ledger.acknowledged)
    with Stopped([n["pid"] for n in drill.cluster.status()["storage_nodes"] if n["id"] in ("storage-5", "storage-6")]):
        wait_for(lambda: len(drill.ledger.acknowledged) > before + 20, 8, "commits with the nodes that were cut off")
        print(f"the writer from an AZ for {seconds:.0f} s: {time.monotonic() - healed:.1f} s after healing its nodes count again", flush=True)
    failures = [e for e in drill.ledger.errors[failed:] if e[0] != 1213]
    assert not failures, f"statements failed: {failures[:3]}"


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--seconds", type=float, default=8.0, help="how long each cut lasts")
    options.add_argument("--long", type=float, default=40.0, help="how long the last one does")
    arguments = options.parse_args()
    if why := network.available():
        print(f"skipped: {why}")
        sys.exit(network.SKIPPED)
    faults = Faults()
    with Network(faults) as cuts, Cluster(readers=1, network=cuts, faults=faults) as cluster:
        ledger = Ledger(cluster, clients=4)
        ledger.create()
        ledger.start()
        drill = Drill(cluster, cuts, ledger, arguments.seconds)
        wait_for(lambda: len(ledger.acknowledged) > 50 and drill.healthy(), 30, "commits")
        all_cuts(drill)
        back_at_once(drill, arguments.long)
        ledger.stop()
        print(cluster.run("verify").strip())
        print(f"{ledger.audit()} transactions, all accounted for, {len(ledger.in_doubt)} in doubt")


main()
