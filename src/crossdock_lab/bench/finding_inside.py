"""Run inside the measured marketplace: fill it with cards of five sellers, and ask for what buyers look for. The last
line printed is JSON.
"""

import json
import random
import sys
import time
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import django

TIMES = 8
SELLERS = 5
NAMES = 2_000
# Beside `n`, the number of a listing: what it is. One of 4,000 is damaged, one of 20 sold out, one of 30 graded.
_FACTS = """
array_remove(ARRAY[
  'category=cards', CASE WHEN n % 30 = 0 THEN 'category=graded' ELSE 'category=singles' END,
  'game', 'game=' || (ARRAY['magic','pokemon','yu-gi-oh','lorcana'])[1 + (n / 3) % 4],
  'language', 'language=' || (ARRAY['en','en','en','ja','de','fr'])[1 + (n / 7) % 6],
  CASE WHEN n % 30 > 0 THEN 'condition' END,
  CASE WHEN n % 4000 = 1 THEN 'condition=damaged'
       WHEN n % 30 > 0 THEN
       'condition=' || (ARRAY['near-mint','near-mint','lightly-played','moderately-played'])[1 + (n / 11) % 4] END,
  CASE WHEN n % 30 = 0 THEN 'grade' END, CASE WHEN n % 30 = 0 THEN 'grade=' || 1 + (n / 30) % 10 END,
  'set', 'set=' || w[1 + (n / 500) % 400]
], NULL)
"""
_TITLE = "initcap(w[1 + n % 2000] || ' ' || w[1 + (n * 7919 / 2000) % 2000]) || ' ' || n"


def fill(listings: str) -> Any:
    """Copies of one card, each with a title, a price, attributes and a count of its own."""
    from django.db import connection

    from crossdock.store.models import Listing, Variant, VariantStock

    seeds = _furnished(datetime.now(UTC))
    many = int(listings)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE indexname IN ('listing_search', 'listing_facts')"
        )
        indexes = cursor.fetchall()
        for name, _ in indexes:
            cursor.execute(f"DROP INDEX {name}")
        for nth, seed in enumerate(seeds):
            share = f"generate_series({1_000_000 + nth}::bigint, {1_000_000 + many - 1}, {len(seeds)}) n"
            _copied(cursor, Listing, f"t.id = {seed.pk}", share, _OF_LISTING)
            _copied(cursor, Variant, f"t.listing_id = {seed.pk}", share, _OF_VARIANT)
            _copied(cursor, VariantStock, f"t.variant_id = {seed.variants.get().pk}", share, _OF_STOCK)
        for _, definition in indexes:
            cursor.execute(definition)
        cursor.execute("VACUUM ANALYZE")
    return {}


_PUBLIC_ID = "'x' || lpad(n::text, 13, '0')"
_PRICE = "100 + (n * 7919) % 20000"
_OF_LISTING = {
    "id": "n",
    "public_id": _PUBLIC_ID,
    "shop_product_id": "'p' || n",
    "title": "",
    "search": "",
    "facts": "",
    "lowest_minor": _PRICE,
}
_OF_VARIANT = {
    "id": "n",
    "listing_id": "n",
    "public_id": _PUBLIC_ID,
    "shop_variant_id": "'v' || n",
    "price_minor": _PRICE,
    "facts": "",
}
_OF_STOCK = {"variant_id": "n", "count": "CASE WHEN n % 20 = 0 THEN 0 ELSE 3 END"}


def _copied(cursor: Any, model: Any, which: str, share: str, own: dict[str, str]) -> None:
    made = {"title": _TITLE, "search": f"lower({_TITLE})", "facts": _FACTS}
    values = {field.column: f"t.{field.column}" for field in model._meta.fields}
    values |= {name: sql or made[name] for name, sql in own.items()}
    cursor.execute(
        f"INSERT INTO {model._meta.db_table} ({', '.join(values)}) SELECT {', '.join(values.values())}"  # noqa: S608
        f" FROM {model._meta.db_table} t, {share}, (SELECT %s::text[] w) words WHERE {which}".replace("% ", "%% "),
        [_words()],
    )


def _words() -> list[str]:
    """The same ones in each run."""
    chance = random.Random(7)
    parts = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "ar", "en")]
    found: dict[str, None] = {}
    while len(found) < NAMES:
        found["".join(chance.choice(parts) for _ in range(chance.choice((2, 3, 3, 4))))] = None
    return list(found)


def _furnished(now: datetime) -> list[Any]:
    """A card of each of the sellers, and the attributes of cards."""
    from crossdock.domain.values import Money
    from crossdock.usecases.catalogue.listings import make_listing
    from crossdock.usecases.catalogue.taxonomy import define
    from crossdock_lab.bench.inside import person, shop_keeper

    staff = person("staff@bench.test", is_staff=True, is_superuser=True, roles="admin")
    cards = json.loads(files("crossdock.domain.finding").joinpath("cards.json").read_text("utf-8"))
    define(document=cards, actor=staff, now=now)
    return [
        make_listing(
            seller=shop_keeper(number), title="Card", description="", price=Money(1000, "USD"), count=3, now=now
        )
        for number in range(SELLERS)
    ]


def ask() -> Any:
    """What -> milliseconds of the quickest of some answers, which the machine's other work disturbs least."""
    from django.conf import settings
    from django.db import connection
    from django.test import Client

    settings.ALLOWED_HOSTS = ["*"]
    word, other = _words()[0], _words()[1]
    typo = word[:1] + word[2] + word[1] + word[3:]
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(id) - (max(id) - min(id)) / 2 FROM store_listing")
        middle = cursor.fetchone()[0]
    pages = {
        "the first page": "/",
        "a page in the middle": f"/?after={middle}",
        "one word": f"/?q={word}",
        "two words": f"/?q={word}+{other}",
        "two letters": "/?q=ba",
        "a word that nothing has": "/?q=qqxzzy",
        "a letter typed wrong": f"/?q={typo}",
        "a category": "/category/singles/",
        "an attribute with counts": "/?category=singles&f-condition=near-mint",
        "five attributes with counts": "/?category=singles&f-condition=near-mint&f-condition=moderately-played"
        "&f-language=de&f-game=magic&f-finish=foil",
        "what few have": "/?category=singles&f-condition=damaged",
        "a range of numbers": "/?category=graded&f-grade-from=9",
        "in stock only": "/?stock=on",
        "in stock, what few have": "/?stock=on&category=singles&f-condition=damaged",
        "the cheapest first": "/?sort=price",
        "prices between": "/?sort=price&low=50&high=51",
        "prices between, newest first": "/?low=50&high=50.01&currency=USD",
        "the dearest of an attribute": "/?sort=-price&category=singles&f-language=ja",
        "a page in the middle, by price": f"/?sort=price&after=10000.{middle}",
        "words and an attribute": f"/?q={word}&category=singles&f-language=en",
        "a seller's page": "/s/bench-0/",
        "a seller's page with counts": "/s/bench-0/?category=singles&f-condition=damaged",
    }
    client = Client()
    found = {what: _quickest(client, address) for what, address in pages.items()}
    return found | _bought_of_five()


def _bought_of_five() -> dict[str, float]:
    """A cart of one card of each seller, its pages, and the quickest of some orders of it: held, paid and placed."""
    from django.test import Client

    from crossdock.store.models import Variant
    from crossdock_lab.bench.inside import person

    cards = Variant.objects.filter(stock__count__gt=0, pk__gte=1_000_000)
    ones = [cards.filter(listing__seller__slug=f"bench-{number}").order_by("pk")[0] for number in range(SELLERS)]
    buyer, client = person("five@bench.test"), Client()
    client.force_login(buyer)
    for one in ones:
        client.post("/cart/add/", {"variant": one.public_id, "quantity": 1})
    pages = {"a cart of five sellers": "/cart/", "its checkout": "/checkout/"}
    found = {what: _quickest(client, address) for what, address in pages.items()}
    return found | {"its order, placed": _placed(buyer, [one.public_id for one in ones])}


def _placed(buyer: Any, cards: list[str]) -> float:
    from django.conf import settings

    from crossdock.domain.values import Address
    from crossdock.usecases.checkout.basket import with_offers
    from crossdock_lab.bench.inside import SHIP_TO
    from crossdock_lab.buying import Till

    till, times = Till(settings.CONFIG.data), []
    for _ in range(3):
        begun = time.perf_counter()
        intent = till.begin(buyer=buyer, basket=with_offers(dict.fromkeys(cards, 1), []), ship_to=Address(**SHIP_TO))
        till.pay(intent)
        times.append((time.perf_counter() - begun) * 1000)
        if intent.orders.count() != SELLERS:
            raise SystemExit(f"{intent.orders.count()} orders of {SELLERS} sellers")
    return round(min(times), 1)


def _quickest(client: Any, address: str) -> float:
    times = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        answer = client.get(address)
        if answer.status_code != 200:
            raise SystemExit(f"{address}: {answer.status_code}")
        times.append((time.perf_counter() - begun) * 1000)
    return round(min(times), 1)


if __name__ == "__main__":
    django.setup()
    deed, *words = sys.argv[1:]
    print(json.dumps(globals()[deed](*words)))
