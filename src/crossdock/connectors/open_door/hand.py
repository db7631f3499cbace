"""The seller's hand in a test copy of a shop, through the contract's own test/do."""

from collections.abc import Sequence
from typing import Any

from crossdock.connectors.open_door.client import Client
from crossdock.kit.remote_hand import CalledHand


class TestHand(CalledHand):
    """Implements Hand and ReadsNotes."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def staff_words(self, shop_id: str) -> Sequence[str]:
        return tuple(map(str, await self._do("staff_words", shop_id=shop_id)))

    async def buyer_words(self, shop_id: str) -> Sequence[str]:
        return tuple(map(str, await self._do("buyer_words", shop_id=shop_id)))

    async def _do(self, method: str, **arguments: Any) -> Any:
        asked = {"do": method, "with": arguments}
        return (await self._client.ask("test/do", **asked)).raw("result")
