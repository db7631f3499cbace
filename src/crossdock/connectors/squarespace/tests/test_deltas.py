"""Each change of a count is made once: no transport sends it twice, and a repeat of ours changes nothing."""

import asyncio
from collections import Counter
from dataclasses import replace

import pytest

from crossdock.connectors.squarespace import connector, mapper
from crossdock.connectors.squarespace.sandbox.books import Books
from crossdock.domain.capability import Pace
from crossdock.domain.commands import AdjustStock, Done, Refused, Unknown, Why
from crossdock.kit.conformance import Stage
from crossdock.kit.connector import VariantRef
from crossdock.kit.http import Transport


def change(variant: VariantRef, delta: int, key: str = "adjust-1") -> AdjustStock:
    return AdjustStock(variant.product_id, variant.variant_id, delta, key, "a reason")


async def test_a_connection_that_breaks_under_a_change_is_not_tried_again(stage: Stage) -> None:
    """The server keeps its connection for the look before, reads the change whole, and hangs up without an answer."""
    arrived = Counter[str]()
    ref = VariantRef("6a0", "v-1")
    stock = b'{"inventory": [{"variantId": "v-1", "quantity": 5, "isUnlimited": false}]}'

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            method, path, _ = line.decode().split()
            head = await reader.readuntil(b"\r\n\r\n")
            lengths = [row.split(b":")[1] for row in head.lower().split(b"\r\n") if row.startswith(b"content-length")]
            await reader.readexactly(int(lengths[0]) if lengths else 0)
            arrived[f"{method} {path.rpartition('/')[2]}"] += 1
            if method == "POST":
                break
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
            writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(stock), stock))
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    async with server, Transport() as transport:
        http = transport.party("a site", Pace(1000, 1000, 4), local=True)
        shop = replace(stage.shop, address=f"http://{host}:{port}", http=http)
        for delta in (1, -1):
            outcome = await connector.adjust(shop, change(ref, delta, f"adjust{delta}"))
            assert isinstance(outcome, Unknown)
    assert arrived == {"GET v-1": 2, "POST adjustments": 2}, "one for each difference"


@pytest.mark.parametrize("delta", [2, -2])
async def test_the_same_change_again_changes_nothing(stage: Stage, books: Books, delta: int) -> None:
    (variant,) = await stage.product(5)
    stage.dial.once("lost_reply", skip=1)
    first = await connector.adjust(stage.shop, change(variant, delta))
    assert isinstance(first, Unknown) and await stage.hand.count(variant) == 5 + delta
    assert isinstance(await connector.adjust(stage.shop, change(variant, delta)), Done)
    assert await stage.hand.count(variant) == 5 + delta and len(books.shelf.ledger("replay")) == 1
    assert isinstance(await connector.adjust(stage.shop, change(variant, delta, "adjust-2")), Done)
    assert await stage.hand.count(variant) == 5 + 2 * delta


async def test_what_is_not_counted_or_gone_is_not_changed(stage: Stage, books: Books) -> None:
    (endless,), (gone,) = await stage.product(5), await stage.product(5)
    books.limit(endless.variant_id, unlimited=True)
    await stage.hand.delete_product(gone.product_id)
    for ref, why in (
        (endless, Why.CONFLICT),
        (gone, Why.PRODUCT_GONE),
        (VariantRef("6a0", "v/../x"), Why.PRODUCT_GONE),
    ):
        outcome = await connector.adjust(stage.shop, change(ref, 1))
        assert isinstance(outcome, Refused) and outcome.why is why
    assert not [row for row in books.shelf.ledger("adjusted") if row["incrementOperations"]]


async def test_a_unit_that_was_sold_meanwhile_is_not_taken_out(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(2)
    outcome = await connector.adjust(stage.shop, change(variant, -3))
    assert isinstance(outcome, Refused) and outcome.why is Why.NO_STOCK and outcome.short == (variant.variant_id,)
    assert await stage.hand.count(variant) == 2 and not [
        row for row in books.shelf.ledger("adjusted") if row["decrementOperations"]
    ]


async def test_an_order_sent_twice_with_its_key_stands_once(stage: Stage, books: Books) -> None:
    """Our own look before each try aside: the key alone keeps a second one away."""
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))
    first, second = [await connector.create(stage.shop, command) for _ in range(2)]
    assert isinstance(first, Done) and isinstance(second, Done) and first.shop_id == second.shop_id
    assert len(await stage.standing(command)) == 1 and await stage.hand.count(variant) == 3
    assert [row["key"] for row in books.shelf.ledger("replay")] == [mapper.key("order", command.reference)]
