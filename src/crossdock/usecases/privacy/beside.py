"""Tags, tabs and runs that may name a buyer who leaves: a seller's own words beside the buyer's orders."""

from typing import Any

from django.db.models import Q, QuerySet

from crossdock.domain.redact import redact_address
from crossdock.store.models import BulkRow, BulkRun, Order, OrderTag, OrderView, TaggedOrder
from crossdock.usecases.privacy.whose import Whose


def people_in(order: Order, whose: Whose) -> list[str]:
    """The words by which an order knows its buyer and whom it goes to."""
    to = order.ship_to
    people = [str(to.get(name) or "") for name in ("name", "line1", "line2", "phone", "postal_code", "company")]
    return [word for word in (*people, whose.person.name, *whose.addresses) if word]


def tags_beside(whose: Whose) -> QuerySet[Any]:
    return OrderTag.objects.filter(pk__in=TaggedOrder.objects.filter(order__in=whose.bought).values("tag"))


def drop_tags(found: list[OrderTag], whose: Whose) -> None:
    """With its words blacked out it would be no tag of anything."""
    for tag in found:
        if _names(tag.name, whose.bought.filter(tags__tag=tag), whose):
            tag.delete()


def tabs_beside(whose: Whose) -> QuerySet[Any]:
    """Those of the sellers that they bought from."""
    return OrderView.objects.filter(seller__in=whose.bought.values("seller"))


def drop_tabs(found: list[OrderView], whose: Whose) -> None:
    """A search without its words would be another list."""
    for view in found:
        if _names(f"{view.name} {view.address}", whose.bought.filter(seller=view.seller_id), whose):
            view.delete()


def runs_beside(whose: Whose) -> QuerySet[Any]:
    """Their shop's own, and others' that touched an order of theirs: what these did stands in each order's story."""
    touched = BulkRow.objects.filter(order__in=whose.bought).values("run")
    return BulkRun.objects.filter(Q(seller__owner=whose.person) | Q(pk__in=touched))


def _names(text: str, orders: QuerySet[Order], whose: Whose) -> bool:
    """The text may be an address. What merely looks like somebody, as a number like a telephone's, is left."""
    said = text.lower().replace("%40", "@")
    if any(address in said for address in whose.addresses):
        return True
    return any(redact_address(text, people_in(order, whose)) != redact_address(text) for order in orders)
