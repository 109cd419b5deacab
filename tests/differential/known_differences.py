"""Differences that are known: accepted ones, each with its reason, and open ones, each with its cause.

An entry holds where all of its patterns are found: in what differs (`aspect`), in what each side says, and in the statement. As narrow as can
be: what an entry takes in is not looked at.
"""
import dataclasses
import re


@dataclasses.dataclass(frozen=True)
class Known:
    reason: str
    aspect: str
    ours: str = ""
    theirs: str = ""
    statement: str = ""

    def holds(self, statement, difference):
        return all(re.search(pattern, text, re.IGNORECASE | re.DOTALL)
                   for pattern, text in ((f"^(?:{self.aspect})$", difference.aspect), (self.ours, difference.ours), (self.theirs, difference.theirs), (self.statement, statement)))


ACCEPTED = [
]

OPEN = [
]


def reason(statement, difference) -> str:
    """Why this difference is not reported; empty when it is not known."""
    return next((entry.reason for entry in ACCEPTED + OPEN if entry.holds(statement, difference)), "")
