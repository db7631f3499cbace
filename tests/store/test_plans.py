"""A question whose statement was made once gives what it would give made anew."""

import threading
from typing import Any

import pytest
from django.db import connection, connections
from django.db.models import QuerySet, Sum
from django.test.utils import CaptureQueriesContext

from crossdock.store.models import Order, Reservation, User, Variant
from crossdock.store.plans import Bound, prepared
from crossdock.store.together import ask
from crossdock.usecases.accounts.buyers import buyers_named
from market import World, user

pytestmark = pytest.mark.django_db(transaction=True)
made: list[Any] = []


def _orders(state: str, ids: list[int], most: int) -> QuerySet[Order]:
    made.append((state, ids, most))
    found = Order.objects.filter(pk__in=ids, total_minor__lte=most).exclude(reference=state)
    return found.select_related("seller__owner", "connection").order_by("-pk")


orders = prepared(_orders)


@prepared
def units(ids: list[int]) -> QuerySet[Any]:
    return Reservation.objects.filter(variant_id__in=ids).values_list("variant_id").annotate(units=Sum("quantity"))


def test_it_is_made_once_for_each_number_of_values() -> None:
    world = World(units=9)
    first, second = world.buy(), world.buy(2)
    made.clear()
    orders = prepared(_orders)
    for ids in ([first.pk, second.pk], [second.pk, first.pk], [first.pk, first.pk], [first.pk]):
        (found,) = ask(orders("x", ids, 10**6))
        assert found == list(Order.objects.filter(pk__in=ids).order_by("-pk"))
        assert found[0].seller.owner.email and found[0].connection == world.shop
    assert ask(orders(first.reference, [first.pk, second.pk], 10**6)) == [[second]]
    assert ask(orders("x", [first.pk, second.pk], first.total_minor)) == [[first]]
    assert len(made) == 2, "one of two ids, one of one"
    assert first.ship_to == ask(orders("x", [first.pk], 10**6))[0][0].ship_to, "JSON is read as JSON"


def test_what_is_no_row_and_what_is_nothing() -> None:
    world = World(units=9)
    world.buy(2)
    ask(units([world.variant.pk]))
    assert ask(units([world.variant.pk]), units([]), units([0])) == [[(world.variant.pk, 2)], [], []]


def test_values_are_never_part_of_the_statement() -> None:
    odd = "o'hara%s_\\@x.test"
    one = user(odd)
    for email in ("zoe@x.test", odd, odd.upper(), "x' OR '1'='1"):
        assert ask(buyers_named(email)) == [list(User.objects.filter(email__iexact=email))]
    assert ask(buyers_named(odd)) == [[one]]


def test_a_value_that_the_database_gets_changed_or_not_at_all_is_refused() -> None:
    @prepared
    def begins(text: str) -> QuerySet[Order]:
        return Order.objects.filter(reference__startswith=text)

    @prepared
    def forgets(text: str) -> QuerySet[Order]:
        return Order.objects.all()

    for wrong in (begins, forgets):
        with pytest.raises(TypeError, match="as it is"):
            wrong("CD")
    with pytest.raises(TypeError, match="whole numbers"):
        begins([1.5])  # type: ignore[list-item]


def test_two_threads_use_one_plan_with_a_connection_each() -> None:
    world = World(units=9)
    order = world.buy()
    bound = orders("x", [order.pk], 10**6)
    assert isinstance(bound, Bound)
    seen: list[Any] = []

    def other() -> None:
        try:
            with CaptureQueriesContext(connection) as caught:
                (found,) = ask(bound)
                seen.append((found, found[0].seller.name, len(caught)))
        finally:
            connections.close_all()

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert seen == [([order], world.seller.name, 1)]
    assert ask(bound) == [[order]] and Variant.objects.exists()
