#!/usr/bin/python3
"""What many tables cost an instance: how soon it answers after a start, and its memory then and once every table has been used.

many_tables.py [--tables 10000]      a cluster of its own, stopped and removed at the end; BOREALIS names the program

Memory is what the system says is resident (VmRSS, VmHWM), with the buffer pool of 16 MiB in it; beside it what the instance itself
counts (borealis_engine_memory_bytes).
"""
import argparse
import pathlib
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests/cluster"))
from cluster import Cluster, wait_for  # noqa: E402
from prometheus import scrape, total  # noqa: E402

COLUMNS = "id INT PRIMARY KEY, a INT, b VARCHAR(40), c DATETIME, KEY ka (a), KEY kb (b), UNIQUE KEY kc (c, a)"


def resident(pid, what="VmRSS") -> float:
    line = next(line for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith(what))
    return int(line.split()[1]) / 1024


def report(cluster, when):
    writer = cluster.writer()
    page = scrape(writer["metrics_port"])
    parts = ("dictionary", "statistics", "locks", "transactions")
    counted = {part: total(page, "borealis_engine_memory_bytes", part=part) / 1048576 for part in parts}
    print(f"{when}: {resident(writer['pid']):.0f} MiB resident, {resident(writer['pid'], 'VmHWM'):.0f} at most; counted: " +
          ", ".join(f"{part} {size:.1f} MiB" for part, size in counted.items()), flush=True)


def answers(cluster) -> bool:
    try:
        return cluster.query("SELECT 1") == ((1,),)
    except Exception:  # not up yet
        return False


def timed(cluster, text):
    started = time.monotonic()
    cluster.query(text)
    print(f"{time.monotonic() - started:.2f} s: {text[:100]}", flush=True)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--tables", type=int, default=10_000)
    given = arguments.parse_args()
    with Cluster(readers=0, buffer_pool="16MiB") as cluster:
        report(cluster, "empty")
        connection = cluster.connect()
        started = time.monotonic()
        with connection.cursor() as cursor:
            cursor.execute("CREATE DATABASE many")
            for number in range(given.tables):
                cursor.execute(f"CREATE TABLE many.t{number:05} ({COLUMNS})")
        print(f"{given.tables} tables made in {time.monotonic() - started:.0f} s", flush=True)
        connection.close()
        report(cluster, "after making them")
        cluster.run("down")
        cluster.up()
        started = time.monotonic()
        writer = cluster.writer()["id"]
        cluster.run("kill", writer)
        cluster.run("start", writer)
        wait_for(lambda: answers(cluster), 60, "an answer")
        print(f"killed, started and answering after {time.monotonic() - started:.1f} s", flush=True)
        report(cluster, "after a start")
        timed(cluster, "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'many'")
        timed(cluster, "SELECT SUM(TABLE_ROWS), SUM(DATA_LENGTH) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'many'")
        report(cluster, "every table used")
        timed(cluster, "SELECT SUM(TABLE_ROWS), SUM(DATA_LENGTH) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'many'")


if __name__ == "__main__":
    main()
