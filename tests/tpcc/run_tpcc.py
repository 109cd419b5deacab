#!/usr/bin/python3
"""TPC-C against a real cluster whose writer is killed meanwhile: loads the tables, runs terminals, and after each crash checks the
specification's consistency conditions, what clients were told, and every index against its table, while the load goes on.

Without keying and think times, and with times of the terminals' transactions including their repetitions: the tpmC said is no TPC result.
`--server HOST:PORT` runs against another server, without kills.
"""
import argparse
import concurrent.futures
import multiprocessing
import pathlib
import pickle
import random
import sys
import tempfile
import time

import pymysql

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "cluster"))
import conditions  # noqa: E402
import tables  # noqa: E402
import transactions  # noqa: E402
from cluster import Cluster, wait_for  # noqa: E402
from killer import kill_one  # noqa: E402

CONTEXT = multiprocessing.get_context("spawn")
PROGRESS_S = 5.0
CHECK_TIMEOUT_S = 1800  # for one query over all tables while the terminals take all processors
CONNECTION_LOST = (2003, 2006, 2013, 1053, 1290, 1412)  # 1412: the instance has a new stream of log, its views are void


class Server:
    """A server that is just there."""

    def __init__(self, address):
        self.host, port = address.split(":")
        self.port = int(port)

    def __enter__(self):
        with self.connect() as connection:
            connection.cursor().execute("DROP DATABASE IF EXISTS tpcc")
        return self

    def __exit__(self, *_):
        pass

    def connect(self, port=None, **options):
        return pymysql.connect(host=self.host, port=port or self.port, user="root", autocommit=True, **options)

    def error_lines(self):
        return []


class Bench:
    def __init__(self, server, scale, arguments):
        self.server, self.scale, self.arguments = server, scale, arguments
        self.counts = transactions.Counts(CONTEXT, scale)
        self.stopping = CONTEXT.Event()
        self.directory = tempfile.TemporaryDirectory(prefix="borealis-tpcc-")
        self.processes, self.findings = [], []
        self.kills = 0

    def load(self):
        with self.server.connect() as connection, connection.cursor() as cursor:
            tables.create(cursor)
        started, parts = time.monotonic(), tables.parts(self.scale)
        with concurrent.futures.ProcessPoolExecutor(self.arguments.processes, mp_context=CONTEXT) as pool:
            jobs = [pool.submit(tables.load_part, self.server.host, self.server.port, self.scale, part) for part in parts]
            for number, job in enumerate(concurrent.futures.as_completed(jobs), 1):
                print(f"loaded {' '.join(str(word) for word in job.result())} ({number} of {len(parts)}), {time.monotonic() - started:.0f} s", flush=True)
        self.check("after the load")

    def start(self):
        for number in range(self.arguments.processes):
            terminals = range(number, self.arguments.connections, self.arguments.processes)
            process = CONTEXT.Process(target=transactions.run_process, args=(
                list(terminals), self.server.host, self.server.port, self.scale, self.counts, self.stopping, f"{self.directory.name}/{number}"))
            process.start()
            self.processes.append(process)
        self.started = time.monotonic()

    def stop(self):
        self.stopping.set()
        self.ran = time.monotonic() - self.started
        for process in self.processes:
            process.join(180)
            assert process.exitcode == 0, f"a process of terminals hangs or failed: {process}"

    def check(self, when, port=None):
        """In one snapshot, whatever goes on meanwhile. A connection that is lost on the way is no finding."""
        for _ in range(5):
            try:
                told = self.counts.copy() if port is None else None  # a reader instance may be behind
                with self.server.connect(port, database="tpcc", read_timeout=CHECK_TIMEOUT_S) as connection:
                    started = time.monotonic()
                    found = conditions.check(connection, self.scale, told)
                    if port is None:
                        found += conditions.check_tables(connection)
                print(f"conditions 1 to 12{'' if port else ', CHECK TABLE'} {when}: {'ok' if not found else found} ({time.monotonic() - started:.1f} s)",
                      flush=True)
                self.findings += [f"{when}: {finding}" for finding in found]
                return
            except pymysql.MySQLError as error:
                if error.args[0] not in CONNECTION_LOST:
                    raise
                print(f"check {when}: {error}", flush=True)
                time.sleep(1)
        self.findings.append(f"{when}: could not be checked")

    def progress(self):
        done, now = list(self.counts.done), time.monotonic()
        last, then = getattr(self, "last_progress", ([0] * len(done), self.started))
        self.last_progress = (done, now)
        print(f"{now - self.started:6.0f} s  {(sum(done) - sum(last)) / (now - then):7.1f} tx/s  New-Order {done[0]}, all {sum(done)}, "
              f"repeated {self.counts.retried.value}, killed {self.kills}", flush=True)

    def run(self, kill):
        """Until its time is over; `kill` kills the writer and says whether it did."""
        next_kill = self.arguments.kill_every or float("inf")
        seconds = self.arguments.minutes * 60
        while (now := time.monotonic() - self.started) < seconds and not self.findings:
            time.sleep(min(PROGRESS_S, max(0.1, min(seconds, next_kill) - now)))
            self.progress()
            if time.monotonic() - self.started >= next_kill:
                next_kill = time.monotonic() - self.started + self.arguments.kill_every
                before = sum(self.counts.done)
                if kill():
                    self.kills += 1
                    wait_for(lambda: sum(self.counts.done) > before + 2 * self.arguments.connections, 90, "transactions go on after the kill")
                    self.check(f"after kill {self.kills}")

    def report(self):
        took = [[] for _ in transactions.NAMES]
        errors = {}
        for number in range(len(self.processes)):
            with open(f"{self.directory.name}/{number}", "rb") as file:
                for of_terminal, errors_of, failure in pickle.load(file):
                    if failure:
                        self.findings.append(failure)
                    for all_of_kind, of_kind in zip(took, of_terminal):
                        all_of_kind += of_kind
                    for code, count in errors_of.items():
                        errors[code] = errors.get(code, 0) + count
        print(f"{'':14}{'count':>8}{'share':>8}{'p50':>9}{'p90':>9}{'p99':>9}{'max':>9}  (ms)")
        for name, times in zip(transactions.NAMES, took):
            times.sort()
            percentiles = [times[min(len(times) - 1, int(len(times) * p))] * 1000 for p in (0.5, 0.9, 0.99, 1.0)] if times else [0.0] * 4
            share = 100 * len(times) / max(1, sum(len(t) for t in took))
            print(f"{name:14}{len(times):8}{share:7.1f}%" + "".join(f"{value:9.1f}" for value in percentiles))
        print(f"{sum(len(t) for t in took) / self.ran:.1f} tx/s, tpmC {len(took[0]) / self.ran * 60:.0f} (no TPC result), errors {errors}", flush=True)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--warehouses", type=int, default=10)
    options.add_argument("--connections", type=int, default=32)
    options.add_argument("--processes", type=int, default=4)
    options.add_argument("--minutes", type=float, default=10.0)
    options.add_argument("--kill-every", type=float, default=60.0, help="seconds from a kill of the writer to the next; 0: none")
    options.add_argument("--items", type=int, default=100_000, help="less than the specification's for a short run")
    options.add_argument("--customers", type=int, default=3000, help="of a district; less for a short run")
    options.add_argument("--buffer-pool", default="256MiB")
    options.add_argument("--seed", type=int, default=random.randrange(1 << 20), help="of the kills")
    options.add_argument("--server", help="HOST:PORT of a server to run against, as root without password")
    arguments = options.parse_args()
    arguments.processes = min(arguments.processes, arguments.connections)
    scale, chance = tables.Scale(arguments.warehouses, arguments.items, arguments.customers), random.Random(arguments.seed)
    server = Server(arguments.server) if arguments.server else Cluster(readers=1, buffer_pool=arguments.buffer_pool)
    with server:
        bench = Bench(server, scale, arguments)
        bench.load()
        bench.start()
        try:
            bench.run(lambda: not arguments.server and kill_one(server, chance, {"writer": 1}))
        finally:
            bench.stop()
        bench.report()
        bench.check("in the end")
        with server.connect(database="tpcc") as connection:
            bench.findings += conditions.check_no_more(connection, scale, bench.counts.copy())
        if not arguments.server:
            wait_for(lambda: all(i["state"] == "serving" for i in server.status()["instances"]), 60, "all instances serve")
            for instance in server.status()["instances"]:
                if instance["role"] == "reader":
                    bench.check(f"on {instance['id']}, a reader", instance["port"])
        bench.findings += server.error_lines()
        assert not bench.findings, "\n".join(bench.findings[:20])


if __name__ == "__main__":
    main()
