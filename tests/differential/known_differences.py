"""Differences that are known: accepted ones, each with its reason, and open ones, each with its cause.

An entry holds where all of its patterns are found: in what differs (`aspect`), in what each side says, and in the statement. As narrow as can
be: what an entry takes in is not looked at.
"""
import dataclasses
import re


@dataclasses.dataclass(frozen=True)
class Known:
    reason: str
    aspect: str
    ours: str = ""
    theirs: str = ""
    statement: str = ""

    def holds(self, statement, difference):
        looked_at = ((f"^(?:{self.aspect})$", difference.aspect), (self.ours, difference.ours), (self.theirs, difference.theirs), (self.statement, statement))
        return all(re.search(pattern, text, re.IGNORECASE | re.DOTALL) for pattern, text in looked_at)


def _only(warning):
    """A list of warnings that are all of this kind."""
    return rf"^\[(\({warning}[^)]*\)(, )?)+\]$"


NINE = "MySQL 9: "
CHOICE = r"\b(IF|CASE|UNION|INTERSECT|EXCEPT|GREATEST|LEAST|COALESCE|IFNULL)\b"

SORTED_JSON = _only("'Warning', '1235', .This version of MySQL doesn't yet support 'sorting of non-scalar JSON")
NO_NUMBER = _only("'Warning', '1292', .Truncated incorrect (DOUBLE|DECIMAL|INTEGER) value: ")
NO_TRUTH = _only("'Warning', '3986', ")

ACCEPTED = [
    Known(NINE + "warns of TINYINT(1)", "warnings", statement=r"TINYINT\(1\)", theirs=_only("'Warning', '1681', 'Integer display width ")),
    Known(NINE + "has no MD5, SHA, SHA1", "error", ours="^0 ", theirs=r"^1305 \(FUNCTION \S+\.(MD5|SHA1?) does not exist\)"),
    Known(NINE + "words the warning of text that is no date anew", "warnings", ours=_only("'Warning', '1292', .Incorrect datetime value: "),
          theirs=_only("'Warning', '1292', .Truncated incorrect date(time)? value: ")),
    Known(NINE + "words the error of text that is no date anew", "message", ours="^.Incorrect datetime value: ", theirs="^.Truncated incorrect date(time)? value: "),
    Known(NINE + "tells violated foreign keys before duplicates", "error", ours="^0 ", theirs="^1452 ", statement="ON DUPLICATE KEY"),
    Known(NINE + "tells violated foreign keys before duplicates", "error|warnings", ours="^1062 |'1062'", theirs="^1452 |'1452'"),
    Known(NINE + "does not count rows that foreign keys refuse under IGNORE among the records", "info", statement="IGNORE", ours=r"Duplicates: [1-9]"),
    Known(NINE + "words the warning of text that is no number in a FLOAT or DOUBLE anew", "warnings", ours=r"'1265', .Data truncated",
          theirs="'1366', .Incorrect (FLOAT|DOUBLE) value"),
    Known(NINE + "words the error of text that is no number in a FLOAT or DOUBLE anew", "error", ours="^1265 ", theirs=r"^1366 \(Incorrect (FLOAT|DOUBLE) value"),
    Known(NINE + "has errors of its own for dates that are out of range", "warnings", ours=r"^\[\]$|'1441'|'1292'", theirs="'6527'"),
    Known(NINE + "has errors of its own for dates that are out of range", "error", ours="^(1441|1292|0) ", theirs="^6527 "),
    Known(NINE + "makes NULL of a TIME that is out of range", "value", ours="^'-?838:59:59", theirs="^NULL"),
    Known(NINE + "rounds a quotient to the digits of its type before it computes with it", "value|number of rows|error|warnings", statement=" / "),
    Known(NINE + "makes a DATETIME of a TIME and DAY_MICROSECOND", "value|(prepared )?computed column (type|length|decimals)", statement=r"TIME.* DAY_MICROSECOND"),
    Known(NINE + "takes the clock into a date part of a TIME: DAY(TIME'02:00:00') is tomorrow's in the evening", "value|number of rows|warnings",
          statement=r"\b(DATE|DAY\w*|WEEK\w*|MONTH\w*|QUARTER|TO_DAYS|TO_SECONDS|LAST_DAY|YEARWEEK|DATEDIFF)\(.*TIME('|\(|\))"),
    Known("MySQL checks zero dates anew where its plan copies rows into a temporary table", "warnings", statement=r"\b(GROUP|ORDER|DISTINCT|UNION|INTERSECT|EXCEPT|OVER|WITH)\b",
          ours=r"^\[\]$", theirs=_only("'Warning', '1292', .Incorrect (date|datetime) value: '0000-00-00")),
    Known("MySQL warns of sorted JSON where its plan sorts: not a single row, and to make groups for some aggregates", "warnings", statement=r"GROUP BY|ORDER BY|OVER",
          ours=r"^\[\]$|" + SORTED_JSON, theirs=r"^\[\]$|" + SORTED_JSON),
    Known("MySQL looks at constants in conditions while it plans, or not at all", "warnings", statement=r"^(\(|SELECT|WITH).*\b(WHERE|HAVING|ON)\b",
          ours=r"^\[\]$|" + NO_NUMBER, theirs=r"^\[\]$|" + NO_NUMBER),
    Known("MySQL looks at constants in conditions while it plans, or not at all", "error", statement=r"^(UPDATE|DELETE)\b.*\bWHERE\b", ours="^0 ",
          theirs="^1292 .Truncated incorrect (DOUBLE|DECIMAL|INTEGER) value: "),
    Known("MySQL's NULL without a type is a byte string to BIT_AND, BIT_OR and BIT_XOR where it is a column or an argument of a function of text", "value",
          statement=r"\bBIT_(AND|OR|XOR)\(.*\bNULL\b", theirs=r"^'(\\x00|\\xff){0,7}'$"),
    Known("MySQL tells of JSON as a condition when it prepares a statement, not when it executes it", "warnings", ours=NO_TRUTH, theirs=r"^\[\]$"),
    Known("MySQL does not roll up a constant where WHERE is constantly false", "value", statement=r"WHERE \(*(NULL|FALSE|0)\b.*WITH ROLLUP", ours="^NULL"),
    Known(NINE + "warns of the time in a text that IN compares with a DATE", "warnings", statement=r"\bIN \(", ours=r"^\[\]$",
          theirs=_only("'Warning', '1292', .Truncated incorrect date value: ")),
    Known("MySQL leaves USING out of the text of CHAR() in views", "value", statement="SHOW CREATE", ours=r"char\([^)]* using "),
    Known("MySQL tells columns without default beside another error of INSERT ... SELECT", "warnings", statement="^(INSERT|REPLACE).*SELECT", ours=r"^\[\]$",
          theirs=_only("'Error', '1364'")),
    Known("MySQL tells NULL for a BLOB of an index that ALTER TABLE makes in place", "message", statement="^ALTER", ours="^.Duplicate entry",
          theirs="^.Duplicate entry '[^']*NULL"),
    Known("MySQL evaluates constants of WHERE before it looks at what UPDATE assigns", "error", statement="^UPDATE", ours="^(1054|1348|3105) ",
          theirs="^1292 "),
    Known("MySQL evaluates constants of WHERE before it looks at what UPDATE assigns", "warnings", statement="^UPDATE v0 .* WHERE ", ours=r"^\[\]$",
          theirs=_only("'Warning', '1292'")),
    Known("MySQL tells NULL that is computed for a JSON column as data that is cut", "error", statement="^(UPDATE|INSERT|REPLACE).*JSON", ours="^1048 ", theirs="^1265 "),
    Known("MySQL tells NULL that is computed for a JSON column as data that is cut", "warnings", statement="^(UPDATE|INSERT|REPLACE).*JSON", ours=r"^\[\]$|'1048'",
          theirs=_only("'Warning', '1265', .Data truncated")),
    Known("MySQL computes with decimals of up to 81 digits, Borealis of 65", "error", ours=r"^1690 \(DECIMAL value", theirs="^0 "),
    Known("the name of the column in warning 3156 is empty outside assignments (docs/sql.md)", "warnings",
          ours=r"'3156', '[^']* from column  at row", theirs="'3156'"),
    Known(NINE + "makes a YEAR without sign of YEAR()", "value", statement=r"\bYEAR\(", ours=r"(\\x00){6}'", theirs=r"^'(\\x\w\w|.){2}'"),
    Known(NINE + "makes a YEAR without sign of YEAR()", "error", ours="^0 ", theirs=r"^1690 .*year\("),
    Known(NINE + "words the warning of text that is no time in TIMEDIFF anew", "message|warnings", statement=r"\bTIMEDIFF\(", ours="incorrect time value",
          theirs="Incorrect datetime value"),
    Known(NINE + "adds the time of a text that is a date and a time", "value", statement=r"\b(ADDTIME|SUBTIME)\(", ours="^NULL"),
    Known(NINE + "has an error of its own for a constant that a character set cannot hold", "error", ours="^(1267|1270|1271) ", theirs="^3854 "),
    Known(NINE + "leaves a text as it is that has to be padded with nothing", "value", statement=r"\b[LR]PAD\(", ours="^''"),
    Known("MySQL's SHA2 of what REGEXP_SUBSTR finds is NULL", "value", statement=r"SHA2\(.*REGEXP_SUBSTR", theirs="^NULL"),
    Known("MySQL warns of a decimal of a column without name in row -1", "error|warnings", theirs="Incorrect DECIMAL value: '0' for column '' at row -1"),
]

OPEN = [
    # What is sent of columns.
    Known("lengths and nullability of computed columns are those of their type; MySQL has rules for each function",
          "(prepared )?computed column (flags 0x1|flags 0x21|length)"),
    # Values.
    Known("SHOW CREATE VIEW quotes the query with backticks under ANSI_QUOTES as well", "value", statement="SHOW CREATE VIEW", ours="DEFINER=\"", theirs='AS "'),
    Known("SHOW CREATE VIEW leaves the 0 out of ROUND(x, 0)", "value", statement="SHOW CREATE VIEW", ours=r"\bround\(", theirs=r"\bround\(.*,0\)"),
    Known("VALUES() is warned of though the statement's table is not there", "warnings", statement="ON DUPLICATE KEY", ours=_only("'Warning', '1287', .'VALUES function'"),
          theirs=r"^\[\]$"),
    Known("text with an exponent is a TIME; to be asked of an 8.0", "value", statement=r"'\d+e\d", theirs="^NULL"),
    # Errors and warnings.
    Known("a constant path is checked before it is known whether it is used", "error", ours="^3143 ", theirs="^0 "),
    Known("warnings of arguments beside one that is NULL", "warnings", statement=r"\bNULL\b", ours=r"^\[\]$|'1292'|'1365'", theirs=r"^\[\]$|'1292'|'1365'"),
    Known("a date that is out of range is told with 1264 where MySQL says 1265", "warnings", ours=_only("'Warning', '1264', .Out of range value"),
          theirs=_only("'Warning', '1265', .Data truncated")),
    Known("notes about TIME columns that are given dates", "warnings", ours=r"^\[\]$|'Note', '1265'", theirs=r"^\[\]$|'Note', '1265'"),
    Known("JSON scalars that are no numbers are told with 1366 where MySQL says 3156", "warnings", ours="'1366', .Incorrect (integer|decimal|double) value",
          theirs="'3156', 'Invalid JSON value for CAST"),
    Known("bytes in messages of BIN_TO_UUID and UUID_TO_BIN are shown as text where they are UTF-8", "message", statement="UUID"),
    Known("the year 0 of CAST is shown as 0000", "value", statement="AS YEAR", ours="^'0(000)?'", theirs="^'0(000)?'"),
    Known("a constant that divides by zero is evaluated though nobody needs it", "error", ours="^1365 ", theirs="^0 "),
    Known("the name of the column in 1264 of CAST is the function's", "warnings", ours="for column 'cast' at", theirs="'1264'"),
    Known("a decimal that IF, CASE or NULLIF chose has its type's digits where a function makes text of it, MySQL's its own", "value",
          statement=r"\w\(.*\b(IF|CASE|NULLIF)\b", ours=r"^'[^']*\d\.\d*0\b"),
    Known("decimals in JSON have the digits of their type, MySQL's those of the value that was computed", "value", statement="JSON", ours=r"\b\d+\.\d*0\b"),
    Known("all arguments are evaluated, also where one that is NULL decides", "error", ours="^(1690|3513) ", theirs="^0 "),
    Known("the first operands of an order of rows are evaluated once for < and once for =", "warnings", statement=r"\(\(.*, .*\) [<>]=? \("),
    Known("a constant in a condition that warns is not evaluated where there is no row", "warnings", statement=r"\b(WHERE|ON|HAVING)\b", ours=r"^\[\]$",
          theirs=_only("'Warning', '(1292|3986)'")),
    Known("a constant that warns is evaluated once, not for each row that is changed", "warnings", statement="^(UPDATE|INSERT|REPLACE)", ours="'1411'",
          theirs="'1411'"),
    Known("a DECIMAL of text warns where MySQL reads what is no literal in silence", "warnings", statement=r"\bFROM_UNIXTIME\(|AS DECIMAL|RETURNING DECIMAL",
          ours=_only("'Warning', '1292', .Truncated incorrect DECIMAL value: "), theirs=r"^\[\]$"),
    Known("COLLATION and CHARSET of a computed JSON value are those of a JSON column", "value", statement=r"\b(COLLATION|CHARSET)\(", ours="^'binary'",
          theirs="^'utf8mb4"),
    Known("bytes that an arm of UNION gives are not looked at when they become text", "error", statement="UNION", ours="^0 ", theirs="^3854 .*from binary"),
    Known("what is compared with a constant NULL is not evaluated", "error", statement=r"\bNULL\b", ours="^0 ", theirs="^(1267|3[1-9]..|1690|1525) "),
]


def reason(statement, difference) -> str:
    """Why this difference is not reported; empty when it is not known."""
    return next((entry.reason for entry in ACCEPTED + OPEN if entry.holds(statement, difference)), "")
