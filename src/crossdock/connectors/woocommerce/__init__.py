"""WooCommerce shops over REST wc/v3: polling is the truth, webhooks are hints, and every write is looked at
afterwards.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from crossdock.connectors.woocommerce import connect, fulfilling, placing, reading, risk, webhooks
from crossdock.connectors.woocommerce.client import Client
from crossdock.connectors.woocommerce.manifest import MANIFEST
from crossdock.domain.capability import Capability
from crossdock.domain.commands import (
    AdjustStock,
    CancelLines,
    CancelOrder,
    CreateOrder,
    Found,
    Outcome,
    Refused,
    Why,
    WriteFulfilment,
    WriteRisk,
)
from crossdock.domain.events import Count, ProductGone, ShopOrder, ShopProduct, Unreadable
from crossdock.kit.connector import Hook, Page, Proof, Redirect, Shop, Subscriptions, VariantRef


class WooCommerce:
    """The connector. It keeps nothing."""

    manifest = MANIFEST
    address = staticmethod(connect.address)
    verify = staticmethod(webhooks.verify)
    news = staticmethod(webhooks.news)

    def begin(
        self, shop: Shop, *, way: str, form: Mapping[str, str], state: str, return_url: str, callback_url: str
    ) -> Redirect:
        return connect.begin(shop, state=state, return_url=return_url, callback_url=callback_url)

    async def finish(
        self, shop: Shop, *, way: str, form: Mapping[str, str], params: Mapping[str, str], keep: Mapping[str, str]
    ) -> Mapping[str, str]:
        return await connect.finish(shop, way, form, params, keep)

    async def prove(self, shop: Shop) -> Proof:
        return await connect.prove(shop)

    async def look(self, shop: Shop) -> Proof:
        return await connect.look(shop)

    def renew_at(self, shop: Shop) -> datetime | None:
        """Keys never expire; they die with the WordPress user that they belong to."""
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
        return await placing.find(Client(shop), reference, since=since)

    async def create(self, shop: Shop, command: CreateOrder) -> Outcome:
        return await placing.create(Client(shop), command)

    async def confirm(self, shop: Shop, command: CreateOrder, found: ShopOrder) -> Outcome:
        return await placing.confirm(Client(shop), command, found)

    async def cancel(self, shop: Shop, command: CancelOrder) -> Outcome:
        return await placing.cancel(Client(shop), command)

    async def cancel_lines(self, shop: Shop, command: CancelLines) -> Outcome:
        return await placing.cancel_lines(Client(shop), command)

    async def adjust(self, shop: Shop, command: AdjustStock) -> Outcome:
        return Refused(Why.UNSUPPORTED, self.manifest.sentence(Capability.COUNTS_ADJUST))

    async def write_risk(self, shop: Shop, command: WriteRisk) -> Outcome:
        return await risk.write_risk(Client(shop), command)

    async def write_fulfilment(self, shop: Shop, command: WriteFulfilment) -> Outcome:
        return await fulfilling.write_fulfilment(Client(shop), command)

    async def subscribe(self, shop: Shop) -> Subscriptions:
        return await webhooks.subscribe(Client(shop))

    async def unsubscribe(self, shop: Shop) -> None:
        await webhooks.unsubscribe(Client(shop))

    def hook_shop(self, hook: Hook) -> str:
        return ""


connector = WooCommerce()
