"""The tools that read. What the API answers is put into the tools' shapes, strangers' words apart."""

from typing import Annotated, Any, Literal

from pydantic import Field

from crossdock.cli.mcp.api import Api
from crossdock.cli.mcp.shapes import (
    Alert,
    AlertPage,
    Balance,
    Balances,
    CancelRequest,
    Cursor,
    Id,
    Line,
    ListingPage,
    ListingRow,
    OrderDetail,
    OrderPage,
    OrderRow,
    Parcel,
    Queue,
    Shop,
    Shops,
    Variant,
)


class Reading:
    def __init__(self, api: Api) -> None:
        self._api = api

    async def list_orders(self, queue: Queue = "all", cursor: Cursor = None) -> OrderPage:
        """The seller's orders, newest first. `queue` as in the seller's panel: to_ship, overdue, asked_to_cancel (a
        buyer waits for an answer), held (staff look at its risk first), needs_attention (has an open alert).
        """
        page = await self._api.get("/orders", queue=queue, cursor=cursor)
        return OrderPage(items=[OrderRow(**_order(each)) for each in page["items"]], next_cursor=page["next"])

    async def read_order(self, order: Id) -> OrderDetail:
        """One order by its id or reference (CD-…), with the address, parcels, the timeline, and the buyer's request to
        cancel if there was one.
        """
        said = await self._api.get(f"/orders/{order}")
        asked = await self._api.find(f"/orders/{order}/cancel-request")
        timeline = [f"{entry['at']} {entry['sentence']}" for entry in said["timeline"]]
        return OrderDetail(
            **_order(said),
            request_to_cancel=_request(asked) if asked else None,
            shipments=[Parcel(**_only(each, Parcel)) for each in said["shipments"]],
            risk_reasons=said["risk"]["reasons"],
            from_others={"ship_to": said["ship_to"], "timeline": timeline},
        )

    async def list_listings(
        self,
        words: Annotated[str, Field(max_length=100, description="Of the title or SKU; empty for all.")] = "",
        cursor: Cursor = None,
    ) -> ListingPage:
        """The seller's listings, newest first, with prices, what can be sold now, and what keeps each from selling."""
        page = await self._api.get("/listings", q=words, cursor=cursor)
        return ListingPage(items=[_listing(each) for each in page["items"]], next_cursor=page["next"])

    async def read_listing(self, listing: Id) -> ListingRow:
        """One listing by its id, with its description."""
        said = await self._api.get(f"/listings/{listing}")
        row = _listing(said)
        return row.model_copy(update={"from_others": {**row.from_others, "description": said["description"]}})

    async def list_alerts(self, state: Literal["open", "settled", "all"] = "open", cursor: Cursor = None) -> AlertPage:
        """What needs the seller's attention, newest first."""
        page = await self._api.get("/alerts", state=state, cursor=cursor)
        return AlertPage(items=[_alert(each) for each in page["items"]], next_cursor=page["next"])

    async def list_shops(self) -> Shops:
        """The seller's connected shops, and how each is doing: Healthy, Behind, and so on, with what to do."""
        return Shops(items=[_shop(each) for each in await self._api.get("/connections")])

    async def read_balance(self) -> Balances:
        """What the marketplace owes the seller, in each currency: available, pending and held."""
        return Balances(items=[Balance(**each) for each in await self._api.get("/balance")])


def _only(said: dict[str, Any], shape: type[Any]) -> dict[str, Any]:
    """Those of its fields that the shape has; a newer marketplace may tell more."""
    return {name: said[name] for name in shape.model_fields if name in said}


def _order(said: dict[str, Any]) -> dict[str, Any]:
    lines = [
        Line(
            **_only(each, Line),
            line=each["id"],
            from_others={"title": each["title"], "sku": each["sku"]},
        )
        for each in said["lines"]
    ]
    copy, risk = said["shop_copy"], said["risk"]["level"]
    kept = {name: said[name] for name in OrderRow.model_fields if name in said and name not in ("lines", "risk")}
    return {**kept, "lines": lines, "in_shop": copy["state"] if copy else None, "risk": risk}


def _request(said: dict[str, Any]) -> CancelRequest:
    words = {"buyers_reason": said["reason"], "answer": said["answer"]}
    return CancelRequest(**_only(said, CancelRequest), from_others=words)


def _listing(said: dict[str, Any]) -> ListingRow:
    variants = [
        Variant(**_only(each, Variant), from_others={"title": each["title"], "sku": each["sku"]})
        for each in said["variants"]
    ]
    return ListingRow(
        id=said["id"],
        state=said["state"],
        follows_a_shop=said["synced"],
        why_not_for_sale=said["why_not_live"],
        variants=variants,
        updated_at=said["updated_at"],
        from_others={"title": said["title"]},
    )


def _alert(said: dict[str, Any]) -> Alert:
    """Its sentence may quote a shop or a buyer."""
    return Alert(**_only(said, Alert), shop=said["connection"], from_others={"sentence": said["sentence"]})


def _shop(said: dict[str, Any]) -> Shop:
    words = {"name": said["name"], "address": said["address"], "sentence": said["sentence"]}
    return Shop(**_only(said, Shop), from_others=words)
