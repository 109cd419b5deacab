"""What the clients of a run did and saw, and how it is written to a file, so that a finding can be looked at again.

A transaction is what one session did between BEGIN and its end (or one autocommitted statement). Its operations are in program order:

  append  one value, unique in the run, to the list (or set) `key`. `failed`: the statement was refused and undone by itself;
  read    of the whole list `key`, with `lock` None, "share" or "update"; `values` is what came back;
  undo    ROLLBACK TO a savepoint: the appends from operation `to` on have not happened.

Times are of one monotonic clock for all clients. An operation took effect between `start` and `end`. The outcome is "ok" (the server
acknowledged the commit), "aborted" (it cannot have committed: rolled back, or no COMMIT was ever sent) or "maybe" (COMMIT was sent and no
answer came). `where` is "writer", or the name of the reader instance that a session was connected to.
"""
import dataclasses
import json

SERIALIZABLE, REPEATABLE_READ, READ_COMMITTED, READ_UNCOMMITTED = "SERIALIZABLE", "REPEATABLE READ", "READ COMMITTED", "READ UNCOMMITTED"
LEVELS = (SERIALIZABLE, REPEATABLE_READ, READ_COMMITTED, READ_UNCOMMITTED)

# How a list is stored, by key % 3 (workload.py has the tables). "row": the whole list is one row. "rows": a row for each value, the place
# in the list in a unique index. "set": a row for each value, which only say what is in, not in what order.
FORMS = ("row", "rows", "set")


def form_of(key):
    return FORMS[key % 3]


@dataclasses.dataclass
class Op:
    kind: str
    key: int = 0
    value: int = 0
    values: list = None
    lock: str = None
    failed: bool = False
    to: int = 0
    start: float = 0.0
    end: float = None


@dataclasses.dataclass
class Transaction:
    level: str
    ops: list
    outcome: str = "ok"
    where: str = "writer"
    session: str = ""
    begin: float = 0.0
    snapshot: bool = False  # START TRANSACTION WITH CONSISTENT SNAPSHOT
    autocommit: bool = False
    commit_start: float = None  # None: the end of it was never sent
    commit_end: float = None


@dataclasses.dataclass
class History:
    transactions: list
    final: dict  # key -> what is there after everything, in order
    level: str = ""  # of all transactions at the writer; empty: mixed
    about: str = ""

    def write(self, path):
        with open(path, "w") as out:
            out.write(json.dumps({"level": self.level, "about": self.about, "final": self.final}) + "\n")
            for transaction in self.transactions:
                fields = dict(transaction.__dict__)
                fields["ops"] = [{name: value for name, value in op.__dict__.items() if value not in (None, 0, False)} for op in transaction.ops]
                out.write(json.dumps(fields) + "\n")


def read(path) -> History:
    with open(path) as lines:
        head = json.loads(next(lines))
        transactions = []
        for line in lines:
            fields = json.loads(line)
            fields["ops"] = [Op(**op) for op in fields["ops"]]
            transactions.append(Transaction(**fields))
    return History(transactions, {int(key): values for key, values in head["final"].items()}, head["level"], head["about"])
