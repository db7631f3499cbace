"""Many orders in one go: the ticked ones, or all that a list has. What would become of each is shown before anything
happens; the button then begins a run (runs.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from crossdock.domain.daily.bulk import BUTTONS, CHOICES, MOST, BulkKind, ForAll, ForOne
from crossdock.domain.pasted import PastedRow, Unreadable, rows_in
from crossdock.domain.shipping import plain
from crossdock.store.models import Order, Seller
from crossdock.usecases.errors import Problem
from crossdock.usecases.orders.daily import bulk
from crossdock.usecases.orders.daily.notes import tags_of, tags_on
from crossdock.usecases.orders.paste_tracking import meant
from crossdock.usecases.orders.reject import REASON_WORDS
from crossdock.web.forms import one_of, typed
from crossdock.web.seller.daily import label_prices
from crossdock.web.seller.daily.beginning import begin, form_key
from crossdock.web.seller.daily.lists import LONGEST_SENT, from_address
from crossdock.web.seller.order_deeds import CARRIERS
from crossdock.web.seller.panel import sellers_only, show

_LONGEST_PICKS = MOST * 20


@dataclass(frozen=True, slots=True)
class Seen:
    """An order as the page shows it, with what was typed for it."""

    judged: bulk.Judged
    said: ForOne
    tags: list[Any]


def _ids(request: HttpRequest) -> list[str]:
    """Boxes of a list, or the one field in which the page hands them on."""
    values = request.POST if request.method == "POST" else request.GET
    return [*values.getlist("pick"), *typed(values, "picks", longest=_LONGEST_PICKS).split()]


def _chosen(request: HttpRequest, seller: Seller) -> tuple[list[Order], bool]:
    """The orders, and whether the list has more than go into one run."""
    if request.method != "POST" and typed(request.GET, "which") == "all":
        wanted = from_address(typed(request.GET, "list", longest=LONGEST_SENT), seller)
        return bulk.listed(seller=seller, wanted=wanted, now=timezone.now())
    if request.method != "POST" and (run_id := typed(request.GET, "of", longest=20)):
        run = get_object_or_404(bulk.runs_of(seller), public_id=run_id)
        return bulk.picked(seller=seller, ids=bulk.undone_of(run)), False
    ids = _ids(request)
    found = bulk.picked(seller=seller, ids=ids)
    if len(found) < min(MOST, len(set(ids))):
        raise Http404("One of these orders is none of yours.")
    return found, False


def _each(values: QueryDict, orders: list[Order]) -> dict[str, ForOne]:
    """What was typed for each order; of a reject the amount that the page showed."""
    seen = dict(pair.split(":", 1) for pair in typed(values, "amounts", longest=MOST * 40).split() if ":" in pair)
    found = {}
    for order in orders:
        name, back = order.public_id, seen.get(order.public_id, "")
        number = typed(values, f"number-{name}", longest=120)
        carrier = typed(values, f"carrier-{name}", longest=80)
        found[name] = ForOne(number, carrier, int(back) if back.isdecimal() and len(back) < 18 else None)
    return found


def _filled(
    text: str, seller: Seller, orders: list[Order], each: Mapping[str, ForOne]
) -> tuple[dict[str, ForOne], list[str]]:
    """With the pasted numbers put where they belong, and sentences about the lines that belong nowhere."""
    found, wrong, mine = dict(each), list[str](), {order.public_id for order in orders}
    if not text.strip():
        # Enter in a number's field presses the first button, and a scanner ends each number with it.
        return found, wrong
    put: dict[str, PastedRow] = {}
    try:
        rows = rows_in(text)
    except Unreadable as problem:
        return found, [str(problem)]
    for row, fits in meant(seller=seller, rows=rows):
        fits = [order for order in fits if order.public_id in mine]
        if why := _why_nowhere(row, fits) or _why_not_twice(row, fits[0], put.get(fits[0].public_id)):
            wrong.append(f"Line {row.place}: {why}")
        else:
            put[fits[0].public_id] = row
            found[fits[0].public_id] = ForOne(row.tracking[:120], row.carrier[:80])
    return found, wrong


def _same_numbers(judged: list[bulk.Judged], each: Mapping[str, ForOne]) -> list[str]:
    """Sentences about tracking numbers that several orders have: one parcel, or a slip of the hand."""
    found: dict[str, list[Order]] = {}
    for one in judged:
        said = each.get(one.order.public_id, ForOne())
        if said.tracking and not one.why_not:
            found.setdefault(plain(said.tracking), []).append(one.order)
    return [
        f"{number} is the number of {', '.join(f'#{order.number}' for order in orders)}."
        for number, orders in found.items()
        if len(orders) > 1
    ]


def _why_nowhere(row: PastedRow, fits: list[Order]) -> str:
    if row.wrong:
        return row.wrong
    if not fits:
        return f"none of the orders below has the number {row.order}."
    return f"{row.order} is the number of two orders below." if len(fits) > 1 else ""


def _why_not_twice(row: PastedRow, order: Order, before: PastedRow | None) -> str:
    """An order ships whole here, so it has one number; the same one again is no other."""
    if before is None or plain(before.tracking) == plain(row.tracking):
        return ""
    return (
        f"#{order.number} has another number in line {before.place}, which is put in below. For an order in two"
        " parcels, ship it on its own page."
    )


@sellers_only
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, seller: Seller) -> HttpResponse:
    """POST fills pasted numbers in, or begins. What was typed stays, whatever is wrong."""
    values = request.POST if request.method == "POST" else request.GET
    kind = BulkKind(one_of(values, "deed", CHOICES, BulkKind.SHIP))
    orders, more = _chosen(request, seller)
    if not orders:
        messages.info(request, "Tick the orders first, then choose what to do with them.")
        back = from_address(typed(values, "list", longest=LONGEST_SENT), seller)
        return redirect(f"{reverse('seller_orders')}?{back.address}")
    if kind is BulkKind.PRICE:
        return label_prices.page(request, seller, orders, more=more)
    judged = bulk.judge(kind=kind, orders=orders)
    each = _each(values, orders) if request.method == "POST" else {}
    given = ForAll(typed(values, "carrier", longest=80), typed(values, "reason", longest=30), typed(values, "tag"))
    wrong, same = list[str](), list[str]()
    if request.method == "POST" and "fill" in request.POST:
        each, wrong = _filled(request.POST.get("pasted", ""), seller, orders, each)
        same = _same_numbers(judged, each)
    elif request.method == "POST" and (same := _same_numbers(judged, each)) and "together" not in request.POST:
        wrong = ["Say first whether the orders with the same number go in one parcel."]
    elif request.method == "POST":
        try:
            return begin(request, seller, kind=kind, judged=judged, given=given, each=each)
        except Problem as problem:
            wrong = [str(problem)]
    context = _context(request, seller, kind, judged, given, each)
    context |= {"same": same, "together": "together" in request.POST}
    context |= {"wrong": wrong, "more": more, "filled": "fill" in request.POST}
    status = 422 if wrong and "fill" not in request.POST else 200
    return show(request, seller, "bulk", context, here="orders", status=status)


def _context(
    request: HttpRequest,
    seller: Seller,
    kind: BulkKind,
    judged: list[bulk.Judged],
    given: ForAll,
    each: Mapping[str, ForOne],
) -> dict[str, Any]:
    good = [one for one in judged if not one.why_not]
    tags = tags_on([one.order for one in judged]) if kind in (BulkKind.TAG, BulkKind.UNTAG) else {}
    return {
        "kind": kind,
        "button": BUTTONS[kind],
        "rows": [
            Seen(one, each.get(one.order.public_id, ForOne()), tags.get(one.order.pk, []))
            for one in sorted(judged, key=lambda one: bool(one.why_not))
        ],
        "good": len(good),
        "skipped": len(judged) - len(good),
        "picks": " ".join(one.order.public_id for one in judged),
        "amounts": " ".join(f"{one.order.public_id}:{one.back.minor}" for one in good if one.back is not None),
        "sums": bulk.sums_of(one.back for one in good if one.back is not None),
        "given": given,
        "known_tags": tags_of(seller=seller),
        "reasons": [(item.value, words) for item, words in REASON_WORDS.items()],
        "carriers": CARRIERS,
        "pasted": request.POST.get("pasted", "") if "fill" in request.POST else "",
        "most": MOST,
        "key": form_key(request),
    }
