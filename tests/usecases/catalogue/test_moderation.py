"""A listing is reported, taken down, appealed and put back: it is nowhere while it is down, whatever its seller, their
shop or a second tab does; and who took it down does not decide the appeal.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest
from tests.usecases.catalogue.test_duplicates import Second
from tests.usecases.catalogue.test_import_writes import lately

from crossdock.domain.events import ProductGone, ShopProduct, ShopVariant
from crossdock.domain.moderation.reports import MOST_A_DAY, Reason
from crossdock.domain.moderation.takedowns import APPEAL_FOR, Deed, Ground
from crossdock.domain.values import Money
from crossdock.store.models import (
    Alert,
    AuditEntry,
    Duplicate,
    Listing,
    ListingReport,
    ListingReview,
    Mail,
    Order,
    PaymentIntent,
    User,
)
from crossdock.store.models.catalogue import ListingState
from crossdock.store.models.money import IntentState
from crossdock.usecases.catalogue import import_products, linking
from crossdock.usecases.catalogue.crawled import Kind, part
from crossdock.usecases.catalogue.finding import Wanted, find
from crossdock.usecases.catalogue.listings import archive_listing, leave_out, live, make_listing, relist, why_not_live
from crossdock.usecases.catalogue.moderation.deciding import ask, decide, dismiss, take_down
from crossdock.usecases.catalogue.moderation.queries import (
    down_of,
    listings_named,
    open_review_of,
    sellers_story,
    waiting,
)
from crossdock.usecases.catalogue.moderation.reporting import report
from crossdock.usecases.catalogue.sellable import why_not_sold
from crossdock.usecases.errors import Invalid, NotAllowed, Stale
from crossdock.usecases.stock import counts
from market import World, user

pytestmark = pytest.mark.django_db
WORDS = "It is a copy: the hologram on the second picture is printed."


def down(
    world: World, listing: Listing | None = None, *, until_changed: bool = False, actor: User | None = None
) -> ListingReview:
    return take_down(
        listing=listing or world.variant.listing,
        ground=Ground.FAKE,
        words="The hologram is printed.",
        until_changed=until_changed,
        actor=actor or user(is_staff=True),
        now=world.later(),
    )


def reported(
    world: World, email: str = "guest@example.test", *, reporter: User | None = None, reason: Reason = Reason.FAKE
) -> ListingReport:
    listing, now = world.variant.listing, world.later()
    return report(listing=listing, reason=reason, words=WORDS, name="Guest", email=email, reporter=reporter, now=now)


def dismissed(review: ListingReview, world: World, *, words: str = "?", actor: User) -> None:
    """By somebody who looked at all that there is."""
    review.refresh_from_db()
    dismiss(review=review, seen=review.reports_seen, words=words, actor=actor, now=world.later())


def state(world: World) -> str:
    return Listing.objects.values_list("state", flat=True).get(pk=world.variant.listing_id)


def mails_to(email: str) -> list[str]:
    return list(Mail.objects.filter(to=email).order_by("pk").values_list("subject", flat=True))


class TestWhileItIsDown:
    def test_nobody_finds_or_buys_it_and_its_seller_reads_why(self) -> None:
        world = lately(5)
        before = world.buy()
        down(world)
        variant = world.variant
        variant.refresh_from_db()
        listing = Listing.objects.get(pk=variant.listing_id)
        assert not live().filter(pk=listing.pk).exists()
        assert find(wanted=Wanted("ember"), now=world.now, after="", limit=9).listings == []
        assert part(Kind.LISTINGS, listing.pk // 50_000) is None
        assert why_not_sold(variant) == "The marketplace took this item down, so nobody can buy it."
        with pytest.raises(Stale, match="The marketplace took this item down"):
            world.hold()
        assert "took it down" in why_not_live(listing=listing, now=world.now)[0]
        alert = Alert.objects.get(listing=listing, settled_at=None)
        assert "The hologram is printed." in alert.sentence
        (mail,) = Mail.objects.filter(to=world.seller.owner.email, subject__startswith="Your listing was taken down")
        for said in ("The hologram is printed.", "trade mark", "against the law", "nothing automatic", "appeal"):
            assert said in mail.body, said
        # What was ordered before goes on, and is asked of the shop.
        assert [claimed.subject for claimed in world.claim()] == [before.reference]
        assert AuditEntry.objects.filter(action="listing taken down").count() == 1

    def test_a_payment_on_its_way_goes_back_and_the_units_are_free(self) -> None:
        world = lately(5)
        intent = world.hold(2)
        down(world)
        with pytest.raises(Stale, match=r"The marketplace took “Ember Fox” down\. Your payment goes back"):
            world.pay(intent)
        assert not Order.objects.exists() and world.available == 5
        assert PaymentIntent.objects.get().state == IntentState.ABANDONED

    @pytest.mark.parametrize("deed", [archive_listing, relist, leave_out])
    def test_its_seller_cannot_move_it(self, deed: Callable[..., None]) -> None:
        world = lately(5)
        down(world)
        with pytest.raises(NotAllowed, match="took this listing down"):
            deed(listing=world.variant.listing, now=world.later())
        assert state(world) == ListingState.TAKEN_DOWN

    def test_its_shop_does_not_bring_it_back(self) -> None:
        world = lately(5)
        down(world)
        again = ShopProduct("p1", "Ember Fox II", (ShopVariant("v1", "FOX-1", "", Money(900, "USD"), 7),))
        for product in (again, ProductGone("p1"), again):
            import_products.receive_products(
                connection_id=world.shop.pk, products=[product], read_no=counts.draw_read_no(), now=world.later()
            )
        listing = Listing.objects.get(pk=world.variant.listing_id)
        assert (listing.state, listing.title) == (ListingState.TAKEN_DOWN, "Ember Fox II")
        assert not live().exists()

    def test_one_thing_in_two_shops_does_not_come_back_as_the_other_listing(self) -> None:
        world = lately(5)
        second = Second(world, 5)
        pair = Duplicate.objects.get()
        linking.decide_same(
            duplicate=pair, sold_as=world.variant.public_id, actor=world.seller.owner, now=world.later()
        )
        down(world)
        pair.refresh_from_db()
        with pytest.raises(NotAllowed, match="“Ember Fox” down, so nothing of it is sold by itself"):
            linking.undo(duplicate=pair, actor=world.seller.owner, now=world.later())
        assert second.variant.listing.state == ListingState.LEFT_OUT
        assert not live().exists()

    def test_a_thing_that_is_down_is_not_linked(self) -> None:
        world = lately(5)
        Second(world, 5)
        down(world)
        with pytest.raises(NotAllowed, match="nothing of it is linked"):
            linking.decide_same(
                duplicate=Duplicate.objects.get(),
                sold_as=world.variant.public_id,
                actor=world.seller.owner,
                now=world.later(),
            )

    def test_pressed_twice_and_in_two_tabs_it_is_taken_down_once(self) -> None:
        world, first, second = lately(5), user(is_staff=True), user(is_staff=True)
        review = down(world, actor=first)
        assert down(world, actor=first) == review == down(world, actor=second)
        assert (review.steps.count(), ListingReview.objects.get().decided_by) == (1, first)
        assert len(mails_to(world.seller.owner.email)) == 1


class TestItsSeller:
    def test_an_appeal_is_decided_by_somebody_else_and_it_comes_back_as_it_was(self) -> None:
        world, first, second = lately(5), user(is_staff=True), user(is_staff=True)
        leave_out(listing=world.variant.listing, now=world.later())
        review = down(world, actor=first)
        for _ in range(2):
            ask(review=review, deed=Deed.APPEALED, words="It is real.", actor=world.seller.owner, now=world.later())
        assert review.steps.filter(deed=Deed.APPEALED).count() == 1 == waiting()
        assert not Alert.objects.filter(settled_at=None).exists()
        with pytest.raises(NotAllowed, match="Somebody else of staff decides about the appeal"):
            decide(review=review, put_back=False, words="No.", actor=first, now=world.later())
        for _ in range(2):
            decide(review=review, put_back=True, words="You are right.", actor=second, now=world.later())
        assert state(world) == ListingState.LEFT_OUT and waiting() == 0
        assert [step.deed for step in sellers_story(world.variant.listing)] == ["put_back", "appealed", "taken_down"]
        assert [subject.split(":")[0] for subject in mails_to(world.seller.owner.email)] == [
            "Your listing was taken down",
            "We received your appeal",
            "Your listing is back",
        ]
        relist(listing=Listing.objects.get(pk=world.variant.listing_id), now=world.later())
        assert live().exists()

    def test_an_appeal_is_decided_once_and_what_is_changed_is_looked_at_by_anybody(self) -> None:
        world, first, second = lately(5), user(is_staff=True), user(is_staff=True)
        review, owner = down(world, actor=first, until_changed=True), world.seller.owner
        ask(review=review, deed=Deed.APPEALED, words="It is real.", actor=owner, now=world.later())
        decide(review=review, put_back=False, words="It is not.", actor=second, now=world.later())
        with pytest.raises(NotAllowed, match="Your appeal was decided"):
            ask(review=review, deed=Deed.APPEALED, words="It is!", actor=owner, now=world.later())
        ask(review=review, deed=Deed.CHANGED, words="Now it says “copy”.", actor=owner, now=world.later())
        decide(review=review, put_back=True, words="Thank you.", actor=first, now=world.later())
        assert state(world) == ListingState.LIVE
        assert mails_to(owner.email)[2].startswith("Your listing stays taken down")
        # It can be taken down anew, as a case of its own.
        assert down(world) != review and down_of(world.variant.listing) is not None

    def test_what_it_may_not_ask(self) -> None:
        world = lately(5)
        review, owner = down(world), world.seller.owner

        def asked(deed: Deed, words: str = "It is real.", actor: User = owner) -> None:
            ask(review=review, deed=deed, words=words, actor=actor, now=world.now)

        with pytest.raises(Invalid, match="Write what staff should know"):
            asked(Deed.APPEALED, " \n")
        with pytest.raises(NotAllowed, match="This shop is not yours"):
            asked(Deed.APPEALED, actor=user())
        with pytest.raises(NotAllowed, match="was not taken down until it is changed"):
            asked(Deed.CHANGED)
        world.now += APPEAL_FOR
        with pytest.raises(NotAllowed, match="The time to appeal is over"):
            asked(Deed.APPEALED)


class TestReports:
    def test_a_guest_gets_a_receipt_then_the_decision_and_the_seller_learns_nothing_of_them(self) -> None:
        world, staff = lately(5), user(is_staff=True)
        made = reported(world)
        assert reported(world, "GUEST@example.test") == made and waiting() == 1
        reported(world, reporter=user("zoe@example.test"))
        review = open_review_of(world.variant.listing)
        assert review is not None and review.reports == 2
        down(world, actor=staff)
        assert mails_to("guest@example.test") == [
            f"We received your report {made.public_id}",
            f"About your report {made.public_id}",
        ]
        assert len(mails_to("zoe@example.test")) == 2
        for mail in Mail.objects.filter(to=world.seller.owner.email):
            assert "guest" not in mail.body.lower() and WORDS not in mail.body and "after reports" in mail.body
        with pytest.raises(NotAllowed, match="was taken down already"):
            reported(world, "late@example.test")

    def test_what_is_dismissed_says_why_and_may_be_reported_again(self) -> None:
        world, staff = lately(5), user(is_staff=True)
        first = reported(world)
        for _ in range(2):
            dismissed(first.review, world, words="It is a real one.", actor=staff)
        assert "It is a real one." in Mail.objects.get(cause=f"report:{first.public_id}:dismissed").body
        assert (state(world), waiting(), sellers_story(world.variant.listing).count()) == (ListingState.LIVE, 0, 0)
        assert reported(world).review != first.review
        down(world)
        with pytest.raises(Stale, match="taken down meanwhile"):
            dismissed(ListingReview.objects.latest("pk"), world, actor=staff)

    def test_what_came_after_the_page_was_opened_is_not_dismissed_unread(self) -> None:
        world, staff = lately(5), user(is_staff=True)
        seen = reported(world).review.reports_seen
        reported(world, "other@example.test")
        review = ListingReview.objects.get()
        with pytest.raises(Stale, match="reported once more"):
            dismiss(review=review, seen=seen, words="Fine.", actor=staff, now=world.later())
        # Nor as a new case, with as many reports as the old one had.
        dismissed(review, world, actor=staff)
        again = reported(world).review
        with pytest.raises(Stale, match="reported once more"):
            dismiss(review=again, seen=seen, words="Fine.", actor=staff, now=world.later())
        assert waiting() == 1

    def test_a_stranger_who_types_somebody_s_address_keeps_no_report_of_theirs_away(self) -> None:
        world, zoe = lately(5), user("zoe@example.test")
        strange = reported(world, zoe.email)
        others = [
            make_listing(
                seller=world.seller,
                title=f"Owl {number}",
                description="",
                price=Money(1, "USD"),
                count=1,
                now=world.now,
            )
            for number in range(MOST_A_DAY)
        ]
        for listing in others[1:]:
            report(
                listing=listing,
                reason=Reason.FAKE,
                words=WORDS,
                name="G",
                email=zoe.email,
                reporter=None,
                now=world.now,
            )
        own = reported(world, reporter=zoe)
        assert own != strange and (own.reporter, own.review.reports) == (zoe, 2)
        assert reported(world, reporter=zoe) == own
        down(world)
        assert mails_to(zoe.email).count(f"About your report {strange.public_id}") == 1

    def test_who_reported_does_not_decide_the_appeal(self) -> None:
        world, clerk = lately(5), user(is_staff=True)
        reported(world, reporter=clerk)
        review = down(world)
        ask(review=review, deed=Deed.APPEALED, words="Real.", actor=world.seller.owner, now=world.later())
        with pytest.raises(NotAllowed, match="You reported it"):
            decide(review=review, put_back=False, words="No.", actor=clerk, now=world.later())

    def test_what_cannot_be_taken_in(self) -> None:
        world = lately(5)
        with pytest.raises(Invalid, match="Type your name and your e-mail"):
            reported(world, "")
        with pytest.raises(NotAllowed, match="your own"):
            reported(world, reporter=world.seller.owner)
        assert reported(world, "", reason=Reason.CHILDREN).email == "" and not Mail.objects.exists()

    def test_one_address_does_not_flood(self) -> None:
        world = lately(5)
        for number in range(MOST_A_DAY):
            listing = make_listing(
                seller=world.seller,
                title=f"Owl {number}",
                description="",
                price=Money(1, "USD"),
                count=1,
                now=world.now,
            )
            report(
                listing=listing,
                reason=Reason.FAKE,
                words=WORDS,
                name="G",
                email="guest@example.test",
                reporter=None,
                now=world.now,
            )
        with pytest.raises(NotAllowed, match="Go on tomorrow"):
            reported(world)
        world.now += timedelta(days=1, minutes=1)
        assert reported(world).review.reports == 1


def test_only_who_has_the_right_decides_and_nobody_about_their_own() -> None:
    world = lately(5)
    with pytest.raises(NotAllowed, match="Only support and risk and admin may"):
        down(world, actor=user(is_staff=True, roles="finance"))
    with pytest.raises(NotAllowed, match="Only staff"):
        down(world, actor=world.seller.owner)
    owner = world.seller.owner
    owner.is_staff, owner.roles = True, "admin"
    owner.save()
    with pytest.raises(NotAllowed, match="your own"):
        down(world, actor=owner)
    assert state(world) == ListingState.LIVE


def test_staff_find_any_listing_by_words_sku_number_and_address() -> None:
    world = lately(5)
    listing = world.variant.listing
    Listing.objects.filter(pk=listing.pk).update(state=ListingState.ARCHIVED)
    for text in ("fox ember", "fox-1", listing.public_id, f"https://market.test/l/{listing.public_id}/?variant=x"):
        assert list(listings_named(text)) == [listing], text
    assert not listings_named("owl").exists() and not listings_named(" ").exists()
