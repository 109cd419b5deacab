#!/usr/bin/python3
"""The protocol as pymysql speaks it: types of values, multi-statements, unbuffered cursors, errors, warnings, LOCK TABLES, KILL.
usage: client_pymysql.py PORT"""
import datetime
import decimal
import os
import sys
import tempfile
import threading
import time

import pymysql
import pymysql.cursors
from pymysql.constants import CLIENT, FIELD_TYPE

PORT = int(sys.argv[1])


def connect(**options):
    return pymysql.connect(**{"host": "127.0.0.1", "port": PORT, "user": "root", "autocommit": True, **options})


def refused(action):
    try:
        action()
    except pymysql.MySQLError as error:
        return error.args[0]
    return None


def check_values(connection):
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE v (i INT, u BIGINT UNSIGNED, d DOUBLE, n DECIMAL(10,3), s VARCHAR(20), b VARBINARY(20), da DATE, "
                       "ti TIME(3), dt DATETIME(6), ts TIMESTAMP NULL, y YEAR, bi BIT(9), e ENUM('x','y'), se SET('a','b'), j JSON, l LONGTEXT)")
        row = (-5, 2**64 - 1, 1e300, decimal.Decimal("-12.345"), "é😀\\'%", b"\0\xff'", datetime.date(1999, 12, 31),
               datetime.timedelta(hours=-700), datetime.datetime(2024, 2, 29, 23, 59, 59, 999999),
               datetime.datetime(2001, 2, 3, 4, 5, 6), 2024, b"\1\x80", "y", "a,b", '{"k": [1, 2.5, null]}', "x" * 70000)
        cursor.execute("INSERT INTO v VALUES (" + ",".join(["%s"] * len(row)) + ")", row)
        cursor.execute("SELECT * FROM v")
        got = cursor.fetchone()
        assert got == row, [pair for pair in zip(got, row) if pair[0] != pair[1]]
        kinds = [d[1] for d in cursor.description]
        assert kinds == [FIELD_TYPE.LONG, FIELD_TYPE.LONGLONG, FIELD_TYPE.DOUBLE, FIELD_TYPE.NEWDECIMAL, FIELD_TYPE.VAR_STRING,
                         FIELD_TYPE.VAR_STRING, FIELD_TYPE.DATE, FIELD_TYPE.TIME, FIELD_TYPE.DATETIME, FIELD_TYPE.TIMESTAMP,
                         FIELD_TYPE.YEAR, FIELD_TYPE.BIT, FIELD_TYPE.STRING, FIELD_TYPE.STRING, FIELD_TYPE.JSON, FIELD_TYPE.BLOB], kinds
        cursor.execute("SELECT COUNT(*), SUM(i), AVG(i), MAX(s), 1 = 1, NULL FROM v")
        assert cursor.fetchone() == (1, decimal.Decimal(-5), decimal.Decimal("-5.0000"), "é😀\\'%", 1, None)


def check_statements(connection):
    many = connect(database="py", client_flag=CLIENT.MULTI_STATEMENTS)
    with many.cursor() as cursor:
        cursor.execute("SELECT 1; SELECT 2; DO 0; SELECT 3")
        seen = [cursor.fetchall()]
        while cursor.nextset():
            seen.append(cursor.fetchall())
        assert seen == [((1,),), ((2,),), (), ((3,),)], seen
        cursor.execute("SELECT 1;;")
        assert cursor.fetchall() == ((1,),) and not cursor.nextset()
        cursor.execute("SELECT 1;;SELECT 2")  # what an empty statement stands before is not left out
        assert cursor.fetchall() == ((1,),) and refused(cursor.nextset) == 1064
    many.close()
    assert refused(lambda: connection.query("; SELECT 2")) == 1064
    assert refused(lambda: connection.query(";;")) == 1065
    assert refused(lambda: connection.query("SELECT 1; SELECT 2")) == 1064
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE r (id INT PRIMARY KEY AUTO_INCREMENT, s VARCHAR(100))")
        assert cursor.executemany("INSERT INTO r (s) VALUES (%s)", [(f"row {i}",) for i in range(3000)]) == 3000
        big = "y" * 20_000_000  # more than one packet of the protocol
        cursor.execute("SELECT LENGTH(%s)", (big,))
        assert cursor.fetchone() == (len(big),)
        cursor.execute("SELECT REPEAT('z', 17000000)")
        assert len(cursor.fetchone()[0]) == 17_000_000
    with connection.cursor(pymysql.cursors.SSCursor) as cursor:
        cursor.execute("SELECT id, s FROM r ORDER BY id")
        assert [cursor.fetchone() for _ in range(3)][2] == (3, "row 2")
    with connection.cursor(pymysql.cursors.DictCursor) as cursor:
        cursor.execute("SELECT id AS a, s FROM r WHERE id IN %s", ([1, 2],))
        assert cursor.fetchall() == [{"a": 1, "s": "row 0"}, {"a": 2, "s": "row 1"}]
        cursor.execute("INSERT IGNORE INTO r VALUES (1, 'again')")
        assert cursor.rowcount == 0 and connection.show_warnings()[0][1] == 1062


def check_errors(connection):
    for text, number in [("SELEC", 1064), ("SELECT nothing", 1054), ("SELECT * FROM nothing", 1146), ("USE nothing", 1049),
                         ("INSERT INTO r VALUES (1, 'x')", 1062), ("CREATE TABLE r (a INT)", 1050), ("DROP TABLE nothing", 1051),
                         ("INSERT INTO r (nothing) VALUES (1)", 1054), ("SELECT * FROM r, r", 1066), ("", 1065), ("KILL 99999999", 1094)]:
        assert refused(lambda: connection.query(text)) == number, (text, refused(lambda: connection.query(text)))
    assert refused(lambda: connect(user="nobody")) == 1045
    assert refused(lambda: connect(password="wrong")) == 1045
    assert refused(lambda: connect(database="nothing")) == 1049
    connection.ping(reconnect=False)
    connection.select_db("py")


def in_thread(action):
    box = []
    thread = threading.Thread(target=lambda: box.append(refused(action)))
    thread.start()
    return thread, box


def check_lock_tables(connection):
    other = connect(database="py")
    connection.query("CREATE TABLE a (id INT PRIMARY KEY)")
    connection.query("CREATE TABLE b (id INT PRIMARY KEY)")
    connection.query("LOCK TABLES a READ, b AS x WRITE")
    assert refused(lambda: connection.query("INSERT INTO a VALUES (1)")) == 1099
    assert refused(lambda: connection.query("SELECT * FROM r")) == 1100
    assert refused(lambda: connection.query("DROP TABLE r")) == 1100
    assert refused(lambda: connection.query("CREATE DATABASE locked")) == 1192
    connection.query("INSERT INTO b VALUES (1)")
    connection.query("ALTER TABLE b ADD COLUMN n INT")
    other.query("SELECT * FROM a")
    thread, box = in_thread(lambda: other.query("INSERT INTO a VALUES (2)"))
    thread.join(0.3)
    assert thread.is_alive(), "an insert went past a READ lock"
    connection.query("UNLOCK TABLES")
    thread.join(10)
    assert box == [None], box
    connection.query("LOCK TABLES a WRITE")
    thread, box = in_thread(lambda: other.query("SELECT * FROM a"))
    thread.join(0.3)
    assert thread.is_alive(), "a SELECT went past a WRITE lock"
    connection.query("BEGIN")  # releases
    thread.join(10)
    assert box == [None], box
    connection.query("COMMIT")
    # DROP DATABASE waits for the lock, and the holder's own ALTER does not wait for it in turn.
    connection.query("CREATE DATABASE py_gone")
    connection.query("CREATE TABLE py_gone.t (id INT)")
    connection.query("LOCK TABLES py_gone.t WRITE")
    thread, box = in_thread(lambda: other.query("DROP DATABASE py_gone"))
    thread.join(0.3)
    assert thread.is_alive(), "DROP DATABASE went past a lock"
    connection.query("ALTER TABLE py_gone.t ADD COLUMN n INT")
    connection.query("UNLOCK TABLES")
    thread.join(10)
    assert box == [None], box
    # Readers that hold the lock together; a writer's open transaction is waited for.
    other.query("LOCK TABLES a READ")
    connection.query("LOCK TABLES a READ")
    connection.query("UNLOCK TABLES")
    other.close()  # and the session's end releases
    connection.query("BEGIN")
    connection.query("INSERT INTO a VALUES (3)")
    third = connect(database="py")
    thread, box = in_thread(lambda: third.query("LOCK TABLES a READ"))
    thread.join(0.3)
    assert thread.is_alive(), "LOCK TABLES READ did not wait for an uncommitted insert"
    connection.query("COMMIT")
    thread.join(10)
    assert box == [None], box
    assert refused(lambda: third.query("LOCK TABLES nothing READ")) == 1146
    third.close()


def check_kill(connection):
    # SLEEP that is killed gives 1, and what reads rows ends with 1317; who killed it sees it gone.
    other = connect()
    for statement, expected in (("SELECT SLEEP(30)", ((1,),)), ("DO SLEEP(30)", ()),
                                ("SELECT SLEEP(30) FROM (SELECT 1 UNION SELECT 2) AS two", 1317)):
        got = []

        def run():
            with other.cursor() as cursor:
                cursor.execute(statement)
                got.append(cursor.fetchall())

        thread, box = in_thread(run)
        time.sleep(0.3)
        began = time.monotonic()
        connection.query(f"KILL QUERY {other.thread_id()}")
        thread.join(10)
        assert time.monotonic() - began < 5 and (got or box) == [expected], (statement, got, box)
    connection.query(f"KILL {other.thread_id()}")
    time.sleep(0.2)
    assert refused(lambda: other.query("SELECT 1")) in (2006, 2013, 1053, 4031)
    itself = connect()
    assert refused(lambda: itself.query("KILL QUERY CONNECTION_ID()")) == 1317
    assert refused(lambda: itself.query("SELECT 1")) is None
    assert refused(lambda: itself.query("KILL CONNECTION_ID()")) == 1317
    assert refused(lambda: itself.query("SELECT 1")) in (2006, 2013)


def check_idle(connection):
    # Of each variable that makes a connection end: the session's own, and what it began with.
    own, fresh = connect(), None
    own.query("SET wait_timeout = 1")
    connection.query("SET GLOBAL wait_timeout = 1, GLOBAL interactive_timeout = 1000")
    try:
        fresh = connect()
        interactive = connect(client_flag=CLIENT.INTERACTIVE)
    finally:
        connection.query("SET GLOBAL wait_timeout = DEFAULT, GLOBAL interactive_timeout = DEFAULT")
    time.sleep(2.5)
    assert refused(lambda: own.query("SELECT 1")) in (2006, 2013)
    assert refused(lambda: fresh.query("SELECT 1")) in (2006, 2013)
    with interactive.cursor() as cursor:
        cursor.execute("SELECT @@wait_timeout, @@interactive_timeout")
        assert cursor.fetchall() == ((1000, 1000),)
    interactive.close()


def check_insert_id(connection):
    # What LAST_INSERT_ID(expr) was given is told with the answer: counters are made of that.
    connection.query("CREATE TABLE counter (id INT AUTO_INCREMENT PRIMARY KEY, n INT)")
    for text, told in (("INSERT INTO counter (n) VALUES (1), (2)", 1), ("UPDATE counter SET n = LAST_INSERT_ID(n + 5) WHERE id = 1", 6),
                       ("UPDATE counter SET n = 3 WHERE id = 1", 0), ("UPDATE counter SET n = LAST_INSERT_ID(8) WHERE id = 99", 0),
                       ("UPDATE counter a JOIN counter b USING (id) SET a.n = LAST_INSERT_ID(9) WHERE id = 2", 9),
                       ("INSERT INTO counter VALUES (20, LAST_INSERT_ID(11))", 11), ("INSERT INTO counter VALUES (21, 1)", 21),
                       ("INSERT INTO counter (n) VALUES (LAST_INSERT_ID(12))", 22),
                       ("INSERT INTO counter VALUES (21, 1) ON DUPLICATE KEY UPDATE id = LAST_INSERT_ID(id), n = 5", 21),
                       ("INSERT INTO counter SELECT 30, LAST_INSERT_ID(13)", 13), ("DELETE FROM counter WHERE id = LAST_INSERT_ID(30)", 0)):
        connection.query(text)
        assert connection.insert_id() == told, (text, connection.insert_id())


def check_commands(connection):
    # COM_DEBUG and COM_SET_OPTION are answered with an EOF, which clients look for, and not with an OK.
    other = connect(database="py")
    for command, body in ((0x0D, b""), (0x1B, b"\x01\x00"), (0x1B, b"\x00\x00")):
        other._execute_command(command, body)
        assert other._read_packet().is_eof_packet(), command
    other.close()


def check_status(connection):
    # What the client says of itself, and what is counted: of a session, and of all of them.
    named = connect(program_name="a test")
    with named.cursor() as cursor:
        cursor.execute("SELECT ATTR_NAME, ATTR_VALUE FROM performance_schema.session_account_connect_attrs "
                       "WHERE PROCESSLIST_ID = CONNECTION_ID() ORDER BY ORDINAL_POSITION")
        attributes = dict(cursor.fetchall())
        assert attributes["_client_name"] == "pymysql" and attributes["program_name"] == "a test"
        for _ in range(3):
            cursor.execute("DO 1")

        def status(scope, name):
            cursor.execute(f"SHOW {scope} STATUS LIKE '{name}'")
            return int(cursor.fetchone()[1])

        assert status("SESSION", "Com_do") == 3 <= status("GLOBAL", "Com_do")
        prepared = status("GLOBAL", "Prepared_stmt_count")
        cursor.execute("PREPARE s FROM 'SELECT 1'")
        assert status("GLOBAL", "Prepared_stmt_count") == prepared + 1
        cursor.execute("DEALLOCATE PREPARE s")
        assert status("GLOBAL", "Prepared_stmt_count") == prepared
        cursor.execute(f"SET GLOBAL max_prepared_stmt_count = {prepared}")
        assert refused(lambda: cursor.execute("PREPARE s FROM 'SELECT 1'")) == 1461
        cursor.execute("SET GLOBAL max_prepared_stmt_count = DEFAULT")
        cursor.execute("PREPARE s FROM 'SELECT 1'")
    named.close()


def check_load(connection):
    connection.query("CREATE TABLE loaded (a INT)")
    other = connect(database="py", local_infile=True)
    assert refused(lambda: other.query("LOAD DATA LOCAL INFILE '/dev/null' INTO TABLE loaded")) == 3948
    connection.query("SET GLOBAL local_infile = ON")
    # Killed in the middle of a file, the statement is undone; the client sends the rest, and goes on.
    with tempfile.TemporaryDirectory() as directory:
        pipe = os.path.join(directory, "pipe")
        os.mkfifo(pipe)
        thread, box = in_thread(lambda: other.query(f"LOAD DATA LOCAL INFILE '{pipe}' INTO TABLE loaded"))
        with open(pipe, "w") as file:
            for half in range(2):
                file.writelines(f"{i}\n" for i in range(100000))
                file.flush()
                if half == 0:
                    time.sleep(0.3)
                    connection.query(f"KILL QUERY {other.thread_id()}")
        thread.join(20)
        assert box == [1317], box
        with other.cursor() as cursor:
            cursor.execute("SELECT COUNT(*) FROM loaded")
            assert cursor.fetchone() == (0,)
    assert refused(lambda: other.query("LOAD DATA LOCAL INFILE '/nowhere' INTO TABLE loaded")) == 1017  # the client's own
    connection.query("SET GLOBAL local_infile = OFF")
    other.close()


def check_character_sets(connection):
    connection.query("CREATE TABLE cs (a VARCHAR(20), l VARCHAR(20) CHARACTER SET latin1, b VARBINARY(20))")
    connection.query("CREATE DATABASE `pyé`")
    old = connect(charset="latin1", database="pyé")
    with old.cursor() as cursor:
        cursor.execute("SELECT DATABASE(), @@character_set_client, @@character_set_results, @@collation_connection")
        assert cursor.fetchone() == ("pyé", "latin1", "latin1", "latin1_swedish_ci")
        cursor.execute("INSERT INTO py.cs VALUES (%s, %s, %s)", ("é€", "ü", b"\xe9\0"))
        cursor.execute("SELECT a AS `é`, l, b FROM py.cs WHERE a = 'é€'")
        assert cursor.fetchall() == (("é€", "ü", b"\xe9\0"),)
        assert [d[0] for d in cursor.description] == ["é", "l", "b"]
        assert [field.charsetnr for field in cursor._result.fields] == [8, 8, 63]
        try:
            cursor.execute("SELECT `ü€` FROM py.cs")
            raise AssertionError("no such column")
        except pymysql.err.OperationalError as error:
            assert error.args[0] == 1054  # PyMySQL reads the message as UTF-8 whatever the character set
        old.query(b"SET NAMES utf8mb4")
    old.close()
    with connection.cursor() as cursor:
        cursor.execute("SELECT a, HEX(a), l, HEX(l), HEX(b) FROM cs")
        assert cursor.fetchall() == (("é€", "C3A9E282AC", "ü", "FC", "E900"),)
        # What is malformed is warned of as a literal, and refused as text to store and as a name.
        cursor.execute(b"SELECT HEX('a\xe9b')")
        assert cursor.fetchall() == (("61E962",),)
        cursor.execute("SHOW WARNINGS")
        assert cursor.fetchall() == (("Warning", 1300, "Invalid utf8mb4 character string: 'E962'"),)
        assert refused(lambda: connection.query(b"INSERT INTO cs (a) VALUES ('a\xe9b')")) == 1366
        assert refused(lambda: connection.query(b"SELECT 1 AS `a\xe9b`")) == 1300
        assert refused(lambda: connection.query(b"CREATE TABLE n (i INT COMMENT '\xe9')")) == 1300
        cursor.execute("SELECT COUNT(*) FROM cs")
        assert cursor.fetchone() == (1,)
    mixed = connect(database="py", client_flag=CLIENT.MULTI_STATEMENTS, use_unicode=False)
    mixed.query(b"SET NAMES latin1; INSERT INTO cs (a) VALUES ('\xe9'); SET NAMES utf8mb4; INSERT INTO cs (a) VALUES ('\xc3\xa9')")
    while mixed.next_result():
        pass
    mixed.close()
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT HEX(a) FROM cs WHERE b IS NULL")
        assert cursor.fetchall() == (("C3A9",),)
    connection.query("DROP DATABASE `pyé`")


def main():
    connection = connect()
    connection.query("DROP DATABASE IF EXISTS py")
    connection.query("CREATE DATABASE py")
    connection.select_db("py")
    for check in (check_values, check_statements, check_errors, check_lock_tables, check_kill, check_idle, check_insert_id, check_commands, check_status,
                  check_load, check_character_sets):
        check(connection)


main()
