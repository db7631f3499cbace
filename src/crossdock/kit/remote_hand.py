"""The seller's hand in a simulated shop of another process, over its remote control.

For the demo, the story and the crash tests.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Self

import aiohttp

from crossdock.kit.connector import VariantRef
from crossdock.kit.hand import Standing, Stocked


class HandFailed(Exception):
    """The simulated shop did not do it; the message is its sentence."""


class CalledHand(ABC):
    """Implements Hand by one call for each of its actions, with plain JSON in it."""

    @abstractmethod
    async def _do(self, method: str, **arguments: Any) -> Any: ...

    async def products(self) -> Sequence[Stocked]:
        return tuple(Stocked(**row) for row in await self._do("products"))

    async def add_product(
        self, title: str, variants: Sequence[tuple[str, str, int]], *, image: str = "", description: str = ""
    ) -> tuple[VariantRef, ...]:
        rows = await self._do(
            "add_product", title=title, variants=[list(row) for row in variants], image=image, description=description
        )
        return tuple(VariantRef(**row) for row in rows)

    async def reprice(self, variant: VariantRef, price: str) -> None:
        await self._do("reprice", variant=_ref(variant), price=price)

    async def delete_product(self, product_id: str) -> None:
        await self._do("delete_product", product_id=product_id)

    async def recount(self, variant: VariantRef, count: int) -> None:
        await self._do("recount", variant=_ref(variant), count=count)

    async def count(self, variant: VariantRef) -> int:
        return int(await self._do("count", variant=_ref(variant)))

    async def sell(self, variant: VariantRef, quantity: int) -> str:
        return str(await self._do("sell", variant=_ref(variant), quantity=quantity))

    async def orders(self) -> Sequence[Standing]:
        rows = await self._do("orders")
        return tuple(
            Standing(**row | {name: _units(row.get(name, ())) for name in ("lines", "untaken")}) for row in rows
        )

    async def fulfil(
        self, shop_id: str, *, tracking: str = "", carrier: str = "", lines: Sequence[tuple[str, int]] = ()
    ) -> str:
        return str(
            await self._do(
                "fulfil", shop_id=shop_id, tracking=tracking, carrier=carrier, lines=[list(line) for line in lines]
            )
        )

    async def change_tracking(self, shop_id: str, parcel_id: str, tracking: str) -> None:
        await self._do("change_tracking", shop_id=shop_id, parcel_id=parcel_id, tracking=tracking)

    async def cancel(self, shop_id: str, *, restock: bool = True) -> None:
        await self._do("cancel", shop_id=shop_id, restock=restock)

    async def refund(self, shop_id: str, amount: str) -> str:
        return str(await self._do("refund", shop_id=shop_id, amount=amount))


class RemoteHand(CalledHand):
    """Implements Hand.

    `address` is the base URL of the simulated shop. Use it as an async context manager, or `close()` it.
    """

    def __init__(self, address: str) -> None:
        self._address = address.rstrip("/")
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def dial(self, **settings: float | bool) -> dict[str, Any]:
        """Turn the fault dial and read it with its counts; with nothing named, only read."""
        if settings:
            return dict(await self._ask("PUT", "/_dial", settings))
        return dict(await self._ask("GET", "/_dial", None))

    async def ledger(self, event: str = "") -> list[dict[str, Any]]:
        """What happened in the shop, oldest first."""
        return list(await self._ask("GET", f"/_ledger?event={event}", None))

    async def _do(self, method: str, **arguments: Any) -> Any:
        return (await self._ask("POST", f"/_hand/{method}", arguments))["result"]

    async def _ask(self, method: str, path: str, body: Any) -> Any:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20))
        try:
            async with self._session.request(method, self._address + path, json=body) as answer:
                if answer.status != 200:
                    raise HandFailed((await answer.text()).strip() or f"the simulated shop answered {answer.status}")
                return await answer.json()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise HandFailed(f"the simulated shop at {self._address} did not answer ({type(error).__name__})") from None


def _ref(variant: VariantRef) -> dict[str, str]:
    return {"product_id": variant.product_id, "variant_id": variant.variant_id}


def _units(rows: Sequence[Sequence[Any]]) -> tuple[tuple[str, int], ...]:
    return tuple((str(variant), int(units)) for variant, units in rows)
