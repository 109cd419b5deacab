#!/usr/bin/python3
"""kill -9 of the writer under write load, again and again: the cluster endpoint takes writes again within the limit, and the
ledger is complete each time. `--rounds 20` is the full drill; CI runs a short form."""
import argparse
import os
import signal
import time

from cluster import Cluster, wait_for
from ledger import Ledger

LIMIT_S = 5.0


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=20)
    options.add_argument("--clients", type=int, default=8)
    options.add_argument("--load-seconds", type=float, default=2.0)
    arguments = options.parse_args()
    with Cluster(readers=1) as cluster:
        ledger = Ledger(cluster, arguments.clients)
        ledger.create()
        ledger.start()
        worst = 0.0
        for number in range(1, arguments.rounds + 1):
            time.sleep(arguments.load_seconds)
            victim = cluster.writer()
            before = len(ledger.acknowledged)
            assert before > 0, f"no commit was acknowledged; errors: {ledger.errors[-3:]}"
            killed_at = time.monotonic()
            os.kill(victim["pid"], signal.SIGKILL)
            wait_for(lambda: len(ledger.acknowledged) > before + arguments.clients, 60, "writes go on")
            gap = ledger.longest_gap(killed_at)
            worst = max(worst, gap)
            print(f"round {number}: killed {victim['id']}, longest gap {gap:.2f} s, {len(ledger.acknowledged)} acknowledged", flush=True)
            wait_for(lambda: any(i["role"] == "reader" and i["state"] == "serving" for i in cluster.status()["instances"]), 30, "a reader again")
        ledger.stop()
        rows = ledger.audit()
        print(f"{len(ledger.acknowledged)} acknowledged, {len(ledger.in_doubt)} in doubt, {rows} there; longest gap {worst:.2f} s")
        assert worst <= LIMIT_S, f"writes stood still for {worst:.2f} s"
        errors = cluster.error_lines()
        assert not errors, "\n".join(errors[:20])


main()
