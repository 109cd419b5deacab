#!/usr/bin/python3
"""Runs random scripts against Borealis and MySQL and reports where the answers differ. See README.md.

run_differential.py --against HOST:PORT [--seconds N] [--seed S] [--count N] [--jobs N] [--server HOST:PORT] [--print-script] [--self-check]
"""
import argparse
import collections
import multiprocessing
import os
import pathlib
import signal
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "cluster"))
from cluster import Cluster  # noqa: E402
from pair import LOST, Pair  # noqa: E402
from script import make_script, statement  # noqa: E402
from shrinking import shrink  # noqa: E402

SHRINK_SECONDS = 15
DIFFERENCES_PER_SCRIPT = 6
AGREED_ASPECTS = r"(?!(prepared )?(computed )?column )"  # what clients are told of columns has tests of its own (tests/sql/metadata)


class Finder:
    """Looks at scripts, one after the other, and tells each difference."""

    def __init__(self, pair, given):
        """`given.shown`: of differences with one signature so many are made small and printed, and the others counted."""
        self.pair, self.given, self.found, self.prefix = pair, given, collections.Counter(), None

    def seed(self, seed):
        statements = make_script(seed, self.given.wide)
        self.pair.begin()
        known = 0
        for at, each in enumerate(statements):
            difference = self.pair.run(each)
            if difference is None:
                continue
            known += 1
            self.report(seed, statements[:at + 1], difference)
            if not each.only_reads or known == DIFFERENCES_PER_SCRIPT or difference.aspect == "connection":
                return  # what the tables hold may differ from here on
            if self.prefix is not None:
                self.begin_with([s for s in statements[:at] if not s.only_reads])
                self.prefix = None

    def report(self, seed, statements, difference):
        self.found[difference.signature] += 1
        if self.found[difference.signature] > self.given.shown:
            return
        self.prefix = None
        self.last = difference
        small = shrink(statements, difference.signature, self.differs, SHRINK_SECONDS)
        text = "\n".join(f"{each.text};" for each in small)
        how = " (prepared)" if small[-1].prepared else ""
        print(f"-- seed {seed}, statement {len(statements)}{how}: {self.last}\n"
              f"-- replay: scripts/differential --against {self.given.against}{' --wide' if self.given.wide else ''} --seed {seed} --count 1\n{text}\n", flush=True)

    def begin_with(self, statements):
        self.pair.begin()
        for each in statements:
            self.pair.run(each)
        self.prefix = [each.text for each in statements]

    def differs(self, statements):
        """The signature of the last statement's difference; statements before it are run anew only when they, or what they gave, may have changed."""
        *before, last = statements
        try:
            if self.prefix != [each.text for each in before]:
                self.begin_with(before)
            difference = self.pair.run(last)
        except LOST:
            self.prefix = None
            return None
        if not last.only_reads or difference is not None and difference.aspect == "connection":
            self.prefix = None
        if difference is None:
            return None
        self.smallest(difference)
        return difference.signature

    def smallest(self, difference):
        if difference.signature == self.last.signature:
            self.last = difference


def work(number, given, ours, theirs, deadline, results):
    ran = scripts = 0
    found = collections.Counter()
    with Pair(ours, theirs, f"differential_{os.getpid()}", given.aspects) as pair:
        finder = Finder(pair, given)
        seed = given.seed + number
        while time.monotonic() < deadline and (given.count is None or seed < given.seed + given.count):
            finder.seed(seed)
            scripts, seed = scripts + 1, seed + given.jobs
        ran, found = pair.ran, finder.found
    results.put((scripts, ran, found))


def run(given, ours) -> bool:
    theirs = address(given.against)
    results = multiprocessing.Queue()
    deadline = time.monotonic() + given.seconds
    workers = [multiprocessing.Process(target=work, args=(number, given, ours, theirs, deadline, results)) for number in range(given.jobs)]
    try:
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    finally:
        stop(workers)
    scripts = ran = 0
    found = collections.Counter()
    while not results.empty():
        more = results.get()
        scripts, ran, found = scripts + more[0], ran + more[1], found + more[2]
    for signature, count in found.most_common():
        print(f"{count:5}  {' '.join(map(str, signature))}")
    print(f"{scripts} scripts from seed {given.seed} on, {ran} statements, {sum(found.values())} differences of {len(found)} kinds")
    good = not found and all(worker.exitcode == 0 for worker in workers)
    return good


def stop(workers):
    """Those that still run leave as this process does: they drop their databases."""
    for worker in workers:
        if worker.is_alive():
            worker.terminate()
    for worker in workers:
        if worker.pid is not None:
            worker.join()


def address(text):
    host, _, port = text.partition(":")
    return host, int(port)


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", help="the MySQL server, as root without password")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1, help="the first script's; the next has the next")
    parser.add_argument("--count", type=int, help="so many scripts and no more")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--server", help="a Borealis that runs already, instead of one of its own")
    parser.add_argument("--aspects", help="a pattern: compare these alone, such as 'error|value'; by default all with --wide, and all but how columns are described without it")
    parser.add_argument("--shown", type=int, default=3, help="how many differences of one kind are made small and printed")
    parser.add_argument("--wide", action="store_true", help="also what people do not write on purpose: see README.md")
    parser.add_argument("--print-script", action="store_true", help="print the seed's script and do nothing")
    parser.add_argument("--self-check", action="store_true", help="see that differences made on purpose are found")
    given = parser.parse_args()
    if not given.against and not given.print_script:
        parser.error("--against HOST:PORT is needed")
    if given.aspects is None:
        given.aspects = "" if given.wide else AGREED_ASPECTS
    return given


def main():
    given = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that whatever was started is stopped
    if given.print_script:
        print("\n".join(f"{each.text};" for each in make_script(given.seed, given.wide)))
        return 0
    if given.self_check:
        import self_check
        return self_check.main(address(given.against))
    if given.server:
        return 0 if run(given, address(given.server)) else 1
    with Cluster(readers=0) as cluster:
        good = run(given, ("127.0.0.1", cluster.port))
        cluster.run("down")
        errors = cluster.error_lines()
    print("\n".join(errors[:20]))
    return 0 if good and not errors else 1


if __name__ == "__main__":
    sys.exit(main())
