"""A count is never written from here, and nothing that moves one is sent twice by the transport."""

import asyncio
from collections import Counter
from dataclasses import replace

from crossdock.connectors.adobe_commerce import connector
from crossdock.domain.capability import Pace
from crossdock.domain.commands import AdjustStock, Refused, Unknown, Why
from crossdock.kit.conformance import Stage
from crossdock.kit.http import Transport


async def test_a_count_is_not_changed_from_here(stage: Stage) -> None:
    """A source's quantity is set as a whole: a sale in the same moment would be undone."""
    (variant,) = await stage.product(5)
    asked = AdjustStock(variant.product_id, variant.variant_id, -1, "k", "a reason")
    outcome = await connector.adjust(stage.shop, asked)
    assert isinstance(outcome, Refused) and outcome.why is Why.UNSUPPORTED
    assert await stage.hand.count(variant) == 5


async def test_an_order_whose_connection_breaks_is_not_placed_again(stage: Stage) -> None:
    """The server reads the PUT whole and hangs up: some clients repeat a PUT by themselves."""
    (variant,) = await stage.product(5)
    command = stage.order((variant, 1))
    arrived = Counter[str]()
    host, port = stage.shop.address.removeprefix("http://").split(":")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            head = await reader.readuntil(b"\r\n\r\n")
            lengths = [row.split(b":")[1] for row in head.lower().split(b"\r\n") if row.startswith(b"content-length")]
            body = await reader.readexactly(int(lengths[0]) if lengths else 0)
            method = line.decode().split()[0]
            arrived[method] += 1
            if method == "PUT":
                break
            there, out = await asyncio.open_connection(host, int(port))
            # Signed for the address that was asked, so the shop is asked under that one.
            out.write(line + head.replace(b"keep-alive", b"close") + body)
            kept = await there.readuntil(b"\r\n\r\n")
            size = next(int(row.split(b":")[1]) for row in kept.lower().split(b"\r\n") if b"content-length" in row)
            writer.write(kept + await there.readexactly(size))
            await writer.drain()
            out.close()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    own = "http://{}:{}".format(*server.sockets[0].getsockname()[:2])
    real, stage.server.address = stage.server.address, own
    async with server, Transport() as transport:
        http = transport.party("a site", Pace(1000, 1000, 4), local=True)
        outcome = await connector.create(replace(stage.shop, address=own, http=http), command)
    stage.server.address = real
    assert isinstance(outcome, Unknown) and arrived["PUT"] == 1, (outcome, arrived)
    assert await stage.standing(command) == []
