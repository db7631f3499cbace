"""The marketplace's own pages: what is read now, and how staff change it."""

import time
from datetime import datetime

from django.db import DatabaseError, transaction
from django.db.models import QuerySet

from crossdock.domain.roles import Right
from crossdock.domain.site.pages import LONGEST, TITLES, Page
from crossdock.domain.storable import typed_lines
from crossdock.store.models import PageText, User
from crossdock.usecases.errors import Invalid
from crossdock.usecases.record.audit import note
from crossdock.usecases.record.rights import require

# So long a web server may go on with the links that it knows.
_AGE_SECONDS = 30.0


class _Links:
    """What this process knows: which pages there are, and until when it asks nobody."""

    found: tuple[tuple[str, str], ...] = ()
    until = 0.0


def links() -> tuple[tuple[str, str], ...]:
    """(page, title) of those that have text, for the footer of every page: asked once in half a minute. While the
    database does not answer, as they were.
    """
    if time.monotonic() >= _Links.until:
        try:
            there = {row.page for row in in_force().values() if row.text}
        except DatabaseError:
            return _Links.found
        _Links.found = tuple((page.value, TITLES[page]) for page in Page if page in there)
        _Links.until = time.monotonic() + _AGE_SECONDS
    return _Links.found


def forget() -> None:
    """This process asks again at once."""
    _Links.until = 0.0


def in_force() -> dict[str, PageText]:
    """The newest version of each page that was ever written."""
    rows = PageText.objects.select_related("made_by").order_by("page", "-number").distinct("page")
    return {row.page: row for row in rows}


def versions(page: Page) -> QuerySet[PageText]:
    """Newest first."""
    return PageText.objects.filter(page=page).select_related("made_by").order_by("-number")


def checked(text: str) -> str:
    """As it is kept. Raises Invalid."""
    kept = typed_lines(text)
    if len(kept) > LONGEST:
        raise Invalid(f"The text has {len(kept):,} letters; a page may have {LONGEST:,}.")
    return kept


def publish(*, page: Page, text: str, seen: int, actor: User, now: datetime) -> bool:
    """A new version, from now on; False where it reads so already (a second click). `seen` is the number of the version
    that was changed, 0 for none: on another one nothing is published. Raises Invalid, NotAllowed.
    """
    require(actor, None, "Only staff write the marketplace's pages.", Right.PAGES)
    kept = checked(text)
    with transaction.atomic():
        newest = versions(page).first()
        if kept == (newest.text if newest else ""):
            return False
        given = {"text": kept, "made_by": actor, "made_at": now}
        number = newest.number if newest else 0
        # Of two at once one has the next number.
        if number != seen or not PageText.objects.get_or_create(page=page, number=seen + 1, defaults=given)[1]:
            who = (newest.made_by if newest else None) or "Somebody"
            raise Invalid(f"{who} published another version meanwhile. Look at it below, then publish yours again.")
        action = "page published" if kept else "page taken away"
        note(actor=actor, action=action, subject=TITLES[page], now=now, detail={"page": page, "version": seen + 1})
        transaction.on_commit(forget)
    return True
