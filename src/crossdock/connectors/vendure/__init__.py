"""Vendure shops over their Admin GraphQL API. The core has no webhooks, so everything is asked for."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from crossdock.connectors.vendure import connect, fulfilling, placing, reading, risk
from crossdock.connectors.vendure.client import Client, Sessions
from crossdock.connectors.vendure.manifest import MANIFEST
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
from crossdock.domain.events import Count, HookNews, ProductGone, ShopOrder, ShopProduct, Unreadable
from crossdock.kit.connector import Forged, Hook, Page, Proof, Redirect, Shop, Subscriptions, VariantRef
from crossdock.kit.errors import BadInput


class Vendure:
    """The connector. It keeps nothing but the login tokens of this process."""

    manifest = MANIFEST

    def __init__(self) -> None:
        self._sessions = Sessions()

    def _client(self, shop: Shop) -> Client:
        return Client(shop, self._sessions)

    def address(self, form: Mapping[str, str], *, local: bool) -> str:
        return connect.address(form, local=local)

    def begin(
        self, shop: Shop, *, way: str, form: Mapping[str, str], state: str, return_url: str, callback_url: str
    ) -> Redirect:
        raise BadInput(self.manifest.sentence(Capability.SIGN_IN_REDIRECT))

    async def finish(
        self, shop: Shop, *, way: str, form: Mapping[str, str], params: Mapping[str, str], keep: Mapping[str, str]
    ) -> Mapping[str, str]:
        return connect.secrets(way, form)

    async def prove(self, shop: Shop) -> Proof:
        return await connect.prove(self._client(shop))

    async def look(self, shop: Shop) -> Proof:
        return await connect.look(self._client(shop))

    def renew_at(self, shop: Shop) -> datetime | None:
        return None

    async def renew(self, shop: Shop) -> Mapping[str, str]:
        return shop.secrets

    async def products(self, shop: Shop, cursor: str) -> Page[ShopProduct | ProductGone | Unreadable]:
        return await reading.products(self._client(shop), cursor)

    async def product(self, shop: Shop, product_id: str) -> ShopProduct | ProductGone:
        return await reading.product(self._client(shop), product_id)

    async def counts(self, shop: Shop, variants: Sequence[VariantRef]) -> Sequence[Count | Unreadable]:
        return await reading.counts(self._client(shop), variants)

    async def orders(self, shop: Shop, cursor: str) -> Page[ShopOrder | Unreadable]:
        return await reading.orders(self._client(shop), cursor)

    async def order(self, shop: Shop, shop_id: str) -> ShopOrder:
        return await reading.order(self._client(shop), shop_id)

    async def find(self, shop: Shop, reference: str, *, since: datetime) -> Found:
        return await placing.find(self._client(shop), reference)

    async def create(self, shop: Shop, command: CreateOrder) -> Outcome:
        return await placing.create(self._client(shop), command)

    async def confirm(self, shop: Shop, command: CreateOrder, found: ShopOrder) -> Outcome:
        return await placing.confirm(self._client(shop), command, found)

    async def cancel(self, shop: Shop, command: CancelOrder) -> Outcome:
        return await placing.cancel(self._client(shop), command)

    async def cancel_lines(self, shop: Shop, command: CancelLines) -> Outcome:
        return await placing.cancel_lines(self._client(shop), command)

    async def adjust(self, shop: Shop, command: AdjustStock) -> Outcome:
        return Refused(Why.UNSUPPORTED, self.manifest.sentence(Capability.COUNTS_ADJUST))

    async def write_risk(self, shop: Shop, command: WriteRisk) -> Outcome:
        return await risk.write_risk(self._client(shop), command)

    async def write_fulfilment(self, shop: Shop, command: WriteFulfilment) -> Outcome:
        return await fulfilling.write_fulfilment(self._client(shop), command)

    def verify(self, shop: Shop, hook: Hook) -> None:
        raise Forged("Vendure sends no webhooks.")

    def news(self, shop: Shop, hook: Hook) -> HookNews:
        raise Forged("Vendure sends no webhooks.")

    async def subscribe(self, shop: Shop) -> Subscriptions:
        return Subscriptions((), ())

    async def unsubscribe(self, shop: Shop) -> None:
        return None

    def hook_shop(self, hook: Hook) -> str:
        return ""


connector = Vendure()
