"""The ledger: clients that remember what the server acknowledged, and an audit of what is there afterwards.

Each transaction moves an amount between two accounts and writes one row into each of two journals. What must hold:
  LEDGER-1  every acknowledged transaction is in both journals;
  LEDGER-2  no transaction is in one journal only, and no transaction that failed with a definite error is in any;
  LEDGER-3  the sum of the balances never changes;
  LEDGER-4  each account's balance is the sum of its journal;
  LEDGER-5  what a trigger counts for each client is the number of its rows (a trigger's changes share their statement's fate).
A transaction whose outcome the client could not learn (the connection broke during it) may be there or not, whole.
"""
import random
import threading
import time
from collections import Counter

import pymysql

from cluster import hang_up

ACCOUNTS = 20
START_BALANCE = 1000


class Ledger:
    def __init__(self, cluster, clients=8, seed=1, port=None):
        self.cluster, self.clients, self.seed, self.port = cluster, clients, seed, port
        self.acknowledged, self.in_doubt, self.refused = set(), set(), set()
        self.acknowledged_at = []  # times, for the longest gap
        self.newest = {}  # by client
        self.commit_sent_at = {}
        self.errors = []
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self.threads = []

    def create(self):
        connection = self.cluster.connect()
        with connection.cursor() as cursor:
            cursor.execute("CREATE DATABASE ledger")
            cursor.execute("CREATE TABLE ledger.account (id INT PRIMARY KEY, balance BIGINT NOT NULL)")
            for side in ("debit", "credit"):
                cursor.execute(f"CREATE TABLE ledger.{side} (client INT NOT NULL, seq INT NOT NULL, account INT NOT NULL, amount BIGINT NOT NULL, "
                               "PRIMARY KEY (client, seq), KEY by_account (account))")
            cursor.execute("CREATE TABLE ledger.tally (client INT PRIMARY KEY, transactions BIGINT NOT NULL)")
            cursor.execute("CREATE TRIGGER ledger.count_it AFTER INSERT ON ledger.debit FOR EACH ROW "
                           "INSERT INTO tally VALUES (NEW.client, 1) ON DUPLICATE KEY UPDATE transactions = transactions + 1")
            cursor.execute("INSERT INTO ledger.account VALUES " + ",".join(f"({i},{START_BALANCE})" for i in range(ACCOUNTS)))
        connection.close()

    def start(self):
        for number in range(self.clients):
            thread = threading.Thread(target=self._client, args=(number,), daemon=True)
            thread.start()
            self.threads.append(thread)

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(90)
            assert not thread.is_alive(), "a client hangs"

    def _client(self, number):
        chance = random.Random(self.seed * 1000 + number)
        connection, seq = None, 0
        while not self.stopping.is_set():
            seq += 1
            key, committing = (number, seq), False
            try:
                connection = connection or self.cluster.connect(self.port, database="ledger")
                payer, payee = sorted(chance.sample(range(ACCOUNTS), 2))
                amount = chance.randint(1, 9) * chance.choice((-1, 1))
                with connection.cursor() as cursor:
                    cursor.execute("BEGIN")
                    cursor.execute("UPDATE account SET balance = balance - %s WHERE id = %s", (amount, payer))
                    cursor.execute("INSERT INTO debit VALUES (%s, %s, %s, %s)", (*key, payer, amount))
                    cursor.execute("UPDATE account SET balance = balance + %s WHERE id = %s", (amount, payee))
                    cursor.execute("INSERT INTO credit VALUES (%s, %s, %s, %s)", (*key, payee, amount))
                    committing, sent_at = True, time.monotonic()
                    cursor.execute("COMMIT")
                with self.lock:
                    self.acknowledged.add(key)
                    self.newest[number] = seq
                    self.commit_sent_at[key] = sent_at
                    self.acknowledged_at.append(time.monotonic())
            except pymysql.MySQLError as error:
                with self.lock:
                    (self.in_doubt if committing else self.refused).add(key)
                    self.errors.append(error.args)
                hang_up(connection)
                connection = None
                time.sleep(0.02)

    def newest_acknowledged(self) -> dict:
        """The newest acknowledged transaction of each client."""
        with self.lock:
            return dict(self.newest)

    def longest_gap(self, since) -> float:
        """The longest time without an acknowledged commit from `since` (0: the first one) to now."""
        with self.lock:
            times = ([since] if since else []) + [t for t in self.acknowledged_at if t >= since] + [time.monotonic()]
        return max(b - a for a, b in zip(times, times[1:]))

    def is_there(self, port) -> bool:
        """The newest acknowledged transaction of each client is visible at `port`."""
        rows = dict(self.cluster.query("SELECT client, MAX(seq) FROM ledger.debit GROUP BY client", port))
        return all(rows.get(client, 0) >= newest for client, newest in self.newest_acknowledged().items())

    def audit(self, port=None):
        connection = self.cluster.connect(port, database="ledger")
        with connection.cursor() as cursor:
            cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")
            journals = {}
            for side in ("debit", "credit"):
                cursor.execute(f"SELECT client, seq, account, amount FROM {side}")
                journals[side] = {(c, s): (a, m) for c, s, a, m in cursor.fetchall()}
            cursor.execute("SELECT id, balance FROM account")
            balances = dict(cursor.fetchall())
            cursor.execute("SELECT client, transactions FROM tally")
            tally = dict(cursor.fetchall())
        connection.close()
        lost = self.acknowledged - journals["debit"].keys() | self.acknowledged - journals["credit"].keys()
        assert not lost, f"LEDGER-1: {len(lost)} acknowledged transactions are gone: {sorted(lost)[:10]}"
        half = journals["debit"].keys() ^ journals["credit"].keys()
        assert not half, f"LEDGER-2: half of a transaction: {sorted(half)[:10]}"
        invented = journals["debit"].keys() & self.refused
        assert not invented, f"LEDGER-2: refused transactions are there: {sorted(invented)[:10]}"
        assert sum(balances.values()) == ACCOUNTS * START_BALANCE, f"LEDGER-3: the sum is {sum(balances.values())}"
        for account, balance in balances.items():
            moved = sum(m for a, m in journals["credit"].values() if a == account) - sum(m for a, m in journals["debit"].values() if a == account)
            assert balance == START_BALANCE + moved, f"LEDGER-4: account {account} has {balance}, its journal says {START_BALANCE + moved}"
        counted = Counter(client for client, _ in journals["debit"])
        assert tally == counted, f"LEDGER-5: the trigger counted {tally}, the journal has {dict(counted)}"
        return len(journals["debit"])
