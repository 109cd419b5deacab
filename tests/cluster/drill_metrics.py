#!/usr/bin/python3
"""Every process answers Prometheus: the format is exact, the numbers move with what happens, and a scrape that stands still or
sends garbage disturbs nothing."""
import socket
import time

import pymysql

from cluster import Cluster, wait_for
from prometheus import scrape, total

COMMITS = 200


def ports(cluster) -> dict:
    status = cluster.status()
    found = {process["id"]: process["metrics_port"] for process in status["instances"] + status["storage_nodes"]}
    return found | {"control": status["control"]["metrics_port"], "endpoint": status["endpoint_process"]["metrics_port"]}


def check_every_process_answers(cluster):
    found = ports(cluster)
    assert len(found) == 10 and len(set(found.values())) == 10 and 0 not in found.values(), found
    for name, port in found.items():
        values = scrape(port)
        assert total(values, "borealis_process_resident_memory_bytes") > 1 << 20
        assert abs(time.time() - total(values, "borealis_process_start_time_seconds")) < 600, name
        assert total(values, "borealis_peer_connections_accepted_total") > 0, name
        assert total(values, "borealis_log_errors_total") == 0, name


def check_numbers_move(cluster):
    writer_port, found = next(port for name, port in ports(cluster).items() if name == cluster.writer()["id"]), ports(cluster)
    before, storage_before = scrape(writer_port), scrape(found["storage-1"])
    connection = cluster.connect()
    with connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE m")
        cursor.execute("CREATE TABLE m.t (id INT PRIMARY KEY)")
        for number in range(COMMITS):
            cursor.execute(f"INSERT INTO m.t VALUES ({number})")
        try:
            cursor.execute("INSERT INTO m.t VALUES (1)")
        except pymysql.err.IntegrityError:
            pass
        cursor.execute("SELECT COUNT(*) FROM m.t")
    after = scrape(writer_port)

    def moved(name, **labels):
        return total(after, name, **labels) - total(before, name, **labels)

    assert moved("borealis_statements_total", kind="insert") == COMMITS + 1
    assert moved("borealis_statements_total", kind="define") == 2
    assert moved("borealis_statements_total", kind="select") >= 1
    assert moved("borealis_statements_failed_total") == 1, moved("borealis_statements_failed_total")
    assert moved("borealis_commits_total") >= COMMITS
    assert COMMITS <= moved("borealis_commit_latency_seconds_count") <= COMMITS + 10
    assert 0 < moved("borealis_commit_latency_seconds_sum") < 100
    assert moved("borealis_volume_vdl") > 0 and moved("borealis_volume_mini_transactions_total") >= COMMITS
    assert moved("borealis_rows_total", operation="insert") >= COMMITS
    assert total(after, "borealis_engine_memory_bytes", part="dictionary") > total(before, "borealis_engine_memory_bytes", part="dictionary")
    assert total(after, "borealis_instance_role", role="writer") == 1 and total(after, "borealis_connections") >= 1
    connection.close()
    storage = scrape(found["storage-1"])
    for name in ("borealis_storage_appends_total", "borealis_storage_journal_flushes_total", "borealis_storage_segment_scl"):
        assert total(storage, name) > total(storage_before, name), name
    assert total(storage, "borealis_storage_disk_work_seconds_count", lane="journal") > 0
    appends = total(storage, "borealis_storage_append_latency_seconds_count") - total(storage_before, "borealis_storage_append_latency_seconds_count")
    assert COMMITS / 2 <= appends and 0 < total(storage, "borealis_storage_append_latency_seconds_sum") < 1000, appends
    assert total(storage, "borealis_storage_in_service") == 1
    reader = scrape(next(port for name, port in found.items() if name.startswith("instance") and port != writer_port))
    assert total(reader, "borealis_instance_role", role="reader") == 1 and total(reader, "borealis_replica_lag_seconds") < 60
    assert total(scrape(found["endpoint"]), "borealis_endpoint_connections_total", endpoint="cluster") >= 1


def check_control_counts_what_it_does(cluster):
    port = ports(cluster)["control"]
    before = scrape(port)
    assert total(before, "borealis_cluster_serving") == 1
    cluster.run("kill", "storage-2")
    wait_for(lambda: total(scrape(port), "borealis_process_state", process="storage-2", state="stopped") == 1, 10, "storage-2 stopped")
    cluster.run("start", "storage-2")
    cluster.run("failover")
    wait_for(lambda: total(scrape(port), "borealis_process_state", process="storage-2", state="running") == 1, 20, "storage-2 runs")
    after = scrape(port)
    assert total(after, "borealis_process_starts_total", process="storage-2") == total(before, "borealis_process_starts_total", process="storage-2") + 1
    assert total(after, "borealis_process_ends_total", process="storage-2") == 1
    assert total(after, "borealis_cluster_failovers_total") == 1
    assert total(after, "borealis_instance_is_writer", process=cluster.writer()["id"]) == 1


def check_hostile_scrapes_disturb_nothing(cluster):
    wait_until_all_serve(cluster)  # the writer of before the failover as well
    held = []
    for port in ports(cluster).values():
        for words in (b"", b"GET /met", b"\xff" * 100_000, b"GET / HTTP/1.1\r\n\r\n") * 10:
            client = socket.create_connection(("127.0.0.1", port), timeout=10)
            try:
                client.sendall(words)
            except OSError:
                pass
            held.append(client)
    assert cluster.query("SELECT COUNT(*) FROM m.t") == ((COMMITS,),)
    cluster.query("INSERT INTO m.t VALUES (1000000)")
    for client in held:
        client.close()
    wait_for(lambda: all(scrape(port) for port in ports(cluster).values()), 10, "every process answers again")
    assert not cluster.error_lines(), cluster.error_lines()


def wait_until_all_serve(cluster):
    wait_for(lambda: all(i["state"] == "serving" for i in cluster.status()["instances"]), 30, "both instances serve")


def main():
    with Cluster(readers=1) as cluster:
        wait_until_all_serve(cluster)
        for check in (check_every_process_answers, check_numbers_move, check_control_counts_what_it_does, check_hostile_scrapes_disturb_nothing):
            check(cluster)
            print(f"{check.__name__}: as said", flush=True)


main()
