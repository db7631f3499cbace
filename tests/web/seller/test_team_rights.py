"""What each role of a team may: every address of the panel and of the API, as every role, drawn from the one table."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from tests.web.test_walls import BY_STATE, PANEL, House, _furnished, client_of, names

from crossdock.domain.team.roles import CHOICES, GIVEN, Duty, TeamRole, duties_of, roles_in, who_may
from crossdock.store.models import AuditEntry, AuditTopic, Order, User
from crossdock.usecases.accounts.team import let_go
from crossdock.usecases.accounts.tokens import make_token
from crossdock.usecases.errors import NotAllowed
from crossdock.usecases.record.rights import belongs, may, require, side_of, why_not_yours
from crossdock.web.api.people import AREA_OF
from crossdock.web.seller.team.duties import OPEN_TO_LOOK, PAGES, PRESSED, duty_of
from crossdock.web.seller.team.hiding import as_seen
from market import World, user
from market import seller as a_seller
from toyshop import dropped_in

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
ROLES = sorted(CHOICES)
# Whose state it is who comes back from a shop's sign-in is asked there, not what page it is.
ANSWERED_BY_STATE = {"seller_connect_return"}


@pytest.fixture
def house() -> Iterator[House]:
    with dropped_in():
        yield _furnished()


def test_every_page_of_the_panel_is_in_exactly_one_group() -> None:
    """An address that is added later fails here until somebody thinks about it; until then it is the owner's."""
    grouped = [name for group in PAGES.values() for name in group]
    assert sorted(grouped) == sorted(set(grouped))
    assert set(grouped) == names("seller_") - BY_STATE
    assert set(PRESSED) | set(OPEN_TO_LOOK) <= set(grouped)
    assert duty_of("seller_something_new", "GET") is duty_of("seller_something_new", "POST") is Duty.OWN


def test_the_table_of_roles() -> None:
    assert GIVEN[TeamRole.OWNER] == frozenset(Duty)
    for role in set(TeamRole) - {TeamRole.OWNER}:
        assert Duty.OWN not in GIVEN[role] and Duty.LOOK in GIVEN[role], role
    assert roles_in("owner nonsense") == frozenset(), "no word that is kept makes an owner"
    assert duties_of(roles_in("orders listings")) == GIVEN[TeamRole.ORDERS] | GIVEN[TeamRole.LISTINGS]
    assert "read only" in who_may(Duty.ORDERS, roles_in("reader")) and "for orders" in who_may(
        Duty.ORDERS, roles_in("reader")
    )


@pytest.mark.parametrize("words", ROLES)
def test_each_page_answers_each_role_as_the_table_says(house: House, words: str) -> None:
    """Each as it is in the walls' table; where that only opens it, sent as a form as well."""
    member = user(works_for=house.world.seller, works_as=words)
    client, mine, odd = client_of(member), duties_of(roles_in(words)), []
    # Whoever leaves is not there for the rest.
    for name in sorted(set(PANEL) - ANSWERED_BY_STATE, key=lambda name: name == "seller_team_leave"):
        path, method, _ = PANEL[name]
        for how in (method,) if method == "post" else ("get", "post"):
            answer = getattr(client, how)(path.format(**house.urls))
            refused = answer.status_code == 403 and "You are in the team for" in answer.content.decode()
            if refused is (duty_of(name, how.upper()) in mine):
                odd.append((name, how, answer.status_code))
            if not refused and how == "get":
                assert answer.status_code != 403, (name, "no other reason keeps somebody of the team out")
    assert odd == []


@pytest.mark.parametrize("words", ["reader", "orders", "listings"])
def test_a_page_shows_nothing_that_is_refused(house: House, words: str) -> None:
    member = user(works_for=house.world.seller, works_as=words)
    client, mine = client_of(member), duties_of(roles_in(words))
    for path in ("/seller/", "/seller/orders/{waiting}/", "/seller/listings/{own}/", "/seller/shops/{shop}/"):
        page = client.get(path.format(**house.urls)).content.decode()
        assert as_seen(page, here=path.format(**house.urls), duties=mine) == page
        assert 'href="/seller/money/"' not in page and 'href="/seller/tokens/"' not in page
        assert 'href="/seller/orders/"' in page and page.count("<form") == page.count("</form>")
    order = client.get("/seller/orders/{waiting}/".format(**house.urls)).content.decode()
    assert (f"/seller/orders/{house.urls['waiting']}/ship/" in order) is (words == "orders")


def test_controls_beside_a_form_go_with_it() -> None:
    html = (
        '<table><tr><td><input type="checkbox" form="bulk" value="a>b"></td></tr></table><form id="bulk" method="post"'
        ' action="/seller/alerts/settle/"><button>Settle</button></form><button form="bulk">Again</button>'
        '<a href="/seller/orders/">Orders</a><form><input name="q"></form>'
    )
    kept = '<table><tr><td></td></tr></table><a href="/seller/orders/">Orders</a><form><input name="q"></form>'
    assert as_seen(html, here="/seller/alerts/", duties=GIVEN[TeamRole.READER]) == kept
    assert as_seen(html, here="/seller/alerts/", duties=frozenset(Duty)) == html


def test_a_member_of_one_shop_is_nobody_in_another(house: House) -> None:
    member = user(works_for=house.wrong, works_as="orders listings")
    client = client_of(member)
    for name, (path, method, _) in PANEL.items():
        if "{" in path and name not in ("seller_resend", "seller_connect_platform", "seller_connect_way"):
            assert getattr(client, method)(path.format(**house.urls)).status_code in (403, 404), name
    assert not may(member, house.world.seller, duty=Duty.LOOK)
    assert not Order.objects.get(public_id=house.urls["waiting"]).timeline.filter(kind="create_in_shop").exists()


def test_a_deed_that_names_no_duty_is_the_owners() -> None:
    world = World(units=3)
    for words in ROLES:
        member = user(works_for=world.seller, works_as=words)
        assert belongs(member, world.seller) and side_of(member, world.seller) == "seller"
        with pytest.raises(NotAllowed, match="Only the owner of the shop may do this"):
            require(member, world.seller)
        for duty in Duty:
            assert may(member, world.seller, duty=duty) is (duty in duties_of(roles_in(words))), (words, duty)


def test_staff_who_work_for_a_seller_decide_nothing_about_it() -> None:
    world = World(units=3)
    order = world.buy()
    clerk = user(is_staff=True, works_for=world.seller, works_as="reader")
    assert why_not_yours(order, clerk)
    assert not may(clerk, world.seller), "what the marketplace gives them does not widen what the shop gives them"
    assert may(clerk, a_seller())


def test_a_members_deed_is_traced_with_their_name(house: House) -> None:
    member = user(works_for=house.world.seller, works_as="orders", name="Noor Vega")
    order = Order.objects.get(public_id=house.urls["waiting"])
    client_of(member).post(
        f"/seller/orders/{order.public_id}/ship/", {"how": "all", "tracking": "T9", "carrier": "UPS"}
    )
    traced = AuditEntry.objects.get(topic=AuditTopic.TEAM, action="worked in the team")
    assert (traced.actor_id, traced.detail["did"]) == (member.pk, "seller_order_ship")
    asks = Order.objects.get(public_id=house.urls["asked"]).cancel_request.asks
    client_of(member).post(f"/seller/orders/{house.urls['asked']}/decline/", {"answer": "It left.", "seen": asks})
    told = Order.objects.get(public_id=house.urls["asked"]).timeline.filter(evidence__by=member.pk)
    assert told.exists()
    page = client_of(house.owner).get(f"/seller/orders/{house.urls['asked']}/").content.decode()
    assert "Noor Vega" in page
    assert not AuditEntry.objects.filter(topic=AuditTopic.TEAM, actor=house.owner, action="worked in the team").exists()


def test_the_api_is_reached_by_the_owners_tokens_alone() -> None:
    """Each address of the API is opened by a token, and who is in a team makes none."""
    world = World(units=1)
    assert AREA_OF
    for words in ROLES:
        member = user(works_for=world.seller, works_as=words)
        with pytest.raises(NotAllowed, match="Only the seller makes tokens"):
            make_token(name="mine", seller=world.seller, actor=member, now=NOW)


def test_a_removed_member_has_lost_the_page_that_they_had_open(house: House) -> None:
    member = user(works_for=house.world.seller, works_as="orders")
    client, path = client_of(member), f"/seller/orders/{house.urls['waiting']}/"
    assert client.get(path).status_code == 200
    let_go(seller=house.world.seller, member=member.pk, actor=house.owner, now=NOW)
    for answer in (client.get(path), client.post(f"{path}create/")):
        assert answer.status_code == 403
        assert f"not in the team of {house.world.seller.name} any more" in answer.content.decode()


def _page(client: Client, path: str) -> Any:
    return client.get(path).content.decode()


def test_while_the_owner_is_suspended_the_team_is_closed_and_says_so(house: House) -> None:
    member = user(works_for=house.world.seller, works_as="reader")
    User.objects.filter(pk=house.owner.pk).update(is_active=False)
    assert "owner" in _page(client_of(member), "/seller/")
    assert client_of(member).get("/seller/").status_code == 403
