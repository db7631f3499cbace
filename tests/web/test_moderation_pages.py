"""Reporting, taking down and appealing as people do it: by the pages, without a script."""

import re
from datetime import UTC, datetime

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crossdock.domain.moderation.takedowns import Ground
from crossdock.store.models import Listing, ListingReport, Mail, Variant
from crossdock.usecases.catalogue.moderation.deciding import take_down
from crossdock.usecases.catalogue.moderation.queries import waiting
from market import user
from shopper import Shopper, a_listing, a_seller, of

pytestmark = pytest.mark.django_db
REPORT = {"reason": "fake", "words": "The hologram on the picture is printed.", "faith": "on"}
GUEST = {**REPORT, "name": "Gus", "email": "gus@example.test"}


@pytest.fixture(autouse=True)
def _nobody_tried_before() -> None:
    cache.clear()


@pytest.fixture
def card() -> Variant:
    return a_listing(a_seller(), "Ember Fox", count=5)


def clerk() -> Shopper:
    made = Shopper(signed_in=False)
    made.client.force_login(user(is_staff=True))
    return made


def down(card: Variant, *, until_changed: bool = False) -> None:
    take_down(
        listing=card.listing,
        ground=Ground.FAKE,
        words="Printed.",
        until_changed=until_changed,
        actor=user(is_staff=True),
        now=datetime.now(UTC),
    )


class TestReporting:
    def test_a_guest_reports_from_the_listing_and_a_double_click_is_one_report(self, card: Variant) -> None:
        guest = Shopper(signed_in=False)
        guest.get(of(card.listing))
        (link,) = re.findall(r'href="(/l/[^"]+/report/)"', guest.page)
        assert guest.get(link) == 200 and "E-mail address" in guest.page
        for _ in range(2):
            guest.post(link, **GUEST)
        made = ListingReport.objects.get()
        assert guest.url == of(card.listing) and f"has the number {made.public_id}" in guest.page
        assert Mail.objects.get().to == "gus@example.test"

    def test_what_is_missing_is_said_and_nothing_typed_is_lost(self, card: Variant) -> None:
        guest = Shopper(signed_in=False)
        link = f"{of(card.listing)}report/"
        for lacks, sentence in (
            ({"email": ""}, "Type your name and your e-mail address"),
            ({"words": "Fake."}, "Say what is wrong and why"),
            ({"reason": "owl"}, "Select a valid choice"),
            ({"email": "gus@"}, "Enter a valid email address"),
        ):
            assert guest.post(link, **{**GUEST, **lacks}) == 422
            assert sentence in guest.page and f">{lacks.get('words', GUEST['words'])}</textarea>" in guest.page.replace(
                "\n", ""
            )
        without_faith = {name: value for name, value in GUEST.items() if name != "faith"}
        assert guest.post(link, **without_faith) == 422 and "Confirm this" in guest.page
        assert not ListingReport.objects.exists()

    def test_signed_in_the_account_reports_and_no_other_address_is_asked(self, card: Variant) -> None:
        zoe = Shopper()
        zoe.get(f"{of(card.listing)}report/")
        assert "You report as zoe@example.test" in zoe.page and 'name="email"' not in zoe.page
        zoe.post(f"{of(card.listing)}report/", **REPORT, name="Zoë", email="victim@example.test")
        made = ListingReport.objects.get()
        assert (made.email, made.reporter) == ("zoe@example.test", zoe.user)

    def test_too_many_from_one_place_have_to_wait(self, card: Variant) -> None:
        guest = Shopper(signed_in=False)
        answers = [
            guest.post(f"{of(card.listing)}report/", **{**GUEST, "email": f"g{number}@example.test"})
            for number in range(12)
        ]
        assert answers[:10] == [200] * 10 and answers[11] == 429 and "Try again in" in guest.page
        assert ListingReport.objects.count() == answers.count(200)

    def test_what_is_down_is_not_shown_and_its_page_says_so(self, card: Variant) -> None:
        down(card)
        visitor = Shopper(signed_in=False)
        for page in (of(card.listing), f"{of(card.listing)}report/"):
            assert visitor.get(page) == 410 and "This listing was taken down" in visitor.page
            assert "Ember Fox" not in visitor.page and "noindex" in visitor.page
        assert visitor.get(f"{of(card.listing)}offer/") in (200, 404)
        assert "Ember Fox" not in visitor.page

    def test_a_cart_says_it_and_checkout_refuses(self, card: Variant) -> None:
        zoe = Shopper()
        form = zoe.to_payment(card)
        down(card)
        zoe.get("/cart/")
        assert "The marketplace took this item down" in zoe.page
        zoe.post("/checkout/pay/", **form, card="4242424242424242")
        assert "The marketplace took this item down" in zoe.page
        other = Shopper("sam@example.test")
        other.add(card)
        assert "The marketplace took this item down" in other.page


class TestStaff:
    def test_from_the_queue_to_the_take_down_and_the_sellers_appeal_and_back(self, card: Variant) -> None:
        Shopper(signed_in=False).post(f"{of(card.listing)}report/", **GUEST)
        first, second = clerk(), clerk()
        first.get("/staff/")
        assert "Listings to look at" in first.page
        first.get("/staff/moderation/")
        assert "Ember Fox" in first.page
        at = f"/staff/moderation/{card.listing.public_id}/"
        first.get(at)
        assert "The hologram on the picture is printed." in first.page and "gus@example.test" in first.page
        assert first.post(at, deed="take_down", words="Printed.") == 422
        assert "Choose the ground" in first.page and ">Printed.</textarea>" in first.page
        first.post(at, deed="take_down", ground="fake", words="Printed.")
        assert "for sale nowhere" in first.page
        assert second.post(at, deed="take_down", ground="fake", words="Mine.") == 422 and "already" in second.page
        assert second.post(at, deed="dismiss", words="Fine.") == 422 and "taken down meanwhile" in second.page
        seller = Shopper(card.listing.seller.owner.email)
        seller.get("/seller/alerts/")
        (appeal,) = re.findall(r'href="(/seller/listings/[^"]+/appeal/)"', seller.page)
        seller.get(appeal)
        assert "trade mark" in seller.page and "gus@example.test" not in seller.page
        assert seller.post(appeal, deed="appealed", words=" ") == 422
        seller.post(appeal, deed="appealed", words="It is real.")
        assert "Another person" in seller.page and "You asked staff to decide again" in seller.page
        first.get(at)
        assert "You took it down, so somebody else" in first.page
        assert first.post(at, deed="put_back", words="?") == 422
        second.get("/staff/moderation/?which=asked")
        assert "Ember Fox" in second.page
        second.post(at, deed="put_back", words="It is real indeed.")
        assert "Put back" in second.page and waiting() == 0
        assert Shopper(signed_in=False).get(of(card.listing)) == 200
        seller.get(f"/seller/listings/{card.listing.public_id}/")
        assert "It is real indeed." in seller.page and "Live" in seller.page
        # In a tab that was open all the time.
        assert seller.get(appeal) == 200 and seller.url == f"/seller/listings/{card.listing.public_id}/"

    def test_a_report_that_came_meanwhile_is_read_before_all_are_dismissed(self, card: Variant) -> None:
        link, staff = f"{of(card.listing)}report/", clerk()
        Shopper(signed_in=False).post(link, **GUEST)
        at = f"/staff/moderation/{card.listing.public_id}/"
        staff.get(at)
        (seen,) = re.findall(r'name="seen" value="([^"]+)"', staff.page)
        Shopper(signed_in=False).post(link, **{**GUEST, "email": "other@example.test"})
        assert staff.post(at, deed="dismiss", words="Fine.", seen=seen) == 422
        assert "reported once more" in staff.page and ">Fine.</textarea>" in staff.page
        (seen,) = re.findall(r'name="seen" value="([^"]+)"', staff.page)
        staff.post(at, deed="dismiss", words="Fine.", seen=seen)
        assert "Dismissed." in staff.page and waiting() == 0

    def test_who_decides_an_appeal_sees_all_of_what_buyers_cannot_see_any_more(self, card: Variant) -> None:
        pictures = [f"https://shop.example/{number}.jpg" for number in range(12)]
        words = " ".join(f"word{number}" for number in range(300))
        Listing.objects.filter(pk=card.listing_id).update(images=pictures, description=words)
        down(card)
        staff = clerk()
        staff.get(f"/staff/moderation/{card.listing.public_id}/")
        assert "word299" in staff.page and all(f'href="{picture}"' in staff.page for picture in pictures)

    def test_every_listing_is_found_and_pages_go_on_by_key(
        self, card: Variant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("crossdock.web.staff.panel.page_of.__kwdefaults__", {"size": 2})
        for number in range(3):
            a_listing(card.listing.seller, f"Ember Owl {number}", count=1)
        staff = clerk()
        staff.get("/staff/moderation/find/?q=ember")
        assert staff.page.count("/staff/moderation/") >= 2 and "Ember Owl 2" in staff.page
        assert "Ember Fox" not in staff.page
        (after,) = re.findall(r"after=(\d+)", staff.page)
        staff.get(f"/staff/moderation/find/?q=ember&after={after}")
        assert "Ember Fox" in staff.page and "Ember Owl 2" not in staff.page
        staff.get("/staff/moderation/find/?q=nothing")
        assert "Nothing found" in staff.page

    def test_the_queue_costs_the_same_however_many_wait(self, card: Variant) -> None:
        staff, asked = clerk(), []
        for number in range(3):
            if number:
                other = a_listing(card.listing.seller, f"Owl {number}", count=1).listing
                Shopper(signed_in=False).post(f"{of(other)}report/", **GUEST)
            with CaptureQueriesContext(connection) as caught:
                staff.get("/staff/moderation/")
            asked.append(len(caught))
        assert asked[1] == asked[2] and asked[2] <= asked[0] + 1

    def test_a_page_of_one_costs_the_same_however_many_reports(self, card: Variant) -> None:
        staff, asked, at = clerk(), [], f"/staff/moderation/{card.listing.public_id}/"
        for number in range(3):
            Shopper(signed_in=False).post(f"{of(card.listing)}report/", **{**GUEST, "email": f"g{number}@example.test"})
            with CaptureQueriesContext(connection) as caught:
                staff.get(at)
            asked.append(len(caught))
        assert asked[0] == asked[1] == asked[2]


def test_who_acts_as_a_seller_does_not_appeal_for_them(card: Variant) -> None:
    down(card)
    staff = clerk()
    staff.post(f"/staff/sellers/{card.listing.seller.public_id}/act/", reason="They asked me to.")
    at = f"/seller/listings/{card.listing.public_id}/appeal/"
    assert staff.client.post(at, {"deed": "appealed", "words": "Real."}).status_code == 403
    assert Listing.objects.get(pk=card.listing_id).reviews.get().state == "down"


def test_changed_is_asked_of_a_listing_that_is_down_until_then(card: Variant) -> None:
    down(card, until_changed=True)
    seller = Shopper(card.listing.seller.owner.email)
    at = f"/seller/listings/{card.listing.public_id}/appeal/"
    seller.get(at)
    assert "I changed it: look again" in seller.page
    seller.post(at, deed="changed", words="It says “copy” now.")
    assert "Staff look at the listing as it is now" in seller.page and waiting() == 1


class TestSuspendedSales:
    def test_staff_suspend_on_the_seller_s_page_and_old_tabs_sell_nothing(self, card: Variant) -> None:
        staff, buyer, seller = clerk(), Shopper(), Shopper(signed_in=False)
        seller.client.force_login(card.listing.seller.owner)
        page = f"/staff/sellers/{card.listing.seller.public_id}/"
        buyer.get(of(card.listing))
        assert staff.get(page) == 200 and "Suspend sales" in staff.page
        assert staff.post(f"{page}sales/", deed="suspend", why=" ") == 200 and "Say why" in staff.page
        for _ in range(2):
            staff.post(f"{page}sales/", deed="suspend", why="Nothing came.\nFive wrote.")
        assert "Sales are suspended" in staff.page and "Nothing came.<br>Five wrote." in staff.page
        assert Mail.objects.filter(subject="Your sales are suspended").count() == 1
        staff.get("/staff/sellers/")
        assert ">Suspended</" in staff.page
        # The tab that was open before.
        buyer.post("/cart/add/", variant=card.public_id, quantity="1")
        assert "stopped the sales of this seller" in buyer.page
        for path in (of(card.listing), f"/s/{card.listing.seller.slug}/", f"{of(card.listing)}report/"):
            assert buyer.get(path) == 404 and "Not sold now" in buyer.page, path
        assert buyer.get("/") == 200 and "Ember Fox" not in buyer.page
        assert seller.get("/seller/") == 200 and "Five wrote." in seller.page and "Write to staff" in seller.page
        assert seller.get(of(card.listing)) == 200, "they see what it will be"
        staff.post(f"{page}sales/", deed="resume", why="It came.")
        assert "Suspend sales" in staff.page and buyer.get(of(card.listing)) == 200
        assert seller.get("/seller/") == 200 and "Five wrote." not in seller.page
