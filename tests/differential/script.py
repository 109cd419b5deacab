"""What one seed stands for: a script of statements, made without looking at any server."""
import dataclasses

from changes import Changes
from dice import Dice
from queries import Queries
from schemas import make_table, make_trigger, make_view
from tree import Node

DEFAULT_MODE_PERCENT = 55
LOG = "CREATE TABLE trigger_log (id INT AUTO_INCREMENT PRIMARY KEY, what VARCHAR(40), value VARCHAR(40))"


@dataclasses.dataclass(frozen=True)
class Statement:
    tree: Node
    kind: str  # definition, change, query, setting, look
    ordered: bool = False  # its rows come in one order
    prepared: bool = False  # through the binary protocol

    @property
    def text(self):
        return self.tree.text()

    @property
    def only_reads(self):
        return self.kind in ("query", "look")


def statement(kind, text, **more):
    return Statement(text if isinstance(text, Node) else Node(text), kind, **more)


class _Script:
    def __init__(self, seed, wide):
        self.dice, self.statements, self.tables = Dice(seed, wide), [], []

    def add(self, kind, text, **more):
        self.statements.append(statement(kind, text, **more))

    def queries(self, count):
        maker = Queries(self.dice, self.tables)
        for _ in range(count):
            query = maker.any()
            self.add("query", query.tree, ordered=query.ordered, prepared=self.dice.chance(25))

    def look(self, table):
        self.add("look", f"SHOW CREATE {'VIEW' if table.is_view else 'TABLE'} {table.name}")
        self.add("look", f"SELECT * FROM {table.name}")

    def schema(self):
        dice = self.dice
        for at in range(dice.randint(1, 3)):
            table, text = make_table(dice, f"a{at}", self.tables)
            self.add("definition", text)
            self.add("look", f"SHOW CREATE TABLE {table.name}")
            self.tables.append(table)
            changes = Changes(dice, [table])
            for _ in range(dice.randint(1, 4)):
                self.add("change", changes.insert(table, verb="INSERT IGNORE INTO" if dice.chance(60) else None))
        if dice.chance(25):
            view, text = make_view(dice, "v0", dice.choice(self.tables))
            self.add("definition", text)
            self.tables.append(view)
            self.look(view)

    def triggers(self):
        if not self.dice.chance(15):
            return
        self.add("definition", LOG)
        table = self.dice.choice([table for table in self.tables if not table.is_view])
        for _ in range(self.dice.randint(1, 2)):
            self.add("definition", make_trigger(self.dice, table, "trigger_log"))

    def changes(self):
        dice = self.dice
        changes = Changes(dice, self.tables)
        for _ in range(dice.randint(1, 5)):
            table = dice.choice(self.tables)
            if dice.chance(10):
                for step in changes.transaction(table):
                    self.add("change", step)
            elif dice.chance(12) and not table.is_view:
                self.add("definition", changes.alter(table))
                self.add("look", f"SHOW CREATE TABLE {table.name}")
            else:
                self.add("change", changes.change(table))
            self.add("look", f"SELECT * FROM {table.name}")


def make_script(seed, wide=False) -> list:
    """`wide`: see README.md."""
    script = _Script(seed, wide)
    dice = script.dice
    if not dice.chance(DEFAULT_MODE_PERCENT):
        script.add("setting", Changes(dice, []).mode())
    if dice.chance(25):  # functions over literals, no tables
        script.queries(20)
        return script.statements
    script.schema()
    script.queries(dice.randint(3, 10))
    script.triggers()
    script.changes()
    script.queries(dice.randint(3, 8))
    for table in script.tables:
        script.add("look", f"SELECT * FROM {table.name}")
    return script.statements
