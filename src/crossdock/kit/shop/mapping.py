"""Pieces of what a mapper makes of a shop's rows."""

import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from crossdock.domain.events import LookKind, OrderLine, Parcel, ShopOrder, ShopOrderState, ShopVariant, Unreadable
from crossdock.domain.values import Money
from crossdock.kit import text, wire
from crossdock.kit.errors import Missing, Strange
from crossdock.kit.json_node import Node, node_of
from crossdock.kit.rows import read_row

MOST_IMAGES = 20
_NUMBER = re.compile(r"(?=[A-Za-z-]{0,59}\d)[0-9A-Za-z-]{3,60}")
# The parcel of an order that was only marked as sent: no fulfilment of the shop's has this id.
BARE = "status"
NO_ORDER = "Your shop does not have this order any more."


def priced(variants: Iterable[ShopVariant], product: str, currency: str = "") -> tuple[list[ShopVariant], list[str]]:
    """Those that cost something, and sentences about the others. `product` is its title; `currency` is named where a
    price of another one may stand there.
    """
    sold, reasons = [], []
    for variant in variants:
        if variant.price.minor > 0:
            sold.append(variant)
        else:
            name = variant.title or variant.sku or product
            reasons.append(f"{name} has no price in {currency}." if currency else f"{name} has no price.")
    return sold, reasons


def add_variant(rows: list[ShopVariant], reasons: list[str], name: str, read: Callable[[], ShopVariant]) -> None:
    """One more of `rows`, or one more of `reasons`: why it could not be understood."""
    found = read_row(LookKind.PRODUCT, "", read)
    if isinstance(found, Unreadable):
        reasons.append(f"“{name}” could not be understood: its number, price or count is no number.")
    else:
        rows.append(found)


def read_variants(
    rows: Iterable[Node],
    name_of: Callable[[Node], str],
    why_not: Callable[[Node], str],
    read: Callable[[Node], ShopVariant],
) -> tuple[list[ShopVariant], list[str]]:
    """Variants that are sold, and sentences about the others. `why_not` says after its name why a row is not ("" when
    it is); one that cannot be understood keeps no other one from being sold.
    """
    found, reasons = list[ShopVariant](), list[str]()
    for row in rows:
        name = name_of(row) or "A variant"
        if why := why_not(row):
            reasons.append(f"“{name}” {why}")
        else:
            add_variant(found, reasons, name, partial(read, row))
    return found, reasons


def that_hold(sentences: Mapping[str, object]) -> list[str]:
    """The sentences whose condition holds: why a product is not sold."""
    return [sentence for sentence, so in sentences.items() if so]


def sold(told: Iterable[tuple[ShopVariant, str]], unnamed: str = "") -> tuple[tuple[ShopVariant, ...], tuple[str, ...]]:
    """Variants against which nothing stands, and what does against the others; one without a price is not sold.
    `unnamed` is what one without a title is called; otherwise it is its SKU.
    """
    rows = [(variant, why or ("" if variant.price.minor > 0 else "has no price.")) for variant, why in told]
    named = ((variant.title or unnamed or variant.sku or variant.variant_id, why) for variant, why in rows)
    return tuple(variant for variant, why in rows if not why), tuple(f"{name} {why}" for name, why in named if why)


def images(urls: Iterable[Any]) -> tuple[str, ...]:
    """Links that people may follow, each once, best first."""
    return tuple(dict.fromkeys(filter(None, map(text.link, urls))))[:MOST_IMAGES]


def options(values: Iterable[str]) -> str:
    """The title of a variant, by what was chosen of its options."""
    return " / ".join(filter(None, map(text.label, values)))


def named(rows: Iterable[Node], name: str = "name", value: str = "value") -> tuple[tuple[str, str], ...]:
    """(name, value) of each row that has a value: options that were chosen, features, custom fields. A name may stand
    further down ("option.title"), and so may the values of rows that have several ("values.name").
    """
    (inside, _, last), (many, _, word) = name.rpartition("."), value.rpartition(".")
    told = (
        (text.label((row.view(inside) if inside else row).text(last)), text.label(each.text(word)))
        for row in rows
        for each in (row.rows(many) if many else [row])
    )
    return tuple((about, said) for about, said in told if said)


def names(rows: Any) -> tuple[str, ...]:
    """Of tags, types and categories: texts, or rows with a `name`; nothing where it is no list."""
    entries = rows if isinstance(rows, Iterable) and not isinstance(rows, str | Mapping) else ()
    words = (row.text("name") if isinstance(row, Node) else row for row in entries)
    return tuple(filter(None, (text.label(word) for word in words if isinstance(word, str))))


def described(said: str) -> str:
    """The text of an EditorJS document (editorjs.io), which is sent as JSON within a text."""
    try:
        document = node_of(wire.load(said[: text.MOST].encode()), "description")
    except Strange:
        return ""
    found = list[Any]()
    for block in document.rows("blocks"):
        items = block.view("data").raw("items")
        found += [block.view("data").text("text"), *(items if isinstance(items, list) else ())]
    return text.plain("<p>".join(each for each in found if isinstance(each, str) and each.strip()))


def tracked(said: str) -> tuple[str, str]:
    """Tracking number and link of a field in which a seller may enter either: the number is the longest part of a link
    that looks like one, since shorter ones are a version or a step.
    """
    number = text.label(said)
    link = text.link(number) if " " not in number else ""
    if not link:
        return number, ""
    try:
        parts = urlsplit(link)
    except ValueError:
        return "", link
    words = [*parts.path.split("/"), *(value for _, value in parse_qsl(parts.query))]
    return max(filter(_NUMBER.fullmatch, words), key=len, default=""), link


def person(address: Node, first: str, last: str) -> str:
    """Their name out of an address of two fields for it."""
    return text.label(f"{address.text(first)} {address.text(last)}")


def state(*, cancelled: bool) -> ShopOrderState:
    """Of an order that is there. What was shipped or refunded of it says nothing of its state."""
    return ShopOrderState.CANCELLED if cancelled else ShopOrderState.OPEN


def gone(shop_id: str, currency: str) -> ShopOrder:
    """An order that the shop does not have any more."""
    return ShopOrder(shop_id, "", "", ShopOrderState.GONE, (), Money.zero(currency))


async def or_gone(read: Awaitable[tuple[object, ShopOrder]], shop_id: str, currency: str) -> ShopOrder:
    """The order that `read` gives with what it was made of, or raises Missing for."""
    try:
        return (await read)[1]
    except Missing:
        return gone(shop_id, currency)


def summed(pairs: Iterable[tuple[str, int]]) -> Counter[str]:
    """Units by what they belong to (a line, a variant): what is named twice is added."""
    found = Counter[str]()
    for name, units in pairs:
        found[name] += units
    return found


def unheld(lines: Sequence[OrderLine], parcels: Sequence[Parcel]) -> tuple[tuple[str, int], ...]:
    """Units by line that are in no parcel. None where a parcel does not say what it holds: it holds what is left."""
    if any(not parcel.lines for parcel in parcels):
        return ()
    rest = {line.line_id: line.quantity for line in lines}
    for line, units in (pair for parcel in parcels for pair in parcel.lines):
        rest[line] = rest.get(line, 0) - units
    return tuple((line, units) for line, units in rest.items() if units > 0)


def marked_sent(
    lines: Sequence[OrderLine], parcels: Sequence[Parcel], at: datetime | None, *, sent: bool
) -> tuple[Parcel, ...]:
    """The parcels of an order. Where it is marked as sent, what none of them holds left without a number."""
    left = unheld(lines, parcels) if sent else ()
    return (*parcels, Parcel(BARE, left, shipped_at=at)) if left else tuple(parcels)


def numbered(units: Sequence[tuple[str, int]], parcels: Sequence[Parcel]) -> tuple[Parcel, ...]:
    """One parcel with several numbers: the first has its units, the others none of them."""
    none = tuple((line, 0) for line, _ in units)
    return tuple(replace(parcel, lines=none if n else tuple(units)) for n, parcel in enumerate(parcels))


def amount(money: Money) -> float:
    """Where a platform's schema has numbers for amounts: the shortest one that reads the same is written."""
    return float(money.decimal)
