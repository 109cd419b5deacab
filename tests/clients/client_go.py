#!/usr/bin/python3
"""Builds client_go.go with Debian's packages of Go, into $CLIENTS_BUILD or a temporary directory, and runs it. usage: client_go.py PORT"""
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
GO_PATH = "/usr/share/gocode"


def main():
    with tempfile.TemporaryDirectory() as directory:
        build = pathlib.Path(os.environ.get("CLIENTS_BUILD", directory))
        build.mkdir(parents=True, exist_ok=True)
        subprocess.run(["go", "build", "-o", str(build / "client_go"), str(HERE / "client_go.go")], check=True, cwd=directory,
                       env={**os.environ, "GOPATH": GO_PATH, "GO111MODULE": "off", "GOPROXY": "off", "GOCACHE": str(build / "go-cache")})
        return subprocess.run([str(build / "client_go"), sys.argv[1]]).returncode


sys.exit(main())
