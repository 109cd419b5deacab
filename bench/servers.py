"""The two servers that benchmarks compare: Borealis as a cluster of its own, and Debian's MariaDB with durable settings.

Each lives in a directory of its own on a free port while its `with` block runs; `port` is where clients connect, `pids` are all its
processes. MariaDB flushes its log at each commit, as Borealis does; its binlog is off, as Borealis writes none.
"""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests/cluster"))
from cluster import Cluster, free_port  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pids) -> float:
    """User and system time of these processes so far."""
    total = 0
    for pid in pids:
        try:
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            total += int(fields[11]) + int(fields[12])
        except FileNotFoundError:
            pass
    return total / TICKS


class Borealis:
    name = "borealis"

    def __init__(self, buffer_pool, readers=1, through_endpoint=False):
        self.cluster, self.through_endpoint = Cluster(readers=readers, buffer_pool=buffer_pool), through_endpoint

    def __enter__(self):
        self.cluster.up()
        self.port = self.cluster.port if self.through_endpoint else self.cluster.writer()["port"]
        return self

    def __exit__(self, *failure):
        self.cluster.__exit__(*failure)

    def pids(self):
        return self.cluster.pids()


class MariaDb:
    name = "mariadb"

    def __init__(self, buffer_pool):
        self.buffer_pool = buffer_pool

    def __enter__(self):
        self.directory = tempfile.mkdtemp(prefix="mariadb-bench-")
        self.port = free_port()
        user = ["--user=mysql"] if os.getuid() == 0 else []
        if user:
            shutil.chown(self.directory, "mysql")
        data = f"{self.directory}/data"
        subprocess.run(["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal", *user],
                       check=True, capture_output=True)
        size = self.buffer_pool.replace("MiB", "M").replace("GiB", "G")
        self.server = subprocess.Popen(
            ["mariadbd", "--no-defaults", f"--datadir={data}", f"--socket={self.directory}/socket", f"--port={self.port}",
             "--bind-address=127.0.0.1", f"--innodb-buffer-pool-size={size}", "--innodb-flush-log-at-trx-commit=1",
             "--max-connections=500", "--skip-log-bin", f"--pid-file={self.directory}/pid", *user],
            stdout=open(f"{self.directory}/log", "w"), stderr=subprocess.STDOUT)
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    break
            time.sleep(0.1)
        return self

    def __exit__(self, *failure):
        self.server.send_signal(signal.SIGTERM)
        self.server.wait(60)
        shutil.rmtree(self.directory, ignore_errors=True)

    def pids(self):
        return [self.server.pid]
