"""What a token reaches and when it ends; what one person of staff may give away alone, and never to themselves."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls.resolvers import URLPattern

from crossdock.domain.credit import CreditState
from crossdock.domain.values import Money
from crossdock.store.models import ApiToken, AuditEntry, Credit, Order, User
from crossdock.usecases.accounts import tokens
from crossdock.usecases.errors import NotAllowed
from crossdock.usecases.money import credits
from crossdock.web.api.people import AREA_OF
from crossdock.web.api.urls import _operations
from market import World, user
from market import seller as a_seller

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC)


def asked(secret: str, path: str, method: str = "get", body: str = "{}") -> Any:
    send = getattr(Client(), method)
    more = {} if method == "get" else {"data": body, "content_type": "application/json"}
    return send(f"/api/v1{path}", headers={"Authorization": f"Bearer {secret}"}, **more)


def a_token(**how: Any) -> str:
    shop = how.pop("shop", None) or a_seller()
    return tokens.make_token(name="t", seller=shop, actor=shop.owner, now=NOW, **how)[1]


class TestReach:
    def test_every_operation_has_an_area(self) -> None:
        named = {entry.name for entry in _operations if isinstance(entry, URLPattern)}
        assert named - set(AREA_OF) <= {"openapi-json", "api-root", None, "confirm"}, (
            "what a confirmation needs is its deed's"
        )
        assert set(AREA_OF.values()) == set(tokens.AREAS)

    def test_reading_only_changes_nothing(self) -> None:
        secret = a_token(scopes=tokens.scopes_of(change=False))
        for path in ("/listings", "/offers", "/orders", "/connections", "/alerts"):
            assert asked(secret, path).status_code == 200, path
        for path in (
            "/orders/x/reject",
            "/orders/x/credit-requests",
            "/orders/x/shipments",
            "/listings",
            "/alerts/x/settle",
        ):
            answer = asked(secret, path, "post")
            assert (answer.status_code, "This needs a token with" in answer.json()["detail"]) == (403, True), path
        assert asked(secret, "/listings/x", "patch").status_code == 403

    def test_one_area_is_one_area(self) -> None:
        secret = a_token(scopes=tokens.scopes_of(change=True, areas=["alerts"]))
        assert asked(secret, "/alerts").status_code == 200
        assert asked(secret, "/alerts/x/settle", "post", '{"how": "seen"}').status_code != 403, "it may"
        answer = asked(secret, "/orders")
        assert answer.status_code == 403
        assert answer.json()["detail"] == "This needs a token with orders:read; this one has alerts:change."

    def test_one_from_before_keeps_all(self) -> None:
        secret = a_token()
        assert ApiToken.objects.get().scopes == "*"
        assert asked(secret, "/orders").status_code == 200

    def test_a_narrow_one_does_not_reach_what_nobody_named(self) -> None:
        assert not tokens.reaches(tokens.scopes_of(change=True), area="", change=False)
        assert tokens.reaches("*", area="", change=True)

    def test_the_page_gives_the_least(self) -> None:
        shop, client = a_seller(), Client()
        client.force_login(shop.owner)
        client.post("/seller/tokens/", {"name": "least"})
        client.post("/seller/tokens/", {"name": "more", "may": "change", "areas": ["orders", "money"], "days": "never"})
        least, more = ApiToken.objects.order_by("pk")
        assert set(least.scopes.split()) == {f"{area}:read" for area in tokens.AREAS}
        assert least.expires_at is not None
        assert timedelta(days=364) < least.expires_at - datetime.now(UTC) <= timedelta(days=365)
        assert (more.scopes, more.expires_at) == ("orders:change money:change", None)
        page = client.get("/seller/tokens/").content.decode()
        assert "Read only" in page
        assert "Read and change: Orders, Rejecting, credits and balance" in page
        assert client.post("/seller/tokens/", {"name": "x", "areas": ["everything"]}).status_code == 422


class TestItsEnd:
    def test_after_its_day(self) -> None:
        secret = a_token(expires_at=NOW + timedelta(days=30))
        assert tokens.token_of(secret=secret, now=NOW + timedelta(days=29)) is not None
        assert tokens.token_of(secret=secret, now=NOW + timedelta(days=30)) is None

    @pytest.mark.parametrize("staffs", [True, False])
    def test_with_the_role_of_whoever_made_it(self, staffs: bool) -> None:
        maker = user(is_staff=True)
        shop = None if staffs else a_seller()
        _, secret = tokens.make_token(name="t", seller=shop, actor=shop.owner if shop else maker, now=NOW)
        assert asked(secret, "/orders").status_code == 200
        if staffs:
            User.objects.filter(pk=maker.pk).update(is_staff=False)
        else:
            assert shop is not None
            shop.owner = user()
            shop.save()
        assert asked(secret, "/orders").status_code == 401
        assert asked(secret, "/orders").json()["title"] == "No valid token"

    def test_with_the_account(self) -> None:
        shop = a_seller()
        secret = a_token(shop=shop)
        User.objects.filter(pk=shop.owner_id).update(is_active=False)
        assert asked(secret, "/orders").status_code == 401


class TestMadeByStaff:
    def test_none_for_a_seller(self) -> None:
        with pytest.raises(NotAllowed, match="Only the seller"):
            tokens.make_token(name="t", seller=a_seller(), actor=user(is_staff=True), now=NOW)
        shop, client = a_seller(), Client()
        client.force_login(user(is_staff=True, is_superuser=True))
        client.post("/admin/store/apitoken/add/", {"name": "t", "seller": shop.pk})
        assert not ApiToken.objects.exists(), "the admin makes none"
        client.post("/staff/tokens/", {"name": "t", "seller": shop.pk})
        assert ApiToken.objects.get().seller is None, "what is sent besides is not read"

    def test_one_that_they_made_before_opens_nothing(self) -> None:
        secret = a_token()
        ApiToken.objects.update(made_by=user(is_staff=True))
        assert asked(secret, "/orders").status_code == 401


def credit(order: Order, minor: int, who: User, key: str, now: datetime = NOW) -> Credit:
    return credits.staff_credit(order=order, amount=Money(minor, "USD"), reason="Goodwill", actor=who, key=key, now=now)


class TestFourEyes:
    @pytest.fixture
    def dear(self) -> World:
        world = World(units=90, now=NOW)
        world.variant.price_minor = 100_000
        world.variant.save()
        return world

    def test_two_halves_are_the_whole(self, dear: World) -> None:
        order, one, two = dear.buy(), user(is_staff=True), user(is_staff=True)
        assert credit(order, 19_900, one, "a").state == CreditState.GRANTED
        assert credit(order, 19_900, one, "b").state == CreditState.SECOND
        assert credit(order, 101, two, "c").state == CreditState.SECOND, "nor by two people, each alone"
        assert credit(order, 100, two, "d").state == CreditState.GRANTED, "up to the limit"
        order.refresh_from_db()
        assert order.credited_minor == 20_000

    def test_what_two_people_agreed_on_is_not_counted_again(self, dear: World) -> None:
        order, one, two = dear.buy(), user(is_staff=True), user(is_staff=True)
        row = credit(order, 30_000, one, "a")
        credits.decide_credit(credit=row, grant_it=True, actor=two, remark="yes", now=NOW)
        assert credit(order, 5_000, one, "b").state == CreditState.GRANTED

    def test_a_day_of_many_small_ones_is_a_large_one(self, dear: World) -> None:
        one, two = user(is_staff=True), user(is_staff=True)
        orders = [dear.buy() for _ in range(8)]
        states = [credit(order, 19_000, one, "a").state for order in orders[:6]]
        assert states == [CreditState.GRANTED] * 5 + [CreditState.SECOND]
        assert credit(orders[6], 19_000, two, "a").state == CreditState.GRANTED, "everybody has a day of their own"
        later = NOW + timedelta(hours=25)
        assert credit(orders[7], 19_000, one, "a", now=later).state == CreditState.GRANTED

    def test_one_person_s_credits_wait_for_each_other_before_the_day_is_summed(self, dear: World) -> None:
        order, one = dear.buy(), user(is_staff=True)
        with CaptureQueriesContext(connection) as asked:
            credit(order, 100, one, "a")
        said = [query["sql"] for query in asked]
        (locked,) = (n for n, sql in enumerate(said) if "store_user" in sql and sql.endswith("FOR NO KEY UPDATE"))
        (summed,) = (n for n, sql in enumerate(said) if "SUM(" in sql and 'granted_at" > ' in sql)
        assert locked < summed

    @pytest.mark.parametrize("whose", ["buyer", "seller"])
    def test_nobody_gives_to_themselves(self, dear: World, whose: str) -> None:
        order, other = dear.buy(), user(is_staff=True)
        mine = order.buyer if whose == "buyer" else order.seller.owner
        User.objects.filter(pk=mine.pk).update(is_staff=True, roles="admin")
        mine.refresh_from_db()
        with pytest.raises(NotAllowed, match="your own"):
            credit(order, 100, mine, "a")
        waiting = credit(order, 30_000, other, "b")
        with pytest.raises(NotAllowed, match="your own"):
            credits.decide_credit(credit=waiting, grant_it=True, actor=mine, remark="yes", now=NOW)
        Credit.objects.filter(pk=waiting.pk).update(state=CreditState.FAILED)
        with pytest.raises(NotAllowed, match="your own"):
            credits.try_refund_again(credit=waiting, actor=mine, now=NOW)
        order.refresh_from_db()
        assert order.credited_minor == 0
        assert not AuditEntry.objects.filter(actor=mine).exists()
