"""A seller whose sales are suspended is found and sold nowhere, whatever is open in an old tab; what was ordered before
goes on; and nobody but staff with the right changes it.
"""

from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.db import connection
from tests.usecases.catalogue.test_import_writes import lately
from tests.web.staff.test_staff_panel import Desk

from crossdock.domain.offers import Deed, Who
from crossdock.domain.values import Money
from crossdock.store.models import (
    AuditEntry,
    Mail,
    Order,
    PaymentIntent,
    PayoutAccount,
    Seller,
    Suspension,
    User,
    Variant,
)
from crossdock.store.models.money import IntentState
from crossdock.usecases.accounts.queries import shops_called
from crossdock.usecases.accounts.suspending import restore, resume_seller, suspend, suspend_seller
from crossdock.usecases.catalogue.crawled import Kind, part
from crossdock.usecases.catalogue.finding import Wanted, find, held_back
from crossdock.usecases.catalogue.listings import live, make_listing, why_not_live
from crossdock.usecases.catalogue.offers import answer_offer, make_offer
from crossdock.usecases.catalogue.sellable import why_not_sold
from crossdock.usecases.checkout.basket import priced
from crossdock.usecases.errors import Invalid, NotAllowed, Stale
from crossdock.usecases.money.payouts import why_not_pay
from market import World, user

pytestmark = pytest.mark.django_db
WHY = "Five buyers wrote that nothing came."
HOUR = timedelta(hours=1).total_seconds()
STOPPED = "The marketplace has stopped the sales of this seller for now"


def clerk(roles: str = "support") -> User:
    return user(is_staff=True, roles=roles)


def stop(world: World, actor: User | None = None, why: str = WHY) -> bool:
    return suspend_seller(seller=world.seller, why=why, actor=actor or clerk(), now=world.later())


def go_on(world: World, actor: User | None = None) -> bool:
    return resume_seller(seller=world.seller, why="All of it came.", actor=actor or clerk(), now=world.later())


def variant_of(world: World) -> Variant:
    return Variant.objects.select_related("listing__seller", "listing__connection").get(pk=world.variant.pk)


def mails(world: World, subject: str) -> list[str]:
    return list(Mail.objects.filter(to=world.seller.owner.email, subject=subject).values_list("body", flat=True))


class TestWhileItHolds:
    def test_nothing_is_found_or_bought_and_what_was_ordered_goes_on(self) -> None:
        world = lately(5)
        before = world.buy()
        by_hand = make_listing(
            seller=world.seller,
            title="By hand",
            description="",
            price=Money(500, "USD"),
            count=3,
            now=world.later(),
        )
        assert live().count() == 2
        stop(world)
        assert not live().exists() and find(wanted=Wanted("ember"), now=world.now).listings == []
        assert (
            part(Kind.LISTINGS, by_hand.pk // 50_000) is None and part(Kind.SELLERS, world.seller.pk // 50_000) is None
        )
        assert not shops_called(world.seller.name).exists()
        variant = variant_of(world)
        assert why_not_sold(variant).startswith(STOPPED)
        assert "suspended" in why_not_live(listing=variant.listing, now=world.now)[0]
        with pytest.raises(Stale, match=STOPPED):
            world.hold()
        assert [claimed.subject for claimed in world.claim()] == [before.reference], "the order is asked of the shop"
        assert (Order.objects.count(), world.available) == (1, 4)
        # Another seller is not touched.
        other = lately(2)
        assert [row.seller_id for row in live()] == [other.seller.pk]

    def test_a_payment_on_its_way_goes_back_and_the_units_are_free(self) -> None:
        world = lately(5)
        intent = world.hold(2)
        stop(world)
        with pytest.raises(Stale, match=STOPPED):
            world.pay(intent)
        assert not Order.objects.exists() and world.available == 5
        assert PaymentIntent.objects.get().state == IntentState.ABANDONED

    def test_offers_are_neither_made_nor_accepted(self) -> None:
        world = lately(5)
        own = make_listing(
            seller=world.seller, title="Own", description="", price=Money(900, "USD"), count=2, now=world.now
        )
        variant = own.variants.get()
        terms: dict[str, Any] = {"quantity": 1, "amount": Money(500, "USD"), "manifest": None}
        open_one = make_offer(buyer=user(), variant=variant, now=world.now, **terms)
        agreed = make_offer(buyer=user(), variant=variant, now=world.now, **terms)
        accept: dict[str, Any] = {"who": Who.SELLER, "deed": Deed.ACCEPT, "seen": Money(500, "USD")}
        agreed = answer_offer(offer=agreed, now=world.now, **accept)
        stop(world)
        with pytest.raises(NotAllowed, match=STOPPED):
            make_offer(buyer=user(), variant=Variant.objects.get(pk=variant.pk), now=world.now, **terms)
        with pytest.raises(Stale, match=STOPPED):
            answer_offer(offer=open_one, now=world.now, **accept)
        (problem,) = priced(basket={"lines": {}, "offers": [agreed.public_id]}, country="US", now=world.now).problems
        assert STOPPED in problem, "what was agreed before is not sold either"

    def test_payouts_wait(self) -> None:
        world = lately(5)
        account = PayoutAccount.objects.create(
            seller=world.seller,
            currency="USD",
            provider="sandbox",
            ref="r",
            words="••1",
            changed_at=world.now,
            usable_from=world.now,
        )

        def why_not() -> str:
            fresh = PayoutAccount.objects.select_related("seller__owner").get(pk=account.pk)
            return why_not_pay(account=fresh, available=Money(500, "USD"), by_hand=True, now=world.later())

        assert why_not() == ""
        stop(world)
        assert why_not() == "Your sales are suspended; what is available stays until you sell again."
        go_on(world)
        assert why_not() == ""

    def test_a_saved_search_tells_of_it_when_they_sell_again(self) -> None:
        world = lately(5)
        stop(world)
        key = world.variant.listing_id
        held = held_back(wanted=Wanted("ember"), after=0, until=key, also=[], sellers=[world.seller.pk])
        assert held == [key]


class TestStaff:
    def test_pressed_twice_it_is_one_and_both_are_told_and_kept(self) -> None:
        world = lately(5)
        assert stop(world) and not stop(world, why="Something else.")
        assert Suspension.objects.get().why == WHY
        (body,) = mails(world, "Your sales are suspended")
        assert WHY in body and "/seller/cases/" in body
        assert go_on(world) and not go_on(world)
        assert len(mails(world, "You sell again")) == 1 and not Suspension.objects.exists()
        world.later(HOUR)
        assert world.buy() is not None
        deeds = AuditEntry.objects.filter(action__startswith="sales ").order_by("pk")
        assert [deed.action for deed in deeds] == ["sales suspended", "sales resumed"]
        assert deeds[0].detail["why"] == WHY

    def test_the_page_says_told_once_and_that_nothing_changed_afterwards(self) -> None:
        world, desk = lately(5), Desk(clerk())
        page = f"/staff/sellers/{world.seller.public_id}/"
        for deed, told, again in (
            ("suspend", "they are told why", "were suspended already: nothing changed, and nobody is told"),
            ("resume", "sells again, and is told", "sold already: nothing changed, and nobody is told"),
        ):
            desk.post(f"{page}sales/", deed=deed, why=WHY)
            assert told in desk.words and again not in desk.words
            desk.post(f"{page}sales/", deed=deed, why="Another word.")
            assert told not in desk.words and again in desk.words
        assert AuditEntry.objects.filter(action__startswith="sales ").count() == 2

    def test_neither_the_seller_nor_a_buyer_nor_who_has_no_right(self) -> None:
        world = lately(5)
        for who in (world.seller.owner, user(), clerk("operations")):
            with pytest.raises(NotAllowed):
                stop(world, who)
        with pytest.raises(Invalid, match="Say why"):
            stop(world, why=" ")
        assert not Suspension.objects.exists() and not Seller.objects.exclude(barred="").exists()
        stop(world)
        User.objects.filter(pk=world.seller.owner_id).update(is_staff=True, roles="support")
        with pytest.raises(NotAllowed, match="your own"):
            go_on(world, User.objects.get(pk=world.seller.owner_id))
        assert Seller.objects.get(pk=world.seller.pk).barred == "suspended"


class TestAClosedAccount:
    def test_it_sells_nothing_either_and_opens_with_the_account(self) -> None:
        world = lately(5)
        suspend(email=world.seller.owner.email, why="Complaints.", now=world.later())
        assert not live().exists()
        with pytest.raises(NotAllowed, match="Let them in again first"):
            go_on(world)
        restore(email=world.seller.owner.email, now=world.later())
        assert live().count() == 1 and not Suspension.objects.exists()

    def test_what_staff_suspended_before_stays_so(self) -> None:
        world = lately(5)
        stop(world)
        suspend(email=world.seller.owner.email, why="Complaints.", now=world.later())
        restore(email=world.seller.owner.email, now=world.later())
        assert not live().exists() and Suspension.objects.get().why == WHY
        assert go_on(world) and live().count() == 1

    def test_what_staff_suspend_while_it_is_closed_does_not_end_with_it(self) -> None:
        world, desk, email = lately(5), Desk(clerk()), lambda: world.seller.owner.email
        suspend(email=email(), why="Complaints.", now=world.later())
        page = f"/staff/sellers/{world.seller.public_id}/"
        desk.get(page)
        assert "until it is open again" in desk.words and 'value="suspend"' in desk.page
        desk.post(f"{page}sales/", deed="suspend", why=WHY)
        assert "they are told why" in desk.words and 'value="resume"' in desk.page
        row = Suspension.objects.get()
        assert (row.with_account, row.by, row.why) == (False, desk.who, WHY)
        (body,) = mails(world, "Your sales are suspended")
        assert WHY in body and AuditEntry.objects.filter(action="sales suspended").count() == 1
        assert not stop(world, why="Once more."), "it is staff's own already"
        restore(email=email(), now=world.later())
        assert not live().exists() and Suspension.objects.get().why == WHY
        assert go_on(world) and live().count() == 1

    def test_accounts_closed_before_sales_could_be_suspended_sell_nothing_after_the_upgrade(self) -> None:
        """As the migration finds them; run again it finds none."""
        closed, erased, stopped, other = (lately(5) for _ in range(4))
        User.objects.filter(pk=closed.seller.owner_id).update(is_active=False)
        User.objects.filter(pk=erased.seller.owner_id).update(is_active=False, email="erased-1@erased.invalid")
        stop(stopped)
        for _ in range(2):
            with connection.cursor() as cursor:
                cursor.execute(import_module("crossdock.store.migrations.0070_closed_accounts_sell_nothing").CLOSED)
        assert set(Suspension.objects.values_list("seller", "with_account")) == {
            (closed.seller.pk, True),
            (stopped.seller.pk, False),
        }
        assert {row.seller_id for row in live()} == {erased.seller.pk, other.seller.pk}
        restore(email=closed.seller.owner.email, now=closed.later())
        assert closed.seller.pk in {row.seller_id for row in live()}
