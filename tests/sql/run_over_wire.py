#!/usr/bin/python3
"""Runs every SQL logic test over the MySQL protocol against one cluster of real processes.

run_over_wire.py SQLTEST [FILE…]
"""
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "cluster"))
from cluster import Cluster  # noqa: E402


def main():
    runner, files = sys.argv[1], sys.argv[2:] or sorted(map(str, HERE.rglob("*.test")))
    with Cluster(readers=0) as cluster:
        done = subprocess.run([runner, "--connect", f"127.0.0.1:{cluster.port}", *files])
        cluster.run("down")
        errors = cluster.error_lines()
    print("\n".join(errors[:20]))
    sys.exit(done.returncode or bool(errors))


if __name__ == "__main__":
    main()
