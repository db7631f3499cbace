"""Leaving: asked for, thought better of, and carried out by the worker a batch at a time.

First nothing may be open any more; then the account is shut, and table after table follows. Books stay.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from crossdock.domain.moderation.takedowns import IS_DOWN
from crossdock.domain.privacy.runs import GRACE, OPEN, RunKind, RunState, what_stops
from crossdock.domain.roles import Right
from crossdock.store.bulk import lock_in_order
from crossdock.store.models import DataRun, Endpoint, Listing, ListingReview, Party, User
from crossdock.store.models.catalogue import ListingState
from crossdock.usecases.accounts.sessions import end_sessions_of
from crossdock.usecases.accounts.team import disband
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.privacy.queries import standing
from crossdock.usecases.privacy.runs import Clock, Lost, hold, noted, require_own, rest
from crossdock.usecases.privacy.steps import STEPS, Step
from crossdock.usecases.privacy.whose import Whose
from crossdock.usecases.record.mail import write_mail
from crossdock.usecases.record.rights import holds, who_may

AT_ONCE = 200
# What is still open when the time has come is waited for so long; the mail that says farewell is, too.
PATIENCE = timedelta(days=3)
_AGAIN, _SOON = timedelta(hours=1), timedelta(minutes=1)


def ask_erasure(*, person: User, actor: User, now: datetime, why: str = "") -> DataRun:
    """By themselves it begins after the days of grace; by staff, once a second person of staff agreed. Asked twice it
    is one. Raises NotAllowed with all that has to be done first, Invalid.
    """
    require_own(actor, person)
    own = actor.pk == person.pk
    if not own and not why.strip():
        raise Invalid("Say why: it is kept in the audit log.")
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=person.pk)
        going = DataRun.objects.filter(person=person, kind=RunKind.ERASURE, state__in=OPEN).first()
        if going is not None:
            return going
        if stops := what_stops(standing(person, now=now), settled=not own):
            raise NotAllowed(" ".join(stops))
        run = DataRun.objects.create(
            kind=RunKind.ERASURE,
            state=RunState.WAITING if own else RunState.SECOND,
            person=person,
            asked_by=actor,
            why=why.strip()[:300],
            asked_at=now,
            due_at=now + GRACE,
        )
        noted(run, actor, "asked to delete the account", now=now)
        if own:
            _announce(run, now=now)
    return run


def agree(*, run: DataRun, actor: User, now: datetime) -> None:
    """The second person of staff; what the books owe was settled outside. Raises NotAllowed."""
    if not holds(actor, Right.PRIVACY):
        raise NotAllowed(who_may(Right.PRIVACY, actor))
    with transaction.atomic():
        run = _locked(run)
        if run.state != RunState.SECOND:
            raise NotAllowed("Somebody decided that meanwhile.")
        if actor.pk in (run.asked_by_id, run.person_id):
            raise NotAllowed("You asked for it yourself. Somebody else of staff agrees.")
        if stops := what_stops(standing(run.person, now=now), settled=True):
            raise NotAllowed(" ".join(stops))
        run.state, run.second_by, run.due_at = RunState.WAITING, actor, now + GRACE
        run.save(update_fields=["state", "second_by", "due_at"])
        noted(run, actor, "agreed to delete the account", now=now)
        _announce(run, now=now)


def keep_account(*, run: DataRun, actor: User, now: datetime) -> None:
    """Thought better of. Raises NotAllowed once it has begun."""
    require_own(actor, run.person)
    with transaction.atomic():
        run = _locked(run)
        if run.state not in (RunState.SECOND, RunState.WAITING) and (run.state != RunState.RUNNING or run.step):
            raise NotAllowed("That is over: it was taken back already, or it has begun.")
        told = run.state != RunState.SECOND
        run.state, run.finished_at = RunState.WITHDRAWN, now
        run.save(update_fields=["state", "finished_at"])
        noted(run, actor, "kept the account", now=now)
        if told:
            _write(run, "kept", "Your account stays", "It will not be deleted, and nothing of it was.", now=now)


def _locked(run: DataRun) -> DataRun:
    return DataRun.objects.select_for_update(no_key=True, of=("self",)).select_related("person").get(pk=run.pk)


def _announce(run: DataRun, *, now: datetime) -> None:
    by = "" if run.asked_by_id == run.person_id else "Our staff were asked to delete your account. "
    _write(
        run,
        "asked",
        "Your account will be deleted",
        f"{by}It begins on {run.due_at:%d %B %Y}. Until then everything goes on, and you can keep it: sign in and press"
        f" “Keep my account”.\n\nIf you did not ask for this, keep it, and set a new password:"
        f" {settings.BASE_URL}/accounts/password/reset/",
        now=now,
    )


def _write(run: DataRun, what: str, subject: str, body: str, *, now: datetime) -> None:
    write_mail(
        cause=f"leaving:{run.public_id}:{what}",
        to=run.person.email,
        subject=subject,
        body=body,
        now=now,
        path="/accounts/data/",
    )


def erase(run: DataRun, *, clock: Clock, going_on: Callable[[], bool]) -> None:
    """As far as it gets: to its end, or to where it has to wait. Raises Lost."""
    if not run.step and not _begun(run, now=clock()):
        return
    whose = Whose(run.person)
    keys = [_key(number) for number in range(len(STEPS))]
    # A step that an update took away: from the beginning, since what was done is done.
    first = keys.index(run.step) if run.step in keys else 0
    for number in range(first, len(STEPS)):
        step = STEPS[number]
        if run.step != keys[number]:
            hold(run, now=clock(), step=keys[number], cursor=0, done=number)
        if step.wait(whose) and run.started_at is not None and clock() < run.started_at + PATIENCE:
            rest(run, now=clock(), until=clock() + _SOON)
            return
        while _batch(run, step, whose, clock=clock):
            if not going_on():
                raise Lost
    now = clock()
    with transaction.atomic():
        hold(run, now=now, done=len(STEPS), state=RunState.DONE, finished_at=now)
        noted(run, None, "account deleted", now=now)


def _key(number: int) -> str:
    return f"{number}:{STEPS[number].table}"


def _batch(run: DataRun, step: Step, whose: Whose, *, clock: Clock) -> bool:
    """Whether there was one. Its rows and how far it got change together."""
    with transaction.atomic():
        rows = step.rows(whose)
        if step.by_key:
            # What is deleted or blanked is not read: a picture or a document may be large.
            rows = rows.select_related(None).only("pk")
        found = list(rows.filter(pk__gt=run.cursor).order_by("pk")[:AT_ONCE])
        if not found:
            return False
        step.do(found, whose)
        hold(run, now=clock(), cursor=found[-1].pk, rows=run.rows + len(found))
    return True


def _begun(run: DataRun, *, now: datetime) -> bool:
    """Shuts the account, unless something is open: that is waited for a while, then it is called off."""
    with transaction.atomic():
        person = User.objects.select_for_update(no_key=True).get(pk=run.person_id)
        stops = what_stops(standing(person, now=now), settled=run.second_by_id is not None)
        if stops and run.started_at is not None and now < run.started_at + PATIENCE:
            hold(run, now=now, sentence=" ".join(stops))
            rest(run, now=now, until=now + _AGAIN)
            return False
        if stops:
            hold(run, now=now, sentence=" ".join(stops), state=RunState.STOPPED, finished_at=now)
            noted(run, None, "account not deleted", now=now)
            body = "Your account was not deleted, since something was open:\n\n" + "\n".join(stops)
            _write(run, "stopped", "Your account was not deleted", body + "\n\nAsk again afterwards.", now=now)
            return False
        User.objects.filter(pk=person.pk).update(is_active=False)
        end_sessions_of(user=person, actor=None, now=now)
        _end_listings(person, now=now)
        disband(owner=person, now=now)
        receivers = Endpoint.objects.filter(seller__owner=person, deleted_at=None)
        Party.objects.filter(pk__in=receivers.values("party_id")).update(stopped=True)
        receivers.update(deleted_at=now)
        hold(run, now=now, step=_key(0), cursor=0, sentence="", started_at=now)
        run.person = person
        _write(
            run,
            "begun",
            "Your account is deleted",
            "Your account is shut, and what the marketplace kept of you is being deleted. Orders and books stay for as"
            " long as tax law asks, without your name and address. Backups hold the rest for a while longer and are"
            " then thrown away. This is the last mail to this address.",
            now=now,
        )
    return True


def _end_listings(person: User, *, now: datetime) -> None:
    """What staff took down stays hidden from buyers, and has no way back to being sold."""
    mine = Listing.objects.filter(seller__owner=person)
    down = mine.filter(state=ListingState.TAKEN_DOWN)
    lock_in_order(down)
    mine.exclude(state=ListingState.TAKEN_DOWN).update(state=ListingState.ARCHIVED, archived_at=now, updated_at=now)
    ListingReview.objects.filter(listing__in=down, state__in=IS_DOWN).update(listing_state=ListingState.ARCHIVED)
