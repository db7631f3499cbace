"""A variant's flight recorder: every movement with what brought it, who, the shop's count and what could be sold
before and after; a chart, and a table for spreadsheets.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from crossdock.store.models import Movement, Seller, Variant
from crossdock.usecases.record.rights import theirs
from crossdock.usecases.stock.queries import left_around, moves_of
from crossdock.web import streams
from crossdock.web.forms import typed
from crossdock.web.seller.listings import MOVEMENT_WORDS
from crossdock.web.seller.panel import sellers_only, show
from crossdock.web.storefront.browse import number_after

PAGE = 50
CHART = 120
CSV_PAGE = 1000
COLUMNS = (
    "at",
    "movement",
    "cause",
    "event",
    "order",
    "who",
    "units",
    "shop_count_before",
    "shop_count_after",
    "sellable_before",
    "sellable_after",
)
WORDS = {
    **MOVEMENT_WORDS,
    "limits": "Limits changed",
    "agreed": "The shop's count was agreed to",
    "asked_short": "Asked at checkout: too few",
    "unanswered": "Asked at checkout: no answer",
    "part_rejected": "Part of an order rejected",
}
# What is filtered by, and which movements belong to it.
KINDS = {
    "": ("Everything", ()),
    "shop": ("Counts of the shop", ("shop_count", "hint", "refused", "asked_short", "unanswered")),
    "sold": ("Orders", ("sold", "fenced", "shipped", "part_rejected", "hold_ended_read", "hold_ended_shipped_here")),
    "held": ("Checkouts and offers", ("held", "hold_ended_expired")),
    "by_you": ("By you", ("set_aside", "confirmed", "correction", "edited", "limits", "agreed", "made")),
}
EVENTS = {
    "read": "read no.",
    "command": "our command no.",
    "delivery": "webhook no.",
    "checkout": "asked for the checkout",
}
# Holds are named by machines; the name itself stays in the spreadsheet.
HOLDS = {"checkout": "a buyer's checkout", "offer": "an accepted offer"}


@dataclass(frozen=True, slots=True)
class Line:
    """`before` is what could be sold before it: what the movement before it left."""

    move: Movement
    words: str
    cause: str
    event: str
    before: int | None


def _variant(seller: Seller, listing: str, public_id: str) -> Variant:
    found = theirs(Variant, seller).select_related("listing", "connection")
    return get_object_or_404(found, listing__public_id=listing, public_id=public_id)


def _moves(variant: Variant, kind: str) -> QuerySet[Movement]:
    rows = moves_of([variant])
    kinds = KINDS[kind][1]
    return rows.filter(kind__in=kinds) if kinds else rows


def _lines(variant: Variant, moves: Sequence[Movement]) -> list[Line]:
    """Newest first. What was left before each is read beside them, since a filter hides the movement that left it."""
    if not moves:
        return []
    left, eldest = left_around(variant, newest=moves[0].pk, eldest=moves[-1].pk)
    order = sorted(left)
    before = {pk: left[order[place - 1]] if place else eldest for place, pk in enumerate(order)}
    return [
        Line(move, WORDS.get(move.kind, move.kind.replace("_", " ")), _cause(move), _event(move), before[move.pk])
        for move in moves
    ]


def _cause(move: Movement) -> str:
    what, colon, _ = move.cause.partition(":")
    return HOLDS.get(what, move.cause) if colon else move.cause


def _event(move: Movement) -> str:
    what, _, which = move.event.partition(":")
    return f"{EVENTS[what]} {which}" if what in EVENTS else move.event


@dataclass(frozen=True, slots=True)
class Chart:
    """Two step lines of the last movements, in a box of 600 by 140. Empty lines where nothing is known."""

    shop: str
    here: str
    most: int
    first: datetime
    last: datetime


def chart_of(moves: Sequence[Movement]) -> Chart | None:
    """`moves` oldest first. None when there is nothing to draw: fewer than two points."""
    points: list[tuple[int | None, int | None]] = []
    count: int | None = None
    for move in moves:
        count = move.count_after if move.kind in ("shop_count", "made", "edited", "confirmed") else count
        points.append((count, move.left))
    known = [number for point in points for number in point if number is not None]
    if len(points) < 2 or not known:
        return None
    low, most = min(0, *known), max(1, *known)

    def path(which: int) -> str:
        steps: list[str] = []
        for place, point in enumerate(points):
            number = point[which]
            if number is not None:
                x, y = 600 * place / (len(points) - 1), 135 - 130 * (number - low) / (most - low)
                steps.append(f"H{x:.1f}V{y:.1f}" if steps else f"M{x:.1f} {y:.1f}")
        return "".join(steps)

    return Chart(path(0), path(1), most, moves[0].at, moves[-1].at)


@sellers_only
@require_safe
def page(request: HttpRequest, seller: Seller, public_id: str, variant: str) -> HttpResponse:
    found = _variant(seller, public_id, variant)
    kind = typed(request.GET, "kind", longest=10)
    kind = kind if kind in KINDS else ""
    rows, after = _moves(found, kind), number_after(request)
    if after is not None:
        rows = rows.filter(pk__lt=after)
    moves = list(rows[: PAGE + 1])
    latest = list(_moves(found, "")[:CHART])[::-1]
    context = {
        "variant": found,
        "listing": found.listing,
        "lines": _lines(found, moves[:PAGE]),
        "kind": kind,
        "chart": chart_of(latest),
        "drawn": len(latest),
        "kinds": [(name, words) for name, (words, _) in KINDS.items()],
        "next_after": moves[PAGE - 1].pk if len(moves) > PAGE else None,
    }
    return show(request, seller, "recorder", context, here="listings")


def _pages(variant: Variant, kind: str) -> Iterator[Iterator[tuple[object, ...]]]:
    rows, after = _moves(variant, kind), None
    while True:
        moves = list((rows if after is None else rows.filter(pk__lt=after))[:CSV_PAGE])
        yield map(_row, _lines(variant, moves))
        if len(moves) < CSV_PAGE:
            return
        after = moves[-1].pk


def _row(line: Line) -> tuple[object, ...]:
    move = line.move
    return (
        move.at.isoformat(),
        line.words,
        move.cause,
        line.event,
        f"#{move.order.number}" if move.order else "",
        move.actor,
        move.quantity,
        move.count_before,
        move.count_after,
        line.before,
        move.left,
    )


@sellers_only
@require_safe
def as_csv(request: HttpRequest, seller: Seller, public_id: str, variant: str) -> StreamingHttpResponse:
    found = _variant(seller, public_id, variant)
    kind = typed(request.GET, "kind", longest=10)
    pages = _pages(found, kind if kind in KINDS else "")
    return streams.as_csv(request, f"stock-{found.public_id}.csv", COLUMNS, pages)
