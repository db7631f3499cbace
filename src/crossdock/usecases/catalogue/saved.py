"""Searches that buyers save, and the mail about what is new: one a day at most, about all searches of a buyer together.

What came and was sold out again before the mail is not in it, and nothing is told twice. What came while its seller was
on holiday, and sold nothing, is told when they are back.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.urls import reverse

from crossdock.domain.finding.choosing import Choice
from crossdock.domain.storable import one_line
from crossdock.store.models import Listing, SavedSearch, Seller, User
from crossdock.usecases.catalogue.finding import Sort, Wanted, fits, found_between, held_back
from crossdock.usecases.catalogue.listings import not_selling
from crossdock.usecases.errors import Invalid
from crossdock.usecases.record.mail import write_mail

MOST, MOST_TOLD, BUYERS_AT_ONCE = 50, 12, 50
BETWEEN_MAILS = timedelta(hours=23)
# A listing gets its number before its import is written: what is younger may still have elder ones behind it.
_SETTLED = timedelta(minutes=10)
_SALT = "crossdock.saved-searches"
_log = logging.getLogger(__name__)


def as_document(wanted: Wanted) -> dict[str, Any]:
    """Without the seller, who has a column."""
    return {
        "words": wanted.words,
        "in_stock": wanted.in_stock,
        "currency": wanted.currency,
        "low": wanted.low,
        "high": wanted.high,
        "sort": wanted.sort.value,
        "choices": [
            {"attribute": each.attribute, "values": list(each.values), "low": _text(each.low), "high": _text(each.high)}
            for each in wanted.choices
        ],
    }


def wanted_from(document: Mapping[str, Any], seller: Seller | None) -> Wanted:
    choices = tuple(
        Choice(each["attribute"], tuple(each["values"]), _number(each["low"]), _number(each["high"]))
        for each in document["choices"]
    )
    rest = {key: document[key] for key in ("words", "in_stock", "currency", "low", "high")}
    return Wanted(**rest, sort=Sort(document["sort"]), seller=seller, choices=choices)


def _text(number: Decimal | None) -> str | None:
    return None if number is None else f"{number:f}"


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def save_search(*, buyer: User, name: str, address: str, wanted: Wanted, mail: bool, now: datetime) -> SavedSearch:
    """The same address again gives it another name. Raises Invalid."""
    name = one_line(name, 100)
    if not name:
        raise Invalid("Give the search a name.")
    with transaction.atomic():
        # Two tabs of one buyer count one after the other.
        User.objects.select_for_update(no_key=True).get(pk=buyer.pk)
        others = SavedSearch.objects.filter(buyer=buyer).exclude(address=address)
        if others.count() >= MOST:
            raise Invalid(f"You have {MOST} saved searches. Remove one first.")
        found, _ = SavedSearch.objects.update_or_create(
            buyer=buyer,
            address=address,
            defaults={"name": name, "mail": mail},
            create_defaults={
                "name": name,
                "mail": mail,
                "wanted": as_document(wanted),
                "seller": wanted.seller,
                "after": _newest(),
                "looked_at": now,
                "created_at": now,
            },
        )
    return found


def _newest() -> int:
    return Listing.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def set_mail(*, search: SavedSearch, mail: bool, now: datetime) -> None:
    """Switched on again, it tells of what comes from now on."""
    fresh = {"after": _newest(), "waiting": [], "looked_at": now} if mail and not search.mail else {}
    SavedSearch.objects.filter(pk=search.pk).update(mail=mail, **fresh)


def forget_search(*, search: SavedSearch) -> None:
    SavedSearch.objects.filter(pk=search.pk).delete()


def stop_token(buyer_id: int) -> str:
    return signing.dumps(buyer_id, salt=_SALT)


def buyer_of_token(token: str) -> User | None:
    """None when nobody made it."""
    try:
        key = signing.loads(token, salt=_SALT)
    except signing.BadSignature:
        return None
    return User.objects.filter(pk=key).first()


def stop_mails(*, buyer: User) -> int:
    """All of this buyer's. How many were on."""
    return SavedSearch.objects.filter(buyer=buyer, mail=True).update(mail=False)


def mail_searches(*, now: datetime) -> int:
    """To some of the buyers whose last look was long enough ago, the longest first. Returns how many were looked at;
    fewer than BUYERS_AT_ONCE means that all are done. One whose searches trip holds up no other: it is logged, and
    looked at again when its turn comes.
    """
    due = SavedSearch.objects.filter(mail=True, looked_at__lte=now - BETWEEN_MAILS, buyer__is_active=True)
    buyers = list(dict.fromkeys(due.order_by("looked_at", "pk").values_list("buyer", flat=True)[: BUYERS_AT_ONCE * 2]))
    for buyer_id in buyers[:BUYERS_AT_ONCE]:
        try:
            _mail(buyer_id, now=now)
        except Exception:
            _log.exception("the saved searches of account %s tripped", buyer_id)
            # Where the database is gone this raises as well.
            SavedSearch.objects.filter(buyer=buyer_id, mail=True).update(looked_at=now)
    return min(len(buyers), BUYERS_AT_ONCE)


def _mail(buyer_id: int, *, now: datetime) -> None:
    """Mail and marks change together: a crash tells nothing twice and forgets nothing."""
    with transaction.atomic():
        buyer = User.objects.select_for_update(no_key=True).get(pk=buyer_id)
        rows = list(SavedSearch.objects.select_related("seller").filter(buyer=buyer, mail=True).order_by("pk"))
        if not any(row.looked_at <= now - BETWEEN_MAILS for row in rows):
            return
        settled = Listing.objects.filter(created_at__lte=now - _SETTLED).order_by("-pk")
        until = settled.values_list("pk", flat=True).first() or 0
        parts, told = list[str](), set[int]()
        away = list(not_selling().values_list("pk", flat=True))
        for row in rows:
            wanted = wanted_from(row.wanted, row.seller)
            found = found_between(
                wanted=wanted, after=row.after, until=until, now=now, limit=MOST_TOLD + 1, also=row.waiting
            )
            row.waiting = held_back(wanted=wanted, after=row.after, until=until, also=row.waiting, sellers=away)
            if fresh := [each for each in found if each.pk not in told]:
                parts.append(_part(row, wanted, fresh))
            told |= {each.pk for each in found}
        for row in rows:
            row.after, row.looked_at = max(row.after, until), now
        SavedSearch.objects.bulk_update(rows, ["after", "waiting", "looked_at"])
        if parts:
            write_mail(
                cause=f"searches:{buyer.pk}:{now:%Y%m%d%H%M}",
                to=buyer.email,
                subject=f"New for {_named(rows)}",
                body="\n\n\n".join([*parts, _footer(buyer.pk)]),
                now=now,
            )


def _named(rows: Sequence[SavedSearch]) -> str:
    return f"“{rows[0].name}”" if len(rows) == 1 else "your saved searches"


def _part(row: SavedSearch, wanted: Wanted, found: Sequence[Listing]) -> str:
    lines = [f"{row.name}: {settings.BASE_URL}{row.address}"]
    for listing in found[:MOST_TOLD]:
        price = min(variant.price for variant in fits(listing, wanted.choices))
        page = f"{settings.BASE_URL}{reverse('listing', args=[listing.public_id])}"
        lines.append(f"{listing.title}, from {price} {listing.currency}\n{page}")
    if len(found) > MOST_TOLD:
        lines.append("And more; the search shows them.")
    return "\n\n".join(lines)


def _footer(buyer_id: int) -> str:
    base = settings.BASE_URL
    return (
        "You saved these searches and asked for a mail about what is new, once a day at most.\n"
        f"Change them: {base}{reverse('my_searches')}\n"
        f"No more of these mails: {base}{reverse('stop_searches', args=[stop_token(buyer_id)])}"
    )
