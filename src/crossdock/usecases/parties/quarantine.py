"""What could not be read stands by itself: the rest of its page is taken, it is tried again by itself, people read
why, and it heals with its next good news.
"""

import hashlib
import re
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Exists, Min, OuterRef, Q, QuerySet

from crossdock.domain.alerts import AlertCode
from crossdock.domain.events import LookKind, Unreadable
from crossdock.domain.health import Stream
from crossdock.domain.redact import redact_text
from crossdock.domain.storable import storable
from crossdock.store.models import Connection, Cursor, Order, Quarantined, ShopCopy, User
from crossdock.store.models.quarantine import STANDING, QuarantineKind, QuarantineState
from crossdock.store.models.shops import ConnectionState
from crossdock.usecases.errors import Invalid, Problem
from crossdock.usecases.record.alerts import raise_alert, reword_alert, settle_by_fact

T = TypeVar("T")
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=5), timedelta(hours=6)
_PLACE = re.compile(r"\[\d*\]")
_LONGEST_TRACE, _NAMED, _MOST_SHOWN = 8000, 5, 20
# A row without a readable id cannot be asked for; when its page has not shown it for so long, it is over.
_UNSEEN = timedelta(days=1)
_WORDS = {
    QuarantineKind.ORDER: ("order", "orders"),
    QuarantineKind.PRODUCT: ("product", "products"),
    QuarantineKind.COUNTS: ("count", "counts"),
    QuarantineKind.DELIVERY: ("message", "messages"),
    QuarantineKind.COMMAND: ("answer", "answers"),
}
MEANING = {
    QuarantineKind.ORDER: "What your shop says about it now is not known here; ship by what your shop shows.",
    QuarantineKind.PRODUCT: "Its listing keeps the price and text that were read last.",
    QuarantineKind.COUNTS: "It is not sold here until its count can be read.",
    QuarantineKind.DELIVERY: "What it is about is read again regularly.",
    QuarantineKind.COMMAND: "Whether your shop did it is looked up again; nothing is done twice.",
}


@dataclass(frozen=True, slots=True)
class Trip:
    """One thing that tripped. `entity` is the party's own id of it; empty when not even that could be read. What is not
    `ours`, an order of the shop's own customers, is kept for staff to see and troubles nobody.
    """

    kind: QuarantineKind
    entity: str
    cause: str
    path: str = ""
    trace: str = ""
    order_id: int | None = None
    ours: bool = True

    @property
    def key(self) -> str:
        return key_of(self.kind, self.entity, f"{self.cause}{self.path}")


def key_of(kind: str, entity: str, else_by: str = "") -> str:
    """Two things never share one, however long or odd their ids are."""
    if not entity:
        return f"{kind}:?{_short(else_by)}"
    kept = storable(entity)[:200]
    return f"{kind}:{kept}" if kept == entity else f"{kind}:{kept[:180]}?{_short(entity)}"


def of_database(error: BaseException) -> bool:
    """The database itself is in trouble: nobody's row is to blame, and trying again helps.

    Class 54 (a value too large for an index, and the like) has the same type and concerns the row.
    """
    state = str(getattr(error.__cause__, "sqlstate", "") or "")
    return isinstance(error, OperationalError | InterfaceError) and not state.startswith("54")


def trip_of(
    kind: QuarantineKind,
    entity: str,
    error: BaseException,
    *,
    sentence: str = "",
    path: str = "",
    order_id: int | None = None,
    ours: bool = True,
) -> Trip:
    """What tripped, in words: `sentence` if somebody has one, a Problem's own otherwise."""
    own = str(error) if isinstance(error, Problem) else ""
    cause = sentence or own or f"This {_WORDS[kind][0]} could not be read ({type(error).__name__})."
    trace = "".join(traceback.format_exception(error))[-_LONGEST_TRACE:]
    return Trip(kind, entity, cause, path, trace, order_id, ours)


def of_row(row: Unreadable) -> Trip:
    kinds = {LookKind.ORDER: QuarantineKind.ORDER, LookKind.COUNTS: QuarantineKind.COUNTS}
    kind = kinds.get(row.kind, QuarantineKind.PRODUCT)
    return Trip(kind, row.entity_id, row.cause, row.path, row.trace[-_LONGEST_TRACE:], ours=row.ours)


class PageTripped(Exception):
    """Nothing on a page could be read: the shop's failure. The message is a sentence; nothing was kept."""

    def __init__(self, kind: QuarantineKind, trips: Sequence[Trip]) -> None:
        super().__init__(
            f"None of the {len(trips)} {_WORDS[kind][1]} on a page could be read: {trips[0].cause} Perhaps the"
            " platform changed its format."
        )
        self.trace = trips[0].trace


@dataclass(slots=True)
class Tally:
    """What came of taking rows in: how many things were new, how many that are known changed, how many rows tripped."""

    new: int = 0
    changed: int = 0
    tripped: int = 0

    @property
    def any(self) -> bool:
        return bool(self.new or self.changed or self.tripped)


@dataclass(slots=True)
class Intake:
    """Rows of one kind being taken in, each by itself. `end` writes what tripped and heals what did not."""

    kind: QuarantineKind
    taken: list[str] = field(default_factory=list)
    trips: list[Trip] = field(default_factory=list)

    def take(self, entity: str, work: Callable[[], object], *, order_id: int | None = None) -> bool:
        """In a savepoint of its own. False when it tripped."""
        try:
            if storable(entity) != entity:
                raise Invalid("Its id holds characters that cannot be kept.")
            with transaction.atomic():
                work()
        except Exception as error:
            if of_database(error):
                raise
            self.trips.append(trip_of(self.kind, entity, error, order_id=order_id))
            return False
        self.taken.append(entity)
        return True

    def take_all(self, rows: Mapping[str, T], work: Callable[[list[T]], object]) -> None:
        """All of them at once, which costs least; one by one only when something among them trips."""
        clean = {entity: row for entity, row in rows.items() if storable(entity) == entity}
        try:
            with transaction.atomic():
                work([*clean.values()])
            self.taken += clean
            rows = {entity: row for entity, row in rows.items() if entity not in clean}
        except Exception as error:
            if of_database(error):
                raise
        for entity, row in rows.items():
            self.take(entity, partial(work, [row]))

    def refuse(self, rows: Iterable[Unreadable]) -> None:
        self.trips += [of_row(row) for row in rows]

    def end(
        self,
        *,
        connection_id: int,
        now: datetime,
        call: str = "",
        calls: Mapping[str, str] | None = None,
        page: bool = False,
    ) -> int:
        """How many tripped. `calls`: the call that brought it by the trip's key, where several did.

        Of a `page`, all of several rows are not their failure: raises PageTripped."""
        ours = [trip for trip in self.trips if trip.ours]
        if page and not self.taken and len(ours) > 1:
            raise PageTripped(self.kind, ours)
        aside = Quarantined.objects.filter(party=OuterRef("party")).exclude(state=QuarantineState.HEALED)
        shops = Connection.objects.filter(pk=connection_id)
        party_id, any_aside = shops.values_list("party_id", Exists(aside)).get()
        if any_aside:
            heal(party_id=party_id, kind=self.kind, entities=self.taken, now=now)
        hold(party_id=party_id, trips=self.trips, call=call, calls=calls, now=now)
        return len(self.trips)


def hold(
    *,
    party_id: int,
    trips: Sequence[Trip],
    now: datetime,
    call: str = "",
    calls: Mapping[str, str] | None = None,
    quiet: bool = False,
) -> None:
    """Keep each, with its own of `calls` or with `call`, or count one more try of it.

    `quiet`: the seller is told only when it tripped three times."""
    if not trips:
        return
    with transaction.atomic():
        shop = Connection.objects.select_related("seller__owner", "party").filter(party_id=party_id).first()
        fresh: set[str] = set()
        for trip in {trip.key: trip for trip in trips}.values():
            row, before = _keep(party_id, shop, trip, call=(calls or {}).get(trip.key, call), now=now)
            if shop is not None and before and (before != row.cause or row.state not in STANDING):
                _over(shop, before, how="It has another cause now.", now=now)
            told = row.tries in ((3,) if quiet else (1, 3)) or (before not in ("", row.cause) and row.tries > 3)
            if row.state in STANDING and told:
                fresh.add(row.cause)
        if shop is None:
            return
        orders = [trip.entity for trip in trips if trip.kind == QuarantineKind.ORDER and trip.entity]
        # The table's own time brings it back; the wish would be asked for without a pause.
        ShopCopy.objects.filter(connection=shop, shop_order_id__in=map(storable, orders)).update(read_wanted=False)
        wind(shop.pk)
        for cause in fresh:
            _tell(shop, cause, now=now)


def _keep(party_id: int, shop: Connection | None, trip: Trip, *, call: str, now: datetime) -> tuple[Quarantined, str]:
    """The row, and the cause that it had before."""
    # Where it was in a list is not its cause: read by itself it is the same trouble.
    cause = _PLACE.sub("", storable(redact_text(trip.cause[:400])))[:400]
    rows = Quarantined.objects.select_for_update(no_key=True, of=("self",))
    row = rows.filter(party_id=party_id, key=trip.key).first() or Quarantined(
        party_id=party_id, connection=shop, kind=trip.kind, key=trip.key, entity=storable(trip.entity)[:200], tries=0
    )
    row.order_id = trip.order_id or row.order_id or _order_of(shop, trip)
    # Known as the copy of an order of ours, whatever it says itself.
    ours = trip.ours or row.order_id is not None
    before = row.cause if row.state in STANDING else ""
    left = row.state == QuarantineState.DISMISSED and row.cause == cause
    again = row.state in STANDING or left or (row.state == QuarantineState.FOREIGN and not ours)
    if row.pk is None or not again:
        row.first_at, row.tries, row.state, row.ended_at, row.ended_by = now, 0, QuarantineState.HELD, None, None
    if not ours and row.state in STANDING:
        row.state = QuarantineState.FOREIGN
    if row.state == QuarantineState.RELEASED:
        row.state = QuarantineState.HELD
    row.cause, row.path, row.last_at, row.tries = cause, storable(trip.path)[:200], now, row.tries + 1
    row.trace = storable(redact_text(trip.trace))
    row.call = call or row.call
    row.next_try_at = now + _wait(row.tries) if row.state in STANDING else None
    row.save()
    return row, before


def _wait(tries: int) -> timedelta:
    return min(_LONGEST_WAIT, _FIRST_WAIT * (1 << min(tries - 1, 12)))


def _order_of(shop: Connection | None, trip: Trip) -> int | None:
    if shop is None or trip.kind != QuarantineKind.ORDER or not trip.entity:
        return None
    copies = ShopCopy.objects.filter(connection=shop, shop_order_id=storable(trip.entity))
    return copies.values_list("order_id", flat=True).first()


def heal(*, party_id: int, kind: QuarantineKind, entities: Iterable[str], now: datetime) -> None:
    """They were taken in: what stood here of them is over."""
    keys = [key_of(kind, entity) for entity in entities]
    rows = Quarantined.objects.filter(party_id=party_id, key__in=keys).exclude(state=QuarantineState.HEALED)
    if keys:
        end_rows(rows, QuarantineState.HEALED, how="It could be read now.", now=now)


def end_rows(
    rows: QuerySet[Quarantined], state: QuarantineState, *, how: str, now: datetime, actor: User | None = None
) -> int:
    with transaction.atomic():
        found = list(rows.select_for_update(no_key=True, of=("self",)).order_by("pk"))
        for row in found:
            row.state, row.ended_at, row.ended_by, row.next_try_at = state, now, actor, None
        Quarantined.objects.bulk_update(found, ["state", "ended_at", "ended_by", "next_try_at"], batch_size=500)
        for shop_id, cause in {(row.connection_id, row.cause) for row in found if row.connection_id}:
            shop = Connection.objects.select_related("seller__owner").get(pk=shop_id)
            _over(shop, cause, how=how, now=now)
    return len(found)


def _over(shop: Connection, cause: str, *, how: str, now: datetime) -> None:
    """Something is no longer held for this cause: its alert names the others, or is settled."""
    if standing(connection_id=shop.pk).filter(cause=cause).exists():
        _tell(shop, cause, now=now, news=False)
    else:
        codes = (AlertCode.NOT_UNDERSTOOD,)
        settle_by_fact(now=now, how=how, codes=codes, connection=shop, key=_alert_key(shop.pk, cause))


def standing(*, connection_id: int) -> QuerySet[Quarantined]:
    return Quarantined.objects.filter(connection_id=connection_id, state__in=STANDING)


def due(*, connection_id: int, limit: int, now: datetime) -> list[Quarantined]:
    """Those of a shop that are to be tried now; each is put off at once, so that a try that dies is no loop."""
    with transaction.atomic():
        found = _taken_up(standing(connection_id=connection_id), limit=limit, now=now)
        over = [row.pk for row in found if not row.entity and row.last_at < now - _UNSEEN]
        if over:
            how = "The shop does not show it any more."
            end_rows(Quarantined.objects.filter(pk__in=over), QuarantineState.HEALED, how=how, now=now)
        wind(connection_id)
    return [row for row in found if row.entity and row.kind != QuarantineKind.COMMAND]


def due_elsewhere(*, limit: int, now: datetime) -> list[Quarantined]:
    """What deliveries said of parties that no pump visits for it: gateways, carriers, shops that are closed."""
    with transaction.atomic():
        rows = Quarantined.objects.filter(state__in=STANDING, kind=QuarantineKind.DELIVERY)
        elsewhere = rows.filter(Q(connection=None) | ~Q(connection__state=ConnectionState.ACTIVE))
        return _taken_up(elsewhere.select_related("party"), limit=limit, now=now)


def _taken_up(rows: QuerySet[Quarantined], *, limit: int, now: datetime) -> list[Quarantined]:
    due_rows = rows.filter(next_try_at__lte=now).order_by("next_try_at")
    found = list(due_rows.select_for_update(no_key=True, skip_locked=True, of=("self",))[:limit])
    for row in found:
        row.next_try_at = now + _wait(row.tries + 1)
    Quarantined.objects.bulk_update(found, ["next_try_at"])
    return found


def wind(connection_id: int) -> None:
    """The stream's timer stands at the first try that is due."""
    first = standing(connection_id=connection_id).aggregate(at=Min("next_try_at"))["at"]
    if first is not None:
        Cursor.objects.update_or_create(
            connection_id=connection_id, stream=Stream.QUARANTINE, defaults={"due_at": first}
        )


# What people read


def _tell(shop: Connection, cause: str, *, now: datetime, news: bool = True) -> None:
    """One alert per cause and shop, with what it means."""
    rows = list(standing(connection_id=shop.pk).filter(cause=cause).select_related("order").order_by("-last_at")[:200])
    if not rows:
        return
    kind = QuarantineKind(rows[0].kind)
    what = f"1 {_WORDS[kind][0]}" if len(rows) == 1 else f"{len(rows)} {_WORDS[kind][1]}"
    named = [f"#{row.order.number}" if row.order else row.entity for row in rows if row.order or row.entity][:_NAMED]
    which = f" ({', '.join(named)}{', …' if len(rows) > len(named) else ''})" if named else ""
    sentence = (
        f"{what}{which} of {shop.name} could not be read: {cause} {MEANING[kind]} Everything else goes on. We try"
        " again by ourselves, and our staff see it."
    )
    evidence = {"cause": cause, "entities": named, "count": len(rows)}
    key = _alert_key(shop.pk, cause)
    if news:
        raise_alert(
            code=AlertCode.NOT_UNDERSTOOD,
            seller=shop.seller,
            connection=shop,
            key=key,
            now=now,
            sentence=sentence,
            evidence=evidence,
        )
        return
    for alert in shop.alerts.filter(code=AlertCode.NOT_UNDERSTOOD, settled_at=None, key__endswith=f":{key}"):
        reword_alert(alert=alert, sentence=sentence, evidence=evidence)


def _alert_key(connection_id: int, cause: str) -> str:
    return f"odd:{connection_id}:{_short(cause)}"


def _short(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def of_order(*, order: Order) -> QuerySet[Quarantined]:
    """What the order's page says."""
    return order.quarantined.filter(state__in=STANDING).order_by("first_at")


def in_words(rows: QuerySet[Quarantined]) -> list[tuple[Quarantined, str]]:
    """Each with what it means, for a page."""
    return [(row, MEANING[QuarantineKind(row.kind)]) for row in rows.order_by("-last_at")[:_MOST_SHOWN]]
