#!/usr/bin/python3
"""Runs public test suites against a cluster of its own. usage: run_suites.py [--server PORT] [name...]

What is run is what Debian ships; the suites' own sources are not in this tree. Each suite's failures are held to the list that is
kept here, test by test with the reason: a failure that is not on it, and one on it that passes, fail the run. --server runs them
against the server on that port of loopback instead, as root without a password; a MySQL there must fail none.
"""
import argparse
import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

import pymysql

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "cluster"))
from cluster import Cluster  # noqa: E402

PYTHON = "/usr/bin/python3"
HOUR_S = 3600
# Per suite: directory, driver, Debian packages, and the tests that fail with the reason ("Class::test", drivers alike).
MYISAM = "made with ENGINE=MyISAM, which has no foreign keys; InnoDB refuses to empty a table whose rows name each other"
SQLALCHEMY_FAILS = {
    f"CTETest::{test}_round_trip": MYISAM
    for test in ("test_delete_scalar_subq", "test_insert_from_select", "test_select_nonrecursive", "test_select_recursive", "test_update_from")
}
SUITES = {
    f"sqlalchemy_{driver}": ("sqlalchemy", driver, ["python3-sqlalchemy", "python3-pytest", package], SQLALCHEMY_FAILS)
    for driver, package in (("pymysql", "python3-pymysql"), ("mysqldb", "python3-mysqldb"))
}


def installed(package):
    done = subprocess.run(["dpkg-query", "-W", "-f=${Status}", package], capture_output=True, text=True)
    return done.stdout == "install ok installed"


def prepare(port):
    """Makes the databases that SQLAlchemy's suite is told to expect. It makes its tables with ENGINE=MyISAM where it needs no
    transactions: without NO_ENGINE_SUBSTITUTION they are InnoDB's on a server that has no other engine."""
    with contextlib.closing(pymysql.connect(host="127.0.0.1", port=port, user="root")) as connection, connection.cursor() as cursor:
        for database in ("sa_test", "test_schema"):
            cursor.execute(f"DROP DATABASE IF EXISTS {database}")
            cursor.execute(f"CREATE DATABASE {database} CHARACTER SET utf8mb4")
        cursor.execute("SET GLOBAL sql_mode = REPLACE(@@GLOBAL.sql_mode, 'NO_ENGINE_SUBSTITUTION', '')")


def results(path):
    """Of each test that was run: its name without driver and version, and whether it failed."""
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        if case.find("skipped") is None:
            group = case.get("classname").rpartition(".")[2].partition("_mysql+")[0]
            yield f"{group}::{case.get('name')}", case.find("failure") is not None or case.find("error") is not None


def run(name, port, expects):
    directory, driver, packages, fails = SUITES[name]
    missing = [p for p in packages if not installed(p)]
    if missing:
        print(f"{name}: SKIPPED, needs {' '.join(missing)} (scripts/test-clients --install)", flush=True)
        return True
    prepare(port)
    with tempfile.TemporaryDirectory() as scratch:
        report = pathlib.Path(scratch) / "report.xml"
        uri = f"mysql+{driver}://root@127.0.0.1:{port}/sa_test?charset=utf8mb4"
        done = subprocess.run([PYTHON, "-m", "pytest", "-q", "--dburi", uri, f"--junitxml={report}"], cwd=HERE / directory,
                              capture_output=True, text=True, timeout=2 * HOUR_S,
                              env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "SQLALCHEMY_SILENCE_UBER_WARNING": "1"})
        ran = dict(results(report)) if report.exists() else {}
    failed = {test for test, bad in ran.items() if bad}
    wanted = set(fails) if expects else set()
    print(f"{name}: {len(ran)} run, {len(failed)} failed, {len(wanted)} were to fail", flush=True)
    for test in sorted(failed - wanted):
        print(f"  FAILED {test}")
    for test in sorted(wanted - failed):
        print(f"  PASSED, and is on the list of failures: {test} ({fails[test]})")
    if not ran or failed - wanted:
        print(done.stdout[-20000:] + done.stderr[-5000:])
    return bool(ran) and failed == wanted


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", type=int, metavar="PORT")
    parser.add_argument("names", nargs="*", metavar="name", help=" ".join(SUITES))
    words = parser.parse_args()
    names = words.names or list(SUITES)
    if words.server:
        return 0 if all([run(name, words.server, expects=False) for name in names]) else 1
    with Cluster(readers=0) as cluster:
        return 0 if all([run(name, cluster.port, expects=True) for name in names]) else 1


sys.exit(main())
