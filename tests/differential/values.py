"""Types of columns by family, and literals of each family with its edges.

Families are what expressions are made by: i integers, d decimals, f floating point, s text, b bytes, t dates and times, j JSON.
"""
import dataclasses

FAMILIES = {"i": 6, "d": 3, "f": 2, "s": 6, "b": 2, "t": 5, "j": 2}

COLLATIONS = ["utf8mb4_0900_ai_ci", "utf8mb4_bin", "utf8mb4_general_ci", "utf8mb4_0900_as_cs", "utf8mb4_unicode_ci", "latin1_swedish_ci", "utf8mb3_general_ci",
              "ascii_general_ci", "latin1_bin"]

INTEGERS = ["0", "1", "-1", "2", "3", "7", "10", "100", "127", "128", "-128", "255", "256", "32767", "-32769", "65536", "8388607", "16777216", "2147483647",
            "-2147483648", "4294967295", "4294967296", "9223372036854775807", "-9223372036854775808", "9223372036854775808", "18446744073709551615",
            "20240229", "1999", "TRUE", "FALSE", "0x1F", "b'101'"]
DECIMALS = ["0.0", "1.5", "-1.5", "0.5", "2.50", "-0.05", "99.99", "12345.6789", "-99999.99", "0.000000001", "123456789012345678901234567890.123456789",
            "99999999999999999999999999999999999999999999999999999999999999999", "0.333333333333333333333333333333", "1.0", "10.00"]
FLOATS = ["0e0", "1e0", "-1.5e0", "1e10", "1e-10", "3.14159e0", "1e308", "-1e308", "1e20", "123456.789e0", "0.1e0", "2.5e0", "1e15", "1e16", "4e-324"]
TEXTS = ["''", "'a'", "'A'", "'b'", "'abc'", "'ABC '", "' x'", "'0'", "'1'", "'-1.5'", "'12abc'", "'1e3'", "'99999999999999999999'", "'é'", "'ÉCOLE'", "'ß'",
         "'日本語'", "'😀'", "'a\\'b'", "'a%b_c'", "'2024-02-29'", "'2024-02-29 12:34:56.789'", "'12:34:56'", "'-838:59:59'", "'0000-00-00'", "'2024-13-01'",
         "'x,y,z'", "'[1, 2]'", "'{\"a\": 1}'", "'null'", "'true'", "'foo bar baz'", "'\\n'", "'a b'", "'10'", "'9'", "'  12  '", "'0x1F'", "'.5'",
         "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'"]
BYTES = ["x''", "x'00'", "x'FF'", "x'C3A9'", "x'616263'", "x'4142'", "x'F09F9880'", "x'E9'", "x'31'", "_binary'abc'", "_binary'12'", "x'00000000000000000000000000000001'"]
TEMPORALS = ["DATE'2024-02-29'", "DATE'1000-01-01'", "DATE'9999-12-31'", "DATE'2023-11-14'", "TIME'00:00:00'", "TIME'-838:59:59'", "TIME'838:59:59'",
             "TIME'12:34:56.789'", "TIME'-00:00:01'", "TIMESTAMP'2024-02-29 23:59:59'", "TIMESTAMP'1970-01-01 00:00:01'", "TIMESTAMP'2038-01-19 03:14:07.999999'",
             "TIMESTAMP'2024-12-31 12:00:00.5'", "TIMESTAMP'0001-01-01 00:00:00'", "TIME'25:00:00'", "DATE'2024-12-30'", "TIMESTAMP'2000-01-01 00:00:00'"]
CLOCKS = [literal for literal in TEMPORALS if literal.startswith("TIME'")] + ["'01:00:00'", "'-00:30:00.5'"]
DOCUMENTS = ["JSON_ARRAY()", "JSON_OBJECT()", "JSON_ARRAY(1, 'a', NULL)", "JSON_OBJECT('a', 1, 'b', JSON_ARRAY(1, 2))", "CAST('1' AS JSON)", "CAST('null' AS JSON)",
             "CAST('\"abc\"' AS JSON)", "CAST('[1, [2, 3], {\"k\": \"v\"}]' AS JSON)", "CAST('1.5' AS JSON)", "CAST('true' AS JSON)", "CAST('{\"a\": {\"b\": [1, 2.5, null]}}' AS JSON)"]
# What stands only where the dice are wide: numbers that few types hold, spellings that few people use, dates at the end of time.
RARE = {"9223372036854775808", "18446744073709551615", "0x1F", "b'101'", "1e308", "-1e308", "1e20", "4e-324", "1e-10",
        "99999999999999999999999999999999999999999999999999999999999999999", "123456789012345678901234567890.123456789",
        "'1e3'", "'99999999999999999999'", "'0x1F'", "'.5'", "'  12  '", "'-838:59:59'", "'0000-00-00'", "'2024-13-01'", "'\\n'", "'😀'",
        "TIME'-838:59:59'", "TIME'838:59:59'", "TIMESTAMP'0001-01-01 00:00:00'", "TIMESTAMP'2038-01-19 03:14:07.999999'", "DATE'9999-12-31'", "DATE'1000-01-01'",
        "'$.'", "'('", "'%q'", "x'FF'", "x'E9'", "x'F09F9880'"}
# Texts that functions take for something.
SPELLINGS = {"digits": ["'0'", "'1'", "'10'", "'-1.5'", "'42'", "'3.25'"], "hex": ["'616263'", "'00FF'", "'4A'", "''"],
             "uuid": ["'6ccd780c-baba-1026-9564-5b8c656024db'", "'6CCD780CBABA102695645B8C656024DB'"],
             "uuid_bytes": ["x'6CCD780CBABA102695645B8C656024DB'", "x'00000000000000000000000000000001'"],
             "date_text": ["'2024-02-29'", "'2023-11-14'", "'2024-02-29 12:34:56'", "'1999-12-31'"], "time_text": ["'12:34:56'", "'00:00:00'", "'-01:30:00'", "'12:34:56.789'"],
             "period": ["202402", "199912", "2401", "200001"], "small": ["0", "1", "5", "12", "23", "59"], "ipv4": ["'10.0.0.1'", "'255.255.255.255'"],
             "number_ip": ["0", "167772161", "4294967295"], "base64": ["'YWJj'", "'AA=='", "''"], "key": ["'a'", "'k'", "'é'"]}
LITERALS = {"i": INTEGERS, "d": DECIMALS, "f": FLOATS, "s": TEXTS, "b": BYTES, "t": TEMPORALS, "j": DOCUMENTS}
JSON_TEXTS = ["'[]'", "'{}'", "'1'", "'\"x\"'", "'null'", "'[1, 2, 3]'", "'{\"a\": 1, \"b\": [true, null]}'", "'-1.5e3'", "'{\"k\": \"v\"}'", "'true'", "'18446744073709551615'"]
PATTERNS = ["'a%'", "'%b%'", "'_'", "'%'", "''", "'A_C%'", "'%\\\\%%'", "'1%'", "'é'", "'x,_,%'"]
REGEXES = ["'a'", "'^a'", "'[0-9]+'", "'b$'", "'(a|b)c?'", "'\\\\d'", "'.'", "'[[:alpha:]]+'", "'A'", "'x*'", "'o{2}'", "'('"]
PLACES = ["'$'", "'$.a'", "'$[0]'", "'$.b[1]'", "'$[last]'", "'$.k'"]  # paths that name one place
PATHS = ["'$'", "'$.a'", "'$[0]'", "'$.b[1]'", "'$**.b'", "'$.*'", "'$[*]'", "'$[last]'", "'$.a.b[0 to 1]'", "'$.k'", "'$.'"]
FORMATS = ["'%Y-%m-%d'", "'%H:%i:%s.%f'", "'%W %M %e %Y'", "'%a %b %D'", "'%y%c%d'", "'%r %T %p %l'", "'%j %U %u %V %v %X %x'", "'%x%v%w%%'", "'%Y'", "'%d,%m,%Y %H'", "'%q'"]
UNITS = ["MICROSECOND", "SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR"]
COMPOUND_UNITS = ["SECOND_MICROSECOND", "MINUTE_SECOND", "HOUR_MINUTE", "DAY_HOUR", "DAY_SECOND", "YEAR_MONTH", "DAY_MICROSECOND", "HOUR_MICROSECOND"]


@dataclasses.dataclass
class ColumnType:
    family: str
    sql: str
    kind: str  # the type's name alone
    literals: list = None  # what fits it better than its family's

    @property
    def is_long(self):
        return any(word in self.kind for word in ("TEXT", "BLOB", "JSON"))


def column_type(dice, family=None) -> ColumnType:
    family = family or dice.weighted(FAMILIES)
    return MAKERS[family](dice)


def _integer(dice):
    kind = dice.weighted({"TINYINT": 3, "SMALLINT": 2, "MEDIUMINT": 1, "INT": 5, "BIGINT": 4, "YEAR": 1, "BIT": 1})
    if kind == "YEAR":
        return ColumnType("i", kind, kind, ["1901", "2155", "0", "1999", "70", "'69'", "2024", "1900", "'0'"])
    if kind == "BIT":
        size = dice.one_of(1, 8, 13, 63, 64)
        return ColumnType("i", f"BIT({size})", kind, ["0", "1", "b'1'", "b'101'", "255", "x'FF'", "4096"])
    suffix = dice.weighted({"": 6, " UNSIGNED": 3, "(1)": 1 if kind == "TINYINT" else 0})
    return ColumnType("i", kind + suffix, kind)


def _decimal(dice):
    precision = dice.one_of(1, 5, 10, 18, 30, 65)
    scale = dice.randint(0, min(precision, 30, dice.one_of(0, 2, 5, 30)))
    return ColumnType("d", f"DECIMAL({precision},{scale})" + dice.weighted({"": 5, " UNSIGNED": 1}), "DECIMAL")


def _floating(dice):
    kind = dice.one_of("FLOAT", "DOUBLE")
    return ColumnType("f", kind, kind)


def _text(dice):
    kind = dice.weighted({"CHAR": 3, "VARCHAR": 8, "TINYTEXT": 1, "TEXT": 2, "MEDIUMTEXT": 1, "LONGTEXT": 1, "ENUM": 2, "SET": 2})
    collate = f" COLLATE {dice.choice(COLLATIONS)}" if dice.chance(30) else ""
    collate = f" CHARACTER SET {collate.split()[1].split('_')[0]}{collate}" if collate else ""
    if kind == "ENUM":
        return ColumnType("s", f"ENUM('a','b','abc','1','X y'){collate}", kind, ["'a'", "'B'", "'abc'", "1", "'1'", "5", "''", "'z'", "'X y'", "0"])
    if kind == "SET":
        return ColumnType("s", f"SET('a','b','abc','1'){collate}", kind, ["'a'", "'a,b'", "''", "'b,a'", "3", "'abc,1'", "15", "'z'", "'A'"])
    size = {"CHAR": dice.one_of("(1)", "(10)", "(40)", ""), "VARCHAR": dice.one_of("(3)", "(10)", "(40)", "(255)", "(300)")}.get(kind, "")
    return ColumnType("s", kind + size + collate, kind)


def _bytes(dice):
    kind = dice.weighted({"BINARY": 2, "VARBINARY": 3, "TINYBLOB": 1, "BLOB": 2})
    return ColumnType("b", kind + {"BINARY": "(4)", "VARBINARY": "(20)"}.get(kind, ""), kind)


def _temporal(dice):
    kind = dice.weighted({"DATE": 3, "TIME": 3, "DATETIME": 4, "TIMESTAMP": 2})
    return ColumnType("t", kind + ("" if kind == "DATE" else dice.weighted({"": 3, "(3)": 1, "(6)": 1})), kind, TEMPORALS + ["'2024-02-29'", "'12:34:56'", "'0000-00-00'", "20240229", "'2024-1-2 3:4:5'"])


def _json(dice):
    return ColumnType("j", "JSON", "JSON", JSON_TEXTS)


MAKERS = {"i": _integer, "d": _decimal, "f": _floating, "s": _text, "b": _bytes, "t": _temporal, "j": _json}
