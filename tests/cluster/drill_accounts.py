#!/usr/bin/python3
"""Accounts over two instances: what the writer grants, revokes and sets as passwords, a reader's sessions obey from the moment they can
see it, open ones too; nothing of it is lost by kill -9 of everything; no password is in a log or a process list."""
import pathlib
import threading
import time

import pymysql

from cluster import Cluster, wait_for

SECRETS = ["first-Secret", "second-Secret", "third-Secret", "native-Secret"]


def code(work):
    """The error number that `work` ends with; 0: none."""
    try:
        work()
        return 0
    except pymysql.err.MySQLError as error:
        return error.args[0]


class Client:
    def __init__(self, cluster, user, password, port=None, **options):
        options = {"autocommit": True, **options}
        self.connection = pymysql.connect(host=cluster.host, port=port or cluster.port, user=user, password=password,
                                          connect_timeout=30, read_timeout=60, **options)

    def run(self, text):
        with self.connection.cursor() as cursor:
            cursor.execute(text)
            return cursor.fetchall()

    def code(self, text):
        return code(lambda: self.run(text))


def check_logins(cluster):
    cluster.query("CREATE USER ann IDENTIFIED BY 'first-Secret', '' IDENTIFIED BY ''")
    cluster.query("CREATE USER nat IDENTIFIED WITH mysql_native_password BY 'native-Secret'")
    assert Client(cluster, "ann", "first-Secret").run("SELECT CURRENT_USER()") == (("ann@%",),)
    assert Client(cluster, "nat", "native-Secret").run("SELECT CURRENT_USER()") == (("nat@%",),)
    assert Client(cluster, "whoever", "").run("SELECT USER(), CURRENT_USER()") == (("whoever@localhost", "@%"),)
    cluster.query("DROP USER ''")
    for user, password in (("ann", "wrong"), ("ann", ""), ("nat", "wrong"), ("nobody", "first-Secret")):
        assert code(lambda: Client(cluster, user, password)) == 1045, user
    cluster.query("ALTER USER ann ACCOUNT LOCK")
    assert code(lambda: Client(cluster, "ann", "first-Secret")) == 3118
    cluster.query("ALTER USER ann ACCOUNT UNLOCK")
    cluster.query("CREATE USER ann@'10.%' IDENTIFIED BY 'x', ann@localhost IDENTIFIED BY 'second-Secret'")
    assert Client(cluster, "ann", "second-Secret").run("SELECT CURRENT_USER()") == (("ann@localhost",),)
    assert code(lambda: Client(cluster, "ann", "first-Secret")) == 1045  # the more specific account counts
    cluster.query("DROP USER ann@'10.%', ann@localhost")


def check_policies(cluster):
    cluster.query("CREATE USER tls IDENTIFIED BY 'first-Secret' REQUIRE SSL")
    assert code(lambda: Client(cluster, "tls", "first-Secret", ssl_disabled=True)) == 1045
    assert Client(cluster, "tls", "first-Secret", ssl={"check_hostname": False, "verify_mode": "none"}).run("SELECT 1") == ((1,),)

    cluster.query("CREATE USER few IDENTIFIED BY 'first-Secret' WITH MAX_USER_CONNECTIONS 2")
    held = [Client(cluster, "few", "first-Secret") for _ in range(2)]
    assert code(lambda: Client(cluster, "few", "first-Secret")) == 1226
    held.pop().connection.close()
    wait_for(lambda: login_or_none(cluster, "few", "first-Secret", cluster.port), 10, "a place for another session")

    cluster.query("CREATE USER tried IDENTIFIED BY 'first-Secret' FAILED_LOGIN_ATTEMPTS 3 PASSWORD_LOCK_TIME 2")
    wrong = [code(lambda: Client(cluster, "tried", "wrong")) for _ in range(3)]
    assert wrong == [1045, 1045, 3955], wrong
    assert code(lambda: Client(cluster, "tried", "first-Secret")) == 3955
    cluster.query("ALTER USER tried IDENTIFIED BY 'second-Secret'")
    Client(cluster, "tried", "second-Secret")

    cluster.query("CREATE USER old IDENTIFIED BY 'first-Secret' PASSWORD EXPIRE")
    assert code(lambda: Client(cluster, "old", "first-Secret")) == 1862
    expired = Client(cluster, "old", "first-Secret", client_flag=1 << 22, autocommit=None)
    assert expired.code("SELECT 1") == 1820
    assert expired.code("ALTER USER old IDENTIFIED BY 'second-Secret'") == 0
    assert expired.code("SELECT 1") == 0
    Client(cluster, "old", "second-Secret")

    cluster.query("CREATE USER two IDENTIFIED BY 'first-Secret'")
    cluster.query("ALTER USER two IDENTIFIED BY 'second-Secret' RETAIN CURRENT PASSWORD")
    Client(cluster, "two", "first-Secret")
    Client(cluster, "two", "second-Secret")
    cluster.query("ALTER USER two DISCARD OLD PASSWORD")
    assert code(lambda: Client(cluster, "two", "first-Secret")) == 1045
    Client(cluster, "two", "second-Secret")

    cluster.query("CREATE USER again IDENTIFIED BY 'first-Secret' PASSWORD HISTORY 2")
    assert code(lambda: cluster.query("ALTER USER again IDENTIFIED BY 'first-Secret'")) == 3638
    cluster.query("ALTER USER again IDENTIFIED BY 'second-Secret'")
    assert code(lambda: cluster.query("ALTER USER again IDENTIFIED BY 'first-Secret'")) == 3638
    cluster.query("ALTER USER again IDENTIFIED BY 'third-Secret'")
    cluster.query("ALTER USER again IDENTIFIED BY 'first-Secret'")

    cluster.query("CREATE USER own IDENTIFIED BY 'first-Secret' PASSWORD REQUIRE CURRENT")
    own = Client(cluster, "own", "first-Secret")
    assert own.code("SET PASSWORD = 'second-Secret'") == 3892
    assert own.code("SET PASSWORD = 'second-Secret' REPLACE 'wrong'") == 3891
    assert own.code("SET PASSWORD = 'second-Secret' REPLACE 'first-Secret'") == 0
    assert own.code("KILL 1") in (1094, 1095)
    other = Client(cluster, "own", "second-Secret")
    assert own.code(f"KILL {other.connection.thread_id()}") == 0
    root = cluster.connect()
    assert own.code(f"KILL {root.thread_id()}") == 1095
    assert all(row[1] == "own" for row in own.run("SHOW PROCESSLIST"))
    root.close()
    random = cluster.query("ALTER USER own IDENTIFIED BY RANDOM PASSWORD")
    assert random[0][:2] == ("own", "%") and len(random[0][2]) == 20, random
    Client(cluster, "own", random[0][2])


def check_reader(cluster):
    cluster.query("CREATE DATABASE shop")
    cluster.query("CREATE TABLE shop.orders (id INT PRIMARY KEY)")
    cluster.query("INSERT INTO shop.orders VALUES (1)")
    reader = wait_for(lambda: login_or_none(cluster, "ann", "first-Secret", cluster.reader_port), 10, "ann on the reader")
    select = "SELECT COUNT(*) FROM shop.orders"
    assert reader.code(select) == 1142
    cluster.query("GRANT SELECT ON shop.* TO ann")
    wait_for(lambda: reader.code(select) == 0, 10, "the grant is obeyed by a session that was open")
    assert reader.code("CREATE USER bob") in (1227, 1290)
    cluster.query("REVOKE SELECT ON shop.* FROM ann")
    wait_for(lambda: reader.code(select) == 1142, 10, "the revocation, too")
    cluster.query("CREATE ROLE clerk")
    cluster.query("GRANT SELECT ON shop.orders TO clerk")
    cluster.query("GRANT clerk TO ann")
    wait_for(lambda: reader.code("SET ROLE clerk") == 0, 10, "the role")
    assert reader.code(select) == 0
    cluster.query("DROP ROLE clerk")
    wait_for(lambda: reader.code(select) == 1142, 10, "the role has gone")
    cluster.query("ALTER USER ann IDENTIFIED BY 'second-Secret'")
    wait_for(lambda: login_or_none(cluster, "ann", "second-Secret", cluster.reader_port), 10, "the new password on the reader")
    wait_for(lambda: code(lambda: Client(cluster, "ann", "first-Secret", cluster.reader_port)) == 1045, 10, "the old one counts no more")


def login_or_none(cluster, user, password, port):
    try:
        return Client(cluster, user, password, port)
    except pymysql.err.MySQLError:
        return None


def check_kill(cluster):
    cluster.query("ALTER USER ann IDENTIFIED BY 'third-Secret'")
    cluster.query("GRANT SELECT, INSERT ON shop.orders TO ann")
    cluster.kill_everything()
    cluster.up()
    client = wait_for(lambda: login_or_none(cluster, "ann", "third-Secret", cluster.port), 60, "ann after kill -9")
    assert code(lambda: Client(cluster, "ann", "second-Secret")) == 1045
    assert client.code("INSERT INTO shop.orders VALUES (2)") == 0
    assert client.code("DELETE FROM shop.orders") == 1142
    wait_for(lambda: login_or_none(cluster, "ann", "third-Secret", cluster.reader_port), 60, "ann on the reader after kill -9")


def check_atomic(cluster):
    """Half of the accounts of a statement are never there, whatever is killed when."""
    stop = threading.Event()

    def churn():
        while not stop.is_set():
            try:
                cluster.query("CREATE USER p1, p2, p3")
                cluster.query("DROP USER p1, p2, p3")
            except pymysql.err.MySQLError:
                time.sleep(0.05)

    thread = threading.Thread(target=churn)
    thread.start()
    time.sleep(1)
    cluster.kill_everything()
    cluster.up()
    stop.set()
    thread.join()
    count = wait_for(lambda: cluster_count(cluster), 60, "the accounts can be counted")[0]
    assert count in (0, 3), count


def cluster_count(cluster):
    try:
        return [cluster.query("SELECT COUNT(*) FROM mysql.user WHERE User IN ('p1', 'p2', 'p3')")[0][0]]
    except pymysql.err.MySQLError:
        return None


def check_secrets(cluster):
    seen = []

    def look():
        own = Client(cluster, "root", "")
        for _ in range(200):
            seen.extend(str(row) for row in own.run("SHOW FULL PROCESSLIST"))

    watcher = threading.Thread(target=look)
    watcher.start()
    for number in range(40):
        cluster.query(f"ALTER USER ann IDENTIFIED BY '{SECRETS[number % 3]}'")
        code(lambda: cluster.query(f"ALTER USER nosuch{number} IDENTIFIED BY '{SECRETS[number % 3]}'"))
        code(lambda: cluster.query(f"SET PASSWORD FOR nosuch = '{SECRETS[number % 3]}'"))
    watcher.join()
    told = [row for row in seen if any(secret in row for secret in SECRETS)]
    assert not told, told[:3]
    for path in pathlib.Path(cluster.directory).glob("*/log"):
        text = path.read_text(errors="replace")
        assert not any(secret in text for secret in SECRETS), f"a password is in {path}"


def main():
    with Cluster(readers=1) as cluster:
        check_logins(cluster)
        check_policies(cluster)
        check_reader(cluster)
        check_kill(cluster)
        check_atomic(cluster)
        check_secrets(cluster)
        errors = cluster.error_lines()
        assert not errors, "\n".join(errors[:20])
        print("accounts: logins, two instances, kill -9, secrets")


main()
