"""A seller joins with a shop, without a browser: the same attempt, proof, preview and confirmation as the pages'."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from crossdock.domain.events import ShopProduct
from crossdock.kit import discover
from crossdock.kit.ask import ask_sync
from crossdock.kit.http import Transport
from crossdock.kit.shops import open_shop
from crossdock.store.models import Connection, Seller
from crossdock.usecases.shops import connect

PATIENCE_SECONDS = 20.0


def join(
    *,
    seller: Seller,
    platform: str,
    address: str,
    way: str,
    form: Mapping[str, str],
    now: datetime,
    local: bool = True,
    shadow: bool = False,
) -> Connection:
    """`shadow`: it is only read until its seller goes live.

    Raises kit.errors.Outside or a use-case's Problem with the sentence that the page would show.
    """
    connector = discover.connector(platform)
    canonical = connector.address({"address": address, **form}, local=local)
    attempt, _ = connect.start_attempt(
        seller=seller, user=seller.owner, platform=platform, way=way, address=canonical, form=form, now=now
    )
    bare = replace(connect.access_for_attempt(attempt=attempt, secrets={}), local=local)

    async def finish(transport: Transport) -> Mapping[str, str]:
        speaker, shop = open_shop(bare, transport, lane="interactive")
        return await speaker.finish(shop, way=way, form=form, params={}, keep={})

    secrets = ask_sync(finish, PATIENCE_SECONDS)
    full = replace(bare, secrets=secrets)

    async def look(transport: Transport) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        speaker, shop = open_shop(full, transport, lane="interactive")
        proof = await speaker.prove(shop)
        page = await speaker.products(replace(shop, settings=proof.settings), "")
        shown = [{"id": p.product_id, "title": p.title} for p in page.items[:20] if isinstance(p, ShopProduct)]
        return asdict(proof), shown

    proof, preview = ask_sync(look, PATIENCE_SECONDS)
    connect.prove_attempt(attempt=attempt, secrets=secrets, proof=proof, preview=preview, now=now)
    return connect.confirm_attempt(attempt=attempt, left_out=(), settings={}, now=now, shadow=shadow)
