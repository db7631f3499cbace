"""A buyer rates the seller of an order that arrived; the sum is true whatever is done with it, and nobody else's."""

from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.db.models import Count, Sum
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.usecases.requests.test_returns import client_of, shipped, world

from at_once import meanwhile
from crossdock.domain.moderation.sellers import Bar
from crossdock.domain.requests.ratings import ARRIVES_WITHIN, LONGEST, OPEN_FOR, Rated, opens, why_not_rate
from crossdock.domain.requests.withdrawals import Sale
from crossdock.store.models import AuditEntry, Mail, Order, Rating, RatingSum, Seller, Shipment, User
from crossdock.usecases.errors import Invalid, NotAllowed, Stale
from crossdock.usecases.orders.queries import bought_orders
from crossdock.usecases.requests.ratings import answer, decide, rate, report, take_back, why_not_rate_order
from market import World, seller, user

__all__ = ["world"]
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
TERMS = "It names another person."


def arrived(world: World) -> Order:
    order = shipped(world, 1)
    left = world.now - ARRIVES_WITHIN - DAY
    Shipment.objects.filter(order=order).update(shipped_at=left, heard_at=left)
    return bought_orders().get(pk=order.pk)


def given_to(world: World, stars: int = 2, words: str = "Slow.") -> Rating:
    order = arrived(world)
    return rate(order=order, buyer=order.buyer, stars=stars, words=words, now=world.later())


def counted(world: World) -> tuple[int, int]:
    """The sum as it is kept; it is as if the rows were counted anew."""
    row = RatingSum.objects.filter(pk=world.seller.pk).first()
    kept = (row.ratings, row.stars) if row else (0, 0)
    real = Rating.objects.filter(seller=world.seller, down_at=None).aggregate(n=Count("pk"), s=Sum("stars"))
    assert kept == (real["n"], real["s"] or 0)
    return kept


class TestWhen:
    @given(st.integers(0, 400), st.none() | st.integers(0, 30), st.integers(0, 10_000))
    def test_from_its_arrival_for_ninety_days(self, left: int, delivered: int | None, hours: int) -> None:
        sale = Sale(
            country="DE",
            private=False,
            over=False,
            left_at=NOON - left * DAY,
            delivered_at=None if delivered is None else NOON - left * DAY + delivered * DAY,
        )
        first = NOON - left * DAY + (ARRIVES_WITHIN if delivered is None else delivered * DAY)
        now = NOON - left * DAY + timedelta(hours=hours)
        assert opens(sale) == first
        assert bool(why_not_rate(sale, now)) is not (first <= now < first + OPEN_FOR)

    def test_nothing_that_was_not_shipped(self) -> None:
        assert "nothing to rate" in why_not_rate(Sale(country="DE", private=True, over=True), NOON)

    def test_a_half_is_rounded_up(self) -> None:
        assert [str(Rated(n, stars).average) for n, stars in ((0, 0), (3, 14), (4, 17), (20, 93))] == [
            "None",
            "4.7",
            "4.3",
            "4.7",
        ]


class TestRated:
    def test_twice_it_is_one_and_a_change_counts_once(self, world: World) -> None:
        order = arrived(world)
        for _ in range(2):
            rate(order=order, buyer=order.buyer, stars=2, words=" Slow. ", now=world.later())
        assert counted(world) == (1, 2)
        row = rate(order=order, buyer=order.buyer, stars=5, words="Came after all.", now=world.later())
        assert counted(world) == (1, 5) and row.changed_at and Rating.objects.count() == 1
        (mail,) = Mail.objects.filter(cause__startswith="rated:")
        assert mail.to == world.seller.owner.email and "Slow." in mail.body
        assert order.buyer.email not in mail.body

    @pytest.mark.parametrize(("stars", "words"), [(0, ""), (6, ""), (None, ""), (3, "x" * (LONGEST + 1))])
    def test_what_is_none_is_said(self, world: World, stars: int | None, words: str) -> None:
        order = arrived(world)
        with pytest.raises(Invalid):
            rate(order=order, buyer=order.buyer, stars=stars, words=words, now=world.later())
        assert counted(world) == (0, 0)

    def test_not_before_it_arrived_and_by_nobody_else(self, world: World) -> None:
        order = shipped(world, 1)
        with pytest.raises(NotAllowed, match="You can rate the seller when it has arrived, or from "):
            rate(order=order, buyer=order.buyer, stars=5, words="", now=world.later())
        with pytest.raises(NotAllowed, match="not yours"):
            rate(order=order, buyer=world.seller.owner, stars=5, words="", now=world.later())
        assert counted(world) == (0, 0)

    def test_taken_back_it_never_was(self, world: World) -> None:
        row = given_to(world)
        for _ in range(2):
            take_back(order=row.order, buyer=row.order.buyer, now=world.later())
        assert counted(world) == (0, 0) and not Rating.objects.exists()
        with pytest.raises(Stale, match="took this rating back"):
            answer(rating=row, actor=world.seller.owner, words="Sorry.", now=world.later())


class TestAnswered:
    def test_by_its_seller_alone_and_the_buyer_is_mailed_once(self, world: World) -> None:
        row = given_to(world)
        with pytest.raises(NotAllowed):
            answer(rating=row, actor=seller("Other").owner, words="Ha.", now=world.later())
        for words in ("Sorry.", "Sorry!", "Sorry!"):
            answer(rating=row, actor=world.seller.owner, words=words, now=world.later())
        assert Rating.objects.get().answer == "Sorry!"
        (mail,) = Mail.objects.filter(cause__startswith="rating_answered:")
        assert mail.to == row.order.buyer.email and "Sorry." in mail.body
        answer(rating=row, actor=world.seller.owner, words=" ", now=world.later())
        assert (Rating.objects.get().answer, Rating.objects.get().answered_at) == ("", None)


class TestLookedAt:
    def test_taken_down_it_counts_for_nothing_and_cannot_be_changed(self, world: World) -> None:
        row, risk = given_to(world), user(is_staff=True, roles="risk")
        report(rating=row, reporter=world.seller.owner, why=TERMS, now=world.later())
        report(rating=row, reporter=user(), why="Me too.", now=world.later())
        assert Rating.objects.get().report == TERMS
        decide(rating=row, down=True, words="No names of others.", actor=risk, now=world.later())
        assert counted(world) == (0, 0)
        with pytest.raises(Stale, match="taken down meanwhile"):
            decide(rating=row, down=True, words="Again.", actor=risk, now=world.later())
        assert counted(world) == (0, 0)
        for deed in (
            lambda: take_back(order=row.order, buyer=row.order.buyer, now=world.later()),
            lambda: rate(order=row.order, buyer=row.order.buyer, stars=1, words="", now=world.later()),
            lambda: answer(rating=row, actor=world.seller.owner, words="!", now=world.later()),
        ):
            with pytest.raises(NotAllowed, match="took this rating down"):
                deed()
        told = dict(Mail.objects.filter(cause__startswith="rating_").values_list("to", "body"))
        assert set(told) == {row.order.buyer.email, world.seller.owner.email}
        assert all("No names of others." in body for body in told.values())
        decide(rating=row, down=False, words="We were wrong.", actor=risk, now=world.later())
        assert counted(world) == (1, 2)
        assert list(
            AuditEntry.objects.filter(action__startswith="rating").order_by("pk").values_list("action", flat=True)
        ) == [
            "rating taken down",
            "rating put back",
        ]

    def test_a_report_is_dismissed_once_and_nobody_decides_about_their_own(self, world: World) -> None:
        row, risk = given_to(world), user(is_staff=True, roles="risk")
        with pytest.raises(Stale):
            decide(rating=row, down=False, words="Fine.", actor=risk, now=world.later())
        report(rating=row, reporter=world.seller.owner, why=TERMS, now=world.later())
        for own in (world.seller.owner, row.order.buyer):
            own.is_staff, own.roles = True, "admin"
            own.save()
            with pytest.raises(NotAllowed, match="of your own"):
                decide(rating=Rating.objects.get(), down=True, words="Mine.", actor=own, now=world.later())
        with pytest.raises(NotAllowed, match="may read reports of listings"):
            decide(rating=row, down=True, words="x", actor=user(is_staff=True, roles="finance"), now=world.later())
        decide(rating=row, down=False, words="A bad day is no breach.", actor=risk, now=world.later())
        kept = Rating.objects.get()
        assert kept.reported_at is None and kept.down_at is None and counted(world) == (1, 2)


@pytest.mark.django_db(transaction=True)
def test_who_reported_it_a_moment_before_is_told_what_was_decided(world: World) -> None:
    row, risk, reporter = given_to(world), user(is_staff=True, roles="risk"), user()
    meanwhile(
        lambda: report(rating=row, reporter=reporter, why=TERMS, now=world.now),
        lambda: decide(rating=row, down=True, words="It does.", actor=risk, now=world.now),
    )
    assert Rating.objects.get().down_at is not None and Mail.objects.filter(to=reporter.email).count() == 1


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deeds=st.lists(st.sampled_from(["1", "4", "5", "back", "down", "up", "report", "answer"]), max_size=12))
def test_the_sum_is_true_after_every_deed(world: World, deeds: list[str]) -> None:
    Rating.objects.all().delete()
    RatingSum.objects.all().delete()
    risk = user(is_staff=True, roles="risk")
    order = bought_orders().filter(seller=world.seller).first() or arrived(world)
    for deed in deeds:
        row, now = Rating.objects.filter(order=order).first(), world.later()
        try:
            if deed.isdigit():
                rate(order=order, buyer=order.buyer, stars=int(deed), words="", now=now)
            elif deed == "back":
                take_back(order=order, buyer=order.buyer, now=now)
            elif row is not None and deed in ("down", "up"):
                decide(rating=row, down=deed == "down", words="So.", actor=risk, now=now)
            elif row is not None and deed == "report":
                report(rating=row, reporter=world.seller.owner, why=TERMS, now=now)
            elif row is not None:
                answer(rating=row, actor=world.seller.owner, words="Thanks.", now=now)
        except (NotAllowed, Stale):
            pass
        order = bought_orders().get(pk=order.pk)
        counted(world)


def text(client: Client, url: str, **form: str) -> str:
    answered = client.post(url, form, follow=True) if form else client.get(url, follow=True)
    return unescape(answered.content.decode())


def test_through_the_pages_on_all_sides(world: World) -> None:
    order = arrived(world)
    mine, theirs, staff = client_of(order.buyer), client_of(world.seller.owner), client_of(user(is_superuser=False))
    at, shown = f"/orders/{order.public_id}/rating/", f"/s/{world.seller.slug}/ratings/"
    assert "Rate the seller" in text(mine, f"/orders/{order.public_id}/")
    assert "No ratings yet" in text(Client(), shown)
    page = mine.post(at, {"words": "<b>Slow</b>, but fine."})
    assert page.status_code == 422 and "Choose how it was" in page.content.decode()
    assert "&lt;b&gt;Slow" in page.content.decode()
    assert "Thank you." in text(mine, at, stars="4", words="<b>Slow</b>, but fine.")
    row = Rating.objects.get()
    page = Client().get(shown).content.decode()
    assert "&lt;b&gt;Slow" in page and "4.0 of 5" in page and order.buyer.email not in page
    assert str(order.number) not in page
    listing = world.variant.listing
    assert "4.0 of 5 from 1 rating" in text(Client(), f"/l/{listing.public_id}/")
    assert "4.0 of 5 from 1 rating" in text(Client(), f"/s/{world.seller.slug}/")
    assert "<b>Slow" in text(theirs, "/seller/ratings/")
    assert "stands beside" in text(theirs, f"/seller/ratings/{row.public_id}/", deed="answer", words="Sorry for that.")
    assert "Sorry for that." in text(Client(), shown) and "Sorry for that." in text(mine, at)
    assert "No rating waits" in text(theirs, "/seller/ratings/")
    assert "look at it" in text(theirs, f"/seller/ratings/{row.public_id}/", deed="report", words=TERMS)
    assert (
        text(staff, "/staff/ratings/").startswith("<!doctype html>") and staff.get("/staff/ratings/").status_code == 404
    )
    assert "Your rating is gone." in text(mine, at, deed="take_back")
    assert "No ratings yet" in text(Client(), shown)


def test_anybody_signed_in_reports_one_from_the_page(world: World) -> None:
    row = given_to(world)
    at = f"/s/{world.seller.slug}/ratings/{row.public_id}/report/"
    assert Client().get(at).status_code == 302
    client = client_of(user())
    assert client.post(at, {"why": ""}).status_code == 422
    assert "Our staff look at it" in text(client, at, why=TERMS)
    assert Rating.objects.get().report == TERMS
    Rating.objects.update(down_at=world.later())
    assert client.get(at).status_code == 404 and "Slow." not in text(Client(), f"/s/{world.seller.slug}/ratings/")


def test_many_are_read_in_pages(world: World) -> None:
    order = arrived(world)
    others = [world.buy() for _ in range(22)]
    Rating.objects.bulk_create(
        Rating(order=each, seller=world.seller, stars=3, words=f"No. {n}.", at=world.now)
        for n, each in enumerate([order, *others])
    )
    first = text(Client(), f"/s/{world.seller.slug}/ratings/")
    assert "No. 22." in first and "No. 2." not in first
    second = text(Client(), f"/s/{world.seller.slug}/ratings/?after={Rating.objects.order_by('-pk')[19].pk}")
    assert "No. 2." in second and "No. 22." not in second


class TestTimes:
    @pytest.mark.parametrize("said", [-400 * DAY, 400 * DAY])
    def test_no_word_of_the_seller_shuts_the_time_to_rate_them(self, world: World, said: timedelta) -> None:
        """A shop tells the day on which a parcel left as it likes; the time counts from when we heard of it."""
        order = shipped(world, 1)
        Order.objects.filter(pk=order.pk).update(placed_at=world.now - 500 * DAY)
        Shipment.objects.filter(order=order).update(shipped_at=world.now + said, heard_at=world.now)
        order = bought_orders().get(pk=order.pk)
        assert "You can rate" in why_not_rate_order(order, now=world.now + DAY)
        assert why_not_rate_order(order, now=world.now + ARRIVES_WITHIN + DAY) == ""
        assert "ended" in why_not_rate_order(order, now=world.now + ARRIVES_WITHIN + OPEN_FOR + DAY)


class TestErased:
    def test_what_is_answered_or_decided_after_its_buyer_left_is_mailed_to_nobody(self, world: World) -> None:
        row = given_to(world)
        User.objects.filter(pk=row.order.buyer_id).update(email=f"erased-{row.order.buyer_id}@erased.invalid")
        answer(rating=row, actor=world.seller.owner, words="We are sorry.", now=world.later())
        staff = user(is_staff=True, roles="support")
        decide(rating=row, down=True, words=TERMS, actor=staff, now=world.later())
        assert Rating.objects.get().answer and not Mail.objects.filter(to__endswith="erased.invalid").exists()


class TestHidden:
    def test_a_rating_of_a_seller_who_may_not_sell_is_not_shown_to_be_reported(self, world: World) -> None:
        row = given_to(world, words="They keep a fox.")
        path = f"/s/{world.seller.slug}/ratings/{row.public_id}/report/"
        client = client_of(user())
        assert "keep a fox" in client.get(path).content.decode()
        Seller.objects.filter(pk=world.seller.pk).update(barred=Bar.SUSPENDED)
        answer = client.get(path)
        assert answer.status_code == 404 and "keep a fox" not in answer.content.decode()
