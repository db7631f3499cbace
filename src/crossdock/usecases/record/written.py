"""What can be told, and how it is written: everything that is to be known is asked in one round trip, what was told is
played through in its order, and then each table is written once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import F, Q, QuerySet

from crossdock.domain.alerts import Group, MailChoice
from crossdock.store.bulk import update_rows
from crossdock.store.models import AgentSession, Alert, AlertMail, Command, Endpoint, Mail, Party, TimelineEntry, User
from crossdock.store.models.alerts import DigestState
from crossdock.store.once import insert_new
from crossdock.store.plans import prepared
from crossdock.store.together import Question, Statement, ask, insert_of
from crossdock.usecases.outbox.queue import enqueue_all
from crossdock.usecases.record.agent_news import sessions_behind, spoken, update_commands
from crossdock.usecases.record.alert_mail import mail_at_once, with_choices
from crossdock.usecases.record.events import (
    ALERT_RAISED,
    ALERT_SETTLED,
    OF_TIMELINE,
    about_alert,
    event_commands,
    receivers,
)
from crossdock.usecases.record.mail import is_read, office, post_office, send_command

_OPEN = "settled_at IS NULL"


@dataclass(slots=True)
class Line:
    """An entry of an order's timeline. `news` is what programs are told of it, as the order was when it was told."""

    entry: TimelineEntry
    news: dict[str, Any] | None


@dataclass(slots=True)
class Raised:
    """`alert` is the open row once it is written: this one, or the one that was open already. `fresh`: it is this one.
    `if_changed`: one that says the same is left as it is.
    """

    alert: Alert
    if_changed: bool
    fresh: bool = False
    mail: Mail | None = None
    news: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Settled:
    """`alerts` are those that were settled, once it is written."""

    which: Q
    fits: Callable[[Alert], bool]
    actor: User | None
    how: str
    alerts: list[Alert] = field(default_factory=list)


@dataclass(slots=True)
class News:
    """What the programs of a seller are told."""

    seller_id: int
    event: str
    cause: str
    data: dict[str, Any]


Said = Line | Raised | Settled | News | Mail | Command


class Writing:
    """What was said is written as if each had been written at once; asked together, one statement for each table."""

    def __init__(self, said: Sequence[Said], *, now: datetime) -> None:
        self._said, self._now = said, now
        self._listening: dict[int, list[Endpoint]] = {}
        self._choices: dict[int, dict[Group, MailChoice]] = {}
        self._office: Party | None = None
        self._agents: list[AgentSession] = []

    def run(self) -> None:
        said = self._said
        raised = [one for one in said if isinstance(one, Raised)]
        opened = self._ask(said, raised)
        self._settle_and_raise(opened)
        self._keep(raised, opened)
        mails = {id(mail): mail for one in said if (mail := _mail_in(one)) is not None and is_read(mail)}
        fresh = {id(mail) for mail in insert_new([*mails.values()], "cause")} if mails else set[int]()
        commands = [command for one in said for command in self._commands(one, fresh)]
        commands += self._of_agents()
        if commands:
            enqueue_all(commands)

    def _ask(self, said: Sequence[Said], raised: Sequence[Raised]) -> list[Alert]:
        """One round trip: the lines are written, the alerts that are open are locked, and who is to be told is asked.
        Returns these alerts.
        """
        lines = [one for one in said if isinstance(one, Line)]
        asked: list[tuple[Question | Statement, Callable[[list[Any]], None]]] = []
        opened: list[Alert] = []
        if lines:
            asked.append((_with_keys([one.entry for one in lines]), lambda rows: _numbered(lines, rows)))
        paid = {one.entry.order.intent_id for one in lines if one.entry.order.intent_id} if spoken() else set()
        if paid:
            asked.append((sessions_behind(paid), self._agents.extend))
        which = [Q(key__in=[one.alert.key for one in raised])] if raised else []
        which += [one.which for one in said if isinstance(one, Settled)]
        if which:
            asked.append((_opened(which), opened.extend))
        heard = sorted({seller for one in said if (seller := _listener(one)) is not None} - self._listening.keys())
        if heard:
            asked.append((receivers(heard), lambda rows: self._listen(heard, rows)))
        chosen = sorted({one.alert.seller_id for one in raised if not one.alert.for_staff} - self._choices.keys())
        if chosen:
            asked.append((AlertMail.objects.filter(seller__in=chosen), lambda rows: self._choose(chosen, rows)))
        if self._office is None and (chosen or any(isinstance(one, Mail) for one in said)):
            asked.append((_post_offices("mail"), self._found))
        if asked:
            for (_, take), rows in zip(asked, ask(*(question for question, _ in asked)), strict=True):
                take(rows)
        return opened

    def _listen(self, sellers: Sequence[int], rows: Sequence[Endpoint]) -> None:
        self._listening |= {pk: [row for row in rows if row.seller_id == pk] for pk in sellers}

    def _choose(self, sellers: Sequence[int], rows: Sequence[AlertMail]) -> None:
        self._choices |= {pk: with_choices(row for row in rows if row.seller_id == pk) for pk in sellers}

    def _found(self, rows: Sequence[Party]) -> None:
        self._office = next(iter(rows), None)

    def _settle_and_raise(self, opened: list[Alert]) -> None:
        """As if each were written at once. `opened` are those that were open before; what is new is not written."""
        open_ones = {alert.key: alert for alert in opened}
        for one in self._said:
            if isinstance(one, Settled):
                one.alerts = sorted(filter(one.fits, open_ones.values()), key=lambda alert: alert.pk or 0)
                for alert in one.alerts:
                    alert.settled_at, alert.settled_by, alert.settled_how = self._now, one.actor, one.how
                    del open_ones[alert.key]
            elif isinstance(one, Raised):
                before = open_ones.get(one.alert.key)
                if before is None:
                    open_ones[one.alert.key] = one.alert
                    self._told_first(one)
                elif not one.if_changed or _says(before) != _says(one.alert):
                    before.times, before.last_at = before.times + 1, self._now
                    before.sentence, before.evidence = one.alert.sentence, one.alert.evidence
                one.alert = before or one.alert

    def _told_first(self, one: Raised) -> None:
        one.fresh = True
        if one.alert.for_staff:
            return
        one.news = about_alert(one.alert)
        if one.alert.kind.own_mail:
            return
        match self._choices[one.alert.seller_id][one.alert.kind.group]:
            case MailChoice.AT_ONCE:
                one.mail = mail_at_once(alert=one.alert, now=self._now)
            case MailChoice.HOURLY:
                one.alert.digest = DigestState.WAITING
            case MailChoice.NEVER:
                pass

    def _keep(self, raised: Sequence[Raised], opened: Sequence[Alert]) -> None:
        changed = ("times", "last_at", "sentence", "evidence", "settled_at", "settled_by", "settled_how")
        update_rows([alert for alert in opened if self._now in (alert.last_at, alert.settled_at)], changed)
        fresh = [one for one in raised if one.fresh]
        # What was settled right after it was raised stands in nobody's way.
        over = [one.alert for one in fresh if one.alert.settled_at is not None]
        if over:
            Alert.objects.bulk_create(over)
        still = [one for one in fresh if one.alert.settled_at is None]
        if still:
            insert_new([one.alert for one in still], "key", where=_OPEN)
        for one in still:
            if one.alert.pk is None:
                self._raised_beside(one)

    def _raised_beside(self, one: Raised) -> None:
        """Somebody else raised it since it was looked for. One that is settled before it could be counted is tried
        again as a new one.
        """
        alert = one.alert
        while True:
            now_open = Alert.objects.filter(key=alert.key, settled_at=None)
            words = {"sentence": alert.sentence, "evidence": alert.evidence}
            if now_open.update(times=F("times") + 1, last_at=self._now, **words):
                one.alert, one.fresh, one.mail, one.news = now_open.get(), False, None, {}
                return
            if insert_new([alert], "key", where=_OPEN):
                return

    def _commands(self, one: Said, fresh: set[int]) -> list[Command]:
        match one:
            case Command():
                return [one]
            case Mail():
                return self._post(one, fresh)
            case Line(entry, news) if news is not None:
                return self._news(entry.order.seller_id, OF_TIMELINE[entry.kind], f"entry:{entry.pk}", news)
            case News():
                return self._news(one.seller_id, one.event, one.cause, one.data)
            case Raised(alert, mail=mail, news=news) if news:
                posted = self._post(mail, fresh) if mail is not None else []
                return [*posted, *self._news(alert.seller_id, ALERT_RAISED, alert.public_id, news)]
            case Settled():
                told = [alert for alert in one.alerts if not alert.for_staff]
                return [
                    command
                    for alert in told
                    for command in self._news(alert.seller_id, ALERT_SETTLED, alert.public_id, about_alert(alert))
                ]
        return []

    def _of_agents(self) -> list[Command]:
        """Whatever is said, what an agent reads of the order may have changed; the first line names the cause."""
        first = next((one.entry.pk for one in self._said if isinstance(one, Line)), None)
        return update_commands(self._agents, cause=f"entry:{first}", now=self._now)

    def _post(self, mail: Mail, fresh: set[int]) -> list[Command]:
        if id(mail) not in fresh:
            return []
        if self._office is None:
            self._office = post_office()
        return [send_command(mail, party_id=self._office.pk, now=self._now)]

    def _news(self, seller_id: int, event: str, cause: str, data: dict[str, Any]) -> list[Command]:
        if seller_id not in self._listening:
            self._listening[seller_id] = list(receivers([seller_id]))
        return event_commands(self._listening[seller_id], event=event, cause=cause, data=data, now=self._now)


def _with_keys(entries: Sequence[TimelineEntry]) -> Statement:
    statement, values = insert_of(entries)
    return f"{statement} RETURNING id", values


def _numbered(lines: Sequence[Line], keys: Sequence[tuple[int]]) -> None:
    for one, (key,) in zip(lines, keys, strict=True):
        one.entry.pk = key


def _opened(which: Sequence[Q]) -> QuerySet[Alert]:
    """Locked; the smallest number first."""
    any_of = Q()
    for one in which:
        any_of |= one
    rows = Alert.objects.select_for_update(no_key=True, of=("self",)).filter(any_of, settled_at=None).order_by("pk")
    return rows.select_related("seller", "order", "connection", "listing")


@prepared
def _post_offices(name: str) -> QuerySet[Party]:
    return office(name)


def _listener(one: Said) -> int | None:
    """The seller whose programs may hear of it. Of what is settled is asked when something is."""
    match one:
        case Line(entry, news) if news is not None:
            return entry.order.seller_id
        case News():
            return one.seller_id
        case Raised(alert) if not alert.for_staff:
            return alert.seller_id
    return None


def _mail_in(one: Said) -> Mail | None:
    return one if isinstance(one, Mail) else one.mail if isinstance(one, Raised) else None


def _says(alert: Alert) -> tuple[str, Any]:
    return alert.sentence, alert.evidence
