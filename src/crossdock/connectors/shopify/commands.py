"""Create and cancel.

Before a refusal is believed, the shop is asked for evidence: its messages are prose and change, its state doesn't.
"""

import asyncio
import re
from collections import Counter
from datetime import datetime
from typing import Any

from crossdock.connectors.shopify import reading
from crossdock.connectors.shopify.client import ask, user_errors
from crossdock.connectors.shopify.mapper import FIELD, KEY, NAMESPACE, TAG, gid, tail
from crossdock.domain.commands import (
    CancelOrder,
    CancelReason,
    CreateOrder,
    Done,
    Found,
    Later,
    Line,
    Outcome,
    Refused,
    Unknown,
    Why,
)
from crossdock.domain.events import ShopOrder, Unreadable
from crossdock.domain.orders import as_found
from crossdock.domain.values import Address, Money
from crossdock.kit.connector import Shop
from crossdock.kit.errors import AuthDead, NoAnswer, Outside, Throttled
from crossdock.kit.part import NOTHING_LEFT
from crossdock.kit.rows import readable
from crossdock.kit.tame import Node

GATEWAY = "Crossdock"
# The cancel runs as a job in the shop; these are the pauses between our looks at it.
JOB_LOOKS = (0.1, 0.3, 0.6, 1.0, 2.0)
# "Exceeded order API rate limit, please try again in a minute." (a trial or development store; the schema says five a
# minute)
ORDER_LIMIT_SECONDS = 60.0
# After a look-up whose answer was lost: nothing is in doubt, so there is no reason to wait long.
LOOK_AGAIN_SECONDS = 2.0
REASONS = {
    CancelReason.BUYER_ASKED: "CUSTOMER",
    CancelReason.NOT_AVAILABLE: "INVENTORY",
    CancelReason.DAMAGED: "INVENTORY",
    CancelReason.LOST: "INVENTORY",
    CancelReason.FRAUD: "FRAUD",
}


# Our reference in the shop


async def reference_field(shop: Shop) -> bool:
    """Whether the order field that makes our reference unique is there.

    Raises Outside when a field of another kind has its name.
    """
    found = (await ask(shop, "ReferenceField", FIELD)).child("metafieldDefinitions").list("nodes")
    if found and found[0].child("type").str("name") != "id":
        raise Outside(
            f"Your orders have a custom field {NAMESPACE}.{KEY} that is not of the type ID. Delete it in Settings >"
            " Custom data > Orders."
        )
    return bool(found)


async def ensure_reference_field(shop: Shop) -> bool:
    """True when it was missing and is there now.

    "ID metafield types are automatically configured to have unique values" (shopify.dev).
    """
    if await reference_field(shop):
        return False
    definition = {"name": "Crossdock order reference", "ownerType": "ORDER", "type": "id", **FIELD}
    result = (await ask(shop, "CreateReferenceField", {"definition": definition})).child("metafieldDefinitionCreate")
    wrong = [message for code, message in user_errors(result) if code != "TAKEN"]
    if wrong:
        raise Outside(f"Shopify did not create the order field for our reference: {wrong[0]}")
    return True


async def find(shop: Shop, reference: str, *, since: datetime | None = None) -> Found:
    """By the unique field first.

    The search is for orders that lost it, and compared exactly: its index matches parts of words, and lags.
    """
    strong = await _by_reference(shop, reference)
    if strong is not None:
        return Found((tail(strong.str("id")),))
    quoted = reference.replace("\\", "\\\\").replace('"', '\\"')
    nodes = (
        (await ask(shop, "SearchBySource", {"query": f'source_identifier:"{quoted}"'})).child("orders").rows("nodes")
    )
    same = [node for node in nodes if node.text("sourceIdentifier") == reference]
    return Found(tuple(tail(node.str("id")) for node in sorted(same, key=_created)))


def _created(node: Node) -> str:
    """For sorting, oldest first; one without a usable date is the newest."""
    moment = node.moment("createdAt")
    return moment.isoformat() if moment else "~"


async def _by_reference(shop: Shop, reference: str) -> Node | None:
    """The order with this value in the unique field.

    The seller may have deleted the field: then it is made again, and empty.
    """
    question = {"identifier": {"customId": {**FIELD, "value": reference}}}
    try:
        return (await ask(shop, "OrderByReference", question)).opt_child("orderByIdentifier")
    except (AuthDead, NoAnswer, Throttled):
        raise
    except Outside:
        await ensure_reference_field(shop)
        return (await ask(shop, "OrderByReference", question)).opt_child("orderByIdentifier")


# Create


async def create(shop: Shop, command: CreateOrder) -> Outcome:
    try:
        before = await _by_reference(shop, command.reference)
    except NoAnswer as error:
        return Later(
            f"Nothing was sent: the look-up before it failed. {error}", error.after_seconds or LOOK_AGAIN_SECONDS
        )
    if before is not None:
        return _done(shop, before, already=True)
    answer = await ask(shop, "CreateOrder", order_input(command))
    result = answer.child("orderCreate")
    made, errors = result.opt_child("order"), user_errors(result)
    if made is not None and not errors:
        return _done(shop, made, already=False)
    if not errors:
        return Unknown("Shopify answered with neither an order nor a reason.")
    return await _refusal(shop, command, errors)


async def confirm(shop: Shop, command: CreateOrder, found: ShopOrder) -> Outcome:
    """The shop claimed the units or made no order, so there is nothing to look at."""
    return as_found(found)


def _done(shop: Shop, node: Node, *, already: bool) -> Done:
    """`stock_taken`: created with DECREMENT_OBEYING_POLICY without INVENTORY_CLAIM_FAILED, and "confirmed: inventory
    has been reserved".
    """
    number = tail(node.str("id"))
    url = f"{shop.address}/admin/orders/{number}"
    return Done(number, node.text("name") or number, url, stock_taken=node.bool("confirmed"), already=already)


async def _refusal(shop: Shop, command: CreateOrder, errors: list[tuple[str, str]]) -> Outcome:
    """What the complaints mean, by code where there is one and by looking where there is none."""
    codes = {code for code, _ in errors}
    words = " ".join(message for _, message in errors)
    if "INVENTORY_CLAIM_FAILED" in codes:
        return Refused(Why.NO_STOCK, f"The shop has not enough in stock: {words}", await _short(shop, command.lines))
    if "try again" in words.lower() or "rate limit" in words.lower():
        return Later(f"Shopify takes no more orders at this moment: {words}", ORDER_LIMIT_SECONDS)
    double = await _by_reference(shop, command.reference)
    if double is not None:
        return _done(shop, double, already=True)
    if await ensure_reference_field(shop):
        return Later("The order field for our reference was gone from the shop; it is made again.", LOOK_AGAIN_SECONDS)
    missing = await _missing(shop, command.lines)
    if missing:
        titles = ", ".join(line.title for line in missing)
        gone = tuple(line.variant_id for line in missing)
        return Refused(Why.PRODUCT_GONE, f"The shop does not have this any more: {titles}", gone)
    if "SHOP_DORMANT" in codes:
        return Refused(Why.NOT_ALLOWED, f"The shop is dormant and takes no orders: {words}")
    return Refused(Why.INVALID, f"Shopify did not take the order: {words}")


async def _short(shop: Shop, lines: tuple[Line, ...]) -> tuple[str, ...]:
    """Whose stock was missing.

    The refusal doesn't name it, so the counts are read; what can't be told apart names every line.
    """
    wanted = Counter[str]()
    for line in lines:
        wanted[line.variant_id] += line.quantity
    if len(wanted) == 1:
        return tuple(wanted)
    try:
        there = {count.variant_id: count.count for count in readable(await reading.counts(shop, list(wanted)))}
    except Outside:
        return tuple(wanted)
    short = tuple(variant for variant, units in wanted.items() if (there.get(variant) or 0) < units)
    return short or tuple(wanted)


async def _missing(shop: Shop, lines: tuple[Line, ...]) -> list[Line]:
    answers = await reading.counts(shop, sorted({line.variant_id for line in lines}))
    # One that cannot be understood is there all the same.
    there = {answer.entity_id if isinstance(answer, Unreadable) else answer.variant_id for answer in answers}
    return [line for line in lines if line.variant_id not in there]


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


async def cancel(shop: Shop, command: CancelOrder) -> Outcome:
    """Cancel, put back what exists, pay nothing back and write to nobody.

    Asynchronous in the shop: done when the order says so.
    """
    number = command.shop_order_id or next(iter((await find(shop, command.reference)).shop_ids), "")
    if not number:
        return Refused(Why.NOT_FOUND, "The shop has no order with our reference.")
    if before := await _standing(shop, number, already=True):
        return before
    variables = {
        "id": gid("Order", number),
        "reason": REASONS.get(command.reason, "OTHER"),
        "restock": command.reason not in NOTHING_LEFT,
        "staffNote": command.note or "Cancelled on the marketplace.",
    }
    result = (await ask(shop, "CancelOrder", variables)).child("orderCancel")
    errors = user_errors(result, "orderCancelUserErrors")
    if errors:
        return await _not_cancelled(shop, number, errors)
    try:
        await _wait_for(shop, result.opt_child("job"))
        after = await _standing(shop, number, already=False)
    except Outside as error:
        return Unknown(f"The cancel was sent; then Shopify did not say how it went: {error}")
    return after or Unknown("Shopify is still cancelling the order.", after_seconds=5.0)


async def _standing(shop: Shop, number: str, *, already: bool) -> Outcome | None:
    """The end of it, if the order is cancelled, gone or on its way; None when it is open."""
    node = (await ask(shop, "CancelState", {"id": gid("Order", number)})).opt_child("order")
    if node is None:
        return Refused(Why.NOT_FOUND, "The shop does not have this order any more.")
    if node.opt_time("cancelledAt") is not None:
        return Done(number, node.text("name") or number, f"{shop.address}/admin/orders/{number}", already=already)
    if any(part.word("status") not in ("CANCELLED", "ERROR", "FAILURE") for part in node.list("fulfillments")):
        return Refused(
            Why.TOO_LATE, "Something of this order was fulfilled in the shop already; it cannot be cancelled any more."
        )
    return None


async def _wait_for(shop: Shop, job: Node | None) -> None:
    done = job is None or job.bool("done")
    for pause in JOB_LOOKS:
        if done or job is None:
            return
        await asyncio.sleep(pause)
        again = (await ask(shop, "Job", {"id": job.str("id")})).opt_child("job")
        done = again is None or again.bool("done")


async def _not_cancelled(shop: Shop, number: str, errors: list[tuple[str, str]]) -> Outcome:
    """A cancel that was asked for before and still runs is a complaint too; so the order is watched for a moment."""
    words = " ".join(message for _, message in errors)
    for pause in JOB_LOOKS:
        if standing := await _standing(shop, number, already=True):
            return standing
        await asyncio.sleep(pause)
    if "already" in words.lower() or any(code == "INTERNAL_ERROR" for code, _ in errors):
        return Unknown(f"Shopify does not say whether the order is being cancelled: {words}", after_seconds=5.0)
    return Refused(Why.INVALID, f"Shopify did not cancel the order: {words}")
