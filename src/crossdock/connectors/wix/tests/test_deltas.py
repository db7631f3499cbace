"""Wix keeps no key with a change of a count, so each is sent once: neither the transport nor we send it twice."""

import asyncio
import json
from collections import Counter
from dataclasses import replace

import pytest

from crossdock.connectors.wix import connector
from crossdock.connectors.wix.sandbox import Sandbox
from crossdock.connectors.wix.sandbox.books import HOME, Books
from crossdock.domain.capability import Pace
from crossdock.domain.commands import AdjustStock, CancelOrder, CancelReason, Done, Refused, Unknown, Why
from crossdock.kit.conformance import Stage
from crossdock.kit.connector import VariantRef
from crossdock.kit.http import Transport
from crossdock.kit.sandbox import Doc

PRODUCT, VARIANT = "0000000a-0001-4000-8000-0123456789ab", "0000000b-0002-4000-8000-0123456789ab"
ORDER = "0000000c-0003-4000-8000-0123456789ab"
REF = VariantRef(PRODUCT, f"{PRODUCT}.{VARIANT}")
NEWER = {"id": "i-1", "productId": PRODUCT, "variantId": VARIANT, "trackQuantity": True, "quantity": 5}
OLDER = {"productId": PRODUCT, "trackQuantity": True, "variants": [{"variantId": VARIANT, "quantity": 5}]}
STANDING = {
    "id": ORDER,
    "status": "APPROVED",
    "paymentStatus": "PAID",
    "fulfillmentStatus": "NOT_FULFILLED",
    "currency": "USD",
    "lineItems": [],
    "priceSummary": {"total": {"amount": "1.00"}},
    "channelInfo": {"type": "OTHER_PLATFORM", "externalOrderId": "XD-1"},
}
ANSWERS = {
    "inventory-items/query": {"inventoryItems": [NEWER]},
    "inventoryItems/query": {"inventoryItems": [OLDER]},
    f"ecom/v1/orders/{ORDER}": {"order": STANDING},
    f"fulfillments/orders/{ORDER}": {"orderWithFulfillments": {"fulfillments": []}},
    f"payments/orders/{ORDER}": {"orderTransactions": {"refunds": []}},
}


def change(variant: VariantRef, delta: int, key: str = "adjust-1") -> AdjustStock:
    return AdjustStock(variant.product_id, variant.variant_id, delta, key, "a reason")


@pytest.mark.parametrize("catalog", ["V3_CATALOG", "V1_CATALOG"])
async def test_a_connection_that_breaks_under_a_change_is_not_tried_again(stage: Stage, catalog: str) -> None:
    """The server keeps its connection for the look before, reads the change whole, and hangs up without an answer. A
    cancel is a change too: it puts units back.
    """
    arrived = Counter[str]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            method, path, _ = line.decode().split()
            head = await reader.readuntil(b"\r\n\r\n")
            lengths = [row.split(b":")[1] for row in head.lower().split(b"\r\n") if row.startswith(b"content-length")]
            await reader.readexactly(int(lengths[0]) if lengths else 0)
            arrived[f"{method} {path.rpartition('/')[2]}"] += 1
            known = next((body for end, body in ANSWERS.items() if path.endswith(end)), None)
            if known is None:
                break
            body = json.dumps(known).encode()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
            writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    async with server, Transport() as transport:
        http = transport.party("a site", Pace(1000, 1000, 4), local=True)
        settings = {**stage.shop.settings, "catalog": catalog}
        shop = replace(stage.shop, address=f"http://{host}:{port}/dashboard/x", http=http, settings=settings)
        for delta in (1, -1):
            outcome = await connector.adjust(shop, change(REF, delta, f"adjust{delta}"))
            assert isinstance(outcome, Unknown)
        outcome = await connector.cancel(shop, CancelOrder("XD-1", ORDER, CancelReason.BUYER_ASKED))
        assert isinstance(outcome, Unknown)
    sent = {name: times for name, times in arrived.items() if name.startswith("POST") and "query" not in name}
    assert sent == {"POST increment": 1, "POST decrement": 1, "POST cancel": 1}, "one for each change"


@pytest.mark.parametrize("delta", [2, -2])
async def test_a_lost_answer_is_unknown_and_the_count_changed_once(stage: Stage, books: Books, delta: int) -> None:
    (variant,) = await stage.product(5)
    stage.dial.once("lost_reply", skip=1)
    assert isinstance(await connector.adjust(stage.shop, change(variant, delta)), Unknown)
    assert await stage.hand.count(variant) == 5 + delta and len(books.shelf.ledger("adjusted")) == 1


async def test_what_is_not_tracked_or_gone_is_not_changed(stage: Stage, books: Books) -> None:
    (endless,), (gone,) = await stage.product(5), await stage.product(5)
    books.change(endless.product_id, tracked=False)
    await stage.hand.delete_product(gone.product_id)
    for ref, why in (
        (endless, Why.CONFLICT),
        (gone, Why.PRODUCT_GONE),
        (VariantRef("6a0", "v/../x"), Why.PRODUCT_GONE),
    ):
        outcome = await connector.adjust(stage.shop, change(ref, 1))
        assert isinstance(outcome, Refused) and outcome.why is why
    assert not books.shelf.ledger("adjusted")


async def test_a_unit_that_is_not_there_is_not_taken_out(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(2)
    outcome = await connector.adjust(stage.shop, change(variant, -3))
    assert isinstance(outcome, Refused) and outcome.why is Why.NO_STOCK and outcome.short == (variant.variant_id,)
    assert await stage.hand.count(variant) == 2 and not books.shelf.ledger("adjusted")


async def test_what_gives_back_is_not_stopped_below_zero_and_nothing_needs_no_call(either: Stage) -> None:
    assert isinstance(either.sandbox, Sandbox)
    books = either.sandbox.books
    (variant,) = await either.product(2)
    books.put_stock(variant.product_id, variant.variant_id, HOME, -5)
    assert isinstance(await connector.adjust(either.shop, change(variant, 0)), Done)
    assert not books.shelf.ledger("adjusted")
    assert isinstance(await connector.adjust(either.shop, change(variant, 2)), Done)
    assert await either.hand.count(variant) == -3


async def test_one_that_is_sold_between_the_look_and_the_change_is_no_success(
    either: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """V3 answers a bulk change with 200, and with success: false in it; V1 with a 428."""
    assert isinstance(either.sandbox, Sandbox)
    books, rest = either.sandbox.books, either.sandbox.rest
    (variant,) = await either.product(2)
    moved = rest._moved

    def sold_first(doc: Doc, row: Doc, delta: int) -> str:
        row["stock"][HOME] = 1
        return moved(doc, row, delta)

    monkeypatch.setattr(rest, "_moved", sold_first)
    outcome = await connector.adjust(either.shop, change(variant, -2))
    assert isinstance(outcome, Refused) and outcome.why is Why.NO_STOCK
    assert not books.shelf.ledger("adjusted")


async def test_a_change_is_made_once_for_each_command(stage: Stage) -> None:
    (variant,) = await stage.product(5)
    assert isinstance(await connector.adjust(stage.shop, change(variant, 3)), Done)
    assert isinstance(await connector.adjust(stage.shop, change(variant, -1, "2")), Done)
    assert await stage.hand.count(variant) == 7
