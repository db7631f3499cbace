"""Mails to people, in the language that each reads: decided and put into words when the mail is written, in the
transaction of what it tells, so what was written stays as it is, whatever is chosen later.

A letter about an order is in the language that it was placed in; any other in that of the account.
"""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext, override

from crossdock.domain.due.zones import zone_of
from crossdock.domain.mails.letter import Letter
from crossdock.domain.mails.words import LOCALES, Fact, filled
from crossdock.store.models import Mail, Order
from crossdock.usecases.record.mail import mail_of

ENGLISH = "en"


def to_buyer(*, cause: str, order: Order, letter: Letter, now: datetime, path: str = "", alone: bool = False) -> Mail:
    """To the buyer of an order, not written yet. `alone`: it is not shown among the order's mails, and names its own
    links or `path`.
    """
    language = language_of(order)
    subject, body = worded(letter, language=language, zone=_zone(order, language))
    return mail_of(
        cause=cause,
        to=order.buyer.email,
        subject=subject,
        body=body,
        now=now,
        order=None if alone else order,
        path=path,
    )


def worded(letter: Letter, *, language: str, zone: tzinfo = UTC) -> tuple[str, str]:
    """Subject and body."""
    return in_language(letter.subject, language, zone=zone), in_language(letter.body, language, zone=zone)


def in_language(fact: Fact, language: str, *, zone: tzinfo = UTC) -> str:
    with override(language):
        return filled(fact, translate=gettext, locale=LOCALES[language], zone=zone)


def language_of(order: Order) -> str:
    """An order from before there were languages, or one that a program placed, speaks as its buyer's account does."""
    return known(order.language) or known(order.buyer.language) or ENGLISH


def known(language: str) -> str:
    """Empty where it is none that there is."""
    return language if language in dict(settings.LANGUAGES) else ""


def _zone(order: Order, language: str) -> tzinfo:
    """Where the parcel goes, is what the reader's clock shows, most likely. English, which is read everywhere, says
    UTC; each moment names its zone.
    """
    return UTC if language == ENGLISH else ZoneInfo(zone_of(str(order.ship_to.get("country", ""))))
