"""What was seen of a shop that is only looked at: from the flight recorder of its counts, its listings as they are, and
the times of its news. Nothing here writes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from statistics import median

from django.db.models import Exists, F, OuterRef, QuerySet, Value
from django.db.models.functions import Coalesce
from pydantic import TypeAdapter

from crossdock.domain.evening.shadow import Fall, Judged, Report, judged, summed
from crossdock.domain.stock import left_of
from crossdock.store.models import Connection, Listing, Movement, NewsLag, ShadowRun, Variant, VariantStock
from crossdock.store.models.catalogue import OFFERED, ListingState
from crossdock.store.models.stock import ASIDE
from crossdock.usecases.catalogue.listings import ONLY_LOOKED_AT, why_not_live
from crossdock.usecases.stock.reservations import availability

# So many falls are judged, newest first; a report says when there were more.
MOST_FALLS = 10_000
_REPORT = TypeAdapter(Report)
_STOCK = (
    *("count", "applied_no", "shop_version", "ceiling", "ceiling_no", "want_no"),
    *("buffer", "floor", "most_shown", "sold_as", "set_aside_by", "aside_why"),
)
# What a fall is judged by. Thousands of whole listings, with all their words and pictures, take seconds.
_READ = (
    *("at", "count_before", "count_after"),
    *(f"variant__{name}" for name in ("title", "gone", "price_minor")),
    *(f"variant__connection__{name}" for name in ("buffer", "floor", "most_shown")),
    *(f"variant__stock__{name}" for name in _STOCK),
    *(f"variant__listing__{name}" for name in ("title", "state", "active_in_shop", "gone_in_shop", "not_chosen")),
)


def run_of(connection: Connection) -> ShadowRun | None:
    """The one that lasts, or the one that ended last."""
    return connection.shadow_runs.select_related("connection").order_by("-began_at", "-pk").first()


def kept_report(run: ShadowRun) -> Report | None:
    """As it was when the shop went live; None while it lasts."""
    if run.ended_at is None:
        return None
    return _REPORT.validate_python(run.report)


def report_of(*, run: ShadowRun, per_second: float, now: datetime) -> Report:
    """Of one that lasts. Seven statements, however much happened."""
    shop = run.connection
    here = Listing.objects.filter(connection=shop)
    would = would_sell(shop).count()
    rows = falls_of(run, limit=MOST_FALLS + 1)
    lags = list(
        NewsLag.objects.filter(connection=shop, at__gte=run.began_at).values_list("milliseconds", flat=True)[
            :MOST_FALLS
        ]
    )
    return Report(
        began_at=run.began_at,
        until=now,
        listed=would,
        not_listed=here.count() - would,
        **summed(rows[:MOST_FALLS]),
        lag_median=median(lags) / 1000 if lags else None,
        lag_worst=max(lags) / 1000 if lags else None,
        calls=run.calls,
        per_second=per_second,
        cut=len(rows) > MOST_FALLS,
    )


def falls_of(run: ShadowRun, *, limit: int) -> list[Judged]:
    """Newest first, each judged by what is known of its item now."""
    return [judged(_fall(row)) for row in _fell(run)[:limit]]


def _fell(run: ShadowRun) -> QuerySet[Movement]:
    rows = Movement.objects.filter(variant__connection=run.connection, kind="shop_count", at__gte=run.began_at)
    if run.ended_at is not None:
        rows = rows.filter(at__lte=run.ended_at)
    rows = rows.filter(count_after__lt=F("count_before"))
    return rows.select_related("variant__listing", "variant__connection", "variant__stock").only(*_READ).order_by("-pk")


def _fall(row: Movement) -> Fall:
    """What was free is not the recorder's, which knew the limits of then: a seller tries others while they look."""
    variant, before, after = row.variant, row.count_before or 0, row.count_after or 0
    return Fall(
        title=str(variant),
        at=row.at,
        units=before - after,
        before=_free(variant, before),
        after=_free(variant, after),
        why_not=_why_not(variant),
        price_minor=variant.price_minor,
    )


def _free(variant: Variant, count: int) -> int:
    """Of so many in a shop that is only looked at, where nothing is promised."""
    shop = variant.connection
    assert shop is not None
    limits = variant.stock.value(fresh=True, buffer=shop.buffer, floor=shop.floor, most=shop.most_shown)
    return left_of(replace(limits, count=count, ceiling=None), 0) or 0


def _why_not(variant: Variant) -> str:
    """Of its listing alone; its limits are looked at apart."""
    listing = variant.listing
    if listing.state == ListingState.LEFT_OUT:
        return "You left it out."
    if listing.state != ListingState.LIVE:
        return "It is in your archive, or the marketplace took it down."
    if variant.gone or listing.gone_in_shop:
        return "It was deleted in your shop."
    if listing.not_chosen:
        return listing.not_chosen
    return "" if listing.active_in_shop else "It is not published in your shop."


def would_sell(shop: Connection) -> QuerySet[Listing]:
    """On sale with at least one unit that the seller's limits leave, were the shop live."""
    buffer, floor = Coalesce(F("buffer"), Value(shop.buffer)), Coalesce(F("floor"), Value(shop.floor))
    counted = VariantStock.objects.filter(variant__listing=OuterRef("pk"), variant__gone=False, sold_as=None)
    counted = counted.exclude(ASIDE).filter(count__gt=buffer, count__gte=floor)
    return Listing.objects.filter(OFFERED, connection=shop).filter(Exists(counted))


def not_listed(shop: Connection, *, now: datetime, after: int, limit: int) -> Sequence[tuple[Listing, list[str]]]:
    """Oldest first, those behind `after` (a listing's key), each with why in words. Five statements a page."""
    rows = Listing.objects.filter(connection=shop, pk__gt=after)
    rows = rows.exclude(pk__in=would_sell(shop).values("pk")).select_related("seller__owner", "connection")
    page = list(rows.prefetch_related("variants").order_by("pk")[:limit])
    variants = [variant for listing in page for variant in listing.variants.all() if not variant.gone]
    stock = availability(variants=variants, now=now)
    known = VariantStock.objects.in_bulk([variant.pk for variant in variants])
    return [(row, _words(why_not_live(listing=row, now=now, stock=stock, rows=known))) for row in page]


def _words(reasons: Iterable[str]) -> list[str]:
    return [reason for reason in reasons if reason != ONLY_LOOKED_AT]
