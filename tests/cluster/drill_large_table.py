#!/usr/bin/python3
"""A table far larger than the buffer pool: filled by transactions that double it (the last one is half of the table), read, indexed,
changed in shape, emptied by halves, and checked. What it prints of sizes is what docs/performance.md scales to a hundred million rows.

  drill_large_table.py [--rows 20000000]    20 million rows take about 12 GB on the disk of one machine"""
import argparse
import random
import time

from cluster import Cluster, hang_up, wait_for

STEP = 7919  # prime to every number of rows here, so k takes each value once


LONG_SECONDS = 3600


class Timer:
    def __init__(self, what):
        self.what = what

    def __enter__(self):
        self.started = time.monotonic()

    def __exit__(self, *failure):
        print(f"{time.monotonic() - self.started:8.1f} s  {self.what}", flush=True)


def query(cluster, text):
    return cluster.query(text, read_timeout=LONG_SECONDS)


def k_of(number, rows):
    return number * STEP % rows


def fill(cluster, rows):
    first = min(rows, 1000)
    values = ",".join(f"({i},{k_of(i, rows)},'row {i}')" for i in range(1, first + 1))
    query(cluster, "CREATE DATABASE large")
    query(cluster, "CREATE TABLE large.t (id BIGINT PRIMARY KEY, k BIGINT NOT NULL, v VARCHAR(40) NOT NULL)")
    query(cluster, f"INSERT INTO large.t VALUES {values}")
    there = first
    while there < rows:
        more = min(there, rows - there)
        with Timer(f"INSERT … SELECT of {more} rows in one transaction"):
            query(cluster, f"INSERT INTO large.t SELECT id + {there}, (id + {there}) * {STEP} % {rows}, CONCAT('row ', id + {there}) "
                           f"FROM large.t WHERE id <= {more}")
        there += more


def expect(cluster, text, answer):
    got = query(cluster, text)
    assert got == answer, f"{text}\nanswered {got}, not {answer}"


def read_points(cluster, rows, chance, condition):
    connection = cluster.connect(database="large")
    with connection.cursor() as cursor:
        for _ in range(2000):
            number = chance.randint(1, rows)
            cursor.execute(f"SELECT id, k, v FROM t WHERE {condition(number)}")
            assert cursor.fetchall() == ((number, k_of(number, rows), f"row {number}"),), number
    connection.close()


def abandon_delete(cluster, rows):
    connection = cluster.connect(database="large", read_timeout=LONG_SECONDS)
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        with Timer(f"DELETE of {rows} rows in a transaction"):
            cursor.execute(f"DELETE FROM t WHERE id <= {rows}")
    hang_up(connection)
    with Timer("the connection is cut: undone in the background"):
        wait_for(lambda: query(cluster, "SELECT COUNT(*) FROM information_schema.INNODB_TRX") == ((0,),), LONG_SECONDS, "the rollback")


def check_table(cluster):
    expect(cluster, "CHECK TABLE large.t", (("large.t", "check", "status", "OK"),))


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=20_000_000)
    options.add_argument("--seed", type=int, default=1)
    arguments = options.parse_args()
    rows, chance = arguments.rows, random.Random(arguments.seed)
    assert rows % STEP != 0
    total = rows * (rows + 1) // 2
    with Cluster(readers=1, buffer_pool="16MiB") as cluster:
        fill(cluster, rows)
        with Timer("COUNT and SUM of every row"):
            expect(cluster, "SELECT COUNT(*), SUM(id), COUNT(DISTINCT k % 1000) FROM large.t", ((rows, total, min(rows, 1000)),))
        with Timer("2,000 reads by primary key"):
            read_points(cluster, rows, chance, lambda number: f"id = {number}")
        with Timer("CREATE UNIQUE INDEX"):
            query(cluster, "CREATE UNIQUE INDEX by_k ON large.t (k)")
        with Timer("2,000 reads by the index"):
            read_points(cluster, rows, chance, lambda number: f"k = {k_of(number, rows)}")
        with Timer("ADD COLUMN"):
            query(cluster, "ALTER TABLE large.t ADD COLUMN extra INT DEFAULT 5, ALGORITHM=INSTANT")
        expect(cluster, f"SELECT extra, v FROM large.t WHERE id = {rows}", ((5, f"row {rows}"),))
        with Timer("CHECK TABLE"):
            check_table(cluster)
        query(cluster, "ANALYZE TABLE large.t")
        data, index = query(cluster, "SELECT DATA_LENGTH, INDEX_LENGTH FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'large'")[0]
        print(f"{data / rows:.1f} bytes of table and {index / rows:.1f} of index for each of {rows} rows", flush=True)
        abandon_delete(cluster, rows // 4)
        expect(cluster, "SELECT COUNT(*), SUM(id) FROM large.t", ((rows, total),))
        with Timer(f"DELETE of {rows // 2} rows"):
            query(cluster, f"DELETE FROM large.t WHERE id <= {rows // 2}")
        left = rows - rows // 2
        expect(cluster, "SELECT COUNT(*), COUNT(DISTINCT k) FROM large.t", ((left, left),))
        check_table(cluster)
        errors = cluster.error_lines()
        assert not errors, errors
        print(f"{left} of {rows} rows left, table and index agree")


main()
