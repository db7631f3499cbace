"""Money over random sequences of what can happen to an order: the books balance, one credit per cause, never more than
was paid, nothing added to stock here.

The shop and the bank are kept beside it, so that the test counts there: what stands in the shop, what may still be
sold, what was paid back.
"""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any
from unittest import mock

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Sum
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from crossdock.domain.commands import CancelReason, Done, Outcome, Refused, Unknown, Why
from crossdock.domain.events import OrderLine as ShopLine
from crossdock.domain.events import Parcel, Refund, ShopOrder, ShopOrderState
from crossdock.domain.orders import Known
from crossdock.domain.values import Money
from crossdock.kit import discover
from crossdock.store.models import (
    Command,
    Credit,
    Entry,
    Order,
    PolicySwitch,
    Reservation,
    ShopRefund,
    User,
    VariantStock,
)
from crossdock.usecases.errors import Problem
from crossdock.usecases.money.credits import ask_credit, decide_credit, staff_credit, try_refund_again
from crossdock.usecases.money.left import room
from crossdock.usecases.orders import reject, snapshots
from crossdock.usecases.orders.actions import ship_by_hand
from crossdock.usecases.orders.reject_units import Pick, preview_parts, reject_parts
from crossdock.usecases.outcomes import claims, settle
from market import RANDOM, World

MANIFEST = discover.connectors()["woocommerce"].manifest
REASONS = st.sampled_from([CancelReason.BUYER_ASKED, CancelReason.NOT_AVAILABLE, CancelReason.OTHER])
# Where a transaction can die: at the named points, and when its last rows are written.
DEATHS = (
    "crossdock.usecases.orders.reject.point",
    "crossdock.usecases.orders.snapshots.point",
    "crossdock.usecases.outcomes.settle.point",
    "crossdock.usecases.money.credits._ask_gateway",
    "crossdock.usecases.orders.reject_units._take_out",
    "crossdock.usecases.orders.reject._end_in_shop",
)


class Died(BaseException):
    """The process ended here; nothing of its transaction stays."""


@dataclass
class There:
    """An order in the shop's own books."""

    reference: str
    units: int
    shipped: list[tuple[str, int]] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    cancelled: bool = False

    @property
    def left(self) -> int:
        return 0 if self.cancelled else self.units - sum(units for _, units in self.shipped)


class Sequence(RuleBasedStateMachine):
    """One variant, up to three orders at a time."""

    @initialize(s8=st.booleans(), s3=st.booleans(), units=st.integers(2, 9))
    def begin(self, s8: bool, s3: bool, units: int) -> None:
        self.mark = transaction.savepoint()
        self.world = World(units=units, now=datetime(2026, 11, 23, 12, tzinfo=UTC))
        self.world.later()
        for name, lifted in (("S8", s8), ("S3", s3)):
            PolicySwitch.objects.update_or_create(rule=name, defaults={"lifted": lifted, "changed_at": self.world.now})
        self.staff = [User.objects.create_user(f"{name}@staff.example.test", is_staff=True) for name in ("one", "two")]
        self.orders: list[Order] = []
        self.shop: dict[str, There] = {}
        self.bank: dict[str, tuple[str, int]] = {}
        self.number = 0
        self.count = self._count()

    def teardown(self) -> None:
        if hasattr(self, "mark"):
            transaction.savepoint_rollback(self.mark)

    def _count(self) -> int | None:
        return VariantStock.objects.get(pk=self.world.variant.pk).count

    def _fresh(self, which: int) -> Order:
        return Order.objects.get(pk=self.orders[which % len(self.orders)].pk)

    def _next(self) -> int:
        self.number += 1
        return self.number

    def _do(self, deed: Callable[[], Any], death: int, *, asked: bool = True) -> None:
        """Once; or it dies on the way, nothing stays, and it is done again, as after a restart.

        A refusal changes nothing either, and only a person who asked may be refused: what happened outside happened.
        """
        if death < len(DEATHS):
            before = self._standing()
            with mock.patch(DEATHS[death], side_effect=Died), self._undone(asked=asked):
                deed()
            if self.died:
                assert self._standing() == before, "half a deed was kept"
            else:
                return
        with self._undone(asked=asked):
            deed()

    @contextmanager
    def _undone(self, *, asked: bool) -> Iterator[None]:
        self.died = False
        try:
            with transaction.atomic():
                yield
        except Died:
            self.died = True
        except Problem:
            if not asked:
                raise

    def _standing(self) -> list[Any]:
        return [
            list(Order.objects.order_by("pk").values_list("credited_minor", "money", "parcels", "cancelled_at")),
            Entry.objects.count(),
            Credit.objects.count(),
            Command.objects.count(),
            list(Reservation.objects.order_by("pk").values_list("quantity", "state", "fence_no")),
        ]

    @rule(quantity=st.integers(1, 4))
    def order(self, quantity: int) -> None:
        if len(self.orders) < 3 and (self.world.available or 0) >= quantity:
            self.orders.append(self.world.buy(quantity))

    # What the engine does

    @rule(lost=st.booleans(), death=st.integers(0, 12))
    def send(self, lost: bool, death: int) -> None:
        """What waits for the shop is carried out there; with `lost` the answer is, and the next try finds what was
        done.
        """
        for claimed in claims.claim_commands(
            party_id=self.world.shop.party_id, owner="w", limit=9, now=self._forward()
        ):
            self._settled(claimed.id, self._in_shop(claimed), lost, death)

    @rule(lost=st.booleans(), death=st.integers(0, 12))
    def pay_back(self, lost: bool, death: int) -> None:
        if not self.orders:
            return
        party = Command.objects.filter(kind="refund_payment").values_list("party", flat=True).first()
        for claimed in claims.claim_commands(party_id=party, owner="b", limit=9, now=self._forward()) if party else ():
            self._settled(claimed.id, self._at_bank(claimed), lost, death)

    def _forward(self) -> datetime:
        return self.world.later(400)

    def _settled(self, command: int, outcome: Outcome, lost: bool, death: int) -> None:
        said = Unknown("No answer came.") if lost and isinstance(outcome, Done) else outcome
        now = self.world.later()
        self._do(
            lambda: settle.settle_command(command_id=command, outcome=said, random=RANDOM, now=now), death, asked=False
        )

    def _at_bank(self, claimed: claims.Claimed) -> Outcome:
        key = Command.objects.get(pk=claimed.id).cause
        intent, minor = claimed.payload["intent"], claimed.payload["amount_minor"]
        if key not in self.bank:
            paid = next(order.total_minor for order in self.orders if order.intent.public_id == intent)
            assert self._paid_back(intent) + minor <= paid, "the bank was asked for more than was paid"
            self.bank[key] = (intent, minor)
        assert self.bank[key] == (intent, minor), "one key, two amounts"
        return Done(f"re-{key}")

    def _paid_back(self, intent: str) -> int:
        return sum(minor for one, minor in self.bank.values() if one == intent)

    def _in_shop(self, claimed: claims.Claimed) -> Outcome:
        given = claimed.payload
        match claimed.kind:
            case "create_order":
                return self._created(claimed)
            case "cancel_order" | "cancel_lines" if given["shop_order_id"] not in self.shop:
                return Refused(Why.NOT_FOUND, "It is not there.")
            case "cancel_order":
                return self._cancelled(self.shop[given["shop_order_id"]], given["reason"])
            case "cancel_lines":
                return self._taken_out(self.shop[given["shop_order_id"]], given)
            case "write_fulfilment":
                # Money does not move by it, and the seller is told.
                return Refused(Why.UNSUPPORTED, "This shop takes no parcels.")
        raise AssertionError(claimed.kind)

    def _created(self, claimed: claims.Claimed) -> Outcome:
        for shop_id, there in self.shop.items():
            if there.reference == claimed.subject:
                return Done(shop_id, stock_taken=True, already=True)
        if claimed.only_look:
            return Refused(Why.NOT_FOUND, "It is not there.")
        units = sum(line["quantity"] for line in claimed.payload["lines"])
        assert units <= self.world.units, "sold twice"
        self.world.units -= units
        shop_id = f"s{self._next()}"
        self.shop[shop_id] = There(claimed.subject, units)
        return Done(shop_id, stock_taken=True)

    def _cancelled(self, there: There, reason: str) -> Outcome:
        if there.cancelled:
            return Done("", already=True)
        if there.shipped:
            return Refused(Why.TOO_LATE, "It was shipped.")
        self.world.units += 0 if reason == CancelReason.NOT_AVAILABLE else there.left
        there.cancelled = True
        return Done("")

    def _taken_out(self, there: There, given: dict[str, Any]) -> Outcome:
        if any(refund.key == given["key"] for refund in there.refunds):
            return Done("", already=True)
        units = sum(units for _, units in given["lines"])
        if there.left < units:
            return Refused(Why.TOO_LATE, "It was shipped, or is cancelled.")
        there.units -= units
        self.world.units += 0 if given["reason"] == CancelReason.NOT_AVAILABLE else units
        # Its trace in the shop looks like a refund of money, and must credit nobody.
        there.refunds.append(Refund(f"r{self._next()}", Money(1000 * units, "USD"), key=given["key"]))
        return Done(there.refunds[-1].refund_id)

    @rule()
    def read(self) -> None:
        """The one way in which what may be sold rises."""
        self.world.read()
        self.count = self._count()

    # What people do here

    @precondition(lambda self: self.orders)
    @rule(which=st.integers(0, 2), units=st.integers(1, 3), death=st.integers(0, 12))
    def ship_here(self, which: int, units: int, death: int) -> None:
        order = self._fresh(which)
        line, key = order.lines.get(), f"k{self._next()}"
        now = self.world.later()
        wish = {line.pk: min(units, line.left)}
        self._do(
            lambda: ship_by_hand(
                order=order, lines=wish, tracking="T", carrier="UPS", actor=self.world.seller.owner, now=now, key=key
            ),
            death,
        )

    @precondition(lambda self: self.orders)
    @rule(which=st.integers(0, 2), reason=REASONS, twice=st.booleans(), death=st.integers(0, 12))
    def cancel_here(self, which: int, reason: CancelReason, twice: bool, death: int) -> None:
        order, now = self._fresh(which), self.world.later()
        amount = room(order)
        for _ in range(1 + twice):
            self._do(
                lambda: reject.reject_order(
                    order=order, reason=reason, actor=self.world.seller.owner, expected_total=amount, now=now
                ),
                death,
            )

    @precondition(lambda self: self.orders)
    @rule(
        which=st.integers(0, 2), units=st.integers(1, 3), reason=REASONS, twice=st.booleans(), death=st.integers(0, 12)
    )
    def reject_line(self, which: int, units: int, reason: CancelReason, twice: bool, death: int) -> None:
        order, now, key = self._fresh(which), self.world.later(), f"k{self._next()}"
        picks = {order.lines.get().pk: Pick(units, reason)}
        try:
            amount = preview_parts(order=order, picks=picks, manifest=MANIFEST).total
        except Problem:
            return
        deed = lambda: reject_parts(  # noqa: E731
            order=order,
            picks=picks,
            expected_total=amount,
            key=key,
            manifest=MANIFEST,
            actor=self.world.seller.owner,
            now=now,
        )
        self._do(deed, death)
        if twice:
            self._do(deed, death)
        order.refresh_from_db()
        granted = Credit.objects.filter(order=order, cause__in=[f"{order.reference}:part:{key}", order.reference])
        assert granted.count() == bool(amount.minor) or order.cancelled_at, "one cause, one credit"

    @precondition(lambda self: self.orders)
    @rule(which=st.integers(0, 2), minor=st.integers(1, 5000), twice=st.booleans(), death=st.integers(0, 12))
    def staff_credits(self, which: int, minor: int, twice: bool, death: int) -> None:
        order, now, key = self._fresh(which), self.world.later(), f"k{self._next()}"
        for _ in range(1 + twice):
            self._do(
                lambda: staff_credit(
                    order=order, amount=Money(minor, "USD"), reason="x", actor=self.staff[0], key=key, now=now
                ),
                death,
            )

    @precondition(lambda self: self.orders)
    @rule(which=st.integers(0, 2), minor=st.integers(1, 5000))
    def seller_asks(self, which: int, minor: int) -> None:
        order, now = self._fresh(which), self.world.later()
        self._do(
            lambda: ask_credit(
                order=order,
                amount=Money(minor, "USD"),
                reason="Damaged",
                body="",
                actor=self.world.seller.owner,
                now=now,
            ),
            99,
        )

    @rule(grant=st.booleans(), who=st.integers(0, 1), death=st.integers(0, 12))
    def staff_decide(self, grant: bool, who: int, death: int) -> None:
        now = self.world.later()
        for credit in Credit.objects.filter(state__in=["asked", "second"]):
            self._do(
                lambda credit=credit: decide_credit(
                    credit=credit, grant_it=grant, actor=self.staff[who], remark="x", now=now
                ),
                death,
            )

    @rule(death=st.integers(0, 12))
    def bank_refuses(self, death: int) -> None:
        """One credit's refund is refused: it stays due, and staff try again."""
        command = Command.objects.filter(kind="refund_payment", state="waiting", unresolved=False).first()
        if command is None or command.cause in self.bank:
            return
        Command.objects.filter(pk=command.pk).update(state="in_flight")
        self._settled(command.pk, Refused(Why.INVALID, "The card is closed."), False, death)
        credit = Credit.objects.get(cause=command.payload["credit"])
        assert credit.state == "failed"
        now = self.world.later()
        self._do(lambda: try_refund_again(credit=credit, actor=self.staff[0], now=now), death)

    # What people do in the shop, and its news

    @precondition(lambda self: self.shop)
    @rule(which=st.integers(0, 2), units=st.integers(1, 3), twice=st.booleans(), death=st.integers(0, 12))
    def ship_there(self, which: int, units: int, twice: bool, death: int) -> None:
        shop_id = self._there(which)
        there = self.shop[shop_id]
        if there.left:
            there.shipped.append((f"f{self._next()}", min(units, there.left)))
        self._news(shop_id, twice, death)

    @precondition(lambda self: self.shop)
    @rule(which=st.integers(0, 2), restock=st.booleans(), twice=st.booleans(), death=st.integers(0, 12))
    def cancel_there(self, which: int, restock: bool, twice: bool, death: int) -> None:
        shop_id = self._there(which)
        there = self.shop[shop_id]
        self.world.units += there.left if restock else 0
        there.cancelled = True
        self._news(shop_id, twice, death)

    @precondition(lambda self: self.shop)
    @rule(which=st.integers(0, 2), minor=st.integers(1, 30_000), twice=st.booleans(), death=st.integers(0, 12))
    def refund_there(self, which: int, minor: int, twice: bool, death: int) -> None:
        shop_id = self._there(which)
        self.shop[shop_id].refunds.append(Refund(f"r{self._next()}", Money(minor, "USD")))
        self._news(shop_id, twice, death)

    @precondition(lambda self: self.shop)
    @rule(which=st.integers(0, 2), death=st.integers(0, 12))
    def old_news(self, which: int, death: int) -> None:
        self._news(self._there(which), True, death)

    def _there(self, which: int) -> str:
        return list(self.shop)[which % len(self.shop)]

    def _news(self, shop_id: str, twice: bool, death: int) -> None:
        there = self.shop[shop_id]
        state = ShopOrderState.CANCELLED if there.cancelled else ShopOrderState.OPEN
        parcels = tuple(Parcel(parcel, (("l1", units),), "T") for parcel, units in there.shipped)
        seen = ShopOrder(
            shop_id,
            f"#{shop_id}",
            there.reference,
            state,
            (ShopLine("l1", "p1", "v1", "FOX-1", there.units),),
            Money(1000 * there.units, "USD"),
            parcels,
            tuple(there.refunds),
            stock_taken=True,
        )
        for _ in range(1 + twice):
            given = {
                "connection_id": self.world.shop.pk,
                "orders": [seen],
                "manifest": MANIFEST,
                "now": self.world.later(),
            }
            self._do(partial(snapshots.receive_orders, **given), death, asked=False)

    # What has to hold after every step

    @invariant()
    def money_holds(self) -> None:
        if not hasattr(self, "orders"):
            return
        connection.check_constraints()
        assert Entry.objects.aggregate(sum=Sum("amount_minor"))["sum"] in (0, None), "the books balance"
        for order in Order.objects.filter(pk__in=[order.pk for order in self.orders]):
            granted = order.credits.filter(state__in=["granted", "refunded", "failed"])
            promised = granted.aggregate(sum=Sum("amount_minor"))["sum"] or 0
            assert promised == order.credited_minor <= order.total_minor
            due = -(
                Entry.objects.filter(transfer__order=order, account="refunds_due").aggregate(sum=Sum("amount_minor"))[
                    "sum"
                ]
                or 0
            )
            confirmed = order.credits.filter(state="refunded").aggregate(sum=Sum("amount_minor"))["sum"] or 0
            assert due == promised - confirmed, "what is due is what the bank has not confirmed"
            assert confirmed <= self._paid_back(order.intent.public_id) <= promised, "the bank paid what was promised"
            if order.cancelled_at:
                assert order.credited_minor == order.total_minor, "what is cancelled is credited whole"
            line = order.lines.get()
            assert line.shipped + line.rejected <= line.quantity or self._both_shipped(order)
            refunds = ShopRefund.objects.filter(order=order).values_list("refund_id", flat=True)
            made = [
                refund for there in self.shop.values() if there.reference == order.reference for refund in there.refunds
            ]
            assert len(refunds) <= len([refund for refund in made if not refund.key]), "a refund there is seen once"
            assert granted.filter(kind="shop_refund").count() <= len(refunds), "one credit per refund there"
            ours = {refund.refund_id for there in self.shop.values() for refund in there.refunds if refund.key}
            assert not ours & set(refunds), "our own taking out is no refund"

    @staticmethod
    def _both_shipped(order: Order) -> bool:
        """Rejected here while it was being shipped there: then the parcel counts what was shipped, and the credit
        stays.
        """
        return order.shipments.filter(source="shop").exists()

    @invariant()
    def stock_holds(self) -> None:
        if not hasattr(self, "orders"):
            return
        count = self._count()
        assert count is None or self.count is None or count <= self.count, "only a read raises the count"
        landed = {there.reference for there in self.shop.values()}
        owed = sum(
            line.kept
            for order in Order.objects.filter(pk__in=[order.pk for order in self.orders], cancelled_at=None)
            for line in order.lines.all()
            if order.reference not in landed and order.copy.state != "refused"
        )
        assert (self.world.available or 0) <= max(0, self.world.units - owed), "more for sale than there is"


class Refunding(Sequence):
    """Orders are placed and sent, and the shop refunds: with nothing else in the way, a bug that is planted there is
    met within a few plays.
    """

    read = ship_here = cancel_here = reject_line = seller_asks = staff_decide = bank_refuses = None  # type: ignore[assignment]
    pay_back = ship_there = cancel_there = staff_credits = None  # type: ignore[assignment]


class Crediting(Sequence):
    """The same for what goes back to the buyer: orders are placed, and staff credit them."""

    read = send = reject_line = cancel_here = pay_back = ship_here = seller_asks = staff_decide = bank_refuses = None  # type: ignore[assignment]
    ship_there = cancel_there = refund_there = old_news = None  # type: ignore[assignment]


def play(examples: int, machine: type[Sequence] = Sequence, *, always_the_same: bool = False) -> None:
    """`always_the_same`: a planted bug is noticed in every run or in none, not by luck."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=25,
            deadline=None,
            derandomize=always_the_same,
            suppress_health_check=list(HealthCheck),
            database=None,
            # Shrinking over a database takes longer than anybody waits; 25 steps can be read.
            phases=[Phase.generate],
        ),
    )


@pytest.mark.django_db
@pytest.mark.timeout(600)
def test_whatever_happens_the_books_balance_and_nobody_gets_more_than_they_paid() -> None:
    play(int(os.environ.get("SEQUENCES", "15")))


@pytest.mark.django_db
@pytest.mark.timeout(600)
def test_they_notice_a_refund_that_is_seen_as_new(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: the shop's id of a refund is not recognised, so each reading is another refund."""
    good = snapshots.news

    def news(known: Known, copy: ShopOrder) -> Any:
        renamed = tuple(replace(refund, refund_id=secrets.token_hex(6)) for refund in copy.refunds)
        return good(known, replace(copy, refunds=renamed))

    monkeypatch.setattr(snapshots, "news", news)
    with pytest.raises(AssertionError, match="seen once"):
        play(400, Refunding, always_the_same=True)


@pytest.mark.django_db
@pytest.mark.timeout(600)
def test_they_notice_a_credit_without_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: nobody looks at what went back already. The database refuses it; here it would be more than was paid."""
    monkeypatch.setattr("crossdock.usecases.money.credits.room", lambda order, taken=None: order.total)
    with pytest.raises((AssertionError, IntegrityError)):
        play(400, Crediting, always_the_same=True)
