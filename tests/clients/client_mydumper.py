#!/usr/bin/python3
"""mydumper and myloader: a dump by several threads, restored into another database. usage: client_mydumper.py PORT

It dumps with --no-locks, as its locks are FLUSH TABLES WITH READ LOCK. myloader makes a view as a MyISAM table first, which without
NO_ENGINE_SUBSTITUTION becomes one of InnoDB.
"""
import pathlib
import subprocess
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
    for options in (["--no-locks"], ["--no-locks", "--rows", "1000", "--compress"], ["--no-locks", "--statement-size", "20000"]):
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


main()
