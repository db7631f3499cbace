"""Notes and tags on orders: a seller's own, which nobody outside their shop reads."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet, Value
from django.db.models.functions import Lower

from crossdock.domain.storable import one_line, typed_lines
from crossdock.domain.team.roles import Duty
from crossdock.store.models import Order, OrderNote, OrderTag, Seller, TaggedOrder, User
from crossdock.usecases.errors import Invalid
from crossdock.usecases.record.rights import require, theirs

LONGEST_NOTE, MOST_NOTES = 2_000, 50
LONGEST_TAG, MOST_TAGS, MOST_ON_ONE = 30, 100, 10
# The same words of the same person within this time are a form that was sent twice.
_TWICE = timedelta(minutes=5)


def notes_of(order: Order) -> QuerySet[OrderNote]:
    """Oldest first."""
    return OrderNote.objects.filter(order=order).select_related("author").order_by("pk")


def tags_of(*, seller: Seller) -> list[str]:
    """What the list to choose from has, by name."""
    return sorted(theirs(OrderTag, seller).values_list("name", flat=True), key=str.casefold)


def named(*, seller: Seller, name: str) -> QuerySet[OrderTag]:
    """At most one, whatever its case. The database compares so too; in capital letters "ẞ" and "ß" are two."""
    return theirs(OrderTag, seller).alias(low=Lower("name")).filter(low=Lower(Value(name)))


def tags_on(orders: Sequence[Order]) -> dict[int, list[OrderTag]]:
    """By order: one question, however many these are."""
    found: dict[int, list[OrderTag]] = {}
    rows = TaggedOrder.objects.filter(order__in=[order.pk for order in orders]).select_related("tag")
    for row in rows.order_by("tag__name", "pk"):
        found.setdefault(row.order_id, []).append(row.tag)
    return found


def with_notes(orders: Sequence[Order]) -> set[int]:
    """Which of these have one."""
    rows = OrderNote.objects.filter(order__in=[order.pk for order in orders])
    return set(rows.order_by().values_list("order", flat=True).distinct())


def _locked(order: Order, actor: User) -> Order:
    require(actor, order.seller, duty=Duty.ORDERS)
    return Order.objects.select_for_update(no_key=True).get(pk=order.pk)


def write_note(*, order: Order, actor: User, body: str, now: datetime) -> OrderNote:
    """Sent twice it is one. Raises Invalid, NotAllowed."""
    body = typed_lines(body)
    if not body:
        raise Invalid("Write something into the note.")
    if len(body) > LONGEST_NOTE:
        raise Invalid(f"A note has at most {LONGEST_NOTE} characters; this one has {len(body)}.")
    with transaction.atomic():
        order = _locked(order, actor)
        before = list(OrderNote.objects.filter(order=order).order_by("-pk")[:MOST_NOTES])
        last = before[0] if before else None
        if last is not None and (last.body, last.author_id) == (body, actor.pk) and last.at > now - _TWICE:
            return last
        if len(before) >= MOST_NOTES:
            raise Invalid(f"An order has at most {MOST_NOTES} notes. Remove one first.")
        return OrderNote.objects.create(order=order, author=actor, body=body, at=now)


def remove_note(*, order: Order, note_id: int, actor: User) -> None:
    """Once gone it stays gone. Raises NotAllowed."""
    require(actor, order.seller, duty=Duty.ORDERS)
    OrderNote.objects.filter(pk=note_id, order=order).delete()


def tag_order(*, order: Order, actor: User, name: str) -> OrderTag:
    """A word that the list lacks is added to it. Raises Invalid, NotAllowed."""
    name = one_line(name, LONGEST_TAG + 1)
    if not name:
        raise Invalid("Choose a tag, or type a new one.")
    if len(name) > LONGEST_TAG:
        raise Invalid(f"A tag has at most {LONGEST_TAG} characters.")
    with transaction.atomic():
        order = _locked(order, actor)
        # Two tabs of a browser count one after the other, and a tag is not removed meanwhile.
        Seller.objects.select_for_update(no_key=True).get(pk=order.seller_id)
        tag = named(seller=order.seller, name=name).first()
        on_it = TaggedOrder.objects.filter(order=order)
        if tag is not None and on_it.filter(tag=tag).exists():
            return tag
        if on_it.count() >= MOST_ON_ONE:
            raise Invalid(f"An order has at most {MOST_ON_ONE} tags. Take one off first.")
        if tag is None:
            if theirs(OrderTag, order.seller).count() >= MOST_TAGS:
                raise Invalid(f"You have {MOST_TAGS} tags. Take one off all its orders first, and it goes.")
            tag = OrderTag.objects.create(seller=order.seller, name=name)
        TaggedOrder.objects.create(order=order, tag=tag)
        return tag


def untag_order(*, order: Order, tag_id: int, actor: User) -> None:
    """A tag that no order has any more leaves the list. Raises NotAllowed."""
    with transaction.atomic():
        order = _locked(order, actor)
        Seller.objects.select_for_update(no_key=True).get(pk=order.seller_id)
        TaggedOrder.objects.filter(order=order, tag=tag_id).delete()
        theirs(OrderTag, order.seller).filter(pk=tag_id, orders=None).delete()
