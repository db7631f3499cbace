"""What a seller fixes about a shop: how much of its stock is never sold here, which locations count, what happens when
it is silent at checkout, whether parcels entered here are written into it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from crossdock.domain.team.roles import Duty
from crossdock.store.models import Connection, Cursor, Listing, Movement, User, Variant, VariantStock
from crossdock.store.models.shops import NoAnswer
from crossdock.store.models.stock import next_stock_no
from crossdock.store.work import wake
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.record.rights import require
from crossdock.usecases.stock.reservations import available_locked, left_of, locked, movement, promised

MOST_BUFFER = 10_000
MOST_LISTINGS = 500


@dataclass(frozen=True, slots=True)
class Limits:
    """`buffer` is never sold, below `floor` in the shop nothing is shown, and never more than `most` is shown.

    None follows the shop's (or no limit).
    """

    buffer: int | None = None
    floor: int | None = None
    most: int | None = None

    def check(self) -> None:
        """Raises Invalid."""
        if any(
            number is not None and not 0 <= number <= MOST_BUFFER for number in (self.buffer, self.floor, self.most)
        ):
            raise Invalid(f"Type numbers from 0 to {MOST_BUFFER:,}.")
        if self.most == 0:
            raise Invalid("At most 0 would sell nothing; leave the listing out instead.")


def choose_settings(
    *,
    connection: Connection,
    buffer: int,
    settings: Mapping[str, str],
    actor: User,
    now: datetime,
    limits: Limits | None = None,
    no_answer: str = "",
    push_fulfilments: bool | None = None,
) -> None:
    """`settings` replaces the named ones. When one of them changes (other locations), every count is read again, and
    nothing sells on the old ones.

    Without `limits` floor and most stay as they are (connecting again).
    """
    require(actor, connection.seller)
    if not 0 <= buffer <= MOST_BUFFER:
        raise Invalid(f"Type how many units to keep back, from 0 to {MOST_BUFFER:,}.")
    if limits is not None:
        limits.check()
    if no_answer and no_answer not in NoAnswer.values:
        raise Invalid("Choose what happens when your shop does not answer.")
    if "location" in settings:
        _known_places(connection, settings["location"])
    with transaction.atomic():
        shop = Connection.objects.select_for_update(no_key=True, of=("self",)).get(pk=connection.pk)
        changed = {name: value for name, value in settings.items() if shop.settings.get(name, "") != value}
        shop.buffer, shop.settings = buffer, {**shop.settings, **changed}
        if limits is not None:
            shop.floor, shop.most_shown = limits.floor or 0, limits.most
        shop.no_answer = no_answer or shop.no_answer
        if push_fulfilments is not None:
            shop.push_fulfilments = push_fulfilments
        shop.save(update_fields=["buffer", "floor", "most_shown", "no_answer", "push_fulfilments", "settings"])
        if changed:
            count_anew(shop)
            Cursor.objects.filter(connection=shop, stream="counts").update(due_at=now)
            wake([shop.party_id])


def push_fulfilments(*, connection: Connection, on: bool, actor: User) -> None:
    """Whether parcels entered here are written into the shop from now on."""
    require(actor, connection.seller)
    Connection.objects.filter(pk=connection.pk).update(push_fulfilments=on)


def _known_places(connection: Connection, chosen: str) -> None:
    known = {str(place[0]) for place in connection.settings.get("location_names", [])}
    if not set(filter(None, chosen.split(","))) <= known:
        raise Invalid("Your shop has no such location (any more). Test the connection, then choose again.")


def keep_locations(*, connection: Connection, locations: Sequence[Sequence[str]]) -> None:
    """The locations (id, name) that the shop has now, as the connection test found them.

    Those that count stay chosen.
    """
    if locations:
        with transaction.atomic():
            row = Connection.objects.select_for_update(no_key=True, of=("self",)).get(pk=connection.pk)
            row.settings = {**row.settings, "location_names": [list(place) for place in locations]}
            row.save(update_fields=["settings"])


def count_anew(shop: Connection) -> None:
    """As `distrust` of the stock protocol, for all variants at once: what was read under the other choice sells
    nothing until it is read again.
    """
    rows = VariantStock.objects.filter(variant__connection=shop, variant__gone=False)
    ids = list(rows.select_for_update(no_key=True, of=("self",)).order_by("pk").values_list("pk", flat=True))
    no = next_stock_no()
    VariantStock.objects.filter(pk__in=ids).update(ceiling=0, ceiling_no=no, want_no=no)


def set_limits(*, listings: Iterable[Listing], limits: Limits, actor: User, now: datetime) -> int:
    """Each listing's own limits, for all its variants.

    Returns how many listings; every change is a line of the flight recorder.
    """
    limits.check()
    chosen = list(listings)
    if len(chosen) > MOST_LISTINGS:
        raise Invalid(f"At most {MOST_LISTINGS} listings at once.")
    for listing in chosen:
        require(actor, listing.seller, "This listing is not yours.", duty=Duty.LISTINGS)
    words = (
        f"limits: {_words('kept back', limits.buffer)}, {_words('floor', limits.floor)},"
        f" {_words('at most', limits.most)}"
    )
    with transaction.atomic():
        pks = Variant.objects.filter(listing__in=chosen).values_list("pk", flat=True)
        rows = locked(pks)
        for row in rows.values():
            row.buffer, row.floor, row.most_shown = limits.buffer, limits.floor, limits.most
        VariantStock.objects.bulk_update(rows.values(), ["buffer", "floor", "most_shown"], batch_size=500)
        Movement.objects.bulk_create(
            movement(
                variant_id=pk, now=now, kind="limits", cause=words, actor=actor, left=available_locked(row, now=now)
            )
            for pk, row in rows.items()
        )
    return len(chosen)


def left_with(*, listing: Listing, limits: Limits, now: datetime) -> list[tuple[Variant, int | None, int | None]]:
    """Each variant with what may be sold now and what could be with these limits; None is unknown. Nothing is written.

    Raises Invalid.
    """
    limits.check()
    rows = VariantStock.objects.filter(variant__listing=listing, variant__gone=False).select_related(
        "variant__connection"
    )
    held = promised(row.pk for row in rows)
    found = []
    for row in rows.order_by("pk"):
        before = left_of(row, held.get(row.pk, 0), now=now)
        row.buffer, row.floor, row.most_shown = limits.buffer, limits.floor, limits.most
        found.append((row.variant, before, left_of(row, held.get(row.pk, 0), now=now)))
    return found


def _words(name: str, number: int | None) -> str:
    return f"{name} {'as the shop' if number is None else number}"


def sync_now(*, connection: Connection, actor: User, now: datetime) -> None:
    """Everything is due at once; what waited is tried again."""
    require(actor, connection.seller, duty=Duty.LISTINGS)
    if connection.state != "active":
        raise NotAllowed("The shop is not active; nothing is read from it now.")
    with transaction.atomic():
        Cursor.objects.filter(connection=connection).exclude(stream="recount").update(due_at=now)
        wake([connection.party_id])
