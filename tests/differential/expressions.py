"""Random expressions by family over the columns that are in scope."""
import dataclasses
import re

import functions
import values
from tree import Expression, Node

SLOT = re.compile(r"\{(\w+)\}")
NUMBERS = {"i": 5, "d": 3, "f": 2}
ODD_PERCENT = 12  # how often an operand is of another family than is asked for


@dataclasses.dataclass
class Column:
    name: str
    type: values.ColumnType
    table: str = ""  # by which a query calls the table

    @property
    def sql(self):
        return f"{self.table}.{self.name}" if self.table else self.name


class Expressions:
    """`subquery(family)`, where it is given, makes a scalar subquery's text as a node."""

    def __init__(self, dice, columns=(), subquery=None):
        self.dice, self.columns, self.subquery = dice, list(columns), subquery

    def any(self, depth, family=None):
        """An expression of the family, or of a random one."""
        dice = self.dice
        family = family or dice.weighted(values.FAMILIES)
        if family == "n":
            family = dice.weighted(NUMBERS)
        if family == "a" or (family not in "cj" and dice.chance(ODD_PERCENT)):
            family = "s" if family == "t" else dice.weighted(values.FAMILIES)
        if depth <= 0 or (depth < 3 and family != "c" and dice.chance(25)):
            return self.leaf(family)
        if self.subquery and family != "c" and dice.chance(4):
            return self.subquery(family)
        return self.call(dice.choice(functions.BY_FAMILY[family]), depth)

    def condition(self, depth=2):
        return self.any(depth, "c")

    def call(self, template, depth):
        parts = SLOT.split(template)
        return Expression(*[self.operand(part, depth - 1) if at % 2 else part for at, part in enumerate(parts)])

    def leaf(self, family):
        dice = self.dice
        if family == "c":
            return Expression("(", self.leaf("i"), dice.one_of(" = ", " < ", " <> "), self.leaf("i"), ")")
        if dice.chance(4):
            return Expression("NULL")
        fitting = [column for column in self.columns if column.type.family == family]
        if fitting and dice.chance(75):
            return Expression(dice.choice(fitting).sql)
        return Expression(dice.choice(values.LITERALS[family]))

    def operand(self, slot, depth):
        dice = self.dice
        if slot == "k":
            return str(dice.one_of(0, 1, 2, 3, 5, 8))
        if slot == "jcol":
            columns = [column for column in self.columns if column.type.family == "j"]
            return Expression(dice.choice(columns).sql) if columns else Expression("CAST(NULL AS JSON)")
        lists = {"unit": values.UNITS, "compound": values.COMPOUND_UNITS, "format": values.FORMATS, "path": values.PATHS, "pattern": values.PATTERNS,
                 "regex": values.REGEXES, "charset": ["utf8mb4", "latin1", "ascii", "binary", "utf8mb3"],
                 "clock": values.CLOCKS}
        if slot in lists:
            return dice.choice(lists[slot])
        return self.any(depth, slot)

    def aggregate(self, family=None, depth=1):
        by_family = functions.aggregates()
        return self.call(self.dice.choice(by_family[family or self.dice.weighted(values.FAMILIES)]), depth + 1)

    def literal(self, column_type):
        """A value to be stored in a column of the type: mostly one that it was made for."""
        dice = self.dice
        if dice.chance(8):
            return Node("NULL")
        if dice.chance(12):
            return Expression(dice.choice(values.LITERALS[dice.weighted(values.FAMILIES)]))
        return Expression(dice.choice(column_type.literals or values.LITERALS[column_type.family]))
