"""Cases between a seller and staff: opened from what they are about, answered in turns, closed, opened again.

Each message is mailed to the other side once.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from crossdock.domain.alerts import Button
from crossdock.domain.cases import KIND_WORDS, CaseKind, CaseState, after_message
from crossdock.domain.moderation.quotas import Quota
from crossdock.domain.roles import Right
from crossdock.domain.team.roles import Duty
from crossdock.store.models import Alert, Case, CaseMessage, Connection, Listing, Order, Seller, User
from crossdock.usecases.accounts.quotas.gate import take_one
from crossdock.usecases.errors import Invalid
from crossdock.usecases.record import audit
from crossdock.usecases.record.alerts import settle_alert
from crossdock.usecases.record.rights import belongs, is_staff, require, require_of, who_hold
from crossdock.usecases.record.telling import Telling, telling
from crossdock.usecases.support.evidence import PARTS, gather, subject_of

LONGEST_BODY = 8000
# The same words again within this time are the same press of a button.
_TWICE = timedelta(minutes=10)
_MOST_STAFF = 20


def open_case(
    *,
    seller: Seller,
    opened_by: User | None,
    kind: CaseKind | str,
    subject: str,
    body: str,
    order: Order | None = None,
    listing: Listing | None = None,
    connection: Connection | None = None,
    alert: Alert | None = None,
    credit: Any = None,
    evidence: dict[str, Any] | None = None,
    now: datetime,
    told: Telling | None = None,
) -> Case:
    """The case. Asking twice is one case: the same words are nothing new, and further words to an open question go
    into its thread.

    Without `evidence` it is gathered here. `opened_by` is None when the marketplace itself saw the need.
    """
    kind, words, title = CaseKind(kind), _words(body), " ".join(subject.split())[:200]
    if not title:
        raise Invalid("Say in a few words what it is about.")
    for thing in (order, listing, connection, alert):
        if thing is not None:
            require_of(seller, thing, "That is not yours.")
    links: dict[str, Any] = {"order": order, "listing": listing, "connection": connection, "alert": alert}
    if credit is not None:
        links["credit"] = credit
    with telling(now, told) as told:
        Seller.objects.select_for_update(no_key=True, of=("self",)).get(pk=seller.pk)
        before = _same(seller=seller, kind=kind, title=title, words=words, links=links, now=now)
        if before is not None:
            if kind is not CaseKind.PROBLEM and not before.messages.filter(body=words).exists():
                _say(before, opened_by, words, told=told)
            return before
        # The marketplace's own are never too many: money may hang on them.
        if opened_by is not None:
            take_one(seller, Quota.CASES, now=now, told=told)
        if evidence is None:
            about = subject_of(seller=seller, order=order, listing=listing, connection=connection, alert=alert)
            evidence = gather(subject=about, now=now)
        case = Case.objects.create(
            seller=seller,
            opened_by=opened_by,
            kind=kind,
            subject=title,
            evidence=evidence,
            opened_at=now,
            last_at=now,
            **links,
        )
        _say(case, opened_by, words, told=told, state=CaseState.OPEN)
        if alert is not None and alert.kind.button is Button.ASK_STAFF and not alert.for_staff:
            settle_alert(alert=alert, actor=opened_by, how=f"Staff were asked: “{title}”.", now=now)
        if order is not None:
            who = "staff" if _is_staff(case, opened_by) else "seller" if opened_by else "marketplace"
            told.tell(
                order=order,
                source=who,
                kind="case",
                sentence=f"{KIND_WORDS[kind]}: “{title}”.",
                evidence={"case": case.public_id},
            )
    return case


def _same(
    *, seller: Seller, kind: CaseKind, title: str, words: str, links: dict[str, Any], now: datetime
) -> Case | None:
    """An open case that this is a repeat of, or (but for problems, of which there may be many) belongs to."""
    found = seller.cases.filter(kind=kind, **links).exclude(state=CaseState.CLOSED).order_by("-pk")
    if kind is CaseKind.PROBLEM:
        found = found.filter(subject=title, messages__body=words, opened_at__gt=now - _TWICE)
    elif kind is CaseKind.SHOP_REFUND:
        found = found.filter(subject=title)
    elif not any(links.values()):
        found = found.filter(subject=title, messages__body=words)
    return found.first()


def answer(*, case: Case, author: User, body: str, now: datetime) -> CaseMessage:
    """Either side writes; the other is mailed.

    Writing to a closed case opens it again. The same words at once are one message.
    """
    words = _words(body)
    with telling(now) as told:
        case = _locked(case, author)
        last = case.messages.order_by("-pk").first()
        if last and last.author_id == author.pk and last.body == words and last.at > now - _TWICE:
            return last
        message = _say(case, author, words, told=told)
        if message.is_staff:
            audit.note(
                actor=author, action="answered a case", subject=case.subject, now=now, detail={"case": case.public_id}
            )
    return message


def close(*, case: Case, actor: User, now: datetime) -> None:
    """Idempotent."""
    with transaction.atomic():
        case = _locked(case, actor)
        if case.state == CaseState.CLOSED:
            return
        case.state, case.closed_at, case.closed_by, case.last_at = CaseState.CLOSED, now, actor, now
        case.save(update_fields=["state", "closed_at", "closed_by", "last_at"])
        _note(case, actor, "closed a case", now=now)


def reopen(*, case: Case, actor: User, now: datetime) -> None:
    """It is the other side's turn then. Idempotent."""
    with transaction.atomic():
        case = _locked(case, actor)
        if case.state != CaseState.CLOSED:
            return
        case.state = after_message(by_staff=_is_staff(case, actor))
        case.closed_at, case.closed_by, case.last_at = None, None, now
        case.save(update_fields=["state", "closed_at", "closed_by", "last_at"])
        _note(case, actor, "opened a case again", now=now)


def attach_evidence(*, case: Case, actor: User, evidence: dict[str, Any] | None = None, now: datetime) -> int:
    """Add what there is by now to what was there; nothing that stands in the case is changed, and what the seller left
    out stays out. Returns how many items came in.
    """
    with transaction.atomic():
        case = _locked(case, actor)
        if evidence is None:
            about = subject_of(
                seller=case.seller, order=case.order, listing=case.listing, connection=case.connection, alert=case.alert
            )
            evidence = gather(subject=about, now=now)
        kept = dict(case.evidence) or {**evidence, **{part: [] for part in PARTS}}
        came = 0
        for part in PARTS:
            there = {*(item["key"] for item in kept.get(part, [])), *kept.get("left_out", [])}
            new = [item for item in evidence.get(part, []) if item["key"] not in there]
            kept[part] = [*kept.get(part, []), *new]
            came += len(new)
        if came:
            kept["taken_at"] = evidence["taken_at"]
            case.evidence, case.last_at = kept, now
            case.save(update_fields=["evidence", "last_at"])
            _note(case, actor, "attached evidence", now=now)
    return came


def cases_of(*, seller: Seller, which: str = "open") -> QuerySet[Case]:
    """`which`: open, waiting (for the seller), closed, all."""
    found = seller.cases.select_related("order", "listing", "connection")
    match which:
        case "open":
            return found.exclude(state=CaseState.CLOSED)
        case "waiting":
            return found.filter(state=CaseState.WAITING_FOR_SELLER)
        case "closed":
            return found.filter(state=CaseState.CLOSED)
        case _:
            return found


def waiting_for_staff() -> QuerySet[Case]:
    return Case.objects.filter(state__in=[CaseState.OPEN, CaseState.WAITING_FOR_STAFF])


def _words(body: str) -> str:
    words = body.replace("\x00", "").strip()[:LONGEST_BODY]
    if not words:
        raise Invalid("Write a few words.")
    return words


def _locked(case: Case, person: User) -> Case:
    found = (
        Case.objects.select_for_update(no_key=True, of=("self",))
        .select_related("seller__owner", "order")
        .get(pk=case.pk)
    )
    require(person, found.seller, "This case is not yours.", Right.CASES, duty=Duty.ASK)
    return found


def _is_staff(case: Case, person: User | None) -> bool:
    """A member of staff who sells speaks as the seller in their own cases."""
    return is_staff(person) and not belongs(person, case.seller)


def _say(case: Case, author: User | None, words: str, *, told: Telling, state: CaseState | None = None) -> CaseMessage:
    now = told.now
    by_staff = _is_staff(case, author)
    message = CaseMessage.objects.create(case=case, author=author, is_staff=by_staff, body=words, at=now)
    case.state, case.last_at = state or after_message(by_staff=by_staff), now
    case.closed_at = case.closed_by = None
    case.save(update_fields=["state", "last_at", "closed_at", "closed_by"])
    _mail(case, message, told=told)
    return message


def _mail(case: Case, message: CaseMessage, *, told: Telling) -> None:
    """To the other side. A page that is signed in shows the rest, so the words themselves go to the seller alone."""
    base = settings.BASE_URL
    if message.is_staff:
        told.write_mail(
            cause=f"case:{case.public_id}:{message.pk}",
            to=case.seller.owner.email,
            subject=f"Answer: {case.subject}",
            order=case.order,
            body=f"{message.body}\n\nAnswer here: {base}/seller/cases/{case.public_id}/",
        )
        return
    for member in _staff():
        told.write_mail(
            cause=f"case:{case.public_id}:{message.pk}:{member.pk}",
            to=member.email,
            subject=f"{KIND_WORDS[CaseKind(case.kind)]}: {case.subject}",
            body=(
                f"{case.seller.name} wrote about “{case.subject}”.\n\nRead and answer it here:"
                f" {base}/staff/cases/{case.public_id}/"
            ),
        )


def _staff() -> Iterable[User]:
    return who_hold(Right.CASES)[:_MOST_STAFF]


def _note(case: Case, actor: User, action: str, *, now: datetime) -> None:
    if _is_staff(case, actor):
        audit.note(actor=actor, action=action, subject=case.subject, now=now, detail={"case": case.public_id})
