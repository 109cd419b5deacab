"""Random tables: columns of all types, keys, generated columns, CHECK, foreign keys; views and triggers over them."""
import dataclasses

import values
from expressions import Column, Expressions
from tree import Expression, Many, Node, Optional

SIMPLE_GENERATED = {  # by family of the source; deterministic, and typed like the column that takes it
    "i": [("BIGINT", "({c} DIV 3)"), ("VARCHAR(40)", "CONCAT({c}, 'x')"), ("DECIMAL(30,2)", "({c} / 4)")],
    "d": [("DECIMAL(65,10)", "ROUND({c}, 3)"), ("VARCHAR(80)", "CONCAT('<', {c}, '>')")],
    "f": [("DOUBLE", "({c} / 2)")],
    "s": [("INT", "CHAR_LENGTH({c})"), ("VARCHAR(300)", "UPPER({c})"), ("VARCHAR(10)", "LEFT({c}, 3)")],
    "b": [("VARCHAR(100)", "HEX({c})"), ("INT", "LENGTH({c})")],
    "t": [("INT", "HOUR({c})"), ("VARCHAR(40)", "CAST({c} AS CHAR)")],
    "j": [("VARCHAR(30)", "JSON_TYPE({c})"), ("INT", "JSON_LENGTH({c})")],
}
FAMILY_OF = {"INT": "i", "BIGINT": "i", "DOUBLE": "f", "DECIMAL": "d"}
DEFAULTS = {"i": ["0", "1", "'1'"], "d": ["0", "1.5", "0.0"], "f": ["0", "1.5e0"], "s": ["''", "'a'", "'1'"], "b": ["''", "'ab'"], "t": ["NULL"], "j": ["NULL"]}


@dataclasses.dataclass
class Table:
    name: str
    columns: list  # those that may be written
    generated: list = dataclasses.field(default_factory=list)
    key: tuple = ()  # names of the primary key's columns
    parent: str = ""
    auto: bool = False  # id is AUTO_INCREMENT
    is_view: bool = False

    def scope(self, alias=None):
        return [Column(column.name, column.type, alias or self.name) for column in self.columns + self.generated]


def key_part(dice, column):
    """The column as part of an index, or nothing where it cannot be one."""
    if column.type.family == "j":
        return ""
    length = f"({dice.one_of(2, 5, 10)})" if column.type.is_long else ""
    return f"{column.name}{length}{dice.one_of('', '', '', ' DESC')}"


def column_definition(dice, column):
    default = ""
    if not column.type.is_long and dice.chance(25):
        default = f" DEFAULT {dice.choice(DEFAULTS[column.type.family])}"
    elif column.type.sql == "DATETIME" and dice.chance(30):
        default = " DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP"
    return Node(column.name, " ", column.type.sql, Optional(" NOT NULL") if dice.chance(25) and "NULL" not in default else "",
                Optional(default), Optional(" COMMENT 'it''s'") if dice.chance(3) else "")


def make_table(dice, name, others):
    columns = [Column(f"c{at}", values.column_type(dice)) for at in range(1, dice.randint(2, 7))]
    identity = Column("id", values.ColumnType("i", "INT", "INT", [str(at) for at in range(1, 12)]))
    table = Table(name, [identity, *columns])
    parts = []
    style = dice.weighted({"auto": 4, "plain": 4, "composite": 1, "none": 1})
    if style == "auto":
        parts.append(Node("id INT AUTO_INCREMENT PRIMARY KEY"))
        table.key, table.auto = ("id",), True
    else:
        parts.append(Node("id INT NOT NULL" if style != "none" else "id INT"))
    parts += [Optional(column_definition(dice, column)) for column in columns]
    parts += _generated(dice, table)
    if style == "plain":
        parts.append(Node("PRIMARY KEY (id)"))
        table.key = ("id",)
    elif style == "composite" and (part := key_part(dice, columns[0])):
        parts.append(Node(f"PRIMARY KEY (id, {part})"))
    parts += _indexes(dice, table) + _checks(dice, table) + _foreign_key(dice, table, others)
    options = Optional(f" COLLATE {dice.choice(values.COLLATIONS)}") if dice.chance(15) else ""
    return table, Node(f"CREATE TABLE {name} (", Many(parts), ")", options)


def _generated(dice, table):
    parts = []
    for at in range(dice.weighted({0: 5, 1: 3, 2: 1})):
        source = dice.choice(table.columns[1:])
        sql, template = dice.choice(SIMPLE_GENERATED[source.type.family])
        kind = sql.split("(")[0]
        column = Column(f"g{at + 1}", values.ColumnType(FAMILY_OF.get(kind, "s"), sql, kind))
        table.generated.append(column)
        parts.append(Optional(f"{column.name} {sql} AS ({template.replace('{c}', source.name)}){dice.one_of('', ' VIRTUAL', ' STORED')}"))
    return parts


def _indexes(dice, table):
    parts = []
    for at in range(dice.weighted({0: 3, 1: 4, 2: 3})):
        columns = [part for part in (key_part(dice, column) for column in dice.some(table.columns[1:] + table.generated, 2)) if part]
        if columns:
            parts.append(Optional(f"{dice.weighted({'KEY': 4, 'UNIQUE KEY': 1})} k{at} ({', '.join(columns)})"))
    if dice.chance(5) and (column := dice.choice(table.columns if dice.wide else table.columns[1:])).type.family == "i":
        parts.append(Optional(f"KEY kf (({column.name} + 1))"))
    return parts


def _checks(dice, table):
    if not dice.chance(12):
        return []
    column = dice.choice(table.columns)
    since = "10:00:00" if column.type.kind == "TIME" else "1999-01-01"
    condition = {"i": "{c} < 1000000", "d": "{c} > -1000", "f": "{c} <> 0", "s": "CHAR_LENGTH({c}) < 30", "b": "LENGTH({c}) < 10", "t": f"{{c}} > '{since}'",
                 "j": "JSON_LENGTH({c}) < 3"}[column.type.family]
    return [Optional(f"CONSTRAINT {table.name}_check CHECK ({condition.replace('{c}', column.name)})")]


def _foreign_key(dice, table, others):
    parents = [other for other in others if other.key == ("id",)]
    if not parents or not dice.chance(25) or (table.auto and not dice.wide):  # rows that are refused use up numbers, in 8.0 and not in 9
        return []
    table.parent = dice.choice(parents).name
    actions = ["", " ON DELETE CASCADE", " ON DELETE SET NULL", " ON UPDATE CASCADE", " ON DELETE RESTRICT ON UPDATE CASCADE",
               " ON DELETE CASCADE ON UPDATE SET NULL"]
    table.columns.append(Column("parent_id", values.ColumnType("i", "INT", "INT", [str(at) for at in range(1, 9)])))
    return [Optional(Node("parent_id INT")),
            Optional(Node(f"CONSTRAINT {table.name}_fk FOREIGN KEY (parent_id) REFERENCES {table.parent} (id){dice.choice(actions)}"))]


def make_view(dice, name, table):
    """A view of one table: some of its columns and an expression; and what queries may know of it."""
    columns = dice.some(table.columns + table.generated, 4)
    maker = Expressions(dice, table.scope())
    family = dice.weighted(values.FAMILIES)
    items = [*(Optional(column.name) if column is not columns[0] else column.name for column in columns), Optional(Node(maker.any(2, family), " AS e"))]
    condition = Optional(Node(" WHERE ", maker.condition(1))) if dice.chance(40) else ""
    check = Optional(" WITH CHECK OPTION") if condition and dice.chance(30) else ""
    view = Table(name, [*columns, Column("e", values.ColumnType(family, "", ""))], is_view=True)
    return view, Node(f"CREATE VIEW {name} AS SELECT ", Many(items), f" FROM {table.name}", condition, check)


def make_trigger(dice, table, log):
    """Triggers that change NEW, or write into the table `log` what they see."""
    timing, event = dice.one_of("BEFORE", "AFTER"), dice.one_of("INSERT", "UPDATE", "DELETE")
    row = "OLD" if event == "DELETE" else "NEW"
    column = dice.choice(table.columns)
    maker = Expressions(dice, [Column(c.name, c.type, row) for c in table.columns])
    note = Node(f"INSERT INTO {log} (what, value) VALUES ('{timing[0]}{event[0]} {table.name}', ", Expression("LEFT(HEX(", maker.any(1), "), 40)"), ")")
    body = note
    if timing == "BEFORE" and row == "NEW" and dice.chance(50) and column.name not in ("id", "parent_id"):
        body = Node(f"SET NEW.{column.name} = ", maker.any(1, column.type.family))
    elif dice.chance(25):
        body = Node("BEGIN IF ", maker.condition(1), " THEN ", note, "; END IF; END")
    return Node(f"CREATE TRIGGER {table.name}_{timing[0].lower()}{event[0].lower()} {timing} {event} ON {table.name} FOR EACH ROW ", body)
