"""What must hold between the shop's own books and our rows, looked at after every transaction that touches stock, and
once more at rest.
"""

from collections.abc import Coroutine
from typing import Any, TypeVar

from django.db import connection

from crossdock.domain import stock as rules
from crossdock.domain.alerts import AlertCode
from crossdock.domain.commands import CancelReason, CommandKind
from crossdock.domain.orders import CopyState
from crossdock.domain.stock import Hold, HoldState, Stock
from crossdock.engine import invariants
from crossdock.kit.hand import Standing
from crossdock.kit.sandbox import Sandbox
from crossdock.store.models import Alert, Command, Order, OrderLine, PaymentIntent, Reservation, ShopCopy, VariantStock
from crossdock.store.models.work import CommandState
from crossdock.usecases.parties import root_causes
from crossdock.usecases.stock import reservations
from crossdock_lab.proof.town import Town

T = TypeVar("T")
_KNOWN = """
SELECT v.variant_id, v.count, v.applied_no, v.ceiling, v.set_aside_by_id IS NOT NULL,
  (SELECT coalesce(sum(quantity), 0) FROM store_reservation r WHERE r.variant_id = v.variant_id AND r.state <> 'ended'),
  (SELECT coalesce(sum(quantity), 0) FROM store_reservation r WHERE r.variant_id = v.variant_id
    AND r.state = 'checkout')
FROM store_variantstock v WHERE v.variant_id = ANY(%s) ORDER BY 1
"""
_OPEN_CREATES = """
SELECT o.reference, l.variant_id, l.quantity FROM store_command c JOIN store_order o ON o.reference = c.subject
JOIN store_orderline l ON l.order_id = o.id WHERE c.party_id = %s AND c.kind = 'create_order'
  AND c.state IN ('waiting', 'in_flight', 'dead')
"""


class Wrong(Exception):
    """Something that must hold does not; the message says what."""


def at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """The hand of a simulated shop acts at once, so its coroutines end without waiting."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        value: T = done.value
        return value
    raise AssertionError("the hand had to wait")


class Ledger:
    """`sold` counts what the shop took by itself, `seen` how much of it a read that was applied surely knew: those
    drawn after it.
    """

    def __init__(self, town: Town, shop: Sandbox, stock_of: tuple[int, ...]) -> None:
        self.town, self.shop = town, shop
        self.begun = stock_of
        self.sold = [0] * len(stock_of)
        self.seen = [0] * len(stock_of)
        self.found = [0] * len(stock_of)
        # Units of our orders that left with a cancel in the shop and were not put back.
        self.kept = [0] * len(stock_of)
        self._drawn: dict[int, tuple[int, ...]] = {}
        self._applied: dict[int, int] = {}
        self._place = {variant.pk: place for place, variant in enumerate(town.variants)}
        self._ref = {ref.variant_id: place for place, ref in enumerate(town.refs)}

    def drew(self, number: int) -> int:
        self._drawn[number] = tuple(self.sold)
        return number

    def counts(self) -> list[int]:
        return [at_once(self.shop.hand.count(ref)) for ref in self.town.refs]

    def ours(self) -> dict[str, list[Standing]]:
        """By our reference, cancelled ones too."""
        found: dict[str, list[Standing]] = {}
        for standing in at_once(self.shop.hand.orders()):
            if standing.reference:
                found.setdefault(standing.reference, []).append(standing)
        return found

    def _rows(self) -> list[VariantStock]:
        rows = VariantStock.objects.filter(pk__in=self._place).select_related("variant__connection").order_by("pk")
        return list(rows)

    def look(self, given: dict[str, Any], now: Any) -> None:
        """After a transaction: no more is offered than is there, save what the shop sold and no read could know.

        Raises Wrong.
        """
        drawn = self._drawn.get(given.get("read_no", -1))
        known: dict[int, tuple[Stock, int]] = {}
        checkouts = [0] * len(self.begun)
        with connection.cursor() as cursor:
            cursor.execute(_KNOWN, [list(self._place)])
            for pk, count, applied_no, ceiling, aside, held, in_checkouts in cursor.fetchall():
                place = self._place[pk]
                if drawn and applied_no != self._applied.get(pk):
                    self.seen[place] = max(self.seen[place], drawn[place])
                self._applied[pk] = applied_no
                checkouts[place] = in_checkouts
                known[place] = (Stock(count=count, applied_no=applied_no, ceiling=ceiling, set_aside=aside), held)
        offers = {
            place: rules.available(value, [Hold("all", held, HoldState.OWED)]) or 0
            for place, (value, held) in known.items()
        }
        if not any(offers.values()):
            return
        counts, claimed = self.counts(), self._claims(checkouts)
        for place, offered in offers.items():
            there = counts[place] + self.sold[place] - self.seen[place] - claimed[place]
            if offered > max(0, there):
                raise Wrong(f"more is promised than exists: {offered} of v{place} offered, {max(0, there)} there")

    def _claims(self, checkouts: list[int]) -> list[int]:
        """Units that promises of ours may still take out of the shop's counts: checkouts, and creates that are not
        settled and do not stand.
        """
        claimed, standing = list(checkouts), None
        with connection.cursor() as cursor:
            cursor.execute(_OPEN_CREATES, [self.town.party_id])
            for reference, variant_id, units in cursor.fetchall():
                standing = self.ours() if standing is None else standing
                if reference not in standing:
                    claimed[self._place[variant_id]] += units
        return claimed

    # At rest

    def at_first_rest(self) -> None:
        """Nobody asks for anything any more: whatever was fenced has ended by itself."""
        left = Reservation.objects.filter(variant_id__in=self._place, fence_no__isnull=False)
        for hold in left.exclude(state=HoldState.ENDED):
            raise Wrong(
                f"a hold is left for ever: {hold.quantity} of v{self._place[hold.variant_id]}"
                f" ({hold.cause.split(':')[0]})"
            )

    def at_rest(self, now: Any) -> None:
        """After one more read of everything."""
        standing = self.ours()
        copies = {copy.order_id: copy for copy in ShopCopy.objects.filter(connection=self.town.connection)}
        orders = list(Order.objects.filter(connection=self.town.connection).order_by("pk"))
        # The watch that runs each minute, when its time has come.
        root_causes.late_copies(now=now + 2 * root_causes.NOT_LANDED_AFTER)
        told = set(Alert.objects.filter(order__in=orders).values_list("order_id", "code"))
        for number, order in enumerate(orders):
            mine = standing.get(order.reference, [])
            self._order(f"order {number}", order, copies[order.pk], mine, {code for pk, code in told if pk == order.pk})
        strangers = set(standing) - {order.reference for order in orders}
        if strangers:
            raise Wrong(f"{len(strangers)} orders stand in the shop that nobody here knows")
        self._stock_at_rest(standing, orders, now)
        self._money(orders)
        broken = invariants.check(now=now)
        if broken:
            raise Wrong("; ".join(f"{sentence} {', '.join(found)}" for sentence, found in broken.items()))

    @staticmethod
    def _order(name: str, order: Order, copy: ShopCopy, mine: list[Standing], told: set[str]) -> None:
        living = [standing for standing in mine if not standing.cancelled]
        if len(living) > 1:
            raise Wrong(f"{name} stands in the shop {len(living)} times")
        if order.cancelled_at is not None:
            if living:
                raise Wrong(f"{name} is cancelled here and stands in the shop: an orphan")
            if order.reservations.exclude(state=HoldState.ENDED).exists():
                raise Wrong(f"{name} is cancelled and holds units for ever")
        elif not living:
            codes = {AlertCode.ORDER_REFUSED, AlertCode.CANCELLED_IN_SHOP, AlertCode.COMMAND_DEAD}
            if not told & {code.value for code in codes}:
                raise Wrong(f"{name} does not stand in the shop and nobody is told ({copy.state})")
        elif copy.shop_order_id != living[0].shop_id:
            raise Wrong(f"{name} stands as {living[0].shop_id} and is bound to {copy.shop_order_id or 'nothing'}")
        elif living[0].untaken and (copy.stock_taken or AlertCode.STOCK_NOT_TAKEN not in told):
            raise Wrong(f"{name} stands without its units and nobody is told")
        stood = sum(not standing.taken_back for standing in mine)
        if stood > 1 and order.cancelled_at is None and AlertCode.ORDER_DOUBLE not in told:
            raise Wrong(f"{name} stood {stood} times and nobody is told")

    def _stock_at_rest(self, standing: dict[str, list[Standing]], orders: list[Order], now: Any) -> None:
        counts = self.counts()
        taken = [0] * len(counts)
        for copies in standing.values():
            for copy in copies:
                for variant_id, units in copy.lines if not copy.cancelled else ():
                    taken[self._ref[variant_id]] += units
                for variant_id, units in copy.untaken if not copy.cancelled else ():
                    taken[self._ref[variant_id]] -= units
        holds = reservations.open_holds(self._place)
        kept = list(self.kept)
        # What its seller does not have, a shop need not put back.
        for line in OrderLine.objects.filter(order__in=orders, order__cancel_reason=CancelReason.NOT_AVAILABLE):
            kept[self._place[line.variant_id]] += line.quantity
        for row in self._rows():
            place = self._place[row.pk]
            goods = self.begun[place] + self.found[place] - self.sold[place] - taken[place]
            if counts[place] > goods:
                raise Wrong(f"v{place}: the shop counts {counts[place]} of {goods}, units were put back twice")
            if counts[place] < goods - kept[place]:
                raise Wrong(f"v{place}: the shop counts {counts[place]} of {goods}, units were never put back")
            if row.count != counts[place]:
                raise Wrong(f"v{place}: {counts[place]} in the shop, {row.count} believed here")
            free = max(0, counts[place] - sum(hold.quantity for hold in holds[row.pk]))
            offered = rules.available(reservations.as_value(row, now=now), [hold.value() for hold in holds[row.pk]])
            if row.set_aside_by_id is None and offered != free:
                raise Wrong(f"v{place}: {free} are free, {offered} are offered")
            below = Alert.objects.filter(code=AlertCode.STOCK_BELOW_ZERO, listing=row.variant.listing).exists()
            if counts[place] < 0 and not below:
                raise Wrong(f"v{place}: the shop counts {counts[place]} and nobody is told")

    def _money(self, orders: list[Order]) -> None:
        """A payment is an order or goes back, once."""
        for order in orders:
            back = Command.objects.filter(kind=CommandKind.REFUND_PAYMENT, payload__order=order.reference).count()
            if back != (1 if order.cancelled_at else 0):
                raise Wrong(f"an order's money goes back {back} times")
        for intent in PaymentIntent.objects.filter(
            basket__parts__contains=[{"seller": self.town.seller.pk}], state="abandoned"
        ):
            back = Command.objects.filter(kind=CommandKind.REFUND_PAYMENT, payload__intent=intent.public_id).count()
            if back != 1:
                raise Wrong(f"the money of a purchase that came too late goes back {back} times")


def quiet(town: Town) -> bool:
    """Nothing of ours is waiting to be done."""
    return not (
        Command.objects.filter(
            party_id=town.party_id, state__in=(CommandState.WAITING, CommandState.IN_FLIGHT)
        ).exists()
        or VariantStock.objects.filter(variant__connection=town.connection, want_no__gt=0).exists()
        or ShopCopy.objects.filter(connection=town.connection, read_wanted=True).exists()
        or ShopCopy.objects.filter(connection=town.connection, state=CopyState.SENT, order__cancelled_at=None).exists()
        or town.connection.party.deliveries.filter(handled_at=None).exists()
        or Reservation.objects.filter(variant__connection=town.connection, state=HoldState.CHECKOUT).exists()
    )
