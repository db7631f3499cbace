"""A connector's file of GraphQL operations: each is sent with just the fragments that it needs, since a server checks
(and bills) the whole request.
"""

import re
from collections.abc import Mapping

_COMMENT = re.compile(r"^[ \t]*#.*\n", flags=re.M)
_BEGIN = re.compile(r"^(?=query |mutation |fragment )", flags=re.M)


def parts_of(text: str) -> dict[str, str]:
    """Operations and fragments by their names. Each begins at the start of a line."""
    parts = (part.strip() for part in _BEGIN.split(_COMMENT.sub("", text)))
    return {match[1]: part for part in parts if (match := re.match(r"\w+ (\w+)", part))}


def whole(text: str, parts: Mapping[str, str]) -> str:
    """`text` followed by the fragments that it spreads, and those that these spread."""
    needed: list[str] = []
    waiting = re.findall(r"\.\.\.(\w+)", text)
    while waiting:
        if (fragment := waiting.pop()) not in needed:
            needed.append(fragment)
            waiting += re.findall(r"\.\.\.(\w+)", parts[fragment])
    return "\n".join([text, *(parts[fragment] for fragment in sorted(needed))])
