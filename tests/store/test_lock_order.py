"""Two that write the same rows wait for each other, in whatever order the rows lie in the table."""

import threading
from collections.abc import Callable

import pytest
from django.db import OperationalError, connections, transaction

from crossdock.store.models import Connection, Listing
from crossdock.usecases.catalogue.offer_terms import set_terms
from crossdock.usecases.shops.shop_money import CHANGED, confirm_money
from crossdock_lab.patience import patient
from databases import until_somebody_waits
from market import World

pytestmark = pytest.mark.django_db(transaction=True)


def currency_changed(world: World) -> None:
    Connection.objects.filter(pk=world.shop.pk).update(settings={CHANGED: {"currency": "EUR"}})
    confirm_money(connection=world.shop, actor=world.seller.owner, now=world.now)


def terms_changed(world: World) -> None:
    rows = list(Listing.objects.filter(seller=world.seller))
    set_terms(seller=world.seller, listings=rows, takes=True, accept_from=None, decline_below=None, now=world.now)


@pytest.mark.parametrize("write", [currency_changed, terms_changed])
def test_a_page_of_products_and_a_change_of_all_listings_do_not_refuse_each_other(
    write: Callable[[World], None],
) -> None:
    world = World()
    first = Listing.objects.get(connection=world.shop)
    second = Listing.objects.create(
        seller=world.seller,
        connection=world.shop,
        shop_product_id="p2",
        title="Moss Owl",
        currency="USD",
        created_at=world.now,
        updated_at=world.now,
    )
    assert first.pk < second.pk
    # Written again, a row lies behind the others.
    Listing.objects.filter(pk=first.pk).update(title="Written again")
    failed: list[Exception] = []

    def other() -> None:
        try:
            write(world)
        except OperationalError as error:
            failed.append(error)
        finally:
            connections.close_all()

    with transaction.atomic():
        # As an import does: in the order of the keys.
        Listing.objects.select_for_update(no_key=True).get(pk=first.pk)
        thread = threading.Thread(target=other)
        thread.start()
        until_somebody_waits()
        Listing.objects.select_for_update(no_key=True).get(pk=second.pk)
    thread.join(patient(20))
    assert failed == []
