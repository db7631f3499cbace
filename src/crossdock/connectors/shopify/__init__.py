"""Shopify, Admin GraphQL API. It has what the others lack: it claims stock when an order is created, and refuses our reference a second time."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from crossdock.connectors.shopify import commands, connect, reading, webhooks
from crossdock.connectors.shopify.manifest import MANIFEST
from crossdock.domain.commands import AdjustStock, CancelOrder, CreateOrder, Found, Outcome
from crossdock.domain.events import Count, HookNews, ProductGone, ShopOrder, ShopProduct
from crossdock.kit.connector import Connector, Hook, Page, Proof, Redirect, Shop, Subscriptions, VariantRef
from crossdock.kit.errors import Outside, outcome_of

C = TypeVar("C")


class Shopify:
    """The Connector protocol, each promise kept in the module that is named after it."""

    manifest = MANIFEST

    def address(self, form: Mapping[str, str], *, local: bool) -> str:
        return connect.address(form, local=local)

    def begin(
        self, shop: Shop, *, way: str, form: Mapping[str, str], state: str, return_url: str, callback_url: str
    ) -> Redirect:
        return connect.begin(shop, way=way, state=state, return_url=return_url)

    async def finish(
        self, shop: Shop, *, way: str, form: Mapping[str, str], params: Mapping[str, str], keep: Mapping[str, str]
    ) -> Mapping[str, str]:
        return await connect.finish(shop, way=way, form=form, params=params, keep=keep)

    async def prove(self, shop: Shop) -> Proof:
        return await connect.prove(shop)

    def renew_at(self, shop: Shop) -> datetime | None:
        return connect.renew_at(shop)

    async def renew(self, shop: Shop) -> Mapping[str, str]:
        return await connect.renew(shop)

    async def products(self, shop: Shop, cursor: str) -> Page[ShopProduct | ProductGone]:
        return await reading.products(shop, cursor)

    async def product(self, shop: Shop, product_id: str) -> ShopProduct | ProductGone:
        return await reading.product(shop, product_id)

    async def counts(self, shop: Shop, variants: Sequence[VariantRef]) -> Sequence[Count]:
        return await reading.counts(shop, [variant.variant_id for variant in variants])

    async def orders(self, shop: Shop, cursor: str) -> Page[ShopOrder]:
        return await reading.orders(shop, cursor)

    async def order(self, shop: Shop, shop_id: str) -> ShopOrder:
        return await reading.order(shop, shop_id)

    async def find(self, shop: Shop, reference: str, *, since: datetime) -> Found:
        return await commands.find(shop, reference)

    async def create(self, shop: Shop, command: CreateOrder) -> Outcome:
        return await _ending(commands.create, shop, command)

    async def cancel(self, shop: Shop, command: CancelOrder) -> Outcome:
        return await _ending(commands.cancel, shop, command)

    async def adjust(self, shop: Shop, command: AdjustStock) -> Outcome:
        return await _ending(commands.adjust, shop, command)

    def hook(self, shop: Shop, hook: Hook) -> HookNews:
        return webhooks.news(shop, hook)

    async def subscribe(self, shop: Shop) -> Subscriptions:
        return await webhooks.subscribe(shop)

    async def unsubscribe(self, shop: Shop) -> None:
        await webhooks.unsubscribe(shop)

    def hook_shop(self, hook: Hook) -> str:
        return webhooks.shop_of(hook)


async def _ending(act: Callable[[Shop, C], Awaitable[Outcome]], shop: Shop, command: C) -> Outcome:
    try:
        return await act(shop, command)
    except Outside as error:
        return outcome_of(error)


connector: Connector = Shopify()
