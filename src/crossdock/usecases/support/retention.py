"""Carries out how long rows are kept (domain/retention.py): a few at a time, so that nobody waits for it, and what is
left over goes the next day.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from allauth.account.models import EmailConfirmation
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from crossdock.domain.moderation.approval import Stage
from crossdock.domain.retention import EVIDENCE, PICTURES, POLICY, SESSION_LIVES, Rule, Then, days_of
from crossdock.store.models import (
    AgentSession,
    Branding,
    BulkRow,
    BulkRun,
    ConnectAttempt,
    DataPart,
    Delivery,
    IdempotentReply,
    Invitation,
    LabelDocument,
    Listing,
    ListingReport,
    Mail,
    OrderLine,
    PaymentIntent,
    Quarantined,
    ReturnPicture,
    RiskTrace,
    SellerDetails,
    SigningKey,
    SignInTry,
)
from crossdock.store.models.money import IntentState
from crossdock.store.models.quarantine import QuarantineState
from crossdock.usecases.accounts.tokens import OF_AGENTS
from crossdock.usecases.record.audit_chain import shorten
from crossdock.usecases.shops.timers import prune

AT_ONCE = 500
MOST_IN_A_RUN = 100_000
_FOLDER = "pictures"
_REPORTED: dict[str, Any] = {"name": "", "email": "", "reporter": None}
_TRACED = {"ip": "", "device": "", "email": ""}
# Done hourly: `prune`, which is called here too, and the job that forgets quotes. The audit log is a chain.
ELSEWHERE = frozenset(
    f"store.{name}"
    for name in (
        "Exchange",
        "Call",
        "Delivery",
        "IdempotentReply",
        "Command",
        "NewsLag",
        "Label",
        "AuditEntry",
        "AuditLink",
    )
)


@dataclass(frozen=True, slots=True)
class Step:
    """The rows whose days are over at `before`; `blank` are the columns that are emptied, where rows stay."""

    rows: Callable[[datetime], QuerySet[Any]]
    blank: dict[str, Any] | None = None


def _ended_sessions(before: datetime) -> QuerySet[Any]:
    there = Session.objects.filter(session_key=OuterRef("session_key"))
    rows: QuerySet[Any] = UserSession.objects.filter(~Exists(there), last_seen_at__lt=before - timedelta(hours=1))
    return rows


STEPS: dict[str, Step] = {
    "store.Delivery:blacked out": Step(
        lambda before: Delivery.objects.filter(received_at__lt=before, handled_at__isnull=False).exclude(body=b""),
        {"body": b"", "headers": {}},
    ),
    "store.Mail:blacked out": Step(
        lambda before: Mail.objects.filter(sent_at__lt=before).exclude(body=""), {"body": ""}
    ),
    "store.ListingReport:blacked out": Step(
        lambda before: ListingReport.objects.filter(at__lt=before).exclude(**_REPORTED), _REPORTED
    ),
    "store.BulkRow:deleted": Step(lambda before: BulkRow.objects.filter(run__asked_at__lt=before)),
    "store.BulkRun:deleted": Step(lambda before: BulkRun.objects.filter(asked_at__lt=before)),
    "store.LabelDocument:deleted": Step(lambda before: LabelDocument.objects.filter(label__bought_at__lt=before)),
    "store.SellerDetails:blacked out": Step(
        lambda before: SellerDetails.objects.filter(
            seller__approval__stage=Stage.APPROVED, seller__approval__decided_at__lt=before, document_at__lt=before
        ).exclude(document=None),
        {"document": None},
    ),
    # They show it anew when they ask; who asks waits for staff.
    "store.SellerDetails:blacked out:not approved": Step(
        lambda before: (
            SellerDetails.objects.filter(document_at__lt=before)
            .exclude(document=None)
            .exclude(seller__approval__stage__in=[Stage.ASKED, Stage.APPROVED])
        ),
        {"document": None, "document_at": None},
    ),
    "store.ReturnPicture:deleted": Step(lambda before: ReturnPicture.objects.filter(row__closed_at__lt=before)),
    "store.RiskTrace:blacked out": Step(
        lambda before: RiskTrace.objects.filter(at__lt=before).exclude(**_TRACED), _TRACED
    ),
    "store.ConnectAttempt:deleted": Step(lambda before: ConnectAttempt.objects.filter(expires_at__lt=before)),
    "store.AgentSession:blacked out": Step(
        lambda before: AgentSession.objects.filter(expires_at__lt=before).exclude(details={}), {"details": {}}
    ),
    # As long after its answer as a session that nobody touched since.
    "store.IdempotentReply:deleted:agents": Step(
        lambda before: IdempotentReply.objects.filter(key__regex=OF_AGENTS, created_at__lt=before - SESSION_LIVES)
    ),
    "store.AgentSession:deleted": Step(
        lambda before: AgentSession.objects.filter(expires_at__lt=before).exclude(
            intent__state__in=[IntentState.CAPTURED, IntentState.CREATED, IntentState.UNKNOWN]
        )
    ),
    "store.DataPart:deleted": Step(lambda before: DataPart.objects.filter(run__ends_at__lt=before)),
    "store.Quarantined:deleted": Step(
        lambda before: Quarantined.objects.filter(state=QuarantineState.HEALED, ended_at__lt=before)
    ),
    "store.SigningKey:deleted": Step(lambda before: SigningKey.objects.filter(ends_at__lt=before)),
    "store.Invitation:deleted": Step(lambda before: Invitation.objects.filter(sent_at__lt=before)),
    "store.SignInTry:deleted": Step(lambda before: SignInTry.objects.filter(last_at__lt=before)),
    "sessions.Session:deleted": Step(lambda before: Session.objects.filter(expire_date__lt=before)),
    "usersessions.UserSession:deleted": Step(_ended_sessions),
    "account.EmailConfirmation:deleted": Step(lambda before: EmailConfirmation.objects.filter(created__lt=before)),
    "admin.LogEntry:deleted": Step(lambda before: LogEntry.objects.filter(action_time__lt=before)),
}


def run(*, now: datetime, most: int = MOST_IN_A_RUN) -> dict[str, int]:
    """What went, by rule's key. At most so many rows of each."""
    gone = {"evidence": prune(older_than=timedelta(days=EVIDENCE), now=now)}
    for rule in POLICY:
        step = STEPS.get(rule.key)
        if step is not None:
            gone[rule.key] = _in_batches(step, rule, now=now, most=most)
    gone["store.PaymentIntent:blacked out"] = _addresses_typed_for_nothing(now=now, most=most)
    gone[PICTURES.key] = _pictures(now=now)
    old = now - timedelta(days=days_of("store.AuditEntry", Then.DELETE))
    gone["store.AuditEntry:deleted"] = shorten(older_than=old, most=most, now=now)
    return {key: many for key, many in gone.items() if many}


def _in_batches(step: Step, rule: Rule, *, now: datetime, most: int) -> int:
    done = 0
    while done < most:
        with transaction.atomic():
            rows = step.rows(now - rule.after)
            found = list(rows.order_by("pk").values_list("pk", flat=True)[:AT_ONCE])
            if not found:
                break
            same = rows.model._default_manager.filter(pk__in=found)
            done += len(found)
            if step.blank is None:
                same.delete()
            else:
                same.update(**step.blank)
    return done


_NOWHERE = {"name": "", "line1": "", "line2": "", "city": "", "region": "", "postal_code": "", "phone": ""}


def _addresses_typed_for_nothing(*, now: datetime, most: int) -> int:
    """The country stays, for figures of where people wanted to buy from."""
    before = now - timedelta(days=days_of("store.PaymentIntent", Then.BLACK_OUT))
    rows = PaymentIntent.objects.filter(orders=None, created_at__lt=before).exclude(basket__ship_to__line1="")
    rows = rows.filter(basket__has_key="ship_to").exclude(state__in=[IntentState.CREATED, IntentState.UNKNOWN])
    done = 0
    while done < most and (found := list(rows.order_by("pk")[:AT_ONCE])):
        for row in found:
            to = row.basket["ship_to"]
            row.basket = {**row.basket, "ship_to": {**to, **{name: "" for name in _NOWHERE if name in to}, "line1": ""}}
        PaymentIntent.objects.bulk_update(found, ["basket"])
        done += len(found)
    return done


def _pictures(*, now: datetime) -> int:
    """Files that neither a listing nor an order shows; only listings made by hand have uploaded ones."""
    if not default_storage.exists(_FOLDER):
        return 0
    old = [name for name in default_storage.listdir(_FOLDER)[1] if _age(name, now=now) > PICTURES.after]
    if not old:
        return 0
    shown: set[str] = set()
    for logo, icon in Branding.objects.values_list("logo", "icon"):
        shown.update(url.rpartition("/")[2] for url in (logo, icon))
    own = Listing.objects.filter(connection=None).exclude(images=[])
    for images in own.values_list("images", flat=True).iterator():
        shown.update(str(url).rpartition("/")[2] for url in images)
    bought = OrderLine.objects.filter(image__in=[f"/media/{name}" for name in old]).values_list("image", flat=True)
    gone = sorted(set(old) - shown - {url.rpartition("/")[2] for url in bought})
    many = 0
    for name in gone:
        # Once more: it may have been uploaded again since.
        if _age(name, now=now) > PICTURES.after:
            default_storage.delete(f"{_FOLDER}/{name}")
            many += 1
    return many


def _age(name: str, *, now: datetime) -> timedelta:
    """None at all where somebody else deleted it just now."""
    try:
        return now - default_storage.get_modified_time(f"{_FOLDER}/{name}")
    except FileNotFoundError:
        return timedelta(0)
