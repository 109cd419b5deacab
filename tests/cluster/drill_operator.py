#!/usr/bin/python3
"""What the operator's commands say when something is wrong: clear words, exit code 1, nothing started left behind. And what status
says of processes that are down, silent, or end again and again."""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import pymysql

from cluster import Cluster, free_port, wait_for


def processes_of(directory) -> list:
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if "--dir" in words and any(w == str(directory) or w.startswith(str(directory) + "/") for w in words):
            found.append(words)
    return found


class Operator:
    def __init__(self, binary):
        self.binary = binary

    def run(self, *words, prefix=()):
        return subprocess.run([*prefix, self.binary, "cluster", *words], capture_output=True, text=True, timeout=150)

    def refused(self, *words, says, left=None, **options):
        """The command fails with 1, its message holds each of `says`, and no process runs on `left` afterwards."""
        done = self.run(*words, **options)
        assert done.returncode == 1, f"cluster {' '.join(words)}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        for part in says:
            assert part in done.stderr, f"cluster {' '.join(words)}: '{part}' is not in: {done.stderr}"
        assert left is None or not processes_of(left), f"left behind: {processes_of(left)}"
        return done


def check_new_directories(cluster, operator):
    with tempfile.TemporaryDirectory() as root, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port, ports = taken.getsockname()[1], ["--port", str(free_port()), "--reader-port", str(free_port())]
        operator.refused("up", "--dir", root + "/a", "--port", str(port), says=[str(port), "--port"], left=root)
        operator.refused("up", "--dir", root + "/a", "--port", ports[1], "--reader-port", str(port), says=[str(port), "--reader-port"], left=root)
        operator.refused("up", "--dir", root + "/a", *ports, "--option", "no_such=1", says=["no_such"], left=root)
        operator.refused("up", "--dir", root + "/a", *ports, "--root-password-file", root + "/none", says=[root + "/none"], left=root)
        assert not (pathlib.Path(root) / "a").exists(), "something was left behind"
        (pathlib.Path(root) / "file").write_text("in the way")
        operator.refused("up", "--dir", root, *ports, says=["cluster.json"], left=root)
        operator.refused("up", "--dir", root + "/file/a", *ports, says=["/file"], left=root)
        if os.geteuid() == 0 and shutil.which("setpriv"):
            os.chmod(root, 0o755)
            operator.refused("up", "--dir", root + "/a", *ports, says=["Permission denied"], left=root,
                             prefix=["setpriv", "--reuid", "65534", "--clear-groups"])
        os.mkdir(root + "/old")
        (pathlib.Path(root) / "old/cluster.json").write_text(json.dumps({"directory_version": 99}))
        for command in (["up"], ["status"], ["down"], ["kill", "instance-1"]):
            operator.refused(*command, "--dir", root + "/old", says=["99"], left=root)
        operator.refused("status", "--dir", root + "/none", says=["none"])
        assert operator.run("up").returncode == 2 and operator.run("up", "--dir", root, "--readers", "16").returncode == 1


def check_a_copy_is_another_cluster(cluster, operator):
    copy = cluster.directory + "-copy"
    shutil.copytree(cluster.directory, copy)
    try:
        operator.refused("up", "--dir", copy, says=[str(cluster.port)], left=copy)
        for command in (["status"], ["kill", "instance-1"], ["failover"]):
            operator.refused(*command, "--dir", copy, says=["is not running"], left=copy)
        operator.run("down", "--dir", copy)
    finally:
        shutil.rmtree(copy)
    cluster.query("SELECT 1")  # nothing happened to the original


def check_a_running_cluster_is_not_changed_by_up(cluster, operator):
    operator.refused("up", "--dir", cluster.directory, "--port", str(free_port()), says=["--port", "cluster down"])
    operator.refused("up", "--dir", cluster.directory, "--readers", "3", says=["--readers"])
    link = cluster.directory + "-link"
    os.symlink(cluster.directory, link)
    try:
        assert operator.run("up", "--dir", link + "/").returncode == 0, "the same directory by another name"
    finally:
        os.unlink(link)
    pid = cluster.status()["storage_nodes"][0]["pid"]
    second = subprocess.run([cluster.binary, "storage", "--dir", cluster.directory, "--id", "storage-1"], capture_output=True, text=True, timeout=20)
    assert second.returncode == 1 and "in use" in second.stderr, second.stderr
    assert cluster.status()["storage_nodes"][0]["pid"] == pid


def node(cluster, name):
    return next(n for n in cluster.status()["storage_nodes"] if n["id"] == name)


def answers(cluster) -> bool:
    try:
        return cluster.query("SELECT 1") == ((1,),)
    except pymysql.MySQLError:
        return False


def check_status_of_what_is_down(cluster, operator):
    cluster.run("kill", "storage-1")
    wait_for(lambda: node(cluster, "storage-1")["state"] == "stopped", 5, "storage-1 stopped")
    assert node(cluster, "storage-1")["reason"] == "stopped by command", node(cluster, "storage-1")
    cluster.run("start", "storage-1")
    wait_for(lambda: node(cluster, "storage-1")["state"] == "running", 20, "storage-1 runs")
    os.kill(node(cluster, "storage-2")["pid"], signal.SIGSTOP)
    wait_for(lambda: node(cluster, "storage-2")["state"] == "silent", 10, "storage-2 silent")
    os.kill(node(cluster, "storage-2")["pid"], signal.SIGCONT)
    wait_for(lambda: node(cluster, "storage-2")["state"] == "running", 10, "storage-2 runs")
    # A process that ends right after each start says why, and does not stop the others.
    cluster.run("kill", "storage-3")
    wait_for(lambda: node(cluster, "storage-3")["pid"] == 0, 5, "storage-3 gone")
    own = pathlib.Path(cluster.directory) / "storage-3"
    (own / "manifest").rename(own / "manifest.away")
    cluster.run("start", "storage-3")
    wait_for(lambda: "manifest" in node(cluster, "storage-3")["reason"], 20, "the reason of storage-3")
    assert "manifest" in cluster.run("status")
    cluster.query("CREATE DATABASE while_storage_3_is_ill")
    (own / "manifest.away").rename(own / "manifest")
    cluster.run("start", "storage-3")
    wait_for(lambda: node(cluster, "storage-3")["state"] == "running", 20, "storage-3 runs")
    # A hung endpoint process would be the end of all connections.
    os.kill(cluster.status()["endpoint_process"]["pid"], signal.SIGSTOP)
    wait_for(lambda: answers(cluster), 20, "the endpoint answers again")


def check_without_control(cluster, operator):
    cluster.run("kill", "control")
    wait_for(lambda: not any("control" in words for words in processes_of(cluster.directory)), 5, "control gone")
    operator.refused("status", "--dir", cluster.directory, says=["control process is not running", "instance-1", "cluster up"])
    cluster.query("SELECT 1")
    cluster.up()


def check_up_that_cannot(cluster, operator):
    cluster.run("down")
    assert not processes_of(cluster.directory)
    operator.refused("status", "--dir", cluster.directory, says=["is not running"])
    manifests = [pathlib.Path(cluster.directory) / name / "manifest" for name in ("storage-1", "storage-2", "storage-3")]
    for path in manifests[:2]:
        path.rename(str(path) + ".away")
    done = operator.run("up", "--dir", cluster.directory)  # an AZ cannot start: the others do
    assert done.returncode == 0, done.stderr
    cluster.query("SELECT 1")
    cluster.run("down")
    manifests[2].rename(str(manifests[2]) + ".away")
    started = time.monotonic()
    operator.refused("up", "--dir", cluster.directory, says=["storage-1", "storage-3", "manifest"], left=cluster.directory)
    assert time.monotonic() - started < 30, "it took too long to see that it is hopeless"
    for path in manifests:
        pathlib.Path(str(path) + ".away").rename(path)
    cluster.up()


def main():
    with Cluster(readers=1) as cluster:
        operator = Operator(cluster.binary)
        for check in (check_new_directories, check_a_copy_is_another_cluster, check_a_running_cluster_is_not_changed_by_up,
                      check_status_of_what_is_down, check_without_control, check_up_that_cannot):
            check(cluster, operator)
            print(f"{check.__name__}: as said", flush=True)


main()
