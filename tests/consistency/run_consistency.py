#!/usr/bin/python3
"""Random transactions against a real cluster, processes of which are killed meanwhile, and a look for what their isolation levels forbid.

One round after the other: all transactions of a round have one level, or each its own. After a round everything heals, all lists are read,
and another process goes through the round's history (list_append.py, registers.py). README.md says what is checked and how a run is
looked at again. `--server HOST:PORT` runs against another server instead, without kills: MySQL itself has to pass.
"""
import argparse
import concurrent.futures
import contextlib
import multiprocessing
import os
import pathlib
import pickle
import random
import sys
import tempfile
import time

import pymysql

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "cluster"))
import list_append  # noqa: E402
import registers  # noqa: E402
import workload  # noqa: E402
from cluster import Cluster, wait_for  # noqa: E402
from history import LEVELS, READ_COMMITTED, READ_UNCOMMITTED, REPEATABLE_READ, History  # noqa: E402
from killer import Killer  # noqa: E402

MIXED = ""
# What must be found where it is allowed: a checker or a load that never sees an anomaly proves nothing.
EXPECTED = {READ_UNCOMMITTED: {"G1a", "G1b", "G1c"}, READ_COMMITTED: {"G-single", "lost update"},
            REPEATABLE_READ: {"G-single", "G2-item", "lost update"}}
CONTEXT = multiprocessing.get_context("spawn")


class Server:
    """A server that is just there: no kills, no reader instances."""

    def __init__(self, address):
        self.host, port = address.split(":")
        self.port = int(port)

    def __enter__(self):
        connection = pymysql.connect(host=self.host, port=self.port, user="root", autocommit=True)
        connection.cursor().execute("DROP DATABASE IF EXISTS consistency")
        connection.close()
        return self

    def __exit__(self, *_):
        pass

    def instances(self):
        return []

    def wait_until_whole(self):
        pass

    def error_lines(self):
        return []


class OwnCluster(Cluster):
    def instances(self):
        return [(i["id"], i["port"]) for i in self.status()["instances"]]

    def wait_until_whole(self):
        self.up()
        wait_for(lambda: self.status()["serving"], 60, "the cluster serves")
        wait_for(lambda: all(s["state"] == "healthy" for s in self.status()["segments"]), 120, "all segments are healthy")
        wait_for(lambda: all(i["state"] == "serving" for i in self.status()["instances"]), 60, "all instances serve")


class Run:
    def __init__(self, server, arguments, directory):
        self.server, self.arguments, self.directory = server, arguments, directory
        self.anomalies = {}  # by level
        self.final = {}      # by round, for the look at the end
        self.lines, self.failures = [], []

    def connect(self, port=None):
        return workload.connect(self.server.host, port or self.server.port)

    def _sessions(self, number, level, generations):
        """By process, what workload.run_process gets."""
        first_key, seed = number * workload.KEYS_OF_ROUND, self.arguments.seed * 10_000 + number * 100
        processes, session, now = [], 0, time.monotonic()
        for process in range(self.arguments.processes):
            sessions = []
            for thread in range(self.arguments.threads):
                session += 1
                sessions.append((workload.Session, (f"{process}.{thread}", self.server.host, self.server.port, seed + session, first_key,
                                                    (number * 1000 + session) * 1_000_000, level, generations)))
            session += 1
            sessions.append((registers.RegisterSession, (f"{process}.register", self.server.host, self.server.port, seed + session, first_key,
                                                         (number * 1000 + session) * 1_000_000, now)))
            processes.append(sessions)
        for name, port in self.server.instances():
            session += 1
            processes[session % len(processes)].append((workload.ReaderSession, (f"{name}/{session}", self.server.host, port, seed + session,
                                                                                 first_key, 0, level, generations)))
        return processes

    def round(self, number, level, killer):
        """The load of a round; its history as a file."""
        generations, stopping = CONTEXT.Array("i", workload.SLOTS), CONTEXT.Event()
        paths = [self.directory / f"round-{number}.{i}" for i in range(self.arguments.processes)]
        processes = [CONTEXT.Process(target=workload.run_process, args=(sessions, stopping, path))
                     for sessions, path in zip(self._sessions(number, level, generations), paths)]
        for process in processes:
            process.start()
        if killer:
            killer.start()
        time.sleep(self.arguments.round_seconds)
        if killer:
            killer.stop()
        stopping.set()
        for process in processes:
            process.join(120)
            assert process.exitcode == 0, f"a client process hangs or failed: {process}"
        done = {"transactions": [], "torn": [], "calls": [], "failures": [], "errors": {}}
        for path in paths:
            with open(path, "rb") as file:
                part = pickle.load(file)
            path.unlink()
            for name, value in part.items():
                if name == "errors":
                    for code, count in value.items():
                        done["errors"][code] = done["errors"].get(code, 0) + count
                else:
                    done[name] += value
        self.failures += [f"round {number}: {failure}" for failure in done["torn"] + done["failures"]]
        self.server.wait_until_whole()
        self.final[number] = self._read_final(number)
        about = f"seed {self.arguments.seed}, round {number}"
        path = self.directory / f"round-{number}.history"
        History(done["transactions"], self.final[number], level, about).write(path)
        return path, done["calls"], done["errors"]

    def _read_final(self, number):
        connection = self.connect()
        with contextlib.closing(connection), connection.cursor() as cursor:
            cursor.execute("SET SESSION innodb_lock_wait_timeout = 60")
            return workload.read_all(cursor, number * workload.KEYS_OF_ROUND, "FOR SHARE")

    def look_again(self):
        """Everything of all rounds is still there, at every instance, and every index agrees with its table."""
        connection = self.connect()
        with contextlib.closing(connection), connection.cursor() as cursor:
            for table in list(workload.TABLES) + ["register"]:
                cursor.execute(f"CHECK TABLE {table}")
                answer = [row[2:] for row in cursor.fetchall()]
                if answer != [("status", "OK")]:
                    self.failures.append(f"CHECK TABLE {table}: {answer}")
        for number, final in self.final.items():
            if self._read_final(number) != final:
                self.failures.append(f"round {number}: its lists have changed since")
        for name, port in self.server.instances():
            connection = self.connect(port)
            with contextlib.closing(connection), connection.cursor() as cursor:
                for number, final in self.final.items():
                    wait_for(lambda: workload.read_all(cursor, number * workload.KEYS_OF_ROUND) == final, 20, f"{name} has all of round {number}")

    def note(self, number, level, path, verdict, findings, errors):
        name = level.lower() or "mixed"
        seen = self.anomalies.setdefault(level, set())
        seen.update(verdict.anomalies)
        print(f"round {number} ({name}): {verdict.committed} committed, {verdict.reads} reads, {verdict.calls} register calls, "
              f"errors {errors}, anomalies {dict(verdict.anomalies)}", flush=True)
        if verdict.violations or findings:
            self.failures.append(f"round {number} ({name}), {path}:\n{verdict.text()}\n" + "\n".join(findings[:5]))
        elif not self.arguments.keep:
            path.unlink()


def check_round(path, calls):
    """In a process of its own."""
    verdict = list_append.check(list_append.histories.read(path))
    verdict.calls = len(calls)
    return verdict, registers.check(calls)


def run(arguments, directory):
    chance = random.Random(arguments.seed)
    levels = [level for level in (READ_UNCOMMITTED, READ_COMMITTED, REPEATABLE_READ, LEVELS[0], MIXED)
              if not arguments.levels or (level or "MIXED") in arguments.levels]
    server = Server(arguments.server) if arguments.server else OwnCluster(readers=arguments.readers, pg_size="16MiB", keep=arguments.keep)
    with server, concurrent.futures.ProcessPoolExecutor(1, mp_context=CONTEXT) as pool:
        this = Run(server, arguments, directory)
        connection = pymysql.connect(host=server.host, port=server.port, user="root", autocommit=True)
        with contextlib.closing(connection), connection.cursor() as cursor:
            workload.create_tables(cursor)
            cursor.execute(registers.TABLE)
        killer = Killer(server, chance, every=(1.0, arguments.kill_every * 2)) if arguments.kill_every and not arguments.server else None
        pending, number, end = [], 0, time.monotonic() + arguments.minutes * 60
        while (number < len(levels) or time.monotonic() < end) and not this.failures:
            level = levels[number % len(levels)]
            number += 1
            path, calls, errors = this.round(number, level, killer)
            pending.append((number, level, path, pool.submit(check_round, path, calls), errors))
            while pending and (pending[0][3].done() or len(pending) > 2):
                number_of, level_of, path, future, errors = pending.pop(0)
                this.note(number_of, level_of, path, *future.result(), errors)
        for number_of, level_of, path, future, errors in pending:
            this.note(number_of, level_of, path, *future.result(), errors)
        this.look_again()
        for level, expected in EXPECTED.items():
            if level in levels and not expected & this.anomalies.get(level, set()):
                this.failures.append(f"{level} showed none of {sorted(expected)}: this load finds nothing")
        this.failures += server.error_lines()
        print(f"{number} rounds, killed {killer.killed if killer else 'nothing'}", flush=True)
        assert not this.failures, "\n".join(str(failure)[:3000] for failure in this.failures[:20])


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--minutes", type=float, default=0.0, help="go on for so long; at least one round of each level is run")
    options.add_argument("--round-seconds", type=float, default=20.0)
    options.add_argument("--kill-every", type=float, default=4.0, help="seconds between kills, about; 0: none")
    options.add_argument("--seed", type=int, default=random.randrange(1 << 20))
    options.add_argument("--processes", type=int, default=2)
    options.add_argument("--threads", type=int, default=6, help="sessions of each process")
    options.add_argument("--readers", type=int, default=2)
    options.add_argument("--levels", nargs="*", choices=[*LEVELS, "MIXED"], help="of rounds; all when none is named")
    options.add_argument("--server", help="HOST:PORT of a server to run against, as root without password")
    options.add_argument("--keep", action="store_true", help="keep the histories, and the cluster's directory")
    arguments = options.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    directory = pathlib.Path(tempfile.mkdtemp(prefix="borealis-consistency-"))
    try:
        run(arguments, directory)
    finally:
        try:
            os.rmdir(directory)
        except OSError:
            print(f"histories are kept: {directory}", flush=True)


if __name__ == "__main__":
    main()
