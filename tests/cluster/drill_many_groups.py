#!/usr/bin/python3
"""A volume of hundreds of protection groups, whose writer is killed: opening seals, compares and repairs all of them, and must
still take well under a second. Groups are small here so that a few hundred megabytes make many."""
import argparse
import os
import pathlib
import re
import signal
import time

from bulk import Bulk
from cluster import Cluster, wait_for
from ledger import Ledger

OPENED = re.compile(r"opened by .*, (\d+) protection groups")


def seconds(line) -> float:
    hours, minutes, rest = line.split(" ")[0].split("T")[1].split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


def opening(cluster, instance, since) -> tuple:
    """(seconds from the first step to open, groups) of the instance's opening after `since` bytes of its log."""
    text = (pathlib.Path(cluster.directory) / instance / "log").read_bytes()[since:].decode(errors="replace").splitlines()
    first = next(line for line in text if "opening volume" in line)
    last = next(line for line in text if OPENED.search(line))
    return seconds(last) - seconds(first), int(OPENED.search(last)[1])


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--megabytes", type=int, default=320)
    options.add_argument("--pg-size", default="1MiB")
    options.add_argument("--groups", type=int, default=300)
    options.add_argument("--limit", type=float, default=1.0)
    options.add_argument("--rounds", type=int, default=3)
    arguments = options.parse_args()
    with Cluster(readers=1, storage_nodes=9, pg_size=arguments.pg_size) as cluster:
        ledger, bulk = Ledger(cluster, clients=4), Bulk(cluster, arguments.megabytes)
        ledger.create()
        bulk.load()
        groups = cluster.status()["volume"]["protection_groups"]
        assert groups >= arguments.groups, f"only {groups} protection groups"
        ledger.start()
        took = []
        for _ in range(arguments.rounds):
            time.sleep(2)
            status = cluster.status()
            writer = next(i for i in status["instances"] if i["role"] == "writer")
            sizes = {i["id"]: (pathlib.Path(cluster.directory) / i["id"] / "log").stat().st_size for i in status["instances"]}
            killed = time.monotonic()
            os.kill(writer["pid"], signal.SIGKILL)
            wait_for(lambda: cluster.writer()["id"] != writer["id"] and cluster.status()["serving"], 30, "the next writer")
            gap, now = time.monotonic() - killed, cluster.writer()["id"]
            opened, count = opening(cluster, now, sizes[now])
            took.append(opened)
            print(f"{count} protection groups opened in {opened * 1000:.0f} ms, serving {gap:.1f} s after the kill", flush=True)
            wait_for(lambda: all(i["state"] == "serving" for i in cluster.status()["instances"]), 30, "the reader back")
        ledger.stop()
        bulk.check()
        assert max(took) < arguments.limit, f"opening took {max(took):.2f} s"
        print(f"{ledger.audit()} transactions, all accounted for; openings of {groups} groups took {', '.join(f'{t * 1000:.0f}' for t in took)} ms")


main()
