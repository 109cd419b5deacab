#!/usr/bin/python3
"""What triggers cost a row: INSERT … SELECT into a table without, with one that assigns, with one that writes an audit row.

triggers.py [--rows 50000] [--runs 3]      a cluster of its own, stopped and removed at the end; BOREALIS names the program

One statement inserts all rows, so parsing, binding and committing it weigh nothing. Medians of the runs, the kinds in turn; CPU is the
writer's (user and system). The audit row is a second row written, so its price is to be held against inserting twice as many.
"""
import argparse
import os
import pathlib
import statistics
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests/cluster"))
from cluster import Cluster  # noqa: E402

REST_SECONDS = 3  # until what the runs before have left to the background is done
TICKS = os.sysconf("SC_CLK_TCK")
KINDS = {
    "no trigger": "",
    "BEFORE: SET NEW.b = NEW.a + 1": "BEFORE INSERT ON t FOR EACH ROW SET NEW.b = NEW.a + 1",
    "BEFORE: IF, two variables, SET NEW.b": "BEFORE INSERT ON t FOR EACH ROW BEGIN DECLARE v, w INT DEFAULT 3; "
                                            "IF NEW.a > 10 THEN SET v = NEW.a; END IF; SET NEW.b = v + w; END",
    "AFTER: INSERT INTO audit": "AFTER INSERT ON t FOR EACH ROW INSERT INTO audit (a, b, c) VALUES (NEW.a, NEW.b, NEW.c)",
    "AFTER: UPDATE a counter": "AFTER INSERT ON t FOR EACH ROW UPDATE counters SET n = n + 1 WHERE id = NEW.a % 16",
    "AFTER: SELECT … INTO a variable": "AFTER INSERT ON t FOR EACH ROW BEGIN DECLARE v INT; SELECT n INTO v FROM counters WHERE id = NEW.a % 16; END",
}


def cpu_seconds(pid) -> float:
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def run(cluster, trigger, rows) -> float:
    for text in ("DROP TABLE IF EXISTS b.t", "DELETE FROM b.audit",
                 "CREATE TABLE b.t (id INT AUTO_INCREMENT PRIMARY KEY, a INT, b INT, c VARCHAR(40))"):
        cluster.query(text)
    if trigger:
        cluster.query("CREATE TRIGGER b.x " + trigger.replace(" ON t ", " ON b.t "))
    time.sleep(REST_SECONDS)
    pid = cluster.writer()["pid"]
    before = cpu_seconds(pid)
    cluster.query(f"INSERT INTO b.t (a, c) SELECT n, 'some text of a row' FROM b.numbers LIMIT {rows}")
    return (cpu_seconds(pid) - before) / rows * 1e6


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--rows", type=int, default=50_000)
    arguments.add_argument("--runs", type=int, default=3)
    given = arguments.parse_args()
    with Cluster(readers=0, buffer_pool="256MiB") as cluster:
        for text in ("CREATE DATABASE b", "CREATE TABLE b.numbers (n INT PRIMARY KEY)",
                     "CREATE TABLE b.audit (id INT AUTO_INCREMENT PRIMARY KEY, a INT, b INT, c VARCHAR(40))",
                     "CREATE TABLE b.counters (id INT PRIMARY KEY, n INT NOT NULL DEFAULT 0)",
                     "INSERT INTO b.counters (id) VALUES " + ", ".join(f"({n})" for n in range(16))):
            cluster.query(text)
        for first in range(0, given.rows, 5000):
            cluster.query("INSERT INTO b.numbers VALUES " + ", ".join(f"({n})" for n in range(first, first + 5000)))
        found = {kind: [] for kind in KINDS}
        for _ in range(given.runs):
            for kind, trigger in KINDS.items():
                found[kind].append(run(cluster, trigger, given.rows))
        for kind, costs in found.items():
            print(f"{kind}: {statistics.median(costs):.1f} µs of CPU a row", flush=True)


if __name__ == "__main__":
    main()
