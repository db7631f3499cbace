"""Asking the REST API of one store view. Each request is signed by OAuth 1.0a with HMAC-SHA256: since 2.4.4 the access
token alone is refused unless the seller allows it
(developer.adobe.com/commerce/webapi/get-started/authentication/gs-authentication-token).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import quote, urlencode

from crossdock.kit import text
from crossdock.kit.check import server_time, walled
from crossdock.kit.connector import Reply, Shop
from crossdock.kit.errors import NotAllowed, Outside
from crossdock.kit.json_node import Node, node_of, whole
from crossdock.kit.shop.addresses import of_whole_numbers
from crossdock.kit.shop.answers import Told, answered, error_in
from crossdock.kit.shop.joined import batched
from crossdock.kit.shop.oauth import signed
from crossdock.kit.shop.paging import Listed, every, listed

Method = Literal["GET", "POST", "PUT", "DELETE"]
# (field, condition, value); all of them have to hold.
Filter = tuple[str, str, str]
KEYS = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
# Newer versions refuse pages above a limit that is 300 unless it was changed
# (developer.adobe.com/commerce/webapi/get-started/api-security).
PAGE = 100


@dataclass(frozen=True, slots=True)
class Client:
    """One store view. `shop.address` is the shop's own, without /rest."""

    shop: Shop

    async def rows(
        self, path: str, filters: Sequence[Filter] = (), *, sort: str = "", size: int = PAGE, page: int = 1, **more: str
    ) -> Listed:
        """One page. Beyond the last one Magento gives the last one again (magento2#3787, #8099: "standard for all
        Magento collection"), so its total says where the list ends. `more` are further parameters.
        """
        query = criteria(filters, sort=sort, size=size, page=page)
        reply = await self.send("GET", path, query=[*query, *more.items()])
        answer = node_of(reply.json(), path)
        # An empty list is null in some versions.
        found = listed(path, answer.raw("items") if "items" in answer else [], server_time(reply) or self.shop.now())
        total = whole(answer.raw("total_count"))
        if total is not None and page > 1 and (page - 1) * size >= total:
            return Listed([], found.at, total=total)
        # Where it cannot be understood this page is the last one.
        return replace(found, total=found.size if total is None else total)

    async def every(self, path: str, filters: Sequence[Filter], **more: str) -> list[Node]:
        """All rows; what is no object among them is left out."""

        async def page(behind: int) -> Listed:
            return await self.rows(path, filters, sort="entity_id", size=PAGE, page=behind // PAGE + 1, **more)

        return (await every(page, PAGE)).items

    async def of(self, path: str, field: str, ids: Iterable[str]) -> list[Node]:
        """All rows whose field is one of these."""
        some = [(field, "in", ",".join(each)) for each in batched(ids, PAGE)]
        return [row for wanted in some for row in await self.every(path, [wanted])]

    async def send(
        self, method: Method, path: str, *, query: Sequence[tuple[str, str]] = (), json: Any = None
    ) -> Reply:
        """`path` is what follows /V1/."""
        of_whole_numbers(path.replace("-", "_"))
        url = f"{self.shop.address}/rest/{self.shop.secrets.get('store') or 'default'}/V1/{path}"
        if query:
            url += "?" + urlencode(query, quote_via=quote, safe="")
        keys = [self.shop.secrets.get(name, "") for name in KEYS]
        headers = signed(method, url, keys, at=self.shop.now())[1] | {"Accept": "application/json"}
        return checked(await self.shop.http.send(method, url, headers=headers, json=json))


def criteria(filters: Sequence[Filter], *, sort: str, size: int, page: int) -> list[tuple[str, str]]:
    """https://developer.adobe.com/commerce/webapi/rest/use-rest/performing-searches: groups are joined by AND."""
    query = []
    for n, (field, condition, value) in enumerate(filters):
        for name, word in (("field", field), ("condition_type", condition), ("value", value)):
            query.append((f"searchCriteria[filter_groups][{n}][filters][0][{name}]", word))
    for n, name in enumerate(filter(None, sort.split(","))):
        field, _, direction = name.partition(" ")
        query.append((f"searchCriteria[sortOrders][{n}][field]", field))
        query.append((f"searchCriteria[sortOrders][{n}][direction]", direction or "ASC"))
    return [*query, ("searchCriteria[pageSize]", str(size)), ("searchCriteria[currentPage]", str(page))]


def checked(reply: Reply) -> Reply:
    return answered(
        reply,
        _told,
        by="Magento",
        refused="Your shop refuses the keys: activate the integration again and copy them.",
        lacking="The integration may not do this.",
        nowhere="At this address there is no REST API of Magento: check the address of the shop.",
        own=_own,
    )


def _own(reply: Reply, told: Told | None) -> Outside | None:
    """An integration that is good, but was not given a resource, is a 401 as well, and names it
    (Webapi/Controller/Rest/RequestValidator; ErrorProcessor: AuthorizationException is HTTP_UNAUTHORIZED).
    """
    if reply.status == 401 and told and told.code:
        return NotAllowed(f"The integration was not given a resource of your shop's API: {told.code}.")
    return walled(403) if reply.status == 403 else None


def _told(reply: Reply) -> Told | None:
    """Its message with what it names filled in, and the resource that is missing as its code. `parameters` is an
    object by name or a list (ErrorProcessor::_formatErrorToJson...).
    """
    node = error_in(reply)
    if node is None or not (said := node.text("message")):
        return None
    values = node.raw("parameters")
    rows = values.items() if isinstance(values, dict) else enumerate(values if isinstance(values, list) else (), 1)
    named = {str(name): value for name, value in rows}
    # Each once: what is filled in may look like a name itself, and whatever is long is cut before and after.
    said = re.sub(r"%(\w+)", lambda name: str(named.get(name[1], name[0]))[:200], said[:1000])
    return Told(text.label(said, 200), text.label(node.view("parameters").text("resources"), 200))
