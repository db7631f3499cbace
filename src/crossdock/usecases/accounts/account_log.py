"""What happened to somebody's account, for the audit log: sign-ins that came in and that did not, and from where, no
finer than a network: an address alone can name a household.
"""

from collections.abc import Sequence
from datetime import datetime
from ipaddress import ip_address, ip_network

from crossdock.store.models import AuditTopic, User
from crossdock.usecases.accounts.tries import Source, waiting
from crossdock.usecases.record.audit import note

# What `tell_owner` writes letters about -> how the log says it. What is not here is noted where it is done.
NOTED = {
    "password": "password changed",
    "address": "e-mail address changed",
    "app_on": "authenticator app set up",
    "app_off": "authenticator app removed",
    "passkey_on": "passkey added",
    "passkey_off": "passkey removed",
    "codes": "recovery codes made",
}


def network_of(address: str) -> str:
    """ "203.0.113.0/24"; of IPv6 the first 48 bits. Empty for what is no address."""
    try:
        bits = 24 if ip_address(address).version == 4 else 48
    except ValueError:
        return ""
    return str(ip_network(f"{address}/{bits}", strict=False))


def coarse(place: str) -> str:
    """ "Firefox on Linux, 203.0.113.0/24" of a browser and its address."""
    browser, _, address = place.rpartition(", ")
    return ", ".join(part for part in (browser[:80], network_of(address)) if part)


def account_note(*, person: User, action: str, now: datetime, place: str = "", how: str = "") -> None:
    """By the person themselves, as far as we know."""
    detail = {name: value for name, value in {"from": coarse(place), "how": how}.items() if value}
    note(
        actor=person,
        person=person,
        action=action,
        subject=f"account {person.pk}",
        now=now,
        detail=detail,
        topic=AuditTopic.ACCOUNT,
    )


def second_factor_failed(*, person: User, place: str, now: datetime) -> None:
    """A wrong code, after the right password or to prove again who they are: by whom is not known."""
    note(
        actor=None,
        person=person,
        action="second factor failed",
        subject=f"account {person.pk}",
        now=now,
        detail={"from": coarse(place)},
        topic=AuditTopic.ACCOUNT,
    )


def sign_in_failed(*, email: str, place: str, tried: Sequence[Source], now: datetime) -> None:
    """Nobody's account is nobody's name: what was typed is not kept."""
    person = User.objects.filter(email__iexact=email.strip()).first() if email.strip() else None
    seconds = waiting(tried, now=now)
    failed_note(person=person, place=place, now=now, **({"has to wait": f"{seconds} s"} if seconds else {}))


def failed_note(*, person: User | None, place: str, now: datetime, **more: str) -> None:
    """A sign-in that came to nothing; whose, where it is known."""
    note(
        actor=None,
        person=person,
        action="sign-in failed",
        subject=f"account {person.pk}" if person else "no account",
        now=now,
        detail={"from": coarse(place), **more},
        topic=AuditTopic.ACCOUNT,
    )
