"""The simulated shop's remote control in JSON: /_hand, /_dial and /_ledger, so that another process can play the
seller. Only for this machine.
"""

import ipaddress
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, is_dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from crossdock.kit.connector import VariantRef
from crossdock.kit.hand import Hand
from crossdock.kit.sandbox.dial import BadDial, FaultDial
from crossdock.kit.sandbox.shelf import Shelf


class Played(Protocol):
    """What a person beside a simulated shop reaches of it."""

    label: str
    shelf: Shelf
    dial: FaultDial

    @property
    def hand(self) -> Hand: ...


METHODS = frozenset(name for name in vars(Hand) if not name.startswith("_"))


@web.middleware
async def own_pages_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Other web sites open in the same browser can reach a loopback address: nothing below /_ may be done on their
    behalf.

    The name in Host must be an address or localhost, or a foreign name that points here (DNS rebinding) would count as
    the same origin.
    """
    if request.path.startswith("/_") and not (_plain_host(request.host) and _same_origin(request)):
        return web.Response(status=403, text="This simulated shop takes orders from its own pages only.\n")
    return await handler(request)


def _plain_host(host: str) -> bool:
    name = urlsplit(f"//{host}").hostname or ""
    if name == "localhost":
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _same_origin(request: web.Request) -> bool:
    if request.method in ("GET", "HEAD"):
        return True
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        return False
    return request.headers.get("Sec-Fetch-Site", "same-origin") in ("same-origin", "none")


def add_to(app: web.Application, sandbox: Played) -> None:
    """Add the remote control's routes."""

    async def hand(request: web.Request) -> web.Response:
        name = request.match_info["method"]
        if name not in METHODS:
            raise _bad(f"The seller cannot {name!r}; they can {', '.join(sorted(METHODS))}.")
        method: Callable[..., Awaitable[Any]] = getattr(sandbox.hand, name)
        arguments = _arguments(await _json(request))
        try:
            return web.json_response({"result": _plain(await method(**arguments))})
        except (TypeError, ValueError, LookupError) as error:
            raise _bad(f"{name} did not work: {error}") from None

    async def read_dial(request: web.Request) -> web.Response:
        return web.json_response(sandbox.dial.read())

    async def turn_dial(request: web.Request) -> web.Response:
        try:
            sandbox.dial.set(await _json(request))
        except BadDial as error:
            raise _bad(str(error)) from None
        return web.json_response(sandbox.dial.read())

    async def ledger(request: web.Request) -> web.Response:
        return web.json_response(sandbox.shelf.ledger(request.query.get("event", "")))

    app.router.add_post("/_hand/{method}", hand)
    app.router.add_get("/_dial", read_dial)
    app.router.add_put("/_dial", turn_dial)
    app.router.add_get("/_ledger", ledger)


async def _json(request: web.Request) -> dict[str, Any]:
    if request.content_type != "application/json":
        raise _bad("Send a JSON object, as application/json.")
    try:
        value = await request.json()
    except ValueError:
        raise _bad("The body is not JSON.") from None
    if not isinstance(value, dict):
        raise _bad("The body is no JSON object.")
    return value


def _bad(sentence: str) -> web.HTTPBadRequest:
    return web.HTTPBadRequest(text=sentence + "\n")


def _arguments(given: Mapping[str, Any]) -> dict[str, Any]:
    """JSON arguments as the hand takes them: a variant is an object of two ids, pairs and triples are lists."""
    arguments = dict(given)
    if "variant" in arguments:
        variant = arguments["variant"]
        if not isinstance(variant, dict) or variant.keys() != {"product_id", "variant_id"}:
            raise _bad("A variant is an object of product_id and variant_id.")
        arguments["variant"] = VariantRef(str(variant["product_id"]), str(variant["variant_id"]))
    for name in ("variants", "lines"):
        rows = arguments.get(name, [])
        if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
            raise _bad(f"{name} is a list of lists.")
        if name in arguments:
            arguments[name] = [tuple(row) for row in rows]
    return arguments


def _plain(result: Any) -> Any:
    if is_dataclass(result) and not isinstance(result, type):
        return asdict(result)
    return [_plain(item) for item in result] if isinstance(result, list | tuple) else result
