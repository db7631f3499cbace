"""The tools that change something, in two steps: a preview with a code, and confirm."""

from typing import Annotated, Any

from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field

from crossdock.cli.mcp.api import Api
from crossdock.cli.mcp.shapes import Done, Id, Money, Preview, Reason, RejectedUnits, Units


class Changing:
    def __init__(self, api: Api) -> None:
        self._api = api

    async def preview_shipment(
        self,
        order: Id,
        tracking_number: Annotated[str, Field(max_length=120)] = "",
        carrier: Annotated[str, Field(max_length=80, description="Such as UPS or DHL.")] = "",
        lines: Annotated[
            list[Units] | None, Field(description="Units in this parcel; leave it out for all that is left.")
        ] = None,
    ) -> Preview:
        """What marking one parcel as shipped would do. Nothing is done before confirm."""
        units = [each.model_dump() for each in lines] if lines is not None else None
        data = {"tracking_number": tracking_number, "carrier": carrier, "lines": units}
        return await self._preview(f"/orders/{order}/shipments", data)

    async def preview_reject(
        self,
        order: Id,
        reason: Annotated[Reason | None, Field(description="For the whole order.")] = None,
        lines: Annotated[
            list[RejectedUnits] | None,
            Field(description="In place of reason, for single units, where that is allowed."),
        ] = None,
    ) -> Preview:
        """What rejecting an order, or units of it, would do: the credit to the buyer to the cent, and what becomes of
        the stock. Nothing is done before confirm; it cannot be undone afterwards.
        """
        units = [each.model_dump() for each in lines] if lines is not None else None
        return await self._preview(f"/orders/{order}/reject", {"reason": reason, "lines": units})

    async def preview_answer_to_cancel(
        self,
        order: Id,
        agree: Annotated[bool, Field(description="true cancels the order and credits the buyer; false declines.")],
        answer: Annotated[str, Field(max_length=500, description="Why not; the buyer reads it. Only to decline.")] = "",
    ) -> Preview:
        """What answering a buyer's request to cancel would do. Nothing is done before confirm."""
        asked = await self._api.find(f"/orders/{order}/cancel-request")
        if asked is None or asked["state"] != "asked":
            raise ToolError("No request to cancel waits for an answer.")
        if agree:
            return await self._preview(f"/orders/{order}/reject", {"reason": "buyer_asked"})
        return await self._preview(f"/orders/{order}/cancel-request/decline", {"answer": answer})

    async def preview_price(self, listing: Id, price: Money) -> Preview:
        """What another price would do, for a listing made by hand; one that follows a shop is priced there. Nothing is
        done before confirm.
        """
        return await self._preview(f"/listings/{listing}/price", {"price": price.model_dump()})

    async def preview_buffer(
        self,
        listing: Id,
        units: Annotated[
            int | None, Field(ge=0, le=10_000, description="Of each variant; null follows what is set for the shop.")
        ],
    ) -> Preview:
        """What keeping back so many units from sale would do, for a listing that follows a shop. Nothing is done before
        confirm.
        """
        return await self._preview(f"/listings/{listing}/buffer", {"buffer": units})

    async def preview_sale(
        self, listing: Id, on_sale: Annotated[bool, Field(description="false takes it off sale, true lists it again.")]
    ) -> Preview:
        """What taking a listing off sale, or listing it again, would do. Nothing is done before confirm."""
        return await self._preview(f"/listings/{listing}/sale", {"on_sale": on_sale})

    async def confirm(
        self, code: Annotated[str, Field(min_length=1, max_length=20_000, description="confirmation_code, unchanged.")]
    ) -> Done:
        """Does exactly what its preview showed, once. Call it only after the seller has seen the preview and said yes.
        Refused when the code has run out or something changed since; ask for a new preview then, and show that.
        """
        return Done(**await self._api.confirm(code))

    async def _preview(self, path: str, data: dict[str, Any]) -> Preview:
        said = await self._api.post(f"{path}/preview", data)
        return Preview(**{**said, "confirmation_code": said["code"]})
