#!/usr/bin/python3
"""The checkers themselves, on histories made by hand: each anomaly is found and named, and what a level allows is not taken for one."""
import itertools
import tempfile
import unittest

import history as histories
from history import READ_COMMITTED, READ_UNCOMMITTED, REPEATABLE_READ, SERIALIZABLE, History, Op, Transaction
from linearizable import Call, explain
from list_append import check

X, Y = 0, 3  # lists in a row each
P, Q = 1, 4  # lists of rows
S, R = 2, 5  # sets


def append(key, value, **more):
    return Op("append", key=key, value=value, **more)


def read(key, *values, lock=None):
    return Op("read", key=key, values=list(values), lock=lock)


def undo(to):
    return Op("undo", to=to)


class ListAppendTest(unittest.TestCase):
    def setUp(self):
        self.transactions = []

    def did(self, *ops, span=None, level=None, **more):
        """A transaction; without a span of time nothing is known of when it was."""
        start, end = span or (0.0, None)
        for op in ops:
            op.start, op.end = start, end
        outcome = more.pop("outcome", "ok")
        self.transactions.append(Transaction(level or self.level, list(ops), outcome=outcome, begin=start, commit_start=start,
                                             commit_end=end if end is not None else 1e9, **more))

    def found(self, final, level=None):
        verdict = check(History(self.transactions, final, self.level if level is None else level))
        return set(verdict.anomalies), {kind for kind, _ in verdict.violations}

    def expect(self, final, anomalies, violations=None, level=None):
        got_anomalies, got_violations = self.found(final, level)
        self.assertEqual(got_anomalies, set(anomalies))
        self.assertEqual(got_violations, set(anomalies if violations is None else violations))

    level = SERIALIZABLE

    def test_clean(self):
        self.did(append(X, 1), append(P, 2), append(S, 3))
        self.did(read(X, 1, lock="share"), append(X, 4), read(X, 1, 4, lock="share"), read(S, 3, lock="share"))
        self.did(append(P, 5), outcome="aborted")
        self.did(append(P, 6), outcome="maybe")
        self.did(append(P, 7), outcome="maybe")
        self.expect({X: [1, 4], P: [2, 7], S: [3]}, [])

    def test_lost_append(self):
        self.did(append(X, 1), append(Y, 2))
        self.expect({X: [1], Y: []}, ["lost append"])

    def test_half_a_transaction_of_unknown_outcome(self):
        self.did(append(X, 1), append(S, 2), outcome="maybe")
        self.expect({X: [], S: [2]}, ["half a transaction"])

    def test_invented_and_duplicate(self):
        self.did(append(X, 1))
        self.expect({X: [1, 1], Y: [9]}, ["duplicate", "invented"])

    def test_rolled_back_and_there(self):
        self.did(append(X, 1), outcome="aborted")
        self.expect({X: [1]}, ["G1a"])

    def test_refused_statement_and_there(self):
        self.did(append(X, 1, failed=True), append(X, 2))
        self.expect({X: [1, 2]}, ["G1a"])

    def test_undone_to_savepoint(self):
        self.did(append(X, 1), append(X, 2), read(X, 1, 2, lock="share"), undo(1), read(X, 1, lock="share"), append(X, 3))
        self.expect({X: [1, 3]}, [])
        self.expect({X: [1, 2, 3]}, ["G1a"])

    def test_reads_what_it_undid(self):
        self.did(append(X, 1), undo(0), read(X, 1, lock="share"))
        self.expect({X: []}, ["internal"])

    def test_g1a(self):
        self.level = READ_COMMITTED
        self.did(append(X, 1), outcome="aborted")
        self.did(read(X, 1))
        self.expect({X: []}, ["G1a"])

    def test_g1a_is_read_uncommitted(self):
        self.level = READ_UNCOMMITTED
        self.did(append(X, 1), outcome="aborted")
        self.did(read(X, 1))
        self.expect({X: []}, ["G1a"], [])

    def test_g1a_of_an_undone_part(self):
        self.level = READ_COMMITTED
        self.did(append(S, 1), append(S, 2), undo(1))
        self.did(read(S, 1, 2))
        self.expect({S: [1]}, ["G1a"])

    def test_g1b(self):
        for key in (X, P, S):
            self.transactions.clear()
            self.level = READ_COMMITTED
            self.did(append(key, 1), append(key, 2))
            self.did(read(key, 1))
            self.assertIn("G1b", self.found({key: [1, 2]})[1])

    def test_own_appends_are_read(self):
        self.level = READ_COMMITTED
        self.did(append(X, 1), read(X))
        self.did(append(Y, 2), append(Y, 3), read(Y, 3, 2))
        self.assertIn("internal", self.found({X: [1], Y: [2, 3]})[1])

    def test_incompatible_orders(self):
        self.level = READ_COMMITTED
        self.did(append(X, 1))
        self.did(append(X, 2))
        self.did(read(X, 2))
        self.assertIn("incompatible order", self.found({X: [1, 2]})[1])

    def test_g0(self):
        for level in histories.LEVELS:
            self.transactions.clear()
            self.level = level
            self.did(append(X, 1), append(Y, 2))
            self.did(append(X, 3), append(Y, 4))
            self.expect({X: [1, 3], Y: [4, 2]}, ["G0", "time"])

    def test_g1c(self):
        self.level = READ_COMMITTED
        self.did(append(X, 1), read(Y, 2))
        self.did(append(Y, 2), read(X, 1))
        self.expect({X: [1], Y: [2]}, ["G1c", "time"])

    def test_g1c_is_read_uncommitted(self):
        self.level = READ_UNCOMMITTED
        self.did(append(X, 1), read(Y, 2))
        self.did(append(Y, 2), read(X, 1))
        self.expect({X: [1], Y: [2]}, ["G1c"], [])

    def _unrepeatable(self):
        self.did(read(X), read(X, 1))
        self.did(append(X, 1))

    def test_unrepeatable_read(self):
        self.level = READ_COMMITTED
        self._unrepeatable()
        self.expect({X: [1]}, ["G-single"], [])

    def test_unrepeatable_read_in_a_snapshot(self):
        self.level = REPEATABLE_READ
        self._unrepeatable()
        self.expect({X: [1]}, ["G-single", "time"], ["time"])

    def test_a_locking_read_is_not_of_the_snapshot(self):
        self.level = REPEATABLE_READ
        self.did(read(X), read(X, 1, lock="update"), read(X))
        self.did(append(X, 1))
        self.expect({X: [1]}, ["G-single"], [])

    def test_read_skew(self):
        for key, other in ((X, Y), (P, Q), (S, R), (X, R)):
            self.transactions.clear()
            self.level = REPEATABLE_READ
            self.did(append(key, 1), append(other, 2))
            self.did(read(key), read(other, 2))
            self.assertIn("time", self.found({key: [1], other: [2]})[1])

    def test_phantom_that_a_lock_should_have_kept_out(self):
        for key in (P, S):
            for level, violations in ((REPEATABLE_READ, {"time"}), (READ_COMMITTED, set())):
                self.transactions.clear()
                self.level = level
                self.did(read(key, lock="share"), read(R, 2, lock="share"))
                self.did(append(key, 1), append(R, 2))
                self.assertEqual(self.found({key: [1], R: [2]})[1], violations)

    def test_lost_update(self):
        for level, violations in ((READ_COMMITTED, []), (REPEATABLE_READ, []), (SERIALIZABLE, ["G-single", "lost update"])):
            self.transactions.clear()
            self.level = level
            self.did(read(X), append(X, 1))
            self.did(read(X), append(X, 2))
            self.expect({X: [1, 2]}, ["G-single", "lost update"], violations)

    def test_lost_update_after_locking(self):
        for level in (READ_COMMITTED, REPEATABLE_READ):
            self.transactions.clear()
            self.level = level
            self.did(append(X, 1))
            self.did(read(X, 1, lock="update"), append(X, 2))
            self.did(read(X, 1, lock="update"), append(X, 3))
            self.assertIn("time", self.found({X: [1, 2, 3]})[1])

    def test_own_row_is_read_as_written(self):
        self.level = REPEATABLE_READ
        self.did(append(X, 1))
        self.did(read(X), append(X, 2), read(X, 1, 2))
        self.expect({X: [1, 2]}, ["G-single", "lost update"], [])

    def test_own_rows_beside_the_snapshot(self):
        self.level = REPEATABLE_READ
        self.did(append(P, 1))
        self.did(read(P), append(P, 2), read(P, 2))
        self.assertEqual(self.found({P: [1, 2]})[1], set())

    def test_write_skew(self):
        for level, violations in ((REPEATABLE_READ, []), (SERIALIZABLE, ["G2-item"])):
            self.transactions.clear()
            self.level = level
            self.did(read(X), append(Y, 1))
            self.did(read(Y), append(X, 2))
            self.expect({X: [2], Y: [1]}, ["G2-item"], violations)

    def test_write_skew_past_locks(self):
        self.did(append(X, 1), append(Y, 2))
        self.did(read(X, 1, lock="share"), append(Y, 3))
        self.did(read(Y, 2, lock="share"), append(X, 4))
        self.expect({X: [1, 4], Y: [2, 3]}, ["G2-item", "time"])

    def test_stale_read(self):
        self.level = READ_COMMITTED
        self.did(append(X, 1), span=(1, 2))
        self.did(read(X), span=(3, 4))
        self.expect({X: [1]}, ["time"])

    def test_a_reader_instance_may_lag(self):
        self.level = READ_COMMITTED
        self.did(append(X, 1), span=(1, 2))
        self.did(read(X), span=(3, 4), where="instance-2")
        self.expect({X: [1]}, [])

    def test_a_reader_instance_does_not_go_back(self):
        self.level = READ_COMMITTED
        self.did(append(X, 1), span=(1, 2))
        self.did(read(X, 1), span=(3, 4), where="instance-2")
        self.did(read(X), span=(5, 6), where="instance-3")
        self.expect({X: [1]}, [])
        self.did(read(X), span=(7, 8), where="instance-2")
        self.expect({X: [1]}, ["time"])

    def test_a_reader_instance_sees_a_prefix(self):
        self.level = READ_COMMITTED
        self.did(append(X, 1), span=(1, 2))
        self.did(append(Y, 2), span=(3, 4))
        self.did(read(Y, 2), read(X), span=(5, 6), where="instance-2")
        self.assertIn("time", self.found({X: [1], Y: [2]})[1])

    def test_read_before_it_was_committed(self):
        self.level = READ_COMMITTED
        self.did(append(X, 1), span=(3, 4))
        self.did(read(X, 1), span=(1, 2))
        self.assertEqual(self.found({X: [1]})[1], {"time"})

    def test_what_was_read_vanishes(self):
        self.level = READ_COMMITTED
        self.did(append(X, 1), outcome="maybe")
        self.did(read(X, 1))
        self.expect({X: []}, ["vanished"])
        self.transactions[1].ops[0].lock = "share"
        self.transactions[1].outcome = "aborted"
        self.expect({X: []}, ["vanished"], [])

    def test_locks_end_with_the_server(self):
        """Its client sleeps, and sends COMMIT to nobody after others have gone on."""
        self.level = READ_COMMITTED
        self.did(append(X, 1), span=(0, 1))
        for outcome, violations in (("maybe", set()), ("ok", {"time"})):
            self.did(read(X, 1, lock="update"), span=(2, 3), outcome=outcome)
            self.transactions[1].commit_start, self.transactions[1].commit_end = 8, 9
            self.did(append(X, 2), span=(5, 6))
            self.assertEqual(self.found({X: [1, 2]})[1], violations)
            del self.transactions[1:]
        # It notices with a statement.
        self.did(read(X, 1, lock="update"), append(X, 3, failed=True), span=(2, 3), outcome="aborted")
        self.transactions[1].ops[1].start, self.transactions[1].ops[1].end = 8, None
        self.did(append(X, 2), span=(5, 6))
        self.assertEqual(self.found({X: [1, 2]})[1], set())

    def test_snapshot_of_the_start(self):
        self.level = REPEATABLE_READ
        self.did(append(X, 1), span=(4, 5))
        self.did(read(X, 1), span=(6, 7), snapshot=True)
        self.transactions[1].begin, self.transactions[1].ops[0].start = 1, 3
        self.assertEqual(self.found({X: [1]})[1], {"time"})

    def test_the_level_of_each_transaction_counts_when_they_are_mixed(self):
        self.did(append(X, 1), outcome="aborted")
        self.did(read(X, 1), level=READ_UNCOMMITTED)
        self.expect({X: []}, ["G1a"], [], level="")
        self.did(read(X, 1), level=READ_COMMITTED)
        self.expect({X: []}, ["G1a"], level="")

    def test_a_file_keeps_all(self):
        self.did(read(X), append(X, 1), read(X, 1, lock="share"), undo(1), snapshot=True)
        self.did(append(S, 2, failed=True), span=(1.5, 2.25), outcome="maybe")
        history = History(self.transactions, {X: [1], S: []}, self.level, "seed 1")
        with tempfile.NamedTemporaryFile() as file:
            history.write(file.name)
            self.assertEqual(histories.read(file.name), history)


class LinearizableTest(unittest.TestCase):
    def test_one_after_the_other(self):
        calls = [Call("write", 1, 0, 1), Call("read", 1, 2, 3), Call("cas", (1, 2), 4, 5), Call("cas", (1, 3), 6, 7, took=False), Call("read", 2, 8, 9)]
        self.assertIsNotNone(explain(calls))

    def test_stale(self):
        self.assertIsNone(explain([Call("write", 1, 0, 1), Call("write", 2, 2, 3), Call("read", 1, 4, 5)]))

    def test_overlapping(self):
        calls = [Call("write", 1, 0, 10), Call("read", None, 1, 2), Call("read", 1, 3, 4)]
        self.assertIsNotNone(explain(calls))
        self.assertIsNone(explain(calls + [Call("read", None, 5, 6)]))

    def test_two_swaps_of_one_value(self):
        calls = [Call("write", 1, 0, 1), Call("cas", (1, 2), 2, 5), Call("cas", (1, 3), 2, 5)]
        self.assertIsNone(explain(calls))
        calls[2].took = False
        self.assertIsNotNone(explain(calls))

    def test_unknown_outcomes(self):
        calls = [Call("write", 1, 0, 1), Call("write", 2, 2), Call("read", 1, 3, 4), Call("read", 2, 5, 6)]
        self.assertIsNotNone(explain(calls))
        self.assertIsNotNone(explain(calls[:3]))
        self.assertIsNone(explain(calls + [Call("read", 1, 7, 8)]))
        self.assertIsNotNone(explain([Call("write", 1, 0, 1), Call("cas", (1, 2), 2), Call("read", 2, 5, 6)]))

    def test_every_order_of_small_histories(self):
        """Against the plain definition."""
        def possible(calls):
            for order in itertools.permutations(calls):
                state, right = None, all(not (b.end < a.start) for a, b in itertools.combinations(order, 2))
                for call in order:
                    fits, state = call.apply(state)
                    right &= fits
                if right:
                    return True
            return False
        kinds = [("write", 1), ("write", 2), ("read", None), ("read", 1), ("read", 2), ("cas", (1, 2))]
        spans = [(0, 5), (1, 2), (3, 4)]
        for picked in itertools.product(kinds, repeat=3):
            calls = [Call(kind, value, *span) for (kind, value), span in zip(picked, spans)]
            self.assertEqual(explain(calls) is not None, possible(calls), calls)


if __name__ == "__main__":
    unittest.main()
