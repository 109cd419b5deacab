"""sysbench against a cluster: prepares its tables, runs a test beside a drill, and says whether any statement failed.

A deadlock (1213) is an answer that the test's own statements provoke, on any MySQL; everything else counts as a failure.
"""
import re
import subprocess
import tempfile

DATABASE = "sbtest"


class Sysbench:
    def __init__(self, cluster, test="oltp_read_write", threads=16, tables=4, rows=100_000):
        self.cluster, self.test, self.threads, self.tables, self.rows = cluster, test, threads, tables, rows
        self.process = None

    def _command(self, verb, *words):
        return ["sysbench", self.test, "--db-driver=mysql", f"--mysql-host={self.cluster.host}", f"--mysql-port={self.cluster.port}",
                "--mysql-user=root", f"--mysql-password={self.cluster.password}", f"--mysql-db={DATABASE}", f"--tables={self.tables}", f"--table-size={self.rows}",
                "--mysql-ignore-errors=1213", *words, verb]

    def prepare(self):
        self.cluster.query(f"CREATE DATABASE {DATABASE}")
        done = subprocess.run(self._command("prepare", f"--threads={self.tables}"), capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, f"sysbench prepare failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"

    def start(self, seconds=3600):
        self.output = tempfile.TemporaryFile("w+")  # not a pipe: nobody reads it before the end
        self.process = subprocess.Popen(self._command("run", f"--threads={self.threads}", f"--time={seconds}", "--report-interval=1"),
                                        stdout=self.output, stderr=subprocess.STDOUT, text=True)

    def running(self) -> bool:
        return self.process.poll() is None

    def failed(self) -> bool:
        return self.process.poll() not in (None, 0)

    def finish(self, timeout=300) -> dict:
        """Waits for the end of the run; fails if a statement did. Gives transactions a second, deadlocks and the longest still time."""
        try:
            self.process.wait(timeout=timeout)
        finally:
            if self.process.poll() is None:
                self.process.kill()
        self.output.seek(0)
        output = self.output.read()
        failures = [line for line in output.splitlines() if "FATAL" in line or "error" in line.lower() and "errors" not in line]
        assert self.process.returncode == 0 and not failures, "a statement failed:\n" + "\n".join(failures[:10] or output.splitlines()[-10:])
        reconnects = int(re.search(r"reconnects:\s+(\d+)", output).group(1))
        assert reconnects == 0, f"{reconnects} connections broke"
        still = longest = 0
        for tps in re.findall(r"tps: ([\d.]+)", output):
            still = still + 1 if float(tps) == 0 else 0
            longest = max(longest, still)
        return {"tps": float(re.search(r"transactions:\s+\d+\s+\(([\d.]+) per sec", output).group(1)),
                "transactions": int(re.search(r"transactions:\s+(\d+)", output).group(1)),
                "deadlocks": int(re.search(r"ignored errors:\s+(\d+)", output).group(1)), "still_s": longest,
                "p95_ms": float(re.search(r"95th percentile:\s+([\d.]+)", output).group(1))}

    def check_tables(self, port=None):
        """Every table has its rows, each once by primary key and once by its index."""
        for number in range(1, self.tables + 1):
            rows = self.cluster.query(f"SELECT COUNT(*), COUNT(DISTINCT id) FROM {DATABASE}.sbtest{number}", port)
            assert rows == ((self.rows, self.rows),), f"sbtest{number}: {rows}"
