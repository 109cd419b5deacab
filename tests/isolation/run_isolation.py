#!/usr/bin/python3
"""Runs scripts of several sessions (script.py has their format) and compares what happens with what they expect.

run_isolation.py [FILE…]                            against a cluster of its own; all *.test here when none is named
run_isolation.py --server HOST:PORT [FILE…]         against that server, as root without password; with --strict, nothing is known to
                                                    differ: what MySQL itself has to pass
run_isolation.py --server HOST:PORT --record FILE…  writes down what that server does; expectations come from MySQL this way

known_differences.txt lists sections that are known to differ from MySQL, each with the place and what happens instead. A section
that is listed and passes, or differs otherwise than listed, fails as one does that is not listed.
"""
import argparse
import pathlib
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "cluster"))
import script as scripts  # noqa: E402
from cluster import Cluster  # noqa: E402

KNOWN = HERE / "known_differences.txt"
# What MySQL does not have: expectations are this server's own.
OWN = {"snapshot_isolation.test"}


def first_difference(server, setup, section) -> str:
    """Empty when everything is as expected."""
    with scripts.Run(server, setup, section) as run:
        if failed := run.begin():
            return failed[0]
        for number, step in enumerate(section.steps, 1):
            got = run.step(step)
            if not step.allows(got):
                return f"{number}. {step}: {', '.join(step.expected) or 'ok'}; got {', '.join(got) or 'ok'}"
    return ""


def recorded_steps(run, steps) -> list:
    """What a session would send while it still waits comes when its wait is over."""
    recorded, later = [], []
    for step in steps:
        later.append(step)
        while (ready := next((s for s in later if s.session not in run.pending), None)) is not None:
            later.remove(ready)
            got = run.step(ready)
            if not (scripts.OR in ready.expected and ready.allows(got)):
                ready.expected = got
            recorded.append(ready)
    return recorded


def record(server, path):
    script = scripts.read(path.read_text())
    scripts.in_each_level(script)
    for section in script.sections:
        with scripts.Run(server, script.setup, section, recording=True) as run:
            if failed := run.begin():
                raise scripts.Malformed(f"{path.name}: {section.title}: {failed[0]}")
            section.steps = recorded_steps(run, section.steps)
            if run.pending:
                print(f"{path.name}: {section.title}: {', '.join(run.pending)} still waits at the end")
    path.write_text(scripts.write(script))


def known_differences() -> dict:
    lines = [line for line in KNOWN.read_text().splitlines() if line and not line.startswith("#")]
    return {tuple(line.split(" :: ")[:2]): line for line in lines}


def check(server, paths, only, known) -> bool:
    passed, listed, failed = 0, 0, 0
    for path in paths:
        script = scripts.read(path.read_text())
        for section in script.sections:
            if only not in section.title:
                continue
            difference = first_difference(server, script.setup, section)
            line = f"{path.name} :: {section.title} :: {difference}"
            expected = known.get((path.name, section.title), "")
            if difference and line == expected:
                listed += 1
            elif difference:
                failed += 1
                print(line, flush=True)
            elif expected:
                failed += 1
                print(f"passes, and is listed as one that differs: {path.name} :: {section.title}", flush=True)
            else:
                passed += 1
    print(f"{passed} sections as MySQL, {listed} with known differences, {failed} failed")
    return failed == 0


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("files", nargs="*")
    arguments.add_argument("--server")
    arguments.add_argument("--record", action="store_true")
    arguments.add_argument("--only", default="", help="sections whose title contains this")
    arguments.add_argument("--strict", action="store_true")
    given = arguments.parse_args()
    known = {} if given.strict else known_differences()
    all_paths = sorted(path for path in HERE.glob("*.test") if not given.strict or path.name not in OWN)
    paths = [pathlib.Path(file) for file in given.files] or all_paths
    started = time.monotonic()
    if given.server:
        host, _, port = given.server.partition(":")
        server = scripts.Server(host=host, port=int(port), user="root")
        if given.record:
            for path in paths:
                record(server, path)
            good = True
        else:
            good = check(server, paths, given.only, known)
    else:
        with Cluster(readers=0) as cluster:
            good = check(scripts.Server(host="127.0.0.1", port=cluster.port, user="root"), paths, given.only, known)
            cluster.run("down")
            errors = cluster.error_lines()
        print("\n".join(errors[:20]))
        good = good and not errors
    print(f"{time.monotonic() - started:.0f} s")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
