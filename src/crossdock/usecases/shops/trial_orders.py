"""Test orders: a seller has one made in their shop, read back and cancelled, before anybody buys."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from crossdock.domain.commands import CommandKind, CreateOrder, Line
from crossdock.domain.trial_order import TrialOrder
from crossdock.domain.values import Address, Money
from crossdock.store.ids import reference_tail
from crossdock.store.models import Command, Connection, User, Variant
from crossdock.store.models.shops import ConnectionState
from crossdock.store.models.work import CommandState
from crossdock.usecases.errors import Invalid, Stale
from crossdock.usecases.outbox.payloads import TRIAL
from crossdock.usecases.outbox.queue import command_to, enqueue_all
from crossdock.usecases.record.audit import note
from crossdock.usecases.record.rights import require
from crossdock.usecases.stock.reservations import availability

# So many units must be free: the test takes one for a moment, and a buyer may come meanwhile.
LEAST = 2
_A_DAY = 20
_LOOKED_AT = 200
_OPEN = (CommandState.WAITING, CommandState.IN_FLIGHT)


@dataclass(frozen=True, slots=True)
class Trial:
    """One test order as its seller sees it. `sentence` is why it waits, or how it ended where that is not a step."""

    order: TrialOrder
    state: CommandState
    sentence: str
    asked_at: datetime

    @property
    def running(self) -> bool:
        return self.state in _OPEN

    @property
    def passed(self) -> bool:
        """Every step well, and nothing left in the shop."""
        ended = self.state == CommandState.DONE and not self.order.stands
        return ended and bool(self.order.steps) and all(step.ok is not False for step in self.order.steps)


@dataclass(frozen=True, slots=True)
class Fit:
    """What a test order may be of, and how many are free."""

    variant: Variant
    free: int


def trials_of(connection: Connection, *, limit: int = 5) -> list[Trial]:
    """Newest first."""
    rows = Command.objects.filter(party_id=connection.party_id, kind=CommandKind.TRY_ORDER).order_by("-pk")
    return [
        Trial(TRIAL.validate_python(row.payload), CommandState(row.state), row.sentence, row.created_at)
        for row in rows[:limit]
    ]


def fit_for_trial(connection: Connection, *, now: datetime, most: int = 20) -> list[Fit]:
    """Most of them first."""
    rows = Variant.objects.filter(connection=connection, gone=False, listing__gone_in_shop=False)
    rows = rows.filter(listing__active_in_shop=True, listing__not_chosen="", stock__count__gte=LEAST).select_related(
        "listing", "connection"
    )
    variants = list(rows.order_by("-stock__count", "pk")[:_LOOKED_AT])
    free = availability(variants=variants, now=now)
    fit = [Fit(variant, left) for variant in variants if (left := free[variant.pk] or 0) >= LEAST]
    return sorted(fit, key=lambda each: -each.free)[:most]


def try_order(*, connection: Connection, variant: Variant, ship_to: Address, actor: User, now: datetime) -> None:
    """Ask for one; while one is under way, pressing again asks for no other. Raises NotAllowed, Invalid, Stale."""
    require(actor, connection.seller)
    with transaction.atomic():
        shop = Connection.objects.select_for_update(no_key=True, of=("self",)).get(pk=connection.pk)
        mine = Command.objects.filter(party_id=shop.party_id, kind=CommandKind.TRY_ORDER)
        if mine.filter(state__in=_OPEN).exists():
            return
        if shop.state != ConnectionState.ACTIVE:
            raise Invalid("Your shop is not connected now; resume or reconnect it first.")
        if mine.filter(created_at__gt=now - timedelta(days=1)).count() >= _A_DAY:
            raise Invalid(f"{_A_DAY} test orders a day are enough; go on tomorrow.")
        if variant.connection_id != shop.pk:
            raise Invalid("Choose one of this shop's products.")
        free = availability(variants=[variant], now=now)[variant.pk] or 0
        if free < LEAST:
            raise Stale(f"Only {free} of “{variant}” are free now; choose something of which there are {LEAST}.")
        reference = f"CD-TEST-{reference_tail()}{reference_tail()}"
        trial = TrialOrder(_create(reference, variant, ship_to, now=now))
        payload = TRIAL.dump_python(trial, mode="json")
        kind = CommandKind.TRY_ORDER
        command = command_to(
            party_id=shop.party_id, cause=f"try:{reference}", subject=reference, kind=kind, payload=payload, now=now
        )
        enqueue_all([command])
        note(actor=actor, action="test order", subject=shop.name, now=now, detail={"reference": reference})


def _create(reference: str, variant: Variant, ship_to: Address, *, now: datetime) -> CreateOrder:
    listing = variant.listing
    return CreateOrder(
        reference=reference,
        lines=(Line(listing.shop_product_id, variant.shop_variant_id, variant.sku, str(variant), 1, variant.price),),
        shipping=Money.zero(listing.currency),
        ship_to=ship_to,
        email=f"{reference.lower()}@orders.invalid",
        placed_at=now,
        note="A test order of the marketplace. It is cancelled by itself in a moment; do not ship it.",
    )


def keep(*, command_id: int, trial: TrialOrder) -> None:
    """What is known of it so far. Under the shop's lease, so nobody else writes it."""
    Command.objects.filter(pk=command_id).update(payload=TRIAL.dump_python(trial, mode="json"))
