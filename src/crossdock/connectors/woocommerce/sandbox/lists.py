"""How the simulated shop filters, sorts and cuts a list.

What it does not know it ignores; a page beyond the end is empty, not an error.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from aiohttp import web

from crossdock.connectors.woocommerce.sandbox import shapes

Doc = dict[str, Any]
ORDER_BY = ("date", "id", "include", "title", "slug", "modified")


class Failed(Exception):
    """An error in WordPress's own form."""

    def __init__(self, status: int, code: str, message: str, **data: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"code": code, "message": message, "data": {"status": status, **data}}


class Listed(list[Doc]):
    """A page with what the X-WP headers say."""

    total, pages = 0, 0

    def map(self, show: Callable[[Doc], Doc]) -> "Listed":
        shown = Listed(show(doc) for doc in self)
        shown.total, shown.pages = self.total, self.pages
        return shown


def cut(request: web.Request, docs: list[Doc]) -> Listed:
    """Filter, sort and cut as the parameters that are known say. A page beyond the end is empty, not an error."""
    query = request.query
    per_page, page, offset = (
        _number(query.get("per_page"), 10),
        _number(query.get("page"), 1),
        _number(query.get("offset"), 0),
    )
    if not 1 <= per_page <= 100:
        detail = "per_page must be between 1 (inclusive) and 100 (inclusive)"
        raise Failed(400, "rest_invalid_param", "Invalid parameter(s): per_page", params={"per_page": detail})
    order_by, descending = query.get("orderby", "date"), query.get("order", "desc") == "desc"
    if order_by not in ORDER_BY:
        raise Failed(
            400,
            "rest_invalid_param",
            "Invalid parameter(s): orderby",
            params={"orderby": "orderby is not one of them."},
        )
    in_gmt = query.get("dates_are_gmt", "false") in ("true", "1")
    for name, field, keeps in (("after", "created", _later), ("modified_after", "modified", _later)):
        if limit := query.get(name):
            docs = [doc for doc in docs if keeps(doc[field], limit, in_gmt)]
    if included := {part for part in query.get("include", "").split(",") if part}:
        docs = [doc for doc in docs if str(doc["id"]) in included]
    sorted_by = {"date": "created", "modified": "modified"}.get(order_by)
    docs.sort(
        key=lambda doc: (_second(doc[sorted_by]) if sorted_by else datetime.min.replace(tzinfo=UTC), doc["id"]),
        reverse=descending,
    )
    start = offset if "offset" in query else (page - 1) * per_page
    found = Listed(docs[start : start + per_page])
    found.total, found.pages = len(docs), -(-len(docs) // per_page)
    return found


def _later(moment: str, limit: str, in_gmt: bool) -> bool:
    """Dates have whole seconds, and "after" excludes its own.

    Without `dates_are_gmt` the limit is on the shop's wall clock.
    """
    return _second(moment) > _limit(limit, in_gmt)


@lru_cache(maxsize=100)
def _limit(text: str, in_gmt: bool) -> datetime:
    given = datetime.fromisoformat(text)
    return given if given.tzinfo else given.replace(tzinfo=UTC if in_gmt else shapes.SITE_TIME)


# More than a big shop has dates: a cache that is one too small for a whole pass remembers nothing.
@lru_cache(maxsize=1_000_000)
def _second(moment: str) -> datetime:
    return datetime.fromisoformat(moment).astimezone(UTC).replace(microsecond=0)


def _number(text: str | None, default: int) -> int:
    return int(text) if text is not None and text.lstrip("-").isdigit() else default
