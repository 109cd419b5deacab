"""Makes a script that shows a difference smaller while it still shows that difference."""
import dataclasses
import time


def shrink(statements, signature, still_differs, seconds):
    """`statements` ends with the one that differs; `still_differs(statements)` gives the signature of the last one's difference, or None."""
    deadline = time.monotonic() + seconds

    def good(candidate):
        return time.monotonic() < deadline and still_differs(candidate) == signature

    *before, last = statements
    for kinds in ((), ("setting",), ("setting", "definition"), ("setting", "definition", "change")):
        fewer = [each for each in before if each.kind in kinds]
        if len(fewer) < len(before) and good([*fewer, last]):
            before = fewer
            break
    last = _simplest(last, lambda variant: good([*before, variant]))
    before = _fewest(before, lambda fewer: good([*fewer, last]))
    for at in range(len(before) - 1, -1, -1):
        before[at] = _simplest(before[at], lambda variant: good([*before[:at], variant, *before[at + 1:], last]))
    last = _simplest(last, lambda variant: good([*before, variant]))
    return [*before, last]


def _fewest(statements, good):
    size = max(1, len(statements) // 2)
    while True:
        at = 0
        while at < len(statements):
            fewer = statements[:at] + statements[at + size:]
            if good(fewer):
                statements = fewer
            else:
                at += size
        if size == 1:
            return list(statements)
        size //= 2


def _simplest(statement, good):
    found = True
    while found:
        found = False
        length = len(statement.text)
        for tree in statement.tree.variants():
            if len(tree.text()) < length and good(variant := dataclasses.replace(statement, tree=tree)):
                statement, found = variant, True
                break
    return statement
