"""Is what clients did to one register possible if each operation took effect at one moment between its start and its end?

Wing and Gong's search, with Lowe's memory of what was tried: take any operation that may come first (none had ended before it began),
apply it to the register, go on; step back where nothing fits. Operations whose outcome nobody knows may take effect at any later time, or
never. Written values are unique, but the search does not need that.
"""
import dataclasses

ABSENT = None


@dataclasses.dataclass
class Call:
    kind: str  # "read", "write" or "cas"
    value: object  # read: what came back; write: what was written; cas: (expected, new)
    start: float
    end: float = None  # None: no answer ever came
    took: bool = True  # cas: whether the answer said that it changed the register

    def apply(self, state):
        """(whether the answer is right in this state, the state after it)"""
        if self.kind == "read":
            return self.value == state, state
        if self.kind == "write":
            return True, self.value
        matches = self.value[0] == state
        if self.end is None:
            return True, self.value[1] if matches else state
        return matches == self.took, self.value[1] if matches else state


def explain(calls, initial=ABSENT) -> list:
    """An order of the calls that have answers (and those without that it takes) which explains all; None when there is none."""
    calls = sorted((c for c in calls if c.end is not None or c.kind != "read"), key=lambda c: c.start)
    answered = frozenset(i for i, c in enumerate(calls) if c.end is not None)
    tried, order = set(), []
    # A stack of generators of what may come next.
    stack = [_candidates(calls, frozenset(), initial)]
    states = [(frozenset(), initial)]
    while True:
        if answered <= states[-1][0]:
            return [calls[i] for i in order]
        step = next(stack[-1], None)
        if step is None:
            stack.pop()
            states.pop()
            if not stack:
                return None
            order.pop()
            continue
        done, state = states[-1][0] | {step[0]}, step[1]
        if (done, state) not in tried:
            tried.add((done, state))
            order.append(step[0])
            states.append((done, state))
            stack.append(_candidates(calls, done, state))


def _candidates(calls, done, state):
    """(call, state after it) of all calls that may take effect next: no other call had ended before they began."""
    earliest_end = min((c.end for i, c in enumerate(calls) if i not in done and c.end is not None), default=float("inf"))
    for i, call in enumerate(calls):
        if call.start > earliest_end:
            return
        if i not in done:
            fits, after = call.apply(state)
            if fits:
                yield i, after
