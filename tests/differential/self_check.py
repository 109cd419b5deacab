"""Sees that the comparison finds what it is there to find: two sessions of one MySQL server are given different statements."""
from comparison import difference
from script import statement
from wire import Session

DATABASE = "differential_self_check"
SIGNAL = "SIGNAL SQLSTATE '{}' SET MYSQL_ERRNO = 5000, MESSAGE_TEXT = 'x'"
CASES = [  # the aspect that has to be found, or none; what each side is sent; how the answers are compared
    ("error", "SELECT 1", "SELECT missing", {}),
    ("error", "SELECT 1 FROM missing", "SELECT missing", {}),
    ("SQLSTATE", SIGNAL.format("45000"), SIGNAL.format("45001"), {}),
    ("message", "SELECT a", "SELECT b", {}),
    ("has rows", "DO 1", "SELECT 1", {}),
    ("value", "SELECT 1 AS a", "SELECT 2 AS a", {}),
    ("value", "SELECT 1 AS a", "SELECT 2 AS a", {"prepared": True}),
    ("value", "SELECT 'a' AS a", "SELECT 'A' AS a", {}),
    ("value", "SELECT NULL AS a", "SELECT '' AS a", {}),
    ("value", "SELECT 0.1e0 AS a", "SELECT 0.100000001e0 AS a", {}),
    ("number of rows", "SELECT 1 AS a", "SELECT 1 AS a UNION ALL SELECT 1", {}),
    ("", "SELECT 1 AS a UNION ALL SELECT 2", "SELECT 2 AS a UNION ALL SELECT 1", {}),
    ("value", "SELECT 1 AS a UNION ALL SELECT 2", "SELECT 2 AS a UNION ALL SELECT 1", {"ordered": True}),
    ("warnings", "SELECT 1/0 AS a", "SELECT NULL/1 AS a", {}),
    ("computed column type", "SELECT 1 AS a", "SELECT CAST(1 AS DECIMAL(1,0)) AS a", {}),
    ("computed column name", "SELECT 1 AS a", "SELECT 1 AS b", {}),
    ("columns", "SELECT 1 AS a", "SELECT 1 AS a, 2", {}),
    ("column decimals", "SELECT t.d FROM t WHERE 0", "SELECT t.e AS d FROM t WHERE 0", {}),
    ("column flags 0x1", "SELECT t.n FROM t WHERE 0", "SELECT t.m AS n FROM t WHERE 0", {}),
    ("column length", "SELECT t.s FROM t WHERE 0", "SELECT t.l AS s FROM t WHERE 0", {}),
    ("column collation", "SELECT t.b FROM t WHERE 0", "SELECT t.s AS b FROM t WHERE 0", {}),
    ("affected", "INSERT INTO t (n) VALUES (1)", "DO 1", {"kind": "change"}),
    ("insert_id", "INSERT INTO t (n) VALUES (1)", "INSERT INTO t (id, n) VALUES (77, 1)", {"kind": "change"}),
    ("info", "UPDATE t SET n = 1 WHERE id = 1", "UPDATE t SET n = 1 WHERE id = 999", {"kind": "change"}),
    ("status", "BEGIN", "DO 1", {"kind": "change"}),
]
TABLE = ("CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, d DECIMAL(9,2), e DECIMAL(9,1), n INT NOT NULL DEFAULT 0, m INT, s VARCHAR(9), l VARCHAR(8), "
         "b VARBINARY(36))")


def begin(session, name):
    for text in (f"DROP DATABASE IF EXISTS {name}", f"CREATE DATABASE {name}", f"USE {name}", TABLE, "INSERT INTO t (n) VALUES (1), (2)"):
        session.must(text)


def main(address) -> int:
    failed = 0
    sessions = [Session(*address), Session(*address)]
    names = [f"{DATABASE}_{at}" for at in range(len(sessions))]
    try:
        for session, name in zip(sessions, names):
            begin(session, name)
        for expected, one, other, how in CASES:
            how = {"kind": "query", **how}
            ours, theirs = (session.run(text, how.get("prepared")) for session, text in zip(sessions, (one, other)))
            found = difference(statement(text=one, **how), ours, theirs, known=False)
            if (found.aspect if found else "") != expected:
                failed += 1
                print(f"expected {expected or 'no difference'}, found {found}: {one} | {other}")
            for session in sessions:
                session.must("ROLLBACK")
    finally:
        for session, name in zip(sessions, names):
            session.run(f"DROP DATABASE IF EXISTS {name}")
            session.close()
    print(f"{len(CASES)} differences made on purpose, {failed} not found as such")
    return 1 if failed else 0
