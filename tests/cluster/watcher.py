"""Sessions that look at the ledger all the time, one directly on each instance and one at the cluster endpoint.

What must hold for each look, which is one consistent snapshot:
  WATCH-1  a transaction is in both journals or in neither, and the sum of the balances is what it always was;
  WATCH-2  on one instance nothing that was seen is ever gone again, also in another session and after a restart;
  WATCH-3  at the cluster endpoint: every commit that was acknowledged before the look began is in it.
A look that fails because its instance is down is not a look.
"""
import threading
import time

import pymysql

from ledger import ACCOUNTS, START_BALANCE

JOURNAL = "SELECT client, COUNT(*), MAX(seq), SUM(seq), SUM(amount) FROM {} GROUP BY client"


class Watcher:
    def __init__(self, cluster, ledger, every_s=0.3):
        self.cluster, self.ledger, self.every_s = cluster, ledger, every_s
        self.stopping = threading.Event()
        self.failures = []
        self.looks = {}
        self.threads = []

    def start(self):
        ports = {i["id"]: i["port"] for i in self.cluster.status()["instances"]}
        ports["cluster endpoint"] = self.cluster.port
        for name, port in ports.items():
            thread = threading.Thread(target=self._watch, args=(name, port), daemon=True)
            thread.start()
            self.threads.append(thread)

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(90)
            assert not thread.is_alive(), "a watcher hangs"
        assert not self.failures, "\n".join(self.failures[:10])

    def _watch(self, name, port):
        seen, connection = {}, None
        while not self.stopping.wait(self.every_s):
            try:
                connection = connection or self.cluster.connect(port, database="ledger")
                acknowledged = self.ledger.newest_acknowledged()
                look = self._look(connection)
            except pymysql.MySQLError:
                if connection is not None:
                    try:
                        connection.close()
                    except pymysql.MySQLError:
                        pass
                connection = None
                continue
            self.looks[name] = self.looks.get(name, 0) + 1
            self._check(name, seen, look, acknowledged)
            seen = look["debit"]
            if self.looks[name] % 7 == 0:  # another session on the same instance
                connection.close()
                connection = None

    def _look(self, connection):
        with connection.cursor() as cursor:
            cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")
            look = {}
            for side in ("debit", "credit"):
                cursor.execute(JOURNAL.format(side))
                look[side] = {row[0]: tuple(int(v) for v in row[1:]) for row in cursor.fetchall()}
            cursor.execute("SELECT SUM(balance) FROM account")
            look["sum"] = int(cursor.fetchone()[0])
            cursor.execute("COMMIT")
        return look

    def _check(self, name, seen, look, acknowledged):
        at = f"{time.strftime('%H:%M:%S')} {name}: "
        if look["debit"] != look["credit"]:
            self.failures.append(at + f"WATCH-1: half of a transaction: {sorted(set(look['debit'].items()) ^ set(look['credit'].items()))[:4]}")
        if look["sum"] != ACCOUNTS * START_BALANCE:
            self.failures.append(at + f"WATCH-1: the sum is {look['sum']}")
        for client, (count, newest, *_) in seen.items():
            now = look["debit"].get(client, (0, 0))
            if now[0] < count or now[1] < newest:
                self.failures.append(at + f"WATCH-2: client {client} had {count} rows up to {newest}, now {now[0]} up to {now[1]}")
        if name == "cluster endpoint":
            for client, newest in acknowledged.items():
                if look["debit"].get(client, (0, 0))[1] < newest:
                    self.failures.append(at + f"WATCH-3: client {client}'s {newest} was acknowledged, {look['debit'].get(client)} is there")
