"""Scripts of several sessions: reading them, running them, writing down what a server answered.

A file is a list of sections. One statement a line, in the order in which they are sent; below it, indented, what came of it:

    setup CREATE TABLE t (id INT PRIMARY KEY, v INT)     before the first section: for every section of the file
    == lost update @ REPEATABLE READ                     a section: a fresh database, its sessions at this isolation level (none: the
    setup INSERT INTO t VALUES (1, 10)                   server's default); "@ EACH LEVEL" is for recording, which makes four of it
    T1 BEGIN                                             nothing below: Ok, and no rows changed
    T1 UPDATE t SET v = 11 WHERE id = 1
        1 affected                                       INSERT, UPDATE, DELETE, REPLACE
    T2 UPDATE t SET v = v + 1 WHERE id = 1
        waits                                            it waits for a lock
    T1 COMMIT
        T2: 1 affected                                   T2's statement ended because of this one
    T1 SELECT * FROM t
        1 | 12                                           a line for each row; "no rows"
    T1 INSERT INTO t VALUES (1, 0)
        error 1062 23000
    T1 ROLLBACK
        T2: 1 affected                                   what MySQL itself does now one way and now the other: each, with
        or                                               "or" between
        T2: error 1213 40001
    T2! UPDATE t SET v = 0                               waited for to its end, even while it waits for a lock: for lock wait timeouts

Nothing depends on how fast the server is: that a statement waits is what the server itself says, and it has to say so for a while.
"""
import dataclasses
import queue
import re
import threading
import time

import pymysql

LEVELS = ("READ UNCOMMITTED", "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE")
EACH_LEVEL = "EACH LEVEL"
WAITS = "waits"
OR = "or"
CHANGES = re.compile(r"\s*(insert|update|delete|replace)\b", re.IGNORECASE)
STATEMENT = re.compile(r"(T\d)(!?) (.+)")
# A state that is not the expected one has to last this long before it is believed; recording believes nothing sooner.
SETTLED_SECONDS = 1.5
RECORDED_SECONDS = 0.4
# A state that is the expected one is looked at a second time after this.
CONFIRM_SECONDS = 0.03
HOPELESS_SECONDS = 20.0

WAITING = """SELECT t.PROCESSLIST_ID FROM performance_schema.data_lock_waits w
             JOIN performance_schema.threads t ON t.THREAD_ID = w.REQUESTING_THREAD_ID
             UNION SELECT t.PROCESSLIST_ID FROM performance_schema.metadata_locks m
             JOIN performance_schema.threads t ON t.THREAD_ID = m.OWNER_THREAD_ID WHERE m.LOCK_STATUS = 'PENDING'"""


class Malformed(Exception):
    pass


@dataclasses.dataclass
class Step:
    session: str
    text: str
    to_its_end: bool
    expected: list  # lines
    comments: list = dataclasses.field(default_factory=list)  # lines before it

    def allows(self, lines) -> bool:
        alternatives = [[]]
        for line in self.expected:
            if line == OR:
                alternatives.append([])
            else:
                alternatives[-1].append(line)
        return lines in alternatives

    def __str__(self):
        return f"{self.session}{'!' if self.to_its_end else ''} {self.text}"


@dataclasses.dataclass
class Section:
    name: str
    level: str
    setup: list
    steps: list
    comments: list  # lines before it

    @property
    def title(self):
        return f"{self.name} @ {self.level}" if self.level else self.name


@dataclasses.dataclass
class Script:
    head: list  # comments and blank lines before the common setup
    setup: list
    sections: list


def read(text: str) -> Script:
    script, comments = Script([], [], []), []
    for number, line in enumerate(text.splitlines(), 1):
        section = script.sections[-1] if script.sections else None
        match = STATEMENT.fullmatch(line)
        if not line.strip() or line.startswith("#"):
            comments.append(line)
        elif line.startswith("== "):
            name, _, level = line[3:].partition(" @ ")
            if level not in ("", EACH_LEVEL, *LEVELS) or any(s.title == line[3:] for s in script.sections):
                raise Malformed(f"line {number}: unknown level or second section of that name")
            script.sections.append(Section(name, level, [], [], comments))
            comments = []
        elif line.startswith("setup "):
            if section is None:
                script.head += comments
                comments = []
            (section or script).setup.append(line[6:])
        elif line[0] == " " and section and section.steps:
            section.steps[-1].expected.append(line.strip())
        elif match and section:
            section.steps.append(Step(match[1], match[3], match[2] == "!", [], comments))
            comments = []
        else:
            raise Malformed(f"line {number}: {line}")
    return script


def write(script: Script) -> str:
    lines = [*script.head, *(f"setup {text}" for text in script.setup)]
    for section in script.sections:
        lines += section.comments or [""]
        lines += [f"== {section.title}", *(f"setup {text}" for text in section.setup)]
        for step in section.steps:
            lines += [*step.comments, str(step), *(f"    {line}" for line in step.expected)]
    return "\n".join(lines) + "\n"


def in_each_level(script: Script):
    """Makes four of every section that says so."""
    sections = []
    for section in script.sections:
        levels = LEVELS if section.level == EACH_LEVEL else (section.level,)
        for level in levels:
            steps = [dataclasses.replace(step) for step in section.steps]
            sections.append(dataclasses.replace(section, level=level, steps=steps,
                                                comments=section.comments if level == levels[0] else []))
    script.sections = sections


class Connection(pymysql.connections.Connection):
    """PyMySQL tells an error's number alone; this keeps its SQLSTATE too."""
    sqlstate = "?"

    def _read_packet(self, packet_type=pymysql.connections.MysqlPacket):
        keeper = self

        class Packet(packet_type):
            def raise_for_error(self):
                keeper.sqlstate = self._data[4:9].decode() if self._data[3:4] == b"#" else "?"
                super().raise_for_error()

        return super()._read_packet(Packet)


class Server:
    """Where scripts run. One session of its own looks at what the others wait for."""

    def __init__(self, **address):
        self.address = address
        self.own = self.connect()

    def connect(self, **options):
        return Connection(**self.address, autocommit=None, connect_timeout=30, **options)

    def query(self, text):
        with self.own.cursor() as cursor:
            cursor.execute(text)
            return cursor.fetchall()

    def waiting(self) -> set:
        return {row[0] for row in self.query(WAITING)}


class Session:
    """One connection and the thread that it sends statements from."""

    def __init__(self, server, database, level):
        self.connection = server.connect(database=database)
        self.id = self.connection.thread_id()
        if level:
            self.connection.query(f"SET SESSION TRANSACTION ISOLATION LEVEL {level}")
        self.answer = []
        self.finished = threading.Event()
        self.texts = queue.SimpleQueue()
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def send(self, text):
        self.finished.clear()
        self.texts.put(text)

    def work(self):
        while (text := self.texts.get()) is not None:
            self.answer = self.run(text)
            self.finished.set()
        self.connection.close()

    def run(self, text) -> list:
        try:
            with self.connection.cursor() as cursor:
                cursor.execute(text)
                if cursor.description:
                    return [" | ".join("NULL" if v is None else str(v) for v in row) for row in cursor.fetchall()] or ["no rows"]
                return [f"{cursor.rowcount} affected"] if CHANGES.match(text) else []
        except pymysql.err.MySQLError as error:
            return [f"error {error.args[0]} {self.connection.sqlstate}"]

    def close(self):
        self.texts.put(None)


class Run:
    """One section against one server."""

    def __init__(self, server, setup, section, recording=False):
        self.server, self.setup, self.section, self.recording = server, setup, section, recording
        self.database = "isolation"
        self.sessions, self.pending = {}, []

    def begin(self) -> list:
        """Empty, or how the setup failed."""
        self.server.query(f"DROP DATABASE IF EXISTS {self.database}")
        self.server.query(f"CREATE DATABASE {self.database}")
        with self.server.connect(database=self.database) as connection, connection.cursor() as cursor:
            for text in self.setup + self.section.setup:
                try:
                    cursor.execute(text)
                except pymysql.err.MySQLError as error:
                    return [f"setup {text}: ok; got error {error.args[0]} {connection.sqlstate}"]
            connection.commit()
        return []

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        for name in self.pending:  # still waits
            self.server.query(f"KILL {self.sessions[name].id}")
        for session in self.sessions.values():
            session.close()
        for session in self.sessions.values():
            session.thread.join(HOPELESS_SECONDS)

    def session(self, name) -> Session:
        if name not in self.sessions:
            self.sessions[name] = Session(self.server, self.database, self.section.level)
        return self.sessions[name]

    def state(self) -> tuple:
        """Which pending sessions have ended, and whether the server says of all others that they wait."""
        waiting = self.server.waiting()
        ended = tuple(name for name in self.pending if self.sessions[name].finished.is_set())
        return ended, all(self.sessions[name].id in waiting for name in self.pending if name not in ended)

    def step(self, step) -> list:
        """Sends the statement and waits until it is clear what comes of it. Gives the lines that describe it."""
        session = self.session(step.session)
        if step.session in self.pending:
            raise Malformed(f"{step}: its session still waits")
        self.pending = sorted([*self.pending, step.session])
        session.send(step.text)
        session.finished.wait(0.01)
        started = since = time.monotonic()
        before = None
        while True:
            state = self.state()
            ended, settled = state
            now = time.monotonic()
            if state != before:
                before, since = state, now
            if len(ended) == len(self.pending):
                break
            if settled and not (step.to_its_end and step.session not in ended):
                as_expected = not self.recording and step.allows(self.lines(step, ended, peek=True))
                enough = CONFIRM_SECONDS if as_expected else RECORDED_SECONDS if self.recording else SETTLED_SECONDS
                if now - since >= enough:
                    break
            if now - started > HOPELESS_SECONDS:
                return self.lines(step, ended) + ["does not end"]
            time.sleep(0.01)
        return self.lines(step, ended)

    def lines(self, step, ended, peek=False) -> list:
        own = self.sessions[step.session].answer if step.session in ended else [WAITS]
        others = [f"{name}: {line}" for name in ended if name != step.session for line in self.sessions[name].answer]
        if not peek:
            self.pending = [name for name in self.pending if name not in ended]
        return own + others
