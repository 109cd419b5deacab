"""Sessions that append to lists and read them, in transactions of random shape, and write down what happened (history.py).

Processes of several threads, each thread one session. Three tables, by the form of a list:

  list_row   the whole list is the text of one row, with an index that every append changes and a column of up to 20 kB beside it
  list_rows  a row for each value; its place in the list is the last one's plus one, kept apart by a unique index
  list_set   a row for each value; reads are predicate reads through an index

A session knows what a list's row must look like whoever wrote it: `last` is the last value, `pad` as long as `pad_length` says.
"""
import itertools
import pickle
import random
import threading
import time
import traceback

import pymysql

from cluster import hang_up
from history import FORMS, LEVELS, READ_COMMITTED, READ_UNCOMMITTED, REPEATABLE_READ, SERIALIZABLE, Op, Transaction, form_of

TABLES = {
    "list_row": "k INT PRIMARY KEY, v TEXT NOT NULL, last BIGINT NOT NULL, pad_length INT NOT NULL, pad MEDIUMTEXT NOT NULL, KEY by_last (last)",
    "list_rows": "id BIGINT AUTO_INCREMENT PRIMARY KEY, k INT NOT NULL, pos INT NOT NULL, n BIGINT NOT NULL, "
                 "UNIQUE KEY place (k, pos), KEY by_n (n)",
    "list_set": "id BIGINT AUTO_INCREMENT PRIMARY KEY, k INT NOT NULL, n BIGINT NOT NULL, KEY by_k (k), UNIQUE KEY by_n (n)",
}
SLOTS = 9        # lists in use at a time
LONGEST = 40     # a list this long is left for the next one of its slot
KEYS_OF_ROUND = 1_000_000
LOCK_WAIT_TIMEOUT, DEADLOCK, DUPLICATE, READ_ONLY = 1205, 1213, 1062, 1290
STATEMENT_REFUSED = (LOCK_WAIT_TIMEOUT, DUPLICATE)  # undone by itself; the transaction goes on
DEFINITE = STATEMENT_REFUSED + (DEADLOCK, READ_ONLY)


def create_tables(cursor):
    cursor.execute("CREATE DATABASE consistency")
    for name, columns in TABLES.items():
        cursor.execute(f"CREATE TABLE consistency.{name} ({columns})")


class TornRow(Exception):
    """A row whose columns do not belong together."""


class Aborted(Exception):
    """The transaction is over, whatever the reason."""


def connect(host, port):
    connection = pymysql.connect(host=host, port=port, user="root", database="consistency", autocommit=True, connect_timeout=10, read_timeout=30)
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION innodb_lock_wait_timeout = 2")
    return connection


def values_of_row(row, dirty=False):
    """The list that a row of list_row says. A dirty read may find a long value that is still being written."""
    if row is None:
        return []
    text, last, pad_length, length = row
    values = [int(word) for word in text.split(",")]
    if values[-1] != last or pad_length != length and not dirty:
        raise TornRow(f"a row of list_row has v '{text}', last {last}, pad_length {pad_length}, LENGTH(pad) {length}")
    return values


def read_list(cursor, key, lock, dirty=False):
    locking = {None: "", "share": " FOR SHARE", "update": " FOR UPDATE"}[lock]
    if form_of(key) == "row":
        cursor.execute(f"SELECT v, last, pad_length, LENGTH(pad) FROM list_row WHERE k = {key}{locking}")
        return values_of_row(cursor.fetchone(), dirty)
    order, table = (" ORDER BY pos", "list_rows") if form_of(key) == "rows" else ("", "list_set")
    cursor.execute(f"SELECT n FROM {table} WHERE k = {key}{order}{locking}")
    return [row[0] for row in cursor.fetchall()]


class Session:
    """One at the cluster endpoint, which writes and reads."""

    def __init__(self, name, host, port, seed, first_key, first_value, level, generations):
        self.name, self.host, self.port = name, host, port
        self.chance = random.Random(seed)
        self.first_key, self.level, self.generations = first_key, level, generations
        self.values = itertools.count(first_value)
        self.transactions, self.torn, self.errors = [], [], {}
        self.connection, self.level_set = None, None

    def run(self, stopping):
        while not stopping.is_set():
            try:
                self._transaction()
            except TornRow as torn:
                self.torn.append(f"{self.name}: {torn}")
            except pymysql.MySQLError as error:  # connecting failed
                self._count(error)
                self._hang_up()
                time.sleep(0.05)
        self._hang_up()

    def _count(self, error):
        code = error.args[0] if error.args else 0
        self.errors[code] = self.errors.get(code, 0) + 1

    def _hang_up(self):
        hang_up(self.connection)
        self.connection = None

    def _key(self):
        slot = self.chance.randrange(SLOTS)
        return self.first_key + slot + SLOTS * self.generations[slot]

    def _begin(self, level) -> Transaction:
        if self.connection is None:
            self.connection, self.level_set = connect(self.host, self.port), None
        if self.level_set != level:
            self.connection.query(f"SET SESSION TRANSACTION ISOLATION LEVEL {level}")
            self.level_set = level
        return Transaction(level, [], outcome="aborted", session=self.name, begin=time.monotonic())

    def _transaction(self):
        transaction = self._begin(self.level or self.chance.choice(LEVELS))
        self.transactions.append(transaction)
        with self.connection.cursor() as cursor:
            try:
                if self.chance.random() < 0.15 and transaction.level != READ_UNCOMMITTED:
                    self._autocommitted(cursor, transaction)
                else:
                    transaction.snapshot = transaction.level == REPEATABLE_READ and self.chance.random() < 0.2
                    cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT" if transaction.snapshot else "BEGIN")
                    self._statements(cursor, transaction)
                    self._end(cursor, transaction)
            except Aborted:
                pass
            except pymysql.MySQLError as error:  # of BEGIN, SAVEPOINT and the like
                self._count(error)
                self._hang_up()

    # --- statements ---

    def _execute(self, transaction, op, action):
        """Does `action` as the operation; whether it was done. Raises Aborted when that was the end of the transaction."""
        transaction.ops.append(op)
        op.start = time.monotonic()
        try:
            action()
            op.end = time.monotonic()
            return True
        except pymysql.MySQLError as error:
            self._count(error)
            op.failed, code = op.kind == "append", error.args[0] if error.args else 0
            if code in STATEMENT_REFUSED and not transaction.autocommit:
                return False
            if transaction.autocommit and code not in DEFINITE and op.kind == "append":
                op.failed, transaction.outcome = False, "maybe"
            if code not in DEFINITE or code == READ_ONLY:
                self._hang_up()
            raise Aborted from error

    def _read(self, cursor, transaction, key, lock):
        locks_by_level = transaction.level == SERIALIZABLE and not transaction.autocommit
        op = Op("read", key=key, lock=lock or ("share" if locks_by_level else None))

        def action():
            op.values = read_list(cursor, key, lock, dirty=transaction.level == READ_UNCOMMITTED and not lock)
        done = self._execute(transaction, op, action)
        slot = (key - self.first_key) % SLOTS
        if done and len(op.values) >= LONGEST and self.generations[slot] == (key - self.first_key) // SLOTS:
            self.generations[slot] += 1
        return op.values if done else None

    def _append(self, cursor, transaction, key):
        op = Op("append", key=key, value=next(self.values))
        form = form_of(key)
        if form == "row":
            action = self._append_to_row(cursor, transaction, op)
        elif form == "rows":
            action = self._append_row(cursor, transaction, op)
        else:
            def action():
                cursor.execute(f"INSERT INTO list_set (k, n) VALUES ({key}, {op.value})")
        if action:
            self._execute(transaction, op, action)

    def _pad(self):
        length = self.chance.choice((0, 0, 0, 100, 3000, 9000, 20000))
        return length, f"REPEAT('{self.chance.choice('abc')}', {length})"

    def _append_to_row(self, cursor, transaction, op):
        key, value, (length, pad) = op.key, op.value, self._pad()
        insert = f"INTO list_row VALUES ({key}, '{value}', {value}, {length}, {pad})"
        upsert = (f"INSERT {insert} ON DUPLICATE KEY UPDATE v = CONCAT(v, ',{value}'), last = {value}, pad_length = {length}, pad = {pad}")
        update = f"UPDATE list_row SET v = CONCAT(v, ',{value}'), last = {value}, pad_length = {length}, pad = {pad} WHERE k = {key}"
        style = self.chance.choice(("update", "update", "upsert", "computed", "replace"))
        if style == "upsert" or transaction.autocommit:
            return lambda: cursor.execute(upsert)
        if style == "update":
            return lambda: cursor.execute(update) or cursor.execute(upsert)
        # The client makes the new list of the one that it has locked.
        values = self._read(cursor, transaction, key, None if transaction.level == SERIALIZABLE and self.chance.random() < 0.5 else "update")
        if values is None:
            return None
        if not values:  # a row that is not there is not locked against others who find that, too
            return lambda: cursor.execute(upsert)
        text = ",".join(str(v) for v in values + [value])
        if style == "replace":
            return lambda: cursor.execute(f"REPLACE INTO list_row VALUES ({key}, '{text}', {value}, {length}, {pad})")
        return lambda: cursor.execute(f"UPDATE list_row SET v = '{text}', last = {value}, pad_length = {length}, pad = {pad} WHERE k = {key}")

    def _append_row(self, cursor, transaction, op):
        # INSERT … SELECT is a dirty read where those are allowed, and would go behind what is not committed.
        if transaction.autocommit or self.chance.random() < 0.5 and transaction.level != READ_UNCOMMITTED:
            return lambda: cursor.execute(f"INSERT INTO list_rows (k, pos, n) SELECT {op.key}, COALESCE(MAX(pos), 0) + 1, {op.value} "
                                          f"FROM list_rows WHERE k = {op.key}")

        def action():
            cursor.execute(f"SELECT pos FROM list_rows WHERE k = {op.key} ORDER BY pos DESC LIMIT 1 FOR UPDATE")
            last = cursor.fetchone()
            cursor.execute(f"INSERT INTO list_rows (k, pos, n) VALUES ({op.key}, {last[0] + 1 if last else 1}, {op.value})")
        return action

    def _operation(self, cursor, transaction):
        if self.chance.random() < 0.5:
            self._append(cursor, transaction, self._key())
        else:
            self._read(cursor, transaction, self._key(), self.chance.choice((None, None, None, "share", "update")))

    # --- whole transactions ---

    def _autocommitted(self, cursor, transaction):
        transaction.autocommit = True
        transaction.commit_start = time.monotonic()
        self._operation(cursor, transaction)
        transaction.outcome, transaction.commit_end = "ok", time.monotonic()

    def _statements(self, cursor, transaction):
        for _ in range(self.chance.choice((1, 2, 2, 3, 3, 4, 6))):
            # A savepoint at which InnoDB had no part in the transaction yet: going back to it ends that part, with locks and view.
            if transaction.ops and self.chance.random() < 0.12:
                start = len(transaction.ops)
                cursor.execute("SAVEPOINT s")
                for _ in range(self.chance.randint(1, 3)):
                    self._operation(cursor, transaction)
                if self.chance.random() < 0.6:
                    undo = Op("undo", to=start, start=time.monotonic())
                    cursor.execute("ROLLBACK TO SAVEPOINT s")
                    transaction.ops.append(undo)
            else:
                self._operation(cursor, transaction)
            if self.chance.random() < 0.2:
                time.sleep(self.chance.random() * 0.01)

    def _end(self, cursor, transaction):
        transaction.commit_start = time.monotonic()
        try:
            if self.chance.random() < 0.12:
                cursor.execute("ROLLBACK")
                return
            transaction.outcome = "maybe"
            cursor.execute("COMMIT")
            transaction.outcome, transaction.commit_end = "ok", time.monotonic()
        except pymysql.MySQLError as error:
            self._count(error)
            self._hang_up()


class ReaderSession(Session):
    """One on a reader instance: transactions of plain reads."""

    def _transaction(self):
        transaction = self._begin(self.chance.choice((READ_COMMITTED, REPEATABLE_READ)))
        transaction.where = self.name.split("/")[0]
        self.transactions.append(transaction)
        with self.connection.cursor() as cursor:
            try:
                transaction.snapshot = transaction.level == REPEATABLE_READ and self.chance.random() < 0.3
                cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT" if transaction.snapshot else "BEGIN")
                for _ in range(self.chance.randint(1, 6)):
                    self._read(cursor, transaction, self._key(), None)
                transaction.commit_start = time.monotonic()
                cursor.execute("COMMIT")
                transaction.outcome, transaction.commit_end = "ok", time.monotonic()
            except Aborted:
                self._hang_up()
            except pymysql.MySQLError as error:
                self._count(error)
                self._hang_up()
        time.sleep(self.chance.random() * 0.02)


def run_process(sessions, stopping, path):
    """The body of a client process: `sessions` is [(class, arguments)]; what they did goes to the file `path`."""
    sessions = [kind(*arguments) for kind, arguments in sessions]
    failures = []

    def run(session):
        try:
            session.run(stopping)
        except Exception:
            failures.append(f"{session.name}: {traceback.format_exc()}")
    threads = [threading.Thread(target=run, args=(session,)) for session in sessions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    errors = {}
    for session in sessions:
        for code, count in session.errors.items():
            errors[code] = errors.get(code, 0) + count
    with open(path, "wb") as out:
        pickle.dump({"transactions": [t for s in sessions for t in s.transactions], "torn": [t for s in sessions for t in s.torn],
                     "calls": [c for s in sessions for c in getattr(s, "calls", ())], "errors": errors,
                     "failures": failures}, out)


def read_all(cursor, first_key, lock="") -> dict:
    """All lists of a round as they are now. With FOR SHARE, whoever was not finished is waited for; reader instances take no locks."""
    span = f"k >= {first_key} AND k < {first_key + KEYS_OF_ROUND}"
    final = {}
    cursor.execute(f"SELECT v, last, pad_length, LENGTH(pad), k FROM list_row WHERE {span} {lock}")
    for row in cursor.fetchall():
        final[row[4]] = values_of_row(row[:4])
    for table, order in (("list_rows", "k, pos"), ("list_set", "k, n")):
        cursor.execute(f"SELECT k, n FROM {table} WHERE {span} ORDER BY {order} {lock}")
        for key, value in cursor.fetchall():
            final.setdefault(key, []).append(value)
    return final


assert SLOTS % len(FORMS) == 0
