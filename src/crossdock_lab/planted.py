"""Bugs to plant, so that the story can show that it would notice them."""

import asyncio
import importlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from crossdock.cli.trouble import Trouble
from crossdock_lab import planted_agents


def plant(name: str) -> None:
    """Break this process. A platform may have bugs of its own (`crossdock_lab/connectors/<platform>.py`)."""
    from crossdock.kit import discover

    planted = [bugs[name] for bugs in (BUGS, *map(of_platform, discover.connectors())) if name in bugs]
    for plant_it in planted:
        plant_it()
    if not planted:
        raise Trouble(f"There is no bug called {name!r} to plant.")


def of_platform(platform: str) -> dict[str, Callable[[], None]]:
    """The platform's own bugs."""
    try:
        bugs: dict[str, Callable[[], None]] = importlib.import_module(f"crossdock_lab.connectors.{platform}").BUGS
    except ModuleNotFoundError:
        return {}
    return bugs


def _blind_resend() -> None:
    """An unknown outcome is sent again without looking."""

    from crossdock.usecases.outcomes import claims

    good = claims.claim_commands

    def claim(**given: Any) -> Any:
        return [replace(claimed, look_first=False) for claimed in good(**given)]

    claims.claim_commands = claim


def _answer_before_commit() -> None:
    """The door says yes, and writes the delivery down a little later."""
    from crossdock.web import inbox

    good = inbox.Inbox.put

    def put(self: inbox.Inbox, **given: Any) -> "asyncio.Future[None]":
        loop = asyncio.get_running_loop()
        loop.call_later(5, lambda: good(self, **given))
        kept: asyncio.Future[None] = loop.create_future()
        kept.set_result(None)
        return kept

    inbox.Inbox.put = put  # type: ignore[method-assign]


def _restore_twice() -> None:
    """What a shop gave back after a cancel is added once more: in the shop where it takes counts, and on top of the
    count that is read here.
    """
    from django.db.models import F

    from crossdock.domain.commands import CancelOrder
    from crossdock.store.models import Reservation, VariantStock
    from crossdock.usecases.stock import counts, restore

    ended, read, waiting = restore.after_ending, counts.apply_counts, dict[int, int]()

    def after_ending(**given: Any) -> None:
        ended(**given | {"restores": False, "already": False})
        if given["order"] is not None and isinstance(given["ended"], CancelOrder):
            waiting.update(Reservation.objects.filter(order=given["order"]).values_list("variant_id", "quantity"))

    def apply_counts(**given: Any) -> tuple[str, ...]:
        unanswered = read(**given)
        for variant in list(waiting):
            VariantStock.objects.filter(pk=variant).update(count=F("count") + waiting.pop(variant))
        return unanswered

    restore.after_ending = after_ending
    counts.apply_counts = apply_counts


def _believe_webhook() -> None:
    """The number that a webhook carries becomes the count."""

    from crossdock.domain import stock as rules
    from crossdock.domain.stock import Stock

    def take_hint(stock: Stock, *, count: int, no: int) -> Stock:
        return replace(stock, count=count, applied_no=no)

    rules.take_hint = take_hint


def _credit_twice() -> None:
    """The bank is asked under a new key each time, so what is asked again is paid again; and it is asked twice."""
    from crossdock.engine.payments import PaymentHandler

    good = PaymentHandler.refund

    async def refund(self: PaymentHandler, claimed: Any) -> Any:
        from crossdock.domain.values import Money
        from crossdock.store.models import PaymentIntent
        from crossdock.usecases.outbox.payloads import REFUND

        asked = REFUND.validate_python(claimed.payload)
        row = await self._engine.threads.run(PaymentIntent.objects.get, public_id=asked.intent)
        half = Money(asked.amount_minor // 2, asked.currency)
        await self._gateway.refund(row.asked, half, f"again:{claimed.id}")
        return await good(self, claimed)

    PaymentHandler.refund = refund  # type: ignore[method-assign]


def _refund_seen_as_new() -> None:
    """A refund is not recognised by the shop's id of it: each reading is another refund."""
    import secrets

    from crossdock.domain.orders import news as good
    from crossdock.usecases.orders import snapshots

    def news(known: Any, copy: Any) -> Any:
        renamed = tuple(replace(refund, refund_id=secrets.token_hex(6)) for refund in copy.refunds)
        return good(known, replace(copy, refunds=renamed))

    setattr(snapshots, "news", news)  # noqa: B010


def _one_trips_all() -> None:
    """No row has a savepoint of its own: what trips takes everything beside it along."""
    from crossdock.usecases.parties.quarantine import Intake

    def take(self: Intake, entity: str, work: Callable[[], object], *, order_id: int | None = None) -> bool:
        work()
        self.taken.append(entity)
        return True

    def take_all(self: Intake, rows: Any, work: Callable[[list[Any]], object]) -> None:
        work([*rows.values()])
        self.taken += rows

    Intake.take, Intake.take_all = take, take_all  # type: ignore[method-assign]


def _fulfil_blind() -> None:
    """After a lost answer a parcel is written into the shop again, without a look at what stands there."""

    from crossdock.kit.shop import fulfilment
    from crossdock.usecases.outcomes import claims

    look, claim = fulfilment.this_parcel, claims.claim_commands

    def this_parcel(order: Any, command: Any, *given: Any) -> Any:
        return look(order, command, *given) if command.parcel_id else ()

    def claimed(**given: Any) -> Any:
        return [replace(row, look_first=False) for row in claim(**given)]

    setattr(fulfilment, "this_parcel", this_parcel)  # noqa: B010
    claims.claim_commands = claimed


def _currency_unseen() -> None:
    """Nobody compares the shop's currency with the one it was connected with."""
    from crossdock.usecases.shops import shop_money

    setattr(shop_money, "money_seen", lambda **_: True)  # noqa: B010


def _whole_goes_back() -> None:
    """What comes to no order of one seller sends the whole payment back, other sellers' parts too."""

    from crossdock.engine.payments import PaymentHandler

    good = PaymentHandler.refund

    async def refund(self: PaymentHandler, claimed: Any) -> Any:
        from crossdock.store.models import PaymentIntent

        asked = claimed.payload
        row = await self._engine.threads.run(PaymentIntent.objects.get, public_id=asked["intent"])
        return await good(self, replace(claimed, payload={**asked, "amount_minor": row.amount_minor}))

    PaymentHandler.refund = refund  # type: ignore[method-assign]


def _parcel_answers_nothing() -> None:
    """A parcel leaves the buyer's request to cancel open."""
    from crossdock.usecases.orders import parcels

    setattr(parcels, "close_request", lambda **_: False)  # noqa: B010


def _put_back_twice() -> None:
    """Units that came back are put back for sale once more, in shops whose counts are raised from here."""

    from crossdock.engine.shop import commands
    from crossdock.usecases.outbox.payloads import ADJUST

    class Twice:
        def validate_python(self, payload: Any) -> Any:
            command = ADJUST.validate_python(payload)
            return replace(command, delta=2 * command.delta)

    setattr(commands, "ADJUST", Twice())  # noqa: B010


def _pay_blind() -> None:
    """A payout whose answer was lost is sent again under another name, without looking."""
    from itertools import count

    from crossdock.engine.payouts import PayoutHandler
    from crossdock.usecases.money import payouts

    good, asked_of, tries = PayoutHandler.pay, payouts.asked_of, count()

    async def pay(self: PayoutHandler, claimed: Any) -> Any:
        return await good(self, replace(claimed, look_first=False))

    def renamed(public_id: str) -> Any:
        asked, provider = asked_of(public_id)
        return replace(asked, id=f"{asked.id}-{next(tries)}"), provider

    PayoutHandler.pay = pay  # type: ignore[method-assign]
    payouts.asked_of = renamed


def _variants_alike() -> None:
    """At the import each variant gets what any of its product's variants says: all of them are near mint then."""

    from crossdock.usecases.catalogue.filling import Filler

    good = Filler.of

    def of(self: Filler, *given: Any) -> Any:
        found = good(self, *given)
        return replace(found, variants=[found.listing for _ in found.variants])

    setattr(Filler, "of", of)  # noqa: B010


def _corrected_is_sold() -> None:
    """A count that fell by our own correction is taken for one more sale, and told to the other shop."""
    from crossdock.usecases.stock import counts

    def fell(*, told: int, count: int, corrected: int) -> int:
        return max(0, told - count)

    setattr(counts, "fell", fell)  # noqa: B010


def _synced_back() -> None:
    """What the shop tells of a listing puts it on sale, also where the marketplace took it down."""
    from crossdock.domain.events import ShopProduct
    from crossdock.usecases.catalogue import import_products

    good = import_products.receive_products

    def receive(*, connection_id: int, products: Any, **given: Any) -> Any:
        from crossdock.store.models import Listing

        tally = good(connection_id=connection_id, products=products, **given)
        told = [product.product_id for product in products if isinstance(product, ShopProduct)]
        rows = Listing.objects.filter(connection=connection_id, shop_product_id__in=told, state="taken_down")
        rows.update(state="live")
        return tally

    import_products.receive_products = receive


def _unapproved_sold() -> None:
    """What a connected shop tells lets its seller sell, also where nobody approved them yet."""
    from crossdock.usecases.catalogue import import_products

    good = import_products.receive_products

    def receive(*, connection_id: int, **given: Any) -> Any:
        from crossdock.store.models import Seller

        tally = good(connection_id=connection_id, **given)
        Seller.objects.filter(connections=connection_id, barred="approval").update(barred="")
        return tally

    import_products.receive_products = receive


def _preview_believed() -> None:
    """A run over many orders does what its preview said, whatever became of an order meanwhile."""
    from crossdock.usecases.orders import actions
    from crossdock.usecases.orders.daily import bulk_rows

    setattr(bulk_rows, "why_not_ship", lambda order: "")  # noqa: B010
    setattr(actions, "why_locked", lambda order, **_: "")  # noqa: B010


def _jump_taken() -> None:
    """A price that jumps in the shop is asked at once, whatever its seller allows."""
    from crossdock.usecases.catalogue.evening import prices

    def jumps(**given: Any) -> bool:
        return False

    setattr(prices, "jumps", jumps)  # noqa: B010


def _priced_twice() -> None:
    """A seller's price rule is applied to its own result."""
    from crossdock.usecases.catalogue.selling.rules import Rules

    once = Rules.priced

    def priced(rules: Any, price: Any) -> dict[str, int]:
        kept = once(rules, price)
        again = once(rules, replace(price, minor=kept["price_minor"]))
        return {**kept, "price_minor": again["price_minor"]}

    setattr(Rules, "priced", priced)  # noqa: B010


def _choice_ignored() -> None:
    """What is read from a shop is sold, whatever its seller chose."""
    from crossdock.usecases.catalogue.selling.rules import Rules

    setattr(Rules, "why_not", lambda *_: "")  # noqa: B010


BUGS: dict[str, Callable[[], None]] = {
    **planted_agents.BUGS,
    "priced_twice": _priced_twice,
    "choice_ignored": _choice_ignored,
    "jump_taken": _jump_taken,
    "preview_believed": _preview_believed,
    "unapproved_sold": _unapproved_sold,
    "synced_back": _synced_back,
    "corrected_is_sold": _corrected_is_sold,
    "parcel_answers_nothing": _parcel_answers_nothing,
    "put_back_twice": _put_back_twice,
    "blind_resend": _blind_resend,
    "fulfil_blind": _fulfil_blind,
    "answer_before_commit": _answer_before_commit,
    "believe_webhook": _believe_webhook,
    "restore_twice": _restore_twice,
    "credit_twice": _credit_twice,
    "refund_seen_as_new": _refund_seen_as_new,
    "one_trips_all": _one_trips_all,
    "currency_unseen": _currency_unseen,
    "whole_goes_back": _whole_goes_back,
    "pay_blind": _pay_blind,
    "variants_alike": _variants_alike,
}
