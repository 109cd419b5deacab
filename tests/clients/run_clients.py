#!/usr/bin/python3
"""Runs the clients' tests against a cluster of its own. usage: run_clients.py [--short] [--list] [name...]

Each client is a program of its own that gets the writer's port and fails with exit code 1 and a message; FAILOVER in its environment
is the command that promotes the reader. Nothing is installed here: a client whose packages are not there is reported and skipped,
except those of the short form, which scripts/install-deps installs; scripts/test-clients --install installs all. What is compiled, and npm's
packages, live outside the source tree, in the directory that BOREALIS_CLIENTS names.
"""
import json
import os
import pathlib
import shlex
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "cluster"))
from cluster import Cluster, wait_for  # noqa: E402

PYTHON = "/usr/bin/python3"
BUILD = pathlib.Path(os.environ.get("BOREALIS_CLIENTS", pathlib.Path.home() / ".cache/borealis-clients"))
CONNECTOR_J = "/usr/share/java/mariadb-java-client.jar"
BROWSER = ["chromium", "chromium-driver", "python3-selenium", "php-cli", "php-mysql"]
# Name: the command ({port} is the writer's), Debian packages or, with "npm:", Node packages that it needs.
SHORT = {
    "pymysql": ([PYTHON, "client_pymysql.py", "{port}"], ["python3-pymysql"]),
    "cli": ([PYTHON, "client_cli.py", "{port}"], ["mariadb-client"]),
    "samples": ([PYTHON, "client_samples.py", "{port}"], ["mariadb-client", "python3-pymysql"]),
    "sysbench_short": ([PYTHON, "client_sysbench.py", "{port}", "--short"], ["sysbench"]),
}
FULL = {
    "sysbench": ([PYTHON, "client_sysbench.py", "{port}"], ["sysbench"]),
    "sqlalchemy_pymysql": ([PYTHON, "client_sqlalchemy.py", "pymysql", "{port}"], ["python3-sqlalchemy", "python3-pymysql"]),
    "sqlalchemy_mysqldb": ([PYTHON, "client_sqlalchemy.py", "mysqldb", "{port}"], ["python3-sqlalchemy", "python3-mysqldb"]),
    "django": ([PYTHON, "client_django.py", "{port}"], ["python3-django", "python3-mysqldb"]),
    "dbd_mysql": (["perl", "client_dbd_mysql.pl", "{port}"], ["libdbd-mysql-perl"]),
    "php": (["php", "client_php.php", "{port}"], ["php-cli", "php-mysql"]),
    "mysqlclient": ([PYTHON, "client_mysqlclient.py", "{port}"], ["python3-mysqldb"]),
    "peewee": ([PYTHON, "client_peewee.py", "{port}"], ["python3-peewee", "python3-pymysql"]),
    "mydumper": ([PYTHON, "client_mydumper.py", "{port}"], ["mydumper", "python3-pymysql"]),
    "ruby": (["/usr/bin/ruby", "client_ruby.rb", "{port}"], ["ruby-mysql2", "ruby-activerecord"]),
    "c": ([PYTHON, "client_c.py", "{port}"], ["libmariadb-dev"]),
    "go": ([PYTHON, "client_go.py", "{port}"], ["golang-go", "golang-github-go-sql-driver-mysql-dev"]),
    "java": (["java", "-cp", CONNECTOR_J, "ClientJava.java", "{port}"], ["libmariadb-java"]),
    "doctrine": (["php", "client_doctrine.php", "{port}"], ["php-cli", "php-mysql", "php-doctrine-dbal", "php-doctrine-orm"]),
    "node_mysql2": (["node", "node/client_mysql2.js", "{port}"], ["npm:mysql2"]),
    "node_mariadb": (["node", "node/client_mariadb.js", "{port}"], ["npm:mariadb"]),
    "sequelize": (["node", "node/client_sequelize.js", "{port}"], ["npm:sequelize", "npm:mysql2"]),
    "knex": (["node", "node/client_knex.js", "{port}"], ["npm:knex", "npm:mysql2"]),
    "typeorm": (["node", "node/client_typeorm.js", "{port}"], ["npm:typeorm", "npm:mysql2"]),
    "drizzle": (["node", "node/client_drizzle.js", "{port}"], ["npm:drizzle-orm", "npm:mysql2"]),
    "functions": ([PYTHON, "client_functions.py", "{port}"], ["python3-pymysql"]),
    "phpmyadmin": ([PYTHON, "web/phpmyadmin.py", "{port}"], ["phpmyadmin", *BROWSER]),
    "wordpress": ([PYTHON, "web/wordpress.py", "{port}"], ["wordpress", "wordpress-theme-twentytwentythree", *BROWSER]),
    "tt_rss": ([PYTHON, "web/tt_rss.py", "{port}"], ["tt-rss", "mariadb-client", *BROWSER]),
}


def installed(package):
    if package.startswith("npm:"):
        return (BUILD / "node_modules" / package[len("npm:"):] / "package.json").exists()
    done = subprocess.run(["dpkg-query", "-W", "-f=${Status}", package], capture_output=True, text=True)
    return done.stdout == "install ok installed"


def version(package):
    if package.startswith("npm:"):
        return json.loads((BUILD / "node_modules" / package[len("npm:"):] / "package.json").read_text())["version"]
    return subprocess.run(["dpkg-query", "-W", "-f=${Version}", package], capture_output=True, text=True).stdout


def reader_serves(cluster):
    return any(i["role"] == "reader" and i["state"] == "serving" for i in cluster.status()["instances"])


def run(name, command, packages, cluster):
    missing = [p for p in packages if not installed(p)]
    if missing and name not in SHORT:
        print(f"{name}: SKIPPED, needs {' '.join(missing)} (scripts/test-clients --install)", flush=True)
        return True
    if cluster.readers:  # the client before may just have promoted it
        wait_for(lambda: reader_serves(cluster), 60, "a reader in service")
    failover = shlex.join([cluster.binary, "cluster", "failover", "--dir", cluster.directory])
    began = time.monotonic()
    done = subprocess.run([word.format(port=cluster.port) for word in command], cwd=HERE, capture_output=True, text=True, timeout=1200,
                          env={**os.environ, "SQLALCHEMY_SILENCE_UBER_WARNING": "1", "PYTHONDONTWRITEBYTECODE": "1",
                               "NODE_PATH": str(BUILD / "node_modules"), "CLIENTS_BUILD": str(BUILD), "FAILOVER": failover})
    print(f"{name}: {'ok' if done.returncode == 0 else 'FAILED'} in {time.monotonic() - began:.1f} s", flush=True)
    if done.returncode != 0:
        print(done.stdout[-5000:] + done.stderr[-5000:])
    return done.returncode == 0


def main():
    words = sys.argv[1:]
    clients = dict(SHORT) if "--short" in words else {**SHORT, **FULL}
    if "--list" in words:
        for name, (_, packages) in clients.items():
            print(f"{name}: {' '.join(f'{p} {version(p)}' if installed(p) else f'{p} (missing)' for p in packages)}")
        return 0
    chosen = [w for w in words if not w.startswith("--")] or [c for c in clients if c != "sysbench_short" or "--short" in words]
    # The short form's clients do without failovers.
    with Cluster(readers=0 if "--short" in words else 1) as cluster:
        failed = [name for name in chosen if not run(name, *clients[name], cluster)]
        if failed:
            raise SystemExit(f"failed: {' '.join(failed)}")
        errors = cluster.error_lines()
        assert not errors, "\n".join(errors[:20])
    return 0


sys.exit(main())
