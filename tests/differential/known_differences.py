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
    Known("flags, decimals and lengths of computed columns are those of their type; MySQL has rules for each function",
          "(prepared )?computed column (flags .*|decimals|length)"),
    Known("columns that are part of a key lack PART_KEY_FLAG", "(prepared )?column flags 0x4000"),
]


def reason(statement, difference) -> str:
    """Why this difference is not reported; empty when it is not known."""
    return next((entry.reason for entry in ACCEPTED + OPEN if entry.holds(statement, difference)), "")
