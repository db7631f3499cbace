"""What the marketplace is called and looks like: what holds now, and how staff change it."""

import time
from datetime import datetime
from email.utils import parseaddr, quote

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import QuerySet

from crossdock.domain.roles import Right
from crossdock.domain.site.brand import Brand, NotABrand, checked
from crossdock.store.models import Branding, User
from crossdock.usecases.errors import Invalid
from crossdock.usecases.record.audit import note
from crossdock.usecases.record.rights import require

# So long a process may go on with what it knows.
_AGE_SECONDS = 30.0


class Known:
    """What this process knows, and until when it asks nobody."""

    brand = Brand()
    until = 0.0


def brand() -> Brand:
    """The one in force, asked for once in half a minute. While the database does not answer, as it was."""
    if time.monotonic() >= Known.until:
        try:
            row = versions().first()
        except DatabaseError:
            return Known.brand
        Known.brand = brand_of(row)
        Known.until = time.monotonic() + _AGE_SECONDS
    return Known.brand


def forget() -> None:
    """This process asks again at once."""
    Known.until = 0.0


def site_name() -> str:
    return brand().name or settings.SITE_NAME


def sender() -> str:
    """The From line of a mail: the operator's address, under the name that staff set."""
    name = brand().sender or brand().name
    address = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    return f'"{quote(name)}" <{address}>' if name and address else settings.DEFAULT_FROM_EMAIL


def brand_of(row: Branding | None) -> Brand:
    if row is None:
        return Brand()
    return Brand(row.name, row.accent, row.contact, row.sender, row.logo, row.icon)


def who_set(row: Branding | None) -> str:
    return str((row.made_by if row else None) or "Somebody")


def versions() -> QuerySet[Branding]:
    """Newest first."""
    return Branding.objects.select_related("made_by").order_by("-number")


def set_brand(*, wanted: Brand, seen: int, actor: User, now: datetime) -> bool:
    """A new version, from now on; False where it is so already (a second click). `seen` is the number of the version
    that was changed, 0 for none: on another one nothing is set. Raises Invalid, NotAllowed.
    """
    require(actor, None, "Only staff change what the marketplace is called and looks like.", Right.PAGES)
    try:
        kept = checked(wanted)
    except NotABrand as wrong:
        raise Invalid(str(wrong)) from None
    with transaction.atomic():
        newest = versions().first()
        if kept == brand_of(newest):
            return False
        given = {name: getattr(kept, name) for name in Brand.__dataclass_fields__}
        number = newest.number if newest else 0
        # Of two at once one has the next number.
        made = {**given, "made_by": actor, "made_at": now}
        if number != seen or not Branding.objects.get_or_create(number=seen + 1, defaults=made)[1]:
            raise Invalid(f"{who_set(newest)} set another one meanwhile. Look at what holds now, then set yours again.")
        note(actor=actor, action="branding set", subject=kept.name or settings.SITE_NAME, now=now, detail=given)
        transaction.on_commit(forget)
    return True
