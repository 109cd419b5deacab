#!/usr/bin/python3
"""The writer dies at each of the engine's crash points (CRASH_POINT in engine/), of its own accord and in the middle of things, under a mixed load:
rows that make pages split and merge, trees that gain and lose a level, statements of many rows, secondary indexes, long values, deletes, rollbacks. After
each death every client finds exactly the rows that it was told of, and CHECK TABLE finds every index in order.

Each client has rows of its own, so it knows what must be there: what had committed, or, when COMMIT was not answered, that or what it
would have been, as a whole."""
import argparse
import os
import pathlib
import random
import re
import signal
import tempfile
import threading
import time
import zlib

import pymysql

from cluster import ROOT, Cluster, hang_up, wait_for

WRITER = "instance-1"  # there is no other
TABLE = ("CREATE TABLE crash.t (client INT NOT NULL, id INT NOT NULL, a BIGINT NOT NULL, b VARCHAR(700) NOT NULL, c LONGTEXT, "
         "PRIMARY KEY (client, id), UNIQUE KEY by_a (a), KEY by_b (b(100), a))")
# Rows of one statement in a table without a second unique key go in several at a time.
RUNS = "CREATE TABLE crash.runs (client INT NOT NULL, id INT NOT NULL, a INT NOT NULL, PRIMARY KEY (client, id), KEY by_a (a))"


class CrashPoints:
    """The directory where a starting process finds at which visit of what it dies (base/fault.h)."""

    def __init__(self):
        self._temporary = tempfile.TemporaryDirectory(prefix="borealis-crash-points-")
        self.directory = pathlib.Path(self._temporary.name)

    def environment(self):
        return {**os.environ, "BOREALIS_TEST_CRASHES": str(self.directory)}

    def set(self, instance, point, visit):
        fresh = self.directory / f".{instance}"
        fresh.write_text(f"{point} {visit}\n")
        fresh.rename(self.directory / instance)

    def names(self):
        sources = (ROOT / "engine").rglob("*.cc")
        return sorted({name for path in sources for name in re.findall(r'CRASH_POINT\("([^"]+)"\)', path.read_text())})


class Client:
    """Random transactions on its own rows; `rows` is what must be there: {id: (a, b, checksum of c)}, and of the table of runs {0: (rows, sum of a)}."""

    def __init__(self, cluster, number, seed):
        self.cluster, self.number, self.chance = cluster, number, random.Random(seed * 100 + number)
        self.rows, self.maybe = {0: (0, 0)}, None
        self.connection, self.next_a = None, number * 1_000_000_000
        self.next_run = 0
        self.committed = self.looks = 0
        self.failure = None

    def run(self, stopping):
        try:
            while not stopping.is_set():
                try:
                    self._step()
                except pymysql.MySQLError:
                    self._hang_up()
                    time.sleep(0.05)
            self._settle()
        except Exception as failure:  # told by the drill
            self.failure = f"client {self.number}: {failure!r}"

    def _hang_up(self):
        hang_up(self.connection)
        self.connection = None

    def _settle(self):
        """A last look, when nobody is killed any more."""
        self._hang_up()
        self._step(transactions=0)

    def _step(self, transactions=1):
        if self.connection is None:
            self.connection = self.cluster.connect(database="crash")
            self.look(self.connection)
        if transactions:
            with self.connection.cursor() as cursor:
                self._transaction(cursor)

    def look(self, connection):
        with connection.cursor() as cursor:
            # What an old session left unfinished is waited for.
            cursor.execute(f"SELECT id, a, b, CRC32(c) FROM t WHERE client = {self.number} FOR SHARE")
            found = {i: (a, b, c) for i, a, b, c in cursor.fetchall()}
            cursor.execute(f"SELECT COUNT(*), CAST(COALESCE(SUM(a), 0) AS SIGNED) FROM runs WHERE client = {self.number} FOR SHARE")
            found[0] = cursor.fetchone()
        self.looks += 1
        if self.maybe is not None and found == self.maybe:
            self.rows = self.maybe
        self.maybe = None
        assert found == self.rows, (
            f"{len(found)} rows instead of {len(self.rows)}: missing {sorted(self.rows.keys() - found.keys())[:5]}, "
            f"too many {sorted(found.keys() - self.rows.keys())[:5]}, "
            f"other {[i for i in sorted(found.keys() & self.rows.keys()) if found[i] != self.rows[i]][:5]}")

    def _value(self):
        self.next_a += 1
        b = self.chance.choice("abcdefgh") * self.chance.randint(200, 700)
        length = self.chance.choice((0,) * 30 + (3000, 20_000, 120_000, 500_000) + ((1_300_000,) if self.chance.random() < 0.3 else ()))
        letter = self.chance.choice("xyz")
        sql = f"REPEAT('{letter}', {length})" if length else "NULL"
        return (self.next_a, b, zlib.crc32(letter.encode() * length) if length else None), f"{self.next_a}, '{b}', {sql}"

    def _transaction(self, cursor):
        rows = dict(self.rows)
        cursor.execute("BEGIN")
        self._insert_run(cursor, rows)
        # Grows and shrinks: pages split, and are emptied and merged.
        shrinks = len(self.rows) > 151 or self.chance.random() < 0.3
        for _ in range(self.chance.randint(1, 12)):
            self._change(cursor, rows, shrinks)
        if self.chance.random() < 0.15:
            cursor.execute("SAVEPOINT s")
            scratch = dict(rows)
            for _ in range(self.chance.randint(1, 6)):
                self._change(cursor, scratch, shrinks)
            cursor.execute("ROLLBACK TO s")
        if self.chance.random() < 0.15:
            cursor.execute("ROLLBACK")
            return
        self.maybe = rows
        cursor.execute("COMMIT")
        self.rows, self.maybe = rows, None
        self.committed += 1

    def _insert_run(self, cursor, rows):
        """Ascending ids, never the same again; some of the old ones go."""
        count, total = rows[0]
        values = [(self.next_run + i, self.chance.randint(0, 500)) for i in range(self.chance.randint(2, 80))]
        self.next_run += len(values)
        cursor.execute("INSERT INTO runs VALUES " + ", ".join(f"({self.number}, {i}, {a})" for i, a in values))
        rows[0] = (count + len(values), total + sum(a for _, a in values))
        if rows[0][0] > 2000:
            cursor.execute(f"DELETE FROM runs WHERE client = {self.number}")
            rows[0] = (0, 0)

    def _change(self, cursor, rows, shrinks):
        kind = self.chance.random()
        ids = sorted(rows.keys() - {0})
        if shrinks and ids and kind < 0.5:
            first = self.chance.choice(ids)
            last = first + self.chance.choice((0, 0, 5, 40))
            cursor.execute(f"DELETE FROM t WHERE client = {self.number} AND id BETWEEN {first} AND {last}")
            for i in [i for i in ids if first <= i <= last]:
                del rows[i]
            return
        i = self.chance.choice(ids) if ids and kind < 0.7 else self.chance.randint(1, 400)
        value, sql = self._value()
        columns = ", ".join(f"{name} = new.{name}" for name in "abc")
        cursor.execute(f"INSERT INTO t VALUES ({self.number}, {i}, {sql}) AS new ON DUPLICATE KEY UPDATE {columns}")
        rows[i] = value


class Pulse(threading.Thread):
    """Fills a table and empties it, each at once, so that its trees gain a level and lose it again; there are all of its rows or none."""

    ROWS = 200

    def __init__(self, cluster):
        super().__init__(daemon=True)
        self.cluster, self.failure, self.stopping = cluster, None, threading.Event()
        cluster.query("CREATE TABLE crash.pulse (id INT PRIMARY KEY, b VARCHAR(700) NOT NULL, KEY by_b (b))")

    def run(self):
        connection = None
        while not self.stopping.is_set() and self.failure is None:
            try:
                connection = connection or self.cluster.connect(database="crash")
                self._beat(connection)
            except pymysql.MySQLError:
                hang_up(connection)
                connection = None
                time.sleep(0.05)
        hang_up(connection)

    def _beat(self, connection):
        with connection.cursor() as cursor:
            cursor.execute("SELECT COUNT(*) FROM pulse FOR SHARE")
            (rows,), = cursor.fetchall()
            if rows not in (0, self.ROWS):
                self.failure = f"{rows} rows in crash.pulse, neither none nor {self.ROWS}"
            elif rows:
                cursor.execute("DELETE FROM pulse")
            else:
                values = ", ".join(f"({number}, REPEAT(CHAR({97 + number % 26}), 600))" for number in range(self.ROWS))
                cursor.execute(f"INSERT INTO pulse VALUES {values}")
        self.stopping.wait(0.5)  # purge takes the rows, and the tree its level


def check_tables(cluster):
    def checked():
        try:
            return cluster.query("CHECK TABLE crash.t, crash.runs, crash.pulse")
        except pymysql.MySQLError:
            return None  # it has just died, as was asked
    answer = wait_for(checked, 90, "CHECK TABLE")
    assert [row[2:] for row in answer] == [("status", "OK")] * 3, answer


def deaths(cluster, point) -> int:
    """How many processes have said that they die there."""
    output = pathlib.Path(cluster.directory) / WRITER / "output"
    return output.read_text(errors="replace").splitlines().count(f"crash point {point}")


def die_at(cluster, points, point, visit, seconds):
    """Kills the writer, whose successor is to die at the point; whether that one did."""
    before = deaths(cluster, point)
    points.set(WRITER, point, visit)
    os.kill(int((pathlib.Path(cluster.directory) / WRITER / "pid").read_text().split()[0]), signal.SIGKILL)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if deaths(cluster, point) > before:
            return True
        time.sleep(0.1)
    return False


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=3, help="over all points, each later in the process's life")
    options.add_argument("--clients", type=int, default=6)
    options.add_argument("--seed", type=int, default=random.randrange(1 << 20))
    options.add_argument("--seconds", type=float, default=20.0, help="a visit that has not come within so many is given up")
    options.add_argument("--points", nargs="*", help="only these")
    arguments = options.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    points, reached, stopping = CrashPoints(), set(), threading.Event()
    chance = random.Random(arguments.seed)
    with Cluster(readers=0, faults=points) as cluster:
        cluster.query("CREATE DATABASE crash")
        cluster.query(TABLE)
        cluster.query(RUNS)
        clients = [Client(cluster, number, arguments.seed) for number in range(1, arguments.clients + 1)]
        threads = [threading.Thread(target=client.run, args=(stopping,), daemon=True) for client in clients]
        pulse = Pulse(cluster)
        pulse.start()
        for thread in threads:
            thread.start()
        wanted = arguments.points or points.names()
        for number in range(1, arguments.rounds + 1):
            for point in wanted:
                visit = chance.choice((1, 1, 2, 5)) * number
                died = die_at(cluster, points, point, visit, arguments.seconds)
                if not died and point not in reached:
                    visit = 1  # a rare one
                    died = die_at(cluster, points, point, visit, arguments.seconds)
                reached |= {point} if died else set()
                check_tables(cluster)
                failures = [client.failure for client in [*clients, pulse] if client.failure]
                assert not failures, "\n".join([f"{'after' if died else 'without'} death at {point}, visit {visit}:"] + failures)
                print(f"{time.strftime('%H:%M:%S')} round {number}: {'died' if died else 'never came'} at {point}, visit {visit}; "
                      f"{sum(c.committed for c in clients)} committed, {sum(len(c.rows) for c in clients)} rows", flush=True)
        stopping.set()
        pulse.stopping.set()
        for thread in [*threads, pulse]:
            thread.join(90)
            assert not thread.is_alive(), "a client hangs"
        check_tables(cluster)
        failures = [client.failure for client in [*clients, pulse] if client.failure]
        assert not failures, "\n".join(failures)
        assert reached == set(wanted), f"never reached: {sorted(set(wanted) - reached)}"
        print(f"died at {len(reached)} points; {sum(c.committed for c in clients)} committed, {sum(c.looks for c in clients)} looks")
        errors = cluster.error_lines()
        assert not errors, "\n".join(errors[:20])


main()
