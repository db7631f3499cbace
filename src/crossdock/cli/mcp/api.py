"""The marketplace's API as the tools ask it: an answer, or a refusal in the API's own sentence."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from mcp.server.mcpserver.exceptions import ToolError

# method, path below /api/v1, query, body -> status, the JSON that came (None where it was none). Raises Unreached.
Ask = Callable[[str, str, Mapping[str, str], Any], Awaitable[tuple[int, Any]]]
_SECONDS = 30.0
_DEAD = (
    "The marketplace does not accept this token (any more): it was revoked or has run out. The seller makes a new one"
    " in the panel, under API tokens."
)
_ONCE = "It may have been done. Confirm the same code again: it is done at most once, and the answer says so."


class Unreached(Exception):
    """No answer came; whether the request arrived is not known."""


class Api:
    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def get(self, path: str, **query: str | None) -> Any:
        """Raises ToolError."""
        return await self._answered("GET", path, {name: value for name, value in query.items() if value}, None)

    async def find(self, path: str) -> Any | None:
        """None where there is no such thing."""
        status, said = await self._sent("GET", path, {}, None, "")
        return None if status == 404 else self._told(status, said, "")

    async def post(self, path: str, body: Mapping[str, Any], *, lost: str = "") -> Any:
        """`lost`: what to say besides where the answer got lost. Raises ToolError."""
        return await self._answered("POST", path, {}, body, lost)

    async def confirm(self, code: str) -> Any:
        return await self.post("/confirmations", {"code": code}, lost=_ONCE)

    async def _answered(self, method: str, path: str, query: Mapping[str, str], body: Any, lost: str = "") -> Any:
        return self._told(*await self._sent(method, path, query, body, lost), lost)

    async def _sent(self, method: str, path: str, query: Mapping[str, str], body: Any, lost: str) -> tuple[int, Any]:
        try:
            return await self._ask(method, path, query, body)
        except Unreached as why:
            raise ToolError(f"The marketplace could not be reached: {why}. {lost}".rstrip()) from None

    @staticmethod
    def _told(status: int, said: Any, lost: str) -> Any:
        if status < 400 and said is not None:
            return said
        if status == 401:
            raise ToolError(_DEAD)
        if isinstance(said, dict) and isinstance(said.get("detail"), str) and status < 500:
            raise ToolError(said["detail"])
        raise ToolError(f"The marketplace answered with status {status} and no result. {lost}".rstrip())


@asynccontextmanager
async def over_http(address: str, token: str) -> AsyncIterator[Api]:
    """No redirect is followed: it would carry the token elsewhere."""
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    timeout = aiohttp.ClientTimeout(total=_SECONDS)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:

        async def ask(method: str, path: str, query: Mapping[str, str], body: Any) -> tuple[int, Any]:
            url = f"{address}/api/v1{path}"
            try:
                async with session.request(method, url, params=query, json=body, allow_redirects=False) as answer:
                    kind = answer.content_type
                    return answer.status, await answer.json(content_type=None) if kind.endswith("json") else None
            except TimeoutError:
                raise Unreached(f"no answer in {_SECONDS:.0f} seconds") from None
            except (aiohttp.ClientError, ValueError) as error:
                raise Unreached(str(error) or type(error).__name__) from None

        yield Api(ask)
