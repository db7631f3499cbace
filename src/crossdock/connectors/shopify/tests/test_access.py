"""Ways in, tokens that end, and a connection test that names what is missing."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from crossdock.connectors.shopify import connector
from crossdock.connectors.shopify.manifest import SCOPES
from crossdock.connectors.shopify.sandbox import OPERATOR_APP, Sandbox
from crossdock.connectors.shopify.tests.conftest import NOW, a_shop
from crossdock.domain.commands import SignInAgain
from crossdock.kit.conformance.bent import bent
from crossdock.kit.conformance.stage import Stage
from crossdock.kit.connector import Shop
from crossdock.kit.errors import AuthDead, BadInput, NoAnswer, Outside, Strange


@pytest.mark.parametrize(
    "typed",
    [
        "x",
        "X.myshopify.com",
        " x.myshopify.com/ ",
        "https://x.myshopify.com/admin/products",
        "http://x.myshopify.com",
        "https://admin.shopify.com/store/x/orders",
    ],
)
def test_an_address_is_found_in_what_is_pasted(typed: str) -> None:
    assert connector.address({"shop": typed}, local=False) == "https://x.myshopify.com"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "cards.example",
        "x.myshopify.com.evil.example",
        "evil.example/x.myshopify.com",
        "x@evil.example",
        "-x",
        "http://127.0.0.1:80",
        "x.myshopify.com:8080",
    ],
)
def test_any_other_address_is_refused_with_what_to_type(typed: str) -> None:
    with pytest.raises(BadInput, match=r"\.myshopify\.com"):
        connector.address({"shop": typed}, local=False)


def test_a_simulated_shop_is_admitted_where_local_is() -> None:
    assert connector.address({"shop": "http://127.0.0.1:8123/"}, local=True) == "http://127.0.0.1:8123"
    with pytest.raises(BadInput):
        connector.address({"shop": "http://127.0.0.1.evil.example:80"}, local=True)


async def signed_in(stage: Stage, *, state: str = "s-1", change: Mapping[str, str] | None = None) -> Shop:
    shop = stage.empty_shop()
    redirect = connector.begin(
        shop, way="install", form={}, state=state, return_url="http://127.0.0.1:9/back", callback_url=""
    )
    params = await stage.sandbox.approve(redirect.url) | dict(change or {})
    return replace(
        shop, secrets=await connector.finish(shop, way="install", form={}, params=params, keep=redirect.keep)
    )


async def test_an_install_gives_tokens_that_are_renewed_before_the_hour_is_over(stage: Stage) -> None:
    shop = await signed_in(stage)
    assert shop.secrets.keys() == {"access_token", "refresh_token", "expires_at"}
    due = connector.renew_at(shop)
    assert due is not None
    assert timedelta(minutes=45) < due - datetime.now(UTC) < timedelta(minutes=55)
    assert (await connector.prove(shop)).ok


@pytest.mark.parametrize(
    "change",
    [{"hmac": "0" * 64}, {"shop": "other.myshopify.com"}, {"code": "stolen"}, {"state": "other"}, {"extra": "1"}],
)
async def test_a_callback_that_was_touched_is_refused(stage: Stage, change: dict[str, str]) -> None:
    with pytest.raises(BadInput, match="signature"):
        await signed_in(stage, change=change)


async def test_a_rightly_signed_callback_of_another_sign_in_is_refused(stage: Stage, sandbox: Sandbox) -> None:
    shop = stage.empty_shop()
    app = sandbox.access.books.need("app", OPERATOR_APP["client_id"])
    host = shop.address.removeprefix("http://")
    for params, keep, words in (
        (sandbox.access.callback(app, host, "theirs"), {"state": "ours"}, "not started here"),
        (sandbox.access.callback(app, host, ""), {}, "not started here"),
        (sandbox.access.callback(app, "other.myshopify.com", "ours"), {"state": "ours"}, "You signed in to other"),
    ):
        with pytest.raises(BadInput, match=words):
            await connector.finish(shop, way="install", form={}, params=params, keep=keep)


async def test_a_code_works_once(stage: Stage) -> None:
    shop = stage.empty_shop()
    redirect = connector.begin(
        shop, way="install", form={}, state="s", return_url="http://127.0.0.1:9/", callback_url=""
    )
    params = await stage.sandbox.approve(redirect.url)
    await connector.finish(shop, way="install", form={}, params=params, keep=redirect.keep)
    with pytest.raises(AuthDead):
        await connector.finish(shop, way="install", form={}, params=params, keep=redirect.keep)


def test_without_an_app_of_the_operator_the_other_way_is_named() -> None:
    with pytest.raises(BadInput, match="app of your own"):
        connector.begin(
            a_shop(app={}), way="install", form={}, state="s", return_url="https://m.example/", callback_url=""
        )


async def test_a_rotation_survives_the_loss_of_its_answer(stage: Stage) -> None:
    """The stored token goes on working until the one that replaced it is used."""
    shop = await signed_in(stage)
    stage.dial.once("lost_reply")
    with pytest.raises(NoAnswer):
        await connector.renew(shop)
    second = replace(shop, secrets=await connector.renew(shop))
    assert (await connector.prove(second)).ok
    third = replace(shop, secrets=await connector.renew(second))
    assert (await connector.prove(third)).ok
    with pytest.raises(AuthDead):
        await connector.renew(shop)
    assert (await connector.prove(replace(shop, secrets=await connector.renew(third)))).ok


async def test_a_token_that_ended_says_sign_in_again(stage: Stage, sandbox: Sandbox) -> None:
    sandbox.access.token_seconds = 0
    shop = replace(await signed_in(stage), settings=stage.shop.settings)
    (variant,) = await stage.product(3)
    with pytest.raises(AuthDead):
        await connector.product(shop, variant.product_id)
    assert isinstance(await connector.create(shop, stage.order((variant, 1))), SignInAgain)
    assert await stage.hand.count(variant) == 3


async def test_an_own_app_is_renewed_with_its_id_and_secret(stage: Stage) -> None:
    due = connector.renew_at(stage.shop)
    assert due is not None
    assert timedelta(hours=22) < due - datetime.now(UTC) < timedelta(hours=24)
    renewed = replace(stage.shop, secrets=await connector.renew(stage.shop))
    assert renewed.secrets["access_token"] != stage.shop.secrets["access_token"]
    assert (await connector.prove(renewed)).ok


async def test_the_operators_app_cannot_come_in_as_an_own_one(stage: Stage) -> None:
    with pytest.raises(AuthDead, match="same organization"):
        await connector.finish(stage.empty_shop(), way="own_app", form=OPERATOR_APP, params={}, keep={})


async def test_a_wrong_secret_is_named_as_such(stage: Stage) -> None:
    _, form = stage.site.seller_form()
    with pytest.raises(AuthDead, match="credentials"):
        await connector.finish(
            stage.empty_shop(), way="own_app", form={**form, "client_secret": "shpss_wrong"}, params={}, keep={}
        )


@pytest.mark.parametrize("missing", SCOPES)
async def test_a_missing_right_is_named(stage: Stage, sandbox: Sandbox, missing: str) -> None:
    left = [scope for scope in SCOPES if scope != missing]
    sandbox.access.allow(sandbox.access.own_app["client_id"], left)
    proof = await connector.prove(stage.shop)
    implied = missing in ("read_inventory", "read_orders")
    assert proof.ok is implied, "a right to write is one to read"
    if not implied:
        (failed,) = [check for check in proof.checks if not check.ok]
        assert missing in failed.title
        assert "Dev Dashboard" in failed.sentence


async def test_a_right_that_is_taken_away_later_is_named_by_the_call(stage: Stage, sandbox: Sandbox) -> None:
    (variant,) = await stage.product(3)
    sandbox.access.allow(sandbox.access.own_app["client_id"], ["read_products", "read_orders", "read_inventory"])
    outcome = await connector.create(stage.shop, stage.order((variant, 1)))
    assert isinstance(outcome, SignInAgain)
    assert "write_orders" in outcome.sentence
    assert await stage.hand.orders() == []


async def test_the_reference_field_is_made_on_the_way_in_and_not_by_the_test(stage: Stage, sandbox: Sandbox) -> None:
    assert sandbox.shelf.get("definition", "crossdock.reference") is not None
    sandbox.shelf.delete("definition", "crossdock.reference")
    assert (await connector.prove(stage.shop)).ok
    assert sandbox.shelf.get("definition", "crossdock.reference") is None, "a connection test changes nothing"


async def test_a_field_of_another_kind_under_our_name_is_found_by_the_test(stage: Stage, sandbox: Sandbox) -> None:
    sandbox.shelf.put("definition", "crossdock.reference", {"id": "1", "type": "single_line_text_field"})
    (failed,) = [check for check in (await connector.prove(stage.shop)).checks if not check.ok]
    assert "Custom data" in failed.sentence


async def test_the_shop_is_known_by_its_permanent_domain(stage: Stage, sandbox: Sandbox) -> None:
    assert stage.proof.shop_id == sandbox.books.shop["domain"]
    assert stage.proof.locations == ((sandbox.shelf.all("location")[0]["id"], "Main warehouse"),)


def test_a_token_without_an_end_needs_no_renewal() -> None:
    assert connector.renew_at(a_shop(secrets={"access_token": "t"})) is None
    ends = (NOW + timedelta(hours=1)).isoformat()
    assert connector.renew_at(a_shop(secrets={"access_token": "t", "expires_at": ends})) == NOW + timedelta(minutes=50)


@pytest.mark.parametrize(
    "changed",
    [
        {"access_token": ""},
        {"access_token": None},
        {"access_token": "a\nb"},
        {"access_token": "x" * 100_000},
        {"expires_in": -1},
        {"expires_in": 10**15},
        {"refresh_token": 7},
    ],
    ids=repr,
)
async def test_an_odd_token_replaces_none(stage: Stage, changed: Mapping[str, object]) -> None:
    """The old refresh token still works, so the renewal is just tried again."""
    shop = await signed_in(stage)
    odd = bent(shop, lambda method, url, document, _: {**document, **changed} if "access_token" in url else None)
    with pytest.raises(Strange):
        await connector.renew(odd)
    assert (await connector.renew(shop))["access_token"]


async def test_without_a_new_refresh_token_the_old_one_goes_on(stage: Stage) -> None:
    shop = await signed_in(stage)
    old = shop.secrets["refresh_token"]
    silent = bent(shop, lambda method, url, document, _: {**document, "refresh_token": None})
    assert (await connector.renew(silent))["refresh_token"] == old


@pytest.mark.parametrize("answer", [{}, {"data": {}}, {"data": {"webhookSubscriptionDelete": None}}], ids=repr)
async def test_an_odd_answer_about_a_webhook_is_called_strange(stage: Stage, answer: object) -> None:
    async with stage.listening():
        await connector.subscribe(stage.shop)

        def bend(method: str, url: str, document: object, sent: Mapping[str, object] | None) -> object:
            return answer if sent and sent.get("operationName") == "DeleteHook" else None

        with pytest.raises(Outside):
            await connector.unsubscribe(bent(stage.shop, bend))
