#!/usr/bin/python3
"""Runs the clients' tests against a cluster of its own. usage: run_clients.py [--short] [--list] [name...]

Each client is a program of its own that gets the writer's port and fails with exit code 1 and a message. A client whose packages are
not there is reported and skipped, except those of the short form, which scripts/install-deps installs.
"""
import os
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "cluster"))
from cluster import Cluster  # noqa: E402

PYTHON = "/usr/bin/python3"
# Name: the command ({port} is the writer's), Debian packages that it needs.
SHORT = {
    "pymysql": ([PYTHON, "client_pymysql.py", "{port}"], ["python3-pymysql"]),
    "cli": ([PYTHON, "client_cli.py", "{port}"], ["mariadb-client"]),
    "sysbench_short": ([PYTHON, "client_sysbench.py", "{port}", "--short"], ["sysbench"]),
}
FULL = {
    "sysbench": ([PYTHON, "client_sysbench.py", "{port}"], ["sysbench"]),
    "sqlalchemy_pymysql": ([PYTHON, "client_sqlalchemy.py", "pymysql", "{port}"], ["python3-sqlalchemy", "python3-pymysql"]),
    "sqlalchemy_mysqldb": ([PYTHON, "client_sqlalchemy.py", "mysqldb", "{port}"], ["python3-sqlalchemy", "python3-mysqldb"]),
    "django": ([PYTHON, "client_django.py", "{port}"], ["python3-django", "python3-mysqldb"]),
    "dbd_mysql": (["perl", "client_dbd_mysql.pl", "{port}"], ["libdbd-mysql-perl"]),
    "php": (["php", "client_php.php", "{port}"], ["php-cli", "php-mysql"]),
}


def installed(package):
    done = subprocess.run(["dpkg-query", "-W", "-f=${Status}", package], capture_output=True, text=True)
    return done.stdout == "install ok installed"


def run(name, command, packages, port):
    missing = [p for p in packages if not installed(p)]
    if missing and name not in SHORT:
        print(f"{name}: SKIPPED, needs {' '.join(missing)}", flush=True)
        return True
    began = time.monotonic()
    done = subprocess.run([word.format(port=port) for word in command], cwd=HERE, capture_output=True, text=True, timeout=1200,
                          env={**os.environ, "SQLALCHEMY_SILENCE_UBER_WARNING": "1", "PYTHONDONTWRITEBYTECODE": "1"})
    print(f"{name}: {'ok' if done.returncode == 0 else 'FAILED'} in {time.monotonic() - began:.1f} s", flush=True)
    if done.returncode != 0:
        print(done.stdout[-5000:] + done.stderr[-5000:])
    return done.returncode == 0


def main():
    words = sys.argv[1:]
    clients = dict(SHORT) if "--short" in words else {**SHORT, **FULL}
    if "--list" in words:
        for name, (_, packages) in clients.items():
            print(f"{name}: {' '.join(packages)}")
        return 0
    chosen = [w for w in words if not w.startswith("--")] or [c for c in clients if c != "sysbench_short" or "--short" in words]
    with Cluster(readers=0) as cluster:
        failed = [name for name in chosen if not run(name, *clients[name], cluster.port)]
        if failed:
            raise SystemExit(f"failed: {' '.join(failed)}")
        errors = cluster.error_lines()
        assert not errors, "\n".join(errors[:20])
    return 0


sys.exit(main())
