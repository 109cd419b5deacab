#!/usr/bin/python3
"""The endpoints and the operator's contract: roles, read-only refusal, visibility on the reader, failover by command, down and up,
ports in use, directories of another version."""
import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time

import pymysql

from cluster import Cluster, wait_for

VISIBLE_WITHIN_S = 0.1


def refused(action):
    try:
        action()
    except pymysql.MySQLError as error:
        return error.args[0]
    return None


def check_visibility(cluster):
    writer, reader = cluster.connect(), cluster.connect(cluster.reader_port)
    times = []
    with writer.cursor() as w, reader.cursor() as r:
        w.execute("CREATE DATABASE d")
        w.execute("CREATE TABLE d.t (id INT PRIMARY KEY)")
        for number in range(50):
            w.execute(f"INSERT INTO d.t VALUES ({number})")
            committed = time.monotonic()
            while True:
                try:
                    r.execute(f"SELECT COUNT(*) FROM d.t WHERE id = {number}")
                    if r.fetchone()[0] == 1:
                        break
                except pymysql.MySQLError as error:
                    assert error.args[0] in (1146, 1049) and number == 0, error
                assert time.monotonic() - committed < 5, f"row {number} is not on the reader"
            times.append(time.monotonic() - committed)
        assert refused(lambda: r.execute("INSERT INTO d.t VALUES (1000)")) == 1290
        assert refused(lambda: r.execute("SELECT * FROM d.t WHERE id = 1 FOR UPDATE")) == 1290
        assert refused(lambda: r.execute("SELECT * FROM d.t WHERE id = 1 FOR SHARE")) == 1836
        assert refused(lambda: r.execute("SELECT * FROM d.t LOCK IN SHARE MODE")) == 1836
    worst = max(times)
    print(f"a committed row is on the reader within {worst * 1000:.1f} ms (worst of 50; median {sorted(times)[25] * 1000:.1f} ms)")
    assert worst <= VISIBLE_WITHIN_S


def check_failover(cluster):
    before = cluster.writer()["id"]
    target = next(i["id"] for i in cluster.status()["instances"] if i["role"] == "reader")
    cluster.run("failover", "--to", target)
    assert cluster.writer()["id"] == target != before
    cluster.query("INSERT INTO d.t VALUES (2000)")


def check_reader_fallback(cluster):
    for instance in cluster.status()["instances"]:
        if instance["role"] == "reader":
            cluster.run("kill", instance["id"])
    wait_for(lambda: refused(lambda: cluster.query("INSERT INTO d.t VALUES (3000)", cluster.reader_port)) in (None, 1062), 20,
             "the reader endpoint falls back to the writer")
    for instance in cluster.status()["instances"]:
        cluster.run("start", instance["id"])


def check_control_is_not_needed(cluster):
    os.kill(cluster.status()["control"]["pid"], signal.SIGKILL)
    cluster.query("INSERT INTO d.t VALUES (4000)")
    cluster.up()
    cluster.query("INSERT INTO d.t VALUES (4001)")


def check_down_and_up(cluster):
    rows = cluster.query("SELECT COUNT(*) FROM d.t")
    cluster.run("down")
    assert not cluster.pids()
    cluster.up()
    assert cluster.query("SELECT COUNT(*) FROM d.t") == rows
    cluster.up()  # again is harmless


def check_refusals(cluster):
    def up(directory, *words):
        return subprocess.run([cluster.binary, "cluster", "up", "--dir", directory, *words], capture_output=True, text=True, timeout=60)

    with tempfile.TemporaryDirectory() as directory, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = up(directory + "/new", "--port", str(port))
        assert done.returncode == 1 and str(port) in done.stderr and "--port" in done.stderr, done.stderr
        assert not list(pathlib.Path(directory).glob("*/*")), "something was left behind"
        (pathlib.Path(directory) / "cluster.json").write_text(json.dumps({"directory_version": 99}))
        done = up(directory)
        assert done.returncode == 1 and "99" in done.stderr, done.stderr
    assert subprocess.run([cluster.binary, "cluster", "status", "--dir", "/nonexistent"], capture_output=True).returncode == 1
    assert subprocess.run([cluster.binary, "cluster", "fly"], capture_output=True).returncode == 2


def main():
    with Cluster(readers=1) as cluster:
        wait_for(lambda: any(i["role"] == "reader" and i["state"] == "serving" for i in cluster.status()["instances"]), 30, "a reader")
        for check in (check_visibility, check_failover, check_reader_fallback, check_control_is_not_needed, check_down_and_up, check_refusals):
            check(cluster)
            print(f"{check.__name__}: as said", flush=True)


main()
