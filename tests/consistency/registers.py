"""Registers: single values that are read, written, and compared and swapped, each operation at once or in a transaction of its own at
SERIALIZABLE. Each register has to look as if operations happened one after the other (linearizable.py)."""
import itertools
import time

import pymysql

from history import SERIALIZABLE
from linearizable import Call, explain
from workload import DEFINITE, Session

TABLE = "CREATE TABLE consistency.register (k INT PRIMARY KEY, v BIGINT NOT NULL)"
SLOTS = 2
LIFE_S = 0.5  # of a register; the search for an order grows with the length of a history


class RegisterSession(Session):
    def __init__(self, name, host, port, seed, first_key, first_value, started):
        super().__init__(name, host, port, seed, first_key, first_value, SERIALIZABLE, None)
        self.started, self.calls = started, []  # calls: (register, Call)
        self.newest = {}  # by register, what this session saw or wrote last
        self.values = itertools.count(first_value)

    def _transaction(self):
        self._begin(SERIALIZABLE)
        key = self.first_key + self.chance.randrange(SLOTS) + SLOTS * int((time.monotonic() - self.started) / LIFE_S)
        kind = self.chance.choice(("read", "read", "write", "cas", "cas"))
        if kind == "cas" and self.newest.get(key) is None:
            kind = "write"
        new = next(self.values)
        call = Call(kind, new if kind == "write" else (self.newest.get(key), new), time.monotonic())
        apart, sent_end = self.chance.random() < 0.5, False
        try:
            with self.connection.cursor() as cursor:
                if apart:
                    cursor.execute("BEGIN")
                else:
                    sent_end = True
                seen = self._call(cursor, call, key, apart)
                if apart:
                    sent_end = True
                    cursor.execute("COMMIT")
            call.end = time.monotonic()
            self.newest[key] = seen
            self.calls.append((key, call))
        except pymysql.MySQLError as error:
            self._count(error)
            definite = bool(error.args) and error.args[0] in DEFINITE
            if sent_end and not (definite and not apart) and kind != "read":
                self.calls.append((key, call))
            if definite:
                self.connection.rollback()
            else:
                self._hang_up()
        time.sleep(self.chance.random() * 0.01)

    def _call(self, cursor, call, key, apart):
        """Does it; what the register is then, as far as the session knows."""
        if call.kind == "read":
            cursor.execute(f"SELECT v FROM register WHERE k = {key}")
            row = cursor.fetchone()
            call.value = row[0] if row else None
            return call.value
        if call.kind == "write":
            cursor.execute(f"INSERT INTO register VALUES ({key}, {call.value}) ON DUPLICATE KEY UPDATE v = {call.value}")
            return call.value
        expected, new = call.value
        if apart:  # the client compares
            cursor.execute(f"SELECT v FROM register WHERE k = {key}")
            row = cursor.fetchone()
            call.took = bool(row) and row[0] == expected
            if call.took:
                cursor.execute(f"UPDATE register SET v = {new} WHERE k = {key}")
        else:
            call.took = cursor.execute(f"UPDATE register SET v = {new} WHERE k = {key} AND v = {expected}") == 1
        return new if call.took else None


def check(calls) -> list:
    """What is not possible; `calls` is [(register, Call)]."""
    registers = {}
    for key, call in calls:
        registers.setdefault(key, []).append(call)
    findings = []
    for key, of_register in sorted(registers.items()):
        if explain(of_register) is None:
            lines = "\n".join(f"  {call}" for call in sorted(of_register, key=lambda c: c.start))
            findings.append(f"no order explains register {key}:\n{lines}")
    return findings
