"""The demo world: sellers with their simulated shops, cards listed by hand, buyers. Every step looks first, so that
filling it again changes nothing.

The shops are filled through the seller's hand and connected the way a seller connects theirs; the worker does the
first import.
"""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.utils import timezone

from crossdock.demo.attributes import describe
from crossdock.demo.cards import PER_SHOP, Card, of_set
from crossdock.demo.joining import join
from crossdock.domain.values import Money
from crossdock.kit.remote_hand import RemoteHand
from crossdock.store.models import Connection, Listing, Seller, SellerApproval, User
from crossdock.store.models.shops import ConnectionState
from crossdock.usecases.accounts.barring import set_bar
from crossdock.usecases.accounts.sellers import EVERYWHERE, set_rates, start_selling
from crossdock.usecases.catalogue.listings import make_listing

PASSWORD = "paper-lantern-7"  # noqa: S105 - the demo's, printed for everybody
IMPORT_SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class Who:
    """A seller of the demo. `own` is the currency of what they list by hand, with its shipping price in minor units."""

    email: str
    person: str
    shop: str
    card_set: str
    code: str
    country: str
    own: tuple[str, int]


SELLERS = (
    Who("maren@demo.test", "Maren Holt", "Lantern & Vale Cards", "Hollow Tide", "HT", "US", ("USD", 450)),
    Who("teo@demo.test", "Teo Brandão", "Kestrel & Quill", "Ashen Crown", "AC", "US", ("JPY", 800)),
    Who("selene@demo.test", "Sélène Okoye", "Café Noctürne", "Nightbloom", "NB", "US", ("KWD", 1500)),
)
# What each of them lists by hand: title, picture, minor units, count.
BY_HAND = (
    (
        ("Gale Drake, misprint without a number", "gale-drake-0", 18000, 1),
        ("Box of 400 commons, Hollow Tide", "stone-golem-400", 2500, 6),
    ),
    (
        ("Dusk Whale, Japanese first printing", "dusk-whale-3", 4800, 2),
        ("Grove Fox, artist's proof of Ørsund", "grove-fox-1", 12500, 1),
    ),
    (
        ("Ember Moth, gold-edged", "ember-moth-88", 14750, 3),
        ("Tide Owl sleeve set, 50 pieces", "tide-owl-50", 2250, 20),
    ),
)
BUYERS = (("zoe@demo.test", "Zoë Müller"), ("sam@demo.test", "Sam Rivera"))
STAFF = "staff@demo.test"


def ensure(*, shops: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yields what to print. `shops` are rows of platform, address, way and form, one simulated shop each."""
    people = {email: _person(email, name) for email, name in (*BUYERS, *((who.email, who.person) for who in SELLERS))}
    staff = _person(STAFF, "Staff", is_staff=True, is_superuser=True)
    sellers = [_seller(who, people[who.email]) for who in SELLERS]
    for place, (who, seller) in enumerate(zip(SELLERS, sellers, strict=True)):
        _list_by_hand(seller, BY_HAND[place])
        if place < len(shops):
            _connect(who, seller, shops[place], number=place)
    _wait_for_import([seller for seller, _ in zip(sellers, shops, strict=False)])
    describe(sellers=sellers, staff=staff)
    yield f"  {Listing.objects.count()} cards are listed."
    yield ""
    yield f"  Sign in with the password {PASSWORD} as"
    for who, shop in zip(SELLERS, shops, strict=False):
        yield f"    {who.email:<20} seller, {who.shop} (their shop: {shop['address']}/_shop)"
    for email, _ in BUYERS:
        yield f"    {email:<20} buyer"
    yield f"    {STAFF:<20} staff ({settings.BASE_URL}/staff/)"
    yield f"  Mails that were sent: {settings.BASE_URL}/demo/mail/"


def _person(email: str, name: str, **fields: bool) -> User:
    """With an account that is a year old, so that not every order of the demo looks like fraud."""
    found = User.objects.filter(email=email).first()
    if found is None:
        found = User.objects.create_user(
            email, PASSWORD, name=name, date_joined=timezone.now() - timedelta(days=365), **fields
        )
        EmailAddress.objects.create(user=found, email=email, primary=True, verified=True)
    return found


def _seller(who: Who, user: User) -> Seller:
    found = Seller.objects.filter(owner=user).first()
    if found is None:
        rates = {who.country: Money(450, "USD"), EVERYWHERE: Money(1290, "USD")}
        found = start_selling(
            user=user,
            name=who.shop,
            country=who.country,
            currency="USD",
            handling_days=2,
            rates=rates,
            now=timezone.now(),
        )
        # They sell, also where the operator wants new sellers approved.
        SellerApproval.objects.filter(seller=found).delete()
        set_bar(found)
        currency, price = who.own
        if currency != "USD":
            set_rates(seller=found, currency=currency, rates={EVERYWHERE: Money(price, currency)}, now=timezone.now())
            Seller.objects.filter(pk=found.pk).update(currency=currency)
    return found


def _list_by_hand(seller: Seller, rows: Sequence[tuple[str, str, int, int]]) -> None:
    currency = next(who.own[0] for who in SELLERS if who.shop == seller.name)
    for title, seed, price, count in rows:
        if not Listing.objects.filter(seller=seller, title=title).exists():
            make_listing(
                seller=seller,
                title=title,
                description="Listed by hand, so it is sold only here.",
                price=Money(price, currency),
                count=count,
                images=[_picture(seed)],
                now=timezone.now(),
            )


def _picture(seed: str) -> str:
    return f"{settings.BASE_URL}/demo/card/{seed}.svg"


def _connect(who: Who, seller: Seller, shop: Mapping[str, Any], *, number: int) -> None:
    """Once: a shop that the seller disconnected later stays so."""
    if Connection.objects.filter(seller=seller).exists():
        return
    asyncio.run(_fill(shop["address"], of_set(who.card_set, who.code, number=number)))
    join(
        seller=seller,
        platform=shop["platform"],
        address=shop["address"],
        way=shop["way"],
        form=shop["form"],
        now=timezone.now(),
    )


async def _fill(address: str, cards: Sequence[Card]) -> None:
    """Put the cards into the shop that are not there yet."""
    async with RemoteHand(address) as hand:
        there = {item.sku for item in await hand.products()}
        for card in cards:
            if card.variants[0][0] not in there:
                await hand.add_product(
                    card.title, card.variants, image=_picture(card.seed), description=card.description
                )


def _wait_for_import(sellers: Sequence[Seller]) -> None:
    """Until the worker has listed every card of every connected shop (a shop is read page by page, and listings are
    never deleted); without a worker it is not waited for for ever.
    """
    end = time.monotonic() + IMPORT_SECONDS
    shops = Connection.objects.filter(seller__in=sellers, state=ConnectionState.ACTIVE)
    while any(shop.listings.count() < PER_SHOP for shop in shops.all()) and time.monotonic() < end:
        time.sleep(0.5)
