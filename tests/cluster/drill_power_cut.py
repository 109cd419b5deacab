#!/usr/bin/python3
"""kill -9 of every process at once under load, then `up` again: every acknowledged commit is there, nothing is half done."""
import argparse
import time

from cluster import Cluster
from ledger import Ledger


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=5)
    arguments = options.parse_args()
    with Cluster(readers=1) as cluster:
        for number in range(1, arguments.rounds + 1):
            ledger = Ledger(cluster, clients=8, seed=number)
            if number > 1:
                cluster.query("DROP DATABASE ledger")
            ledger.create()
            ledger.start()
            time.sleep(3)
            cluster.kill_everything()
            ledger.stopping.set()
            started = time.monotonic()
            cluster.up()
            took = time.monotonic() - started
            ledger.stop()
            assert ledger.acknowledged, f"no commit was acknowledged; errors: {ledger.errors[-3:]}"
            print(f"round {number}: up after {took:.1f} s; {len(ledger.acknowledged)} acknowledged, {ledger.audit()} there", flush=True)


main()
