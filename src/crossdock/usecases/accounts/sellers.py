"""Becoming a seller, and what a seller says about shipping: a flat price per destination and currency."""

from collections.abc import Mapping
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from crossdock.domain.currencies import CURRENCIES
from crossdock.domain.moderation.approval import Item
from crossdock.domain.moderation.particulars import needs_contact
from crossdock.domain.roles import Right
from crossdock.domain.values import COUNTRIES, Money
from crossdock.store.ids import public_id
from crossdock.store.models import AuditTopic, Seller, ShippingRate, User
from crossdock.usecases.accounts.approving import begin, destinations_of, touched
from crossdock.usecases.accounts.working_days import checked_handling
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.record.audit import note
from crossdock.usecases.record.rights import require

EVERYWHERE = "*"
_IN_A_TEAM = "You work in the team of a shop. Leave it first: one account works for one shop."


def start_selling(
    *, user: User, name: str, country: str, currency: str, handling_days: int, rates: Mapping[str, Money], now: datetime
) -> Seller:
    """One seller account per user.

    `rates` maps a country code, or "*" for everywhere else, to the price of one parcel.
    """
    if Seller.objects.filter(owner=user).exists():
        raise NotAllowed("You already have a shop here.")
    if user.works_as:
        raise NotAllowed(_IN_A_TEAM)
    if not name.strip():
        raise Invalid("Give your shop a name.")
    if country not in COUNTRIES or currency not in CURRENCIES:
        raise Invalid("Choose a country and a currency from the lists.")
    try:
        with transaction.atomic():
            if User.objects.select_for_update(no_key=True, of=("self",)).get(pk=user.pk).works_as:
                # An invitation was taken in another tab.
                raise NotAllowed(_IN_A_TEAM)
            User.objects.filter(pk=user.pk).update(works_for=None)
            seller = Seller.objects.create(
                owner=user,
                name=name.strip()[:120],
                slug=_slug(name),
                country=country,
                currency=currency,
                handling_days=checked_handling(handling_days),
            )
            set_rates(seller=seller, currency=currency, rates=rates, now=now)
            begin(seller=seller, now=now)
    except IntegrityError:
        raise NotAllowed(
            "You already have a shop here, or another took this name in the same second; try again."
        ) from None
    return seller


def edit_seller(*, seller: Seller, name: str, actor: User) -> None:
    """What buyers read about the seller. The address in the shop's URL stays, so that links keep working."""
    require(actor, seller)
    if not name.strip():
        raise Invalid("Give your shop a name.")
    Seller.objects.filter(pk=seller.pk).update(name=name.strip()[:120])


def set_trade(*, seller: Seller, private: bool, actor: User, now: datetime) -> bool:
    """Whether they sell as a private person. False when it stood so already."""
    require(actor, None, "Only staff say whether somebody sells as a business.", Right.RULES)
    with transaction.atomic():
        row = Seller.objects.select_for_update(no_key=True, of=("self",)).get(pk=seller.pk)
        if row.private == private:
            return False
        row.private = private
        row.save(update_fields=["private"])
        detail = {"seller": row.public_id, "private": private}
        note(actor=actor, action="trade", subject=row.name, now=now, detail=detail, topic=AuditTopic.SETTINGS)
    return True


def _slug(name: str) -> str:
    """The name in an address; a few letters more when somebody has it already."""
    slug = slugify(name)[:50] or "shop"
    return slug if not Seller.objects.filter(slug=slug).exists() else f"{slug}-{public_id()[:6]}"


def set_rates(*, seller: Seller, currency: str, rates: Mapping[str, Money], now: datetime) -> None:
    """Replace all prices in this currency. Without any the seller ships nowhere, so at least one is asked for."""
    if not rates:
        raise Invalid("Type a shipping price for at least one destination.")
    for country, price in rates.items():
        if country != EVERYWHERE and country not in COUNTRIES:
            raise Invalid("Choose the destination from the list.")
        if price.currency != currency or not 0 <= price.minor <= 10**9:
            raise Invalid("Type a shipping price of zero or more.")
    with transaction.atomic():
        before = needs_contact(country=seller.country, destinations=destinations_of(seller))
        ShippingRate.objects.filter(seller=seller, currency=currency).delete()
        ShippingRate.objects.bulk_create(
            ShippingRate(seller=seller, country=country, currency=currency, price_minor=price.minor)
            for country, price in rates.items()
        )
        if needs_contact(country=seller.country, destinations=destinations_of(seller)) != before:
            touched(seller=seller, item=Item.CONTACT, now=now)
