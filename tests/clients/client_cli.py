#!/usr/bin/python3
"""MariaDB's command line tools, which are Debian's mysql, mysqldump, mysqladmin and mysqlslap. usage: client_cli.py PORT"""
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SERVER = ["-h127.0.0.1", f"-P{sys.argv[1]}", "-uroot"]
DUMPS = [[], ["--single-transaction", "--routines", "--events", "--triggers"], ["--complete-insert", "--skip-extended-insert", "--hex-blob"],
         ["--skip-lock-tables", "--skip-add-locks", "--skip-disable-keys"], ["--add-drop-table", "--order-by-primary", "--quick"]]


def tool(*words, fails=False, text=None):
    done = subprocess.run([words[0], *SERVER, *words[1:]], input=text, capture_output=True, timeout=300)
    output, errors = done.stdout.decode(errors="surrogateescape"), done.stderr.decode(errors="replace")
    assert (done.returncode != 0) == fails, f"{' '.join(words)[:300]}: exit {done.returncode}\n{output[-2000:]}\n{errors}"
    return output + errors if fails else output


def mysql(*words, **more):
    return tool("mariadb", "--default-character-set=utf8mb4", *words, **more)


def check_client():
    mysql(text=(HERE / "schema.sql").read_bytes())
    assert mysql("-N", "shop", "-e", "SELECT name, notes FROM customers ORDER BY id") == "Ann\tline1\\nline2\\ttab\nZoë 😀\tNULL\n"
    table = mysql("-t", "shop", "-e", "SELECT id, customer, total FROM orders ORDER BY id").splitlines()
    assert table == ["+----+----------+-------+", "| id | customer | total |", "+----+----------+-------+", "|  1 |        1 |  5.00 |",
                     "|  2 |        1 |  6.25 |", "|  3 |        2 |  NULL |", "+----+----------+-------+"], table
    assert "level: gold\n    y: 2020\n" in mysql("-E", "shop", "-e", "SELECT level, y FROM customers LIMIT 1")
    assert '<field name="b" xsi:nil="true" />' in mysql("-X", "-e", "SELECT 1 AS a, NULL AS b")
    assert "<TH>a</TH>" in mysql("-H", "-e", "SELECT 1 AS a")
    status = mysql("shop", "-e", "\\s")
    for line in ("Current database:\tshop", "Server version:\t\t8.0.", "Connection:\t\t127.0.0.1 via TCP/IP", "Client characterset:\tutf8mb4", "Threads: "):
        assert line in status, status
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write("SELECT 41 + 1;\nDELIMITER $$\nSELECT 'a;b'$$\n")
        file.flush()
        assert mysql("-N", "-e", f"source {file.name}") == "42\na;b\n"
    assert "Rows matched: 1  Changed: 1  Warnings: 0" in mysql("-vvv", "shop", "-e", "UPDATE orders SET total = 7 WHERE id = 1")
    assert "Warning (Code 1365): Division by 0" in mysql("--show-warnings", "-e", "SELECT 1/0")
    assert "ERROR 1146 (42S02) at line 1: Table 'shop.nothing' doesn't exist" in mysql("shop", "-e", "SELECT * FROM nothing", fails=True)
    assert "ERROR 1045 (28000)" in tool("mariadb", "-pwrong", "-e", "SELECT 1", fails=True)
    # With completion the client asks for the columns of every table (COM_FIELD_LIST).
    assert mysql("--auto-rehash", "-N", "shop", "-e", "SELECT 1") == "1\n"
    assert mysql("-N", "--compress", "-e", "SELECT LENGTH(REPEAT('x', 100000))") == "100000\n"
    assert "Cipher in use is TLS" in status and "SSL:			Not in use" in mysql("--skip-ssl", "-e", "\s")


def check_column_types():
    info = mysql("-t", "--column-type-info", "shop", "-e", "SELECT * FROM customers LIMIT 1")
    fields = {}
    for block in info.split("Field ")[1:]:
        lines = dict(line.split(":", 1) for line in block.splitlines() if ":" in line)
        name = block.split("`")[1]
        fields[name] = {key.strip(): value.strip() for key, value in lines.items()}
    assert len(fields) == 20, sorted(fields)
    assert fields["id"]["Type"] == "LONG" and set(fields["id"]["Flags"].split()) == {"NOT_NULL", "PRI_KEY", "UNSIGNED", "AUTO_INCREMENT", "NUM"} | (
        {"PART_KEY"} & set(fields["id"]["Flags"].split())), fields["id"]
    expected = {"name": ("VAR_STRING", "320"), "level": ("STRING", "24"), "born": ("DATE", "10"), "seen": ("TIMESTAMP", "19"),
                "changed": ("DATETIME", "23"), "spent": ("NEWDECIMAL", "14"), "score": ("DOUBLE", "22"), "ratio": ("FLOAT", "12"),
                "flags": ("BIT", "5"), "code": ("STRING", "4"), "picture": ("BLOB", "65535"), "y": ("YEAR", "4"), "t": ("TIME", "10")}
    for name, (kind, length) in expected.items():
        assert (fields[name]["Type"].split()[0], fields[name]["Length"]) == (kind, length), (name, fields[name])
    assert "UNIQUE_KEY" in fields["email"]["Flags"] and "MULTIPLE_KEY" in fields["name"]["Flags"]


def contents(database):
    """Everything that a dump must bring back: definitions and rows."""
    found = {}
    for table in mysql("-N", "-r", database, "-e", "SHOW TABLES").splitlines():
        quoted = "`" + table.replace("`", "``") + "`"
        found[table] = (mysql("-N", "-r", database, "-e", f"SHOW CREATE TABLE {quoted}"),
                        sorted(mysql("-N", "--binary-as-hex", database, "-e", f"SELECT * FROM {quoted}").splitlines()))
    return found


def check_dumps():
    mysql("shop", "-e", "INSERT INTO heap_of_rows SELECT CONCAT('row ', a.id, b.id, c.id, d.id, REPEAT('x', 150)) FROM "
                        "orders a, orders b, orders c, orders d, orders e, orders f, orders g")
    # MariaDB's mysqldump writes values for generated columns, which no MySQL takes back (3105).
    mysql("shop", "-e", "ALTER TABLE customers DROP COLUMN full_name, DROP COLUMN initial")
    before = contents("shop")
    assert len(before) == 4 and len(before["heap_of_rows"][1]) == 3 ** 7
    for options in DUMPS:
        dump = tool("mariadb-dump", "--default-character-set=utf8mb4", *options, "shop")
        mysql("-e", "DROP DATABASE IF EXISTS copy; CREATE DATABASE copy")
        mysql("copy", text=dump.encode(errors="surrogateescape"))
        after = contents("copy")
        for table, content in before.items():
            assert after[table] == content, (options, table, content[0], after[table][0])
    whole = tool("mariadb-dump", "--databases", "--add-drop-database", "shop")
    mysql(text=whole.encode(errors="surrogateescape"))
    assert contents("shop") == before
    mysql("-e", "DROP DATABASE copy")


TRIGGERS = """
CREATE DATABASE watched; USE watched;
CREATE TABLE t (id INT PRIMARY KEY, total INT); CREATE TABLE log (n INT AUTO_INCREMENT PRIMARY KEY, what VARCHAR(100));
DELIMITER $$
CREATE TRIGGER t_check BEFORE INSERT ON t FOR EACH ROW
BEGIN
  -- a comment; with a semicolon
  DECLARE low CONDITION FOR SQLSTATE '45000';
  IF NEW.total < 0 THEN SIGNAL low SET MESSAGE_TEXT = 'it''s too low'; END IF;
  /*!50003 SET NEW.total = NEW.total + 1; */
END$$
CREATE TRIGGER t_first BEFORE INSERT ON t FOR EACH ROW PRECEDES t_check SET NEW.total = COALESCE(NEW.total, 10)$$
SET sql_mode = 'ANSI_QUOTES'$$
CREATE TRIGGER "t""log" AFTER INSERT ON "t" FOR EACH ROW INSERT INTO "log" (what) VALUES (CONCAT('né ', NEW.id, ' ', NEW.total))$$
"""


def check_triggers():
    mysql(text=TRIGGERS.encode())
    dumped = {}
    for options in ([], ["--single-transaction"], ["--skip-triggers"]):
        dump = tool("mariadb-dump", "--default-character-set=utf8mb4", "--skip-comments", *options, "watched")
        mysql("-e", "DROP DATABASE IF EXISTS copy; CREATE DATABASE copy")
        mysql("copy", text=dump.encode())
        dumped["--skip-triggers" not in options] = dump
        again = tool("mariadb-dump", "--default-character-set=utf8mb4", "--skip-comments", *options, "copy")
        assert again == dump, (options, dump, again)
    assert dumped[True].count("TRIGGER") == 3 and dumped[False].count("TRIGGER") == 0, dumped
    mysql("-e", "DROP DATABASE IF EXISTS copy; CREATE DATABASE copy")
    mysql("copy", text=dumped[True].encode())
    told = mysql("-f", "-N", "copy", text=b"INSERT INTO t VALUES (1, NULL); INSERT INTO t VALUES (2, 5); SELECT what FROM log;")
    assert told == "né 1 11\nné 2 6\n", told
    told = mysql("copy", "-e", "INSERT INTO t VALUES (3, -5)", fails=True)
    assert "ERROR 1644 (45000) at line 1: it's too low" in told, told
    whole = tool("mariadb-dump", "--databases", "--add-drop-database", "watched")
    mysql(text=whole.encode())
    assert tool("mariadb-dump", "--default-character-set=utf8mb4", "--skip-comments", "watched") == dumped[True]
    mysql("-e", "DROP DATABASE copy; DROP DATABASE watched")


def check_admin():
    assert tool("mariadb-admin", "ping") == "mysqld is alive\n"
    assert tool("mariadb-admin", "status").startswith("Uptime: ")
    assert "| Query   |" in tool("mariadb-admin", "processlist") and "8.0." in tool("mariadb-admin", "version")
    assert "Threads_connected" in tool("mariadb-admin", "extended-status") and "max_allowed_packet" in tool("mariadb-admin", "variables")
    tool("mariadb-admin", "create", "made_by_admin")
    tool("mariadb-admin", "-f", "drop", "made_by_admin")
    for words in (["flush-tables"], ["flush-status"], ["flush-logs"], ["refresh"]):
        tool("mariadb-admin", *words)
    assert "orders" in tool("mariadb-show", "shop") and "customer" in tool("mariadb-show", "shop", "orders")
    for verb in ("--check", "--analyze", "--optimize"):
        assert "shop.orders" in tool("mariadb-check", verb, "shop")


def check_slap():
    tool("mariadb-slap", "--auto-generate-sql", "--concurrency=8", "--iterations=1", "--number-of-queries=200", "--engine=innodb")
    tool("mariadb-slap", "--auto-generate-sql", "--auto-generate-sql-add-autoincrement", "--auto-generate-sql-load-type=mixed",
         "--concurrency=4", "--number-of-queries=100", "--commit=10")


def check_loads():
    mysql("-e", "SET GLOBAL local_infile = ON; CREATE DATABASE loads; CREATE TABLE loads.t (a INT PRIMARY KEY, b VARCHAR(20) NOT NULL)")
    with tempfile.TemporaryDirectory() as directory:
        good, bad, t = (pathlib.Path(directory) / name for name in ("good", "bad", "t.csv"))
        good.write_text("1\tone\n2\ttwo\textra\n1\tagain\n3\n")
        bad.write_bytes(b"".join(b"%d\trow\n" % i for i in range(10, 200000)) + b"7\t\xff\n" + b"8\trow\n" * 200000)
        t.write_text('a,b\r\n3,"x, ""y"""\r\n4,\\N\r\n')
        told = mysql("--local-infile=1", "-vv", "loads", "-e", f"LOAD DATA LOCAL INFILE '{good}' INTO TABLE t")
        assert "Query OK, 3 rows affected, 3 warnings" in told and "Records: 4  Deleted: 0  Skipped: 1  Warnings: 3" in told, told
        # What fails early reads the whole file, and the next statement is answered as ever.
        told = mysql("--local-infile=1", "-f", "-N", "loads", text=f"LOAD DATA LOCAL INFILE '{bad}' INTO TABLE t; SELECT COUNT(*) FROM t;".encode())
        assert told == "3\n", told
        told = mysql("--local-infile=1", "-f", "-N", "loads", text="LOAD DATA LOCAL INFILE '/nowhere' INTO TABLE t; SELECT COUNT(*) FROM t;".encode())
        assert told == "3\n", told
        told = tool("mariadb-import", "--local", "--replace", "--fields-terminated-by=,", '--fields-optionally-enclosed-by="',
                    "--lines-terminated-by=\r\n", "--ignore-lines=1", "--columns=a,b", "loads", str(t), fails=True)
        assert "NULL supplied to NOT NULL column 'b' at row 2" in told, told
        told = tool("mariadb-import", "--local", "--ignore", "--fields-terminated-by=,", '--fields-optionally-enclosed-by="',
                    "--lines-terminated-by=\r\n", "--ignore-lines=1", "--columns=a,b", "loads", str(t))
        assert told == "loads.t: Records: 2  Deleted: 0  Skipped: 1  Warnings: 2\n", told
    assert mysql("-N", "loads", "-e", "SELECT * FROM t ORDER BY a") == "1\tone\n2\ttwo\n3\t\n4\t\n"
    mysql("-e", "SET GLOBAL local_infile = OFF; DROP DATABASE loads")


for check in (check_client, check_column_types, check_dumps, check_triggers, check_loads, check_admin, check_slap):
    check()
