"""The migration to ISO's decimals: an order of 150 dinars is one of 150.00 afterwards, and its books still balance."""

from importlib import import_module

import pytest
from django.db import IntegrityError, connection, transaction

from crossdock.domain.values import Money
from crossdock.store.models import Entry, Listing, Order, OrderLine, Variant
from market import World

migration = import_module("crossdock.store.migrations.0018_minor_units")


def run(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def kept(order: Order) -> list[int]:
    """Every amount of the order, its lines and its books."""
    found = Order.objects.get(pk=order.pk)
    lines = OrderLine.objects.filter(order=order).values_list("unit_price_minor", flat=True)
    entries = Entry.objects.filter(transfer__order=order).order_by("pk").values_list("amount_minor", flat=True)
    return [found.items_minor, found.shipping_minor, found.total_minor, *lines, *entries]


@pytest.mark.django_db(transaction=True)
def test_amounts_of_a_dinar_shop_are_kept_in_para() -> None:
    world = World(units=5)
    order, other = world.buy(), world.buy()
    Listing.objects.update(currency="RSD")
    Order.objects.filter(pk=order.pk).update(currency="RSD")
    run(
        "ALTER TABLE store_entry DISABLE TRIGGER append_only;"
        "UPDATE store_entry SET currency = 'RSD' FROM store_transfer AS t"
        f" WHERE t.id = transfer_id AND t.order_id = {order.pk};"
        "ALTER TABLE store_entry ENABLE TRIGGER append_only"
    )
    before, beside = kept(order), kept(other)
    assert len(before) > 5

    run(migration._sql("*"))
    assert kept(order) == [minor * 100 for minor in before]
    assert Order.objects.get(pk=order.pk).total == Money.of(before[2], "RSD")
    assert Variant.objects.get().price_minor == 100_000
    assert kept(other) == beside
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        Entry.objects.update(amount_minor=0)

    run(migration._sql("/"))
    assert kept(order) == before
