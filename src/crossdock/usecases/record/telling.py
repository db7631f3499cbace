"""What a use-case tells, gathered in one value while it decides and written at the end of its transaction, with one
statement for each table: lines of an order's story, alerts raised and settled, mails, what sellers' programs are told,
and the commands that bring all that about.

What is written keeps the order in which it was told.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from crossdock.domain.alerts import AlertCode
from crossdock.domain.mails.letter import Letter
from crossdock.store.models import Alert, Command, Connection, Listing, Order, Seller, TimelineEntry, User
from crossdock.usecases.record import letters
from crossdock.usecases.record.events import OF_TIMELINE, about_order
from crossdock.usecases.record.mail import mail_of
from crossdock.usecases.record.written import Line, News, Raised, Said, Settled, Writing

# The number of the account that works in a seller's panel just now; None elsewhere.
_AT_WORK: ContextVar[int | None] = ContextVar("at_work", default=None)


@contextmanager
def working(person: User) -> Iterator[None]:
    """What is told meanwhile as the seller's doing says which of the team it was, whichever use-case tells it."""
    token = _AT_WORK.set(person.pk)
    try:
        yield
    finally:
        _AT_WORK.reset(token)


class Telling:
    """`said` is what is to be told and not written yet."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.said: list[Said] = []

    def tell(
        self,
        *,
        order: Order,
        source: str,
        kind: str,
        sentence: str,
        public: bool = False,
        evidence: dict[str, Any] | None = None,
    ) -> None:
        """`source` is whose doing it was: buyer, seller, shop, marketplace, carrier, staff.

        Some kinds are told to the seller's programs as well.
        """
        by = _AT_WORK.get() if source == "seller" else None
        entry = TimelineEntry(
            order=order,
            at=self.now,
            source=source,
            kind=kind,
            sentence=sentence,
            public=public,
            evidence={**(evidence or {}), **({"by": by} if by is not None else {})},
        )
        news = about_order(order, sentence, {"source": source}) if kind in OF_TIMELINE else None
        self.said.append(Line(entry, news))

    def raise_alert(
        self,
        *,
        code: AlertCode,
        seller: Seller,
        sentence: str,
        order: Order | None = None,
        connection: Connection | None = None,
        listing: Listing | None = None,
        key: str = "",
        evidence: dict[str, Any] | None = None,
        for_staff: bool = False,
        if_changed: bool = False,
    ) -> Raised:
        """`key` names the root cause; without one it is the code with its order, listing or connection.

        `for_staff`: the seller neither sees it nor is mailed. `if_changed`: one that is open with the same sentence and
        evidence was not seen again.
        """
        subject = (
            (order and f"order:{order.pk}")
            or (listing and f"listing:{listing.pk}")
            or (connection and f"shop:{connection.pk}")
            or "seller"
        )
        alert = Alert(
            key=f"{seller.pk}:{code}:{key or subject}"[:160],
            code=code,
            seller=seller,
            order=order,
            connection=connection,
            listing=listing,
            for_staff=for_staff,
            sentence=sentence,
            evidence=evidence or {},
            raised_at=self.now,
            last_at=self.now,
        )
        raised = Raised(alert, if_changed)
        self.said.append(raised)
        return raised

    def settle_by_fact(
        self,
        *,
        how: str,
        codes: tuple[AlertCode, ...],
        order: Order | None = None,
        connection: Connection | None = None,
        listing: Listing | None = None,
        key: str = "",
    ) -> None:
        """The world settled it: what the alert warned of is no longer so. `key` as it was given to `raise_alert`."""
        about = Q(order=order) if order else Q(listing=listing) if listing else Q(connection=connection, order=None)
        which = about & Q(code__in=codes)
        if key:
            which &= Q(key__endswith=f":{key}")

        def fits(alert: Alert) -> bool:
            if order:
                same = alert.order_id == order.pk
            elif listing:
                same = alert.listing_id == listing.pk
            else:
                same = alert.order_id is None and alert.connection_id == (connection.pk if connection else None)
            return same and alert.code in codes and (not key or alert.key.endswith(f":{key}"))

        self.settle(which, fits, actor=None, how=how)

    def settle(self, which: Q, fits: Callable[[Alert], bool], *, actor: User | None, how: str) -> Settled:
        """Each open row once, whoever comes at the same time. `which` and `fits` say the same."""
        settled = Settled(which, fits, actor, how.strip()[:200])
        self.said.append(settled)
        return settled

    def write_mail(
        self, *, cause: str, to: str, subject: str, body: str, order: Order | None = None, path: str = ""
    ) -> None:
        """Once per cause; see `mail_of`."""
        self.said.append(mail_of(cause=cause, to=to, subject=subject, body=body, now=self.now, order=order, path=path))

    def write_letter(self, *, cause: str, order: Order, letter: Letter, path: str = "", alone: bool = False) -> None:
        """To the order's buyer, in their language; see `letters.to_buyer`."""
        self.said.append(
            letters.to_buyer(cause=cause, order=order, letter=letter, now=self.now, path=path, alone=alone)
        )

    def order_event(self, *, order: Order, event: str, cause: str, sentence: str, more: dict[str, Any]) -> None:
        self.said.append(News(order.seller_id, event, cause, about_order(order, sentence, more)))

    def command(self, command: Command) -> None:
        """What has to be done elsewhere. The same cause twice is one command."""
        self.said.append(command)

    def write(self) -> None:
        """In the transaction of what was decided."""
        said, self.said = self.said, []
        if said:
            Writing(said, now=self.now).run()


@contextmanager
def telling(now: datetime, told: Telling | None = None, *, savepoint: bool = True) -> Iterator[Telling]:
    """A use-case's transaction; what it tells is written at its end. With `told` it joins the caller's, who writes."""
    mine = told or Telling(now)
    before = len(mine.said)
    try:
        with transaction.atomic(savepoint=savepoint):
            yield mine
            if told is None:
                mine.write()
    except BaseException:
        # What was undone is not told either, if the caller goes on.
        del mine.said[before:]
        raise
