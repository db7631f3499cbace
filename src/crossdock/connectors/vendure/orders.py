"""Placing and cancelling. An order is a draft that grows by calls and becomes an order when it is paid, so whatever
stops before the payment did nothing.

Two traps: a line that is short is added all the same with what is left, and at the payment stock is not checked but
silently not allocated.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from crossdock.connectors.vendure import mapper, reading, stock
from crossdock.connectors.vendure.client import Client, Gone, Rejected, refusal
from crossdock.domain.commands import (
    CancelLines,
    CancelOrder,
    CreateOrder,
    Done,
    Found,
    Later,
    Outcome,
    Refused,
    Unknown,
    Why,
    WriteRisk,
)
from crossdock.domain.events import ShopOrder, ShopOrderState
from crossdock.kit.connector import VariantRef
from crossdock.kit.errors import NoAnswer, Outside
from crossdock.kit.json_node import Node
from crossdock.kit.rows import readable
from crossdock.kit.shop import risk_notes
from crossdock.kit.shop.cancel import GONE, before
from crossdock.kit.shop.cancel_units import key_of, marked, pick
from crossdock.kit.shop.concurrency import alone
from crossdock.kit.shop.placing import titles, units

NO_METHOD = (
    "No shipping method of your shop fits this order: under Settings > Shipping methods, set one up whose conditions it"
    " meets, and under Settings > Zones add the country {country} to the channel's shipping zone."
)
SHORT = "Your shop has too little stock of {titles}; the order was not kept there."
SHIPPED = (
    "The order is already being fulfilled in your shop, so it was not cancelled there: cancel it there by hand once the"
    " goods are back."
)
PART_SHIPPED = (
    "Something of this order is being fulfilled in your shop. Vendure would now put units back that have left, "
    "so nothing was taken out: correct the order there by hand."
)

WORKED_ON = (
    "Your shop has too little stock of {titles} for this order and those before it, and a parcel is packed for it"
    " there. Cancel that parcel and the order in your shop, or restock and send it."
)
UNSURE = (
    "Your shop took another sale of {titles} in the same moment, so its stock count may not include this order:"
    " compare the count there. The units stay reserved here."
)

UNPAID = ("Draft", "ArrangingPayment")


class Stop(Exception):
    """The order will not be placed; the draft has to go."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.sentence)
        self.refused = refused


async def lookup(client: Client, reference: str) -> list[Node]:
    """Orders and leftovers of ours with this reference, oldest first: paid ones by their payment, others by the
    customer's name.
    """
    either = [{"transactionId": {"eq": reference}}, {"customerLastName": {"eq": mapper.surname(reference)}}]
    data = await client.ask(
        "Find", options={"take": 100, "sort": {"createdAt": "ASC", "id": "ASC"}, "filter": {"_or": either}}
    )
    return data.child("orders").list("items")


async def find(client: Client, reference: str, *, since: datetime) -> Found:
    """Placed orders only: a draft is no order yet, and `create` clears it away itself."""
    found = await lookup(client, reference)
    return Found(
        tuple(node.id("id") for node in found if mapper.placed(node) and mapper.reference_of(node) == reference)
    )


async def create(client: Client, command: CreateOrder) -> Outcome:
    """Goes on from what an earlier try left, as far as it is whole; the rest is cleared away."""
    draft, state = "", ""
    try:
        for node in await lookup(client, command.reference):
            if mapper.placed(node) and mapper.reference_of(node) == command.reference:
                return await _found(client, command, node.id("id"))
            if not draft and node.word("state") in UNPAID and units_held(node) == units(command):
                draft, state = node.id("id"), node.word("state")
            else:
                await _drop(client, node.id("id"), node.word("state"))
        try:
            if not draft:
                draft = (await client.ask("Draft")).child("createDraftOrder").id("id")
                await fill_draft(client, command, draft)
            if state != "ArrangingPayment":
                await _arrange(client, command, draft)
        except Stop as stop:
            await _clear(client, draft)
            return stop.refused
    except NoAnswer as error:
        # Nothing is placed before the payment leaves, whatever the server still does with the call that got no answer.
        return Later(str(error), error.after_seconds)
    async with alone(client.shop.address):
        return await _paid(client, command, draft)


async def fill_draft(client: Client, command: CreateOrder, draft: str) -> None:
    """Customer first (from then on the draft can be found), then address and lines. Raises Stop."""
    wanted = units(command)
    numbered: dict[str, str | int] = {f"v{n}": variant for n, variant in enumerate(wanted)}
    numbered |= {f"q{n}": quantity for n, quantity in enumerate(wanted.values())}
    note = f"Sold and paid on the marketplace, reference {command.reference}. {command.note}".strip()
    try:
        data = await client.ask(
            "Fill",
            lines=len(wanted),
            order=draft,
            customer=mapper.customer(command),
            ship=mapper.address(command),
            note=note,
            **numbered,
        )
    except Gone as error:
        number = error.place.removeprefix("l")
        if not (error.place.startswith("l") and number.isdigit()):
            raise
        gone = list(wanted)[int(number)]
        raise Stop(
            Refused(Why.PRODUCT_GONE, f"Your shop no longer sells {titles(command, [gone])}.", (gone,))
        ) from None
    except Rejected as error:
        if error.place not in ("ship", "bill"):
            raise
        where = (
            f"{error} Add the country {command.ship_to.country} under Settings > Countries and to a zone that you"
            " ship to."
        )
        raise Stop(Refused(Why.INVALID, where)) from None
    if words := refusal(data.child("customer"), "Order"):
        raise Stop(Refused(Why.INVALID, f"Your shop does not take the order's customer: {words}"))
    added = [data.child(f"l{n}") for n in range(len(wanted))]
    for variant, result in zip(wanted, added, strict=True):
        if result.str("__typename") not in ("Order", "InsufficientStockError"):
            raise Stop(
                Refused(
                    Why.INVALID, f"Your shop does not take {titles(command, [variant])}: {refusal(result, 'Order')}"
                )
            )
    short = [variant for variant, result in zip(wanted, added, strict=True) if result.str("__typename") != "Order"]
    if short:
        raise Stop(_short(command, short))


async def _arrange(client: Client, command: CreateOrder, draft: str) -> None:
    """Shipping method, then the state from which an order can be paid; the shop looks at its stock once more here.

    Raises Stop.
    """
    offers = (await client.ask("Eligible", order=draft)).list("eligibleShippingMethodsForDraftOrder")
    if not offers:
        raise Stop(Refused(Why.INVALID, NO_METHOD.format(country=command.ship_to.country)))
    nearest = min(offers, key=lambda offer: _distance(client, command, offer))
    data = await client.ask("Arrange", order=draft, method=nearest.id("id"))
    result = data.child("arrange")
    unfit, words = refusal(data.child("method"), "Order"), refusal(result, "Order")
    if (unfit or words) and await _is_arranged(client, draft):
        return
    if unfit:
        raise Stop(Refused(Why.INVALID, f"Your shop does not take its own shipping method: {unfit}"))
    if words:
        short = await _lacking(client, command)
        raise Stop(
            _short(command, short) if short else Refused(Why.INVALID, f"Your shop does not take the order: {words}")
        )
    if units(command) != units_held(result):
        # Not the shop's last word: the next try clears this draft away and begins anew.
        raise NoAnswer("Your shop changed the order's lines while it was being placed.")


async def _is_arranged(client: Client, draft: str) -> bool:
    """An earlier try's call can have been carried out late, between our look and our own call."""
    node = (await client.ask("OneOrder", id=draft)).opt_child("order")
    return node is not None and node.word("state") == "ArrangingPayment"


def _distance(client: Client, command: CreateOrder, offer: Node) -> int:
    """How far the method's price is from what the buyer paid for shipping here."""
    there = mapper.money(offer.int("priceWithTax"), command.shipping.currency, client.shop)
    return abs(there.minor - command.shipping.minor)


async def _paid(client: Client, command: CreateOrder, draft: str) -> Outcome:
    paid = (await client.ask("Pay", order=draft, method=mapper.METHOD, reference=command.reference)).child("paid")
    if words := refusal(paid, "Order"):
        return Unknown(f"Your shop did not take the payment: {words}")
    try:
        return await settle_draft(client, command, paid, already=False)
    except Outside as error:
        return Unknown(str(error))


async def confirm(client: Client, command: CreateOrder, found: ShopOrder) -> Outcome:
    return await _found(client, command, found.shop_id)


async def _found(client: Client, command: CreateOrder, shop_id: str) -> Outcome:
    """What an earlier try placed. Alone, so that no order of ours is paid while this one is compared."""
    async with alone(client.shop.address):
        node = (await client.ask("OneOrder", id=shop_id)).opt_child("order")
        if node is None:
            return Unknown("Your shop showed this order a moment ago and does not show it now.")
        return await settle_draft(client, command, node, already=True)


async def settle_draft(client: Client, command: CreateOrder, node: Node, *, already: bool) -> Outcome:
    """The placed order: its units are proven, or there are too few for it and it is cancelled there.

    Not over a parcel: its units would come back and it could still be sent.
    """
    judged = await stock.judge(client, node, units(command), fresh=not already)
    found = judged.order
    proven = not judged.short and not judged.unsure
    done = Done(found.shop_id, found.number, found.url, stock_taken=proven, already=already)
    if proven or found.state is not ShopOrderState.OPEN:
        return done
    if not judged.short:
        return replace(done, note=UNSURE.format(titles=titles(command, judged.unsure)))
    if found.parcels or found.packed:
        return replace(done, note=WORKED_ON.format(titles=titles(command, judged.short)))
    cancelled = (await client.ask("Cancel", order=found.shop_id, reason="Not enough stock when it was paid")).child(
        "cancelled"
    )
    if words := refusal(cancelled, "Order", "EmptyOrderLineSelectionError"):
        return replace(done, note=f"Your shop did not set the units aside, and does not cancel: {words}")
    return _short(command, judged.short)


async def cancel(client: Client, command: CancelOrder) -> Outcome:
    """The whole order.

    Vendure gives the units back by itself, even after delivery, which is why a fulfilled one is left alone.
    """
    async with alone(client.shop.address):
        node = (await client.ask("OneOrder", id=command.shop_order_id)).opt_child("order")
        if node is None:
            return GONE
        done = Done(command.shop_order_id, node.str("code"))
        if ended := before(
            command,
            done,
            reference=mapper.reference_of(node),
            closed=node.word("state") == "Cancelled",
            shipped=_fulfilled(node),
            words=SHIPPED,
        ):
            return ended
        reason = f"{command.reason.value.replace('_', ' ')}. {command.note}".strip()
        result = (await client.ask("Cancel", order=command.shop_order_id, reason=reason)).child("cancelled")
    if result.str("__typename") == "EmptyOrderLineSelectionError":
        return replace(done, already=True)
    if words := refusal(result, "Order"):
        return Refused(Why.CONFLICT, f"Your shop did not cancel the order: {words}")
    return done


def _fulfilled(node: Node) -> bool:
    return any(parcel.word("state") != "Cancelled" for parcel in node.opt_list("fulfillments") or ())


async def cancel_lines(client: Client, command: CancelLines) -> Outcome:
    """The key stands in the reason, which the order's history keeps; no refund arises.

    Once something was fulfilled, Vendure takes units back from the parcels first and releases as many besides: more
    come back than were taken out.
    """
    async with alone(client.shop.address):
        return await _take_out(client, command)


async def _take_out(client: Client, command: CancelLines) -> Outcome:
    node = (await client.ask("OneOrder", id=command.shop_order_id)).opt_child("order")
    if node is None or not mapper.placed(node):
        picked = pick(reading.gone(client, command.shop_order_id), command)
        return picked if not isinstance(picked, dict) else GONE
    picked = pick(mapper.order(node, client.shop), command, {key_of(why): "" for why in mapper.reasons_of(node)})
    if not isinstance(picked, dict):
        return picked
    if _fulfilled(node):
        return Refused(Why.TOO_LATE, PART_SHIPPED)
    parts = [{"orderLineId": line, "quantity": taken} for line, taken in picked.items()]
    data = await client.ask("TakeOut", order=command.shop_order_id, parts=parts, reason=marked(command))
    result = data.child("taken")
    if words := refusal(result, "Order"):
        return Refused(Why.CONFLICT, f"Your shop did not take the units out: {words}")
    return Done("", node.str("code"))


async def _clear(client: Client, draft: str) -> None:
    """Best effort: a draft that stays takes no stock and is found again by its customer's name."""
    try:
        node = (await client.ask("OneOrder", id=draft)).opt_child("order")
        if node is not None:
            await _drop(client, draft, node.word("state"))
    except Outside:
        return


async def _drop(client: Client, shop_id: str, state: str) -> None:
    if state == "Draft":
        await client.ask("DropDraft", order=shop_id)
    elif state in ("ArrangingPayment", "AddingItems"):
        await client.ask("DropArranging", order=shop_id)


async def _lacking(client: Client, command: CreateOrder) -> list[str]:
    refs = [VariantRef(line.product_id, line.variant_id) for line in command.lines]
    counted = {count.variant_id: count.count for count in readable(await reading.counts(client, refs))}
    return [
        variant
        for variant, wanted in units(command).items()
        if (left := counted.get(variant, 0)) is not None and left < wanted
    ]


def units_held(result: Node) -> dict[str, int]:
    return {line.child("productVariant").id("id"): line.int("quantity") for line in result.list("lines")}


def _short(command: CreateOrder, variants: Sequence[str]) -> Refused:
    return Refused(Why.NO_STOCK, SHORT.format(titles=titles(command, variants)), tuple(variants))


async def write_risk(client: Client, command: WriteRisk) -> Outcome:
    """As a private note in its history: Vendure has no other place for it, and a public one would stand in the buyer's
    account.

    The notes are read first, since the same note can be added twice."""
    node = (await client.ask("Notes", id=command.shop_order_id)).opt_child("order")
    if node is None or not mapper.placed(node):
        return GONE
    done = Done(command.shop_order_id, node.str("code"))
    seen = [str(entry.get("note") or "") for entry in mapper.history(node)]
    if ended := risk_notes.before(command, reference=mapper.reference_of(node), texts=seen, done=done):
        return ended
    await client.ask("AddNote", order=command.shop_order_id, note=risk_notes.note(command))
    return done
