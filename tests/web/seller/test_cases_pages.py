"""Cases through the pages: what the form shows is what is sent; staff answer; the file; and the calls that pages make
are kept.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html import unescape

import pytest
from django.test import Client

from crossdock.domain.alerts import AlertCode
from crossdock.store.models import Case, ConnectAttempt, Connection, Exchange, User
from crossdock.usecases.record.alerts import raise_alert
from crossdock.usecases.support.cases import answer, close, open_case
from market import World, user
from market import seller as a_seller
from simulated import Town, town
from toyshop import dropped_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> Iterator[World]:
    with dropped_in():
        yield World(units=9, now=datetime.now(UTC))


def client_of(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def text_of(answer_: object) -> str:
    return " ".join(unescape(answer_.content.decode()).split())  # type: ignore[attr-defined]


def reported(world: World, client: Client, query: str, **fields: object) -> str:
    """Fill in the form as it stands; the case's page."""
    page = client.get(f"/seller/cases/new/?{query}").content.decode()
    hidden = dict(re.findall(r'<input type="hidden" name="(kind|order|listing|shop|alert)" value="([^"]*)"', page))
    ticks = re.findall(r'name="attach" value="([^"]+)"', page)
    sent = {**hidden, "attach": ticks, "subject": "It is odd", "body": "Look at it, please.", **fields}
    answered = client.post("/seller/cases/new/", sent)
    assert answered.status_code == 302, text_of(answered)
    return str(answered["Location"])


def test_every_page_has_the_button_and_its_case_its_subject(world: World) -> None:
    order = world.buy()
    alert = raise_alert(
        code=AlertCode.STOCK_DIFFERS, seller=world.seller, order=order, sentence="They differ.", now=world.now
    )
    client = client_of(world.seller.owner)
    listing = world.variant.listing.public_id
    places = {
        f"order={order.public_id}": f"/seller/orders/{order.public_id}/",
        f"listing={listing}": f"/seller/listings/{listing}/",
        f"shop={world.shop.public_id}": f"/seller/shops/{world.shop.public_id}/",
        f"alert={alert.public_id}": "/seller/alerts/",
    }
    for query, page in places.items():
        assert f"/seller/cases/new/?{query}" in client.get(page).content.decode(), page
        where = reported(world, client, query, body=f"About {query}")
        assert "Sent to staff" in text_of(client.get(where))
    links = [
        (bool(case.order), bool(case.listing), bool(case.connection), bool(case.alert))
        for case in Case.objects.order_by("pk")
    ]
    assert links == [
        (True, False, False, False),
        (False, True, False, False),
        (False, False, True, False),
        (True, False, False, True),
    ]


def test_what_is_ticked_is_sent_and_nothing_else(world: World) -> None:
    order = world.buy()
    client = client_of(world.seller.owner)
    page = client.get(f"/seller/cases/new/?order={order.public_id}").content.decode()
    ticks = re.findall(r'name="attach" value="([^"]+)"', page)
    entries = [tick for tick in ticks if tick.startswith("entry:")]
    assert entries and any(tick.startswith("command:") for tick in ticks)
    reported(world, client, f"order={order.public_id}", attach=entries)
    case = Case.objects.get()
    assert [item["key"] for item in case.evidence["timeline"]] == entries
    assert case.evidence["commands"] == [] and len(case.evidence["left_out"]) == len(ticks) - len(entries)
    assert "Zoë" not in json.dumps(case.evidence, ensure_ascii=False)


def test_two_presses_are_one_case(world: World) -> None:
    client = client_of(world.seller.owner)
    order = world.buy()
    assert len({reported(world, client, f"order={order.public_id}") for _ in range(2)}) == 1
    assert Case.objects.count() == 1


def test_asking_about_the_risk_is_a_case_of_its_kind(world: World) -> None:
    order = world.buy()
    client = client_of(world.seller.owner)
    assert (
        f"/seller/cases/new/?order={order.public_id}&amp;kind=risk"
        in client.get(f"/seller/orders/{order.public_id}/").content.decode()
    )
    reported(world, client, f"order={order.public_id}&kind=risk")
    assert Case.objects.get().kind == "risk"


def test_the_form_says_what_is_missing(world: World) -> None:
    answered = client_of(world.seller.owner).post("/seller/cases/new/", {"subject": "", "body": "  "})
    assert answered.status_code == 422 and Case.objects.count() == 0


def test_staff_answer_and_the_seller_reads_it(world: World) -> None:
    seller, clerk = client_of(world.seller.owner), client_of(user(is_staff=True))
    where = reported(world, seller, f"order={world.buy().public_id}")
    case = Case.objects.get()
    assert "It is odd" in text_of(clerk.get("/staff/cases/"))
    clerk.post(f"/staff/cases/{case.public_id}/answer/", {"deed": "answer", "body": "We mended <it>."})
    page = text_of(seller.get(where))
    assert "We mended <it>." in page and "Waiting for you" in page
    assert '<span class="count">1<' in seller.get("/seller/cases/").content.decode()
    assert "It is odd" not in text_of(clerk.get("/staff/cases/"))
    assert "It is odd" in text_of(clerk.get("/staff/cases/?which=seller&kind=problem&q=odd"))
    seller.post(f"/seller/cases/{case.public_id}/answer/", {"deed": "close"})
    assert "Closed" in text_of(seller.get(where))
    clerk.post(f"/staff/cases/{case.public_id}/answer/", {"deed": "reopen"})
    clerk.post(f"/staff/cases/{case.public_id}/answer/", {"deed": "evidence"})
    case.refresh_from_db()
    assert case.state == "waiting_for_seller"


def test_the_case_file_names_its_format_and_no_words_of_the_thread(world: World) -> None:
    reported(world, client_of(world.seller.owner), f"order={world.buy().public_id}", body="My neighbour Ada says hello")
    case = Case.objects.get()
    answered = client_of(user(is_staff=True)).get(f"/staff/cases/{case.public_id}/file/")
    document = json.loads(answered.content)
    assert document["format"] == "crossdock-case/1" and document["case"]["id"] == case.public_id
    assert document["shop"]["api_version"] and document["shop"]["capabilities"]
    assert answered["Content-Disposition"] == f'attachment; filename="case-{case.public_id}.json"'
    assert "Ada" not in answered.content.decode()


def test_the_list_pages_filters_and_is_empty_in_words(world: World) -> None:
    client = client_of(world.seller.owner)
    assert "No cases" in text_of(client.get("/seller/cases/"))
    for number in range(27):
        open_case(
            seller=world.seller,
            opened_by=world.seller.owner,
            kind="problem",
            subject=f"Case {number:02}",
            body=str(number),
            now=world.later(),
        )
    page = client.get("/seller/cases/").content.decode()
    assert "Case 26" in page and "Case 01" not in page
    after = re.findall(r"after=(\d+)", page)[0]
    assert "Case 01" in client.get(f"/seller/cases/?after={after}").content.decode()
    assert "No case is like that" in text_of(client.get("/seller/cases/?kind=risk"))
    close(case=Case.objects.get(subject="Case 26"), actor=world.seller.owner, now=world.later())
    assert "Case 26" in client.get("/seller/cases/?show=closed").content.decode()
    assert "Case 26" not in client.get("/seller/cases/").content.decode()


def test_only_its_seller_and_staff_see_a_case(world: World) -> None:
    case = open_case(
        seller=world.seller, opened_by=world.seller.owner, kind="problem", subject="?", body="?", now=world.now
    )
    answer(case=case, author=world.seller.owner, body="private", now=world.later())
    assert client_of(a_seller().owner).get(f"/seller/cases/{case.public_id}/").status_code == 404
    assert client_of(user()).get(f"/seller/cases/{case.public_id}/").status_code == 403
    assert client_of(user()).get(f"/staff/cases/{case.public_id}/").status_code == 404
    assert client_of(world.seller.owner).get(f"/staff/cases/{case.public_id}/file/").status_code == 404


@pytest.fixture
def streets() -> Iterator[Town]:
    with town() as made:
        yield made


@pytest.mark.parametrize("platform", ["vendure", "woocommerce"])
def test_what_a_page_asks_a_shop_is_kept(streets: Town, platform: str) -> None:
    """The wizard's calls stay with the attempt, and are the connection's afterwards; so are those of its test."""
    shop = streets.open(platform)
    streets.call(shop.hand.add_product("Card", [("SKU-1", "10.00", 3)]))
    way, form = shop.seller_form()
    seller = a_seller()
    client = client_of(seller.owner)
    page = client.post(f"/seller/connect/{platform}/{way}/", form)
    assert page.status_code == 302, text_of(page)
    attempt = ConnectAttempt.objects.get()
    assert attempt.calls and Exchange.objects.count() == 0
    kept = json.dumps(attempt.calls)
    assert not [value for name, value in form.items() if name != "address" and len(value) > 7 and value in kept]
    asked = len(attempt.calls)
    client.post(page["Location"], {})
    connection = Connection.objects.get()
    assert Exchange.objects.filter(party=connection.party).count() == asked
    client.post(f"/seller/shops/{connection.public_id}/test/")
    assert Exchange.objects.filter(party=connection.party).count() > asked
    assert "Last calls" in text_of(client.get(f"/seller/shops/{connection.public_id}/"))


def test_a_wizard_that_fails_leaves_its_calls_with_the_attempt(streets: Town) -> None:
    shop = streets.open("vendure")
    way, form = shop.seller_form()
    client = client_of(a_seller().owner)
    client.post(f"/seller/connect/vendure/{way}/", {**form, "api_key": "wrong:wrong"})
    calls = ConnectAttempt.objects.get().calls
    assert calls and "wrong:wrong" not in json.dumps(calls)
