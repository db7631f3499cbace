"""What an answer of the simulated API is made of: ids, money, connections that slice, a field without its scope."""

import base64
import re
from collections.abc import Callable, Sequence
from typing import Any

from graphql import GraphQLError

Fields = dict[str, Any]
LONGEST_PAGE = 250


def gid(kind: str, id: str) -> str:
    return f"gid://shopify/{kind}/{id}"


def number(global_id: str, kind: str) -> str:
    found = re.fullmatch(rf"gid://shopify/{kind}/(\d+)", global_id)
    if found is None:
        raise GraphQLError(f"Invalid global id '{global_id}'")
    return found[1]


def connection(
    items: Sequence[Fields], first: int | None, after: str | None, build: Callable[[Fields], Fields] = dict
) -> Fields:
    """Relay's slicing. Each item carries its cursor's text under "cursor"; only those of the page are built."""
    if first is None:
        raise GraphQLError("you must provide one of first or last")
    if not 0 <= first <= LONGEST_PAGE:
        raise GraphQLError(f"first cannot exceed {LONGEST_PAGE}")
    start = 0
    if after:
        mark = base64.b64decode(after).decode()
        start = next((place + 1 for place, item in enumerate(items) if item["cursor"] == mark), None) or _later(
            items, mark
        )
    part = items[start : start + first]
    end = base64.b64encode(part[-1]["cursor"].encode()).decode() if part else None
    return {
        "nodes": [build(item) for item in part],
        "pageInfo": {"hasNextPage": start + len(part) < len(items), "endCursor": end},
    }


def _later(items: Sequence[Fields], mark: str) -> int:
    """The item of the cursor moved away: go on behind the place where it was."""
    return next((place for place, item in enumerate(items) if item["cursor"] > mark), len(items))


def sliced(items: Callable[[], Sequence[Fields]]) -> Callable[..., Fields]:
    return lambda info, first=None, after=None, **_: connection(items(), first, after)


def money(amount: object, currency: str) -> Fields:
    return {"shopMoney": {"amount": str(amount), "currencyCode": currency}}


def denied(field: str, scope: str) -> Callable[..., Any]:
    def refuse(*_: Any, **__: Any) -> Any:
        need = f"`{scope}` access scope."
        raise GraphQLError(
            f"Access denied for {field} field. Required access: {need}",
            extensions={"code": "ACCESS_DENIED", "requiredAccess": need},
        )

    return refuse
