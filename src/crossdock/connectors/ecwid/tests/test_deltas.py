"""A count is changed by a difference, once: Ecwid keeps no key with it, so nothing on the way may repeat it."""

import asyncio
import json
from collections import Counter
from dataclasses import replace

import pytest

from crossdock.connectors.ecwid import connector
from crossdock.connectors.ecwid.sandbox.books import Books
from crossdock.domain.capability import Pace
from crossdock.domain.commands import AdjustStock, Done, Later, Refused, SignInAgain, Unknown, Why
from crossdock.kit.conformance import Stage
from crossdock.kit.connector import VariantRef
from crossdock.kit.http import Transport


def change(variant: VariantRef, delta: int, key: str = "adjust-1") -> AdjustStock:
    return AdjustStock(variant.product_id, variant.variant_id, delta, key, "a reason")


SIMPLE, OF_A_VARIATION = VariantRef("7", "p7"), VariantRef("7", "9")
PATHS = {SIMPLE: "/products/7/inventory", OF_A_VARIATION: "/products/7/combinations/9/inventory"}


@pytest.mark.parametrize("ref", PATHS)
@pytest.mark.parametrize("half", [False, True])
async def test_a_connection_that_breaks_under_a_change_is_not_tried_again(
    stage: Stage, ref: VariantRef, half: bool
) -> None:
    """The server keeps its connection for the look before, reads the change whole, and hangs up without an answer, or
    in the middle of one. aiohttp by itself sends a PUT once more then.
    """
    arrived = Counter[str]()
    stock = {"id": 7, "quantity": 5, "combinations": [{"id": 9, "quantity": 5}] if ref is OF_A_VARIATION else []}
    body = json.dumps({"items": [stock]}).encode()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            method, path, _ = line.decode().split()
            head = await reader.readuntil(b"\r\n\r\n")
            lengths = [row.split(b":")[1] for row in head.lower().split(b"\r\n") if row.startswith(b"content-length")]
            await reader.readexactly(int(lengths[0]) if lengths else 0)
            arrived[f"{method} {path.partition('?')[0]}"] += 1
            if method == "PUT":
                if half:
                    writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n{"upd')
                    await writer.drain()
                break
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
            writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    async with server, Transport() as transport:
        http = transport.party("a store", Pace(1000, 1000, 4), local=True)
        shop = replace(stage.shop, address=f"http://{host}:{port}/api/v3/1", http=http)
        for delta in (1, -1):
            assert isinstance(await connector.adjust(shop, change(ref, delta, f"adjust{delta}")), Unknown)
    assert arrived == {"GET /api/v3/1/products": 2, f"PUT /api/v3/1{PATHS[ref]}": 2}, "one for each difference"


async def test_a_change_whose_answer_is_lost_is_made_once_and_is_in_doubt(stage: Stage, books: Books) -> None:
    for delta in (2, -2):
        (variant,) = await stage.product(5)
        stage.dial.once("lost_reply", skip=1)
        assert isinstance(await connector.adjust(stage.shop, change(variant, delta)), Unknown)
        assert await stage.hand.count(variant) == 5 + delta
    assert [row["delta"] for row in books.shelf.ledger("adjusted")] == [2, -2]


async def test_a_look_that_fails_sends_no_change(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    for fault in ("throttle", "broken", "lost_reply"):
        stage.dial.once(fault)
        assert isinstance(await connector.adjust(stage.shop, change(variant, 1)), Later)
        stage.fresh_budget()
    assert await stage.hand.count(variant) == 5 and not books.shelf.ledger("adjusted")


async def test_a_variation_is_changed_alone(stage: Stage, books: Books) -> None:
    a, b = await stage.product(4, 4)
    assert isinstance(await connector.adjust(stage.shop, change(b, 3)), Done)
    assert (await stage.hand.count(a), await stage.hand.count(b)) == (4, 7)
    assert not books.shelf.ledger("not as documented")


async def test_what_is_not_counted_or_gone_is_not_changed(stage: Stage, books: Books) -> None:
    (endless,), (gone,) = await stage.product(5), await stage.product(5)
    books.limit(endless.product_id, endless.variant_id, unlimited=True)
    await stage.hand.delete_product(gone.product_id)
    for ref, why in (
        (endless, Why.CONFLICT),
        (gone, Why.PRODUCT_GONE),
        (VariantRef(endless.product_id, "77"), Why.PRODUCT_GONE),
        (VariantRef(endless.product_id, "9/../x"), Why.PRODUCT_GONE),
        (VariantRef("1/../2", "p1/../2"), Why.PRODUCT_GONE),
    ):
        outcome = await connector.adjust(stage.shop, change(ref, 1))
        assert isinstance(outcome, Refused) and outcome.why is why
    assert not books.shelf.ledger("adjusted")


async def test_more_than_is_there_is_not_taken_out_and_nothing_needs_no_call(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(2)
    outcome = await connector.adjust(stage.shop, change(variant, -3))
    assert isinstance(outcome, Refused) and outcome.why is Why.NO_STOCK and outcome.short == (variant.variant_id,)
    assert isinstance(await connector.adjust(stage.shop, change(variant, 0)), Done)
    assert await stage.hand.count(variant) == 2 and not books.shelf.ledger("adjusted")


async def test_without_the_right_to_change_counts_everything_else_goes_on(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(2)
    books.set(without=["update_catalog"])
    outcome = await connector.adjust(stage.shop, change(variant, 1))
    assert isinstance(outcome, Refused) and outcome.why is Why.NOT_ALLOWED and not isinstance(outcome, SignInAgain)
    assert await stage.hand.count(variant) == 2
    await stage.placed(stage.order((variant, 1)))


async def test_what_the_store_says_it_did_not_change_is_no_success(
    stage: Stage, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ "0 if the item was not updated": it became unlimited between our look and our change."""
    (variant,) = await stage.product(2)
    move = books.move

    def late(product_id: str, variant_id: str, delta: int, **rest: bool) -> int:
        books.limit(product_id, variant_id, unlimited=True)
        return move(product_id, variant_id, delta, **rest)

    monkeypatch.setattr(books, "move", late)
    outcome = await connector.adjust(stage.shop, change(variant, 1))
    assert isinstance(outcome, Refused) and outcome.why is Why.CONFLICT
