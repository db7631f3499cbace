"""The seller's hand in a real Medusa, over the Admin API as its dashboard uses it.

Its questions are its own: nothing of the connector is used to check the connector.
"""

import asyncio
import itertools
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import aiohttp

from crossdock.kit.connector import VariantRef
from crossdock.kit.hand import Standing, Stocked

SELLER = "seller@example.test"
ORDER = (
    "id,display_id,status,total,email,metadata,items.*,shipping_address.*,fulfillments.*,fulfillments.items.*,"
    "payment_collections.payments.id"
)
LEVELS = "id,sku,title,product_id,*prices,*product,*inventory_items.inventory.location_levels"
COUNTRIES = ("us", "de", "gb")
WALK_IN = {
    "first_name": "Walk",
    "last_name": "In",
    "address_1": "1 Counter St",
    "city": "Springfield",
    "country_code": "us",
    "postal_code": "12345",
}


class RealHand:
    """Signs in with a name and a password at the first call. `close()` it."""

    def __init__(self, address: str, password: str) -> None:
        self._address, self._password = address, password
        self._session: aiohttp.ClientSession | None = None
        self._numbers = itertools.count(1)
        self._world: dict[str, str] = {}

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def ask(self, method: str, path: str, body: Any = None, *, query: str = "") -> Any:
        """Raises LookupError with the server's own words when it refuses."""
        if self._session is None:
            self._session = aiohttp.ClientSession()
            who = {"email": SELLER, "password": self._password}
            token = (await self._send("POST", "/auth/user/emailpass", who))["token"]
            self._session.headers["Authorization"] = f"Bearer {token}"
        return await self._send(method, f"/admin/{path}{'?' if query else ''}{query}", body)

    async def _send(self, method: str, path: str, body: Any) -> Any:
        assert self._session is not None
        async with self._session.request(method, self._address + path, json=body) as reply:
            answer = await reply.json()
        if reply.status >= 400:
            raise LookupError(f"{reply.status}: {answer.get('message')}")
        return answer

    # The store

    async def make_store(self) -> str:
        """What an empty database needs to sell: a currency, a region, a location, a way of shipping. The API key."""
        store = (await self.ask("GET", "stores"))["stores"][0]
        usd = {"name": "Corner shop", "supported_currencies": [{"currency_code": "usd", "is_default": True}]}
        await self.ask("POST", f"stores/{store['id']}", usd)
        region = {
            "name": "World",
            "currency_code": "usd",
            "countries": list(COUNTRIES),
            "payment_providers": ["pp_system_default"],
        }
        await self.ask("POST", "regions", region)
        place = (await self.ask("POST", "stock-locations", {"name": "Home"}))["stock_location"]["id"]
        await self.ask("POST", f"stock-locations/{place}/sales-channels", {"add": [store["default_sales_channel_id"]]})
        await self.ask("POST", f"stock-locations/{place}/fulfillment-providers", {"add": ["manual_manual"]})
        made = await self.ask(
            "POST",
            f"stock-locations/{place}/fulfillment-sets",
            {"name": "Parcels", "type": "shipping"},
            query="fields=*fulfillment_sets",
        )
        set_ = made["stock_location"]["fulfillment_sets"][0]["id"]
        zones = [{"type": "country", "country_code": code} for code in COUNTRIES]
        made = await self.ask(
            "POST", f"fulfillment-sets/{set_}/service-zones", {"name": "Everywhere", "geo_zones": zones}
        )
        profile = (await self.ask("GET", "shipping-profiles"))["shipping_profiles"][0]["id"]
        option = {
            "name": "Post",
            "service_zone_id": made["fulfillment_set"]["service_zones"][0]["id"],
            "shipping_profile_id": profile,
            "provider_id": "manual_manual",
            "price_type": "flat",
            "type": {"label": "Post", "code": "post", "description": "By post"},
            "prices": [{"currency_code": "usd", "amount": 5}],
        }
        await self.ask("POST", "shipping-options", option)
        return await self.api_key()

    async def api_key(self) -> str:
        made = await self.ask("POST", "api-keys", {"title": "Crossdock", "type": "secret"})
        return str(made["api_key"]["token"])

    async def world(self) -> dict[str, str]:
        if not self._world:
            store = (await self.ask("GET", "stores"))["stores"][0]
            found = {
                name: (await self.ask("GET", path))[key][0]["id"]
                for name, path, key in (
                    ("region", "regions", "regions"),
                    ("place", "stock-locations", "stock_locations"),
                    ("profile", "shipping-profiles", "shipping_profiles"),
                    ("option", "shipping-options", "shipping_options"),
                )
            }
            self._world = {"channel": store["default_sales_channel_id"], **found}
        return self._world

    # Products

    async def products(self) -> Sequence[Stocked]:
        rows = (await self.ask("GET", "product-variants", query=f"limit=5000&fields={LEVELS}"))["variants"]
        return [
            Stocked(row["product_id"], row["id"], row["sku"], row["product"]["title"], _available(row), _price(row))
            for row in rows
        ]

    async def add_product(
        self, title: str, variants: Sequence[tuple[str, str, int]], *, image: str = "", description: str = ""
    ) -> tuple[VariantRef, ...]:
        world = await self.world()
        names = [f"Kind {n}" for n in range(len(variants))]
        body = {
            "title": title,
            "handle": f"p{next(self._numbers)}-{variants[0][0]}".lower(),
            "description": description,
            "status": "published",
            "options": [{"title": "Kind", "values": names}],
            "sales_channels": [{"id": world["channel"]}],
            "shipping_profile_id": world["profile"],
            "variants": [
                {
                    "title": name,
                    "sku": sku,
                    "options": {"Kind": name},
                    "manage_inventory": True,
                    "prices": [{"currency_code": "usd", "amount": float(price)}],
                }
                for name, (sku, price, _) in zip(names, variants, strict=True)
            ],
        }
        made = await self.ask("POST", "products", body, query="fields=id,*variants,*variants.inventory_items")
        rows = sorted(made["product"]["variants"], key=lambda row: names.index(row["title"]))
        await asyncio.gather(
            *(
                self.ask(
                    "POST",
                    f"inventory-items/{row['inventory_items'][0]['inventory_item_id']}/location-levels",
                    {"location_id": world["place"], "stocked_quantity": count},
                )
                for row, (_, _, count) in zip(rows, variants, strict=True)
            )
        )
        return tuple(VariantRef(made["product"]["id"], row["id"]) for row in rows)

    async def reprice(self, variant: VariantRef, price: str) -> None:
        prices = [{"currency_code": "usd", "amount": float(price)}]
        await self.change_variant(variant, prices=prices)

    async def change_variant(self, variant: VariantRef, **changes: Any) -> None:
        await self.ask("POST", f"products/{variant.product_id}/variants/{variant.variant_id}", changes)

    async def delete_product(self, product_id: str) -> None:
        """What has reserved units is not deleted (400); the seller takes it off sale."""
        try:
            await self.ask("DELETE", f"products/{product_id}")
        except LookupError as refused:
            if "reservations" not in str(refused):
                raise
            await self.ask("POST", f"products/{product_id}", {"status": "draft"})

    async def levels(self, variant: VariantRef) -> tuple[str, list[Any]]:
        """The inventory item and its levels."""
        query = f"id[]={variant.variant_id}&fields={LEVELS}"
        row = (await self.ask("GET", "product-variants", query=query))["variants"][0]
        item = row["inventory_items"][0]["inventory"]
        return item["id"], item["location_levels"]

    async def count(self, variant: VariantRef) -> int:
        return sum(int(level["available_quantity"]) for level in (await self.levels(variant))[1])

    async def recount(self, variant: VariantRef, count: int) -> None:
        """So many can still be sold: what is reserved lies there besides."""
        item, levels = await self.levels(variant)
        home = (await self.world())["place"]
        elsewhere = sum(level["available_quantity"] for level in levels if level["location_id"] != home)
        (here,) = [level for level in levels if level["location_id"] == home]
        stocked = {"stocked_quantity": count - elsewhere + here["reserved_quantity"]}
        await self.ask("POST", f"inventory-items/{item}/location-levels/{home}", stocked)

    async def open_location(self, name: str) -> str:
        """At which our sales channel sells."""
        made = (await self.ask("POST", "stock-locations", {"name": name}))["stock_location"]["id"]
        channel = (await self.world())["channel"]
        await self.ask("POST", f"stock-locations/{made}/sales-channels", {"add": [channel]})
        return str(made)

    async def stock_at(self, variant: VariantRef, location: str, count: int) -> None:
        item, levels = await self.levels(variant)
        path, there = f"inventory-items/{item}/location-levels", {level["location_id"] for level in levels}
        if location in there:
            await self.ask("POST", f"{path}/{location}", {"stocked_quantity": count})
        else:
            await self.ask("POST", path, {"location_id": location, "stocked_quantity": count})

    # Orders

    async def draft(self, *lines: tuple[VariantRef, int], price: float = 7) -> str:
        """As a member of staff makes one at the counter."""
        world = await self.world()
        body = {
            "email": "customer@example.test",
            "region_id": world["region"],
            "sales_channel_id": world["channel"],
            "shipping_address": WALK_IN,
            "items": [{"variant_id": ref.variant_id, "quantity": n, "unit_price": price} for ref, n in lines],
            "shipping_methods": [{"name": "Post", "shipping_option_id": world["option"], "amount": 0}],
        }
        return str((await self.ask("POST", "draft-orders", body, query="fields=id"))["draft_order"]["id"])

    async def convert(self, draft: str) -> str:
        await self.ask("POST", f"draft-orders/{draft}/convert-to-order", query="fields=id")
        return draft

    async def sell(self, variant: VariantRef, quantity: int) -> str:
        return await self.convert(await self.draft((variant, quantity)))

    async def drafts(self) -> list[Any]:
        rows = await self.ask("GET", "draft-orders", query="limit=5000&fields=id,email,metadata")
        return list(rows["draft_orders"])

    async def all_orders(self) -> list[Any]:
        return list((await self.ask("GET", "orders", query=f"limit=5000&fields={ORDER}"))["orders"])

    async def order(self, shop_id: str) -> Any:
        return (await self.ask("GET", f"orders/{shop_id}", query=f"fields={ORDER}"))["order"]

    async def orders(self) -> Sequence[Standing]:
        return [_standing(order) for order in await self.all_orders()]

    async def pack(self, shop_id: str, lines: Sequence[tuple[str, int]] = ()) -> tuple[str, list[Any]]:
        """A fulfilment that has not left yet."""
        order = await self.order(shop_id)
        wanted, items = dict(lines), []
        for row in order["items"]:
            free = row["quantity"] - row["detail"]["fulfilled_quantity"]
            units = min(free, wanted.get(row["variant_id"], 0)) if lines else free
            if units:
                items.append({"id": row["id"], "quantity": units})
        body = {"items": items, "no_notification": True}
        known = {each["id"] for each in order["fulfillments"]}
        made = await self.ask("POST", f"orders/{shop_id}/fulfillments", body, query="fields=id,fulfillments.id")
        (new,) = [each["id"] for each in made["order"]["fulfillments"] if each["id"] not in known]
        return str(new), items

    async def fulfil(
        self, shop_id: str, *, tracking: str = "", carrier: str = "", lines: Sequence[tuple[str, int]] = ()
    ) -> str:
        made, items = await self.pack(shop_id, lines)
        numbers = [number.strip() for number in tracking.split(",") if number.strip()]
        link = f"https://track.example/{carrier.lower()}/" if carrier else ""
        labels = [
            {"tracking_number": number, "tracking_url": link and link + number, "label_url": ""} for number in numbers
        ]
        await self.ask("POST", f"orders/{shop_id}/fulfillments/{made}/shipments", {"items": items, "labels": labels})
        return made

    async def change_tracking(self, shop_id: str, parcel_id: str, tracking: str) -> None:
        """Medusa changes no number of a shipment: the new one goes into the order's metadata."""
        await self.ask("POST", f"orders/{shop_id}", {"metadata": {f"crossdock_{parcel_id}": tracking}})

    async def cancel(self, shop_id: str, *, restock: bool = True) -> None:
        """Medusa always restocks; a seller who does not want that takes the units out again."""
        order = await self.order(shop_id)
        await self.ask("POST", f"orders/{shop_id}/cancel", {})
        for line in () if restock else order["items"]:
            variant = VariantRef(line["product_id"], line["variant_id"])
            await self.recount(variant, await self.count(variant) - line["quantity"])

    async def refund(self, shop_id: str, amount: str) -> str:
        order = await self.order(shop_id)
        payment = order["payment_collections"][0]["payments"][0]["id"]
        made = await self.ask("POST", f"payments/{payment}/refund", {"amount": float(amount)})
        return str(made["payment"]["refunds"][-1]["id"])


def _available(row: Any) -> int:
    levels = [level for part in row["inventory_items"] for level in part["inventory"]["location_levels"]]
    return sum(int(level["available_quantity"]) for level in levels)


def _price(row: Any) -> str:
    return f"{Decimal(str(row['prices'][0]['amount'])):.2f}"


def _standing(order: Any) -> Standing:
    to = order.get("shipping_address") or {}
    return Standing(
        shop_id=order["id"],
        number=str(order["display_id"]),
        reference=(order["metadata"] or {}).get("crossdock_reference", ""),
        buyer=f"{to.get('first_name')} {to.get('last_name')} <{order['email']}>",
        lines=tuple((line["variant_id"], line["quantity"]) for line in order["items"]),
        total=f"{Decimal(str(order['total'])):.2f}",
        cancelled=order["status"] == "canceled",
        parcels=sum(bool(each["shipped_at"]) and not each["canceled_at"] for each in order["fulfillments"]),
    )
