#!/usr/bin/python3
"""kill -9 of both storage nodes of an AZ while sysbench runs: no statement fails, also when the next AZ goes while the first one's
nodes still catch up. `--down-seconds 20 --rows 100000 --threads 16` is the full drill."""
import argparse
import time

from cluster import Cluster, wait_for
from sysbench import Sysbench


def nodes_of(cluster, az):
    return [n["id"] for n in cluster.status()["storage_nodes"] if n["az"] == az]


def caught_up(cluster, names, target):
    everywhere = cluster.status()["segments"]
    written = {s["pg"] for s in everywhere if s["scl"] > 0}  # one group is made ahead of need
    segments = [s for s in everywhere if s["node"] in names]
    healthy = all(s["state"] == "healthy" and (s["scl"] > 0 or s["pg"] not in written) for s in segments)
    return segments and healthy and max(s["scl"] for s in segments) >= target


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--azs", default="az1,az2,az3")
    options.add_argument("--down-seconds", type=float, default=20.0)
    options.add_argument("--threads", type=int, default=16)
    options.add_argument("--rows", type=int, default=100_000)
    options.add_argument("--buffer-pool", default="256MiB")
    options.add_argument("--pg-size", default="16MiB", help="small, so that there are several protection groups")
    arguments = options.parse_args()
    azs = arguments.azs.split(",")
    with Cluster(readers=1, buffer_pool=arguments.buffer_pool, pg_size=arguments.pg_size) as cluster:
        sysbench = Sysbench(cluster, threads=arguments.threads, rows=arguments.rows)
        started = time.monotonic()
        sysbench.prepare()
        print(f"prepared 4 x {arguments.rows} rows in {time.monotonic() - started:.0f} s", flush=True)
        sysbench.start(seconds=int(len(azs) * 2 * (arguments.down_seconds + 8)))
        time.sleep(3)

        def down(az):
            for name in nodes_of(cluster, az):
                cluster.run("kill", name)

        def up(az):
            for name in nodes_of(cluster, az):
                cluster.run("start", name)
            return time.monotonic(), cluster.status()["volume"]["vdl"]

        worst = 0.0
        for az in azs:  # one after the other
            down(az)
            time.sleep(arguments.down_seconds)
            assert sysbench.running(), "sysbench ended: " + str(sysbench.finish())
            since, target = up(az)
            names = nodes_of(cluster, az)
            wait_for(lambda: caught_up(cluster, names, target), 120, f"{az} caught up")
            took = time.monotonic() - since
            worst = max(worst, took)
            print(f"{az}: down for {arguments.down_seconds:.0f} s, caught up {took:.1f} s after its start", flush=True)
        for az, next_az in zip(azs, azs[1:] + azs[:1]):  # the next goes while this one catches up
            if az == next_az:
                break
            down(az)
            time.sleep(arguments.down_seconds / 2)
            since, target = up(az)
            down(next_az)
            names = nodes_of(cluster, az)
            wait_for(lambda: caught_up(cluster, names, target), 120, f"{az} caught up without {next_az}")
            print(f"{az}: caught up {time.monotonic() - since:.1f} s after its start, with {next_az} killed meanwhile", flush=True)
            assert sysbench.running(), "sysbench ended: " + str(sysbench.finish())
            since, target = up(next_az)
            names = nodes_of(cluster, next_az)
            wait_for(lambda: caught_up(cluster, names, target), 120, f"{next_az} caught up")
        result = sysbench.finish()
        sysbench.check_tables()
        # A reader that starts now must learn of every group from the stream's first words.
        reader = next(i for i in cluster.status()["instances"] if i["role"] == "reader")
        cluster.run("kill", reader["id"])
        wait_for(lambda: all(i["pid"] == 0 for i in cluster.status()["instances"] if i["id"] == reader["id"]), 10, "the reader gone")
        cluster.run("start", reader["id"])
        wait_for(lambda: any(i["id"] == reader["id"] and i["state"] == "serving" for i in cluster.status()["instances"]), 30, "the reader again")
        assert cluster.status()["volume"]["protection_groups"] > 1 or arguments.rows < 100_000
        sysbench.check_tables(reader["port"])
        print(f"{result['transactions']} transactions ({result['tps']:.0f}/s, p95 {result['p95_ms']:.0f} ms), none failed, "
              f"{result['deadlocks']} deadlocks; worst catch-up {worst:.1f} s; longest time without a transaction {result['still_s']} s")
        errors = cluster.error_lines()
        assert not errors, "\n".join(errors[:20])


main()
