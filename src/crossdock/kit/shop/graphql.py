"""GraphQL shops: a file of operations, what its answers call errors, and connections of many pages.

Each operation is sent with just the fragments that it needs, since a server checks (and bills) the whole request.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files

from crossdock.kit import text
from crossdock.kit.errors import Strange
from crossdock.kit.json_node import Node, node_of

_COMMENT = re.compile(r"^[ \t]*#.*\n", flags=re.M)
_BEGIN = re.compile(r"^(?=query |mutation |subscription |fragment )", flags=re.M)


def load(package: str) -> dict[str, str]:
    """The operations and fragments of a package's documents.graphql."""
    return parts_of(files(package).joinpath("documents.graphql").read_text("utf-8"))


def parts_of(document: str) -> dict[str, str]:
    """Operations and fragments by their names. Each begins at the start of a line."""
    parts = (part.strip() for part in _BEGIN.split(_COMMENT.sub("", document)))
    return {match[1]: part for part in parts if (match := re.match(r"\w+ (\w+)", part))}


def operations(package: str) -> dict[str, str]:
    """Those of a package, each as it is sent."""
    parts = load(package)
    return {name: whole(part, parts) for name, part in parts.items() if not part.startswith("fragment")}


def whole(operation: str, parts: Mapping[str, str]) -> str:
    """`operation` followed by the fragments that it spreads, and those that these spread."""
    needed: list[str] = []
    waiting = re.findall(r"\.\.\.(\w+)", operation)
    while waiting:
        if (fragment := waiting.pop()) not in needed:
            needed.append(fragment)
            waiting += re.findall(r"\.\.\.(\w+)", parts[fragment])
    return "\n".join([operation, *(parts[fragment] for fragment in sorted(needed))])


@dataclass(frozen=True, slots=True)
class Problem:
    """One entry of an answer's `errors`. `path` leads to the field of our document that failed; `code` is None where
    the server's own description of the error cannot be read.
    """

    message: str
    code: str | None
    path: tuple[str, ...]
    extensions: Node

    @property
    def place(self) -> str:
        return ".".join(self.path)


def problems(answer: Node) -> list[Problem]:
    return [_problem(error) for error in answer.opt_list("errors") or []]


def _problem(error: Node) -> Problem:
    path, extensions = error.raw("path"), error.raw("extensions")
    known = extensions is None or isinstance(extensions, dict)
    described = node_of(extensions or {} if known else {}, "extensions")
    return Problem(
        text.label(error.text("message"), 300) or "no message",
        described.text("code") if known else None,
        tuple(map(str, path)) if isinstance(path, list) else (),
        described,
    )


async def connected(page: Node, more: Callable[[str], Awaitable[Node | None]]) -> list[Node]:
    """All nodes of a connection that is longer than its first page. `more` reads the page after a cursor; None when
    its owner is gone.
    """
    nodes, ends = page.list("nodes"), list[str]()
    while (after := further(page, ends)) and (again := await more(after)) is not None:
        page = again
        nodes += page.list("nodes")
    return nodes


def further(page: Node, ends: list[str]) -> str:
    """Where a connection goes on, "" at its end. One that goes on where it was before would never end."""
    info = page.child("pageInfo")
    if not info.bool("hasNextPage"):
        return ""
    after = info.str("endCursor")
    if after in ends or not after:
        raise Strange(f"{info.path}.endCursor", "next page", after)
    ends.append(after)
    return after
