"""Statements as trees, so that a failing one can be made smaller.

A generator builds a statement from nodes; text() is its SQL. variants() gives every tree that is one step simpler: an optional part
left out, an element of a list, a row or a column of a matrix dropped, an expression replaced by one of its own parts or by a literal.
Trees are immutable: a variant shares what it does not change.
"""


class Node:
    """Parts in their order: strings and nodes."""

    def __init__(self, *parts):
        self.parts = parts

    def text(self) -> str:
        return "".join(part if isinstance(part, str) else part.text() for part in self.parts)

    def simpler(self):
        """Trees that may stand in this node's place; only those with a shorter text are tried."""
        return ()

    def with_parts(self, parts):
        return type(self)(*parts)

    def variants(self):
        yield from self.simpler()
        for at, part in enumerate(self.parts):
            if isinstance(part, Node):
                for variant in part.variants():
                    yield self.with_parts((*self.parts[:at], variant, *self.parts[at + 1:]))


class Optional(Node):
    """A clause that a statement is whole without."""

    def simpler(self):
        yield Node()


class Many(Node):
    """A list with a separator, of at least `least` elements."""

    def __init__(self, items, separator=", ", least=1):
        super().__init__(*items)
        self.separator, self.least = separator, least

    def text(self):
        return self.separator.join(part if isinstance(part, str) else part.text() for part in self.parts)

    def with_parts(self, parts):
        return Many(parts, self.separator, self.least)

    def simpler(self):
        size = len(self.parts)
        if size >= 4 and size // 2 >= self.least:
            yield self.with_parts(self.parts[:size // 2])
            yield self.with_parts(self.parts[size // 2:])
        if size > self.least:
            for at in range(size):
                yield self.with_parts(self.parts[:at] + self.parts[at + 1:])


class Expression(Node):
    """What has a value. A part that is an expression itself may take its place."""

    def simpler(self):
        yield from (part for part in self.parts if isinstance(part, Expression))
        yield from (Node(literal) for literal in ("1", "NULL", "'a'"))


class Matrix(Node):
    """`(columns) VALUES rows`: a column goes from the names and from every row."""

    def __init__(self, names, rows):
        super().__init__(*[cell for row in rows for cell in row])
        self.names, self.rows = tuple(names), tuple(map(tuple, rows))

    def text(self):
        rows = ", ".join("(" + ", ".join(c if isinstance(c, str) else c.text() for c in row) + ")" for row in self.rows)
        return f"({', '.join(self.names)}) VALUES {rows}"

    def with_parts(self, parts):
        width = len(self.names)
        return Matrix(self.names, [parts[at:at + width] for at in range(0, len(parts), width)] if width else self.rows)

    def simpler(self):
        if len(self.rows) >= 4:
            yield Matrix(self.names, self.rows[:len(self.rows) // 2])
            yield Matrix(self.names, self.rows[len(self.rows) // 2:])
        if len(self.rows) > 1:
            for at in range(len(self.rows)):
                yield Matrix(self.names, self.rows[:at] + self.rows[at + 1:])
        if len(self.names) > 1:
            for at in range(len(self.names)):
                yield Matrix(self.names[:at] + self.names[at + 1:], [row[:at] + row[at + 1:] for row in self.rows])
