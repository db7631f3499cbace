"""Two ways in: the operator's app by sign-in, with tokens that live an hour and are refreshed; a seller's own app by
its id and secret.
"""

import contextlib
import dataclasses
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from crossdock.connectors.shopify.client import Client, opened, own_app
from crossdock.connectors.shopify.manifest import ALL_SCOPES, FULFILMENT_SCOPES, INSTALL, MANIFEST, OWN_APP, SCOPES
from crossdock.connectors.shopify.mapper import tail
from crossdock.connectors.shopify.reference import ensure_reference_field, reference_field
from crossdock.domain.places import US_TERRITORIES
from crossdock.domain.wording import counted
from crossdock.kit import text
from crossdock.kit.check import is_data
from crossdock.kit.connector import Check, Proof, Redirect, Shop
from crossdock.kit.errors import AuthDead, BadInput, Outside
from crossdock.kit.json_node import Node, node_of
from crossdock.kit.shop import oauth
from crossdock.kit.shop.base import fields
from crossdock.kit.webhook import hmac_ok

_DOMAIN = re.compile(r"[a-z0-9][a-z0-9-]*\.myshopify\.com")
_ADMIN = re.compile(r"admin\.shopify\.com/store/([a-z0-9][a-z0-9-]*)(/.*)?")
_LOOPBACK = re.compile(r"http://(127\.0\.0\.1|localhost)(:\d{1,5})?")
# Renewed this long before the end: 50 minutes into an hour, 23 hours into a day.
EARLY = {INSTALL.name: timedelta(minutes=10), OWN_APP.name: timedelta(hours=1)}


def address(form: Mapping[str, str], *, local: bool) -> str:
    """The shop's permanent address from what a seller types or pastes.

    A domain of their own is refused: it can move to another shop.
    """
    typed = form.get("shop", "").strip().lower().rstrip("/")
    if local and _LOOPBACK.fullmatch(typed):
        return typed
    bare = typed.removeprefix("https://").removeprefix("http://")
    if admin := _ADMIN.fullmatch(bare):
        bare = f"{admin[1]}.myshopify.com"
    host = bare.partition("/")[0]
    if "." not in host and host:
        host = f"{host}.myshopify.com"
    if not _DOMAIN.fullmatch(host):
        raise BadInput(
            "Type the address that ends in .myshopify.com (Shopify admin: Settings > Domains), for example"
            " your-shop.myshopify.com."
        )
    return f"https://{host}"


def begin(shop: Shop, *, way: str, form: Mapping[str, str], state: str, return_url: str, callback_url: str) -> Redirect:
    if way != INSTALL.name:
        raise BadInput("This way needs no sign-in at Shopify; fill in the form.")
    client_id, secret = shop.app.get("client_id", ""), shop.app.get("client_secret", "")
    if not client_id or not secret:
        raise BadInput(
            "This marketplace has no Shopify app yet (its operator sets the app's Client ID and secret). Use an app of"
            " your own."
        )
    url = f"{shop.address}/admin/oauth/authorize"
    return oauth.authorize(url, client_id=client_id, scopes=ALL_SCOPES, return_url=return_url, state=state)


async def finish(
    client: Client, *, way: str, form: Mapping[str, str], params: Mapping[str, str], keep: Mapping[str, str]
) -> dict[str, str]:
    """The secrets to store; the field for our reference is made on the way, since the test that follows only reads."""
    shop = client.shop
    if way == INSTALL.name:
        secrets = await _code_for_token(shop, params, keep)
    else:
        secrets = await _renewed_own(shop, fields(MANIFEST, way, form))
    # A missing right: the test names it, and the field is made before the first order.
    with contextlib.suppress(Outside):
        await ensure_reference_field(Client(dataclasses.replace(shop, secrets=secrets)))
    return secrets


async def _code_for_token(shop: Shop, params: Mapping[str, str], keep: Mapping[str, str]) -> dict[str, str]:
    """Checks of the callback as Shopify asks for: hmac, state, shop, in this order, before anything of it is used."""
    if not verified(params, shop.app.get("client_secret", "")):
        raise BadInput("The answer does not carry Shopify's signature. Begin again from “Connect a shop”.")
    oauth.begun_here(params, keep)
    if params.get("shop", "").lower() != urlsplit(shop.address).netloc:
        raise BadInput(
            f"You signed in to {params.get('shop') or 'no shop'}, but typed {urlsplit(shop.address).netloc}. Begin"
            " again with the right one."
        )
    if not params.get("code"):
        raise BadInput("Shopify sent no code: the app was not installed. Begin again and click Install.")
    return await _token(shop, {**_app(shop), "code": params["code"], "expiring": "1"})


def verified(params: Mapping[str, str], secret: str) -> bool:
    """The hex HMAC of all other parameters as decoded, sorted by name, joined as in a query."""
    message = "&".join(f"{name}={value}" for name, value in sorted(params.items()) if name != "hmac")
    return hmac_ok(secret, message.encode(), params.get("hmac", ""), encoding="hex")


async def _renewed_own(shop: Shop, own: Mapping[str, str]) -> dict[str, str]:
    token = await _token(shop, {**own, "grant_type": "client_credentials"})
    return {**token, "own_app": f"{own['client_id']}:{own['client_secret']}"}


def _app(shop: Shop) -> dict[str, str]:
    return {name: shop.app.get(name, "") for name in ("client_id", "client_secret")}


async def _token(shop: Shop, form: Mapping[str, str]) -> dict[str, str]:
    """One call of the token endpoint. 400 is the answer to a wrong code, refresh token, client id or secret."""
    reply = await shop.http.send(
        "POST", f"{shop.address}/admin/oauth/access_token", form=form, headers={"Accept": "application/json"}
    )
    if reply.status == 400 or (reply.status in (401, 403) and is_data(reply)):
        raise AuthDead(_why(reply.body))
    answer = node_of(opened(reply, shop).json(), "token")
    secrets = oauth.tokens(answer, sent=form, now=shop.now())
    answer.ignore("scope", "refresh_token_expires_in", "associated_user_scope", "associated_user")
    answer.done()
    return secrets


def _why(body: bytes) -> str:
    """Shopify names the cause in the body; its own words are not for sellers, but three causes have different cures."""
    if b"shop_not_permitted" in body:
        return (
            "Shopify gives this app no access to this shop: both must belong to the same organization, and the app must"
            " be installed."
        )
    if b"app_not_installed" in body or b"application_cannot_be_found" in body:
        return "The app is not installed in this shop, or its Client ID is wrong. Install it, then connect again."
    return "Shopify refused the app's credentials. Check Client ID and secret, or sign in again."


# Keeping the access alive


def renew_at(shop: Shop) -> datetime | None:
    return oauth.renew_at(shop.secrets, EARLY[way_of(shop)])


def way_of(shop: Shop) -> str:
    return OWN_APP.name if own_app(shop) else INSTALL.name


async def renew(shop: Shop) -> dict[str, str]:
    """A fresh token.

    After a lost answer the stored refresh token still works: Shopify retires it when the new one is first used.
    """
    if way_of(shop) == OWN_APP.name:
        return await _renewed_own(shop, own_app(shop))
    return await _token(shop, {**_app(shop), **oauth.refresh(shop.secrets)})


# The connection test


async def prove(client: Client) -> Proof:
    """Read-only.

    `shop_id` is the .myshopify.com domain: permanent, unique, and what every webhook of the shop carries.
    """
    data = await client.ask("Shop")
    facts = data.child("shop")
    granted = {scope.text("handle") for scope in data.child("currentAppInstallation").rows("accessScopes")}
    missing = [scope for scope in SCOPES if scope not in granted and scope.replace("read_", "write_") not in granted]
    name = text.label(facts.text("name")) or facts.str("myshopifyDomain")
    checks = [Check(True, f"Shopify answers as {name}."), *(_lacks(scope, client.shop) for scope in missing)]
    checks += [_limits(scope, client.shop) for scope in FULFILMENT_SCOPES if scope not in granted]
    locations: list[Node] = []
    if not missing:
        checks += [await _may_read_orders(client), await _reference_check(client)]
        locations = (await client.ask("Locations")).child("locations").rows("nodes")
        sentence = (
            ""
            if locations
            else "The shop has no active location, so nothing has a count. Add one in Settings > Locations."
        )
        checks.append(Check(bool(locations), counted(len(locations), "location"), sentence))
    currency = facts.word("currencyCode")
    ids = [(tail(place.str("id")), place) for place in locations]
    names = tuple((id_, text.label(place.text("name")) or id_) for id_, place in ids)
    return Proof(
        shop_id=facts.word("myshopifyDomain").lower(),
        name=name,
        currency=currency,
        checks=tuple(checks),
        settings={"currency": currency, "locations": str(len(locations)), **await _ships_to(client)},
        locations=names,
    )


async def _ships_to(client: Client) -> dict[str, str]:
    """The countries of the shop's own shipping zones; without one, or without the right to see them, no limit.

    Asked for by itself: were it forbidden to an app, the whole answer would be. Shopify counts the islands under the US
    Post Office as states of the US.
    """
    try:
        rows = (await client.ask("ShipsTo")).child("shop").entries("shipsToCountries")
    except AuthDead:
        return {}
    codes = {code for code in rows if isinstance(code, str)}
    return {"countries": ",".join(sorted(codes | US_TERRITORIES if "US" in codes else codes))}


def _limits(scope: str, shop: Shop) -> Check:
    return Check(
        True,
        "Shipments entered here are not entered in Shopify.",
        f"The right {scope} is missing. Everything else works: the buyer is told by us, and you enter the shipment in"
        f" Shopify yourself. To have it entered: {_where(shop)}",
        right=scope,
        limited=True,
    )


def _lacks(scope: str, shop: Shop) -> Check:
    return Check(False, f"The right {scope} is missing.", _where(shop), right=scope)


def _where(shop: Shop) -> str:
    return (
        "Add it to your app in the Dev Dashboard (Versions > New version > Scopes), release it, then connect again."
        if way_of(shop) == OWN_APP.name
        else "Connect the shop again and approve the new right."
    )


async def _may_read_orders(client: Client) -> Check:
    """Having read_orders is not enough.

    The app itself must be approved for customer data ("protected customer data").
    """
    try:
        await client.ask("MayReadOrders")
    except AuthDead as error:
        advice = "In the Dev Dashboard, under API access > Protected customer data, choose name, address and email."
        return Check(False, "Shopify does not let our app read orders.", f"{error} {advice}")
    return Check(True, "Orders can be read.")


async def _reference_check(client: Client) -> Check:
    try:
        there = await reference_field(client)
    except Outside as error:
        return Check(False, "The order field for our reference cannot be used.", str(error))
    return Check(
        True, "Orders can carry our reference.", "" if there else "The order field for it is made with the first order."
    )
