"""Asking for a copy of one's data or for leaving, and the worker's steps that bring it about.

A run is claimed by one worker, which writes under its claim alone: whoever lost it stops. What a killed worker leaves
is begun again, a copy from the start and a leaving at its batch.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from crossdock.domain.privacy.runs import COPIES_WITHIN, LINK, MOST_COPIES, OPEN, RunKind, RunState
from crossdock.domain.roles import Right
from crossdock.store.ids import public_id
from crossdock.store.models import AuditTopic, DataPart, DataRun, User
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.privacy.archive import sections_of, write_archive
from crossdock.usecases.privacy.whose import Whose
from crossdock.usecases.record.audit import note
from crossdock.usecases.record.mail import write_mail
from crossdock.usecases.record.rights import holds, who_may

CLAIM = timedelta(minutes=2)
_LONGEST_REST = 60
Clock = Callable[[], datetime]


class Lost(Exception):
    """Another worker has the run now, or this one is asked to stop."""


def require_own(actor: User, person: User) -> None:
    """Raises NotAllowed: one's own data, or by staff who may."""
    if actor.pk != person.pk and not holds(actor, Right.PRIVACY):
        raise NotAllowed(who_may(Right.PRIVACY, actor))


def ask_export(*, person: User, actor: User, now: datetime, why: str = "") -> DataRun:
    """A copy is made in the background; its owner is written when it can be had. Asked twice at once it is one.

    Raises NotAllowed, Invalid.
    """
    require_own(actor, person)
    own = actor.pk == person.pk
    if not own and not why.strip():
        raise Invalid("Say why: it is kept in the audit log.")
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=person.pk)
        mine = DataRun.objects.filter(person=person, kind=RunKind.EXPORT)
        going = mine.filter(state__in=OPEN).first()
        if going is not None:
            return going
        if mine.filter(asked_at__gt=now - COPIES_WITHIN).count() >= MOST_COPIES:
            raise NotAllowed(f"That was made {MOST_COPIES} times within a day. Take the newest, or come back tomorrow.")
        # One copy at a time: the one from before is not needed any more.
        ended = mine.filter(state=RunState.READY)
        DataPart.objects.filter(run__in=ended).delete()
        ended.update(state=RunState.ENDED, ends_at=now)
        run = DataRun.objects.create(
            kind=RunKind.EXPORT, person=person, asked_by=actor, why=why.strip()[:300], asked_at=now, due_at=now
        )
        noted(run, actor, "asked for a copy of the data", now=now)
    return run


def noted(run: DataRun, actor: User | None, action: str, *, now: datetime) -> None:
    own = actor is not None and actor.pk == run.person_id
    note(
        actor=actor,
        person=run.person,
        action=action,
        subject=f"account {run.person_id}",
        now=now,
        detail={"run": run.public_id, **({"why": run.why} if run.why else {})},
        topic=AuditTopic.ACCOUNT if own else AuditTopic.SYSTEM if actor is None else AuditTopic.STAFF,
    )


def ready(run: DataRun | None, *, now: datetime) -> bool:
    """Whether the copy can be had."""
    return run is not None and run.state == RunState.READY and run.ends_at is not None and run.ends_at > now


def taken(*, run: DataRun, actor: User, now: datetime) -> None:
    """It leaves the house. Raises NotAllowed: it is for its owner alone, not for staff, and for as long as said."""
    if actor.pk != run.person_id:
        raise NotAllowed("This copy is somebody else's.")
    if not ready(run, now=now):
        raise NotAllowed("This copy can no longer be had. Ask for a new one.")
    note(
        actor=actor,
        person=actor,
        action="exported",
        subject="a copy of their own data",
        now=now,
        detail={"run": run.public_id},
        topic=AuditTopic.ACCESS,
    )


def claim(*, now: datetime) -> DataRun | None:
    """The next run that is due and that nobody works on."""
    free = Q(claimed_until=None) | Q(claimed_until__lt=now)
    with transaction.atomic():
        due = DataRun.objects.filter(free, state__in=[RunState.WAITING, RunState.RUNNING], due_at__lte=now)
        run = due.select_for_update(skip_locked=True, no_key=True, of=("self",)).order_by("due_at").first()
        if run is None:
            return None
        run.state, run.claim, run.claimed_until = RunState.RUNNING, public_id(), now + CLAIM
        run.started_at = run.started_at or now
        run.tries += 1
        run.save(update_fields=["state", "claim", "claimed_until", "started_at", "tries"])
    return run


def hold(run: DataRun, *, now: datetime, **changed: object) -> None:
    """Write under the claim, and keep it. Raises Lost when another has it."""
    if not DataRun.objects.filter(pk=run.pk, claim=run.claim, state=RunState.RUNNING).update(
        claimed_until=now + CLAIM, **changed
    ):
        raise Lost
    for name, value in changed.items():
        setattr(run, name, value)


def rest(run: DataRun, *, now: datetime, until: datetime | None = None) -> None:
    """It stumbled, or waits for something: later again."""
    minutes = min(2 ** min(run.tries, 10), _LONGEST_REST)
    DataRun.objects.filter(pk=run.pk, claim=run.claim).update(
        claim="", claimed_until=None, due_at=until or now + timedelta(minutes=minutes)
    )


def export(run: DataRun, *, clock: Clock, going_on: Callable[[], bool]) -> None:
    """Raises Lost."""
    DataPart.objects.filter(run=run).delete()
    size = number = 0

    def take(piece: bytes) -> None:
        nonlocal size, number
        if not going_on():
            raise Lost
        with transaction.atomic():
            hold(run, now=clock())
            DataPart.objects.create(run=run, no=number, content=piece)
        size, number = size + len(piece), number + 1

    def told(done: int, rows: int) -> None:
        hold(run, now=clock(), done=done, rows=rows)

    person = run.person
    rows = write_archive(whose=Whose(person), take=take, told=told, now=run.started_at or clock())
    now = clock()
    with transaction.atomic():
        hold(
            run,
            now=now,
            done=len(sections_of(Whose(person))),
            rows=rows,
            size=size,
            finished_at=now,
            ends_at=now + LINK,
            state=RunState.READY,
        )
        noted(run, None, "copy of the data made", now=now)
        if person.is_active:
            write_mail(
                cause=f"data:{run.public_id}",
                to=person.email,
                subject="The copy of your data is ready",
                now=now,
                path="/accounts/data/",
                body=(
                    f"It can be had until {run.ends_at:%d %B %Y}: sign in, and prove once more who you are. Nobody else"
                    f" can.\n\nIf you did not ask for it, set a new password now: {settings.BASE_URL}"
                    "/accounts/password/reset/"
                ),
            )


def write_copy(*, email: str, take: Callable[[bytes], object], now: datetime) -> int:
    """By the operator on the server, for somebody who cannot sign in: how many rows. Raises Invalid."""
    person = User.objects.filter(email__iexact=email.strip()).first()
    if person is None:
        raise Invalid(f"Nobody signs in as {email.strip()}.")
    note(
        actor=None,
        person=person,
        action="exported",
        subject="a copy of a person's data",
        now=now,
        topic=AuditTopic.ACCESS,
    )
    return write_archive(whose=Whose(person), take=take, told=lambda done, rows: None, now=now)
