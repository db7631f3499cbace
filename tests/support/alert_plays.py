"""One play per alert code: raised through the real path, then its button pressed at the page, until it is settled. A
test fails for a code without one.

A play raises, then `yield`s the alert: the stage presses its button there (through the page), and the play goes on
with the deed of the page that was reached, or with the fact that the deed brings about. To add a code: write a
generator here, named like the code.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from django.test import Client
from tests.usecases.test_rules import copy_of, landed, manifest, see

from crossdock.domain.alerts import AlertCode
from crossdock.domain.commands import CancelReason, Done, Later, Refused, Why
from crossdock.domain.earnings.payouts import Destination
from crossdock.domain.events import (
    Look,
    LookKind,
    Parcel,
    ProductGone,
    Refund,
    ShopOrderState,
    ShopProduct,
    ShopVariant,
    Unreadable,
)
from crossdock.domain.labels import VoidState
from crossdock.domain.moderation.quotas import Quota
from crossdock.domain.moderation.takedowns import Ground
from crossdock.domain.payments import BankRefund, Dispute, DisputeState, RefundState, Standing
from crossdock.domain.requests.messages import Side
from crossdock.domain.requests.returns import ReturnReason
from crossdock.domain.values import Money
from crossdock.engine import invariants
from crossdock.engine.shop import inbox
from crossdock.kit.connector import Check, Proof, Shop
from crossdock.store.models import Alert, Command, HeldPrice, Order, RiskListEntry, Variant
from crossdock.usecases.catalogue import import_products
from crossdock.usecases.catalogue.evening.prices import set_price_limit
from crossdock.usecases.catalogue.listings import archive_listing, make_listing
from crossdock.usecases.catalogue.moderation.deciding import take_down
from crossdock.usecases.catalogue.room import set_quotas
from crossdock.usecases.labels import purchase
from crossdock.usecases.money import balance, bank_news, payouts
from crossdock.usecases.orders import snapshots
from crossdock.usecases.orders.actions import ship_by_hand
from crossdock.usecases.orders.parcel_alerts import label_voided
from crossdock.usecases.orders.reject import reject_order
from crossdock.usecases.outcomes import claims, endpoints
from crossdock.usecases.parties import leases, root_causes
from crossdock.usecases.record.telling import telling
from crossdock.usecases.requests.cancel import ask_to_cancel, tell_unanswered
from crossdock.usecases.requests.messages import report, write
from crossdock.usecases.requests.overdue import tell_late
from crossdock.usecases.requests.returns import ask_return
from crossdock.usecases.requests.withdraw import withdraw
from crossdock.usecases.shops import connect, timers
from crossdock.usecases.stock import counts
from labelling import Counter
from market import World, graded, user
from toy import ToyConnector

DAYS = 86_400


@dataclass
class Stage:
    """A shop, its seller's browser, a connector whose connection test can be made to fail."""

    world: World
    toy: ToyConnector
    client: Client = field(default_factory=Client)

    def __post_init__(self) -> None:
        self.client.force_login(self.world.seller.owner)
        self.world.refuses = False

    def alert(self, code: AlertCode) -> Alert:
        return Alert.objects.get(code=code, settled_at=None)

    def post(self, url: str, **form: Any) -> None:
        answer = self.client.post(url, form, follow=True)
        assert answer.status_code == 200, (url, answer.status_code)

    def order_url(self, order: Order, rest: str = "") -> str:
        return f"/seller/orders/{order.public_id}/{rest}"

    def reject(self, order: Order, reason: str = "lost") -> None:
        self.post(self.order_url(order, "reject/"), reason=reason, expected_total=str(order.total_minor))

    def seen(self, alert: Alert) -> None:
        """The page that the button led to offers to settle it."""
        self.post(f"/seller/alerts/{alert.public_id}/settle/", how=alert.kind.seen)

    def catch_up(self) -> None:
        """Pages live in the real time, which may have overtaken the world's."""
        self.world.now = max(self.world.now, datetime.now(UTC) + timedelta(seconds=5))

    def carry_out(self, order: Order) -> None:
        self.catch_up()
        (claimed,) = self.world.claim()
        self.world.settle(claimed, self.world.create_there(order))

    def proves(self, *checks: Check) -> None:
        async def prove(shop: Shop) -> Proof:
            return Proof("toy", "Toy shop", "USD", checks)

        self.toy.prove = prove  # type: ignore[method-assign]

    def test_connection(self) -> None:
        self.post(f"/seller/shops/{self.world.shop.public_id}/test/")

    def staff_settles(self, alert: Alert) -> None:
        clerk = Client()
        clerk.force_login(user(is_staff=True))
        clerk.post(f"/staff/alerts/{alert.public_id}/settle/", {"how": "Answered."})


Play = Callable[[Stage], Iterator[AlertCode]]


def order_not_landed(stage: Stage) -> Iterator[AlertCode]:
    order = stage.world.buy()
    stage.world.later(16 * 60)
    root_causes.late_copies(now=stage.world.now)
    yield AlertCode.ORDER_NOT_LANDED
    stage.carry_out(order)


def listing_taken_down(stage: Stage) -> Iterator[AlertCode]:
    listing, staff = stage.world.variant.listing, user(is_staff=True)
    take_down(
        listing=listing, ground=Ground.FAKE, words="Not real.", until_changed=False, actor=staff, now=stage.world.now
    )
    yield AlertCode.LISTING_TAKEN_DOWN
    stage.post(f"/seller/listings/{listing.public_id}/appeal/", words="It is real.", deed="appealed")


def quota_near(stage: Stage) -> Iterator[AlertCode]:
    seller, staff = stage.world.seller, user(is_staff=True)
    set_quotas(seller=seller, wanted={Quota.LISTINGS: 2}, why="You are new.", actor=staff, now=stage.world.later())
    seller.refresh_from_db()
    make_listing(seller=seller, title="Fox", description="", price=Money(100, "USD"), count=1, now=stage.world.later())
    yield AlertCode.QUOTA_NEAR
    set_quotas(seller=seller, wanted={Quota.LISTINGS: 50}, why="Well done.", actor=staff, now=stage.world.later())


def order_refused(stage: Stage) -> Iterator[AlertCode]:
    order = stage.world.buy()
    (claimed,) = stage.world.claim()
    stage.world.settle(claimed, Refused(Why.NO_STOCK, "Not enough stock.", ("v1",)))
    yield AlertCode.ORDER_REFUSED
    stage.reject(order)


def order_differs(stage: Stage) -> Iterator[AlertCode]:
    order = landed(stage.world)
    see(stage.world, copy_of(order, lines=()))
    yield AlertCode.ORDER_DIFFERS
    stage.seen(stage.alert(AlertCode.ORDER_DIFFERS))


def order_double(stage: Stage) -> Iterator[AlertCode]:
    order = landed(stage.world)
    see(stage.world, copy_of(order, shop_id="s2"))
    yield AlertCode.ORDER_DOUBLE
    (cancel,) = stage.world.claim()
    stage.world.settle(cancel, Done("s2"))


def cancelled_in_shop(stage: Stage) -> Iterator[AlertCode]:
    order = landed(stage.world)
    see(stage.world, copy_of(order, state=ShopOrderState.CANCELLED))
    yield AlertCode.CANCELLED_IN_SHOP
    stage.reject(order)


def cancel_failed(stage: Stage) -> Iterator[AlertCode]:
    order = landed(stage.world)
    _reject(stage, order)
    (cancel,) = stage.world.claim()
    stage.world.settle(cancel, Refused(Why.TOO_LATE, "It was fulfilled meanwhile."))
    yield AlertCode.CANCEL_FAILED
    see(stage.world, copy_of(order, state=ShopOrderState.CANCELLED))


def _reject(stage: Stage, order: Order, reason: CancelReason = CancelReason.OTHER) -> None:
    reject_order(order=order, reason=reason, actor=None, expected_total=order.total, now=stage.world.later())


def refunded_in_shop(stage: Stage) -> Iterator[AlertCode]:
    order = landed(stage.world)
    see(stage.world, copy_of(order, refunds=(Refund("r1", Money(500, "USD")),)))
    yield AlertCode.REFUNDED_IN_SHOP
    stage.reject(order)


def stock_differs(stage: Stage) -> Iterator[AlertCode]:
    stage.reject(landed(stage.world), "not_available")
    yield AlertCode.STOCK_DIFFERS
    variant = stage.world.variant
    stage.post(f"/seller/listings/{variant.listing.public_id}/count/{variant.public_id}/")


def stock_below_zero(stage: Stage) -> Iterator[AlertCode]:
    stage.world.units = -1
    stage.world.read()
    yield AlertCode.STOCK_BELOW_ZERO
    stage.world.units = 3
    stage.world.read()


def stock_not_taken(stage: Stage) -> Iterator[AlertCode]:
    order = stage.world.buy()
    (claimed,) = stage.world.claim()
    stage.world.settle(claimed, Done("s1", shop_number="#s1"))
    see(stage.world, copy_of(order, stock_taken=False))
    stage.world.later(16 * 60)
    root_causes.late_copies(now=stage.world.now)
    yield AlertCode.STOCK_NOT_TAKEN
    see(stage.world, copy_of(order))


def sold_elsewhere(stage: Stage) -> Iterator[AlertCode]:
    other = make_listing(
        seller=stage.world.seller, title="Fox", description="", price=Money(900, "USD"), count=1, now=stage.world.now
    )
    for listing in (stage.world.variant.listing, other):
        graded(listing)
    stage.world.variant = Variant.objects.get(listing=other)
    stage.world.buy()
    yield AlertCode.SOLD_ELSEWHERE
    stage.seen(stage.alert(AlertCode.SOLD_ELSEWHERE))


def sign_in_again(stage: Stage) -> Iterator[AlertCode]:
    world = stage.world
    leases.sign_in_again(party_id=world.shop.party_id, sentence="The key was revoked.", now=world.later())
    yield AlertCode.SIGN_IN_AGAIN
    attempt, _ = connect.start_attempt(
        seller=world.seller,
        user=world.seller.owner,
        platform="toy",
        way="form",
        address=world.shop.address,
        form={},
        reconnects=world.shop,
        now=world.later(),
    )
    proof = {
        "shop_id": world.shop.shop_key,
        "name": "Toy",
        "currency": "USD",
        "checks": [],
        "settings": {},
        "locations": [],
    }
    connect.prove_attempt(attempt=attempt, secrets={"key": "new"}, proof=proof, preview=[], now=world.later())
    stage.post(f"/seller/connect/attempt/{attempt.public_id}/")


def scope_missing(stage: Stage) -> Iterator[AlertCode]:
    stage.proves(Check(True, "Sign-in"), Check(False, "Permission to write", "Give it.", right="write_orders"))
    stage.test_connection()
    yield AlertCode.SCOPE_MISSING
    stage.proves(Check(True, "Sign-in"), Check(True, "Permission to write", right="write_orders"))
    stage.test_connection()


def shop_money_changed(stage: Stage) -> Iterator[AlertCode]:
    world = stage.world

    async def prove(shop: Shop) -> Proof:
        return Proof(world.shop.shop_key, "Toy shop", "EUR", (Check(True, "Sign-in"),), {"currency": "EUR"})

    stage.toy.prove = prove  # type: ignore[method-assign]
    stage.test_connection()
    yield AlertCode.SHOP_MONEY_CHANGED


def price_jumped(stage: Stage) -> Iterator[AlertCode]:
    world = stage.world
    set_price_limit(connection=world.shop, limit=20, actor=world.seller.owner, now=world.later())
    product = ShopProduct("p1", "Ember Fox", (ShopVariant("v1", "FOX-1", "", Money(9000, "USD"), world.units),))
    read_no = counts.draw_read_no()
    import_products.receive_products(connection_id=world.shop.pk, products=[product], read_no=read_no, now=world.now)
    yield AlertCode.PRICE_JUMPED
    stage.post("/seller/prices/decide/", price=f"{HeldPrice.objects.get().pk}:9000", verdict="take")


def webhook_lost(stage: Stage) -> Iterator[AlertCode]:
    world, expected = stage.world, ("orders", "products")

    def audit(*active: str) -> None:
        timers.keep_audit(connection_id=world.shop.pk, expected=expected, active=active, healed=(), now=world.later())

    audit("orders")
    yield AlertCode.WEBHOOK_LOST
    assert "hooks" in timers.timers_due(connection_id=world.shop.pk, now=datetime.now(UTC)), "looked after at once"
    audit(*expected)


def shop_unreachable(stage: Stage) -> Iterator[AlertCode]:
    for _ in range(2):
        fail(stage.world)
        stage.world.later(11 * 60)
    yield AlertCode.SHOP_UNREACHABLE


def fail(world: World, sentence: str = "It did not answer in time.") -> None:
    from market import RANDOM

    leases.party_failed(
        party_id=world.shop.party_id, sentence=sentence, after_seconds=None, random=RANDOM, now=world.later()
    )


def product_deleted(stage: Stage) -> Iterator[AlertCode]:
    import_products.receive_products(
        connection_id=stage.world.shop.pk,
        products=[ProductGone("p1")],
        read_no=counts.draw_read_no(),
        now=stage.world.later(),
    )
    yield AlertCode.PRODUCT_DELETED


def units_back(stage: Stage) -> Iterator[AlertCode]:
    order = landed(stage.world)
    archive_listing(listing=stage.world.variant.listing, now=stage.world.later())
    # What is lost does not come back.
    stage.reject(order, "buyer_asked")
    yield AlertCode.UNITS_BACK
    stage.post(f"/seller/listings/{stage.world.variant.listing.public_id}/state/", to="relist")


def tracking_missing(stage: Stage) -> Iterator[AlertCode]:
    order = landed(stage.world)
    see(stage.world, copy_of(order, parcels=(Parcel("f1", ()),)))
    yield AlertCode.TRACKING_MISSING
    stage.post(_parcel(order), tracking="1Z999AA10123456784", carrier="")


def _parcel(order: Order) -> str:
    return f"/seller/orders/{order.public_id}/parcels/{order.shipments.get().pk}/"


def tracking_unknown(stage: Stage) -> Iterator[AlertCode]:
    order = landed(stage.world)
    see(stage.world, copy_of(order, parcels=(Parcel("f1", (), "T-4711"),)))
    yield AlertCode.TRACKING_UNKNOWN
    stage.post(_parcel(order), tracking="T-4711", carrier="Bike couriers")


def label_voided_(stage: Stage) -> Iterator[AlertCode]:
    order = landed(stage.world)
    number = "1Z999AA10123456784"
    with telling(stage.world.later()) as told:
        label_voided(order=order, tracking=number, why="not used", told=told)
    assert not Alert.objects.exists(), "no parcel left with it"
    ship_by_hand(
        order=order, lines=None, tracking=number, carrier="", actor=stage.world.seller.owner, now=stage.world.later()
    )
    with telling(stage.world.later()) as told:
        label_voided(order=order, tracking=number, why="voided at the carrier", told=told)
    yield AlertCode.LABEL_VOIDED
    stage.post(_parcel(order), tracking="1Z999AA10123456785", carrier="UPS")


def fulfilment_not_written(stage: Stage) -> Iterator[AlertCode]:
    order = landed(stage.world)
    ship_by_hand(
        order=order,
        lines=None,
        tracking="1Z999AA10123456784",
        carrier="",
        actor=stage.world.seller.owner,
        now=stage.world.later(),
    )
    (claimed,) = stage.world.claim()
    stage.world.settle(claimed, Refused(Why.TOO_LATE, "The order is on hold there."))
    yield AlertCode.FULFILMENT_NOT_WRITTEN
    stage.post(stage.order_url(order, f"parcels/{order.shipments.get().pk}/send/"))
    (claimed,) = stage.world.claim()
    stage.world.settle(claimed, Done("f1"))


def label_unused(stage: Stage) -> Iterator[AlertCode]:
    order = landed(stage.world)
    counter = Counter(stage.world)
    label = counter.intended(order)
    _reject(stage, order)
    counter.answer(counter.sold())
    yield AlertCode.LABEL_UNUSED
    label.refresh_from_db()
    purchase.void_label(label=label, by=label.seller.owner, now=stage.world.later())
    counter.told(label, void=VoidState.DONE)


def high_risk(stage: Stage) -> Iterator[AlertCode]:
    intent = stage.world.hold()
    RiskListEntry.objects.create(
        kind="blocked", what="address", value=_address_key(), shown="1 Elm St", added_at=stage.world.now
    )
    order = stage.world.pay(intent)
    yield AlertCode.HIGH_RISK
    stage.reject(order, "fraud")


def _address_key() -> str:
    from crossdock.store.models import RiskTrace

    return RiskTrace.objects.get().address


def command_dead(stage: Stage) -> Iterator[AlertCode]:
    order = stage.world.buy()
    (claimed,) = stage.world.claim()
    stage.world.later(3 * DAYS)
    stage.world.settle(claimed, Later("The shop is closed for repairs."))
    yield AlertCode.COMMAND_DEAD
    stage.catch_up()
    (claimed,) = stage.world.claim("w2")
    from crossdock.domain.commands import Found
    from crossdock.usecases.outcomes.look_up import settle_look
    from market import RANDOM

    settle_look(
        command_id=claimed.id,
        found=Found(("s1",)),
        horizon=timedelta(seconds=1),
        unique_reference=False,
        random=RANDOM,
        now=stage.world.later(),
        standing=Done("s1", stock_taken=True, already=True),
    )
    assert order.copy


def _standing(order: Order, **what: Any) -> None:
    bank_news.receive_standing(intent_id=order.intent.public_id, standing=Standing(**what), now=datetime.now(UTC))


def _ask_staff(stage: Stage, code: AlertCode) -> None:
    stage.post(
        "/seller/cases/new/", alert=stage.alert(code).public_id, kind="problem", subject="Here it is", body="The proof."
    )


def disputed(stage: Stage) -> Iterator[AlertCode]:
    order = landed(stage.world)
    _standing(order, disputes=(Dispute("d1", order.total, DisputeState.TAKEN, "product_not_received"),))
    yield AlertCode.DISPUTED
    _ask_staff(stage, AlertCode.DISPUTED)


def refund_failed(stage: Stage) -> Iterator[AlertCode]:
    order = landed(stage.world)
    _reject(stage, order)
    asked = Command.objects.get(kind="refund_payment")
    owner = "gateway"
    (claimed,) = claims.claim_commands(party_id=asked.party_id, owner=owner, limit=5, now=stage.world.later())
    stage.world.settle(claimed, Done("re_1"))
    _standing(order, refunds=(BankRefund("re_1", order.total, RefundState.FAILED, key=asked.cause),))
    yield AlertCode.REFUND_FAILED
    _ask_staff(stage, AlertCode.REFUND_FAILED)


def payout_failed(stage: Stage) -> Iterator[AlertCode]:
    """The bank refuses a payout; the seller looks at the account, and says so."""
    world = stage.world
    order = landed(world)
    ship_by_hand(order=order, lines=None, tracking="T", carrier="UPS", actor=world.seller.owner, now=world.later())
    to = Destination("ba_1", "DE ···· 3000")
    given = {"provider": "sandbox", "to": to, "actor": world.seller.owner, "place": "", "now": world.now}
    account = payouts.set_account(seller=world.seller, currency="USD", **given)
    balance.release(now=world.later(8 * DAYS))
    payouts.pay_out(account=account, actor=world.seller.owner, key="k", now=world.now)
    asked = Command.objects.get(kind="send_payout")
    (claimed,) = claims.claim_commands(party_id=asked.party_id, owner="p", limit=5, now=world.later())
    world.settle(claimed, Refused(Why.NOT_ALLOWED, "The account was closed."))
    yield AlertCode.PAYOUT_FAILED
    stage.seen(stage.alert(AlertCode.PAYOUT_FAILED))


def endpoint_failing(stage: Stage) -> Iterator[AlertCode]:
    world = stage.world
    endpoint, _ = endpoints.add_endpoint(
        seller=world.seller, actor=world.seller.owner, url="https://receiver.test/in", name="", events=[], now=world.now
    )
    world.buy()
    (claimed,) = claims.claim_commands(party_id=endpoint.party_id, owner="w", limit=1, now=world.later())
    world.later(3 * DAYS)
    world.settle(claimed, Later("It answered 500."))
    yield AlertCode.ENDPOINT_FAILING
    stage.post(f"/seller/webhooks/{endpoint.public_id}/deed/", deed="resume")
    assert Command.objects.get(pk=claimed.id).state == "waiting", "what was not taken is sent again"


def data_request(stage: Stage) -> Iterator[AlertCode]:
    order = landed(stage.world)
    for _ in range(2):
        inbox.obey(connection_id=stage.world.shop.pk, look=Look(LookKind.DATA_REQUEST, "9999:s1,s7"))
    assert stage.alert(AlertCode.DATA_REQUEST).evidence["orders"] == [f"#{order.number}"]
    yield AlertCode.DATA_REQUEST
    stage.staff_settles(stage.alert(AlertCode.DATA_REQUEST))


def invariant_broken(stage: Stage) -> Iterator[AlertCode]:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE store_variantstock SET count = -1")
    invariants.check(now=stage.world.later())
    yield AlertCode.INVARIANT_BROKEN
    stage.staff_settles(stage.alert(AlertCode.INVARIANT_BROKEN))


def not_understood(stage: Stage) -> Iterator[AlertCode]:
    order = landed(stage.world)
    odd = Unreadable(LookKind.ORDER, "s1", "The shop's answer has no amount at total.", "total")
    snapshots.receive_orders(
        connection_id=stage.world.shop.pk, orders=[odd], manifest=manifest(), now=stage.world.later()
    )
    yield AlertCode.NOT_UNDERSTOOD
    see(stage.world, copy_of(order))


def cancel_unanswered(stage: Stage) -> Iterator[AlertCode]:
    order = stage.world.buy()
    ask_to_cancel(order=order, buyer=order.buyer, reason="", now=stage.world.now)
    assert tell_unanswered(now=stage.world.later(3 * DAYS)) == 1
    assert tell_unanswered(now=stage.world.later()) == 0
    yield AlertCode.CANCEL_UNANSWERED
    stage.post(stage.order_url(order, "decline/"), answer="Packed.", seen="1")


def withdrawn(stage: Stage) -> Iterator[AlertCode]:
    order = landed(stage.world)
    Order.objects.filter(pk=order.pk).update(ship_to={**order.ship_to, "country": "DE"})
    see(stage.world, copy_of(order, parcels=(Parcel("f1", (), "1Z1", "UPS", "", stage.world.now),)))
    withdraw(order=order, name="Zoë", now=stage.world.later())
    yield AlertCode.WITHDRAWN
    stage.seen(stage.alert(AlertCode.WITHDRAWN))


def return_late(stage: Stage) -> Iterator[AlertCode]:
    world = stage.world
    order = landed(world)
    see(world, copy_of(order, parcels=(Parcel("f1", (), "1Z999AA10123456784", "UPS", "", world.now),)))
    (line,) = order.lines.all()
    row = ask_return(
        order=order, units={line.pk: 1}, reason=ReturnReason.DAMAGED, words="It squeaks.", now=world.later()
    )
    tell_late(now=world.later(4 * DAYS))
    yield AlertCode.RETURN_LATE
    stage.post(f"/seller/returns/{row.public_id}/answer/", deed="decline", answer="It always did.")


def messages_reported(stage: Stage) -> Iterator[AlertCode]:
    order = stage.world.buy()
    write(order=order, side=Side.BUYER, author=order.buyer, body="Is it there?", now=stage.world.now)
    for _ in range(2):
        report(order=order, side=Side.SELLER, author=stage.world.seller.owner, why="Rude", now=stage.world.later())
    yield AlertCode.MESSAGES_REPORTED
    stage.staff_settles(stage.alert(AlertCode.MESSAGES_REPORTED))


PLAYS: dict[str, Play] = {
    play.__name__.rstrip("_"): play
    for play in (
        order_not_landed,
        listing_taken_down,
        order_refused,
        order_differs,
        order_double,
        cancelled_in_shop,
        cancel_failed,
        refunded_in_shop,
        stock_differs,
        stock_below_zero,
        stock_not_taken,
        sold_elsewhere,
        sign_in_again,
        scope_missing,
        shop_money_changed,
        price_jumped,
        quota_near,
        webhook_lost,
        shop_unreachable,
        product_deleted,
        units_back,
        tracking_missing,
        tracking_unknown,
        label_voided_,
        fulfilment_not_written,
        label_unused,
        high_risk,
        command_dead,
        disputed,
        refund_failed,
        payout_failed,
        endpoint_failing,
        data_request,
        invariant_broken,
        not_understood,
        cancel_unanswered,
        withdrawn,
        return_late,
        messages_reported,
    )
}
