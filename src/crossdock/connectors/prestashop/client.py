"""Asking a PrestaShop webservice. It answers in JSON (`output_format`) and takes XML only
(https://devdocs.prestashop-project.org/8/webservice/cheat-sheet/).
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote, urlencode
from xml.etree import ElementTree

from crossdock.kit import text
from crossdock.kit.check import check, is_challenge, server_time, walled
from crossdock.kit.connector import Reply, Shop
from crossdock.kit.errors import AuthDead, Declined, Missing, NoAnswer, Strange
from crossdock.kit.json_node import Node, node_of
from crossdock.kit.shop.paging import Listed, listed

Entity = Mapping[str, Any]
# PrestaShop's codes in `errors` (classes/webservice/WebserviceRequest.php): a resource or a method that the key has no
# right to, a shop that the key is not for, XML that could not be read.
NO_RESOURCE, NO_METHOD, NOT_THIS_SHOP, NO_XML, OFF = 26, 25, 132, 127, 22
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


class NotAllowed(AuthDead):
    """The key is good, but lacks a right."""


@dataclass(frozen=True, slots=True)
class Client:
    """One shop's webservice. `shop.address` is the shop's own, without /api."""

    shop: Shop

    async def rows(self, resource: str, query: Mapping[str, str] | None = None, *, display: str = "full") -> Listed:
        """One page. Raises Outside, with NotAllowed among them."""
        asked = {"output_format": "JSON", "display": display, **(query or {})}
        reply = await self._send("GET", resource, asked)
        # Where there is nothing the whole answer is an empty list (WebserviceOutputJSON: `content` begins as array()).
        answer = reply.json()
        values = [] if answer == [] else node_of(answer, resource).raw(_plural(resource))
        return listed(resource, values, server_time(reply) or self.shop.now())

    async def of(self, resource: str, field: str, ids: Iterable[str], **query: str) -> list[Node]:
        """All rows whose field is one of these."""
        wanted = "|".join(sorted(set(ids)))
        return (await self.rows(resource, {f"filter[{field}]": f"[{wanted}]", **query})).items if wanted else []

    async def resources(self) -> frozenset[str]:
        """Those to which the key has any right (WebserviceOutputJSON::renderNodeHeader: a list of names)."""
        names = (await self._send("GET", "", {"output_format": "JSON"})).json()
        return frozenset(name for name in names if isinstance(name, str)) if isinstance(names, list) else frozenset()

    async def write(self, method: Literal["POST", "PUT"], resource: str, node: str, entities: Sequence[Entity]) -> Node:
        """Make or replace. What is left out of a PUT is emptied (saveEntityFromXml; PrestaShop #34576),
        so it is sent whole. The answer is the (last) entity.
        """
        reply = await self._send(method, resource, {"output_format": "JSON"}, content=xml(node, entities))
        return node_of(reply.json(), resource).view(node) if entities else Node({}, node)

    async def _send(self, method: str, path: str, query: Mapping[str, str], *, content: bytes | None = None) -> Reply:
        shop = self.shop.secrets.get("id_shop", "")
        query = {**query, "id_shop": shop} if shop else query
        url = f"{self.shop.address}/api/{path}?{urlencode(query, quote_via=quote)}"
        # The key is the name of the user, with an empty password (authenticate: "enter the authentication key as the
        # login. No password required").
        key = b64encode(f"{self.shop.secrets.get('key', '')}:".encode()).decode()
        headers = {"Authorization": f"Basic {key}"}
        if content is not None:
            headers["Content-Type"] = "text/xml; charset=utf-8"
        return checked(await self.shop.http.send(method, url, headers=headers, content=content))


def _plural(resource: str) -> str:
    """The list's name in an answer: all are the resource's but one (OrderSlip.php, `objectsNodeName`)."""
    return "order_slips" if resource == "order_slip" else resource


def xml(node: str, entities: Sequence[Entity]) -> bytes:
    """`{name: {row: [...]}}` is an association. Characters that no XML can hold are left out; nothing is for an empty
    body.
    """
    if not entities:
        return b""
    root = ElementTree.Element("prestashop")
    for entity in entities:
        _fill(ElementTree.SubElement(root, node), entity)
    written: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _fill(element: ElementTree.Element, entity: Entity) -> None:
    for name, value in entity.items():
        for each in value if isinstance(value, list) else [value]:
            inner = ElementTree.SubElement(element, name)
            if isinstance(each, Mapping):
                _fill(inner, each)
            elif each is not None:
                inner.text = _CONTROL.sub("", str(each))


def checked(reply: Reply) -> Reply:
    """The reply when it is a 2xx; otherwise the error that its status and PrestaShop's own code stand for."""
    if is_challenge(reply):
        raise walled(reply.status)
    if 200 <= reply.status < 300:
        return reply
    code, said = _problem(reply)
    ours = code is not None
    if code in (NO_RESOURCE, NO_METHOD):
        raise NotAllowed(f"The webservice key lacks a right. PrestaShop says: {said}")
    if code == NOT_THIS_SHOP:
        raise NotAllowed("The webservice key is not for this shop: choose the shop at the key, or another number here.")
    if code == NO_XML:
        raise Declined("PrestaShop could not read what we sent.")
    if code == OFF:
        raise NoAnswer("Your shop's webservice is switched off: switch it on in Advanced Parameters > Webservice.")
    match reply.status:
        case 401 if ours:
            raise AuthDead(f"Your shop refuses the webservice key: make a new one. It says: {said}")
        case 401 | 403:
            raise walled(reply.status)
        case 404 if ours:
            raise Missing(f"Your shop does not have it. PrestaShop says: {said}")
        case 404:
            raise NoAnswer("At this address there is no webservice of PrestaShop: check the address of the shop.")
        case status if 400 <= status < 500 and ours:
            raise Declined(f"Your shop refused this. PrestaShop says: {said}")
        # A notice of PHP in some module makes it 500, done or not (webserviceErrorHandler).
        case status if status >= 500 and ours:
            raise NoAnswer(f"Your shop stumbled ({status}). PrestaShop says: {said}")
    check(reply)
    raise NoAnswer(f"Your shop answered in a way that we do not understand ({reply.status}).")


def _problem(reply: Reply) -> tuple[int | None, str]:
    """PrestaShop's code (0 where it is odd), and what it says; None where PrestaShop wrote no error."""
    try:
        rows = node_of(reply.json(), "error").rows("errors")
        code = rows[0].opt_int("code") if rows else None
    except Strange:
        return None, ""
    return (code or 0, text.label(rows[0].text("message"), 200)) if rows else (None, "")
