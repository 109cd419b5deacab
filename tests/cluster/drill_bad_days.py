#!/usr/bin/python3
"""Bad days: sysbench and the ledger write while storage nodes are killed, stopped, wiped, cut off, slowed and given failing disks, at random and
never more than an AZ at a time. Not one statement fails, the ledger is complete, and at the end all copies of all pages are equal.

`--seconds 1800` is the full drill; `--seed N` has the same faults in the same order. Without network namespaces (no root) there are no cuts, which
is said, and `--no-cuts` asks for it."""
import argparse
import os
import pathlib
import random
import shutil
import signal
import time

import network
from cluster import Cluster, wait_for
from faults import EIO, ENOSPC, Faults
from ledger import Ledger
from network import Network
from sysbench import Sysbench

AZS = {"az1": ["storage-1", "storage-2"], "az2": ["storage-3", "storage-4"], "az3": ["storage-5", "storage-6"]}
GAP_MAX_S = 5


class BadDays:
    def __init__(self, cluster, faults, cuts, ledger, sysbench, chance):
        self.cluster, self.faults, self.cuts, self.ledger, self.sysbench, self.chance = cluster, faults, cuts, ledger, sysbench, chance
        self.stopped = []
        self.count, self.gaps = {}, {}
        self.kinds = [self.kill, self.stop, self.wipe, self.slow_disk, self.full_disk, self.failing_disk]
        if cuts:
            self.kinds += [self.cut_off, self.cut_off_one_way, self.cut_from_writer]

    # Each kind makes its fault on the nodes; mend() ends whatever lasts.

    def kill(self, nodes):
        for pid in self.pids(nodes):
            os.kill(pid, signal.SIGKILL)

    def stop(self, nodes):
        for pid in self.pids(nodes):
            os.kill(pid, signal.SIGSTOP)
            self.stopped.append(pid)

    def wipe(self, nodes):
        for name in nodes:
            self.cluster.run("kill", name)
        self.until(lambda: all(n["pid"] == 0 for n in self.cluster.status()["storage_nodes"] if n["id"] in nodes), 10, "the nodes are gone")
        for name in nodes:
            shutil.rmtree(pathlib.Path(self.cluster.directory) / name)
            self.cluster.run("start", name)

    def slow_disk(self, nodes):
        for name in nodes:
            self.faults.set(name, "sync delay=20000", "write delay=5000", "read delay=5000")

    def full_disk(self, nodes):
        for name in nodes:
            self.faults.set(name, f"write error={ENOSPC}")

    def failing_disk(self, nodes):
        for name in nodes:
            self.faults.set(name, self.chance.choice((f"sync error={EIO} times=3", f"write error={EIO} times=2", "write short times=500",
                                                      f"read error={EIO} path=layer- times=5", "read flip path=layer- times=5")))

    def cut_off(self, nodes):
        self.cuts.isolate(nodes)

    def cut_off_one_way(self, nodes):
        others = [name for name in self.cuts.addresses if name not in nodes]
        self.cuts.cut(*self.chance.choice(((nodes, others), (others, nodes))), both_ways=False)

    def cut_from_writer(self, nodes):
        self.cuts.cut([self.cluster.writer()["id"]], nodes)

    def mend(self):
        for pid in self.stopped:
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                pass  # it was killed meanwhile, by control or by us
        self.stopped.clear()
        for nodes in AZS.values():
            for name in nodes:
                self.faults.clear(name)
        if self.cuts:
            self.cuts.heal()

    def pids(self, nodes):
        return [n["pid"] for n in self.cluster.status()["storage_nodes"] if n["id"] in nodes and n["pid"]]

    def until(self, condition, seconds, what):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"not within {seconds} s: {what}\n{self.cluster.run('status')}"
            self.check()
            time.sleep(0.3)

    def check(self):
        assert not self.sysbench.failed(), f"sysbench ended: {self.sysbench.finish()}"
        failures = [e for e in self.ledger.errors if e[0] != 1213]
        assert not failures, f"statements failed: {failures[:3]}"

    def healthy(self):
        status = self.cluster.status()
        return (all(n["state"] == "running" for n in status["storage_nodes"]) and all(s["state"] == "healthy" for s in status["segments"])
                and status["writes"]["state"] == "going on")

    def bad_day(self, nodes):
        """One or two faults on the nodes of an AZ, mended after a while. The next one in the same AZ may come before it has caught up."""
        kinds = [(self.chance.choice(self.kinds), nodes)]
        if len(nodes) == 2 and self.chance.random() < 0.5:
            kinds = [(self.chance.choice(self.kinds), [name]) for name in nodes]
        what = " and ".join(f"{kind.__name__} {' '.join(names)}" for kind, names in kinds)
        since, before = time.monotonic(), len(self.ledger.acknowledged)
        for kind, names in kinds:
            kind(names)
        self.until(lambda since=since, lasts=self.chance.uniform(1, 9): time.monotonic() > since + lasts, 60, "time passes")
        self.mend()
        mended = time.monotonic()
        waits = self.chance.random() < 0.7
        if waits:
            self.until(self.healthy, 180, f"all is healthy after {what}")
        gap = self.ledger.longest_gap(since)
        for kind, _ in kinds:
            self.count[kind.__name__] = self.count.get(kind.__name__, 0) + 1
            self.gaps[kind.__name__] = max(self.gaps.get(kind.__name__, 0), gap)
        print(f"{time.strftime('%H:%M:%S')} {what}: {len(self.ledger.acknowledged) - before} commits, longest gap {gap:.2f} s, "
              f"{f'healthy {time.monotonic() - mended:.1f} s after mending' if waits else 'and on, not healthy yet'}", flush=True)
        assert gap < GAP_MAX_S, f"writes stood still for {gap:.1f} s"

    def run(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            nodes = AZS[self.chance.choice(list(AZS))]
            for _ in range(self.chance.randint(1, 3)):
                self.bad_day(nodes if self.chance.random() < 0.5 else [self.chance.choice(nodes)])
                if time.monotonic() > end:
                    break
            self.until(self.healthy, 180, "all is healthy before the next AZ has bad days")


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--seconds", type=float, default=1800)
    options.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    options.add_argument("--test", default="oltp_write_only")
    options.add_argument("--threads", type=int, default=8)
    options.add_argument("--rows", type=int, default=100_000)
    options.add_argument("--no-cuts", action="store_true")
    arguments = options.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    why = "--no-cuts" if arguments.no_cuts else network.available()
    if why:
        print(f"no cuts of the network: {why}", flush=True)
    faults = Faults()
    if why:
        with Cluster(readers=1, pg_size="16MiB", faults=faults) as cluster:
            drill(cluster, faults, None, arguments)
    else:
        with Network(faults) as cuts, Cluster(readers=1, pg_size="16MiB", faults=faults, network=cuts) as cluster:
            drill(cluster, faults, cuts, arguments)


def drill(cluster, faults, cuts, arguments):
    sysbench = Sysbench(cluster, arguments.test, threads=arguments.threads, rows=arguments.rows)
    sysbench.prepare()
    ledger = Ledger(cluster, clients=4, seed=arguments.seed)
    ledger.create()
    ledger.start()
    sysbench.start(seconds=int(arguments.seconds))
    days = BadDays(cluster, faults, cuts, ledger, sysbench, random.Random(arguments.seed))
    wait_for(lambda: len(ledger.acknowledged) > 50, 30, "commits")
    days.run(arguments.seconds)
    days.check()
    ledger.stop()
    result = sysbench.finish()
    found = cluster.verify()
    assert found["equal"], found
    rows = ledger.audit()
    sysbench.check_tables()
    print(f"faults {dict(sorted(days.count.items()))}; longest gap between commits with each: "
          f"{ {kind: round(gap, 2) for kind, gap in sorted(days.gaps.items())} }")
    print(f"{result['transactions']} transactions of sysbench ({result['tps']:.0f}/s, p95 {result['p95_ms']:.0f} ms), none failed, {result['deadlocks']} "
          f"deadlocks; {rows} of the ledger, all accounted for; {found['pages']} pages in {found['protection_groups']} groups equal in all "
          f"{found['segments']} segments")


main()
