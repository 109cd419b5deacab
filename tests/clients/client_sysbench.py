#!/usr/bin/python3
"""sysbench's own scripts, prepared statements on and off, one and sixteen threads. usage: client_sysbench.py PORT [--short]"""
import re
import subprocess
import sys

PORT = sys.argv[1]
SHORT = "--short" in sys.argv
SCRIPTS = ["oltp_read_write"] if SHORT else [
    "oltp_read_only", "oltp_read_write", "oltp_write_only", "oltp_point_select", "oltp_insert", "oltp_delete", "oltp_update_index",
    "oltp_update_non_index", "select_random_points", "select_random_ranges", "bulk_insert"]


def mysql(text):
    subprocess.run(["mariadb", "-h127.0.0.1", f"-P{PORT}", "-uroot", "-e", text], check=True)


def sysbench(script, action, mode, threads):
    words = ["sysbench", script, "--db-driver=mysql", "--mysql-host=127.0.0.1", f"--mysql-port={PORT}", "--mysql-user=root",
             "--mysql-db=bench", f"--threads={threads}", f"--time={1 if SHORT else 2}", f"--db-ps-mode={mode}"]
    if script != "bulk_insert":
        words += ["--table-size=2000", f"--tables={1 if script.startswith('select') else 2}"]
    done = subprocess.run([*words, action], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and "FATAL" not in done.stdout, f"{' '.join(words)} {action}\n{done.stdout[-3000:]}{done.stderr}"
    return done.stdout


for script in SCRIPTS:
    for mode in ("auto", "disable"):
        for threads in ((4,) if SHORT else (1, 16)):
            mysql("DROP DATABASE IF EXISTS bench; CREATE DATABASE bench")
            sysbench(script, "prepare", mode, threads)
            if script.startswith("oltp"):
                sysbench(script, "prewarm", mode, threads)
            report = sysbench(script, "run", mode, threads)
            sysbench(script, "cleanup", mode, threads)
            done = re.search(r"transactions: +(\d+) +\(([\d.]+) per sec", report)
            assert int(done.group(1)) > 0, report
            print(f"{script} {mode} {threads} threads: {done.group(2)} transactions/s", flush=True)
mysql("DROP DATABASE bench")
