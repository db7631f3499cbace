"""What is read of connected shops. Nothing here writes."""

from collections.abc import Iterable

from django.db.models import Q, QuerySet

from crossdock.store.models import Connection


def shops_with(*, which: Q, platform: str, query: str, only: Iterable[int] | None = None) -> QuerySet[Connection]:
    """Those that fit every filter which says something."""
    found = Connection.objects.filter(which).select_related("party", "seller")
    if only is not None:
        found = found.filter(pk__in=list(only))
    if platform:
        found = found.filter(platform=platform)
    if query:
        found = found.filter(
            Q(name__icontains=query)
            | Q(seller__name__icontains=query)
            | Q(address__icontains=query)
            | Q(seller__owner__email__iexact=query)
        )
    return found


def whole_shops() -> QuerySet[Connection]:
    return Connection.objects.select_related("party", "seller__owner")


def shop_called(platform: str, *, name: str, shop_key: str) -> Connection | None:
    """The newest that the platform knows by this key, or that has this address of ours."""
    rows = Connection.objects.filter(platform=platform)
    return (rows.filter(shop_key=shop_key) if shop_key else rows.filter(public_id=name)).order_by("-pk").first()


def shop_with(key: int) -> Connection:
    return Connection.objects.get(pk=key)
