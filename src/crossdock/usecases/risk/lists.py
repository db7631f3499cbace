"""Staff's lists: what is blocked, who is trusted, which addresses are freight forwarders'.

Compared in one way of writing.
"""

from datetime import datetime

from django.db import IntegrityError, transaction

from crossdock.domain.risk.lookups import address_key
from crossdock.domain.roles import Right
from crossdock.store.models import RiskListEntry, User
from crossdock.store.models.risk import RiskListKind, RiskListWhat
from crossdock.usecases.errors import Invalid
from crossdock.usecases.record.audit import note
from crossdock.usecases.record.rights import require


def written(what: RiskListWhat, text: str) -> str:
    """The way in which the value is compared. An address is typed as street, postal code, country. Raises Invalid."""
    plain = " ".join(text.split())
    match what:
        case RiskListWhat.EMAIL:
            if "@" not in plain:
                raise Invalid("Type a whole e-mail address.")
            return plain.lower()
        case RiskListWhat.DOMAIN:
            domain = plain.lower().lstrip("@")
            if "." not in domain or "@" in domain:
                raise Invalid("Type the part after the @, such as example.com.")
            return domain
        case RiskListWhat.ADDRESS:
            parts = [part.strip() for part in plain.rsplit(",", 2)]
            key = address_key(*parts) if len(parts) == 3 else ""
            if not key:
                raise Invalid("Type it as street, postal code, country: 12 Dock Road, 33122, US.")
            return key
        case _:
            if not plain:
                raise Invalid("Type what is to be listed.")
            return plain


def add_to_list(
    *, kind: RiskListKind, what: RiskListWhat, text: str, remark: str, actor: User, now: datetime
) -> RiskListEntry:
    require(actor, None, "Only staff keep these lists.", Right.RISK)
    if kind is RiskListKind.FORWARDER and what is not RiskListWhat.ADDRESS:
        raise Invalid("A freight forwarder is listed by its address.")
    value = written(what, text)
    try:
        with transaction.atomic():
            entry = RiskListEntry.objects.create(
                kind=kind,
                what=what,
                value=value,
                shown=" ".join(text.split())[:300],
                note=remark[:200],
                added_by=actor,
                added_at=now,
            )
            # The number alone: what is listed is an e-mail or a street, and the log cannot be erased.
            note(actor=actor, action="risk list", subject=f"{kind}: entry {entry.pk}", now=now, detail={"what": what})
    except IntegrityError:
        raise Invalid("It is on this list already.") from None
    return entry


def take_off_list(*, entry: RiskListEntry, actor: User, now: datetime) -> None:
    require(actor, None, "Only staff keep these lists.", Right.RISK)
    with transaction.atomic():
        note(
            actor=actor,
            action="risk list",
            subject=f"off {entry.kind}: entry {entry.pk}",
            now=now,
            detail={"what": entry.what},
        )
        entry.delete()
