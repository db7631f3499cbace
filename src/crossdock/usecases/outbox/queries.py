"""What is read of commands, deliveries and recorded calls. Nothing here writes."""

from collections.abc import Iterable, Sequence

from django.db.models import Count, Q, QuerySet

from crossdock.store.models import Command, Connection, Delivery, Exchange, Mail, Order, Party, ShopCopy
from crossdock.store.models.work import CommandState

# A whole number in the database ends here.
_LARGEST = 2**63 - 1
_DELIVERIES_IN = {
    "waiting": Q(handled_at=None),
    "doubled": Q(doubles__gt=0),
    "noted": ~Q(note=""),
    "all": Q(),
}


def commands() -> QuerySet[Command]:
    return Command.objects.select_related("party__connection__seller")


def commands_of_order(order: Order, mails: Iterable[Mail]) -> QuerySet[Command]:
    """In the order's own line, about its money and labels, and those of its mails that gave up."""
    of_labels = Q(subject__startswith=f"label:{order.reference}:")
    of_mails = Q(subject__in=[f"mail:{mail.pk}" for mail in mails], state=CommandState.DEAD)
    return commands().filter(Q(subject__in=subjects_of(order)) | of_labels | of_mails).order_by("pk")


def subjects_of(order: Order) -> list[str]:
    return [order.reference, f"money:{order.reference}"]


def commands_with(*, state: str, party: str, kind: str, query: str, shop: str) -> QuerySet[Command]:
    """Those that fit every filter which says something."""
    found = commands()
    if state in CommandState.values:
        found = found.filter(state=state)
    if party:
        found = found.filter(party__kind=party)
    if kind:
        found = found.filter(kind=kind)
    if query:
        found = found.filter(subject__in=_subjects(query))
    return found.filter(party__connection__public_id=shop) if shop else found


def _subjects(query: str) -> list[str]:
    """What a command of this order, or of this very subject, is filed under."""
    text = query.lstrip("#")
    if text.isdecimal() and int(text) <= _LARGEST:
        text = Order.objects.filter(number=int(text)).values_list("reference", flat=True).first() or text
    return [*(kind + words for kind in ("", "money:", "risk:") for words in (text, text.upper())), query]


def orders_named(references: Iterable[str]) -> dict[str, Order]:
    return {order.reference: order for order in Order.objects.filter(reference__in=list(references))}


def picked(keys: Sequence[int]) -> QuerySet[Command]:
    return commands().filter(pk__in=keys).order_by("pk")


def of_party(party: Party) -> QuerySet[Command]:
    return Command.objects.filter(party=party).select_related("party")


def unfinished_of(party: Party) -> QuerySet[Command]:
    states = [CommandState.DEAD, CommandState.WAITING, CommandState.IN_FLIGHT]
    return of_party(party).filter(state__in=states).order_by("pk")


def dead_by_party(parties: Iterable[int]) -> dict[int, int]:
    rows = Command.objects.filter(party__in=list(parties), state=CommandState.DEAD)
    return dict(rows.values_list("party").annotate(found=Count("pk")))


def deliveries_of(party: Party) -> QuerySet[Delivery]:
    """Newest first, without the bodies."""
    return Delivery.objects.filter(party=party).defer("body").order_by("-pk")


def deliveries_in(which: str) -> QuerySet[Delivery]:
    """Waiting, doubled, noted or all, of every party."""
    return Delivery.objects.filter(_DELIVERIES_IN[which])


def deliveries_about(order: Order, copy: ShopCopy | None) -> QuerySet[Delivery]:
    """Those that named this order; what the shop calls it is known once it stands there."""
    if copy is None or not copy.shop_order_id or order.connection is None:
        return Delivery.objects.none()
    return deliveries_of(order.connection.party).filter(news__looks__contains=[{"entity_id": copy.shop_order_id}])


def matching(found: QuerySet[Delivery], query: str) -> QuerySet[Delivery]:
    """By the shop, its seller or platform, or the topic."""
    shops = Connection.objects.filter(
        Q(name__icontains=query) | Q(seller__name__icontains=query) | Q(platform__iexact=query) | Q(public_id=query)
    )
    return found.filter(Q(party__in=shops.values("party")) | Q(topic__icontains=query) | Q(party__name__iexact=query))


def calls_of(party: Party) -> QuerySet[Exchange]:
    """Newest first."""
    return Exchange.objects.filter(party=party).order_by("-at")


def calls_about(order: Order) -> QuerySet[Exchange]:
    return Exchange.objects.filter(subject__in=subjects_of(order)).select_related("party").order_by("-at")


def commands_about(order: Order) -> QuerySet[Command]:
    """What its seller sees: in the order's own line, about its money, its risk and its labels."""
    named = [f"{kind}{order.reference}" for kind in ("", "money:", "risk:")]
    of_labels = Q(subject__startswith=f"label:{order.reference}:")
    return Command.objects.filter(Q(subject__in=named) | of_labels).order_by("pk")


def with_party() -> QuerySet[Command]:
    return Command.objects.select_related("party")


def calls_with_shop(order: Order) -> QuerySet[Exchange]:
    """Newest first; none where it is in no shop."""
    if order.connection is None:
        return Exchange.objects.none()
    return Exchange.objects.filter(subject=order.reference).order_by("-at")


def gave_up(command: int) -> bool:
    return Command.objects.filter(pk=command, state=CommandState.DEAD).exists()
