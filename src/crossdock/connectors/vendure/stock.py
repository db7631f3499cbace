"""Whether the shop set an order's units aside.

A payment looks at no stock: what is there is allocated, and what is missing is not mentioned. On SQLite payments run
one after the other and the allocation records tell who got what. On PostgreSQL (and MySQL) two payments at once read
the same level: each gets a record, and the level keeps one of them (3.7.3, `updateStockAllocatedForLocation` reads the
number and writes it back changed). So a record is believed only where the level is what all records together say; where
it is not, what all open orders hold is compared with what is on hand, and of two the later has none.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from crossdock.connectors.vendure import mapper
from crossdock.connectors.vendure.client import Client
from crossdock.domain.events import ShopOrder
from crossdock.kit.json_node import Node

NEAR = timedelta(seconds=15)
NEWEST = 900
# States in which units can still wait for a parcel.
HOLDING = [
    "PaymentAuthorized",
    "PaymentSettled",
    "PartiallyShipped",
    "PartiallyDelivered",
    "Modifying",
    "ArrangingAdditionalPayment",
]
PAGE, MOST_PAGES = 1000, 5
# A payment that was under way beside ours ends soon after it: seen within 0.3 s on a busy machine.
AFTERWARDS = 0.4


@dataclass(frozen=True, slots=True)
class Look:
    """One variant of a paid order. `recorded` units are its own by the records; `sellable` is on hand without what the
    shop keeps back.

    `whole`: the level is what all records of the variant say together. `rivals`: others were paid for it in the same
    seconds, by a server that can do two at once.
    """

    wanted: int
    recorded: int
    allocated: int
    sellable: int
    tracked: bool
    whole: bool
    rivals: bool

    @property
    def aside(self) -> bool | None:
        """None when only all open orders together can tell."""
        if not self.tracked:
            return True
        return self.recorded >= self.wanted if self.whole else None


@dataclass(frozen=True, slots=True)
class Judged:
    """A placed order with what is proven; variants that have too little there, and those of which nobody can say."""

    order: ShopOrder
    short: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()


def side_by_side(node: Node) -> bool:
    """Whether the server's database carries out payments side by side: SQLite, which does not, dates in whole
    seconds.
    """
    return any(pay.time("createdAt").microsecond for pay in node.opt_list("payments") or ())


async def proven(client: Client, node: Node) -> ShopOrder:
    """A placed order as it was read, with the units that are proven; None where it is not to be seen."""
    if node.word("state") == "Cancelled":
        return mapper.order(node, client.shop)
    looks = await _looks(client, node, _ordered(node))
    return mapper.order(node, client.shop, taken={id: _told(look) for id, look in looks.items()})


def _told(look: Look) -> int | None:
    return look.recorded if look.aside or look.recorded < look.wanted else None


async def judge(client: Client, node: Node, wanted: Mapping[str, int], *, fresh: bool) -> Judged:
    """An order that was just paid (`fresh`), or found after its answer was lost."""
    if node.word("state") == "Cancelled":
        return Judged(mapper.order(node, client.shop), unsure=tuple(wanted))
    if fresh and side_by_side(node):
        await asyncio.sleep(AFTERWARDS)
    looks = await _looks(client, node, wanted)
    ended = {id: look.aside for id, look in looks.items()}
    if None in ended.values():
        holding = await _holding(client)
        ended |= {id: compare(looks[id], id, node, holding) for id, aside in ended.items() if aside is None}
    order = mapper.order(node, client.shop, taken={id: looks[id].recorded if ended[id] else None for id in looks})
    gone = [id for id in wanted if id not in looks]
    return Judged(
        order,
        short=(*(id for id, aside in ended.items() if aside is False), *gone),
        unsure=tuple(id for id, aside in ended.items() if aside is None),
    )


def _ordered(node: Node) -> dict[str, int]:
    units: dict[str, int] = {}
    for line in node.list("lines"):
        variant = line.child("productVariant").id("id")
        units[variant] = units.get(variant, 0) + line.int("quantity")
    return units


async def _looks(client: Client, node: Node, wanted: Mapping[str, int]) -> dict[str, Look]:
    """Every variant of the order, with its movements and the orders paid around it."""
    placed_at = node.time("orderPlacedAt")
    sold = [line.child("productVariant") for line in node.list("lines")]
    # Oldest first, and no other order to be had: the newest are at the end.
    skip = {each.id("id"): max(0, each.child("stockMovements").int("totalItems") - NEWEST) for each in sold}
    looks: dict[str, Look] = {}
    for start in set(skip.values()):
        moment: dict[str, Any] = {"from": mapper.stamp(placed_at - NEAR), "to": mapper.stamp(placed_at + NEAR)}
        data = await client.ask("Near", order=node.id("id"), skip=start, **moment)
        around = data.child("orders").list("items")
        ours = mapper.books(data, {})
        for variant in (line.child("productVariant") for line in data.child("order").list("lines")):
            id = variant.id("id")
            if skip.get(id) == start and id in wanted:
                looks[id] = _look(node, variant, around, ours, wanted[id], start)
    return looks


def _look(node: Node, variant: Node, around: Sequence[Node], ours: mapper.Books, wanted: int, start: int) -> Look:
    id = variant.id("id")
    levels = variant.list("stockLevels")
    allocated = sum(level.int("stockAllocated") for level in levels)
    on_hand = sum(level.int("stockOnHand") for level in levels if level.id("stockLocationId") in ours.locations)
    others = [each for each in around if each.id("id") != node.id("id")]
    sold = {line.child("productVariant").id("id") for each in others for line in each.list("lines")}
    booked = sum(map(_change, variant.child("stockMovements").list("items")))
    return Look(
        wanted=wanted,
        recorded=mapper.units_taken(node.id("id"), variant, around),
        allocated=allocated,
        sellable=on_hand - mapper.kept_back(variant, ours),
        tracked=mapper.tracks(variant, ours),
        whole=start == 0 and booked == allocated,
        rivals=id in sold and side_by_side(node),
    )


def _change(movement: Node) -> int:
    """What a movement does to the allocated number; a sale's quantity is negative."""
    match movement.str("__typename"):
        case "Allocation" | "Sale":
            return movement.int("quantity")
        case "Release":
            return -movement.int("quantity")
    return 0


async def _holding(client: Client) -> Sequence[Node] | None:
    """Every open order, oldest first; None when there are too many to be read at once."""
    found: list[Node] = []
    for _ in range(MOST_PAGES):
        options = {
            "take": PAGE,
            "skip": len(found),
            "sort": {"orderPlacedAt": "ASC", "id": "ASC"},
            "filter": {"state": {"in": HOLDING}},
        }
        page = (await client.ask("Holding", options=options)).child("orders").list("items")
        found += page
        if len(page) < PAGE:
            return found
    return None


def compare(look: Look, variant: str, node: Node, holding: Sequence[Node] | None) -> bool | None:
    """False: what is on hand does not reach to this order. True: it does, and the level holds every open order.

    What the level holds beyond the orders seen here belongs to others (another channel's), and goes before ours. A
    deleted location takes its records along and hands over its numbers, so missing records alone prove nothing.
    """
    if holding is None:
        return True if look.recorded >= look.wanted and not look.rivals else None
    ours = _place(node)
    everyone = {_place(each): _waiting(each, variant) for each in holding} | {ours: look.wanted}
    units = sum(everyone.values())
    earlier = sum(held for place, held in everyone.items() if place < ours)
    if look.sellable - earlier - max(0, look.allocated - units) < look.wanted:
        return False
    return True if look.recorded >= look.wanted and look.allocated >= units else None


def _place(node: Node) -> tuple[datetime, int, str]:
    """Its place in the line: when it was paid, then the order of ids."""
    return node.time("orderPlacedAt"), len(node.id("id")), node.id("id")


def _waiting(node: Node, variant: str) -> int:
    """Units of the variant that are in no parcel yet."""
    lines = {
        line.id("id"): line.int("quantity")
        for line in node.list("lines")
        if line.child("productVariant").id("id") == variant
    }
    for parcel in node.opt_list("fulfillments") or ():
        if parcel.word("state") != "Cancelled":
            for row in parcel.list("lines"):
                if row.id("orderLineId") in lines:
                    lines[row.id("orderLineId")] -= row.int("quantity")
    return sum(max(0, left) for left in lines.values())
