"""Random queries: expressions alone, joins, subqueries, groups, windows, common table expressions, set operations.

What SQL leaves open is not asked: LIMIT stands only behind a total order, GROUP_CONCAT and windows only over one. `ordered` of a query
says that its rows come in one order alone.
"""
import dataclasses

import values
from expressions import Column, Expressions
from tree import Expression, Many, Node, Optional

WINDOW_TEMPLATES = ["ROW_NUMBER()", "RANK()", "DENSE_RANK()", "NTILE({k1})", "CUME_DIST()", "PERCENT_RANK()", "LAG({a}, {k})", "LEAD({a})", "LAG({i}, 1, {i})",
                    "FIRST_VALUE({a})", "LAST_VALUE({s})", "NTH_VALUE({a}, {k1})", "SUM({i})", "AVG({d})", "COUNT({a})", "MIN({s})", "MAX({t})", "COUNT(*)", "MAX({n})", "SUM({d})"]
FRAMES = ["", "", "", " ROWS UNBOUNDED PRECEDING", " ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING", " ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING",
          " ROWS BETWEEN 2 PRECEDING AND 1 PRECEDING", " RANGE UNBOUNDED PRECEDING"]

TABLE_DOCUMENTS = ["'[{\"a\": 1, \"b\": \"x\"}, {\"a\": \"2\", \"b\": null}, {\"b\": [1]}]'",
                   "'[1, 2, \"c\"]'", "'{\"a\": 5}'"]
TABLE_COLUMNS = ["v INT PATH '$.a'", "v VARCHAR(10) PATH '$.b'", "v INT PATH '$.a' DEFAULT '7' ON EMPTY", "v JSON PATH '$.b'", "v INT EXISTS PATH '$.b'",
                 "v DECIMAL(5,2) PATH '$.a' NULL ON ERROR"]
SERIES = [("1", "v + 1", "i"), ("1.5", "v + 1", "d"), ("0e0", "v + 1", "f"), ("CAST('a' AS CHAR(20))", "CONCAT(v, 'b')", "s"),
          ("DATE'2024-02-27'", "v + INTERVAL 1 DAY", "t"), ("CAST(1 AS UNSIGNED)", "v + 1", "i")]


@dataclasses.dataclass
class Query:
    tree: Node
    ordered: bool = False


class Queries:
    def __init__(self, dice, tables):
        self.dice, self.tables, self.aliases = dice, tables, 0

    def any(self) -> Query:
        dice = self.dice
        shapes = {self.expressions: 8, self.rows: 8, self.groups: 4, self.windows: 3, self.set_operation: 3, self.with_tables: 2,
                  self.recursive: 1, self.derived: 2, self.json_table: 1}
        return dice.weighted(shapes if self.tables else {self.expressions: 1})()

    def expressions(self):
        """Of literals alone: one row."""
        maker = Expressions(self.dice)
        items = [Node(maker.any(self.dice.randint(1, 3)), self.dice.weighted({f" AS x{at}": 5, "": 1})) for at in range(self.dice.randint(1, 4))]
        return Query(Node("SELECT ", Many(items)), True)

    def alias(self):
        self.aliases += 1
        return f"t{self.aliases}"

    def subquery(self, family):
        """A scalar subquery over one table: an aggregate, or the row of a key."""
        dice, table, alias = self.dice, self.dice.choice(self.tables), self.alias()
        maker = Expressions(dice, table.scope(alias))
        if table.key == ("id",) and dice.chance(40):
            return Expression("(SELECT ", maker.any(1, family), f" FROM {table.name} {alias} WHERE {alias}.id = {dice.randint(1, 5)})")
        return Expression("(SELECT ", maker.aggregate(family, 0), f" FROM {table.name} {alias}", Optional(Node(" WHERE ", maker.condition(1))), ")")

    def source(self):
        """FROM, the columns it shows, and an order that is total, or an empty one."""
        dice = self.dice
        first = dice.choice(self.tables)
        alias = self.alias()
        scope, order, text = first.scope(alias), [f"{alias}.id"] if first.key else None, Node(f"{first.name} {alias}")
        for _ in range(dice.weighted({0: 6, 1: 4, 2: 1})):
            other, alias = dice.choice(self.tables), self.alias()
            joined = other.scope(alias)
            kind = dice.weighted({" JOIN ": 4, " LEFT JOIN ": 4, " RIGHT JOIN ": 2, " STRAIGHT_JOIN ": 1})
            condition = self.join_condition(scope, joined)
            text = Node(text, Optional(Node(kind, f"{other.name} {alias} ON ", condition)))
            scope = scope + joined
            order = order + [f"{alias}.id"] if order and other.key else None
        return text, scope, order

    def join_condition(self, left, right):
        dice = self.dice
        pairs = [(a, b) for a in left for b in right if a.type.family == b.type.family and a.type.family != "j"]
        if pairs and dice.chance(80):
            a, b = dice.choice(pairs)
            return Expression(a.sql, dice.weighted({" = ": 8, " <= ": 1, " <=> ": 1}), b.sql)
        return Expressions(dice, left + right).condition(1)

    def where(self, maker, percent=55):
        dice = self.dice
        if not dice.chance(percent):
            return ""
        if dice.chance(12):
            return Optional(Node(" WHERE ", self.predicate_with_subquery(maker)))
        return Optional(Node(" WHERE ", maker.condition(2)))

    def predicate_with_subquery(self, maker):
        dice, table, alias = self.dice, self.dice.choice(self.tables), self.alias()
        inner = Expressions(dice, table.scope(alias))
        correlated = Expressions(dice, table.scope(alias) + maker.columns)
        family = dice.one_of("i", "s", "d", "t")
        form = dice.randint(0, 3)
        if form == 0:
            return Expression(dice.one_of("EXISTS", "NOT EXISTS"), f" (SELECT 1 FROM {table.name} {alias} WHERE ", correlated.condition(1), ")")
        if form == 1:
            where = Optional(Node(" WHERE ", correlated.condition(1)))
            return Expression(maker.any(1, family), dice.one_of(" IN", " NOT IN"), " (SELECT ", inner.any(0, family), f" FROM {table.name} {alias}", where, ")")
        if form == 2:
            operator = dice.one_of(" > ALL", " = ANY", " <= ANY", " <> ALL")
            return Expression(maker.any(1, family), operator, " (SELECT ", inner.any(0, family), f" FROM {table.name} {alias})")
        return Expression(maker.any(1, family), " < ", self.subquery(family))

    def items(self, maker, most=4, alias=True, depth=2):
        dice = self.dice
        return [Node(maker.any(dice.randint(0, depth)), f" AS x{at}" if alias or dice.chance(80) else "") for at in range(dice.randint(1, most))]

    def rows(self):
        dice = self.dice
        text, scope, order = self.source()
        maker = Expressions(dice, scope, self.subquery)
        items = self.items(maker, alias=False) if dice.chance(85) else ["*"]
        distinct = Optional("DISTINCT ") if dice.chance(12) else ""
        tail, ordered = "", False
        if order and not distinct and dice.chance(45):
            keys = [Node(maker.any(1), dice.one_of("", " DESC")) for _ in range(dice.randint(0, 2))]
            limit = Optional(f" LIMIT {dice.randint(0, 4)}{dice.one_of('', ' OFFSET 1')}") if dice.chance(50) else ""
            leading = Optional(Node(Many(keys), ", ")) if keys else ""
            tail, ordered = Node(" ORDER BY ", leading, ", ".join(order), limit), True
        return Query(Node("SELECT ", distinct, Many(items), " FROM ", text, self.where(maker), tail), ordered)

    def groups(self):
        dice = self.dice
        text, scope, _ = self.source()
        maker = Expressions(dice, scope)
        keys = [maker.any(dice.weighted({0: 4, 1: 2})) for _ in range(dice.weighted({0: 2, 1: 4, 2: 2}))]
        keys = [key for key in keys if any(column.sql in key.text() for column in scope)]
        items = [Node(key, f" AS k{at}") for at, key in enumerate(keys)] + [Node(maker.aggregate(), f" AS x{at}") for at in range(dice.randint(1, 3))]
        rollup = Optional(" WITH ROLLUP") if dice.chance(20) else ""
        group = Node(" GROUP BY ", Many([f"k{at}" if dice.chance(30) else key for at, key in enumerate(keys)]), rollup) if keys else ""
        having = ""
        if dice.chance(20):
            having = Optional(Node(" HAVING ", Expression(maker.aggregate("i"), dice.one_of(" > ", " <> "), dice.choice(values.INTEGERS))))
        return Query(Node("SELECT ", Many(items), " FROM ", text, self.where(maker, 30), group, having))

    def windows(self):
        dice = self.dice
        table = dice.choice([t for t in self.tables if t.key] or self.tables)
        if not table.key:
            return self.rows()
        alias = self.alias()
        maker = Expressions(dice, table.scope(alias))
        items = [f"{alias}.id"]
        for at in range(dice.randint(1, 3)):
            template = dice.choice(WINDOW_TEMPLATES).replace("{k1}", str(dice.randint(1, 3)))
            partition = Optional(Node("PARTITION BY ", maker.any(dice.one_of(0, 1)), " ")) if dice.chance(50) else ""
            leading = Optional(Node(maker.any(0), dice.one_of(", ", " DESC, "))) if dice.chance(40) else ""
            frame = "" if "()" in template or "LAG" in template or "LEAD" in template or "NTILE" in template else dice.choice(FRAMES)
            frame = Optional(frame) if frame else ""
            items.append(Node(maker.call(template, 2), " OVER (", partition, "ORDER BY ", leading, f"{alias}.id", frame, f") AS w{at}"))
        return Query(Node("SELECT ", Many(items), f" FROM {table.name} {alias}", self.where(maker, 25)))

    def block(self, families):
        """A query of one column per family, named x0, x1, …"""
        dice = self.dice
        if dice.chance(30):
            maker, tail = Expressions(dice), ""
        else:
            table, alias = dice.choice(self.tables), self.alias()
            maker = Expressions(dice, table.scope(alias))
            tail = Node(f" FROM {table.name} {alias}", self.where(maker, 30))
        items = [Node(maker.any(dice.one_of(0, 1), family), f" AS x{at}") for at, family in enumerate(families)]
        return Node("SELECT ", Many(items, least=len(items)), tail)

    def families(self, most=3):
        return [self.dice.weighted(values.FAMILIES) for _ in range(self.dice.randint(1, most))]

    def set_operation(self):
        dice, families = self.dice, self.families()
        text = self.block(families)
        for _ in range(dice.weighted({1: 5, 2: 1})):
            odd = [family if dice.chance(70) else dice.weighted(values.FAMILIES) for family in families]
            kind = dice.weighted({" UNION ": 4, " UNION ALL ": 6, " INTERSECT ": 1, " EXCEPT ": 1})
            text = Node(text, kind, self.block(odd))
        return Query(text)

    def over(self, name, families):
        """A query over the columns that block() gives, under the name."""
        maker = Expressions(self.dice, [Column(f"x{at}", values.ColumnType(family, "", ""), name) for at, family in enumerate(families)])
        if self.dice.chance(40):
            return Node("SELECT ", Many([Node(maker.aggregate(), " AS a")])), maker
        return Node("SELECT ", Many(self.items(maker))), maker

    def derived(self):
        families = self.families()
        head, maker = self.over("q", families)
        return Query(Node(head, " FROM (", self.block(families), ") AS q", self.where(maker, 40)))

    def with_tables(self):
        dice, families = self.dice, self.families()
        head, maker = self.over("q", families)
        twice = Optional(" JOIN q AS r ON q.x0 <=> r.x0") if dice.chance(40) else ""
        return Query(Node("WITH q AS (", self.block(families), ") ", head, " FROM q", twice, self.where(maker, 40)))

    def recursive(self):
        dice, limit = self.dice, self.dice.randint(2, 6)
        start, step, family = dice.choice(SERIES)
        maker = Expressions(dice, [Column("n", values.ColumnType("i", "", ""), "q"), Column("v", values.ColumnType(family, "", ""), "q")])
        body = f"SELECT 1, {start} UNION ALL SELECT n + 1, {step} FROM q WHERE n < {limit}"
        return Query(Node(f"WITH RECURSIVE q (n, v) AS ({body}) SELECT q.n, q.v, ", maker.any(2), " AS x FROM q"))

    def json_table(self):
        dice = self.dice
        document, path, column = dice.choice(TABLE_DOCUMENTS), dice.one_of("'$[*]'", "'$'"), dice.choice(TABLE_COLUMNS)
        return Query(Node(f"SELECT j.o, j.v FROM JSON_TABLE({document}, {path} COLUMNS (o FOR ORDINALITY, {column})) AS j"))
