"""What a refusal means: the status alone tells little, the message is in the shop's language, and only WordPress's own
code is evidence.
"""

import json
from dataclasses import replace
from typing import Any

import pytest

from crossdock.connectors.woocommerce.client import Client, NoRoute, NotAllowed, NotSignedIn, Rejected, checked
from crossdock.connectors.woocommerce.tests.conftest import Shopkeeper, over_https
from crossdock.domain.commands import Later, Refused, SignInAgain, Unknown, Why
from crossdock.kit.connector import Reply
from crossdock.kit.errors import AuthDead, Missing, NoAnswer, Outside, Strange, Throttled, outcome_of

PAGE = b"<html><h1>Forbidden</h1></html>"


def reply(status: int, code: str = "", message: str = "<b>Nein.</b>") -> Reply:
    body = json.dumps({"code": code, "message": message, "data": {"status": status}}).encode() if code else PAGE
    return Reply(status, {"retry-after": "7"}, body)


@pytest.mark.parametrize(
    ("status", "code", "kind", "outcome"),
    [
        (401, "woocommerce_rest_cannot_view", NotSignedIn, SignInAgain),
        (401, "woocommerce_rest_authentication_error", AuthDead, SignInAgain),
        (401, "", Throttled, Later),
        (401, "rest_login_required", Throttled, Later),
        (401, "invalid_username", Throttled, Later),
        (403, "woocommerce_rest_cannot_create", NotAllowed, SignInAgain),
        (403, "", Throttled, Later),
        (404, "rest_no_route", NoRoute, Later),
        (404, "woocommerce_rest_shop_order_invalid_id", Missing, Refused),
        (404, "", NoAnswer, Unknown),
        (400, "woocommerce_rest_shop_order_invalid_id", Missing, Refused),
        (400, "rest_invalid_param", Rejected, Refused),
        (400, "", NoAnswer, Unknown),
        (410, "woocommerce_rest_already_trashed", Rejected, Refused),
        (413, "woocommerce_rest_request_entity_too_large", Rejected, Refused),
        (429, "", Throttled, Later),
        (500, "internal_server_error", NoAnswer, Unknown),
        (500, "", NoAnswer, Unknown),
        (502, "", NoAnswer, Unknown),
        (503, "", NoAnswer, Unknown),
        (520, "", NoAnswer, Unknown),
        (301, "", NoAnswer, Unknown),
    ],
)
def test_refusals(status: int, code: str, kind: type[Outside], outcome: type) -> None:
    with pytest.raises(kind) as caught:
        checked(reply(status, code))
    assert type(outcome_of(caught.value)) is outcome
    assert "<" not in str(caught.value)


def test_positive_evidence_only() -> None:
    """A page that says "not found" may come from a proxy while the order is being made; WordPress's own code cannot."""
    with pytest.raises(Outside) as caught:
        checked(reply(404, "woocommerce_rest_shop_order_invalid_id"))
    outcome = outcome_of(caught.value)
    assert isinstance(outcome, Refused) and outcome.why is Why.NOT_FOUND


def test_the_party_s_own_wish_is_kept() -> None:
    with pytest.raises(Throttled) as caught:
        checked(reply(429))
    assert caught.value.after_seconds == 7.0


@pytest.mark.parametrize("body", [{"id": 1}, "text", None])
async def test_a_list_that_is_none_is_strange(shop: Shopkeeper, body: Any) -> None:
    class Odd:
        async def send(self, method: str, url: str, **rest: Any) -> Reply:
            return Reply(200, {}, json.dumps(body).encode())

    with pytest.raises(Strange):
        await Client(replace(shop.shop, http=Odd())).rows("orders", {})  # type: ignore[arg-type]


@pytest.mark.parametrize("id_", ["1 2", "<b>", "1?force=true", "1#", "../users", "1%2f", "1\r\nX-Odd: 1", "\u0661"])
async def test_an_odd_id_is_no_part_of_an_address(shop: Shopkeeper, id_: str) -> None:
    connected, proxy = over_https(shop)
    with pytest.raises(Strange, match="no whole number at id"):
        await Client(connected).ask("GET", f"products/{id_}/variations")
    assert proxy.sent == [], "nothing was asked"
