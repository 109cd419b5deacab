#!/usr/bin/python3
"""Space comes back: a table is filled and dropped, again and again. The volume does not grow beyond one table's worth, and a
while after the drop the storage nodes' disks are back to a few percent of what the table took, after the deletion of its rows to
an eighth or less. What else is in the volume stays."""
import argparse
import os
import pathlib
import time

from cluster import Cluster, wait_for
from sysbench import Sysbench

ROW_BYTES = 4000
# Of a segment's emptied pages, which keep their space until more are emptied (docs/volume.md, Space). A dropped table's come at
# once and all go; those of rows that are deleted a thousand at a time come in portions.
MOST_UNCOLLECTED = 1 / 8


def disk_bytes(cluster) -> dict:
    """Bytes of files in the storage nodes' directories, by kind."""
    total = {"layer": 0, "journal": 0}
    for path in pathlib.Path(cluster.directory).glob("storage-*/**/*"):
        kind = path.name.split("-")[0]
        if kind in total:
            try:
                total[kind] += path.stat().st_size
            except FileNotFoundError:
                pass  # merged meanwhile
    return total


def mib(count) -> float:
    return count / 2**20


def fill(cluster, table, megabytes):
    connection = cluster.connect()
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE TABLE test.{table} (id INT PRIMARY KEY, v VARBINARY({ROW_BYTES}) NOT NULL)")
            rows = megabytes * 2**20 // ROW_BYTES
            for first in range(0, rows, 200):
                values = [(number, os.urandom(ROW_BYTES)) for number in range(first, min(rows, first + 200))]
                cursor.executemany(f"INSERT INTO test.{table} VALUES (%s, %s)", values)
    finally:
        connection.close()


def settled(cluster, seconds=3) -> int:
    """Layer bytes once they have not changed for so long."""
    last, since = -1, time.monotonic()
    while time.monotonic() < since + seconds:
        now = disk_bytes(cluster)["layer"]
        if now != last:
            last, since = now, time.monotonic()
        time.sleep(0.2)
    return last


def show_amplification(cluster, what):
    """What the storage nodes wrote and keep, by `cluster status`, as a table row for docs/performance.md."""
    time.sleep(2)  # until control has heard
    total = {}
    for node in cluster.status()["storage_nodes"]:
        for key, value in node["space"].items():
            total[key] = total.get(key, 0) + value
    log, logical = total["record_bytes"], max(total["logical_bytes"], 1)
    print(f"{what}: log {mib(log):.0f} MiB; written {total['journal_written_bytes'] / log:.2f} (journal) + "
          f"{total['layer_written_bytes'] / log:.2f} (layers) bytes for each; layers {mib(total['layer_bytes']):.0f} MiB, "
          f"plain {mib(total['layer_plain_bytes']):.0f}, for {mib(logical):.0f} MiB of pages: {total['layer_bytes'] / logical:.2f}; "
          f"journals {mib(total['journal_bytes']):.0f} MiB", flush=True)


def measure(seconds):
    with Cluster(readers=1) as cluster:
        sysbench = Sysbench(cluster, rows=250_000)
        sysbench.prepare()
        show_amplification(cluster, "sysbench prepare")
        sysbench.start(seconds)
        print(sysbench.finish(seconds + 60))
        show_amplification(cluster, f"oltp_read_write for {seconds} s")
        settled(cluster)
        show_amplification(cluster, "settled")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=64, help="in the table")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--part-left", type=float, default=0.03, help="of the table's copies, after the drop")
    parser.add_argument("--sysbench", type=int, metavar="SECONDS", help="no drill: measures write and space amplification")
    arguments = parser.parse_args()
    if arguments.sysbench:
        return measure(arguments.sysbench)
    with Cluster(readers=1) as cluster:
        cluster.query("CREATE DATABASE IF NOT EXISTS test")
        cluster.query("CREATE TABLE test.kept (id INT PRIMARY KEY, v INT)")
        cluster.query("INSERT INTO test.kept VALUES (1, 10), (2, 20)")
        table_bytes = 6 * arguments.megabytes * 2**20
        most_journal = 0
        for number in range(1, arguments.rounds + 1):
            base = settled(cluster)
            fill(cluster, f"t{number}", arguments.megabytes)
            full = settled(cluster)
            began = time.monotonic()
            cluster.query(f"DROP TABLE test.t{number}")
            goal = base + arguments.part_left * table_bytes
            try:
                wait_for(lambda: disk_bytes(cluster)["layer"] <= goal, 120, f"layers are down to {mib(goal):.1f} MiB")
            finally:
                took = time.monotonic() - began
                after = disk_bytes(cluster)
                most_journal = max(most_journal, after["journal"])
                print(f"round {number}: layers of six nodes {mib(base):.1f} MiB, with the table {mib(full):.1f}, {took:.1f} s after "
                      f"its drop {mib(after['layer']):.1f} ({(after['layer'] - base) / table_bytes:.2%} of the table); "
                      f"journals {mib(after['journal']):.0f}", flush=True)
        base = settled(cluster)
        fill(cluster, "purged", arguments.megabytes)
        full = settled(cluster)
        began = time.monotonic()
        rows = arguments.megabytes * 2**20 // ROW_BYTES
        for first in range(0, rows, 1000):
            cluster.query(f"DELETE FROM test.purged WHERE id >= {first} AND id < {first + 1000}")
        goal = base + MOST_UNCOLLECTED * table_bytes
        try:
            wait_for(lambda: disk_bytes(cluster)["layer"] <= goal, 120, f"layers are down to {mib(goal):.1f} MiB")
        finally:
            print(f"all rows deleted: layers {mib(base):.1f} MiB, with the rows {mib(full):.1f}, {time.monotonic() - began:.1f} s "
                  f"after the first DELETE {mib(disk_bytes(cluster)['layer']):.1f}", flush=True)
        assert cluster.query("SELECT COUNT(*) FROM test.purged") == ((0,),)
        assert cluster.query("SELECT id, v FROM test.kept ORDER BY id") == ((1, 10), (2, 20))
        assert not cluster.error_lines(), cluster.error_lines()


main()
