"""What a case is judged by: the shop's last deliveries and calls about its subject, what we decided, and the stock's
movements, copied and blacked out.

Each item has a key, so that a seller sees the list before it is sent and can take single ones out.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version
from typing import Any

from django.db.models import Q, QuerySet

from crossdock.domain.capability import Manifest, Yes
from crossdock.domain.events import LookKind
from crossdock.domain.redact import redact_address, redact_text, redact_value
from crossdock.store.models import (
    Alert,
    Call,
    Command,
    Connection,
    Delivery,
    Exchange,
    Listing,
    Movement,
    Order,
    Seller,
    TimelineEntry,
    Variant,
)
from crossdock.store.vault import VaultLocked
from crossdock.usecases.shops.connect import access_of
from crossdock.usecases.support.evidence_rows import (
    call_of,
    command_of,
    delivery_of,
    entry_of,
    exchange_of,
    moment_text,
    movement_of,
)

FORMAT = "crossdock-case/1"
MOST_CALLS, MOST_POLLS, MOST_LOOSE, MOST_DELIVERIES, MOST_COMMANDS, MOST_MOVES, MOST_ENTRIES = (
    30,
    5,
    15,
    20,
    30,
    40,
    200,
)
MOST_LETTERS = 1_500_000
# Lists whose items carry a key; the page shows them in this order.
PARTS = ("calls", "exchanges", "deliveries", "commands", "timeline", "movements")


@dataclass(frozen=True, slots=True)
class Subject:
    """What a case is about. What an alert is about is the case's subject as well."""

    seller: Seller
    order: Order | None = None
    listing: Listing | None = None
    connection: Connection | None = None
    alert: Alert | None = None

    @property
    def shop(self) -> Connection | None:
        if self.connection is not None:
            return self.connection
        owner = self.order or self.listing
        return owner.connection if owner is not None else None


def subject_of(
    *,
    seller: Seller,
    order: Order | None = None,
    listing: Listing | None = None,
    connection: Connection | None = None,
    alert: Alert | None = None,
) -> Subject:
    if alert is not None:
        order, listing = order or alert.order, listing or alert.listing
        connection = connection or alert.connection
    return Subject(seller, order, listing, connection, alert)


def gather(
    *, subject: Subject, now: datetime, manifest: Manifest | None = None, only: Iterable[str] | None = None
) -> dict[str, Any]:
    """The evidence as it stands, blacked out. `only`: just the items with these keys, which somebody has seen."""
    found = _Found(subject)
    found.look()
    return _gathered(found, now=now, manifest=manifest, only=only)


def gather_calls(*, shop: Connection, about: str, key: str, now: datetime, manifest: Manifest | None) -> dict[str, Any]:
    """The same of the last calls of a shop about one entity of it; the call with this key is among them."""
    found = _Found(Subject(shop.seller, connection=shop))
    found.look_about(about, key)
    return _gathered(found, now=now, manifest=manifest, only=None)


def _gathered(
    found: "_Found", *, now: datetime, manifest: Manifest | None, only: Iterable[str] | None
) -> dict[str, Any]:
    subject = found.subject
    people = _people(found)
    chosen = None if only is None else set(only)
    evidence: dict[str, Any] = {
        "format": FORMAT,
        "taken_at": moment_text(now),
        "crossdock": version("crossdock"),
        "about": redact_value(_subject(subject), known=people),
        "shop": _shop(subject.shop, manifest) if subject.shop else None,
    }
    room = MOST_LETTERS
    for part in PARTS:
        kept = []
        for item in found.items(part):
            if chosen is not None and item["key"] not in chosen:
                continue
            item = _blacked_out(item, people)
            room -= len(json.dumps(item))
            if room < 0:
                break
            kept.append(item)
        evidence[part] = kept
    evidence["cut"] = room < 0
    kept_keys = {item["key"] for part in PARTS for item in evidence[part]}
    evidence["left_out"] = [] if chosen is None else [key for key in _keys(found) if key not in kept_keys]
    return evidence


def _keys(found: "_Found") -> list[str]:
    return [item["key"] for part in PARTS for item in found.items(part)]


@dataclass(slots=True)
class _Found:
    """The rows that belong to the subject, oldest first."""

    subject: Subject
    calls: list[Call] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    inside: dict[str, list[Exchange]] = field(default_factory=dict)
    deliveries: list[Delivery] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    timeline: list[TimelineEntry] = field(default_factory=list)
    movements: list[Movement] = field(default_factory=list)

    def look(self) -> None:
        order, shop = self.subject.order, self.subject.shop
        variants = self._variants()
        if shop is not None:
            self._look_there(shop, variants)
        self.commands = self._commands(shop, variants)
        if order is not None:
            self.timeline = list(order.timeline.order_by("-pk")[:MOST_ENTRIES])[::-1]
        moves = Movement.objects.filter(variant__in=variants).select_related("variant").order_by("-pk")
        self.movements = list(moves[:MOST_MOVES])[::-1] if variants else []

    def _variants(self) -> list[Variant]:
        if self.subject.order is not None:
            return [line.variant for line in self.subject.order.lines.select_related("variant")]
        return list(self.subject.listing.variants.order_by("pk")) if self.subject.listing else []

    def _look_there(self, shop: Connection, variants: list[Variant]) -> None:
        """Ids are only ids within their kind: order 1 and product 1 may stand in one shop."""
        order, listing = self.subject.order, self.subject.listing
        calls, loose = Call.objects.filter(party=shop.party_id), Exchange.objects.filter(party=shop.party_id, call="")
        deliveries = Delivery.objects.filter(party=shop.party_id)
        if order is not None:
            copy = getattr(order, "copy", None)
            id = copy.shop_order_id if copy else ""
            said = Q(news__looks__contains=[{"kind": LookKind.ORDER, "entity_id": id}]) if id else Q(pk=None)
            polled = calls.filter(_about([id]), operation__in=["order", "orders", "find"]) if id else calls.none()
            counted = calls.filter(_about([variant.shop_variant_id for variant in variants]), operation="counts")
            chosen = [
                *_last(calls.filter(subject=order.reference), MOST_CALLS),
                *_last(polled, MOST_POLLS),
                *_last(counted, MOST_POLLS),
            ]
            loose, deliveries = loose.filter(subject=order.reference), deliveries.filter(said)
        elif listing is not None:
            id = listing.shop_product_id
            ids = [variant.shop_variant_id for variant in variants]
            said = Q(news__looks__contains=[{"kind": LookKind.PRODUCT, "entity_id": id}])
            for variant_id in ids[:50]:
                said |= Q(news__hints__contains=[{"variant_id": variant_id}])
            read = Q(operation__in=["product", "products"]) & _about([id])
            chosen = _last(calls.filter(read | (Q(operation__in=["counts", "adjust"]) & _about(ids))), MOST_CALLS)
            loose, deliveries = loose.none(), deliveries.filter(said)
        else:
            chosen = _last(calls, MOST_CALLS)
        self._look_inside(shop, chosen, loose)
        self.deliveries = list(deliveries.order_by("-pk")[:MOST_DELIVERIES])[::-1]

    def look_about(self, about: str, key: str) -> None:
        """One entity of the shop, whatever it is, and one call."""
        shop = self.subject.shop
        assert shop is not None
        calls = Call.objects.filter(party=shop.party_id)
        chosen = [*calls.filter(key=key), *(_last(calls.filter(_about([about])), MOST_POLLS) if about else [])]
        self._look_inside(shop, chosen, Exchange.objects.none())

    def _look_inside(self, shop: Connection, chosen: list[Call], loose: QuerySet[Exchange]) -> None:
        self.calls = sorted({call.pk: call for call in chosen}.values(), key=lambda call: (call.at, call.pk))
        for row in Exchange.objects.filter(call__in=[call.key for call in self.calls]).order_by("at", "pk"):
            self.inside.setdefault(row.call, []).append(row)
        # Signing in is nobody's own call, and without it nothing can be played again.
        signs = Exchange.objects.filter(
            Q(request__contains='"password"') | Q(request__contains='"client_secret"'), party=shop.party_id, subject=""
        )
        newest = [*loose.order_by("-at", "-pk")[:MOST_LOOSE], *signs.order_by("-at")[:1]]
        self.exchanges = sorted({row.pk: row for row in newest}.values(), key=lambda row: row.pk)

    def _commands(self, shop: Connection | None, variants: list[Variant]) -> list[Command]:
        order = self.subject.order
        if order is not None:
            found = Command.objects.filter(
                subject__in=[order.reference, f"money:{order.reference}", f"risk:{order.reference}"]
            )
        elif shop is None:
            return []
        elif self.subject.listing is not None:
            ids = [variant.shop_variant_id for variant in variants]
            found = Command.objects.filter(party=shop.party_id, payload__variant_id__in=ids)
        else:
            found = Command.objects.filter(party=shop.party_id)
        return list(found.order_by("-pk")[:MOST_COMMANDS])[::-1]

    def items(self, part: str) -> Iterator[dict[str, Any]]:
        match part:
            case "calls":
                yield from (call_of(row, self.inside.get(row.key, [])) for row in self.calls)
            case "exchanges":
                yield from map(exchange_of, self.exchanges)
            case "deliveries":
                yield from map(delivery_of, self.deliveries)
            case "commands":
                yield from map(command_of, self.commands)
            case "timeline":
                yield from map(entry_of, self.timeline)
            case _:
                yield from map(movement_of, self.movements)

    def references(self) -> set[str]:
        rows: list[Call | Exchange | Command] = [*self.calls, *self.exchanges, *self.commands]
        return {row.subject.removeprefix("money:").removeprefix("risk:") for row in rows if row.subject}


def _about(ids: list[str]) -> Q:
    wanted = Q(pk=None)
    for id in ids[:50]:
        wanted |= Q(about__contains=[id])
    return wanted


def _last(calls: QuerySet[Call], most: int) -> list[Call]:
    return list(calls.order_by("-at", "-pk")[:most])


def _people(found: _Found) -> list[str]:
    """Whoever bought what this speaks of: their names are looked for in every text."""
    orders = Order.objects.filter(
        Q(reference__in=found.references()) | Q(pk=found.subject.order and found.subject.order.pk)
    )
    people: list[str] = []
    for order in orders.select_related("buyer")[:200]:
        ship_to = order.ship_to
        people += [
            str(ship_to.get(name) or "") for name in ("name", "line1", "line2", "phone", "postal_code", "company")
        ]
        people += [order.buyer.name, order.buyer.email]
    return [person for person in people if person]


def _blacked_out(item: dict[str, Any], people: list[str]) -> dict[str, Any]:
    """Recorded bodies are JSON in a text: they are opened, so that their fields' names count."""
    return {name: _clean(name, value, people) for name, value in item.items()}


def _clean(name: str, value: Any, people: list[str]) -> Any:
    if name in ("key", "at", "subject", "operation"):
        return value
    if name == "url":
        return redact_address(value, people)
    if name == "exchanges":
        return [_blacked_out(inner, people) for inner in value]
    if name in ("request", "answer", "body") and isinstance(value, str):
        try:
            return json.dumps(redact_value(json.loads(value), known=people), ensure_ascii=False)
        except (ValueError, RecursionError):
            return redact_text(value, people)
    return redact_value(value, "", people)


def _subject(subject: Subject) -> dict[str, Any]:
    about: dict[str, Any] = {}
    if order := subject.order:
        copy = getattr(order, "copy", None)
        about["order"] = {
            "number": order.number,
            "reference": order.reference,
            "money": order.money,
            "parcels": order.parcels,
            "currency": order.currency,
            "total_minor": order.total_minor,
            "credited_minor": order.credited_minor,
            "placed_at": moment_text(order.placed_at),
            "risk": order.risk,
            "lines": [
                {
                    "sku": line.sku,
                    "quantity": line.quantity,
                    "shipped": line.shipped,
                    "product_id": line.shop_product_id,
                    "variant_id": line.shop_variant_id,
                }
                for line in order.lines.all()
            ],
            "copy": copy
            and {
                "state": copy.state,
                "shop_order_id": copy.shop_order_id,
                "shop_number": copy.shop_number,
                "differences": copy.differences,
                "said": copy.sentence,
            },
        }
    if listing := subject.listing:
        about["listing"] = {"id": listing.public_id, "title": listing.title, "state": listing.state}
    if alert := subject.alert:
        about["alert"] = {
            "code": alert.code,
            "said": alert.sentence,
            "times": alert.times,
            "raised_at": moment_text(alert.raised_at),
        }
    return about


def _shop(shop: Connection, manifest: Manifest | None) -> dict[str, Any]:
    """What a connector must know to play the calls again. Of secrets only the names."""
    try:
        access = access_of(connection=shop)
        secrets, app, settings, hook_url = (
            sorted(access.secrets),
            sorted(access.app),
            dict(access.settings),
            access.hook_url,
        )
    except VaultLocked:
        secrets, app, settings, hook_url = [], [], {}, ""
    return {
        "id": shop.public_id,
        "platform": shop.platform,
        "way": shop.way,
        "url": shop.address,
        "currency": shop.currency,
        "state": shop.state,
        "state_said": redact_text(shop.state_sentence),
        "settings": redact_value(settings),
        "secret_names": secrets,
        "app_names": app,
        "hook_url": hook_url,
        "forged_deliveries": shop.forged,
        "api_version": manifest.api_version if manifest else "",
        "capabilities": {str(name): isinstance(answer, Yes) for name, answer in manifest.answers.items()}
        if manifest
        else {},
    }
