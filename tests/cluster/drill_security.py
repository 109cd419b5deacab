#!/usr/bin/python3
"""Who is let in: a cluster with a secret and one made with --secure serve, fail over and restart processes; a stranger at any port
between processes gets nothing, and strangers at all of them disturb nobody."""
import json
import os
import pathlib
import shutil
import socket
import ssl
import stat
import subprocess

import pymysql

from admin_frame import frame, open_to, open_with_secret, read_frame
from cluster import Cluster, wait_for

# Requests of which any peer gets an answer (volume/message_type.h, control/message_type.h).
NODE_STATUS, INSTANCE_STATUS, ENDPOINT_STATUS, CLUSTER_COMMAND = (12, b"\x08\x01"), (40, b""), (46, b""), (50, b"")
UNPROVEN_MAX = 64


def inner_ports(cluster) -> dict:
    """Every port at which a process listens to others of the cluster, with a request that it answers."""
    config = json.loads((pathlib.Path(cluster.directory) / "cluster.json").read_text())
    ports = {node["id"]: (node["port"], NODE_STATUS) for node in config["storage_nodes"]}
    ports |= {instance["id"]: (instance["admin_port"], INSTANCE_STATUS) for instance in config["instances"]}
    return ports | {"control": (config["control_port"], CLUSTER_COMMAND), "endpoint": (config["endpoint_admin_port"], ENDPOINT_STATUS)}


def answer_to_stranger(port, words) -> bytes:
    """All that a process says to somebody who sends `words` and waits until he is closed."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as stranger:
        got = b""
        try:
            stranger.sendall(words)
            while more := stranger.recv(4096):
                got += more
        except (ConnectionResetError, BrokenPipeError):
            pass
        return got


def open_with_foreign_certificate(port, directory):
    """With TLS as it should be, and a certificate that another authority has signed: the one that MySQL clients see."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.load_cert_chain(f"{directory}/instance-1/server-cert.pem", f"{directory}/instance-1/server-key.pem")
    connection = context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=10))
    if not connection.recv(1):
        raise ConnectionError("closed")


def open_without_certificate(port):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=10))
    if not connection.recv(1):
        raise ConnectionError("closed")


def check_only_members_are_answered(cluster):
    for name, (port, (kind, body)) in inner_ports(cluster).items():
        with open_to(port, cluster.directory) as connection:
            connection.sendall(frame(kind, body))
            answered, _ = read_frame(connection)
            assert answered == kind + 1, f"{name} answered {kind} with {answered}"
        for words in (frame(kind, body) * 3, b"GET / HTTP/1.1\r\n\r\n" + b"x" * 100, b"\xff" * 300_000):
            got = answer_to_stranger(port, words)
            # Without a word; in TLS, one alert record.
            assert got == b"" or cluster.secure and len(got) == 7 and got[0] == 0x15, f"{name} told a stranger {got!r}"
        wrong = [lambda: open_with_secret(port, os.urandom(32))]
        if cluster.secure:
            wrong += [lambda: open_without_certificate(port), lambda: open_with_foreign_certificate(port, cluster.directory)]
        for connect in wrong:
            try:
                connect()
            except (ConnectionError, ssl.SSLError):
                continue
            raise AssertionError(f"{name} believed a stranger")


def check_files_are_private(cluster):
    directory = pathlib.Path(cluster.directory)
    secrets = list(directory.glob("tls/*-key.pem")) + list(directory.glob("secret")) + list(directory.glob("*/*key.pem"))
    assert len(secrets) > (10 if cluster.secure else 0)
    for path in secrets:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == 0o600 or path.name == "public_key.pem", f"{path} has mode {mode:o}"
    key = directory / ("tls/operator-key.pem" if cluster.secure else "secret")
    key.chmod(0o644)
    refused = subprocess.run([cluster.binary, "cluster", "status", "--dir", cluster.directory], capture_output=True, text=True, timeout=20)
    key.chmod(0o600)
    assert refused.returncode == 1 and "chmod 600" in refused.stderr, refused.stderr


def check_strangers_keep_nobody_out(cluster):
    """Many silent connections at every port while the cluster works, restarts a process and fails over."""
    strangers = []
    try:
        for port, _ in inner_ports(cluster).values():
            for _ in range(UNPROVEN_MAX + 6):
                strangers.append(socket.create_connection(("127.0.0.1", port), timeout=10))
        check_it_works(cluster)
    finally:
        for stranger in strangers:
            stranger.close()


def works(cluster) -> bool:
    try:
        cluster.query("CREATE DATABASE IF NOT EXISTS d")
        return True
    except pymysql.MySQLError:
        return False


def wait_until_all_serve(cluster):
    wait_for(lambda: all(i["state"] == "serving" for i in cluster.status()["instances"]), 30, "both instances serve")


def state(cluster, name):
    status = cluster.status()
    return next(p["state"] for p in status["instances"] + status["storage_nodes"] if p["id"] == name)


def check_it_works(cluster):
    assert works(cluster)
    for name in ("storage-1", "storage-4"):
        cluster.run("kill", name)
        cluster.run("start", name)
    for name in ("storage-1", "storage-4"):
        wait_for(lambda: state(cluster, name) == "running", 30, f"{name} runs")
    before = cluster.writer()["id"]
    cluster.run("failover")
    assert cluster.writer()["id"] != before
    wait_for(lambda: works(cluster), 20, "writes after the failover")
    cluster.run("kill", cluster.writer()["id"])
    wait_for(lambda: works(cluster), 20, "writes after the writer's death")
    cluster.run("start", "instance-1")
    cluster.run("start", "instance-2")
    wait_until_all_serve(cluster)


def check_the_kind_is_fixed(cluster):
    words = ["up", "--dir", cluster.directory] + ([] if cluster.secure else ["--secure"])
    for when in ("running", "down"):
        refused = subprocess.run([cluster.binary, "cluster", *words], capture_output=True, text=True, timeout=60)
        assert refused.returncode == 1 and "--secure" in refused.stderr, f"{when}: {refused.stderr}"
        cluster.run("down")
    cluster.up()
    assert works(cluster)


def check_secrets_can_be_replaced(cluster):
    directory = pathlib.Path(cluster.directory)
    old, proof = cluster.directory + "-old", "tls" if cluster.secure else "secret"
    cluster.run("down")
    os.mkdir(old)
    try:
        os.rename(directory / proof, f"{old}/{proof}")
        cluster.up()
        assert works(cluster)
        wait_until_all_serve(cluster)
        for name, (port, _) in inner_ports(cluster).items():
            try:
                open_to(port, old)
            except (ConnectionError, ssl.SSLError):
                continue
            raise AssertionError(f"{name} believed the old one")
    finally:
        shutil.rmtree(old)


def check_the_log_stays_short(cluster):
    """Hundreds were refused, all from one address: a line a minute, and none of them an error."""
    for name in inner_ports(cluster):
        log = (pathlib.Path(cluster.directory) / name / "log").read_text().splitlines()
        lines = [line for line in log if "a connection from" in line and "did not prove" in line]
        assert 1 <= len(lines) <= 6, f"{name}: {lines}"
    assert not cluster.error_lines(), cluster.error_lines()


def main():
    for secure in (False, True):
        with Cluster(readers=1, secure=secure) as cluster:
            for check in (check_it_works, check_only_members_are_answered, check_files_are_private, check_strangers_keep_nobody_out,
                          check_the_log_stays_short, check_the_kind_is_fixed, check_secrets_can_be_replaced):
                check(cluster)
                print(f"{'--secure' if secure else 'secret'}: {check.__name__}: as said", flush=True)


main()
