#!/usr/bin/python3
"""An AZ and one more storage node are lost under load, killed and then standing still: reads go on, of cached and uncached pages, on the
writer and on a reader; writes wait, `cluster status` says for what, and they go on by themselves when one of the three is back.
Then four and all six are gone: what cannot be read is an error that says so, nothing is invented, and with the nodes all is well again."""
import argparse
import os
import random
import signal
import threading
import time

import pymysql

from cluster import Cluster, wait_for
from drill_stalls import Stopped
from ledger import Ledger

ROWS, PAD = 24_000, 1500  # some 48 MiB, three times the buffer pool
ROWS_OF_A_PAGE = 9  # at most
MAY_WAIT_S = 8
CANNOT_READ = 1030  # ER_GET_ERRNO: Got error 157 - '…' from storage engine


class Lookers:
    """Sessions that read rows of a table all the time, one on each instance. A row's content is known from its key."""

    def __init__(self, cluster):
        self.cluster, self.stopping, self.failures, self.threads = cluster, threading.Event(), [], []
        self.reads, self.slowest = {}, {}
        self.lock = threading.Lock()

    def create(self):
        connection = self.cluster.connect()
        with connection.cursor() as cursor:
            cursor.execute("CREATE DATABASE looks")
            cursor.execute(f"CREATE TABLE looks.big (id INT PRIMARY KEY, pad VARCHAR({PAD}) NOT NULL)")
            for start in range(0, ROWS, 500):
                cursor.execute("INSERT INTO looks.big VALUES " + ",".join(f"({i},'{self.pad(i)}')" for i in range(start, start + 500)))
        connection.close()

    @staticmethod
    def pad(number):
        return (f"{number:08x}" * (PAD // 8))[:PAD]

    def start(self):
        for instance in self.cluster.status()["instances"]:
            thread = threading.Thread(target=self._look, args=(instance["id"], instance["port"]), daemon=True)
            thread.start()
            self.threads.append(thread)

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(90)
            assert not thread.is_alive(), "a reading session hangs"
        assert not self.failures, f"{len(self.failures)} reads failed: {self.failures[:3]}"

    def fresh(self):
        """Reads and the slowest one since the last call, by instance."""
        with self.lock:
            taken = self.reads, self.slowest
            self.reads, self.slowest = {}, {}
        return taken

    def _look(self, name, port):
        chance, connection = random.Random(name), self.cluster.connect(port)
        while not self.stopping.is_set():
            key, since = chance.randrange(ROWS), time.monotonic()
            try:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pad FROM looks.big WHERE id = %s", (key,))
                    if cursor.fetchall() != ((self.pad(key),),):
                        self.failures.append((name, key, "another row than was written"))
            except pymysql.MySQLError as error:
                self.failures.append((name, key, error.args))
                return
            with self.lock:
                self.reads[name] = self.reads.get(name, 0) + 1
                self.slowest[name] = max(self.slowest.get(name, 0), time.monotonic() - since)
            time.sleep(0.005)


def writes_stand_still(ledger):
    before = len(ledger.acknowledged)
    time.sleep(1)
    return len(ledger.acknowledged) == before


def all_healthy(cluster):
    return all(s["state"] == "healthy" for s in cluster.status()["segments"])


class Killed:
    """Storage nodes that are killed, and stay down until given back one by one."""

    def __init__(self, cluster, names):
        self.cluster, self.names = cluster, list(names)
        for name in self.names:
            cluster.run("kill", name)

    def give_back(self):
        self.cluster.run("start", self.names.pop())


class Still:
    """Storage nodes that stand still, until given back one by one."""

    def __init__(self, cluster, names):
        by_name = {n["id"]: n["pid"] for n in cluster.status()["storage_nodes"]}
        self.names = list(names)
        self.stopped = {name: Stopped([by_name[name]]) for name in names}
        for stopped in self.stopped.values():
            stopped.__enter__()

    def give_back(self):
        self.stopped[self.names.pop()].__exit__()


def three_gone(cluster, ledger, lookers, how, seconds):
    names = [n["id"] for n in cluster.status()["storage_nodes"] if n["az"] == "az1"] + ["storage-3"]
    failed = len(ledger.errors)
    assert cluster.status()["writes"] == {"state": "going on", "reason": ""}, cluster.status()["writes"]
    gone = how(cluster, names)
    try:
        wait_for(lambda: writes_stand_still(ledger), 10, "writes wait")
        lookers.fresh()
        time.sleep(seconds)
        reads, slowest = lookers.fresh()
        assert not lookers.failures, lookers.failures[:3]
        assert all(reads.get(i["id"], 0) > seconds for i in cluster.status()["instances"]), f"reads stand still: {reads}"
        writes = cluster.status()["writes"]
        assert writes["state"] == "waiting" and all(name in writes["reason"] for name in names), writes
        screen = cluster.run("status")
        assert "writes wait" in screen, screen
        before, since = len(ledger.acknowledged), time.monotonic()
        gone.give_back()
        wait_for(lambda: len(ledger.acknowledged) > before + 8, MAY_WAIT_S, "writes go on with one of the three back")
        took = time.monotonic() - since
    finally:
        while gone.names:
            gone.give_back()
    wait_for(lambda: cluster.status()["writes"]["state"] == "going on", 10, "status says that writes go on")
    wait_for(lambda: all_healthy(cluster), 60, "all segments are healthy")
    failures = [e for e in ledger.errors[failed:] if e[0] != 1213]
    assert not failures, f"statements failed: {failures[:3]}"
    print(f"{', '.join(names)} {how.__name__.lower()}: reads {reads}, slowest {max(slowest.values()) * 1000:.0f} ms; "
          f"status: writes wait: {writes['reason']}; writes went on {took:.1f} s after one was back", flush=True)


def writer_dies_with_three_gone(cluster, ledger, lookers, seconds):
    """Nobody can open the volume then: the reader stays what it is, and its reads go on. The watching sessions of the writer are over."""
    writer, reader = cluster.writer(), next(i for i in cluster.status()["instances"] if i["role"] == "reader")
    gone = Killed(cluster, ["storage-5", "storage-6", "storage-3"])
    wait_for(lambda: writes_stand_still(ledger), 10, "writes wait")
    os.kill(writer["pid"], signal.SIGKILL)
    wait_for(lambda: cluster.status()["writes"]["state"] == "no writer" and "answered" in cluster.status()["writes"]["reason"], 15,
             lambda: f"status says what the writer waits for: {cluster.status()['writes']}")
    lookers.fresh()
    time.sleep(seconds)
    reads, slowest = lookers.fresh()
    assert reads.get(reader["id"], 0) > seconds, f"reads stand still: {reads}"
    cluster.query("SELECT COUNT(*) FROM looks.big WHERE id < 100", cluster.reader_port)
    writes, before, since = cluster.status()["writes"], len(ledger.acknowledged), time.monotonic()
    gone.give_back()
    wait_for(lambda: len(ledger.acknowledged) > before + 8, 20, "writes go on with one of the three back")
    took = time.monotonic() - since
    while gone.names:
        gone.give_back()
    wait_for(lambda: all_healthy(cluster), 60, "all segments are healthy")
    lookers.failures = [f for f in lookers.failures if f[0] != writer["id"]]
    assert not lookers.failures, lookers.failures[:3]
    print(f"the writer killed as well: reads {reads}, slowest {max(slowest.values()) * 1000:.0f} ms; status: {writes}; "
          f"writes went on {took:.1f} s after one was back", flush=True)


def read_all(connection):
    """Reads the table, a row of each page; gives how many rows were right, the first error, and how long the error took to come."""
    right = 0
    try:
        with connection.cursor() as cursor:
            for key in range(0, ROWS, ROWS_OF_A_PAGE):
                since = time.monotonic()
                try:
                    cursor.execute("SELECT pad FROM looks.big WHERE id = %s", (key,))
                    assert cursor.fetchall() == ((Lookers.pad(key),),), f"row {key} is invented"
                    right += 1
                except pymysql.MySQLError as error:
                    return right, error.args, time.monotonic() - since
    finally:
        connection.close()
    return right, None, 0


def many_gone(cluster, ledger, count):
    names = [n["id"] for n in cluster.status()["storage_nodes"]][:count]
    failed, instances = len(ledger.errors), cluster.status()["instances"]
    connections = {i["id"]: cluster.connect(i["port"]) for i in instances}
    gone = Killed(cluster, names)
    wait_for(lambda: writes_stand_still(ledger), 10, "writes wait")
    outcomes = {}
    threads = []
    for instance in instances:
        def run(instance=instance):
            outcomes[instance["id"]] = read_all(connections[instance["id"]])
        threads.append(threading.Thread(target=run))
        threads[-1].start()
    for thread in threads:
        thread.join(90)
        assert not thread.is_alive(), "a read hangs"
    for name, (right, error, took) in outcomes.items():
        print(f"{count} gone: {name} read {right} rows, then {f'{error} after {took:.0f} s' if error else 'no error: those that are left have it all'}")
    print(f"status: {cluster.status()['writes']}", flush=True)
    for name, (right, error, took) in outcomes.items():
        if count == 6:
            assert error is not None, f"{name} read everything without storage"
        if error is not None:
            assert took < 45, f"{name}: the error came after {took:.0f} s"
            assert error[0] == CANNOT_READ and "no storage node" in error[1], error
    assert cluster.status()["writes"]["state"] == "waiting"
    before = len(ledger.acknowledged)
    since = time.monotonic()
    while gone.names:
        gone.give_back()
    wait_for(lambda: len(ledger.acknowledged) > before + 8, 20, "writes go on")
    print(f"{count} are back: writes went on after {time.monotonic() - since:.1f} s", flush=True)
    now = cluster.status()["instances"]
    assert [i["pid"] for i in now] == [i["pid"] for i in instances], "an instance was started again"
    for instance in instances:
        assert read_all(cluster.connect(instance["port"]))[1] is None
    wait_for(lambda: all_healthy(cluster), 60, "all segments are healthy")
    failures = [e for e in ledger.errors[failed:] if e[0] not in (1213, CANNOT_READ)]
    assert not failures, f"statements failed: {failures[:3]}"


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--seconds", type=float, default=6.0)
    options.add_argument("--gone", default="4,6")
    arguments = options.parse_args()
    with Cluster(readers=1, buffer_pool="16MiB") as cluster:
        ledger, lookers = Ledger(cluster, clients=8), Lookers(cluster)
        lookers.create()
        ledger.create()
        ledger.start()
        lookers.start()
        wait_for(lambda: len(ledger.acknowledged) > 50, 30, "commits")
        for how in (Killed, Still):
            three_gone(cluster, ledger, lookers, how, arguments.seconds)
        writer_dies_with_three_gone(cluster, ledger, lookers, arguments.seconds)
        lookers.stop()
        for count in arguments.gone.split(","):
            many_gone(cluster, ledger, int(count))
        ledger.stop()
        print(f"{ledger.audit()} transactions, all accounted for")


if __name__ == "__main__":
    main()
