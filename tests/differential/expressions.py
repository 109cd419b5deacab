"""Random expressions by family over the columns that are in scope."""
import dataclasses
import re

import functions
import values
from tree import Expression, Node

SLOT = re.compile(r"\{(\w+)\}")
NUMBERS = {"i": 5, "d": 3, "f": 2}
ODD_PERCENT = 12  # how often an operand is of another family than is asked for, where the dice are wide


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
        if family == "a" or (dice.wide and family not in "cj" and dice.chance(ODD_PERCENT)):
            family = dice.weighted(values.FAMILIES)
        if depth <= 0 or (depth < 3 and family != "c" and dice.chance(25)):
            return self.leaf(family)
        if self.subquery and family != "c" and dice.chance(4):
            return self.subquery(family)
        return self.call(self.template(family), depth)

    def condition(self, depth=2):
        return self.any(depth, "c")

    def template(self, family):
        """One that the columns can fill: arrows stand behind columns alone."""
        template = self.dice.choice(functions.BY_FAMILY[family])
        return template if "{jcol}" not in template or self.of_family("j") else self.template(family)

    def of_family(self, family):
        return [column for column in self.columns if column.type.family == family]

    def call(self, template, depth):
        parts = SLOT.split(template)
        if not self.dice.wide:
            parts = self.alike(parts)
        return Expression(*[self.operand(part, depth - 1) if at % 2 else part for at, part in enumerate(parts)])

    def alike(self, parts):
        """What may be anything is of one family in all of a template's places, that of its text where it has some."""
        family = "s" if "s" in parts[1::2] else self.dice.weighted(values.FAMILIES)
        return [family if at % 2 and part == "a" else part for at, part in enumerate(parts)]

    def leaf(self, family):
        dice = self.dice
        if family == "c":
            return Expression("(", self.leaf("i"), dice.one_of(" = ", " < ", " <> "), self.leaf("i"), ")")
        if dice.chance(4):
            return Expression("NULL")
        fitting = self.of_family(family)
        if fitting and dice.chance(75):
            return Expression(dice.choice(fitting).sql)
        return Expression(self.one_of(values.LITERALS[family]))

    def one_of(self, literals):
        return self.dice.choice(literals if self.dice.wide else [each for each in literals if each not in values.RARE])

    def operand(self, slot, depth):
        dice = self.dice
        if slot == "k":
            return str(dice.one_of(0, 1, 2, 3, 5, 8))
        if slot == "jcol":
            return Expression(dice.choice(self.of_family("j")).sql)
        if slot in values.SPELLINGS:
            odd = dice.wide and dice.chance(ODD_PERCENT)
            return self.any(depth, "s") if odd else Expression(dice.choice(values.SPELLINGS[slot]))
        lists = {"unit": values.UNITS, "compound": values.COMPOUND_UNITS, "format": values.FORMATS, "path": values.PATHS, "pattern": values.PATTERNS,
                 "regex": values.REGEXES, "charset": ["utf8mb4", "latin1", "ascii", "binary", "utf8mb3"],
                 "clock": values.CLOCKS}
        if slot in lists:
            return self.one_of(lists[slot])
        if slot == "place":
            return self.one_of(values.PATHS if dice.wide else values.PLACES)
        return self.any(depth, slot)

    def aggregate(self, family=None, depth=1):
        by_family = functions.aggregates()
        return self.call(self.dice.choice(by_family[family or self.dice.weighted(values.FAMILIES)]), depth + 1)

    def literal(self, column_type):
        """A value to be stored in a column of the type: mostly one that it was made for."""
        dice = self.dice
        if dice.chance(8):
            return Node("NULL")
        if dice.wide and dice.chance(12):
            return Expression(dice.choice(values.LITERALS[dice.weighted(values.FAMILIES)]))
        return Expression(self.one_of(column_type.literals or values.LITERALS[column_type.family]))
