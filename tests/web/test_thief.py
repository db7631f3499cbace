"""A thief's stories: somebody with what is not theirs tries what they would try first. What they cannot take, and who
hears of it. What each address asks is in test_signin.py and test_walls.py; what they may do is in docs/decisions/0016.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.core.cache import cache
from django.test import Client
from tests.web.api.test_api import Program
from tests.web.signin.test_signin import PASSWORD, QUARTER, signed_in, someone
from tests.web.test_walls import PANEL, House, _furnished

from crossdock.store.models import (
    ApiToken,
    AuditEntry,
    Connection,
    DataRun,
    Endpoint,
    Entry,
    Listing,
    Mail,
    Order,
    User,
)
from crossdock.usecases.accounts.staffing import set_roles
from crossdock.usecases.accounts.tokens import make_token
from crossdock.usecases.shops.privacy import data_requested, erase_buyer
from market import World
from toyshop import dropped_in

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC)


@pytest.fixture
def house() -> Iterator[House]:
    cache.clear()
    with dropped_in():
        yield _furnished()


def paid_to(seller: int) -> int:
    """What the books owe the seller, in minor units."""
    return -sum(Entry.objects.filter(account=f"seller:{seller}").values_list("amount_minor", flat=True))


class TestAStolenSession:
    """Copied from a seller's browser; its owner proved who they are longer ago than a quarter of an hour."""

    def test_takes_no_money_no_key_no_copy_and_not_the_account(self, house: House) -> None:
        thief, owner = signed_in(house.owner, ago=QUARTER + 1), house.owner
        keys = bytes(Connection.objects.get(pk=house.world.shop.pk).secrets)
        before = (ApiToken.objects.count(), Endpoint.objects.count(), DataRun.objects.count())
        deeds = {
            "/accounts/email/": {"email": "thief@example.test", "action_add": ""},
            "/accounts/data/copy/": {},
            "/accounts/data/leave/": {"sure": "1"},
            "/accounts/sessions/end/": {},
            "/seller/tokens/": {"name": "mine"},
            "/seller/webhooks/": {"url": "https://thief.test/"},
            f"/seller/webhooks/{house.urls['webhook']}/rotate/": {},
            f"/seller/shops/{house.urls['shop']}/disconnect/": {"sure": "1"},
        }
        for path, form in deeds.items():
            answer = thief.post(path, form)
            assert (answer.status_code, "Is it you?" in answer.content.decode()) == (403, True), path
        wrong = {"oldpassword": "guess", "password1": "another-pass-9", "password2": "another-pass-9"}
        assert thief.post("/accounts/password/change/", wrong).status_code == 200
        owner.refresh_from_db()
        assert owner.check_password(PASSWORD) and owner.email not in ("thief@example.test",)
        assert (ApiToken.objects.count(), Endpoint.objects.count(), DataRun.objects.count()) == before
        assert bytes(Connection.objects.get(pk=house.world.shop.pk).secrets) == keys

    def test_what_it_can_do_pays_it_nothing_and_is_told(self, house: House) -> None:
        """Rejecting gives the buyer their money back, on the card that paid; shipping can be undone."""
        thief, order = signed_in(house.owner, ago=QUARTER + 1), Order.objects.get(public_id=house.urls["waiting"])
        form = {"reason": "other", "expected_total": str(order.total_minor)}
        owed, mails = paid_to(order.seller_id), Mail.objects.filter(to=order.buyer.email).count()
        thief.post(f"/seller/orders/{order.public_id}/reject/", form)
        order.refresh_from_db()
        assert order.cancelled_at is not None and order.credited_minor == order.total_minor
        assert paid_to(order.seller_id) < owed, "the seller is worse off, the thief no better"
        assert Mail.objects.filter(to=order.buyer.email).count() > mails
        assert order.timeline.filter(source="seller", kind="rejected").exists()
        assert not Entry.objects.exclude(
            account__in=["gateway", "fees", "refunds_due", f"seller:{order.seller_id}", "disputed"]
        ).exists()

    def test_its_owner_ends_it_from_their_own_browser(self, house: House) -> None:
        mine, thief = signed_in(house.owner), signed_in(house.owner, ago=QUARTER + 1)
        assert thief.get("/seller/").status_code == 200
        mine.post("/accounts/sessions/end/")
        assert (thief.get("/seller/").status_code, mine.get("/seller/").status_code) == (302, 200)

    def test_a_deletion_asked_for_with_the_password_as_well_can_be_taken_back(self) -> None:
        """Who has the password too can ask for it; the owner is written, and has two weeks."""
        who = someone()
        signed_in(who, ago=QUARTER + 1).post("/accounts/data/leave/", {"sure": "1", "again_password": PASSWORD})
        assert Mail.objects.get(to=who.email).subject == "Your account will be deleted"
        signed_in(who, ago=QUARTER + 1).post("/accounts/data/keep/")
        assert DataRun.objects.get().state == "withdrawn"


class TestAStolenToken:
    def test_does_what_it_was_made_for_in_one_shop_until_it_is_revoked(self, house: House) -> None:
        seller = house.world.seller
        row, secret = make_token(name="t", seller=seller, actor=house.owner, now=NOW, scopes="orders:read")
        thief, listing = Program(secret), house.urls["own"]
        assert thief.get("/orders").status_code == 200
        assert thief.patch(f"/listings/{listing}", {"title": "Mine"}).status_code == 403
        assert thief.post("/listings", {"title": "Mine"}).status_code == 403
        foreign = World(now=NOW).buy()
        assert thief.get(f"/orders/{foreign.reference}").status_code == 404
        assert Listing.objects.get(public_id=listing).title == "Own"
        for page in ("/seller/", "/accounts/data/", "/staff/", "/orders/"):
            assert Client(headers={"Authorization": f"Bearer {secret}"}).get(page).status_code in (302, 404), page
        row.refresh_from_db()
        assert row.last_used_at is not None, "the owner sees that it is used"
        assert Mail.objects.filter(to=house.owner.email, subject__contains="token was made").exists()
        signed_in(house.owner).post(f"/seller/tokens/{row.pk}/revoke/")
        assert thief.get("/orders").status_code == 401


class TestALeavingMemberOfStaff:
    def test_takes_nothing_along(self, house: House) -> None:
        staff = someone(is_staff=True)
        client = signed_in(staff)
        _, secret = make_token(name="mine", seller=None, actor=staff, now=NOW)
        client.post(f"/staff/sellers/{house.urls['seller']}/act/", {"why": "asked for"})
        client.post(f"/staff/people/{house.bought.pk}/copy/", {"why": "for later"})
        copy = DataRun.objects.get(person=house.bought)
        DataRun.objects.filter(pk=copy.pk).update(state="ready", ends_at=datetime(2099, 1, 1, tzinfo=UTC))
        assert client.post(f"/accounts/data/{copy.public_id}/file/").status_code in (403, 404), "not theirs to read"
        set_roles(email=staff.email, take=["admin"], now=NOW)
        assert client.get("/staff/")["Location"].startswith("/accounts/login/")
        again = signed_in(User.objects.get(pk=staff.pk))
        for page in ("/staff/", "/staff/people/", f"/staff/sellers/{house.urls['seller']}/", "/admin/"):
            assert again.get(page).status_code in (302, 404), page
        assert again.get("/seller/").status_code == 403, "nobody is acted as any more"
        assert Program(secret).get("/orders").status_code == 401
        said = set(AuditEntry.objects.filter(person=staff).values_list("action", flat=True))
        assert {"no staff any more", "ended all sessions"} <= said


class TestAHostileSeller:
    def test_reads_no_buyer_s_address_of_e_mail_on_any_page_or_in_their_copy(self, house: House) -> None:
        client = signed_in(house.owner)
        for name, (path, method, _) in PANEL.items():
            answer = getattr(client, method)(path.format(**house.urls))
            assert house.bought.email.encode() not in answer.getvalue(), name

    def test_does_nothing_to_another_s_things(self, house: House) -> None:
        thief = signed_in(house.wrong.owner)
        before = sorted(map(repr, Listing.objects.values())), Order.objects.filter(cancelled_at=None).count()
        forms = {"title": "Mine", "count": "0", "state": "archived", "reason": "other", "sure": "1", "price": "1"}
        for name, (path, _, _) in PANEL.items():
            if "{" in path and name not in ("seller_connect_platform", "seller_connect_way"):
                answer = thief.post(path.format(**house.urls), forms)
                # A form of one's own that names another's thing is drawn anew, without it.
                assert answer.status_code in ((302, 404, 405, 422) if "?" in path else (302, 404, 405)), name
        assert (sorted(map(repr, Listing.objects.values())), Order.objects.filter(cancelled_at=None).count()) == before


class TestAHostileShop:
    def test_erases_and_asks_for_nobody_but_its_own_buyers(self) -> None:
        """A shop that names another shop's orders in a privacy request."""
        mine, other = World(now=NOW), World(now=NOW)
        order = other.buy()
        (claimed,) = other.claim()
        other.settle(claimed, other.create_there(order))
        named = [order.copy.shop_order_id or "s1", "s1", order.reference, "' OR 1=1 --"]
        assert erase_buyer(connection_id=mine.shop.pk, shop_order_ids=named, now=NOW) == 0
        data_requested(connection_id=mine.shop.pk, request="1", shop_order_ids=named, now=NOW)
        order.refresh_from_db()
        assert order.ship_to["line1"] == "1 Elm St"
        alert = mine.seller.alerts.get(code="data_request")
        assert f"#{order.number}" not in alert.sentence and "no order that we know of" in alert.sentence


class TestAStranger:
    def test_locks_nobody_out_and_learns_nothing(self) -> None:
        who = someone()
        home, stranger = Client(), Client(REMOTE_ADDR="203.0.113.9")
        home.post("/accounts/login/", {"login": who.email, "password": PASSWORD})
        home.post("/accounts/logout/")
        pages = set()
        for email in [who.email, "nobody@example.test"] * 10:
            answer = stranger.post("/accounts/login/", {"login": email, "password": "guess"})
            pages.add(answer.status_code)
        assert pages <= {200, 429}
        home.post("/accounts/login/", {"login": who.email, "password": PASSWORD})
        assert home.get("/accounts/data/").status_code == 200, "the known browser is not slowed down"
        assert AuditEntry.objects.filter(person=who, action="sign-in failed").exists()
