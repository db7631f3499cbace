"""Alerts by e-mail: at once, in one mail an hour, or never, as the seller chose for each group.

Nothing about buyers and no secret gets into a mail.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.conf import settings
from django.db import transaction

from crossdock.domain.alerts import GROUPS, Group, MailChoice
from crossdock.domain.redact import redact_text
from crossdock.store.models import Alert, AlertMail, Mail, Seller, User
from crossdock.store.models.alerts import DigestState
from crossdock.usecases.errors import Invalid
from crossdock.usecases.record.mail import mail_of, write_mail
from crossdock.usecases.record.rights import require

MOST_IN_A_DIGEST = 40


def choices_of(*, seller: Seller) -> dict[Group, MailChoice]:
    return with_choices(AlertMail.objects.filter(seller=seller))


def with_choices(kept: Iterable[AlertMail]) -> dict[Group, MailChoice]:
    """One seller's, the sensible ones among them where nothing was chosen."""
    chosen = {group: sensible for group, (_, _, sensible) in GROUPS.items()}
    return chosen | {Group(row.group): MailChoice(row.choice) for row in kept}


def choose_mails(*, seller: Seller, choices: Mapping[str, str], actor: User, now: datetime) -> None:
    """`choices` maps groups to choices; none at all means the sensible ones again.

    What waits for a digest and is no longer wanted is dropped.
    """
    require(actor, seller)
    try:
        wanted = {Group(group): MailChoice(choice) for group, choice in choices.items()}
    except ValueError:
        raise Invalid("Choose at once, hourly or never for each group.") from None
    with transaction.atomic():
        if not wanted:
            AlertMail.objects.filter(seller=seller).delete()
        for group, choice in wanted.items():
            AlertMail.objects.update_or_create(seller=seller, group=group, defaults={"choice": choice})
        now_wanted = choices_of(seller=seller)
        for alert in Alert.objects.filter(seller=seller, digest=DigestState.WAITING):
            if now_wanted[alert.kind.group] is MailChoice.NEVER:
                Alert.objects.filter(pk=alert.pk).update(digest=DigestState.NONE)


def mail_at_once(*, alert: Alert, now: datetime) -> Mail:
    """Not written yet."""
    about = f": {alert.order}" if alert.order else f": {alert.connection}" if alert.connection else ""
    return mail_of(
        cause=f"alert:{alert.public_id}",
        to=alert.seller.owner.email,
        subject=f"{alert.kind.title}{about}",
        order=alert.order,
        now=now,
        body=f"{_lines(alert)}\n\n{_footer('at once')}",
    )


def _lines(alert: Alert) -> str:
    link = f"{settings.BASE_URL}/seller/alerts/{alert.public_id}/"
    return f"{redact_text(alert.sentence)}\nWhat settles it: “{alert.kind.button_label}”, at {link}"


def _footer(how: str) -> str:
    return f"You get alerts like this {how}. Choose differently: {settings.BASE_URL}/seller/alerts/mail/"


def send_digests(*, now: datetime) -> int:
    """One mail per seller and hour.

    Mail and marks change together, so a crash neither loses an alert nor tells it twice. Returns how many were
    written.
    """
    waiting = Alert.objects.filter(digest=DigestState.WAITING)
    sellers = list(waiting.order_by("seller").values_list("seller", flat=True).distinct())
    return sum(_digest(seller, now=now) for seller in sellers)


def _digest(seller_id: int, *, now: datetime) -> bool:
    with transaction.atomic():
        seller = Seller.objects.select_for_update(no_key=True).get(pk=seller_id)
        cause = f"digest:{seller.pk}:{now:%Y-%m-%dT%H}"
        if Mail.objects.filter(cause=cause).exists():
            return False
        rows = list(
            Alert.objects.select_for_update(no_key=True, of=("self",))
            .select_related("order", "connection")
            .filter(seller=seller, digest=DigestState.WAITING)
            .order_by("pk")
        )
        Alert.objects.filter(pk__in=[row.pk for row in rows]).update(digest=DigestState.TOLD)
        still = [row for row in rows if row.settled_at is None]
        if not still:
            return False
        many = len(still)
        write_mail(
            cause=cause,
            to=seller.owner.email,
            subject=f"{many} alert{'s' if many > 1 else ''} of the last hour",
            now=now,
            body=_text(still, settled=len(rows) - many),
        )
    return True


def _text(alerts: list[Alert], *, settled: int) -> str:
    parts = []
    shown = alerts[:MOST_IN_A_DIGEST]
    for group, (title, _, _) in GROUPS.items():
        mine = [alert for alert in shown if alert.kind.group is group]
        if mine:
            parts.append("\n\n".join([f"{title.upper()}", *(f"{alert.kind.title}\n{_lines(alert)}" for alert in mine)]))
    if len(alerts) > len(shown):
        parts.append(f"And {len(alerts) - len(shown)} more: {settings.BASE_URL}/seller/alerts/")
    if settled:
        parts.append(f"{settled} more settled themselves meanwhile.")
    return "\n\n\n".join([*parts, _footer("once an hour")])
