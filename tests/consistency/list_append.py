#!/usr/bin/python3
"""Finds what an isolation level forbids in a history of transactions that append to lists and read them (history.py).

Every value is appended once, so a list that was read says which appends came before the read, in what order, and which had not. Two
things are made of that:

The dependency graph of Adya (ww, wr, rw between committed transactions), from which anomalies get their names: G0, G1c, G-single, G2.

The time graph, which is what is really asserted, since MySQL's levels are not Adya's. Each operation and each commit is a moment, and
every observation orders two moments: what was read had committed before; what was not read committed later; who writes over somebody's
row comes after that one's commit; what was locked is written by others only after the locker's end; and clocks order what did not overlap.
What is not possible in one order of moments has a cycle. The levels differ only in which moment a read belongs to and what it locks:

  READ COMMITTED   a plain read has a moment of its own
  REPEATABLE READ  all plain reads of a transaction have one moment, that of the first (or of START TRANSACTION WITH CONSISTENT SNAPSHOT);
                   but writes and locking reads are of now: so lost updates and write skew are possible after plain reads, and a row that
                   the transaction itself has written is read as it wrote it, with what others had appended before
  SERIALIZABLE     a plain read in a transaction locks like FOR SHARE: all moments of a transaction can be its commit's
  READ UNCOMMITTED plain reads are not asserted at all, writes and locking reads are
  reader instance  a plain read's moment may lie in the past, but on one instance time does not run backwards

A locking read or a write may meet a commit that is not durable yet; only the answer to its own COMMIT waits for it (INV-TRX-2), and views
that it makes afterwards do (INV-TRX-8). So the end of such an operation says nothing to the clock, and what it read may be gone after a
crash if its transaction never committed.

`list_append.py FILE…` checks histories that were kept.
"""
import bisect
import collections
import sys

import history as histories
from graph import Graph
from history import READ_COMMITTED, READ_UNCOMMITTED, REPEATABLE_READ, SERIALIZABLE, form_of

FORBIDDEN = {  # in a history whose transactions all have that level
    READ_UNCOMMITTED: {"G0"},
    READ_COMMITTED: {"G0", "G1c"},
    REPEATABLE_READ: {"G0", "G1c"},
    SERIALIZABLE: {"G0", "G1c", "G-single", "G2-item", "lost update"},
    "": {"G0"},
}
SHOWN = 5  # examples of each kind of anomaly


class Verdict:
    def __init__(self):
        self.anomalies = collections.Counter()
        self.violations = []  # (kind, what happened)
        self.examples = collections.defaultdict(list)
        self.committed = self.reads = 0

    def note(self, kind, text, forbidden):
        self.anomalies[kind] += 1
        if len(self.examples[kind]) < SHOWN:
            self.examples[kind].append(text)
        if forbidden:
            self.violations.append((kind, text))

    def text(self) -> str:
        return "\n".join(f"{kind}: {what}" for kind, what in self.violations[:20])


class Read:
    """A read with what of it is the transaction's own: `others` is the rest, in order."""

    def __init__(self, transaction, number, at, own):
        self.transaction, self.number, self.at, self.own = transaction, number, at, own
        self.op = op = transaction.ops[at]
        mine = set(own)
        self.others = [value for value in op.values if value not in mine]
        # Of now, not of a snapshot.
        self.current = op.lock is not None or (bool(own) and form_of(op.key) == "row")
        self.dirty = not self.current and transaction.level == READ_UNCOMMITTED and transaction.where == "writer"

    def locks_out_appends(self) -> bool:
        """Whether nobody else can append to the list before the transaction ends. A row is locked in each level, if there was one before
        the transaction made it: with ROLLBACK TO that is gone again, and its lock with it. A place without a row is locked by gap locks."""
        if form_of(self.op.key) == "row" and self.op.values:
            return self.current and bool(self.others)
        return self.op.lock is not None and self.transaction.level in (REPEATABLE_READ, SERIALIZABLE)


    def is_piecemeal(self) -> bool:
        """A locking read of a set without gap locks may wait at one row while others come in where it has been already."""
        return form_of(self.op.key) == "set" and self.op.lock is not None and not self.locks_out_appends()


class Checker:
    def __init__(self, history):
        self.history, self.verdict = history, Verdict()
        self.appended = {}  # value -> (transaction number, operation number, whether it is undone)
        self.reads = []
        self.live = []  # by transaction: {key: [values that it leaves]}
        self.place = {}  # (key, value) -> index in the final list
        self.committed = set()

    def check(self) -> Verdict:
        self._replay()
        self._what_is_left()
        for read in self.reads:
            self._check_read(read)
        self._own_order()
        dependencies = self._dependencies()
        self._classify(dependencies)
        self._check_time()
        self.verdict.committed, self.verdict.reads = len(self.committed), len(self.reads)
        return self.verdict

    def _name(self, number):
        transaction = self.history.transactions[number]
        return f"T{number}({transaction.session} {transaction.level.lower()}{'' if transaction.outcome == 'ok' else ' ' + transaction.outcome})"

    def _replay(self):
        """What each transaction leaves, and what of each read is its own."""
        for number, transaction in enumerate(self.history.transactions):
            done = []  # appends in effect: (operation number, key, value)
            for at, op in enumerate(transaction.ops):
                if op.kind == "append":
                    self.appended[op.value] = (number, at, op.failed)
                    if not op.failed:
                        done.append((at, op.key, op.value))
                elif op.kind == "undo":
                    for append in [a for a in done if a[0] >= op.to]:
                        self.appended[append[2]] = (number, append[0], True)
                    done = [a for a in done if a[0] < op.to]
                elif op.kind == "read" and op.values is not None:
                    own = [value for _, key, value in done if key == op.key]
                    self.reads.append(Read(transaction, number, at, own))
            left = collections.defaultdict(list)
            for _, key, value in done:
                left[key].append(value)
            self.live.append(left)

    # --- what is there in the end ---

    def _what_is_left(self):
        for key, values in self.history.final.items():
            for index, value in enumerate(values):
                if (key, value) in self.place:
                    self.verdict.note("duplicate", f"{value} is twice in list {key}: {values}", True)
                self.place[key, value] = index
                if value not in self.appended:
                    self.verdict.note("invented", f"nobody appended {value} to list {key}", True)
        for number, transaction in enumerate(self.history.transactions):
            there = [(k, v) for k, values in self.live[number].items() for v in values if (k, v) in self.place]
            gone = [(k, v) for k, values in self.live[number].items() for v in values if (k, v) not in self.place]
            if transaction.outcome == "ok":
                self.committed.add(number)
                if gone:
                    self.verdict.note("lost append", f"{self._name(number)} was acknowledged; gone: {gone}, there: {there}", True)
            elif transaction.outcome == "maybe" and there:
                self.committed.add(number)
                if gone:
                    self.verdict.note("half a transaction", f"{self._name(number)}: gone: {gone}, there: {there}", True)
            elif there:
                self.verdict.note("G1a", f"{self._name(number)} was rolled back; there in the end: {there}", True)
        for key, values in self.history.final.items():
            for value in values:
                number, at, undone = self.appended.get(value, (None, None, False))
                if undone:
                    self.verdict.note("G1a", f"{self._name(number)} undid operation {at}; {value} is there in list {key} in the end", True)

    def _own_order(self):
        for number in self.committed:
            for key, values in self.live[number].items():
                order = [self.place[key, v] for v in values if (key, v) in self.place]
                if form_of(key) != "set" and order != sorted(order):
                    self.verdict.note("own order", f"{self._name(number)} appended {values} to list {key} in this order", True)

    # --- single reads ---

    def _check_read(self, read):
        op, final = read.op, self.history.final.get(read.op.key, [])
        text = f"{self._name(read.number)} operation {read.at} read list {op.key}{' for ' + op.lock if op.lock else ''}: {op.values}"
        forbidden = not read.dirty
        if len(set(op.values)) != len(op.values):
            self.verdict.note("duplicate", text, True)
        own_seen = [value for value in op.values if value in set(read.own)]
        in_order = form_of(op.key) != "set"
        if (own_seen if in_order else sorted(own_seen)) != (read.own if in_order else sorted(read.own)):
            self.verdict.note("internal", f"{text}; its own appends are {read.own}", True)
        if read.own and in_order and read.current and op.values[-len(read.own):] != read.own:
            self.verdict.note("internal", f"{text}; its own appends {read.own} are not the last ones", forbidden)
        strange = [value for value in read.others if (op.key, value) not in self.place]
        for value in strange:
            self._strange_value(read, value, text, forbidden)
        known = [value for value in read.others if (op.key, value) in self.place]
        if in_order and not strange:
            mine = {v for v in self.live[read.number].get(op.key, ())}
            expected = [value for value in final if value not in mine][:len(known)]
            if known != expected:
                self.verdict.note("incompatible order", f"{text}; in the end: {final}", forbidden)
        self._check_intermediate(read, text, forbidden)

    def _strange_value(self, read, value, text, forbidden):
        if value not in self.appended:
            self.verdict.note("invented", f"{text}; nobody appended {value}", True)
            return
        number, _, undone = self.appended[value]
        if number == read.number:
            self.verdict.note("internal", f"{text}; it undid {value} itself", True)
        elif undone or self.history.transactions[number].outcome == "aborted":
            self.verdict.note("G1a", f"{text}; {value} is of {self._name(number)}, which undid it", forbidden)
        else:  # "ok" is reported as a lost append
            allowed = read.current and read.transaction.outcome != "ok"
            self.verdict.note("vanished", f"{text}; {value} of {self._name(number)} is not there in the end", forbidden and not allowed)

    def _check_intermediate(self, read, text, forbidden):
        seen = set(read.others)
        for number in {self.appended[value][0] for value in seen if value in self.appended} & self.committed:
            all_of_it = self.live[number].get(read.op.key, ())
            if not seen.issuperset(all_of_it) and number != read.number:
                self.verdict.note("G1b", f"{text}; {self._name(number)} appended {list(all_of_it)}", forbidden)

    # --- Adya's graph ---

    def _writer_of(self, key, value):
        number, at, undone = self.appended.get(value, (None, None, True))
        return (number, at) if not undone and number in self.committed and (key, value) in self.place else None

    def _neighbours(self, read):
        """Writers (transaction number, operation number) of what the read saw last, and of what it did not see first; of all, in a set."""
        key = read.op.key
        final = self.history.final.get(key, [])
        seen = {value for value in read.others if (key, value) in self.place}
        mine = set(self.live[read.number].get(key, ()))
        unseen = [value for value in final if value not in seen and value not in mine]
        if form_of(key) != "set":
            seen, unseen = sorted(seen, key=lambda v: self.place[key, v])[-1:], unseen[:1]
        writers = [[self._writer_of(key, value) for value in values] for values in (seen, unseen)]
        return [[w for w in side if w and w[0] != read.number] for side in writers]

    def _overwrites(self):
        """(transaction, operation) pairs of neighbours in a list: the second wrote onto the first."""
        for key, values in self.history.final.items():
            if form_of(key) == "set":
                continue
            writers = [self._writer_of(key, value) for value in values]
            for before, after in zip(writers, writers[1:]):
                if before and after and before[0] != after[0]:
                    yield key, before, after

    def _dependencies(self) -> Graph:
        graph = Graph()
        for key, before, after in self._overwrites():
            graph.add(before[0], after[0], "ww")
        for read in self.reads:
            of_another_level = read.transaction.where != "writer" and read.transaction.level == READ_COMMITTED
            if read.number not in self.committed or of_another_level:
                continue
            seen, unseen = self._neighbours(read)
            for writer, _ in seen:
                graph.add(writer, read.number, "wr")
            for writer, _ in unseen:
                graph.add(read.number, writer, "rw")
        return graph

    def _show(self, path):
        return " → ".join(self._name(node) + (f" {label}" if label else "") for node, label in path)

    def _classify(self, graph):
        forbidden = FORBIDDEN[self.history.level]
        g0 = graph.only({"ww"})
        for component in g0.components():
            self.verdict.note("G0", self._show(g0.cycle_in(component)), "G0" in forbidden)
        committed_order = graph.only({"ww", "wr"})
        for component in committed_order.components():
            cycle = committed_order.cycle_in(component)
            if any(label == "wr" for _, label in cycle):
                self.verdict.note("G1c", self._show(cycle), "G1c" in forbidden)
        for component in graph.components():
            self._classify_with_rw(graph, component, forbidden)
        self._lost_updates(forbidden)

    def _classify_with_rw(self, graph, component, forbidden, tries=60):
        inside = [(a, b) for a in component for b, label in graph.edges[a].items() if label == "rw" and b in component]
        single = 0
        for a, b in inside[:tries]:
            back = graph.path(b, a, component, {"ww", "wr"})
            if back:
                single += 1
                self.verdict.note("G-single", self._show([(a, "rw")] + back), "G-single" in forbidden)
        if inside and not single:
            self.verdict.note("G2-item", self._show(graph.cycle_in(component)), "G2-item" in forbidden)

    def _lost_updates(self, forbidden):
        """A transaction read a list and then appended to it, and another's append came in between."""
        for read in self.reads:
            key = read.op.key
            if read.number not in self.committed or read.own or form_of(key) == "set":
                continue
            later = [v for v in self.live[read.number].get(key, ()) if self.appended[v][1] > read.at and (key, v) in self.place]
            if later and self.place[key, later[0]] > len(read.op.values):
                self.verdict.note("lost update", f"{self._name(read.number)} read list {key} as {read.op.values} and appended {later[0]}; "
                                  f"in the end: {self.history.final[key]}", "lost update" in forbidden)

    # --- the graph of moments ---

    def _check_time(self):
        graph, moments = Graph(), Moments(self.history, self.committed)
        for number in range(len(self.history.transactions)):
            moments.program_order(graph, number)
        for key, before, after in self._overwrites():
            graph.add(moments.commit(before[0]), moments.op(*after), f"list {key}")
        for read in self.reads:
            if read.dirty:
                continue
            moment = moments.of_read(read)
            seen, unseen = self._neighbours(read)
            for writer, _ in seen:
                graph.add(moments.commit(writer), moment, f"was read in list {read.op.key}")
            for writer, at in unseen:
                if read.locks_out_appends():
                    graph.add(moments.commit(read.number), moments.op(writer, at), f"was locked out of list {read.op.key}")
                elif not read.is_piecemeal():
                    graph.add(moment, moments.commit(writer), f"was not read in list {read.op.key}")
        moments.clock_order(graph)
        for component in graph.components():
            cycle = graph.cycle_in(component)
            steps = [f"{moments.name(node, self._name)}{' —' + label + '→ ' if label else ''}" for node, label in cycle if node[0] != "clock"]
            self.verdict.note("time", " ".join(steps), True)


class Moments:
    """Nodes of the time graph: ("op", transaction, number), ("begin", transaction), ("commit", transaction), and clocks."""

    def __init__(self, history, committed):
        self.history, self.committed = history, committed
        self.view = []  # by transaction: the moment of all its plain reads, or None when each has its own
        for number, transaction in enumerate(history.transactions):
            view = None
            if transaction.level == REPEATABLE_READ:
                plain = [at for at, op in enumerate(transaction.ops) if op.kind == "read" and op.lock is None and op.values is not None]
                view = ("begin", number) if transaction.snapshot else ("op", number, plain[0]) if plain else None
            self.view.append(view)

    def op(self, number, at):
        return ("op", number, at)

    def commit(self, number):
        return ("commit", number)

    def of_read(self, read):
        return self.op(read.number, read.at) if read.current or self.view[read.number] is None else self.view[read.number]

    def program_order(self, graph, number):
        nodes = [("begin", number)] + [self.op(number, at) for at in range(len(self.history.transactions[number].ops))] + [self.commit(number)]
        for before, after in zip(nodes, nodes[1:]):
            graph.add(before, after, "then")

    def _spans(self):
        """(node, where, earliest time, latest time or None) of all moments that the clock says something about."""
        for number, transaction in enumerate(self.history.transactions):
            first = transaction.ops[0].start if transaction.ops else transaction.begin
            yield ("begin", number), transaction.where, transaction.begin, first if transaction.snapshot else None
            for at, op in enumerate(transaction.ops):
                plain = op.kind == "read" and op.lock is None and op.values is not None
                has_moment = plain and self.view[number] in (None, self.op(number, at))
                if op.failed or op.kind == "read" and op.values is None:
                    continue  # it may have met the end of its transaction
                yield self.op(number, at), transaction.where, op.start, op.end if has_moment else None
            last = max((op.start for op in transaction.ops if op.end is not None), default=transaction.begin)
            # What did not commit may have ended with its server, locks and all, before the client got round to ending it.
            yield (self.commit(number), transaction.where, transaction.commit_start if number in self.committed else last,
                   transaction.commit_end if transaction.outcome == "ok" else None)

    def clock_order(self, graph):
        """A moment that had ended comes before one that had not begun. Not so for reads at a reader instance, which may lag: they are
        ordered among themselves, and before what began later at the writer."""
        spans = list(self._spans())
        for where in {span[1] for span in spans}:
            ends = sorted({end for _, place, _, end in spans if end is not None and where in ("writer", place)})
            for before, after in zip(range(len(ends)), range(1, len(ends))):
                graph.add(("clock", where, before), ("clock", where, after), "clock")
            index = {end: number for number, end in enumerate(ends)}
            for node, place, start, end in spans:
                if end is not None and where in ("writer", place):
                    graph.add(node, ("clock", where, index[end]), "clock")
                if place == where:
                    latest = bisect.bisect_left(ends, start) - 1
                    if latest >= 0:
                        graph.add(("clock", where, latest), node, "clock")

    def name(self, node, name_of):
        if node[0] == "op":
            op = self.history.transactions[node[1]].ops[node[2]]
            what = f"append {op.value}" if op.kind == "append" else f"read{' for ' + op.lock if op.lock else ''}"
            return f"{name_of(node[1])}.{node[2]} {what} list {op.key}"
        return f"{node[0]} {name_of(node[1])}"


def check(history) -> Verdict:
    return Checker(history).check()


def main():
    failed = False
    for path in sys.argv[1:]:
        verdict = check(histories.read(path))
        failed |= bool(verdict.violations)
        print(f"{path}: {verdict.committed} committed, {verdict.reads} reads, anomalies {dict(verdict.anomalies)}")
        print(verdict.text() or "nothing that is forbidden")
    sys.exit(failed)


if __name__ == "__main__":
    main()
