"""Run inside the marketplace of the day, by whichever version is installed: what has to be made or asked with its
modules. The last line printed is JSON.
"""

import json
import sys
from datetime import datetime, timezone
from pathlib import Path
from types import ModuleType
from typing import Any

import django

UTC = timezone.utc  # noqa: UP017 - as the bench's
# What is installed has no lab: its modules are found here, those of the product only there.
_LAB = ModuleType("crossdock_lab")
_LAB.__path__ = [str(Path(__file__).parents[1])]
sys.modules["crossdock_lab"] = _LAB
LISTINGS, BUYERS = 20, 300


def fill(listings: str) -> Any:
    """So many listings of five sellers."""
    from crossdock_lab.bench.finding_inside import fill as filled

    return filled(listings)


def till() -> Any:
    """What a program needs to order from a seller who has plenty of some things."""
    from django.conf import settings

    from crossdock.domain.values import Money
    from crossdock.kit.payments import open_gateway
    from crossdock.store.models import User
    from crossdock_lab.bench.inside import SHIP_TO, named, person, shop_keeper

    now = datetime.now(UTC)
    staff, seller = User.objects.get(email="staff@bench.test"), shop_keeper(9)
    made = [
        named("make_listing")(
            seller=seller, title=f"Owl {n}", description="", price=Money(1000 + n, "USD"), count=10**6, now=now
        )
        for n in range(LISTINGS)
    ]
    for n in range(BUYERS):
        person(f"buyer-{n}@bench.test")
    return {
        "variants": [listing.variants.get().public_id for listing in made],
        "tokens": [named("make_token")(name=f"b{n}", seller=None, actor=staff, now=now)[1] for n in range(8)],
        "payment": open_gateway("sandbox", settings.CONFIG.data).choices()[0].token,
        "ship_to": SHIP_TO,
    }


def session(email: str) -> Any:
    """A browser's cookie of somebody who is signed in."""
    from django.contrib.auth import get_user_model
    from django.test import Client

    client = Client()
    client.force_login(get_user_model().objects.get(email=email), "allauth.account.auth_backends.AuthenticationBackend")
    return "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())


def join_at(listing: str, platform: str, address: str, number: str) -> Any:
    """A seller connects the simulated shop under another address than its own."""
    from crossdock.demo.joining import join
    from crossdock_lab.bench.inside import shop_keeper

    with open(listing) as file:
        row = next(one for one in json.load(file) if one["platform"] == platform)
    form = {name: address if value == row["address"] else value for name, value in row["form"].items()}
    joined = join(
        seller=shop_keeper(int(number)),
        platform=platform,
        address=address,
        way=row["way"],
        form=form,
        now=datetime.now(UTC),
    )
    return {"connection": joined.pk, "party": joined.party_id}


def lease(party: str) -> Any:
    """Who works for this party, and until when in seconds from now; [] for nobody."""
    from crossdock.store.models import Party

    row = Party.objects.get(pk=int(party))
    left = (row.lease_until - datetime.now(UTC)).total_seconds() if row.lease_until else 0
    return [row.lease_owner, left] if row.lease_owner else []


def read_at(connection: str) -> Any:
    """When the shop's orders were last read to the end, as seconds since 1970."""
    from crossdock.store.models import Cursor

    done = Cursor.objects.get(connection_id=int(connection), stream="orders").completed_at
    return done.timestamp() if done else 0


def trouble(connection: str) -> Any:
    """What the seller and staff read of the shop; "" while all is well."""
    from crossdock.usecases.shops.health import not_working

    ill = not_working(now=datetime.now(UTC), only=[int(connection)])
    return ill[int(connection)].sentence if ill else ""


def rows() -> Any:
    """Rows of each table of ours but those that grow, or are worked off, by themselves."""
    from django.db import connection

    grow = ("store_exchange", "store_call", "store_cursor", "store_delivery", "store_refill")
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE tablename LIKE 'store\\_%' ORDER BY 1")
        names = [name for (name,) in cursor.fetchall() if name not in grow]
        found = {}
        for name in names:
            cursor.execute(f"SELECT count(*) FROM {name}")  # noqa: S608 - the server's own names
            found[name] = cursor.fetchone()[0]
    return found


if __name__ == "__main__":
    django.setup()
    deed, *words = sys.argv[1:]
    print(json.dumps(globals()[deed](*words)))
