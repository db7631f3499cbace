"""Payouts: what is available leaves the seller's balance when it is intended, and comes back when it did not arrive.

The account's row is locked and the books are moved in the transaction that puts the command in line, so what was sent
once cannot be spent again. A balance below zero, and what is pending or held, is never sent.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import F, Q

from crossdock.domain.alerts import AlertCode
from crossdock.domain.commands import CommandKind
from crossdock.domain.earnings.payouts import (
    BankState,
    Destination,
    PayoutAsked,
    PayoutStanding,
    PayoutState,
    Schedule,
    due_on,
)
from crossdock.domain.moderation.sellers import Bar
from crossdock.domain.roles import Right
from crossdock.domain.values import Money
from crossdock.domain.wording import moment
from crossdock.store.models import AuditTopic, Payout, PayoutAccount, PayoutHold, Seller, User
from crossdock.store.models.work import PartyKind
from crossdock.usecases.accounts.notices import tell_owner
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.money import books
from crossdock.usecases.money.balance import balances
from crossdock.usecases.outbox.payloads import PAYOUT, SendPayout
from crossdock.usecases.outbox.queue import command_to, party_named
from crossdock.usecases.record.audit import note
from crossdock.usecases.record.rights import require, require_owner
from crossdock.usecases.record.telling import Telling, telling

_log = logging.getLogger(__name__)
# What a bank sends back comes within these days.
COMES_BACK_WITHIN = timedelta(days=14)


# Where it goes, how often, and whether at all


def set_account(
    *, seller: Seller, currency: str, provider: str, to: Destination, actor: User, place: str, now: datetime
) -> PayoutAccount:
    """Who owns the account reads it by mail; nothing is paid to it for some days, so that a thief's can be stopped."""
    require_owner(actor, seller, "Only the owner of the shop says where its money goes.")
    usable = now + timedelta(hours=settings.CONFIG.payout_hold_hours)
    wanted = {"provider": provider, "ref": to.ref, "words": to.words, "changed_at": now, "usable_from": usable}
    with transaction.atomic():
        row = PayoutAccount.objects.select_for_update(no_key=True).filter(seller=seller, currency=currency).first()
        if row is not None and (row.provider, row.ref) == (provider, to.ref):
            return row
        row, _ = PayoutAccount.objects.update_or_create(seller=seller, currency=currency, defaults=wanted)
        detail = {"seller": seller.public_id, "currency": currency}
        note(
            actor=actor, action="payout account", subject=seller.name, now=now, detail=detail, topic=AuditTopic.ACCOUNT
        )
        tell_owner(
            user=seller.owner, what="payouts_to", now=now, about=to.words, place=place, path="/seller/money/payouts/"
        )
    return row


def set_schedule(*, account: PayoutAccount, schedule: Schedule, minimum: Money, actor: User) -> None:
    require(actor, account.seller)
    if minimum.minor < 0 or minimum.currency != account.currency:
        raise Invalid("The smallest payout is not below zero.")
    PayoutAccount.objects.filter(pk=account.pk).update(schedule=schedule, minimum_minor=minimum.minor)


def hold(*, seller: Seller, actor: User, why: str, now: datetime) -> None:
    """Staff let nothing be paid to this seller until they let it go. What is on its way already goes on."""
    require(actor, None, "Only staff hold payouts.", Right.DECIDE)
    if not why.strip():
        raise Invalid("Say why, for those who look at it later.")
    with transaction.atomic():
        wanted = {"held_at": now, "held_by": actor, "why": why.strip()[:300]}
        _, fresh = PayoutHold.objects.get_or_create(seller=seller, defaults=wanted)
        if fresh:
            _noted(seller, actor, "payouts held", why, now)


def let_go(*, seller: Seller, actor: User, why: str, now: datetime) -> None:
    require(actor, None, "Only staff let payouts go.", Right.DECIDE)
    if not why.strip():
        raise Invalid("Say why, for those who look at it later.")
    with transaction.atomic():
        if PayoutHold.objects.filter(seller=seller).delete()[0]:
            _noted(seller, actor, "payouts let go", why, now)


def _noted(seller: Seller, actor: User, action: str, why: str, now: datetime) -> None:
    detail = {"seller": seller.public_id, "why": why.strip()[:300]}
    note(actor=actor, action=action, subject=seller.name, now=now, detail=detail)


def why_not_pay(*, account: PayoutAccount, available: Money, by_hand: bool, now: datetime) -> str:
    """Empty when this much can be sent now. What was put in line before goes on, whatever is said now; who is suspended
    at the same moment is as if a moment later, so nobody's row but the account's is locked for it.
    """
    if not account.seller.owner.is_active:
        return "The account is suspended; what is available stays."
    if account.seller.bar is Bar.SUSPENDED:
        return "Your sales are suspended; what is available stays until you sell again."
    if PayoutHold.objects.filter(seller=account.seller_id).exists():
        return "Our staff hold your payouts. Ask them why in a case."
    if now < account.usable_from:
        return f"Your bank account is new; payouts to it begin on {moment(account.usable_from)}."
    if available.minor <= 0:
        return "Nothing is available."
    if not by_hand and available < account.minimum:
        return f"Less than {account.minimum.words} is available."
    return ""


# Sent


def pay_out(*, account: PayoutAccount, actor: User, key: str, now: datetime) -> Payout:
    """The seller presses the button; pressed twice it is one. Raises NotAllowed."""
    require(actor, account.seller)
    made = _intend(account=account, cause=f"{account.pk}:hand:{key[:40]}", actor=actor, now=now)
    if isinstance(made, str):
        raise NotAllowed(made)
    return made


def pay_due(*, now: datetime) -> int:
    """Those whose day it is, once a day; how many were intended. One that fails holds up no other."""
    made = 0
    for schedule in Schedule:
        if not due_on(schedule, now.date()):
            continue
        for account in PayoutAccount.objects.filter(schedule=schedule).order_by("pk").iterator(chunk_size=500):
            cause = f"{account.pk}:{now:%Y-%m-%d}"
            if Payout.objects.filter(cause=cause).exists():
                continue
            try:
                made += isinstance(_intend(account=account, cause=cause, actor=None, now=now), Payout)
            except DatabaseError:
                raise
            except Exception:
                _log.exception("the payout of account %s tripped", account.pk)
    return made


def _intend(*, account: PayoutAccount, cause: str, actor: User | None, now: datetime) -> Payout | str:
    """The payout, or why there is none."""
    with telling(now) as told:
        row = (
            PayoutAccount.objects.select_for_update(no_key=True, of=("self",))
            .select_related("seller__owner")
            .get(pk=account.pk)
        )
        known = Payout.objects.filter(cause=cause).first()
        if known is not None:
            return known
        found = [one.available for one in balances(row.seller, now=now) if one.currency == row.currency]
        available = Money(found[0] if found else 0, row.currency)
        if why := why_not_pay(account=row, available=available, by_hand=actor is not None, now=now):
            return why
        payout = Payout.objects.create(
            cause=cause,
            seller=row.seller,
            provider=row.provider,
            destination=row.ref,
            words=row.words,
            amount_minor=available.minor,
            currency=row.currency,
            asked_by=actor,
            intended_at=now,
        )
        books.post(
            cause=f"payout:{payout.public_id}",
            order=None,
            currency=payout.currency,
            sentence=f"Payout {payout.public_id}",
            now=now,
            entries={
                books.seller_account(row.seller_id): available.minor,
                f"transit:{payout.provider}": -available.minor,
            },
        )
        told.command(
            command_to(
                party_id=party_named(kind=PartyKind.PAYOUT, name=payout.provider).pk,
                cause=f"payout:{payout.public_id}",
                subject=f"payout:{payout.public_id}",
                kind=CommandKind.SEND_PAYOUT,
                payload=PAYOUT.dump_python(SendPayout(payout.public_id), mode="json"),
                now=now,
            )
        )
    return payout


def asked_of(public_id: str) -> tuple[PayoutAsked, str]:
    """As the bank is asked for it, and the provider."""
    payout = Payout.objects.get(public_id=public_id)
    return PayoutAsked(payout.public_id, payout.amount, payout.destination), payout.provider


# What the bank says


def acknowledged(*, public_id: str, ref: str, told: Telling) -> None:
    """The bank has it. News may have come first, and then says more."""
    payout = _locked(public_id)
    if payout.state == PayoutState.INTENDED:
        payout.state, payout.ref, payout.acknowledged_at = PayoutState.ACKNOWLEDGED, ref, told.now
        payout.save(update_fields=["state", "ref", "acknowledged_at"])


def refused(*, public_id: str, sentence: str, told: Telling) -> None:
    """Surely not sent: the money is available again, and the seller reads what to do."""
    payout = _locked(public_id)
    if payout.state == PayoutState.INTENDED:
        _back(payout, PayoutState.REFUSED, sentence, told=told)


def in_doubt(*, public_id: str, sentence: str, told: Telling) -> None:
    """Nobody knows after two days: the money stays on its way, and staff ask the bank."""
    payout = _locked(public_id)
    told.raise_alert(
        code=AlertCode.PAYOUT_FAILED,
        seller=payout.seller,
        key=f"payout:{payout.public_id}",
        for_staff=True,
        evidence={"payout": payout.public_id},
        sentence=(
            f"{payout.amount.words} to {payout.seller.name}: the bank gave no clear answer for two days ({sentence})"
            f" Ask the bank about {payout.public_id}, then send the command again: it looks first."
        ),
    )


def receive_standing(*, public_id: str, standing: PayoutStanding, now: datetime) -> None:
    """A payout as the bank has it. Told twice, late or in another order it is the same; a payout may come back after it
    was paid.
    """
    with telling(now) as told:
        payout = _locked(public_id)
        payout.read_at = now
        if payout.state in (PayoutState.INTENDED, PayoutState.ACKNOWLEDGED) and not payout.ref:
            payout.ref, payout.acknowledged_at = standing.ref, now
            payout.state = PayoutState.ACKNOWLEDGED
        payout.save(update_fields=["read_at", "ref", "acknowledged_at", "state"])
        if standing.amount != payout.amount:
            _differs(payout, standing, told=told)
        elif standing.state is BankState.PAID and payout.state == PayoutState.ACKNOWLEDGED:
            _paid(payout, told=told)
        elif standing.state is BankState.RETURNED and payout.state in (PayoutState.ACKNOWLEDGED, PayoutState.PAID):
            _back(payout, PayoutState.RETURNED, standing.why, told=told)


def _locked(public_id: str) -> Payout:
    rows = Payout.objects.select_for_update(no_key=True, of=("self",)).select_related("seller__owner")
    return rows.get(public_id=public_id)


def _paid(payout: Payout, *, told: Telling) -> None:
    payout.state, payout.paid_at = PayoutState.PAID, told.now
    payout.save(update_fields=["state", "paid_at"])
    books.post(
        cause=f"payout_paid:{payout.public_id}",
        order=None,
        currency=payout.currency,
        sentence=f"Payout {payout.public_id} arrived",
        now=told.now,
        entries={f"transit:{payout.provider}": payout.amount_minor, "gateway": -payout.amount_minor},
    )


def _back(payout: Payout, state: PayoutState, why: str, *, told: Telling) -> None:
    held = "gateway" if payout.state == PayoutState.PAID else f"transit:{payout.provider}"
    payout.state, payout.sentence, payout.ended_at = state, why, told.now
    payout.save(update_fields=["state", "sentence", "ended_at"])
    books.post(
        cause=f"payout_back:{payout.public_id}",
        order=None,
        currency=payout.currency,
        sentence=f"Payout {payout.public_id} did not arrive",
        now=told.now,
        entries={held: payout.amount_minor, books.seller_account(payout.seller_id): -payout.amount_minor},
    )
    # Until the account was looked at, the next one would come back as well.
    PayoutAccount.objects.filter(seller=payout.seller, currency=payout.currency, ref=payout.destination).update(
        schedule=Schedule.BY_HAND
    )
    told.raise_alert(
        code=AlertCode.PAYOUT_FAILED,
        seller=payout.seller,
        key=f"payout:{payout.public_id}",
        evidence={"payout": payout.public_id, "currency": payout.currency},
        sentence=(
            f"{payout.amount.words} to {payout.words} did not arrive: {why} The money is available again. Check the"
            " bank account, then choose again how often you are paid."
        ),
    )


def _differs(payout: Payout, standing: PayoutStanding, *, told: Telling) -> None:
    told.raise_alert(
        code=AlertCode.PAYOUT_FAILED,
        seller=payout.seller,
        key=f"payout_differs:{payout.public_id}",
        for_staff=True,
        evidence={"payout": payout.public_id, "at_the_bank": standing.ref},
        if_changed=True,
        sentence=(
            f"The payout {payout.public_id} to {payout.seller.name} is {payout.amount.words} here and"
            f" {standing.amount.words} at the bank. Nothing is booked before staff have cleared it."
        ),
    )


def payout_of_news(*, provider: str, ref: str) -> str | None:
    """The payout that a bank said something about; None when it is none of ours, or not acknowledged yet."""
    return Payout.objects.filter(provider=provider, ref=ref).exclude(ref="").values_list("public_id", flat=True).first()


def on_its_way(seller: Seller, *, now: datetime) -> int:
    """How many payouts may still arrive or come back."""
    open_ones = Q(state__in=[PayoutState.INTENDED, PayoutState.ACKNOWLEDGED])
    lately = Q(state=PayoutState.PAID, paid_at__gt=now - COMES_BACK_WITHIN)
    return Payout.objects.filter(open_ones | lately, seller=seller).count()


def under_way(*, not_read_since: datetime, now: datetime, limit: int) -> Sequence[tuple[str, str, str]]:
    """(public id, provider, the bank's number) of payouts that may still arrive or come back, longest unread first."""
    open_ones = Payout.objects.filter(state=PayoutState.ACKNOWLEDGED)
    lately = Payout.objects.filter(state=PayoutState.PAID, paid_at__gt=now - COMES_BACK_WITHIN)
    found: list[tuple[str, str, str]] = []
    for rows in (open_ones, lately):
        unread = rows.exclude(read_at__gt=not_read_since).order_by(F("read_at").asc(nulls_first=True), "pk")
        found += unread.values_list("public_id", "provider", "ref")[:limit]
    return found
