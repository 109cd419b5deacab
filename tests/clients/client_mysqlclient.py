#!/usr/bin/python3
"""mysqlclient (MySQLdb, over libmariadb) by itself: TLS, converters, cursors, multi-statements, errors, a failover.
usage: client_mysqlclient.py PORT"""
import datetime
import decimal
import os
import subprocess
import sys

import MySQLdb
import MySQLdb.cursors
from MySQLdb.constants import CLIENT

PORT = int(sys.argv[1])


def connect(**options):
    return MySQLdb.connect(**{"host": "127.0.0.1", "port": PORT, "user": "root", "charset": "utf8mb4", "ssl": {"ca": None}, **options})


def refused(action):
    try:
        action()
    except MySQLdb.Error as error:
        return error.args[0]
    return None


def check_values(db):
    cursor = db.cursor()
    cursor.execute("CREATE TABLE v (id INT AUTO_INCREMENT PRIMARY KEY, u BIGINT UNSIGNED, d DOUBLE, n DECIMAL(10,3), s VARCHAR(20), b VARBINARY(20), "
                   "da DATE, ti TIME, dt DATETIME(6), y YEAR, se SET('a','b'), j JSON, l LONGTEXT)")
    row = (2**64 - 1, 0.1, decimal.Decimal("-12.345"), "é😀\\'%", b"\0\xff'", datetime.date(1999, 12, 31), datetime.timedelta(hours=30),
           datetime.datetime(2024, 2, 29, 23, 59, 59, 999999), 2024, "a,b", '{"k": [1, 2.5, null]}', "x" * 70000)
    cursor.execute("INSERT INTO v (u, d, n, s, b, da, ti, dt, y, se, j, l) VALUES (" + ",".join(["%s"] * len(row)) + ")", row)
    assert (cursor.rowcount, cursor.lastrowid, db.insert_id()) == (1, 1, 1)
    cursor.execute("SELECT u, d, n, s, b, da, ti, dt, y, se, j, l FROM v")
    got = cursor.fetchone()
    assert got == row, [pair for pair in zip(got, row) if pair[0] != pair[1]]
    cursor.execute("SELECT id, s FROM v LIMIT 0")
    assert [(d[0], d[6]) for d in cursor.description] == [("id", 0), ("s", 1)]
    assert cursor.executemany("INSERT INTO v (s) VALUES (%s)", [(f"n{i}",) for i in range(1000)]) == 1000
    assert db.info() == "Records: 1000  Duplicates: 0  Warnings: 0", db.info()
    db.commit()


def check_cursors(db):
    with db.cursor(MySQLdb.cursors.SSCursor) as cursor:
        cursor.execute("SELECT id FROM v ORDER BY id")
        assert [cursor.fetchone() for _ in range(3)] == [(1,), (2,), (3,)]
    with db.cursor(MySQLdb.cursors.DictCursor) as cursor:
        cursor.execute("SELECT id, s FROM v WHERE id IN %(ids)s", {"ids": (2, 3)})
        assert cursor.fetchall() == ({"id": 2, "s": "n0"}, {"id": 3, "s": "n1"})
    many = connect(db="mysqlclient", client_flag=CLIENT.MULTI_STATEMENTS)
    cursor = many.cursor()
    cursor.execute("SELECT 1; UPDATE v SET d = 2 WHERE id < 3; SELECT 3")
    seen = [cursor.fetchall()]
    while cursor.nextset():
        seen.append(cursor.fetchall())
    assert seen == [((1,),), (), ((3,),)], seen
    many.rollback()
    many.close()


def check_transactions(db):
    other = connect(db="mysqlclient")
    cursor = db.cursor()
    assert cursor.execute("UPDATE v SET d = 5 WHERE id = 1") == 1
    peek = other.cursor()
    peek.execute("SELECT d FROM v WHERE id = 1")
    assert peek.fetchone() == (0.1,)
    other.query("SET innodb_lock_wait_timeout = 1")
    assert refused(lambda: peek.execute("UPDATE v SET d = 6 WHERE id = 1")) == 1205
    db.rollback()
    cursor.execute("SELECT d FROM v WHERE id = 1 FOR UPDATE")
    assert refused(lambda: peek.execute("SELECT d FROM v WHERE id = 1 FOR UPDATE NOWAIT")) == 3572
    db.commit()
    other.close()


def check_errors(db):
    cursor = db.cursor()
    for text, number in [("SELEC", 1064), ("SELECT * FROM nothing", 1146), ("INSERT INTO v (id) VALUES (1)", 1062), ("SELECT nothing", 1054)]:
        assert refused(lambda: cursor.execute(text)) == number, text
    assert refused(lambda: connect(user="nobody")) == 1045 and refused(lambda: connect(db="nothing")) == 1049
    cursor.execute("SELECT 1/0")
    assert db.show_warnings() == (("Warning", 1365, "Division by 0"),)
    assert db.stat().startswith("Uptime: ") and db.get_server_info()
    db.ping()
    db.change_user("root", "", "")  # leaves the session without a database
    cursor.execute("SELECT DATABASE()")
    assert cursor.fetchall() == ((None,),)
    db.change_user("root", "", "mysqlclient")


def check_failover(db):
    if not os.environ.get("FAILOVER"):
        return
    db.autocommit(False)  # change_user turned it on
    cursor = db.cursor()
    cursor.execute("UPDATE v SET d = 77 WHERE id = 2")
    db.commit()
    cursor.execute("UPDATE v SET d = 88 WHERE id = 2")  # open when the writer goes: not to survive
    subprocess.run(os.environ["FAILOVER"], shell=True, check=True, stdout=subprocess.DEVNULL)
    lost = refused(lambda: cursor.execute("SELECT 1"))
    assert lost in (2006, 2013, 1053, 2026), lost  # 2026: TLS ended with the connection
    again = connect(db="mysqlclient")
    cursor = again.cursor()
    cursor.execute("SELECT d FROM v WHERE id = 2")
    assert cursor.fetchone() == (77,)
    cursor.execute("INSERT INTO v (s) VALUES ('after')")
    again.commit()


def main():
    db = connect()
    cursor = db.cursor()
    cursor.execute("SHOW STATUS LIKE 'Ssl_version'")
    assert cursor.fetchone()[1].startswith("TLS")
    for text in ("DROP DATABASE IF EXISTS mysqlclient", "CREATE DATABASE mysqlclient", "USE mysqlclient"):
        cursor.execute(text)
    for check in (check_values, check_cursors, check_transactions, check_errors, check_failover):
        check(db)


main()
