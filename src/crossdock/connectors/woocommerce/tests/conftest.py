"""A connected simulated shop, and what the tests of this folder share."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crossdock.connectors.woocommerce import connector
from crossdock.connectors.woocommerce.sandbox import Sandbox
from crossdock.kit.conformance.stage import Stage, staged
from crossdock.kit.connector import Http, Reply, Shop

RECORDED = Path(__file__).parents[6] / "shared" / "platforms" / "schemas" / "woocommerce"


class Shopkeeper(Stage):
    """A stage whose simulator's inside can be reached."""

    @property
    def books(self) -> Any:
        assert isinstance(self.sandbox, Sandbox)
        return self.sandbox.books

    async def call(self, method: str, path: str, *, query: Mapping[str, str] | None = None, json: Any = None) -> Any:
        """One call with the seller's keys, whatever the status: (status, body, headers)."""
        from oauthlib.oauth1 import SIGNATURE_HMAC_SHA256, SIGNATURE_TYPE_QUERY, Client

        signer = Client(
            self.shop.secrets["consumer_key"],
            client_secret=self.shop.secrets["consumer_secret"],
            signature_method=SIGNATURE_HMAC_SHA256,
            signature_type=SIGNATURE_TYPE_QUERY,
        )
        text = "&".join(f"{key}={value}" for key, value in (query or {}).items())
        url = f"{self.shop.address}/wp-json/wc/v3/{path}" + (f"?{text}" if text else "")
        reply = await self.shop.http.send(method, signer.sign(url, http_method=method)[0], json=json)  # type: ignore[arg-type]
        return reply.status, reply.json(), reply.headers


@pytest.fixture
async def shop() -> AsyncIterator[Shopkeeper]:
    async with staged(connector, Sandbox) as stage:
        stage.__class__ = Shopkeeper
        yield stage


class Proxy:
    """The simulator behind a proxy that speaks https: the shop believes in https, and the address has it."""

    def __init__(self, inner: Http, address: str) -> None:
        self.inner, self.address = inner, address
        self.sent: list[tuple[str, str, Mapping[str, str]]] = []

    async def send(self, method: str, url: str, *, headers: Mapping[str, str] | None = None, **rest: Any) -> Reply:
        self.sent.append((method, url, dict(headers or {})))
        there = url.replace("https://shop.example", self.address)
        return await self.inner.send(method, there, headers={**(headers or {}), "X-Forwarded-Proto": "https"}, **rest)

    def learn(self, *, left: float, per_second: float | None = None) -> None:
        self.inner.learn(left=left, per_second=per_second)


def over_https(stage: Stage) -> tuple[Shop, Proxy]:
    """The same shop with an https address, before its proof."""
    proxy = Proxy(stage.shop.http, stage.shop.address)
    return replace(stage.shop, address="https://shop.example", http=proxy, settings={}), proxy
