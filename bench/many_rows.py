#!/usr/bin/python3
"""What a row costs that comes with many others: INSERT of statements of half a megabyte, INSERT … SELECT, LOAD DATA. CPU (user and system) for each row, of the
writer and of the six storage nodes, from /proc/PID/stat before and after, on a cluster of its own.

  bench/many_rows.py [--rows 300000]       BOREALIS=… names another binary
"""
import argparse
import os
import subprocess
import tempfile
import time

from servers import Borealis

STATEMENT_BYTES = 500_000
SYSBENCH_TABLE = ("CREATE TABLE d.{} (id INT AUTO_INCREMENT PRIMARY KEY, k INT NOT NULL DEFAULT 0, c CHAR(120) NOT NULL, pad CHAR(60) NOT NULL, "
                  "KEY (k))")


def seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def role(pid):
    words = open(f"/proc/{pid}/cmdline").read().split("\0")
    return "writer" if words[1] == "server" and "instance-1" in words else words[1]


def sql(server, text):
    subprocess.run(["mariadb", "-h127.0.0.1", f"-P{server.port}", "-uroot", "--local-infile=1"], input=text.encode(), check=True)


def measure(server, what, rows, text):
    before = {pid: seconds(pid) for pid in server.pids()}
    started = time.monotonic()
    sql(server, text)
    elapsed = time.monotonic() - started
    used = {}
    for pid, then in before.items():
        used[role(pid)] = used.get(role(pid), 0.0) + seconds(pid) - then
    print(f"| {what} | {rows / elapsed:.0f} | {used['writer'] / rows * 1e6:.1f} | {used['storage'] / rows * 1e6:.1f} | "
          f"{sum(used.values()) / rows * 1e6:.1f} |", flush=True)


def inserts(table, rows, values):
    statements, row, size = [], [], 0
    for i in range(1, rows + 1):
        row.append(values(i))
        size += len(row[-1]) + 1
        if size > STATEMENT_BYTES or i == rows:
            statements.append(f"INSERT INTO d.{table} VALUES {','.join(row)};")
            row, size = [], 0
    return "\n".join(statements)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=300_000)
    rows = options.parse_args().rows
    print("| statement | rows/s | writer µs/row | six storage nodes µs/row | all processes µs/row |\n|---|---|---|---|---|")
    with Borealis("256MiB", 1, False) as server, tempfile.NamedTemporaryFile("w") as data:
        sql(server, "CREATE DATABASE d; SET GLOBAL local_infile = 1; CREATE TABLE d.p (id INT PRIMARY KEY, k INT NOT NULL DEFAULT 0);"
                    "CREATE TABLE d.l (id INT PRIMARY KEY, a INT, b VARCHAR(40), KEY (a)); CREATE TABLE d.u (id INT PRIMARY KEY, a INT, UNIQUE (a));"
                    + ";".join(SYSBENCH_TABLE.format(name) for name in ("s", "s2")))
        measure(server, "INSERT of two INT, primary key (`bulk_insert`)", rows, inserts("p", rows, lambda i: f"({i},{i})"))
        third = rows // 3
        text = f"'{'0123456789-' * 10}','{'98765-' * 9}'"
        measure(server, "INSERT of sysbench's rows, KEY (k)", third, inserts("s", third, lambda i: f"({i},{i * 7919 % 1000003},{text})"))
        measure(server, "INSERT … SELECT of these", third, "INSERT INTO d.s2 SELECT * FROM d.s")
        data.writelines(f"{i}\t{i * 7919 % 1000003}\ttext of row {i}\n" for i in range(rows))
        data.flush()
        measure(server, "LOAD DATA LOCAL of INT, INT, VARCHAR, KEY (a)", rows, f"LOAD DATA LOCAL INFILE '{data.name}' INTO TABLE d.l")
        measure(server, "INSERT of two INT, primary key and UNIQUE (a)", third, inserts("u", third, lambda i: f"({i},{i})"))


main()
