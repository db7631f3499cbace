"""A shop in memory with a connector that needs no HTTP: the engine's tests turn its dials and read its ledger."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from itertools import count

from crossdock.domain.capability import Capability, Evidence, EvidenceKind, Lag, Manifest, Pace, Way, Yes
from crossdock.domain.commands import (
    AdjustStock,
    CancelLines,
    CancelOrder,
    CancelReason,
    CreateOrder,
    Done,
    Found,
    Outcome,
    Refused,
    Why,
    WriteFulfilment,
    WriteRisk,
)
from crossdock.domain.events import (
    Count,
    HookNews,
    Look,
    LookKind,
    OrderLine,
    Parcel,
    ProductGone,
    ShopOrder,
    ShopOrderState,
    ShopProduct,
    ShopVariant,
    StockHint,
)
from crossdock.domain.orders import as_found
from crossdock.domain.values import Money
from crossdock.kit.connector import Forged, Hook, Page, Proof, Redirect, Shop, Subscriptions, VariantRef
from crossdock.kit.shop.cancel_units import pick
from crossdock.kit.shop.fulfilment import Cancel, Make, Renumber, step
from crossdock.kit.webhook import body_key, hmac_ok

MANIFEST = Manifest(
    name="toy",
    label="Toy",
    api_version="1",
    answers=dict.fromkeys(Capability, Yes()),
    ways=(Way("form", "Key", ()),),
    evidence=(Evidence(EvidenceKind.DOCUMENTATION, "1", date(2026, 11, 23), "A toy of the tests."),),
    pace=Pace(per_second=1000, burst=1000, parallel=8),
    lag=Lag(count=0, search=0, late_execution=0),
    poll_seconds=3600,
)
SECRET = "toy-secret"


@dataclass
class Placed:
    """One order in the toy shop's own books."""

    shop_id: str
    reference: str
    lines: dict[str, int]
    total: Money
    cancelled: bool = False
    parcels: list[Parcel] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)


@dataclass
class Truth:
    """The shop's ledger and dials. `answer_create` may return an outcome of its own instead of working; `after_...`
    may lose the reply.

    `restores` is false in a shop that puts nothing back when an order is cancelled; `adjusted` are the corrections
    that it made.
    """

    counts: dict[str, int] = field(default_factory=lambda: {"v1": 1000})
    orders: dict[str, Placed] = field(default_factory=dict)
    calls: list[tuple[str, str, float]] = field(default_factory=list)
    seconds: float = 0.0
    at_once: int = 0
    most_at_once: int = 0
    answer_create: Callable[[CreateOrder], Outcome | BaseException | None] = lambda command: None
    after_create: Callable[[CreateOrder, Outcome], Outcome | BaseException | None] = lambda command, outcome: None
    answer_confirm: Callable[[ShopOrder], Outcome | None] = lambda found: None
    before_take: Callable[[CancelLines], Outcome | None] = lambda command: None
    after_take: Callable[[CancelLines, Outcome], Outcome | BaseException | None] = lambda command, outcome: None
    no_cancel: str = ""
    after_adjust: Callable[[AdjustStock, Outcome], Outcome | BaseException | None] = lambda command, outcome: None
    after_risk: Callable[[WriteRisk, Outcome], Outcome | BaseException | None] = lambda command, outcome: None
    risks: list[WriteRisk] = field(default_factory=list)
    before_fulfil: Callable[[WriteFulfilment], Outcome | BaseException | None] = lambda command: None
    after_fulfil: Callable[[WriteFulfilment, Outcome], Outcome | BaseException | None] = lambda command, outcome: None
    fulfilled: list[str] = field(default_factory=list)
    restores: bool = True
    adjusted: list[AdjustStock] = field(default_factory=list)
    answer_read: Callable[[str, str], BaseException | None] = lambda what, which: None
    renew_at: datetime | None = None
    renewals: int = 0
    gone: bool = False
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    def kinds(self) -> list[str]:
        return [kind for kind, _, _ in self.calls]

    def standing(self, reference: str) -> list[Placed]:
        return [order for order in self.orders.values() if order.reference == reference and not order.cancelled]


class ToyConnector:
    """Implements kit.connector.Connector over `Truth`."""

    def __init__(self, manifest: Manifest = MANIFEST) -> None:
        self.manifest = manifest
        self.shops: dict[str, Truth] = {}

    def truth(self, shop: Shop) -> Truth:
        return self.shops.setdefault(shop.address, Truth())

    async def _call(self, shop: Shop, kind: str, which: str = "") -> Truth:
        truth = self.truth(shop)
        truth.calls.append((kind, which, time.monotonic()))
        truth.at_once += 1
        truth.most_at_once = max(truth.most_at_once, truth.at_once)
        try:
            await asyncio.sleep(truth.seconds)
        finally:
            truth.at_once -= 1
        if kind not in ("create", "cancel", "adjust", "take", "risk", "fulfil"):
            error = truth.answer_read(kind, which)
            if error is not None:
                raise error
        return truth

    def address(self, form: Mapping[str, str], *, local: bool) -> str:
        return form["address"]

    def begin(
        self, shop: Shop, *, way: str, form: Mapping[str, str], state: str, return_url: str, callback_url: str
    ) -> Redirect:
        raise NotImplementedError

    async def finish(
        self, shop: Shop, *, way: str, form: Mapping[str, str], params: Mapping[str, str], keep: Mapping[str, str]
    ) -> Mapping[str, str]:
        return {"key": form["key"]}

    async def prove(self, shop: Shop) -> Proof:
        return Proof("toy", "Toy shop", "USD", ())

    def renew_at(self, shop: Shop) -> datetime | None:
        return self.truth(shop).renew_at

    async def renew(self, shop: Shop) -> Mapping[str, str]:
        truth = await self._call(shop, "renew")
        truth.renewals += 1
        truth.renew_at = datetime(2100, 1, 1, tzinfo=UTC)
        return {**shop.secrets, "key": f"k{truth.renewals}"}

    async def products(self, shop: Shop, cursor: str) -> Page[ShopProduct | ProductGone]:
        truth = await self._call(shop, "products", cursor)
        return Page((self._product(truth),), "1", False)

    def _product(self, truth: Truth) -> ShopProduct:
        variants = tuple(
            ShopVariant(v, v.upper(), "", Money(1000, "USD"), units) for v, units in sorted(truth.counts.items())
        )
        return ShopProduct("p1", "Ember Fox", variants)

    async def product(self, shop: Shop, product_id: str) -> ShopProduct | ProductGone:
        truth = await self._call(shop, "product", product_id)
        return ProductGone(product_id) if truth.gone else self._product(truth)

    async def counts(self, shop: Shop, variants: Sequence[VariantRef]) -> Sequence[Count]:
        truth = await self._call(shop, "counts", ",".join(ref.variant_id for ref in variants))
        return [
            Count(ref.variant_id, truth.counts[ref.variant_id]) for ref in variants if ref.variant_id in truth.counts
        ]

    async def orders(self, shop: Shop, cursor: str) -> Page[ShopOrder]:
        truth = await self._call(shop, "orders", cursor)
        return Page(tuple(self._order(order) for order in truth.orders.values()), "1", False)

    async def order(self, shop: Shop, shop_id: str) -> ShopOrder:
        truth = await self._call(shop, "order", shop_id)
        return self._order(truth.orders[shop_id])

    def _order(self, order: Placed) -> ShopOrder:
        state = ShopOrderState.CANCELLED if order.cancelled else ShopOrderState.OPEN
        lines = tuple(OrderLine(f"l-{v}", "p1", v, v.upper(), units) for v, units in order.lines.items())
        return ShopOrder(
            order.shop_id,
            f"#{order.shop_id}",
            order.reference,
            state,
            lines,
            order.total,
            tuple(order.parcels),
            stock_taken=True,
        )

    async def find(self, shop: Shop, reference: str, *, since: datetime) -> Found:
        truth = await self._call(shop, "find", reference)
        return Found(tuple(order.shop_id for order in truth.orders.values() if order.reference == reference))

    async def create(self, shop: Shop, command: CreateOrder) -> Outcome:
        truth = await self._call(shop, "create", command.reference)
        answer = truth.answer_create(command)
        if isinstance(answer, BaseException):
            raise answer
        if answer is not None:
            return answer
        lines = {line.variant_id: line.quantity for line in command.lines}
        if any(truth.counts.get(v, 0) < units for v, units in lines.items()):
            return Refused(Why.NO_STOCK, "Not enough stock.", tuple(lines))
        for v, units in lines.items():
            truth.counts[v] -= units
        shop_id = f"s{next(truth.numbers)}"
        truth.orders[shop_id] = Placed(shop_id, command.reference, lines, command.total)
        outcome = truth.after_create(command, Done(shop_id, shop_number=f"#{shop_id}", stock_taken=True))
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome or Done(shop_id, shop_number=f"#{shop_id}", stock_taken=True)

    async def confirm(self, shop: Shop, command: CreateOrder, found: ShopOrder) -> Outcome:
        truth = await self._call(shop, "confirm", found.shop_id)
        outcome = truth.answer_confirm(found)
        if isinstance(outcome, Refused):
            await self.cancel(shop, CancelOrder(command.reference, found.shop_id, CancelReason.NOT_AVAILABLE))
        return outcome or as_found(found)

    async def cancel(self, shop: Shop, command: CancelOrder) -> Outcome:
        truth = await self._call(shop, "cancel", command.shop_order_id)
        order = truth.orders.get(command.shop_order_id)
        if order is None:
            return Refused(Why.NOT_FOUND, "No such order.")
        if order.cancelled:
            return Done(order.shop_id, already=True)
        if truth.no_cancel:
            return Refused(Why.UNSUPPORTED, truth.no_cancel)
        order.cancelled = True
        for v, units in order.lines.items() if truth.restores else ():
            truth.counts[v] += units
        return Done(order.shop_id)

    async def cancel_lines(self, shop: Shop, command: CancelLines) -> Outcome:
        truth = await self._call(shop, "look" if command.only_look else "take", command.shop_order_id)
        order = truth.orders[command.shop_order_id]
        early = None if command.only_look else truth.before_take(command)
        if early is not None:
            return early
        picked = pick(self._order(order), command, dict.fromkeys(order.taken, ""))
        if not isinstance(picked, dict):
            return picked
        for line, units in picked.items():
            v = line.removeprefix("l-")
            order.lines[v] -= units
            truth.counts[v] += units if truth.restores else 0
        order.taken.append(command.key)
        outcome = truth.after_take(command, Done("", f"#{order.shop_id}"))
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome or Done("", f"#{order.shop_id}")

    async def adjust(self, shop: Shop, command: AdjustStock) -> Outcome:
        truth = await self._call(shop, "adjust", command.variant_id)
        truth.counts[command.variant_id] += command.delta
        truth.adjusted.append(command)
        outcome = truth.after_adjust(command, Done(command.variant_id))
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome or Done(command.variant_id)

    async def write_risk(self, shop: Shop, command: WriteRisk) -> Outcome:
        truth = await self._call(shop, "risk", command.shop_order_id)
        if any(risk.key == command.key for risk in truth.risks):
            return Done(command.shop_order_id, already=True)
        truth.risks.append(command)
        outcome = truth.after_risk(command, Done(command.shop_order_id))
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome or Done(command.shop_order_id)

    async def write_fulfilment(self, shop: Shop, command: WriteFulfilment) -> Outcome:
        """`fulfilled` is the shop's own ledger of what was done, in order."""
        truth = await self._call(shop, "peek" if command.only_look else "fulfil", command.shop_order_id)
        early = truth.before_fulfil(command)
        if isinstance(early, BaseException):
            raise early
        if early is not None:
            return early
        order = truth.orders[command.shop_order_id]
        wanted = step(self._order(order), command)
        tracking = {"tracking_number": command.tracking_number, "carrier": command.carrier}
        match wanted:
            case Make(units):
                made = Parcel(f"f{len(truth.fulfilled) + 1}", tuple(units.items()), **tracking)
                order.parcels.append(made)
                truth.fulfilled.append(f"made {command.tracking_number}")
                done = Done(made.parcel_id, f"#{order.shop_id}")
            case Renumber(parcels):
                ids = {parcel.parcel_id for parcel in parcels}
                order.parcels[:] = [
                    replace(each, **tracking) if each.parcel_id in ids else each for each in order.parcels
                ]
                truth.fulfilled.append(f"renumbered {command.tracking_number}")
                done = Done(",".join(ids), f"#{order.shop_id}")
            case Cancel(parcels):
                ids = {parcel.parcel_id for parcel in parcels}
                order.parcels[:] = [
                    replace(each, cancelled=True) if each.parcel_id in ids else each for each in order.parcels
                ]
                truth.fulfilled.append("cancelled")
                done = Done(",".join(ids), f"#{order.shop_id}")
            case _:
                return wanted
        outcome = truth.after_fulfil(command, done)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome or done

    def verify(self, shop: Shop, hook: Hook) -> None:
        """Signed in hexadecimal with the shop's secret."""
        if not hmac_ok(
            shop.secrets.get("hook", shop.app.get("secret", SECRET)),
            hook.body,
            hook.headers.get("x-toy-signature", ""),
            encoding="hex",
        ):
            raise Forged

    def news(self, shop: Shop, hook: Hook) -> HookNews:
        """Body: {"topic", "id", "count"?}."""
        said = json.loads(hook.body)
        if said["topic"] == "ping":
            return HookNews("ping", "ping")
        kinds = {
            "order": LookKind.ORDER,
            "product": LookKind.PRODUCT,
            "uninstalled": LookKind.UNINSTALLED,
            "erase_shop": LookKind.ERASE_SHOP,
        }
        hints = (StockHint(said["id"], said["count"]),) if "count" in said else ()
        looks = () if "count" in said else (Look(kinds[said["topic"]], said["id"]),)
        return HookNews(said["topic"], f"{said['topic']}:{said['id']}:{body_key(hook.body)}", looks, hints)

    async def subscribe(self, shop: Shop) -> Subscriptions:
        await self._call(shop, "subscribe")
        return Subscriptions(("order",), ("order",))

    async def unsubscribe(self, shop: Shop) -> None:
        """Nothing to remove."""

    def hook_shop(self, hook: Hook) -> str:
        return str(json.loads(hook.body).get("shop", ""))
