"""A seller's price rule for a shop: tried as a draft, put in force, and who did so when."""

from dataclasses import asdict
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.db import transaction

from crossdock.domain.capability import Capability, Manifest
from crossdock.domain.selling.pricing import OWN, Pricing, wrong_pricing
from crossdock.store.models import AuditEntry, AuditTopic, Connection, Selling, User
from crossdock.usecases.catalogue.selling.rules import PRICING, SEEN_OTHERWISE, begin_anew, pricing_in
from crossdock.usecases.errors import Invalid, NotAllowed, Stale
from crossdock.usecases.record.audit import settings_note
from crossdock.usecases.record.rights import require

ACTION = "set a price rule"
OTHER_PRICE = (
    "Here your shop's own prices are asked, since an order from here could not stand in your shop at another one."
)


def why_no_rule(manifest: Manifest | None) -> str:
    """Why this platform's shops take no price rule, for their seller; empty where they do. An order has to stand in the
    shop at what its buyer paid. `manifest` None: the platform is not installed any more.
    """
    if manifest is None:
        return OTHER_PRICE
    if manifest.can(Capability.ORDER_AT_OUR_PRICE):
        return ""
    return f"{OTHER_PRICE} {manifest.sentence(Capability.ORDER_AT_OUR_PRICE)}"


def kept_pricing(rule: Pricing) -> dict[str, Any]:
    """As a row has it: what says nothing is left out."""
    own = asdict(OWN)
    return {name: value for name, value in asdict(rule).items() if value != own[name]}


def mark(rule: Pricing) -> str:
    """What a page sends back of a draft that it showed."""
    return sha256(PRICING.dump_json(rule)).hexdigest()[:32]


def try_rule(*, connection: Connection, rule: Pricing, manifest: Manifest | None, actor: User) -> None:
    """Keep it as a draft, which changes nothing yet. Raises NotAllowed, Invalid."""
    require(actor, connection.seller)
    if not rule.plain and (why := why_no_rule(manifest)):
        raise NotAllowed(why)
    if wrong := wrong_pricing(rule) or rule.why_not(connection.currency):
        raise Invalid(wrong)
    Selling.objects.update_or_create(connection=connection, defaults={"pricing_draft": kept_pricing(rule)})


def forget_rule(*, connection: Connection, actor: User) -> None:
    require(actor, connection.seller)
    Selling.objects.filter(connection=connection).update(pricing_draft=None)


def use_rule(*, connection: Connection, seen: str, actor: User, now: datetime) -> None:
    """What was tried is in force: for what is read from now on at once, and in the background for what is here. Raises
    NotAllowed, Stale when the draft is not the one of which `seen` is the mark, and Invalid when the shop has another
    currency by now.
    """
    require(actor, connection.seller)
    with transaction.atomic():
        row = Selling.objects.select_for_update(no_key=True, of=("self",)).filter(connection=connection).first()
        draft = pricing_in(row.pricing_draft) if row is not None and row.pricing_draft is not None else None
        if row is None or draft is None or mark(draft) != seen:
            raise Stale(SEEN_OTHERWISE)
        if wrong := draft.why_not(Connection.objects.only("currency").get(pk=connection.pk).currency):
            raise Invalid(wrong)
        row.pricing, row.pricing_draft = row.pricing_draft, None
        begin_anew(row, "pricing", "pricing_draft", now=now)
        said = {"shop": connection.public_id, "rule": "; ".join(draft.sentences) or "your shop's own prices"}
        settings_note(actor=actor, action=ACTION, subject=connection.name, now=now, detail=said)


def rule_history(connection: Connection, *, limit: int = 5) -> list[AuditEntry]:
    """Which rules were put in force, by whom and when, newest first; `detail["rule"]` has each in words."""
    rows = AuditEntry.objects.filter(topic=AuditTopic.SETTINGS, action=ACTION, detail__shop=connection.public_id)
    return list(rows.select_related("actor").order_by("-pk")[:limit])
