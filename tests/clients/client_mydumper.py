#!/usr/bin/python3
"""mydumper and myloader: a dump by several threads, restored into another database. usage: client_mydumper.py PORT

Its threads take their snapshots under FLUSH TABLES WITH READ LOCK, so the dump is of one moment although money moves between two tables
all the time. myloader makes a view as a MyISAM table first, which without NO_ENGINE_SUBSTITUTION becomes one of InnoDB.
"""
import pathlib
import subprocess
import threading
import time
import sys
import tempfile

import pymysql

PORT = sys.argv[1]
SERVER = ["-h", "127.0.0.1", "-P", PORT, "-u", "root"]


def tool(*words):
    done = subprocess.run([words[0], *SERVER, *words[1:]], capture_output=True, text=True, timeout=300)
    complaints = [line for line in done.stderr.splitlines() if "CRITICAL" in line or "ERROR" in line.upper()]
    assert done.returncode == 0 and not complaints, f"{' '.join(words)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"


def contents(cursor, database):
    cursor.execute("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s ORDER BY 1", (database,))
    found = {}
    for (table,) in cursor.fetchall():
        cursor.execute(f"SHOW CREATE TABLE `{database}`.`{table}`")
        definition = cursor.fetchone()[1].replace(f"`{database}`.", "")
        cursor.execute(f"SELECT * FROM `{database}`.`{table}`")
        found[table] = (definition, sorted(map(repr, cursor.fetchall())))
    return found


class Mover(threading.Thread):
    """Moves money from one table to the other, a transaction at a time, until told to stop."""

    def __init__(self):
        super().__init__()
        self.over, self.moved, self.failure = threading.Event(), 0, None

    def run(self):
        try:
            with pymysql.connect(host="127.0.0.1", port=int(PORT), user="root", database="moving") as connection, connection.cursor() as cursor:
                while not self.over.is_set():
                    cursor.execute("UPDATE giver SET money = money - 1 WHERE id = %s", (self.moved % 50,))
                    cursor.execute("UPDATE taker SET money = money + 1 WHERE id = %s", (self.moved % 50,))
                    connection.commit()
                    self.moved += 1
        except Exception as failure:  # told by the main thread
            self.failure = failure


def check_one_moment(cursor):
    for text in ("DROP DATABASE IF EXISTS moving", "CREATE DATABASE moving", "USE moving",
                 "CREATE TABLE giver (id INT PRIMARY KEY, money INT NOT NULL, filler BLOB)", "CREATE TABLE taker LIKE giver"):
        cursor.execute(text)
    for table in ("giver", "taker"):
        cursor.executemany(f"INSERT INTO {table} VALUES (%s, 1000, REPEAT('x', 5000))", [(i,) for i in range(50)])
    for _ in range(5):
        mover = Mover()
        mover.start()
        while mover.moved < 10 and mover.is_alive():
            time.sleep(0.01)
        with tempfile.TemporaryDirectory() as directory:
            tool("mydumper", "-B", "moving", "-o", directory, "-t", "3")
            mover.over.set()
            mover.join()
            assert mover.failure is None, mover.failure
            tool("myloader", "-B", "moved", "-d", directory, "-t", "2", "-o")
        cursor.execute("SELECT (SELECT SUM(money) FROM moved.giver) + (SELECT SUM(money) FROM moved.taker)")
        assert cursor.fetchone()[0] == 100_000
        cursor.execute("DROP DATABASE moved")
    cursor.execute("DROP DATABASE moving")


def main():
    connection = pymysql.connect(host="127.0.0.1", port=int(PORT), user="root", autocommit=True)
    cursor = connection.cursor()
    for text in ("DROP DATABASE IF EXISTS dumped", "DROP DATABASE IF EXISTS loaded", "CREATE DATABASE dumped", "USE dumped",
                 "CREATE TABLE a (id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, s VARCHAR(100), b BLOB, d DECIMAL(8,3), at DATETIME(6), j JSON, "
                 "e ENUM('x','it''s'), UNIQUE KEY by_s (s)) COMMENT 'the ''a'''",
                 "CREATE TABLE b (id BIGINT PRIMARY KEY, a INT UNSIGNED, CONSTRAINT b_a FOREIGN KEY (a) REFERENCES a (id) ON DELETE CASCADE)",
                 "CREATE TABLE nokey (v VARCHAR(20))",
                 "CREATE VIEW joined AS SELECT b.id, a.s FROM b JOIN a ON a.id = b.a"):
        cursor.execute(text)
    cursor.executemany("INSERT INTO a (s, b, d, at, j, e) VALUES (%s, %s, %s, %s, %s, %s)",
                       [(f"é😀'\\{i}\n", bytes([i % 256, 0, 39]), i / 8, "2024-02-29 01:02:03.000004", '{"a": [1, null]}', "it's") for i in range(5000)])
    cursor.execute("INSERT INTO b SELECT id + 1000000, id FROM a")
    cursor.execute("INSERT INTO nokey VALUES (NULL), ('x'), ('x')")
    cursor.execute("SET GLOBAL sql_mode = REPLACE(@@sql_mode, 'NO_ENGINE_SUBSTITUTION', '')")
    before = contents(cursor, "dumped")
    for options in ([], ["--rows", "1000", "--compress"], ["--no-locks", "--statement-size", "20000"]):
        with tempfile.TemporaryDirectory() as directory:
            tool("mydumper", "-B", "dumped", "-o", directory, "-t", "3", "--triggers", "--routines", "--events", *options)
            assert len(list(pathlib.Path(directory).iterdir())) >= 8
            tool("myloader", "-B", "loaded", "-d", directory, "-t", "3", "-o")
        after = contents(cursor, "loaded")
        assert sorted(after) == sorted(before), sorted(after)
        for table, content in before.items():
            assert after[table] == content, (options, table, content[0], after[table][0])
        cursor.execute("DROP DATABASE loaded")
    cursor.execute("SET GLOBAL sql_mode = @@session.sql_mode")
    check_one_moment(cursor)


main()
