"""Create and cancel.

Before a refusal is believed, the shop is asked for evidence: its messages are prose and change, its state doesn't.
"""

import asyncio
import re
import uuid
from datetime import datetime
from typing import Any

from crossdock.connectors.shopify import mapper, reading
from crossdock.connectors.shopify.client import Client, Said, user_errors
from crossdock.connectors.shopify.mapper import FIELD, TAG, gid, tail
from crossdock.connectors.shopify.reference import by_reference, ensure_reference_field
from crossdock.connectors.shopify.stock import stocked_at
from crossdock.domain.commands import (
    CancelLines,
    CancelOrder,
    CancelReason,
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
from crossdock.domain.events import ShopOrder, Unreadable
from crossdock.domain.orders import as_found
from crossdock.domain.risk import RiskLevel
from crossdock.domain.values import Address, Money
from crossdock.kit.errors import NoAnswer, Outside
from crossdock.kit.json_node import Node
from crossdock.kit.rows import readable
from crossdock.kit.shop import risk_notes
from crossdock.kit.shop.cancel_units import NOTHING_LEFT, marked, pick
from crossdock.kit.shop.placing import titles, units

GATEWAY = "Crossdock"
# The cancel runs as a job in the shop; these are the pauses between our looks at it.
JOB_LOOKS = (0.1, 0.3, 0.6, 1.0, 2.0)
# "Exceeded order API rate limit, please try again in a minute." (a trial or development store; the schema says five a
# minute)
ORDER_LIMIT_SECONDS = 60.0
# "Up to 20 facts can be provided." "Descriptions longer than 256 characters are truncated." (the schema)
MOST_FACTS, LONGEST_FACT = 20, 256
# After a look-up whose answer was lost: nothing is in doubt, so there is no reason to wait long.
LOOK_AGAIN_SECONDS = 2.0
REASONS = {
    CancelReason.BUYER_ASKED: "CUSTOMER",
    CancelReason.NOT_AVAILABLE: "INVENTORY",
    CancelReason.DAMAGED: "INVENTORY",
    CancelReason.LOST: "INVENTORY",
    CancelReason.FRAUD: "FRAUD",
}


async def find(client: Client, reference: str, *, since: datetime) -> Found:
    return await _found(client, reference)


async def _found(client: Client, reference: str) -> Found:
    """By the unique field first.

    The search is for orders that lost it, and compared exactly: its index matches parts of words, and lags.
    """
    strong = await by_reference(client, reference)
    if strong is not None:
        return Found((tail(strong.str("id")),))
    quoted = reference.replace("\\", "\\\\").replace('"', '\\"')
    nodes = (
        (await client.ask("SearchBySource", {"query": f'source_identifier:"{quoted}"'})).child("orders").rows("nodes")
    )
    same = [node for node in nodes if node.text("sourceIdentifier") == reference]
    return Found(tuple(tail(node.str("id")) for node in sorted(same, key=_created)))


def _created(node: Node) -> str:
    """For sorting, oldest first; one without a usable date is the newest."""
    moment = node.moment("createdAt")
    return moment.isoformat() if moment else "~"


# Create


async def create(client: Client, command: CreateOrder) -> Outcome:
    try:
        before = await by_reference(client, command.reference)
    except NoAnswer as error:
        return Later(
            f"Nothing was sent: the look-up before it failed. {error}", error.after_seconds or LOOK_AGAIN_SECONDS
        )
    if before is not None:
        return _done(client, before, already=True)
    answer = await client.ask("CreateOrder", order_input(command))
    result = answer.child("orderCreate")
    made, errors = result.opt_child("order"), user_errors(result)
    if made is not None and not errors:
        return _done(client, made, already=False)
    if not errors:
        return Unknown("Shopify answered with neither an order nor a reason.")
    return await _refusal(client, command, errors)


async def confirm(client: Client, command: CreateOrder, found: ShopOrder) -> Outcome:
    """The shop claimed the units or made no order, so there is nothing to look at."""
    return as_found(found)


def _done(client: Client, node: Node, *, already: bool) -> Done:
    """`stock_taken`: created with DECREMENT_OBEYING_POLICY without INVENTORY_CLAIM_FAILED, and "confirmed: inventory
    has been reserved".
    """
    number = tail(node.str("id"))
    taken = node.bool("confirmed")
    return Done(number, node.text("name") or number, client.page_of(number), stock_taken=taken, already=already)


async def _refusal(client: Client, command: CreateOrder, errors: list[tuple[str, str]]) -> Outcome:
    """What the complaints mean, by code where there is one and by looking where there is none."""
    codes = {code for code, _ in errors}
    words = " ".join(message for _, message in errors)
    if "INVENTORY_CLAIM_FAILED" in codes:
        return Refused(Why.NO_STOCK, f"The shop has not enough in stock: {words}", await _short(client, command))
    if "try again" in words.lower() or "rate limit" in words.lower():
        return Later(f"Shopify takes no more orders at this moment: {words}", ORDER_LIMIT_SECONDS)
    double = await by_reference(client, command.reference)
    if double is not None:
        return _done(client, double, already=True)
    if await ensure_reference_field(client):
        return Later("The order field for our reference was gone from the shop; it is made again.", LOOK_AGAIN_SECONDS)
    if gone := await _missing(client, command):
        return Refused(Why.PRODUCT_GONE, f"The shop does not have this any more: {titles(command, gone)}", gone)
    if "SHOP_DORMANT" in codes:
        return Refused(Why.NOT_ALLOWED, f"The shop is dormant and takes no orders: {words}")
    return Refused(Why.INVALID, f"Shopify did not take the order: {words}")


async def _short(client: Client, command: CreateOrder) -> tuple[str, ...]:
    """Whose stock was missing.

    The refusal doesn't name it, so the counts are read; what can't be told apart names every line.
    """
    wanted = units(command)
    if len(wanted) == 1:
        return tuple(wanted)
    try:
        there = {count.variant_id: count.count for count in readable(await reading.counted(client, list(wanted)))}
    except Outside:
        return tuple(wanted)
    short = tuple(variant for variant, needed in wanted.items() if (there.get(variant) or 0) < needed)
    return short or tuple(wanted)


async def _missing(client: Client, command: CreateOrder) -> tuple[str, ...]:
    answers = await reading.counted(client, list(units(command)))
    # One that cannot be understood is there all the same.
    there = {answer.entity_id if isinstance(answer, Unreadable) else answer.variant_id for answer in answers}
    return tuple(variant for variant in units(command) if variant not in there)


def order_input(command: CreateOrder) -> dict[str, Any]:
    """The variables of CreateOrder.

    Defaults that would harm: BYPASS takes no stock, and `requiresShipping` of a line is false.
    """
    total = command.total
    order: dict[str, Any] = {
        "currency": total.currency,
        "lineItems": [
            {
                "variantId": gid("ProductVariant", line.variant_id),
                "quantity": line.quantity,
                "priceSet": _bag(line.unit_price),
                "requiresShipping": True,
            }
            for line in command.lines
        ],
        "shippingLines": [{"title": "Shipping", "code": TAG, "priceSet": _bag(command.shipping)}],
        "shippingAddress": _address(command.ship_to),
        "financialStatus": "PAID",
        # Recorded as paid elsewhere; Shopify charges nothing. Prices here include tax.
        "transactions": (
            [{"kind": "SALE", "status": "SUCCESS", "gateway": GATEWAY, "amountSet": _bag(total)}] if total.minor else []
        ),
        "taxesIncluded": True,
        "sourceIdentifier": command.reference,
        "metafields": [{**FIELD, "type": "id", "value": command.reference}],
        "tags": [TAG],
        "note": command.note,
        "processedAt": command.placed_at.isoformat(),
    }
    if command.email:
        # Not in `email`: the admin offers, ticked, to mail an order's address whenever it is fulfilled.
        order["customAttributes"] = [{"key": "Buyer's relay address", "value": command.email}]
    options = {"inventoryBehaviour": "DECREMENT_OBEYING_POLICY", "sendReceipt": False, "sendFulfillmentReceipt": False}
    return {"order": order, "options": options}


def _bag(amount: Money) -> dict[str, Any]:
    return {"shopMoney": {"amount": str(amount), "currencyCode": amount.currency}}


def _address(to: Address) -> dict[str, str]:
    """Without the phone number: Shopify may text it. A name of one word is a last name, which Shopify wants most.

    Puerto Rico and its like come as US with their state: CountryCode has none of them, and Shopify's own data lists
    each as a zone of US (Shopify/worldwide, db/data/regions/US.yml).
    """
    first, _, last = to.name.strip().rpartition(" ")
    fields = {
        "firstName": first,
        "lastName": last,
        "company": to.company,
        "address1": to.line1,
        "address2": to.line2,
        "city": to.city,
        # A code where it looks like one; Shopify resolves a name as well.
        "provinceCode" if re.fullmatch(r"[A-Z0-9]{1,3}", to.region) else "province": to.region,
        "zip": to.postal_code,
        "countryCode": to.country,
    }
    return {name: value for name, value in fields.items() if value}


# Cancel


async def cancel(client: Client, command: CancelOrder) -> Outcome:
    """Cancel, put back what exists, pay nothing back and write to nobody.

    Asynchronous in the shop: done when the order says so.
    """
    number = command.shop_order_id or next(iter((await _found(client, command.reference)).shop_ids), "")
    if not number:
        return Refused(Why.NOT_FOUND, "The shop has no order with our reference.")
    if before := await _standing(client, number, already=True):
        return before
    variables = {
        "id": gid("Order", number),
        "reason": REASONS.get(command.reason, "OTHER"),
        "restock": command.reason not in NOTHING_LEFT,
        "staffNote": command.note or "Cancelled on the marketplace.",
    }
    try:
        result = await client.change("CancelOrder", "orderCancel", variables, errors="orderCancelUserErrors")
    except Said as said:
        return await _not_cancelled(client, number, said.complaints)
    try:
        await _wait_for(client, result.opt_child("job"))
        after = await _standing(client, number, already=False)
    except Outside as error:
        return Unknown(f"The cancel was sent; then Shopify did not say how it went: {error}")
    return after or Unknown("Shopify is still cancelling the order.", after_seconds=5.0)


async def _standing(client: Client, number: str, *, already: bool) -> Outcome | None:
    """The end of it, if the order is cancelled, gone or on its way; None when it is open."""
    node = (await client.ask("CancelState", {"id": gid("Order", number)})).opt_child("order")
    if node is None:
        return Refused(Why.NOT_FOUND, "The shop does not have this order any more.")
    if node.opt_time("cancelledAt") is not None:
        return Done(number, node.text("name") or number, client.page_of(number), already=already)
    if any(part.word("status") not in ("CANCELLED", "ERROR", "FAILURE") for part in node.list("fulfillments")):
        return Refused(
            Why.TOO_LATE, "Something of this order was fulfilled in the shop already; it cannot be cancelled any more."
        )
    return None


async def _wait_for(client: Client, job: Node | None) -> None:
    done = job is None or job.bool("done")
    for pause in JOB_LOOKS:
        if done or job is None:
            return
        await asyncio.sleep(pause)
        again = (await client.ask("Job", {"id": job.str("id")})).opt_child("job")
        done = again is None or again.bool("done")


async def _not_cancelled(client: Client, number: str, errors: list[tuple[str, str]]) -> Outcome:
    """A cancel that was asked for before and still runs is a complaint too; so the order is watched for a moment."""
    words = " ".join(message for _, message in errors)
    for pause in JOB_LOOKS:
        if standing := await _standing(client, number, already=True):
            return standing
        await asyncio.sleep(pause)
    if "already" in words.lower() or any(code == "INTERNAL_ERROR" for code, _ in errors):
        return Unknown(f"Shopify does not say whether the order is being cancelled: {words}", after_seconds=5.0)
    return Refused(Why.INVALID, f"Shopify did not cancel the order: {words}")


# Units taken out


async def cancel_lines(client: Client, command: CancelLines) -> Outcome:
    """A refund of no money, which is what puts single units back; an edit of the order would need one more right.

    The buyer is not written to and nothing is paid.

    The key is Shopify's idempotency key too, so that a repeat makes no second refund.
    """
    order = await reading.order(client, command.shop_order_id)
    picked = pick(order, command)
    if not isinstance(picked, dict):
        return picked
    variant = {line.line_id: line.variant_id for line in order.lines}
    items = [await _item(client, command, line, variant[line], taken) for line, taken in picked.items()]
    key = str(uuid.uuid5(uuid.NAMESPACE_URL, f"crossdock:{command.key}"))
    wish = {"order": gid("Order", order.shop_id), "note": marked(command), "items": items, "key": key}
    try:
        result = await client.change("TakeOut", "refundCreate", wish)
    except Said as said:
        again = pick(await reading.order(client, command.shop_order_id), command)
        words = f"Shopify did not take the units out: {said}"
        return Refused(Why.INVALID, words) if isinstance(again, dict) else again
    return Done(tail(result.child("refund").str("id")), order.number, order.url)


async def _item(client: Client, command: CancelLines, line: str, variant: str, taken: int) -> dict[str, Any]:
    """CANCEL: "Use this when restocking unfulfilled line items." What is gone, or stocked nowhere, is not put back."""
    item = {"lineItemId": gid("LineItem", line), "quantity": taken, "restockType": "NO_RESTOCK"}
    where = "" if command.reason in NOTHING_LEFT else await stocked_at(client, variant)
    return {**item, "restockType": "CANCEL", "locationId": where} if where else item


# Risk


async def write_risk(client: Client, command: WriteRisk) -> Outcome:
    """As a risk assessment of our app's: the one native place for it that any platform has. No buyer sees it.

    An assessment more, beside the earlier ones: Shopify lets nobody change or delete one."""
    id_ = gid("Order", command.shop_order_id)
    node = (await client.ask("RiskOfOrder", {"id": id_, **FIELD})).opt_child("order")
    if node is None:
        return Refused(Why.NOT_FOUND, "The shop does not have this order any more.")
    done = Done(command.shop_order_id, node.text("name"), client.page_of(command.shop_order_id))
    seen = [fact.text("description") for each in node.child("risk").rows("assessments") for fact in each.rows("facts")]
    if ended := risk_notes.before(command, reference=mapper.reference(node), texts=seen, done=done):
        return ended
    level = "NONE" if command.level is RiskLevel.NOT_ASSESSED else command.level.upper()
    rows = risk_notes.facts(command, most=MOST_FACTS, longest=LONGEST_FACT)
    facts = [{"sentiment": sentiment.upper(), "description": words} for sentiment, words in rows]
    wish = {"orderId": id_, "riskLevel": level, "facts": facts}
    try:
        await client.change("WriteRisk", "orderRiskAssessmentCreate", {"risk": wish})
    except Said as said:
        why = {"ORDER_ALREADY_FULFILLED": Why.TOO_LATE, "NOT_FOUND": Why.NOT_FOUND}.get(said.code, Why.INVALID)
        return Refused(why, f"Shopify did not take the risk level: {said}")
    return done
