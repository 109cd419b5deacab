#!/usr/bin/python3
"""Random single processes are killed for a while (storage nodes, writer, readers, control, endpoint) under the ledger's load, with
watchers on every instance. Seeded: `--seed N` kills in the same order again. Afterwards everything heals and the audit is clean."""
import argparse
import random
import time

from cluster import Cluster, wait_for
from killer import kill_one
from ledger import Ledger
from watcher import Watcher


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--seconds", type=float, default=120.0)
    options.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    options.add_argument("--clients", type=int, default=8)
    options.add_argument("--readers", type=int, default=2)
    arguments = options.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    chance = random.Random(arguments.seed)
    with Cluster(readers=arguments.readers, pg_size="16MiB") as cluster:
        ledger = Ledger(cluster, arguments.clients, seed=arguments.seed)
        ledger.create()
        ledger.start()
        watcher = Watcher(cluster, ledger)
        watcher.start()
        killed, end = {}, time.monotonic() + arguments.seconds
        while time.monotonic() < end and not watcher.failures:
            time.sleep(chance.uniform(0.2, 2.5))
            victim = kill_one(cluster, chance)
            if victim is None:
                continue
            kind, name = victim
            killed[kind] = killed.get(kind, 0) + 1
            print(f"{time.strftime('%H:%M:%S')} killed {name}, {len(ledger.acknowledged)} acknowledged", flush=True)
        cluster.up()
        before = len(ledger.acknowledged)
        wait_for(lambda: len(ledger.acknowledged) > before + 20, 60, "writes go on")
        wait_for(lambda: all(s["state"] == "healthy" for s in cluster.status()["segments"]), 60, "all segments are healthy")
        wait_for(lambda: all(i["state"] == "serving" for i in cluster.status()["instances"]), 60, "all instances serve")
        ledger.stop()
        watcher.stop()
        rows = ledger.audit()
        errors = cluster.error_lines()
        assert not errors, "\n".join(errors[:20])
        for instance in cluster.status()["instances"]:
            wait_for(lambda: ledger.is_there(instance["port"]), 10, f"{instance['id']} has everything")
            ledger.audit(instance["port"])
        print(f"killed {killed}; {len(ledger.acknowledged)} acknowledged, {len(ledger.in_doubt)} in doubt, {rows} there; looks: {watcher.looks}; "
              f"longest gap {ledger.longest_gap(0):.2f} s")


main()
