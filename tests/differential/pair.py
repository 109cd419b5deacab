"""The two servers: a script is run on both, statement by statement, each in a database of this process's own."""
import pymysql

from comparison import Difference, difference
from wire import Session

LOST = (pymysql.MySQLError, OSError, EOFError)
NO_ANSWER_S = 30
SETTINGS = "SET timestamp = 1700000000, time_zone = '+00:00'"


class Pair:
    def __init__(self, ours, theirs, database, looked_at=""):
        """`ours`, `theirs`: (host, port). `looked_at`: a pattern of aspects; others are not compared."""
        self.addresses, self.database, self.looked_at, self.sessions, self.ran = (ours, theirs), database, looked_at, [], 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for address in self.addresses:
            try:
                session = Session(*address, timeout_s=NO_ANSWER_S)
                session.run(f"DROP DATABASE IF EXISTS {self.database}")
                session.close()
            except LOST:
                pass  # the server is gone, and the database with it or not
        self.hang_up()

    def hang_up(self):
        for session in self.sessions:
            session.close()
        self.sessions = []

    def begin(self):
        """Fresh sessions in an empty database."""
        self.hang_up()
        for address in self.addresses:
            session = Session(*address, timeout_s=NO_ANSWER_S)
            self.sessions.append(session)
            for text in (f"DROP DATABASE IF EXISTS {self.database}", f"CREATE DATABASE {self.database}", f"USE {self.database}", SETTINGS):
                session.must(text)

    def run(self, statement):
        """The difference in the answers to the statement, or None."""
        self.ran += 1
        text = statement.text
        theirs = self.sessions[1].run(text, statement.prepared)
        try:
            ours = self.sessions[0].run(text, statement.prepared)
        except LOST as lost:
            return Difference("connection", repr(lost), "an answer", ("connection",))
        return difference(statement, ours, theirs, self.looked_at)
