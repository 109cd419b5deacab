"""Random changes: INSERT in its forms, UPDATE, DELETE, those of several tables, ALTER TABLE, settings and transactions."""
import values
from expressions import Column, Expressions
from tree import Expression, Many, Matrix, Node, Optional

DEFAULT_MODE = "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
MODES = ["", "STRICT_TRANS_TABLES", "STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO", "NO_ZERO_DATE",
         "ERROR_FOR_DIVISION_BY_ZERO", "ANSI_QUOTES,PIPES_AS_CONCAT", "NO_UNSIGNED_SUBTRACTION", "ALLOW_INVALID_DATES", "PAD_CHAR_TO_FULL_LENGTH",
         "TIME_TRUNCATE_FRACTIONAL", "HIGH_NOT_PRECEDENCE", "IGNORE_SPACE", "NO_AUTO_VALUE_ON_ZERO", "NO_BACKSLASH_ESCAPES", DEFAULT_MODE]


class Changes:
    def __init__(self, dice, tables):
        self.dice, self.tables = dice, tables

    def insert(self, table, verb=None):
        """Where the server gives the ids, of one row or with all of them: nobody promises how many numbers a statement takes and does not use."""
        dice = self.dice
        columns = [column for column in table.columns if dice.chance(90)] or table.columns
        verb = verb or dice.weighted({"INSERT INTO": 5, "INSERT IGNORE INTO": 4, "REPLACE INTO": 2})
        if table.parent and not dice.wide:  # MySQL 9 looks at the keys of other tables before the row's own, 8.0 after them
            verb = verb.replace(" IGNORE", "")
        given = not table.auto or any(column.name == "id" for column in columns)
        rows = [[self.cell(table, column) for column in columns] for _ in range(dice.randint(1, 4) if given else 1)]
        tail = ""
        if verb == "INSERT INTO" and dice.chance(25):
            tail = Optional(Node(" ON DUPLICATE KEY UPDATE ", self.assignments(table, values_of_new=True)))
        return Node(f"{verb} {table.name} ", Matrix([c.name for c in columns], rows), tail)

    def cell(self, table, column):
        dice, maker = self.dice, Expressions(self.dice)
        if table.auto and column.name == "id":
            return Node(dice.choice(column.type.literals))
        if dice.chance(6):
            return maker.any(1, column.type.family)
        return Node("DEFAULT") if dice.chance(2) else maker.literal(column.type)

    def insert_select(self, table):
        dice, source = self.dice, self.dice.choice(self.tables)
        columns = dice.some([c for c in table.columns if c.name != "id"] or table.columns, 3)
        maker = Expressions(dice, source.scope("s"))
        items = [maker.any(1, column.type.family) for column in columns]
        names = [column.name for column in columns]
        if table.auto:
            ids = "s.id + 100" if source.key else "1"
            names, items = ["id", *names], [Node(ids), *items]
        verb = dice.one_of("INSERT INTO", "INSERT IGNORE INTO", "REPLACE INTO")
        order = " ORDER BY s.id" if source.key else ""
        return Node(f"{verb} {table.name} ({', '.join(names)}) SELECT ", Many(items, least=len(items)), f" FROM {source.name} s", order)

    def assignments(self, table, values_of_new=False, alias=""):
        dice = self.dice
        maker = Expressions(dice, table.scope(alias) if alias else [Column(c.name, c.type) for c in table.columns])
        parts = []
        columns = table.columns if dice.wide else [c for c in table.columns if c.name != "id"] or table.columns  # a new id may meet that of a row that comes later
        for column in dice.some(columns, 3):
            if values_of_new and dice.chance(40):
                value = Node(f"VALUES({column.name})")
            elif dice.chance(40):
                value = maker.literal(column.type)
            else:
                value = maker.any(2, column.type.family)
            parts.append(Node(f"{alias}.{column.name}" if alias else column.name, " = ", value))
        return Many(parts)

    def where(self, table, alias=""):
        dice, prefix = self.dice, f"{alias}." if alias else ""
        if dice.chance(35) and any(column.name == "id" for column in table.columns):
            return Node(f" WHERE {prefix}id {dice.one_of('= 1', '<= 3', '> 2', 'IN (2, 4)', 'BETWEEN 2 AND 5')}")
        scope = table.scope(alias) if alias else [Column(c.name, c.type) for c in table.columns + table.generated]
        return Node(" WHERE ", Expressions(dice, scope).condition(2))

    def update(self, table):
        dice = self.dice
        tail = Optional(f" ORDER BY id LIMIT {dice.randint(1, 3)}") if table.key and dice.chance(20) else ""
        return Node(f"UPDATE {dice.one_of('', '', 'IGNORE ')}{table.name} SET ", self.assignments(table), Optional(self.where(table)), tail)

    def delete(self, table):
        tail = Optional(f" ORDER BY id LIMIT {self.dice.randint(1, 2)}") if table.key and self.dice.chance(20) else ""
        return Node(f"DELETE {self.dice.one_of('', 'IGNORE ')}FROM {table.name}", self.where(table), tail)

    def joined(self, table):
        """UPDATE or DELETE of one of two tables that are joined by their keys."""
        dice, other = self.dice, self.dice.choice(self.tables)
        on = Node("a.id = b.id")
        if not any(column.name == "id" for column in other.columns):
            on = Expressions(dice, table.scope("a") + other.scope("b")).condition(1)
        tables = Node(f"{table.name} a {dice.one_of('JOIN', 'LEFT JOIN')} {other.name} b ON ", on)
        if dice.chance(50):
            return Node("UPDATE ", tables, " SET ", self.assignments(table, alias="a"), Optional(self.where(other, "b")))
        return Node("DELETE a FROM ", tables, self.where(other, "b"))

    def change(self, table):
        dice = self.dice
        if table.is_view:
            return dice.weighted({self.update: 3, self.delete: 1})(table)
        return dice.weighted({self.insert: 5, self.insert_select: 2, self.update: 5, self.delete: 2, self.joined: 2})(table)

    def transaction(self, table):
        """The statements of one transaction, with savepoints, that ends one way or the other."""
        dice, steps = self.dice, ["BEGIN"]
        for at in range(dice.randint(1, 3)):
            steps.append(f"SAVEPOINT s{at}")
            steps.append(self.change(table))
            if dice.chance(40):
                steps.append(f"ROLLBACK TO s{dice.randint(0, at)}")
            if dice.chance(10):
                steps.append(f"RELEASE SAVEPOINT s{dice.randint(0, at)}")
        return [Node(step) for step in [*steps, dice.one_of("COMMIT", "ROLLBACK")]]

    def alter(self, table):
        """Changes the table's description as if the statement succeeds; where it does not, later ones fail alike on both sides."""
        dice = self.dice
        column = dice.choice([c for c in table.columns if c.name not in ("id", "parent_id")] or table.columns)
        form = dice.randint(0, 8)
        other = values.column_type(dice)
        if form == 0:
            fresh = Column(f"n{dice.randint(1, 99)}", other)
            table.columns.append(fresh)
            what = Node(f"ADD COLUMN {fresh.name} {other.sql}", Optional(dice.one_of(" NOT NULL", " FIRST", f" AFTER {column.name}")))
        elif form == 1 and len(table.columns) > 2:
            table.columns.remove(column)
            what = Node(f"DROP COLUMN {column.name}")
        elif form in (2, 3, 4):
            table.columns[table.columns.index(column)] = Column(column.name, other)
            what = Node(f"MODIFY {column.name} {other.sql}", Optional(dice.one_of(" NOT NULL", " NULL", " DEFAULT '1'")))
        elif form == 5:
            table.columns[table.columns.index(column)] = Column(f"{column.name}r", column.type)
            what = Node(f"RENAME COLUMN {column.name} TO {column.name}r")
        elif form == 6:
            what = Node(f"ADD {dice.one_of('', 'UNIQUE ')}KEY ka ({column.name}{'(3)' if column.type.is_long else ''})")
        elif form == 7:
            what = Node(f"DROP KEY k{dice.randint(0, 1)}")
        else:
            what = Node(f"ALTER COLUMN {column.name} SET DEFAULT ", Expression(dice.choice(values.LITERALS[column.type.family][:6])))
        return Node(f"ALTER TABLE {table.name} ", what)

    def mode(self):
        return Node(f"SET sql_mode = '{self.dice.choice(MODES)}'")
