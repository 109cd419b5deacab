"""A real cluster for a test: starts it in a directory of its own on free ports, and always stops it.

Everything goes through the operator's contract (`borealis cluster …`), so the drills test that as well.
"""
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import pymysql

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def free_port() -> int:
    """Not one that the system gives to outgoing connections: while nobody listens there, a client that
    tries again and again to reach the port may be given it as its own."""
    while True:
        with socket.socket() as probe:
            port = random.randrange(10_240, 32_768)
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


class Cluster:
    def __init__(self, readers=1, options=(), buffer_pool="64MiB", pg_size=None, keep=False, secure=False, storage_nodes=None,
                 faults=None, network=None):
        """`faults`: disk faults for its storage nodes (faults.py); `network`: namespaces that its processes live in (network.py)."""
        self.binary = os.environ.get("BOREALIS", str(ROOT / "build/release/borealis"))
        self.directory = tempfile.mkdtemp(prefix="borealis-cluster-")
        self.port, self.reader_port = free_port(), free_port()
        self.readers, self.options, self.buffer_pool, self.keep = readers, options, buffer_pool, keep
        self.pg_size, self.secure, self.storage_nodes = pg_size, secure, storage_nodes
        self.faults, self.network = faults, network
        self.host, self.password = network.own_address if network else "127.0.0.1", ""

    def __enter__(self):
        if self.network:
            self.network.lay_out(self)
        self.up()
        return self

    def __exit__(self, failure, *rest):
        try:
            self.run("down")
        finally:
            for pid in self.pids():
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            if failure or self.keep:
                print(f"the cluster's directory is kept: {self.directory}")
            else:
                shutil.rmtree(self.directory, ignore_errors=True)

    def run(self, *words, check=True, timeout=180):
        # What starts processes hands its environment down to them; the command itself needs no faults.
        environment = self.faults.environment() if self.faults else None
        done = subprocess.run([self.binary, "cluster", *words, "--dir", self.directory],
                              capture_output=True, text=True, timeout=timeout, env=environment)
        if check and done.returncode != 0:
            raise RuntimeError(f"borealis cluster {' '.join(words)}: exit {done.returncode}\n{done.stderr}")
        return done.stdout

    def up(self):
        words = ["up", "--readers", str(self.readers), "--port", str(self.port), "--reader-port", str(self.reader_port),
                 "--buffer-pool", self.buffer_pool]
        if self.pg_size:
            words += ["--pg-size", self.pg_size]
        if self.storage_nodes:
            words += ["--storage-nodes", str(self.storage_nodes)]
        if self.secure:
            words += ["--secure"]
        for option in self.options:
            words += ["--option", option]
        return self.run(*words)

    def status(self) -> dict:
        return json.loads(self.run("status", "--json"))

    def verify(self) -> dict:
        """Compares all copies of all pages; gives what it found."""
        return json.loads(self.run("verify", "--json", timeout=1800))

    def writer(self) -> dict:
        return next(i for i in self.status()["instances"] if i["role"] == "writer")

    def storage(self, name) -> dict:
        """What status says of the storage node; empty when there is none of that name."""
        return next((n for n in self.status()["storage_nodes"] if n["id"] == name), {})

    def pids(self) -> list:
        """Pids of every process of this cluster, from their pid files."""
        pids = []
        for path in pathlib.Path(self.directory).glob("*/pid"):
            pid = int(path.read_text().split()[0])
            try:
                command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            except FileNotFoundError:
                continue
            if self.directory.encode() in command:
                pids.append(pid)
        return pids

    def kill_everything(self):
        """kill -9 of all processes at once, as a power cut of the machine would."""
        for pid in self.pids():
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not self.pids(), 10, "all processes gone")

    def connect(self, port=None, **options):
        options = {"host": self.host, "read_timeout": 60, **options}
        return pymysql.connect(port=port or self.port, user="root", password=self.password, autocommit=True, connect_timeout=30, **options)

    def query(self, text, port=None, **options):
        connection = self.connect(port, **options)
        try:
            with connection.cursor() as cursor:
                cursor.execute(text)
                return cursor.fetchall()
        finally:
            connection.close()

    def error_lines(self, nothing_hung=True) -> list:
        """Lines that processes logged as ERROR: each means that a person is needed; and what a sanitizer found. `nothing_hung`:
        and those that say that control took a process for hung, which under mere load must not happen."""
        marks = {"log": [" error "] + (["killing it"] if nothing_hung else []),
                 "output": ["ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "WARNING: ThreadSanitizer", "runtime error:"]}
        lines = []
        for name, words in marks.items():
            for path in pathlib.Path(self.directory).glob(f"*/{name}"):
                found = [line for line in path.read_text(errors="replace").splitlines() if any(word in line for word in words)]
                lines += [f"{path.parent.name}: {line}" for line in found]
        return lines


def hang_up(connection):
    """Closes a client's connection, also one that is None or whose server is gone."""
    try:
        if connection is not None:
            connection.close()
    except pymysql.MySQLError:
        pass


def wait_for(condition, seconds, what):
    """Polls until `condition()` is truthy and returns it; fails the test after `seconds`, saying `what` (words, or what gives them)."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s: {what() if callable(what) else what}")
