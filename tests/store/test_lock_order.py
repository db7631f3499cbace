"""Two that write the same rows wait for each other, in whatever order the rows lie in the table."""

import threading
import time
from collections.abc import Callable

import pytest
from django.db import OperationalError, connection, connections, transaction

from crossdock.store.models import Connection, Listing
from crossdock.usecases.catalogue.offer_terms import set_terms
from crossdock.usecases.shops.shop_money import prices_unknown
from crossdock_lab.patience import patient
from market import World

pytestmark = pytest.mark.django_db(transaction=True)


def currency_changed(world: World) -> None:
    with transaction.atomic():
        prices_unknown(shop=Connection.objects.get(pk=world.shop.pk), now=world.now)


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
        end = time.monotonic() + patient(20)
        while not _waiting():
            assert time.monotonic() < end, "the other never came to the lock"
            time.sleep(0.01)
        Listing.objects.select_for_update(no_key=True).get(pk=second.pk)
    thread.join(patient(20))
    assert failed == []


def _waiting() -> bool:
    """Whether somebody waits for this connection; pg_stat_activity would stand still within a transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
        )
        return bool(cursor.fetchone()[0])
