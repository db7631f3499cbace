"""Signing in: one click and pasted keys, the three ways in which keys travel, and a test that names what is missing."""

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from aiohttp import web

from crossdock.connectors.woocommerce import connector
from crossdock.connectors.woocommerce.client import Client, NotSignedIn
from crossdock.connectors.woocommerce.tests.conftest import Shopkeeper, over_https
from crossdock.domain.commands import SignInAgain
from crossdock.kit.connector import Proof
from crossdock.kit.errors import AuthDead, BadInput, NoAnswer

KEYS = {"consumer_key": "ck_" + "a" * 40, "consumer_secret": "cs_" + "b" * 40}


def failed(proof: Proof) -> dict[str, str]:
    return {check.title: check.sentence for check in proof.checks if not check.ok}


# The address


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("shop.example.com", "https://shop.example.com"),
        (" https://Shop.Example.com/ ", "https://shop.example.com"),
        ("https://example.com/store/", "https://example.com/store"),
        ("https://example.com/store/wp-admin/edit.php?post_type=product", "https://example.com/store"),
        ("https://example.com/wp-json/wc/v3", "https://example.com"),
        ("https://example.com:8443/wp-login.php", "https://example.com:8443"),
        ("https://example.com/wp-jsonish", "https://example.com/wp-jsonish"),
    ],
)
def test_addresses(typed: str, canonical: str) -> None:
    assert connector.address({"address": typed}, local=False) == canonical


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "http://shop.example.com",
        "https://user@shop.example.com",
        "https://:pw@shop.example.com",
        "https://shop example",
        "https://x:y",
        "mailto:a@b.example",
    ],
)
def test_addresses_that_are_none(typed: str) -> None:
    with pytest.raises(BadInput):
        connector.address({"address": typed}, local=False)


# Pasted keys


async def finish(shop: Shopkeeper, way: str = "keys", keep: dict[str, str] | None = None, **given: str) -> Any:
    form, params = ({}, given) if way == "authorize" else (given, {})
    return await connector.finish(shop.empty_shop(), way=way, form=form, params=params, keep=keep or {})


async def test_pasted_keys_are_kept_with_a_secret_of_our_own(shop: Shopkeeper) -> None:
    first, second = await finish(shop, **KEYS), await finish(shop, **KEYS)
    assert {**first, "hook_secret": ""} == {**KEYS, "hook_secret": ""}
    assert len(first["hook_secret"]) == 48 and first["hook_secret"].isalnum()
    assert first["hook_secret"] != second["hook_secret"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({**KEYS, "consumer_key": KEYS["consumer_secret"]}, "consumer key begins with ck_"),
        ({**KEYS, "consumer_secret": KEYS["consumer_key"]}, "consumer secret begins with cs_"),
        ({**KEYS, "consumer_secret": ""}, "consumer secret"),
        ({**KEYS, "consumer_key": "ck_…1234567"}, "consumer key"),
    ],
)
async def test_keys_that_cannot_be(shop: Shopkeeper, given: dict[str, str], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        await finish(shop, **given)


# One click


async def test_one_click_from_the_shop_s_page_to_the_callback(shop: Shopkeeper) -> None:
    """The seller clicks Approve on the shop's own page; the shop posts the keys to us and sends the browser back."""
    posted: list[dict[str, Any]] = []

    async def take(request: web.Request) -> web.Response:
        posted.append(await request.json())
        return web.Response()

    async def back(request: web.Request) -> web.Response:
        return web.Response(text="back")

    app = web.Application()
    app.router.add_post("/callback", take)
    app.router.add_get("/back", back)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    here = f"http://127.0.0.1:{runner.addresses[0][1]}"
    redirect = connector.begin(
        shop.empty_shop(),
        way="authorize",
        form={},
        state="one-time",
        return_url=f"{here}/back?a=1",
        callback_url=f"{here}/callback",
    )
    async with aiohttp.ClientSession() as browser:
        page = await (await browser.get(redirect.url)).text()
        link = page.split('href="')[1].split('"')[0].replace("&amp;", "&")
        arrived = await browser.get(shop.sandbox.address + link)
        again = await browser.get(shop.sandbox.address + link)
    await runner.cleanup()
    assert str(arrived.url) == f"{here}/back?a=1&success=1&user_id=one-time"
    assert again.status == 401 and len(posted) == 1
    params = {key: str(value) for key, value in posted[0].items()}
    assert params["user_id"] == "one-time" and params["key_permissions"] == "read_write"
    secrets = await connector.finish(shop.empty_shop(), way="authorize", form={}, params=params, keep=redirect.keep)
    assert (await connector.prove(replace(shop.empty_shop(), secrets=secrets))).ok


async def test_keys_are_deleted_when_nobody_takes_them(shop: Shopkeeper) -> None:
    before = len(shop.sandbox.shelf.all("key"))
    redirect = connector.begin(
        shop.empty_shop(),
        way="authorize",
        form={},
        state="s",
        return_url="http://127.0.0.1:9/",
        callback_url="http://127.0.0.1:9/",
    )
    async with aiohttp.ClientSession() as browser:
        page = await (await browser.get(redirect.url)).text()
        answer = await browser.get(shop.sandbox.address + page.split('href="')[1].split('"')[0].replace("&amp;", "&"))
    assert answer.status == 401 and len(shop.sandbox.shelf.all("key")) == before


def test_where_the_browser_is_sent(shop: Shopkeeper) -> None:
    redirect = connector.begin(
        shop.empty_shop(),
        way="authorize",
        form={},
        state="one&time",
        return_url="https://m.example/back?x=1&y=2",
        callback_url="https://m.example/cb",
    )
    asked = parse_qs(urlsplit(redirect.url).query)
    assert asked["user_id"] == ["one&time"] and asked["scope"] == ["read_write"]
    assert asked["return_url"] == ["https://m.example/back?x=1&y=2"] and asked["callback_url"] == [
        "https://m.example/cb"
    ]
    assert redirect.keep == {"state": "one&time"}


def test_without_https_the_one_click_way_is_not_begun(shop: Shopkeeper) -> None:
    with pytest.raises(BadInput, match="https"):
        connector.begin(
            shop.empty_shop(),
            way="authorize",
            form={},
            state="s",
            return_url="http://m.example",
            callback_url="http://m.example",
        )


async def test_posted_keys_count_only_when_the_shop_takes_them(shop: Shopkeeper) -> None:
    """The post is unsigned: anybody who saw the state could send keys of their own making."""
    with pytest.raises(AuthDead):
        await finish(shop, "authorize", {"state": "s"}, user_id="s", **KEYS)


async def test_posted_keys_of_another_sign_in_are_refused(shop: Shopkeeper) -> None:
    _, form = shop.site.seller_form()
    keys = {key: form[key] for key in KEYS}
    for keep, user in (({"state": "s"}, "t"), ({"state": "s"}, ""), ({}, "s")):
        with pytest.raises(BadInput, match="belong"):
            await finish(shop, "authorize", keep, user_id=user, **keys)


async def test_a_seller_who_declines_is_told_so(shop: Shopkeeper) -> None:
    with pytest.raises(BadInput, match="declined"):
        await finish(shop, "authorize", {"state": "s"}, user_id="s", success="0")
    with pytest.raises(BadInput, match="consumer key"):
        await finish(shop, "authorize", {"state": "s"}, user_id="s", success="1")


# How the keys travel


async def test_over_http_every_call_is_signed_and_no_key_is_sent(shop: Shopkeeper) -> None:
    await connector.prove(shop.shop)
    urls = [exchange.url for exchange in shop.exchanges if "/wc/v3/" in exchange.url]
    assert urls and all("oauth_signature" in url for url in urls)
    assert not any(shop.shop.secrets["consumer_secret"] in url for url in urls)


async def test_over_https_the_keys_travel_in_the_header(shop: Shopkeeper) -> None:
    there, proxy = over_https(shop)
    proof = await connector.prove(there)
    assert proof.ok and proof.settings["auth"] == "basic"
    calls = [(url, headers) for _, url, headers in proxy.sent if "/wc/v3/" in url]
    assert all(headers["Authorization"].startswith("Basic ") and "consumer" not in url for url, headers in calls)
    # WordPress would take the keys for an application password of its own and refuse its index.
    assert [headers for _, url, headers in proxy.sent if "/wc/v3/" not in url] == [{}]


async def test_where_the_host_takes_the_header_away_they_travel_in_the_address(shop: Shopkeeper) -> None:
    shop.books.set(strips_authorization=True)
    there, proxy = over_https(shop)
    proof = await connector.prove(there)
    assert proof.ok and proof.settings["auth"] == "query"
    proxy.sent.clear()
    settled = replace(there, settings=proof.settings)
    (variant,) = await shop.product(5)
    assert [count.count for count in await connector.counts(settled, [variant])] == [5]
    assert all("consumer_secret=cs_" in url and "Authorization" not in headers for _, url, headers in proxy.sent)


async def test_keys_never_travel_in_an_address_without_https(shop: Shopkeeper) -> None:
    client = Client(replace(shop.shop, settings={**shop.shop.settings, "auth": "query"}))
    assert client.way == "oauth"


async def test_an_unknown_key_over_https_is_not_taken_for_a_missing_header(shop: Shopkeeper) -> None:
    there, proxy = over_https(shop)
    with pytest.raises(NotSignedIn, match="does not know these keys"):
        await connector.prove(replace(there, secrets={**there.secrets, **KEYS}))
    with pytest.raises(AuthDead, match="Consumer secret is invalid"):
        await connector.prove(replace(there, secrets={**there.secrets, "consumer_secret": KEYS["consumer_secret"]}))
    assert len(proxy.sent) == 3 + 2


async def test_a_signature_cannot_be_used_twice_or_late(shop: Shopkeeper) -> None:
    client = Client(shop.shop)
    await client.ask("GET", "orders")
    url = shop.exchanges[-1].url
    assert "oauth_nonce" in url
    signed: list[str] = []
    real = shop.shop.http.send

    class Spy:
        async def send(self, method: str, url: str, **rest: Any) -> Any:
            signed.append(url)
            return await real(method, url, **rest)

    await Client(replace(shop.shop, http=Spy())).ask("GET", "orders")  # type: ignore[arg-type]
    assert (await real("GET", signed[0])).status == 401
    assert (await real("GET", signed[0].replace("oauth_timestamp=1", "oauth_timestamp=0"))).status == 401


# What the test finds


async def test_what_a_good_shop_proves(shop: Shopkeeper) -> None:
    proof = await connector.prove(shop.shop)
    assert failed(proof) == {}
    assert (proof.name, proof.currency) == ("Simulated WooCommerce shop", "USD")
    assert proof.shop_id == urlsplit(shop.sandbox.address).netloc
    assert "fulfilments" in next(check.sentence for check in proof.checks if check.title == "Tracking numbers")


async def test_keys_that_may_only_read_are_named_and_nothing_is_written(shop: Shopkeeper) -> None:
    key = shop.sandbox.sign_in.make_key(permissions="read")  # type: ignore[attr-defined]
    there = replace(shop.shop, secrets={**shop.shop.secrets, **{name: key[name] for name in KEYS}})
    proof = await connector.prove(there)
    assert list(failed(proof)) == ["Permission to write"] and "Read/Write" in failed(proof)["Permission to write"]
    (variant,) = await shop.product(5)
    assert isinstance(await connector.create(there, shop.order((variant, 1))), SignInAgain)
    assert await shop.hand.orders() == []


async def test_keys_of_a_customer_are_named(shop: Shopkeeper) -> None:
    key = shop.sandbox.sign_in.make_key(role="customer")  # type: ignore[attr-defined]
    with pytest.raises(AuthDead, match="no shop manager"):
        await connector.prove(replace(shop.shop, secrets={**shop.shop.secrets, **{name: key[name] for name in KEYS}}))


@pytest.mark.parametrize(
    ("settings", "title", "said"),
    [
        ({"manage_stock": False}, "Stock", "Enable stock management"),
        ({"decimals": 0}, "Decimals", "number of decimals to 2"),
        ({"version": "5.9.1"}, "Version", "5.9.1 is too old"),
        ({"currency": "XXZ"}, "Currency", "XXZ"),
        ({"pretty": False}, "REST API", "Permalinks"),
    ],
)
async def test_what_is_missing_is_named(shop: Shopkeeper, settings: dict[str, Any], title: str, said: str) -> None:
    shop.books.set(**settings)
    assert said in failed(await connector.prove(shop.shop))[title]


async def test_a_currency_without_decimals_needs_none(shop: Shopkeeper) -> None:
    shop.books.set(currency="JPY", decimals=0)
    assert failed(await connector.prove(shop.shop)) == {}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"fulfillments": False}, "keeps no tracking numbers"),
        ({"fulfillments": False, "plugins": ["wc-ast/v3"]}, "Read from Advanced Shipment Tracking"),
        ({"plugins": ["wc-shipment-tracking/v3"]}, "WooCommerce's fulfilments and Shipment Tracking"),
    ],
)
async def test_where_tracking_numbers_come_from_is_said(shop: Shopkeeper, settings: dict[str, Any], said: str) -> None:
    shop.books.set(**settings)
    proof = await connector.prove(shop.shop)
    assert proof.ok and said in next(check.sentence for check in proof.checks if check.title == "Tracking numbers")


async def test_where_there_is_no_wordpress_it_says_so(shop: Shopkeeper) -> None:
    app = web.Application()
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    with pytest.raises(NoAnswer, match="no WordPress"):
        await connector.prove(replace(shop.shop, address=f"http://127.0.0.1:{runner.addresses[0][1]}"))
    await runner.cleanup()


async def test_the_test_takes_its_time_only_once(shop: Shopkeeper) -> None:
    """`system_status` without its fields asks WordPress to call other servers, which takes long."""
    shop.exchanges.clear()
    await connector.prove(shop.shop)
    assert len(shop.exchanges) == 7
    assert all("_fields=" in one.url for one in shop.exchanges if "system_status" in one.url)
