"""The shop's count after an order or a part of it ended, and the seller's hand on it from here. Decided by evidence,
never by comparing counts.

A count that looks unrestored may have been restored and sold since (stock protocol, C5): so what nobody knows is shown
to a person with both counts.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import transaction

from crossdock.domain import stock as rules
from crossdock.domain.alerts import AlertCode
from crossdock.domain.capability import Capability, Manifest
from crossdock.domain.commands import AdjustStock, CancelLines, CancelOrder, CancelReason, CommandKind
from crossdock.domain.orders import CopyState
from crossdock.domain.team.roles import Duty
from crossdock.store.models import Command, Order, ShopCopy, User, Variant
from crossdock.store.models.catalogue import ListingState
from crossdock.store.models.shops import ConnectionState
from crossdock.store.models.work import CommandState
from crossdock.usecases.errors import Invalid, NotAllowed, Stale
from crossdock.usecases.outbox.payloads import ADJUST
from crossdock.usecases.outbox.queue import adjust_stock_command
from crossdock.usecases.record.rights import require
from crossdock.usecases.record.telling import Telling
from crossdock.usecases.stock.linked import CAUSE, settled_by_count, told_of
from crossdock.usecases.stock.reservations import availability, locked, record, set_aside, want_reads

# What is not on the shelf is not put back on it.
GONE_FROM_SHELF = {CancelReason.DAMAGED: "it is damaged", CancelReason.LOST: "it is lost"}
GONE = frozenset({CancelReason.NOT_AVAILABLE, *GONE_FROM_SHELF})
CORRECTION = "stock:"


def after_ending(
    *,
    order: Order | None,
    ended: CancelOrder | CancelLines,
    key: str,
    already: bool,
    restores: bool,
    keeps_out: bool,
    told: Telling,
) -> None:
    """What an order or a part of it that ended means for the shop's own count.

    `restores`: the platform puts units back by itself; `keeps_out`: not those that are gone. `key` is the command's
    cause.
    """
    copy = ShopCopy.objects.filter(order=order, shop_order_id=ended.shop_order_id).first() if order else None
    if order is None or copy is None:
        return
    lines = list(order.lines.select_related("variant__listing__seller", "variant__connection", "variant__stock"))
    if isinstance(ended, CancelOrder):
        units = {line.variant: line.quantity - line.rejected for line in lines if line.quantity > line.rejected}
    else:
        taken_out = dict(ended.lines)
        units = {line.variant: taken_out[line.shop_variant_id] for line in lines if line.shop_variant_id in taken_out}
    reason = ended.reason
    if reason in GONE_FROM_SHELF and restores and (already or not keeps_out):
        # The shop counts them again though they are gone, so its count must not be sold from until the seller looked.
        set_aside(order=order, told=told, only=[variant.pk for variant in units], why=GONE_FROM_SHELF[reason])
    put_back(
        order=order,
        units=units,
        reason=reason,
        taken=copy.stock_taken,
        already=already,
        restores=restores,
        key=key,
        told=told,
    )


def put_back(
    *,
    order: Order,
    units: Mapping[Variant, int],
    reason: CancelReason,
    taken: bool,
    already: bool,
    restores: bool,
    key: str,
    told: Telling,
) -> None:
    """Rule 10, in the transaction that settles the cancel: +units once, where the platform never restores and our own
    call did it.

    `taken` is the proof that the shop had taken the units; `already` that somebody else, or an earlier try of ours,
    cancelled.
    """
    if restores or reason in GONE or not order.connection:
        return
    for variant, count in units.items():
        cause = f"{key}:{variant.public_id}"
        sent = Command.objects.filter(cause=f"adjust:{cause}"[:120]).exists()
        if taken and rules.may_adjust(restores=restores, ours=not already, sent=sent, repeatable=False):
            adjust_stock_command(
                party=order.connection.party,
                subject=order.reference,
                now=told.now,
                command=AdjustStock(
                    variant.listing.shop_product_id, variant.shop_variant_id, count, cause, f"order {order}: put back"
                ),
            )
            told.tell(
                order=order,
                source="marketplace",
                kind="put_back",
                sentence=(
                    f"{order.connection.name} puts nothing back by itself: its count of “{variant}” is raised by"
                    f" {count} from here, once."
                ),
            )
        elif not sent:
            why = "it was cancelled there already" if already else "it never said that it took the units"
            ask_to_compare(
                order=order,
                variants=[variant],
                told=told,
                sentence=(
                    f"Order {order} was cancelled in {order.connection.name}, and {why}, so nobody here knows whether"
                    f" it put {count} × “{variant}” back. No count was changed."
                ),
            )


def gone_is_set_aside(
    *, order: Order, copy: ShopCopy | None, reasons: Mapping[int, CancelReason], told: Telling
) -> None:
    """S4b: what the seller does not have is not sold again before they counted. `reasons` by variant.

    What is damaged or lost is set aside at once where no shop took it out of its count, otherwise when the shop has
    ended it (`after_ending`).
    """
    there = stands(copy) and copy is not None and copy.acknowledged_at is not None
    for reason in set(reasons.values()) & (GONE - GONE_FROM_SHELF.keys() if there else GONE):
        only = [variant for variant, its in reasons.items() if its is reason]
        set_aside(order=order, told=told, only=only, why=GONE_FROM_SHELF.get(reason, "you don't have it"))


def stands(copy: ShopCopy | None) -> bool:
    """Whether the shop has, or may have, the order open."""
    return copy is not None and not copy.cancelled_there and copy.state not in (CopyState.REFUSED, CopyState.CANCELLED)


def sets_aside(reason: CancelReason | None, copy: ShopCopy | None, manifest: Manifest | None, *, whole: bool) -> bool:
    """Whether this reason ends the sale of what is rejected until its seller has counted."""
    kept_out = (
        manifest is not None and (CommandKind.CANCEL_ORDER if whole else CommandKind.CANCEL_LINES) in manifest.keeps_out
    )
    return reason is CancelReason.NOT_AVAILABLE or (reason in GONE and not (stands(copy) and kept_out))


def fate_of_units(reason: CancelReason | None, copy: ShopCopy | None, manifest: Manifest | None, *, whole: bool) -> str:
    """What a reject would do to the stock, as the seller reads it before it happens."""
    if sets_aside(reason, copy, manifest, whole=whole):
        return "Set aside: it is not sold again until you have counted and confirmed."
    if copy is None:
        return "The units can be sold here again at once."
    if reason in GONE:
        return "Not put back: your shop's count stays without them."
    if copy.cancelled_there:
        return "We change no count. Your shop's own count is read again and sold from."
    if not stands(copy) or copy.state == CopyState.INTENDED:
        return "Your shop's count stays as it is; it is read again."
    if whole and manifest is not None and not manifest.can(Capability.ORDER_CANCEL):
        return "Your shop's count changes when you cancel the order there."
    if whole or (manifest is not None and manifest.can(Capability.LINES_CANCEL)):
        if manifest is not None and not manifest.can(Capability.CANCEL_RESTORES):
            return f"Your shop's count is read again. {manifest.sentence(Capability.CANCEL_RESTORES)}"
        return "Your shop puts the units back itself; its count is then read again."
    return "Your shop's count changes when you take the units out there."


def offer_to_list_again(*, order: Order, variants: Iterable[Variant], told: Telling) -> None:
    """S4a: an archived listing keeps its place, so the units of an ended order return to it; whether it is sold again
    the seller says.
    """
    for variant in variants:
        listing = variant.listing
        if listing.state == ListingState.ARCHIVED:
            told.raise_alert(
                code=AlertCode.UNITS_BACK,
                seller=listing.seller,
                listing=listing,
                connection=variant.connection,
                evidence={"order": order.public_id, "variant": variant.public_id},
                sentence=(
                    f"Order {order} ended, and its units of “{variant}” return to a listing that is archived, so they"
                    " are not for sale. List it again, or leave it archived."
                ),
            )


def ask_to_compare(*, variants: Iterable[Variant], sentence: str, told: Telling, order: Order | None = None) -> None:
    """A person looks at both counts; one open question per variant."""
    for variant in variants:
        known, here = both_counts(variant, now=told.now)
        told.raise_alert(
            code=AlertCode.STOCK_DIFFERS,
            seller=variant.listing.seller,
            order=None,
            listing=variant.listing,
            connection=variant.connection,
            key=f"variant:{variant.pk}",
            evidence={
                "shop": known,
                "here": here,
                "variant": variant.public_id,
                "order": order.public_id if order else "",
            },
            sentence=(
                f"{sentence} As last read your shop counts {_number(known)}; {_number(here)} may be sold here. Compare"
                " them, and correct the one that is wrong."
            ),
        )


def both_counts(variant: Variant, *, now: datetime) -> tuple[int | None, int | None]:
    """(the shop's count as last read, what may be sold here)."""
    return variant.stock.count, availability(variants=[variant], now=now)[variant.pk]


def _number(count: int | None) -> str:
    return "?" if count is None else str(count)


# What the seller corrects from here


def why_not_correct(*, variant: Variant, manifest: Manifest | None) -> str:
    """Empty when the shop's count can be changed from here."""
    shop = variant.connection
    if shop is None:
        return "This listing was made by hand; its count is here."
    if manifest is None:
        return "Your shop's platform is not known here any more; correct the count in your shop."
    if not manifest.can(Capability.COUNTS_ADJUST):
        return manifest.sentence(Capability.COUNTS_ADJUST)
    if variant.gone:
        return "Your shop does not have this item any more."
    if shop.state != ConnectionState.ACTIVE:
        return f"{shop.name} is not connected at the moment. Connect it again, then correct its count."
    return ""


def correct_count(
    *, variant: Variant, seen: int, wanted: int, key: str, manifest: Manifest | None, actor: User, now: datetime
) -> None:
    """Change the shop's count by the difference to what the seller saw, once per `key` (the form's own). A sale in
    between stays counted.

    Raises Stale when the count is not the one that was seen, NotAllowed, Invalid.
    """
    require(actor, variant.listing.seller, duty=Duty.LISTINGS)
    with transaction.atomic():
        row = locked([variant.pk]).get(variant.pk)
        subject, cause = f"{CORRECTION}{variant.public_id}", f"count:{variant.public_id}:{key}"
        if Command.objects.filter(cause=f"adjust:{cause}"[:120]).exists():
            return
        why_not = why_not_correct(variant=variant, manifest=manifest)
        if why_not or row is None or variant.connection is None:
            raise NotAllowed(why_not or "This item has no stock record.")
        if not 0 <= wanted <= 1_000_000 or not key:
            raise Invalid("Type the number of units that your shop should count, from 0 to 1,000,000.")
        if row.count != seen:
            raise Stale(f"Your shop counts {_number(row.count)} now. Look again, then correct it.")
        if wanted == seen:
            raise Invalid(f"Your shop counts {seen} already.")
        unfinished = (CommandState.WAITING, CommandState.IN_FLIGHT, CommandState.DEAD)
        if Command.objects.filter(subject=subject, kind=CommandKind.ADJUST_STOCK, state__in=unfinished).exists():
            raise NotAllowed("A correction of this count is still on its way. Wait until it has arrived.")
        command = AdjustStock(
            variant.listing.shop_product_id, variant.shop_variant_id, wanted - seen, cause, f"counted by {actor}"
        )
        adjust_stock_command(party=variant.connection.party, command=command, subject=subject, now=now)
        record(
            variant_id=row.pk,
            now=now,
            kind="correction",
            cause=f"{actor} corrected the shop's count: {seen} to {wanted}",
            quantity=wanted - seen,
        )


def adjusted(*, row: Command, told: Telling) -> None:
    """The shop changed its count; only the next read shows it here (rule 5)."""
    key, variants = ADJUST.validate_python(row.payload).key, _variants_of(row)
    rows = locked([variant.pk for variant in variants])
    if key.startswith(CAUSE):
        told_of([key])
    elif row.subject.startswith(CORRECTION):
        settled_by_count([*rows])
    want_reads(rows=rows)
    for variant in variants:
        told.settle_by_fact(
            how="The shop's count was corrected from here.",
            codes=(AlertCode.STOCK_DIFFERS,),
            listing=variant.listing,
            key=f"variant:{variant.pk}",
        )


def not_adjusted(*, row: Command, sentence: str, told: Telling) -> None:
    """Refused, or nobody knows: a person compares. A read shows what the shop counts after all."""
    variants = _variants_of(row)
    for variant in variants:
        want_reads(rows=locked([variant.pk]))
    asked = ADJUST.validate_python(row.payload)
    order = Order.objects.filter(reference=row.subject).first()
    ask_to_compare(
        order=order,
        variants=variants,
        told=told,
        sentence=(f"Your shop's count of this item was to be changed by {asked.delta:+d} ({asked.reason}). {sentence}"),
    )


def _variants_of(row: Command) -> list[Variant]:
    found = Variant.objects.select_related("listing__seller", "connection", "stock")
    return list(
        found.filter(connection__party=row.party, shop_variant_id=ADJUST.validate_python(row.payload).variant_id)
    )
