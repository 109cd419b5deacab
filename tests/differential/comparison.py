"""Says in what two answers to one statement differ."""
import dataclasses
import re

import known_differences
from wire import Answer

COLUMN_FIELDS = ("name", "table", "type", "flags", "length", "decimals", "collation")  # as wire.Answer has them
FLOAT_TYPES = {4, 5}
WARNINGS_TOLD = re.compile(r"  Warnings: \d+$")  # of info; the warnings themselves are compared
ROW_OF_UPDATE = re.compile(r" at row \d+")  # counts the rows that the plan has read, whether they match or not
HOLDS_QUERY = re.compile(r"UPDATE|DELETE|(INSERT|REPLACE)\b[^']*\) SELECT ")
MOST_SHOWN = 2000  # bytes of a value
CLOSE = 1e-13  # relative: the last digits of a sum of floats depend on its order


@dataclasses.dataclass(frozen=True)
class Difference:
    aspect: str
    ours: str
    theirs: str
    signature: tuple  # what stays the same while the statement is made smaller

    def __str__(self):
        return f"{self.aspect}: Borealis {self.ours}, MySQL {self.theirs}"


def _difference(aspect, ours, theirs, *signature):
    return Difference(aspect, str(ours), str(theirs), (aspect, *signature))


def difference(statement, ours: Answer, theirs: Answer, looked_at="", known=True):
    """The first difference whose aspect the pattern `looked_at` matches and that is not a known one, where those do not count; or None."""
    if statement.text.startswith("UPDATE"):
        ours, theirs = _without_rows(ours), _without_rows(theirs)
    for found in _all(statement, ours, theirs):
        if re.match(looked_at, found.aspect) and not (known and known_differences.reason(statement.text, found)):
            return found
    return None


def _without_rows(answer):
    warnings = [(level, code, ROW_OF_UPDATE.sub("", text)) for level, code, text in answer.warnings or []]
    error = answer.error and (*answer.error[:2], ROW_OF_UPDATE.sub("", answer.error[2]), *answer.error[3:])
    return dataclasses.replace(answer, warnings=warnings, error=error)


def _all(statement, ours, theirs):
    """What weighs more comes first."""
    if ours.error or theirs.error:
        yield from _errors(ours.error, theirs.error)
        if ours.error and theirs.error:
            yield from _warnings(statement, ours, theirs)
        return
    if (ours.columns is None) != (theirs.columns is None):
        yield _difference("has rows", ours.columns is not None, theirs.columns is not None)
        return
    if ours.columns is None:
        for aspect in ("affected", "insert_id", "info"):
            mine, other = (WARNINGS_TOLD.sub("", str(getattr(answer, aspect))) for answer in (ours, theirs))
            if mine != other:
                yield _difference(aspect, mine, other)
    else:
        yield from _rows(statement, ours, theirs)
    if ours.status != theirs.status:
        yield _difference("status", ours.status, theirs.status)
    yield from _warnings(statement, ours, theirs)
    if ours.columns is not None:
        yield from _columns("", ours.columns, theirs.columns)
        if ours.prepared_columns != theirs.prepared_columns:
            yield from _columns("prepared ", ours.prepared_columns, theirs.prepared_columns)


def _errors(ours, theirs):
    mine, other = (ours or (0, "", "none"))[:3], (theirs or (0, "", "none"))[:3]
    if mine[0] != other[0]:
        yield _difference("error", f"{mine[0]} ({mine[2]})", f"{other[0]} ({other[2]})", mine[0], other[0])
    elif mine[1] != other[1]:
        yield _difference("SQLSTATE", mine[1], other[1], mine[0])
    elif mine[2] != other[2]:
        yield _difference("message", repr(mine[2]), repr(other[2]), mine[0])


def _columns(prefix, ours, theirs):
    if len(ours) != len(theirs):
        yield _difference(prefix + "columns", len(ours), len(theirs))
        return
    for field in ("type", "collation", "decimals", "name", "table", "length", "flags"):
        at = COLUMN_FIELDS.index(field)
        for mine, other in zip(ours, theirs):
            a, b = mine[at], other[at]
            if a != b:
                computed = "" if other[COLUMN_FIELDS.index("table")] else "computed "
                what = (a, b) if field in ("type", "collation") else ""
                aspect = f"column flags {a ^ b:#x}" if field == "flags" else f"column {field}"
                yield _difference(f"{prefix}{computed}{aspect}", f"{a!r} (type {mine[2]})", f"{b!r} (type {other[2]})", mine[2], other[2], what)


def _rows(statement, ours, theirs):
    if len(ours.rows) != len(theirs.rows):
        yield _difference("number of rows", len(ours.rows), len(theirs.rows))
        return
    if len(ours.columns) != len(theirs.columns):
        return  # which _columns tells
    both_float = {at for at, (x, y) in enumerate(zip(ours.columns, theirs.columns)) if x[2] in FLOAT_TYPES and y[2] in FLOAT_TYPES}
    floats = both_float if not statement.prepared else set()
    mine, other = ours.rows, theirs.rows
    if not statement.ordered:
        mine, other = (sorted(rows, key=lambda row: _sort_key(row, floats)) for rows in (mine, other))
    for a, b in zip(mine, other):
        for at, (x, y) in enumerate(zip(a, b)):
            if x != y and not (at in floats and _close(x, y)):
                kind = theirs.columns[at][2]
                yield _difference("value", f"{_shown(x)} in column {at + 1}", f"{_shown(y)}", kind, x is None, y is None)
                return


def _sort_key(row, floats):
    return [b"" if value is None else b"\1" + (b"%.9e" % float(value) if at in floats else value) for at, value in enumerate(row)]


def _close(x, y):
    if x is None or y is None:
        return False
    a, b = float(x), float(y)
    return a != b and abs(a - b) <= CLOSE * max(abs(a), abs(b))


def _shown(value):
    if value is None:
        return "NULL"
    return repr(value)[1:] if len(value) <= MOST_SHOWN else f"{repr(value[:MOST_SHOWN])[1:]}… of {len(value)} bytes"


def _warnings(statement, ours, theirs):
    """Of queries, and changes that hold one, as sets: how often a value is looked at, and in which order, is the plan's business. What differs by its number alone is one
    difference; otherwise each number is, so that a known difference does not hide behind another."""
    mine, other = ours.warnings, theirs.warnings
    if statement.only_reads or HOLDS_QUERY.match(statement.text):
        mine, other = sorted(set(mine)), sorted(set(other))
    more, fewer = [w for w in mine if w not in other], [w for w in other if w not in mine]
    if not more and not fewer:
        if mine != other:
            yield _difference("warnings", mine, other, "order or number")
        return
    codes = sorted({warning[1] for warning in more + fewer})
    parts = [codes] if len(codes) == 2 and len({w[1] for w in more}) == len({w[1] for w in fewer}) == 1 else [[code] for code in codes]
    for part in parts:
        a, b = ([w for w in listed if w[1] in part] for listed in (more, fewer))
        yield _difference("warnings", a, b, tuple(part), bool(a), bool(b))
