"""The list of orders: queues and tabs of one's own, filters, search. What is shown is all in the address."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from crossdock.domain.daily.bulk import CHOICES, MOST
from crossdock.domain.daily.filters import (
    DUE_WORDS,
    NAMES,
    NO_SHOP,
    QUEUE_WORDS,
    RISK_WORDS,
    OrderFilter,
    read,
)
from crossdock.domain.values import Money
from crossdock.store.models import Connection, OrderView, Seller
from crossdock.usecases.orders.daily.bulk import how_many
from crossdock.usecases.orders.daily.notes import tags_of, tags_on, with_notes
from crossdock.usecases.orders.daily.order_list import MOST_COUNTED, counts_of, in_list, queues
from crossdock.usecases.orders.daily.views import LONGEST_NAME, forget_view, keep_view, views_of
from crossdock.usecases.record.rights import theirs
from crossdock.web.forms import country_choices, currency_choices, typed
from crossdock.web.people import signed_in
from crossdock.web.seller.order_deeds import CARRIERS
from crossdock.web.seller.panel import sellers_only, show, try_it
from crossdock.web.storefront.browse import number_after

PAGE = 40
# Four texts of a hundred letters, each of which may take twelve signs of an address; keep_view says what is too long.
LONGEST_SENT = 5000


def chosen(request: HttpRequest, seller: Seller) -> tuple[OrderFilter, list[str]]:
    """What the address asks for, and what was typed there and means nothing."""
    return _read(request.GET, seller)


def from_address(query: str, seller: Seller) -> OrderFilter:
    """What a kept address chooses, as its page reads it; what is not understood any more chooses nothing."""
    return _read(QueryDict(query), seller)[0]


def _read(values: QueryDict, seller: Seller) -> tuple[OrderFilter, list[str]]:
    return read({name: typed(values, name) for name in NAMES}, currency=seller.currency)


@dataclass(frozen=True, slots=True)
class Tab:
    words: str
    query: str
    count: str
    here: bool
    hot: bool = False
    view: OrderView | None = None


@dataclass(frozen=True, slots=True)
class Chip:
    """A part of the filter in words, and the address of the list without it."""

    words: str
    query: str


def _tabs(request: HttpRequest, seller: Seller, wanted: OrderFilter) -> tuple[list[Tab], OrderView | None]:
    """Queues, then tabs of one's own; and which of these is shown."""
    now, views = timezone.now(), list(views_of(seller=seller, person=signed_in(request)))
    counts = queues(seller=seller, now=now)
    kept = [from_address(view.address, seller) for view in views]
    found = counts_of(seller=seller, wanted=kept, now=now)
    # One that chooses something else today than it did is known by its name in the address alone.
    named = typed(request.GET, "tab", longest=20)
    shown = next((view for view in views if view.public_id == named or view.address == wanted.address), None)
    tabs = [
        Tab(
            words,
            f"queue={name}",
            str(counts[name]),
            name == wanted.queue and shown is None,
            bool(counts[name]) and name in ("overdue", "needs_attention"),
        )
        for name, words in QUEUE_WORDS.items()
    ]
    tabs += [
        Tab(
            view.name,
            _to_tab(view, now_chooses),
            f"{n - 1}+" if n == MOST_COUNTED else str(n),
            view == shown,
            view=view,
        )
        for view, n, now_chooses in zip(views, found, kept, strict=True)
    ]
    return tabs, shown


def _to_tab(view: OrderView, chooses: OrderFilter) -> str:
    return view.address if chooses.address == view.address else f"{view.address}&tab={view.public_id}"


def _chips(wanted: OrderFilter, shops: list[Connection]) -> list[Chip]:
    names = {shop.public_id: shop.name for shop in shops} | {NO_SHOP: "no shop"}
    words = {
        "words": f"“{wanted.words}”",
        "shop": names.get(wanted.shop, "another shop"),
        "risk": RISK_WORDS.get(wanted.risk, ""),  # type: ignore[call-overload]
        "country": f"to {dict(country_choices()).get(wanted.country, wanted.country)}",
        "carrier": f"sent by {wanted.carrier}",
        "due": DUE_WORDS.get(wanted.due, ""),  # type: ignore[call-overload]
        "tag": f"tagged {wanted.tag}",
        "amount": _amount(wanted),
    }
    return [Chip(words[part], wanted.without(part).address) for part in wanted.parts]


def _amount(wanted: OrderFilter) -> str:
    low, high = (None if minor is None else Money(minor, wanted.currency).words for minor in (wanted.low, wanted.high))
    if low and high:
        return f"{low} to {high}"
    return f"{low} and more" if low else f"up to {high}"


@sellers_only
@require_safe
def table(request: HttpRequest, seller: Seller) -> HttpResponse:
    wanted, wrong = chosen(request, seller)
    now = timezone.now()
    found = in_list(seller=seller, wanted=wanted, now=now, after=number_after(request), limit=PAGE + 1)
    shops = list(theirs(Connection, seller).order_by("pk"))
    tabs, view = _tabs(request, seller, wanted)
    context = {
        "orders": found[:PAGE],
        "next_after": found[PAGE - 1].pk if len(found) > PAGE else None,
        "wanted": wanted,
        "rest": [pair for pair in QueryDict(wanted.address).items() if pair[0] not in ("q", "queue")],
        "low": wanted.shown(wanted.low),
        "high": wanted.shown(wanted.high),
        "wrong": wrong,
        "queue_word": view.name if view else QUEUE_WORDS[wanted.queue],
        "tabs": tabs,
        "view": view,
        "changed": view is not None and view.address != wanted.address,
        "chips": _chips(wanted, shops),
        "shops": shops,
        "no_shop": NO_SHOP,
        "queues": QUEUE_WORDS.items(),
        "risks": RISK_WORDS.items(),
        "dues": DUE_WORDS.items(),
        "countries": country_choices(),
        "currencies": currency_choices(),
        "currency": wanted.currency or seller.currency,
        "carriers": CARRIERS,
        "known_tags": tags_of(seller=seller),
        "tags": tags_on(found[:PAGE]),
        "noted": with_notes(found[:PAGE]),
        "longest_name": LONGEST_NAME,
        "now": seller.clock(now),
        "deeds": [(kind.value, words) for kind, words in CHOICES.items()],
        "found": how_many(seller=seller, wanted=wanted, now=now)
        if len(found) > PAGE or number_after(request)
        else len(found),
        "most": MOST,
    }
    return show(request, seller, "orders", context, here="orders")


@sellers_only
@require_POST
def keep(request: HttpRequest, seller: Seller) -> HttpResponse:
    """The list becomes a tab; one that is kept already is renamed."""
    wanted = from_address(typed(request.POST, "wanted", longest=LONGEST_SENT), seller)
    actor, name = signed_in(request), typed(request.POST, "name")
    try_it(
        request,
        lambda now: keep_view(seller=seller, actor=actor, name=name, wanted=wanted, now=now),
        "Kept as a tab of your own.",
    )
    return redirect(f"{reverse('seller_orders')}?{wanted.address}")


@sellers_only
@require_POST
def forget(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    view = get_object_or_404(views_of(seller=seller, person=signed_in(request)), public_id=public_id)
    forget_view(view=view, actor=signed_in(request))
    messages.success(request, f"The tab “{view.name}” is removed. The orders are where they were.")
    return redirect(f"{reverse('seller_orders')}?{view.address}")
