"""A simulated shop that is connected, and one that records what is sent to it instead of a network."""

import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from crossdock.connectors.shopify import connector
from crossdock.connectors.shopify.sandbox import Sandbox
from crossdock.kit.conformance.stage import Stage, staged
from crossdock.kit.connector import Reply, Shop

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged(connector, Sandbox) as ready:
        yield ready


@pytest.fixture
def sandbox(stage: Stage) -> Sandbox:
    assert isinstance(stage.sandbox, Sandbox)
    return stage.sandbox


class Canned:
    """An Http that gives prepared answers, and keeps what was sent and learned."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.sent: list[dict[str, Any]] = []
        self.learned: list[tuple[float, float | None]] = []

    async def send(self, method: str, url: str, **rest: Any) -> Reply:
        self.sent.append({"method": method, "url": url, **rest})
        return self.replies.pop(0)

    def learn(self, *, left: float, per_second: float | None = None) -> None:
        self.learned.append((left, per_second))


def says(body: Any, status: int = 200) -> Reply:
    return Reply(
        status, {"content-type": "application/json"}, body if isinstance(body, bytes) else json.dumps(body).encode()
    )


def a_shop(http: Canned | None = None, *, settings: Mapping[str, str] | None = None, **rest: Any) -> Shop:
    known = {"currency": "USD", "locations": "1", **(settings or {})}
    secrets = rest.pop("secrets", {"access_token": "shpat_x"})
    return Shop("https://x.myshopify.com", secrets, known, http or Canned(), lambda: NOW, **rest)
