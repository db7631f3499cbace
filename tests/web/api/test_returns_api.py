"""Returns by a program: the deeds of the page with its preview, once, and nobody else's."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext
from jsonschema import Draft202012Validator
from tests.usecases.requests.test_returns import asked, back, fresh, got, shipped, taken
from tests.web.api.test_api import ROOT, Program, problem_of, token_for, usd
from tests.web.api.test_two_steps import limited

from crossdock.domain.requests.returns import ReturnReason
from crossdock.store.models import Credit, Mail, Order, Return
from crossdock.usecases.requests.returns import add_pictures, decline
from crossdock.web.api.returns import routes as returns
from market import World, user
from market import seller as a_seller

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return World(units=90, now=datetime.now(UTC), refuses=False)


@pytest.fixture
def owner(world: World) -> Program:
    return Program(token_for(world.seller, world.seller.owner))


def came(order: Order, units: int = 1, **more: object) -> dict[str, object]:
    line = {"line": order.lines.get().pk, "units": units, "fate": "aside", **more}
    return {"lines": [line]}


def test_from_the_question_to_the_credit_that_was_shown_once(world: World, owner: Program) -> None:
    order = shipped(world, 4)
    row = asked(world, order, 2, ReturnReason.WRONG)
    path = f"/returns/{row.public_id}"
    (item,) = owner.get("/returns?state=asked").json()["items"]
    assert (item["id"], item["order"], item["words"]) == (row.public_id, order.public_id, "Too small.")
    assert item["lines"][0] | {"title": "", "sku": ""} == {
        **{"line": order.lines.get().pk, "title": "", "sku": "", "units": 2},
        **{"received": None, "condition": "", "fate": ""},
    }
    instructed = {"send_to": "1 Elm St", "payer": "seller", "label": "https://l.test/1"}
    assert problem_of(owner.post(f"{path}/accept", {"send_to": "1 Elm St", "payer": "seller"}, key="a")) == (
        422,
        "invalid",
    )
    said = owner.post(f"{path}/accept", instructed, key="b").json()
    assert (said["state"], said["label"], said["answered_at"] is not None) == ("accepted", "https://l.test/1", True)
    seen = owner.post(f"{path}/receive", came(order, 2), key="c").json()
    assert (seen["done"], seen["total"], seen["delivery"], seen["capped"]) == (False, usd("22.50"), usd("2.50"), False)
    assert "no count is changed for 2 units" in seen["lines"][0]["stock"]
    assert Return.objects.get().state == "accepted" and not Credit.objects.exists(), "shown, not done"
    wrong = owner.post(f"{path}/receive", {**came(order, 2), "expected_total": usd("22.49")}, key="d")
    assert problem_of(wrong) == (409, "stale") and not Credit.objects.exists()
    done = {**came(order, 2), "expected_total": usd("22.50")}
    answers = [owner.post(f"{path}/receive", done, key="e") for _ in range(2)]
    assert [answer.json() for answer in answers] == [{**seen, "done": True}] * 2
    assert answers[1]["Idempotent-Replayed"] == "true"
    again = owner.post(f"{path}/receive", done, key="f")
    assert problem_of(again) == (409, "not-allowed") and "received already" in again.json()["detail"]
    assert fresh(order).credited_minor == 2250 and Credit.objects.count() == 1
    said = owner.get(path).json()
    assert (said["state"], said["credited"], said["kept"]) == ("received", usd("22.50"), usd("0.00"))
    assert (said["lines"][0]["received"], said["lines"][0]["condition"]) == (2, "as_sent")
    assert owner.get("/returns?state=asked").json()["items"] == []


def test_of_two_receipts_at_once_the_second_is_told(
    world: World, owner: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had read the return as open, with figures of its own."""
    order = shipped(world, 2)
    row = taken(world, asked(world, order, 2))
    real = returns.once

    def meanwhile(*asked: Any) -> HttpResponse:
        got(world, row, back(row, 1), 1000)
        return real(*asked)

    monkeypatch.setattr(returns, "once", meanwhile)
    second = owner.post(
        f"/returns/{row.public_id}/receive", {**came(order, 2), "expected_total": usd("20.00")}, key="b"
    )
    assert problem_of(second) == (409, "not-allowed") and "received already" in second.json()["detail"]
    assert fresh(order).credited_minor == 1000


def test_pictures_are_for_a_token_of_the_seller_and_not_for_the_marketplaces(world: World, owner: Program) -> None:
    row, other = asked(world, shipped(world, 2)), a_seller()
    add_pictures(row=row, pictures=[b"picture"], now=world.later())
    (at,) = owner.get(f"/returns/{row.public_id}").json()["pictures"]
    at = at.removeprefix(ROOT)
    shown = owner.get(at)
    assert (shown.content, shown["Content-Type"]) == (b"picture", "image/jpeg")
    assert problem_of(Program(token_for(other, other.owner)).get(at)) == (404, "not-found")
    market = Program(token_for(None, user(is_staff=True)))
    assert problem_of(market.get(at)) == (403, "not-yours")
    assert market.get(f"/returns/{row.public_id}").json()["pictures"] == []
    assert market.get("/returns").json()["items"][0]["pictures"] == []


def test_what_is_kept_for_wear_and_what_makes_no_sense(world: World, owner: Program) -> None:
    order = shipped(world, 2)
    row = taken(world, asked(world, order, 2))
    path, used = f"/returns/{row.public_id}/receive", {"condition": "used"}
    for n, (data, said) in enumerate(
        [
            (came(order, 3), "between 0 and 2 can have come back"),
            (came(order, 0), "how many units"),
            (came(order, 1, fate="restock", condition="used"), "used or damaged is not sold"),
            ({**came(order), "kept": usd("1.00"), "kept_why": "Worn"}, "used or damaged"),
            ({**came(order, 1, **used), "kept": usd("1.00")}, "Say why"),
            ({**came(order, 1, **used), "kept": {"amount": "1", "currency": "EUR"}}, "in USD"),
            ({"lines": came(order)["lines"] * 2}, "each line once"),  # type: ignore[operator]
            ({"lines": [{"line": 1, "units": 1, "fate": "aside"}]}, "not of this return"),
            (came(order, 1, fate="dance"), "fate"),
        ]
    ):
        answer = owner.post(path, data, key=str(n))
        assert answer.status_code in (409, 422) and said in answer.json()["detail"], (data, answer.json())
    assert not Credit.objects.exists() and Return.objects.get().state == "accepted"
    worn = {**came(order, 1, **used), "kept": usd("3.00"), "kept_why": "Scratched", "expected_total": usd("7.00")}
    said = owner.post(path, worn, key="w").json()
    assert (said["done"], said["whole"], said["kept"], said["total"]) == (True, usd("10.00"), usd("3.00"), usd("7.00"))
    assert said["delivery"] is None, "what is not wanted leaves the delivery paid"
    assert fresh(order).credited_minor == 700


def test_declined_with_words_that_the_buyer_reads(world: World, owner: Program) -> None:
    row = asked(world, shipped(world, 2))
    answer = owner.post(f"/returns/{row.public_id}/decline", {"answer": "It was worn."}, key="d")
    assert (answer.json()["state"], answer.json()["answer"]) == ("declined", "It was worn.")
    assert "It was worn." in Mail.objects.get(cause__startswith="return_declined:").body
    assert problem_of(owner.post(f"/returns/{row.public_id}/decline", {"answer": ""}, key="e")) == (422, "invalid")


def test_each_deed_needs_its_reach(world: World) -> None:
    order = shipped(world, 2)
    row = asked(world, order)
    path = f"/returns/{row.public_id}"
    reads = limited(world, "orders", change=False)
    assert reads.get(path).status_code == 200
    assert problem_of(reads.post(f"{path}/decline", {"answer": "No."}, key="a")) == (403, "not-yours")
    orders = limited(world, "orders")
    refused = orders.post(f"{path}/receive", came(order), key="b")
    assert problem_of(refused) == (403, "not-yours") and "money:change" in refused.json()["detail"]
    assert problem_of(limited(world, "listings").get("/returns")) == (403, "not-yours")
    assert limited(world, "money").post(f"{path}/receive", came(order), key="c").json()["done"] is False
    other = a_seller()
    wrong = Program(token_for(other, other.owner))
    assert wrong.get("/returns").json()["items"] == []
    assert problem_of(wrong.post(f"{path}/receive", came(order), key="d")) == (404, "not-found")
    market = Program(token_for(None, user(is_staff=True)))
    assert [item["id"] for item in market.get("/returns").json()["items"]] == [row.public_id]
    assert Return.objects.get().state == "asked"


def test_the_list_goes_on_where_it_ended_in_as_many_statements(
    world: World, owner: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(returns, "PAGE", 2)
    order = shipped(world, 9)

    def one_more() -> str:
        row = asked(world, fresh(order))
        decline(row=row, actor=world.seller.owner, answer="Worn.", now=world.later())
        return row.public_id

    def counted() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert owner.get("/returns").status_code == 200
        return len(seen)

    made = [one_more()]
    counted()
    few = counted()
    made += [one_more() for _ in range(4)]
    assert counted() == few
    found, page = [], owner.get("/returns").json()
    while page["next"] is not None:
        found += [item["id"] for item in page["items"]]
        one_more()
        page = owner.get(f"/returns?cursor={page['next']}").json()
    assert found + [item["id"] for item in page["items"]] == made[::-1]
    assert problem_of(owner.get("/returns?cursor=x")) == (422, "invalid")
    assert "taken_back" in owner.get("/returns?state=lost").json()["detail"]


def test_the_answer_is_as_described(world: World, owner: Program) -> None:
    schemas = owner.client.get(f"{ROOT}/openapi.json").json()["components"]["schemas"]
    said = owner.get(f"/returns/{asked(world, shipped(world, 2)).public_id}").json()
    validator = Draft202012Validator({"$ref": "#/components/schemas/ReturnOut", "components": {"schemas": schemas}})
    assert list(validator.iter_errors(said)) == []
