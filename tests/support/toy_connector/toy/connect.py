"""The address and the key that a seller types, and the connection test."""

from collections.abc import Mapping
from dataclasses import replace

from crossdock.connectors.toy.client import Client
from crossdock.connectors.toy.manifest import MANIFEST

from crossdock.kit.connector import Check, Proof
from crossdock.kit.shop.addresses import typed
from crossdock.kit.shop.base import fields


def address(form: Mapping[str, str], *, local: bool) -> str:
    wrong = "Type the address of your shop as https://corner.example."
    return typed(form.get("address", ""), local=local, wrong=wrong, keep="key", plain=True)


async def finish(
    client: Client, *, way: str, form: Mapping[str, str], params: Mapping[str, str], keep: Mapping[str, str]
) -> Mapping[str, str]:
    key = fields(MANIFEST, way, form)
    node = await Client(replace(client.shop, secrets=key)).get("/api/shop")
    return {**key, "hook_secret": node.str("hook_secret")}


async def prove(client: Client) -> Proof:
    node = await client.get("/api/shop")
    return Proof(node.id("id"), node.str("name"), node.str("currency"), (Check(True, "The key works"),))
