#!/usr/bin/python3
"""Compiles client_c.c against libmariadb, into $CLIENTS_BUILD or a temporary directory, and runs it. usage: client_c.py PORT"""
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent


def main():
    flags = subprocess.run(["mariadb_config", "--cflags", "--libs"], check=True, capture_output=True, text=True).stdout.split()
    with tempfile.TemporaryDirectory() as directory:
        build = pathlib.Path(os.environ.get("CLIENTS_BUILD", directory))
        build.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cc", "-Wall", "-O1", "-o", str(build / "client_c"), str(HERE / "client_c.c"), *flags], check=True)
        return subprocess.run([str(build / "client_c"), sys.argv[1]]).returncode


sys.exit(main())
