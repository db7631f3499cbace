"""Asking a PrestaShop webservice. It answers in JSON (`output_format`) and takes XML only
(https://devdocs.prestashop-project.org/8/webservice/cheat-sheet/).
"""

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from crossdock.kit import text
from crossdock.kit.check import server_time
from crossdock.kit.connector import Reply, Shop
from crossdock.kit.errors import Declined, NoAnswer, NotAllowed, Outside
from crossdock.kit.json_node import Node, node_of
from crossdock.kit.shop import facts
from crossdock.kit.shop.answers import Told, answered, by_code, error_in
from crossdock.kit.shop.paging import Listed, listed
from crossdock.kit.xml import Entity, document

FACTS = facts.load(__package__, "webservice")
# PrestaShop's codes (classes/webservice/WebserviceRequest.php); 25 and 26: a resource or a method that the key has no
# right to.
MEANINGS: dict[str, tuple[type[Outside], str]] = {
    "25": (NotAllowed, "The webservice key lacks a right."),
    "26": (NotAllowed, "The webservice key lacks a right."),
    "132": (NotAllowed, "The webservice key is not for this shop: choose the shop at the key, or another number here."),
    "127": (Declined, "PrestaShop could not read what we sent."),
    "22": (NoAnswer, "Your shop's webservice is switched off: switch it on in Advanced Parameters > Webservice."),
}


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

    async def write(self, method: str, resource: str, node: str, entities: Sequence[Entity]) -> Node:
        """Make or replace. What is left out of a PUT is emptied (saveEntityFromXml; PrestaShop #34576),
        so it is sent whole. The answer is the (last) entity. Without an entity the body is empty.
        """
        content = document("prestashop", node, entities) if entities else b""
        reply = await self._send(method, resource, {"output_format": "JSON"}, content=content)
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
        return answered(
            await self.shop.http.send(method, url, headers=headers, content=content),
            _told,
            by="PrestaShop",
            refused="Your shop refuses the webservice key: make a new one.",
            lacking="The webservice key lacks a right.",
            nowhere="At this address there is no webservice of PrestaShop: check the address of the shop.",
            own=_own,
        )


def _plural(resource: str) -> str:
    """The list's name in an answer: all are the resource's but one (OrderSlip.php, `objectsNodeName`)."""
    return "order_slips" if resource == "order_slip" else resource


def _told(reply: Reply) -> Told | None:
    node = error_in(reply)
    rows = node.rows("errors") if node else []
    return Told(text.label(rows[0].text("message"), 200), rows[0].text("code")) if rows else None


def _own(reply: Reply, told: Told | None) -> Outside | None:
    if error := by_code(MEANINGS, told, "PrestaShop"):
        return error
    # A notice of PHP in some module makes it 500, done or not (webserviceErrorHandler).
    return NoAnswer(f"Your shop stumbled. PrestaShop says: {told.words}") if told and reply.status >= 500 else None
