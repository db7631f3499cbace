"""Lists that somebody keeps as tabs of their own."""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from crossdock.domain.daily.filters import QUEUE_WORDS, OrderFilter
from crossdock.domain.storable import one_line
from crossdock.domain.team.roles import Duty
from crossdock.store.models import OrderView, Seller, User
from crossdock.usecases.errors import Invalid
from crossdock.usecases.record.rights import require, theirs

MOST, LONGEST_NAME = 12, 40


def views_of(*, seller: Seller, person: User) -> QuerySet[OrderView]:
    """In the order in which they were made. Each sees their own."""
    return theirs(OrderView, seller).filter(person=person).order_by("pk")


def keep_view(*, seller: Seller, actor: User, name: str, wanted: OrderFilter, now: datetime) -> OrderView:
    """The same list again gets another name. Raises Invalid, NotAllowed."""
    require(actor, seller, duty=Duty.ORDERS)
    name = one_line(name, LONGEST_NAME)
    if not name:
        raise Invalid("Give the tab a name.")
    if not wanted.parts:
        raise Invalid(f"“{QUEUE_WORDS[wanted.queue]}” is a tab already. Choose a filter first.")
    if len(wanted.address) > 1000:
        raise Invalid("This search is too long to be kept.")
    with transaction.atomic():
        # Two tabs of a browser count one after the other.
        User.objects.select_for_update(no_key=True).get(pk=actor.pk)
        mine = views_of(seller=seller, person=actor)
        if mine.exclude(address=wanted.address).count() >= MOST:
            raise Invalid(f"You have {MOST} tabs of your own. Remove one first.")
        if mine.filter(name__iexact=name).exclude(address=wanted.address).exists():
            raise Invalid(f"You have a tab “{name}” already. Choose another name.")
        view, _ = OrderView.objects.update_or_create(
            seller=seller,
            person=actor,
            address=wanted.address,
            defaults={"name": name},
            create_defaults={"name": name, "created_at": now},
        )
    return view


def forget_view(*, view: OrderView, actor: User) -> None:
    """Once gone it stays gone. Raises NotAllowed."""
    require(actor, view.seller, duty=Duty.ORDERS)
    OrderView.objects.filter(pk=view.pk).delete()
