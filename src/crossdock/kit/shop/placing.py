"""Placing our order: its units, its titles, and taking back one that the shop had not the units for."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import datetime

from crossdock.domain.commands import CreateOrder, Found, Line, Outcome, Refused, Unknown, Why
from crossdock.domain.events import ShopOrder, ShopOrderState
from crossdock.domain.values import Money
from crossdock.kit.connector import VariantRef
from crossdock.kit.errors import Missing, NoAnswer, Outside
from crossdock.kit.json_node import Node
from crossdock.kit.shop.concurrency import patiently
from crossdock.kit.shop.mapping import summed
from crossdock.kit.shop.paging import Listed
from crossdock.kit.shop.risk_notes import BETWEEN

# What a listing of ours has for ids is none of this platform's.
NO_LISTING = Refused(Why.INVALID, "The listing does not name a product of this shop; list it again.")


def units(command: CreateOrder) -> dict[str, int]:
    """By the shop's variant: two lines of one are added."""
    return dict(summed((line.variant_id, line.quantity) for line in command.lines))


def worth(command: CreateOrder) -> dict[str, tuple[int, Money]]:
    """Units and what they cost, without shipping, by the shop's variant."""
    found: dict[str, tuple[int, Money]] = {}
    for line in command.lines:
        many, cost = found.get(line.variant_id, (0, Money.zero(command.shipping.currency)))
        found[line.variant_id] = (many + line.quantity, cost + line.unit_price * line.quantity)
    return found


def merged(command: CreateOrder) -> list[Line]:
    """One line for each variant and price, where a platform adds up lines of one variant, or looks at each alone."""
    found = dict[tuple[str, Money], Line]()
    for line in command.lines:
        before = found.get(key := (line.variant_id, line.unit_price))
        found[key] = replace(before, quantity=before.quantity + line.quantity) if before else line
    return list(found.values())


def refs(command: CreateOrder) -> list[VariantRef]:
    """What to ask the counts of."""
    return [VariantRef(line.product_id, line.variant_id) for line in command.lines]


def titles(command: CreateOrder, variants: Iterable[str]) -> str:
    """Of these variants, as the order calls them."""
    named = {line.variant_id: line.title or line.sku for line in command.lines}
    return ", ".join(named.get(variant, variant) for variant in variants)


def staff_note(command: CreateOrder) -> str:
    """What the shop's staff read first of all. The buyer's relay address stands there where the platform would mail
    whoever stands in the order.
    """
    relay = f"Relay address of the buyer: {command.email}." if command.email else ""
    return BETWEEN.join(filter(None, (f"Marketplace order {command.reference}.", relay)))


def two_names(name: str) -> tuple[str, str]:
    """First names and last name, as most platforms keep them apart; a name of one word is a first name."""
    first, _, last = name.strip().rpartition(" ")
    return (first, last) if first else (last, "")


def recipient(command: CreateOrder) -> dict[str, str]:
    """Whom an order goes to, by the names that a platform's document of an address is filled with (`facts.body`). A
    territory is a country of its own there, and no region.
    """
    to = command.ship_to
    first, last = two_names(to.name)
    return {
        "first": first,
        "last": last,
        "company": to.company,
        "line1": to.line1,
        "line2": to.line2,
        "city": to.city,
        "region": to.region_there,
        "postal_code": to.postal_code,
        "country": to.country_there,
        "phone": to.phone,
    }


def both_names(name: str, longest: int) -> dict[str, str]:
    """The same where a platform wants both of them: a dash stands for the one that is not there."""
    first, last = two_names(name)
    return {"firstname": (first or "-")[:longest], "lastname": (last or "-")[:longest]}


def oldest_first(ids: Iterable[str]) -> Found:
    """Of orders whose ids are growing numbers."""
    return Found(tuple(sorted(set(ids), key=lambda id_: (len(id_), id_))))


def ours(
    page: Listed, full: int, reference: str, reference_of: Callable[[Node], str], *, place: str = "shop"
) -> list[Node]:
    """The orders with our reference, of a page of `full` rows that was asked for by it. Should that filter ever be
    ignored, the page is full of others, and that is not "none". `place` is what sellers call their shop.
    """
    found = [row for row in page.items if reference_of(row) == reference]
    if not found and page.size >= full:
        raise NoAnswer(f"Your {place} did not look for our reference but gave all its orders.")
    return found


def under_way(found: ShopOrder, late_execution: float, now: datetime) -> float:
    """Seconds until a call that was sent before this order was last changed can do nothing more to it."""
    return 0.0 if found.updated_at is None else late_execution - (now - found.updated_at).total_seconds()


async def ended(
    read: Callable[[], Awaitable[tuple[Node, ShopOrder]]],
    cancel: Callable[[], Awaitable[object]],
    mark: Callable[[Node], Awaitable[object]],
) -> str:
    """Cancels an order and then marks it, so that no look-up takes it for the one that is wanted: for `take_back`.
    Marked before it is cancelled, one that stands would never be found again. `read` raises Missing where it is gone.
    """
    for left in (1, 0):
        try:
            node, order = await read()
        except Missing:
            return ""
        if order.state is not ShopOrderState.OPEN:
            await mark(node)
            return ""
        if left:
            await cancel()
    return "open"


async def take_back(cancel: Callable[[], Awaitable[str]], why: Refused) -> Outcome:
    """`cancel` ends the order that was just made, and says why it stands there all the same ("" when it does not).

    An order whose end is in doubt is looked for again; it is not refused while it stands.
    """
    try:
        left = await patiently(cancel)
    except Outside as error:
        return Unknown(f"{why.sentence} The order that was created there could not be cancelled yet. {error}")
    return Unknown(f"{why.sentence} The order that was created there is still {left}.") if left else why
