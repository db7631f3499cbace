"""The article's rules by id, at the level of the use-cases: what must happen, and what must not have happened."""

from dataclasses import replace

import pytest
from django.db import IntegrityError, connection, transaction

from crossdock.domain.capability import Answer, Capability, Evidence, EvidenceKind, Manifest, No, Pace, Way, Yes
from crossdock.domain.commands import CancelReason, Done, Refused, SignInAgain, Why
from crossdock.domain.events import (
    OrderLine,
    Parcel,
    ProductGone,
    Refund,
    ShopOrder,
    ShopOrderState,
    ShopProduct,
    ShopVariant,
)
from crossdock.domain.rules import BY_ID, RULES, Mode, view
from crossdock.domain.values import Money
from crossdock.store.models import (
    Alert,
    Command,
    Connection,
    Entry,
    Listing,
    Mail,
    Order,
    PolicySwitch,
    Reservation,
    ShopCopy,
    TimelineEntry,
    Transfer,
    VariantStock,
)
from crossdock.usecases.catalogue import import_products, listings
from crossdock.usecases.catalogue.finding import Wanted, find
from crossdock.usecases.errors import Invalid, NotAllowed, Stale
from crossdock.usecases.money import books
from crossdock.usecases.orders import actions, snapshots
from crossdock.usecases.orders.reject import preview, reject_order
from crossdock.usecases.parties import leases, root_causes
from crossdock.usecases.record import policy
from crossdock.usecases.shops import privacy
from crossdock.usecases.stock import counts
from market import World, seller, user
from market import connection as a_connection

pytestmark = pytest.mark.django_db


def manifest(**answers: Answer) -> Manifest:
    said: dict[Capability, Answer] = dict.fromkeys(Capability, Yes()) | {
        Capability.CANCEL_THERE_CANCELS_HERE: No("It does not.")
    }
    said |= {Capability(name): answer for name, answer in answers.items()}
    import datetime

    evidence = Evidence(EvidenceKind.DOCUMENTATION, "1", datetime.date(2026, 11, 23), "Made for tests.")
    return Manifest("toy", "Toy", "1", said, (Way("form", "Key", ()),), (evidence,), Pace(10, 10, 4))


def landed(world: World, quantity: int = 1) -> Order:
    """An order that stands in the shop, acknowledged with its stock taken."""
    order = world.buy(quantity)
    (create,) = world.claim()
    world.settle(create, world.create_there(order))
    return order


def copy_of(order: Order, **changes: object) -> ShopOrder:
    lines = tuple(
        OrderLine(f"l{line.pk}", line.shop_product_id, line.shop_variant_id, line.sku, line.quantity)
        for line in order.lines.all()
    )
    shown = ShopOrder("s1", "#s1", order.reference, ShopOrderState.OPEN, lines, order.total, stock_taken=True)
    return replace(shown, **changes)  # type: ignore[arg-type]


def see(world: World, *seen: ShopOrder, **answers: Answer) -> None:
    snapshots.receive_orders(connection_id=world.shop.pk, orders=seen, manifest=manifest(**answers), now=world.later())


def codes(order: Order) -> set[str]:
    return set(Alert.objects.filter(order=order, settled_at=None).values_list("code", flat=True))


def told(order: Order) -> list[str]:
    return list(TimelineEntry.objects.filter(order=order).values_list("kind", flat=True))


class TestS1:
    def test_the_asking_price_is_the_shop_s_as_last_read_and_a_change_asks_again(self) -> None:
        world = World()
        product = ShopProduct("p1", "Ember Fox", (ShopVariant("v1", "FOX-1", "", Money(1250, "USD"), 1),))
        from crossdock.usecases.checkout.basket import priced

        basket = {"lines": {world.variant.public_id: 1}}
        before = priced(basket=basket, country="US", now=world.now)  # type: ignore[arg-type]
        import_products.receive_products(
            connection_id=world.shop.pk, products=[product], read_no=counts.draw_read_no(), now=world.later()
        )
        after = priced(basket=basket, country="US", now=world.now)  # type: ignore[arg-type]
        assert (before.items, after.items) == (Money(1000, "USD"), Money(1250, "USD"))
        from crossdock.usecases.checkout.checkout import open_checkout
        from market import ADDRESS

        with pytest.raises(Stale, match="price changed"):
            open_checkout(
                buyer=user(),
                basket=basket,
                ship_to=ADDRESS,
                key="old-page-1",
                fingerprint=before.fingerprint,
                gateway="sandbox",
                now=world.now,
            )  # type: ignore[arg-type]
        assert not Reservation.objects.exists()

    def test_a_lift_says_why_a_platform_cannot_carry_it(self) -> None:
        rule = next(rule for rule in RULES if rule.id == "S1")
        shown = view(rule, manifest(order_at_our_price=No("Your shop takes no other price.")), lifted=True)
        assert not shown.lifted
        assert "Your shop takes no other price." in shown.sentence


class TestS3:
    def test_what_a_platform_cannot_is_not_promised_first(self) -> None:
        cannot = "Your shop lets no program cancel an order."
        shown = view(BY_ID["S3"], manifest(order_cancel=No(cannot)), lifted=False)
        assert shown.sentence.endswith(cannot)
        assert "in your shop is cancelled" not in shown.sentence

    def test_a_preview_promises_no_cancel_that_the_platform_cannot_make(self) -> None:
        world = World()
        order = landed(world)
        cannot = "Your shop lets no program cancel an order."
        able, unable = manifest(), manifest(order_cancel=No(cannot))
        assert "cancelled in your shop as well" in preview(order=order, now=world.now, manifest=able).shop_sentence
        shown = preview(order=order, now=world.now, manifest=unable)
        assert shown.shop_sentence.endswith(cannot)
        assert all("puts the units back" not in row.stock_sentence for row in shown.lines)

    def test_a_cancel_in_the_shop_changes_nothing_here_and_raises_the_alert(self) -> None:
        world = World()
        order = landed(world)
        see(world, copy_of(order, state=ShopOrderState.CANCELLED))
        order.refresh_from_db()
        assert (order.cancelled_at, order.money, codes(order)) == (None, "paid", {"cancelled_in_shop"})
        assert not Command.objects.filter(kind="refund_payment").exists()

    def test_the_one_button_rejects_and_finds_it_cancelled_there(self) -> None:
        world = World()
        order = landed(world)
        see(world, copy_of(order, state=ShopOrderState.CANCELLED))
        reject_order(
            order=order,
            reason=CancelReason.OTHER,
            actor=world.seller.owner,
            expected_total=order.total,
            now=world.later(),
        )
        assert not Command.objects.filter(kind="cancel_order").exists()
        assert codes(order) == set()
        world.units = 1
        world.read()
        assert world.available == 1

    def test_where_the_platform_may_it_cancels_here_and_credits_once(self) -> None:
        world = World()
        order = landed(world)
        for _ in range(2):
            see(world, copy_of(order, state=ShopOrderState.CANCELLED), cancel_there_cancels_here=Yes())
        order.refresh_from_db()
        assert (order.money, order.credited_minor) == ("credited", order.total_minor)
        assert Command.objects.filter(kind="refund_payment").count() == 1
        assert codes(order) == set()

    def test_lifted_any_platform_cancels_here(self) -> None:
        world = World()
        order = landed(world)
        policy.switch(rule="S3", lift=True, actor=user(is_staff=True), now=world.now)
        see(world, copy_of(order, state=ShopOrderState.CANCELLED))
        order.refresh_from_db()
        assert order.cancelled_at is not None

    def test_only_staff_switch_and_only_what_is_built(self) -> None:
        world = World()
        with pytest.raises(NotAllowed):
            policy.switch(rule="S3", lift=True, actor=user(), now=world.now)
        unbuilt = next(rule.id for rule in RULES if Mode.LIFTED not in rule.built)
        with pytest.raises(NotAllowed, match="not built"):
            policy.switch(rule=unbuilt, lift=True, actor=user(is_staff=True), now=world.now)
        assert not PolicySwitch.objects.exists()


class TestS4:
    def test_a_reject_before_sending_withdraws_and_releases_at_once(self) -> None:
        world = World()
        order = world.buy()
        reject_order(order=order, reason=CancelReason.OTHER, actor=None, expected_total=order.total, now=world.later())
        assert world.available == 1
        assert world.claim() == []
        assert ShopCopy.objects.get(order=order).state == "cancelled"

    def test_a_deleted_product_is_archived_and_comes_back(self) -> None:
        world = World()
        product = ShopProduct("p1", "Ember Fox", (ShopVariant("v1", "FOX-1", "", Money(1000, "USD"), 1),))

        def read(*seen: ShopProduct | ProductGone) -> None:
            import_products.receive_products(
                connection_id=world.shop.pk, products=seen, read_no=counts.draw_read_no(), now=world.later()
            )

        read(ProductGone("p1"))
        listing = Listing.objects.get()
        assert listing.gone_in_shop
        assert not find(wanted=Wanted(), now=world.now).listings
        assert any("deleted in your shop" in reason for reason in listings.why_not_live(listing=listing, now=world.now))
        read(product)
        assert [found.pk for found in find(wanted=Wanted(), now=world.now).listings] == [listing.pk]


class TestS5:
    def test_an_order_is_assessed_with_reasons_and_counts_its_signals(self) -> None:
        world = World()
        order = world.buy()
        order.refresh_from_db()
        assert order.risk in ("low", "medium", "high", "not_assessed")
        assert 0 < order.risk_available <= order.risk_asked
        assert {"code", "points", "sentence"} <= set(order.risk_reasons[0])


class TestS6:
    def test_create_in_shop_looks_first_and_says_why_it_was_missing(self) -> None:
        world = World()
        order = world.buy()
        (create,) = world.claim()
        world.settle(create, Refused(Why.INVALID, "The shop has no shipping method."))
        assert codes(order) == {"order_refused"}
        why = actions.create_in_shop(order=order, actor=world.seller.owner, now=world.later())
        assert why == "The shop has no shipping method."
        (again,) = world.claim("w2")
        assert again.look_first

    def test_an_order_that_stands_there_is_not_created_again(self) -> None:
        world = World()
        order = landed(world)
        with pytest.raises(NotAllowed, match="stands in your shop as #s1"):
            actions.create_in_shop(order=order, actor=world.seller.owner, now=world.later())
        assert world.claim("w2") == []

    def test_not_landed_by_the_deadline_is_told_once(self) -> None:
        world = World()
        order = world.buy()
        world.later(16 * 60)
        root_causes.late_copies(now=world.now)
        root_causes.late_copies(now=world.later())
        alert = Alert.objects.get(order=order, code="order_not_landed")
        assert alert.times == 1
        (create,) = world.claim()
        world.settle(create, world.create_there(order))
        assert codes(order) == set()

    def test_a_late_double_is_cancelled_and_told(self) -> None:
        world = World()
        order = landed(world)
        see(world, copy_of(order, shop_id="s2"))
        see(world, copy_of(order, shop_id="s2"))
        assert codes(order) == {"order_double"}
        (cancel,) = world.claim()
        assert cancel.payload["shop_order_id"] == "s2"
        world.settle(cancel, Done("s2"))
        assert ShopCopy.objects.get(order=order).cancelled_there is False


class TestS7:
    def test_tracking_comes_back_partial_several_and_changed(self) -> None:
        world = World(units=3)
        order = landed(world, 3)
        line = f"l{order.lines.get().pk}"
        one, two = Parcel("f1", ((line, 1),), "T1", "UPS"), Parcel("f2", ((line, 2),), "T2")
        see(world, copy_of(order, parcels=(one,)))
        order.refresh_from_db()
        assert order.parcels == "partly_shipped"
        for _ in range(3):  # doubled and late news
            see(world, copy_of(order, parcels=(replace(one, tracking_number="T1b"), two)))
        order.refresh_from_db()
        assert order.parcels == "shipped"
        assert sorted(order.shipments.values_list("tracking_number", flat=True)) == ["T1b", "T2"]
        assert order.lines.get().shipped == 3
        assert Mail.objects.filter(to=order.buyer.email, cause__startswith="shipped:").count() == 2
        assert Mail.objects.filter(cause__startswith="tracking:").count() == 1

    def test_without_a_number_it_is_shipped_and_the_seller_is_asked(self) -> None:
        world = World()
        order = landed(world)
        see(world, copy_of(order, parcels=(Parcel("f1", ()),)))
        assert codes(order) == {"tracking_missing"}
        see(world, copy_of(order, parcels=(Parcel("f1", (), "T9"),)))
        assert codes(order) == {"tracking_unknown"}, "no carrier has such numbers"
        see(world, copy_of(order, parcels=(Parcel("f1", (), "1Z999AA10123456784"),)))
        assert codes(order) == set()

    def test_the_question_for_a_number_is_settled_by_another_parcel_in_its_place(self) -> None:
        world = World(units=2)
        order = landed(world, 2)
        line = f"l{order.lines.get().pk}"
        see(world, copy_of(order, parcels=(Parcel("t1", ((line, 1),)),)))
        see(world, copy_of(order, parcels=(Parcel("t1", ((line, 1),)), Parcel("f3", ((line, 1),), "T1", "UPS"))))
        assert codes(order) == {"tracking_missing"}
        see(
            world,
            copy_of(order, parcels=(Parcel("f2", ((line, 1),), "T0", "UPS"), Parcel("f3", ((line, 1),), "T1", "UPS"))),
        )
        assert codes(order) == set()

    def test_a_shipment_taken_back_is_not_shipped(self) -> None:
        world = World()
        order = landed(world)
        see(world, copy_of(order, parcels=(Parcel("f1", (), "T1"),)))
        see(world, copy_of(order, parcels=(Parcel("f1", (), "T1", cancelled=True),)))
        order.refresh_from_db()
        assert (order.parcels, order.lines.get().shipped) == ("unshipped", 0)


class TestS8:
    def test_a_refund_in_the_shop_moves_no_money_here(self) -> None:
        world = World()
        order = landed(world)
        refund = Refund("r1", Money(300, "USD"))
        for _ in range(2):
            see(world, copy_of(order, refunds=(refund,)))
        order.refresh_from_db()
        assert (order.credited_minor, order.shop_refunds.count(), codes(order)) == (0, 1, {"refunded_in_shop"})
        assert not Command.objects.filter(kind="refund_payment").exists()

    def test_a_reject_credits_the_whole_order_once_and_the_books_balance(self) -> None:
        world = World()
        order = landed(world)
        shown = preview(order=order, now=world.now)
        assert (shown.allowed, shown.total) == (True, order.total)
        with pytest.raises(Stale):
            reject_order(
                order=order, reason=CancelReason.OTHER, actor=None, expected_total=Money(1, "USD"), now=world.later()
            )
        reject_order(order=order, reason=CancelReason.OTHER, actor=None, expected_total=order.total, now=world.later())
        with pytest.raises(NotAllowed, match="credited once"):
            reject_order(
                order=order, reason=CancelReason.OTHER, actor=None, expected_total=order.total, now=world.later()
            )
        assert Command.objects.filter(kind="refund_payment").count() == 1
        assert books.payout_of(order=order) == 0
        assert sum(Entry.objects.values_list("amount_minor", flat=True)) == 0

    def test_after_shipping_a_reject_is_refused_with_the_way_on(self) -> None:
        world = World()
        order = landed(world)
        actions.ship_by_hand(
            order=order, lines=None, tracking="T1", carrier="", actor=world.seller.owner, now=world.later()
        )
        order.refresh_from_db()
        assert "staff" in preview(order=order, now=world.now).why_not
        with pytest.raises(NotAllowed):
            reject_order(
                order=order, reason=CancelReason.OTHER, actor=None, expected_total=order.total, now=world.later()
            )


class TestBooks:
    def test_a_transfer_that_does_not_balance_is_refused_by_the_database(self) -> None:
        world = World()
        order = world.buy()
        with pytest.raises(IntegrityError, match="does not balance"), transaction.atomic():  # noqa: PT012 - the check comes at the end
            books.post(cause="crooked", order=order, sentence="", now=world.now, entries={"gateway": 5, "fees": -4})
            connection.check_constraints()

    def test_books_are_never_edited(self) -> None:
        world = World()
        world.buy()
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            Transfer.objects.update(sentence="something else")
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            Entry.objects.all().delete()


class TestTheShopAndItsSeller:
    def test_dead_credentials_stop_the_shop_and_say_so_once(self) -> None:
        world = World()
        world.buy()
        (create,) = world.claim()
        world.settle(create, SignInAgain("The key was revoked."))
        for _ in range(2):
            leases.sign_in_again(party_id=world.shop.party_id, sentence="The key was revoked.", now=world.later())
        shop = Connection.objects.get(pk=world.shop.pk)
        assert (shop.state, shop.state_sentence) == ("needs_reauth", "The key was revoked.")
        alert = Alert.objects.get(code="sign_in_again")
        assert alert.evidence == {"orders_waiting": 1}
        assert not find(wanted=Wanted(), now=world.now).listings
        assert world.shop.party_id not in leases.due_parties(now=world.later())

    def test_a_copy_that_differs_is_told_with_both_numbers(self) -> None:
        world = World(units=2)
        order = landed(world, 2)
        short = replace(copy_of(order).lines[0], quantity=1)
        see(world, copy_of(order, lines=(short,)))
        assert codes(order) == {"order_differs"}
        assert "2 here, 1 in the shop" in Alert.objects.get(code="order_differs").sentence
        see(world, copy_of(order))
        assert codes(order) == set()
        assert ShopCopy.objects.get(order=order).state == "equal"

    def test_orders_of_the_shop_s_own_are_none_of_our_business(self) -> None:
        world = World()
        order = landed(world)
        before = TimelineEntry.objects.count()
        see(world, copy_of(order, shop_id="s9", reference=""))
        assert TimelineEntry.objects.count() == before

    def test_privacy_requests_erase_the_address_once_shipped(self) -> None:
        world = World()
        order = landed(world)
        assert privacy.erase_buyer(connection_id=world.shop.pk, shop_order_ids=["s1"], now=world.later()) == 0
        see(world, copy_of(order, parcels=(Parcel("f1", (), "T1"),)))
        assert privacy.erase_buyer(connection_id=world.shop.pk, shop_order_ids=["s1"], now=world.later()) == 1
        order.refresh_from_db()
        assert (order.ship_to["name"], order.ship_to["line1"], order.ship_to["country"]) == ("Erased", "", "US")
        assert Command.objects.get(kind="create_order").payload == {}


class TestListingsByHand:
    def test_units_leave_when_they_are_shipped_and_come_back_on_a_reject(self) -> None:
        owner = seller()
        from market import ADDRESS

        world = World()
        listing = listings.make_listing(
            seller=owner, title="Old Dragon", description="", price=Money(5000, "USD"), count=2, now=world.now
        )
        variant = listing.variants.get()
        from crossdock.usecases.checkout import checkout
        from crossdock.usecases.checkout.basket import priced
        from crossdock.usecases.stock import reservations

        def buy(key: str) -> Order:
            basket = {"lines": {variant.public_id: 1}}
            shown = priced(basket=basket, country="US", now=world.now)  # type: ignore[arg-type]
            intent = checkout.open_checkout(
                buyer=user(),
                basket=basket,
                ship_to=ADDRESS,
                key=key,
                fingerprint=shown.fingerprint,
                gateway="sandbox",
                now=world.now,
            )  # type: ignore[arg-type]
            return checkout.place_order(intent_id=intent.public_id, gateway_ref="r", checks={}, now=world.later())

        left = lambda: reservations.availability(variants=[variant], now=world.now)[variant.pk]  # noqa: E731
        first, second = buy("by-hand-1"), buy("by-hand-2")
        assert left() == 0
        actions.ship_by_hand(
            order=first, lines=None, tracking="T", carrier="", actor=owner.owner, now=world.later(), key="k1"
        )
        actions.ship_by_hand(
            order=first, lines=None, tracking="T", carrier="", actor=owner.owner, now=world.later(), key="k1"
        )
        assert first.shipments.count() == 1
        reject_order(
            order=second, reason=CancelReason.BUYER_ASKED, actor=None, expected_total=second.total, now=world.later()
        )
        assert left() == 1
        assert VariantStock.objects.get(pk=variant.pk).count == 1
        assert not Command.objects.filter(kind__in=["create_order", "cancel_order"]).exists()

    def test_a_listing_of_a_shop_is_not_edited_here(self) -> None:
        world = World()
        with pytest.raises(NotAllowed):
            listings.edit_listing(
                listing=Listing.objects.get(),
                title="X",
                description="",
                price=Money(1, "USD"),
                count=None,
                now=world.now,
            )
        with pytest.raises(Invalid):
            listings.make_listing(
                seller=world.seller, title=" ", description="", price=Money(100, "USD"), count=1, now=world.now
            )


def test_accents_and_case_do_not_hide_a_listing() -> None:
    world = World()
    listings.make_listing(
        seller=world.seller, title="Pokémon Évoli", description="", price=Money(100, "USD"), count=1, now=world.now
    )
    assert [found.title for found in find(wanted=Wanted("evoli POKE"), now=world.now).listings] == ["Pokémon Évoli"]
    assert not find(wanted=Wanted("évoli fox"), now=world.now).listings


def test_the_same_shop_is_connected_once() -> None:
    first = a_connection(seller())
    with pytest.raises(IntegrityError), transaction.atomic():
        Connection.objects.create(
            seller=seller(),
            party=a_connection(seller()).party,
            platform=first.platform,
            way="form",
            address="",
            shop_key=first.shop_key,
            name="",
            currency="USD",
            secrets=b"",
        )
