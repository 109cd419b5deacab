"""What expressions are made of: templates by the family of their result.

In braces stand operands: i d f s b t j an expression of that family, n a number of any kind, a anything, c a condition; and others that
are no expressions: k a small integer, unit, compound, format, path, place a path to one place, pattern, regex, charset, jcol a JSON
column, clock a TIME, and the texts of values.SPELLINGS. Numbers are no operands of what takes dates: 8.0 and 9 differ in which of them are dates.
"""

TEMPLATES = {
    "i": """
({i} + {i}) ; ({i} - {i}) ; ({i} * {i}) ; ({n} DIV {n}) ; ({i} % {i}) ; -{i} ; ({i} & {i}) ; ({i} | {i}) ; ({i} ^ {i}) ; ({i} << {k}) ; ({i} >> {k}) ; ~{i}
ABS({i}) ; SIGN({n}) ; CEIL({n}) ; FLOOR({n}) ; ROUND({i}) ; ROUND({i}, {k}) ; ROUND({i}, -{k}) ; TRUNCATE({i}, -{k}) ; MOD({i}, {i}) ; CRC32({s}) ; BIT_COUNT({i}) ; BIT_COUNT({b})
LENGTH({s}) ; CHAR_LENGTH({s}) ; BIT_LENGTH({s}) ; ASCII({s}) ; ORD({s}) ; LOCATE({s}, {s}) ; LOCATE({s}, {s}, {k}) ; INSTR({s}, {s}) ; POSITION({s} IN {s}) ; FIELD({a}, {a}, {a})
FIELD({s}, {s}, {s}) ; FIND_IN_SET({s}, {s}) ; STRCMP({s}, {s}) ; INET_ATON({ipv4}) ; COERCIBILITY({s}) ; REGEXP_INSTR({s}, {regex}) ; IS_UUID({s}) ; IS_UUID({uuid}) ; ISNULL({a}) ; INTERVAL({i}, {i}, {i})
YEAR({t}) ; MONTH({t}) ; DAY({t}) ; DAYOFMONTH({t}) ; DAYOFWEEK({t}) ; WEEKDAY({t}) ; DAYOFYEAR({t}) ; WEEK({t}) ; WEEK({t}, {k}) ; WEEKOFYEAR({t}) ; YEARWEEK({t}) ; YEARWEEK({t}, {k}) ; QUARTER({t})
HOUR({t}) ; MINUTE({t}) ; SECOND({t}) ; MICROSECOND({t}) ; EXTRACT({unit} FROM {t}) ; EXTRACT({compound} FROM {t}) ; DATEDIFF({t}, {t}) ; TIMESTAMPDIFF({unit}, {t}, {t})
TO_DAYS({t}) ; TO_SECONDS({t}) ; TIME_TO_SEC({t}) ; PERIOD_ADD({period}, {k}) ; PERIOD_DIFF({period}, {period}) ; UNIX_TIMESTAMP({t}) ; CAST({a} AS SIGNED) ; CAST({a} AS UNSIGNED) ; CAST({i} AS YEAR)
JSON_LENGTH({j}) ; JSON_LENGTH({j}, {path}) ; JSON_DEPTH({j}) ; JSON_VALID({a}) ; JSON_CONTAINS({j}, {j}) ; JSON_CONTAINS_PATH({j}, 'one', {path}) ; JSON_OVERLAPS({j}, {j})
JSON_VALUE({j}, {path} RETURNING SIGNED) ; ({c}) ; IF({c}, {i}, {i}) ; CASE WHEN {c} THEN {i} ELSE {i} END ; COALESCE({i}, {i}) ; IFNULL({i}, {i}) ; NULLIF({i}, {i}) ; GREATEST({i}, {i}) ; LEAST({i}, {i})
""",
    "d": """
({d} + {n}) ; ({d} - {d}) ; ({d} * {d}) ; ({i} / {i}) ; ({d} / {d}) ; ({d} % {d}) ; -{d} ; ABS({d}) ; ROUND({d}, {k}) ; ROUND({d}) ; TRUNCATE({d}, {k}) ; CAST({a} AS DECIMAL(10,2)) ; CAST({a} AS DECIMAL(65,30))
CAST({a} AS DECIMAL) ; MOD({d}, {i}) ; IF({c}, {d}, {i}) ; COALESCE({d}, {i}) ; IFNULL({i}, {d}) ; NULLIF({d}, {d}) ; GREATEST({d}, {i}) ; LEAST({d}, {d}) ; CASE {i} WHEN {i} THEN {d} END ; UNIX_TIMESTAMP({t})
JSON_VALUE({j}, {path} RETURNING DECIMAL(10,3))
""",
    "f": """
({f} + {n}) ; ({f} - {f}) ; ({f} * {f}) ; ({f} / {n}) ; ({digits} + {n}) ; ABS({f}) ; ROUND({f}) ; ROUND({f}, {k}) ; TRUNCATE({f}, {k}) ; SQRT({n}) ; POW({n}, {k}) ; LN({n}) ; LOG2({n}) ; LOG10({n}) ; LOG({n}, {n})
ATAN({n}) ; ATAN2({n}, {n}) ; ACOS({n}) ; ASIN({n}) ; DEGREES({n}) ; RADIANS({n}) ; CAST({a} AS DOUBLE) ; CAST({a} AS FLOAT) ; IF({c}, {f}, {i}) ; COALESCE({f}, {n}) ; GREATEST({f}, {i}) ; PI() ; -{f} ; EXP({k}) ; ({f} % {n})
""",
    "s": """
CONCAT({s}, {a}) ; CONCAT({s}, {s}, {s}) ; CONCAT_WS({s}, {a}, {s}) ; UPPER({s}) ; LOWER({s}) ; LEFT({s}, {k}) ; RIGHT({s}, {k}) ; SUBSTRING({s}, {k}) ; SUBSTRING({s}, {k}, {k}) ; SUBSTRING({s}, -{k}, {k})
SUBSTRING_INDEX({s}, {s}, {k}) ; SUBSTRING_INDEX({s}, {s}, -{k}) ; TRIM({s}) ; LTRIM({s}) ; RTRIM({s}) ; TRIM(LEADING {s} FROM {s}) ; TRIM(BOTH {s} FROM {s}) ; LPAD({s}, {k}, {s}) ; RPAD({s}, {k}, {s}) ; REPEAT({s}, {k})
REPLACE({s}, {s}, {s}) ; REVERSE({s}) ; INSERT({s}, {k}, {k}, {s}) ; SPACE({k}) ; HEX({a}) ; HEX({i}) ; BIN({i}) ; OCT({i}) ; CONV({i}, 10, 16) ; CONV({hex}, 16, 10) ; QUOTE({s}) ; SOUNDEX({s}) ; ELT({k}, {s}, {a}) ; FORMAT({n}, {k})
TO_BASE64({s}) ; SHA2({s}, 256) ; INET_NTOA({number_ip}) ; CHAR({small}, {k} USING utf8mb4) ; CAST({a} AS CHAR) ; CAST({a} AS CHAR(3)) ; CONVERT({s} USING {charset}) ; {s} COLLATE utf8mb4_bin
DATE_FORMAT({t}, {format}) ; TIME_FORMAT({t}, {format}) ; DAYNAME({t}) ; MONTHNAME({t}) ; CHARSET({a}) ; COLLATION({a}) ; REGEXP_SUBSTR({s}, {regex}) ; REGEXP_REPLACE({s}, {regex}, {s}) ; BIN_TO_UUID({uuid_bytes})
JSON_UNQUOTE({j}) ; JSON_TYPE({j}) ; JSON_PRETTY({j}) ; JSON_QUOTE({s}) ; JSON_VALUE({j}, {path}) ; {jcol}->>{path} ; IF({c}, {s}, {s}) ; CASE WHEN {c} THEN {s} WHEN {c} THEN {a} ELSE {s} END ; COALESCE({s}, {a})
IFNULL({s}, {s}) ; NULLIF({s}, {s}) ; GREATEST({s}, {s}) ; LEAST({s}, {a}) ; IF({c}, {t}, {s}) ; IFNULL({i}, {s}) ; GET_FORMAT(DATE, 'EUR')
""",
    "b": """
UNHEX({hex}) ; FROM_BASE64({base64}) ; CAST({a} AS BINARY) ; CAST({a} AS BINARY(4)) ; CHAR({i}, {k}) ; CONCAT({b}, {a}) ; SUBSTRING({b}, {k}, {k}) ; LEFT({b}, {k}) ; IF({c}, {b}, {s}) ; COALESCE({b}, {s}) ; REVERSE({b}) ; UPPER({b})
({b} & {b}) ; ({b} | {b}) ; ~{b} ; REPLACE({b}, {b}, {s}) ; LPAD({b}, {k}, {b}) ; UUID_TO_BIN({uuid}) ; INSERT({b}, {k}, {k}, {b}) ; TRIM({b}) ; GREATEST({b}, {s})
""",
    "t": """
DATE({date_text}) ; DATE({t}) ; DATE(20240229) ; TIME({time_text}) ; TIME({t}) ; TIME(123456) ; TIMESTAMP({t}) ; TIMESTAMP({t}, {t}) ; CAST({date_text} AS DATE) ; CAST({t} AS TIME) ; CAST({time_text} AS TIME(3)) ; CAST(20240229123456 AS DATETIME) ; CAST({t} AS DATETIME(6)) ; LAST_DAY({t}) ; FROM_DAYS(70{k}000) ; MAKEDATE({small}, {small})
MAKETIME({small}, {small}, {small}) ; SEC_TO_TIME({small}) ; FROM_UNIXTIME({period}) ; STR_TO_DATE({date_text}, '%Y-%m-%d') ; DATE_ADD({t}, INTERVAL {small} {unit}) ; DATE_SUB({t}, INTERVAL {small} {unit}) ; DATE_ADD({t}, INTERVAL {small} {compound})
({t} + INTERVAL {k} {unit}) ; ADDDATE({t}, {small}) ; SUBDATE({t}, {k}) ; ADDTIME({t}, {clock}) ; SUBTIME({t}, {clock}) ; TIMEDIFF({t}, {t}) ; TIMESTAMPADD({unit}, {small}, {t}) ; CONVERT_TZ({t}, '+00:00', '+05:30') ; NOW() ; CURDATE() ; CURTIME(3)
IF({c}, {t}, {t}) ; COALESCE({t}, {t}) ; IFNULL({t}, {t}) ; NULLIF({t}, {t}) ; GREATEST({t}, {t}) ; LEAST({t}, {t}) ; CASE WHEN {c} THEN {t} END
""",
    "j": """
JSON_ARRAY({a}, {a}) ; JSON_OBJECT({key}, {a}) ; JSON_OBJECT('a', {a}, 'b', {j}) ; JSON_EXTRACT({j}, {path}) ; {jcol}->{path} ; JSON_SET({j}, {place}, {a}) ; JSON_INSERT({j}, {place}, {a}) ; JSON_REPLACE({j}, {place}, {a})
JSON_REMOVE({j}, '$.a') ; JSON_ARRAY_APPEND({j}, {place}, {a}) ; JSON_ARRAY_INSERT({j}, '$[0]', {a}) ; JSON_MERGE_PATCH({j}, {j}) ; JSON_MERGE_PRESERVE({j}, {j}) ; JSON_KEYS({j}) ; JSON_SEARCH({j}, 'all', {s})
CAST({a} AS JSON) ; IF({c}, {j}, {j}) ; COALESCE({j}, {j}) ; CASE WHEN {c} THEN {j} END ; IFNULL({j}, {j}) ; NULLIF({j}, {j})
""",
    "c": """
({a} = {a}) ; ({a} <=> {a}) ; ({i} < {i}) ; ({n} >= {n}) ; ({s} = {s}) ; ({s} < {s}) ; ({t} > {t}) ; ({t} = {date_text}) ; ({t} <= {t}) ; ({d} <> {d}) ; ({b} = {s}) ; ({j} = {a}) ; ({a} != {a}) ; ({digits} > {n}) ; ({j} < {j})
({n} BETWEEN {n} AND {n}) ; ({s} NOT BETWEEN {s} AND {s}) ; ({t} BETWEEN {t} AND {t}) ; ({a} IN ({a}, {a})) ; ({i} IN ({i}, {i}, {i})) ; ({s} NOT IN ({s}, {s})) ; ({t} IN ({t}, {t})) ; ({i} IN ({digits}, {n}))
({s} LIKE {pattern}) ; ({a} NOT LIKE {pattern}) ; ({s} LIKE {s}) ; ({s} REGEXP {regex}) ; ({s} NOT REGEXP {regex}) ; REGEXP_LIKE({s}, {regex}, 'c') ; ({a} IS NULL) ; ({a} IS NOT NULL) ; ({a} IS TRUE) ; ({c} IS NOT FALSE) ; ({c} IS UNKNOWN)
({c} AND {c}) ; ({c} OR {c}) ; (NOT {c}) ; ({c} XOR {c}) ; ({a} OR {c}) ; (({i}, {s}) = ({i}, {s})) ; (({i}, {i}) IN (({i}, {i}), ({n}, {i}))) ; ({s} COLLATE utf8mb4_bin = {s}) ; ({i} MEMBER OF ({j})) ; (({i}, {s}) < ({i}, {s}))
""",
}
BY_FAMILY = {family: [template.strip() for line in text.strip().splitlines() for template in line.split(" ; ")] for family, text in TEMPLATES.items()}


def aggregates():
    """Templates by family of what a group gives; o is an order that makes it one answer."""
    return {
        "i": "COUNT(*)|COUNT({a})|COUNT(DISTINCT {a})|MIN({i})|MAX({i})|BIT_AND({i})|BIT_OR({i})|BIT_XOR({i})|COUNT(DISTINCT {i}, {s})".split("|"),
        "d": "SUM({i})|AVG({i})|SUM({d})|AVG({d})|MIN({d})|SUM(DISTINCT {i})|SUM({t})".split("|"),
        "f": "SUM({f})|AVG({s})|STDDEV({i})|VAR_SAMP({i})|VARIANCE({d})|MAX({f})|STDDEV_SAMP({n})".split("|"),
        "s": "MIN({s})|MAX({s})|GROUP_CONCAT({a} ORDER BY 1)|GROUP_CONCAT(DISTINCT {i} ORDER BY 1 DESC SEPARATOR '-')|GROUP_CONCAT({s} ORDER BY 1)".split("|"),
        "b": "MIN({b})|MAX({b})|BIT_OR({b})".split("|"),
        "t": "MIN({t})|MAX({t})".split("|"),
        "j": "MAX({j})|MIN({j})".split("|"),
    }
