"""Any shop whose developer implements the contract (openapi.json): what it answers is what the marketplace does
there.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from crossdock.connectors.open_door import connect, orders, reading, webhooks
from crossdock.connectors.open_door.client import Client
from crossdock.connectors.open_door.hand import TestHand
from crossdock.connectors.open_door.manifest import MANIFEST, offered
from crossdock.domain.capability import Manifest
from crossdock.domain.commands import (
    AdjustStock,
    CancelLines,
    CancelOrder,
    CreateOrder,
    Found,
    Outcome,
    WriteFulfilment,
    WriteRisk,
)
from crossdock.domain.events import Count, ProductGone, ShopOrder, ShopProduct, Unreadable
from crossdock.kit.connector import Hook, Page, Proof, Redirect, Shop, Subscriptions, VariantRef
from crossdock.kit.errors import BadInput
from crossdock.kit.hand import Hand


class OpenDoor:
    """The connector. It keeps nothing."""

    manifest = MANIFEST
    address = staticmethod(connect.address)
    verify = staticmethod(webhooks.verify)
    news = staticmethod(webhooks.news)

    def begin(
        self, shop: Shop, *, way: str, form: Mapping[str, str], state: str, return_url: str, callback_url: str
    ) -> Redirect:
        raise BadInput("A shop behind the open door is connected with its key.")

    async def finish(
        self, shop: Shop, *, way: str, form: Mapping[str, str], params: Mapping[str, str], keep: Mapping[str, str]
    ) -> Mapping[str, str]:
        return connect.secrets(form)

    async def prove(self, shop: Shop) -> Proof:
        return await connect.prove(Client(shop))

    async def look(self, shop: Shop) -> Proof:
        return await connect.look(Client(shop))

    def renew_at(self, shop: Shop) -> datetime | None:
        return None

    async def renew(self, shop: Shop) -> Mapping[str, str]:
        return shop.secrets

    async def products(self, shop: Shop, cursor: str) -> Page[ShopProduct | ProductGone | Unreadable]:
        return await reading.products(Client(shop), cursor)

    async def product(self, shop: Shop, product_id: str) -> ShopProduct | ProductGone:
        return await reading.product(Client(shop), product_id)

    async def counts(self, shop: Shop, variants: Sequence[VariantRef]) -> Sequence[Count | Unreadable]:
        return await reading.counts(Client(shop), variants)

    async def orders(self, shop: Shop, cursor: str) -> Page[ShopOrder | Unreadable]:
        return await reading.orders(Client(shop), cursor)

    async def order(self, shop: Shop, shop_id: str) -> ShopOrder:
        return await reading.order(Client(shop), shop_id)

    async def find(self, shop: Shop, reference: str, *, since: datetime) -> Found:
        return await reading.find(Client(shop), reference, since=since)

    async def create(self, shop: Shop, command: CreateOrder) -> Outcome:
        return await orders.create(Client(shop), command)

    async def confirm(self, shop: Shop, command: CreateOrder, found: ShopOrder) -> Outcome:
        return await orders.confirm(Client(shop), command, found)

    async def cancel(self, shop: Shop, command: CancelOrder) -> Outcome:
        return await orders.cancel(Client(shop), command)

    async def cancel_lines(self, shop: Shop, command: CancelLines) -> Outcome:
        return await orders.cancel_lines(Client(shop), command)

    async def adjust(self, shop: Shop, command: AdjustStock) -> Outcome:
        return await orders.adjust(Client(shop), command)

    async def write_risk(self, shop: Shop, command: WriteRisk) -> Outcome:
        return await orders.write_risk(Client(shop), command)

    async def write_fulfilment(self, shop: Shop, command: WriteFulfilment) -> Outcome:
        return await orders.write_fulfilment(Client(shop), command)

    async def subscribe(self, shop: Shop) -> Subscriptions:
        return await webhooks.subscribe(Client(shop))

    async def unsubscribe(self, shop: Shop) -> None:
        await webhooks.unsubscribe(Client(shop))

    def manifest_of(self, shop: Shop) -> Manifest:
        return offered(Client(shop).offers)

    def test_hand(self, shop: Shop) -> Hand | None:
        return TestHand(Client(shop)) if Client(shop).offers("test/do") else None

    def hook_shop(self, hook: Hook) -> str:
        return ""


connector = OpenDoor()
