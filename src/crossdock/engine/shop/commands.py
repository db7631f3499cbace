"""Carrying out one command of a shop: look first where an earlier try may have worked, send, settle, read back.

Unknown is never failed.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

from crossdock.domain.capability import Capability, Manifest
from crossdock.domain.commands import (
    CommandKind,
    CreateOrder,
    Done,
    Found,
    Later,
    Outcome,
    Refused,
    Unknown,
    Why,
)
from crossdock.domain.events import ShopOrder, ShopOrderState
from crossdock.domain.orders import as_found
from crossdock.engine import contain
from crossdock.engine.contain import MOST_SECONDS, guarded
from crossdock.engine.handler import Attempt
from crossdock.engine.shop.reading import read_back
from crossdock.engine.shop.session import Opened, Session
from crossdock.kit.errors import Outside, outcome_of
from crossdock.store.crash import point
from crossdock.usecases.orders import snapshots
from crossdock.usecases.outbox.payloads import ADJUST, CANCEL, CREATE, FULFILMENT, LINES, RISK
from crossdock.usecases.outcomes import claims, look_up, settle
from crossdock.usecases.outcomes.claims import Claimed
from crossdock.usecases.risk import writing

# What is found later than this its seller may be working on: it is kept as it is, and the watch tells when its units
# were not taken.
FRESH = timedelta(minutes=15)


def of_look(error: Outside) -> Outcome:
    """A look-up that failed settles nothing: the command stays as unknown as it was."""
    outcome = outcome_of(error)
    return Unknown(outcome.sentence) if isinstance(outcome, Refused) else outcome


async def carry_out(session: Session, attempt: Attempt) -> Outcome | None:
    """Do it and settle its row.

    Cancelled before sending, it is given back; afterwards it is unknown; with a lost lease it is nobody's.
    """
    claimed = attempt.claimed
    try:
        outcome = await _carry_out(session, attempt)
        await contain.settled(session.engine, claimed)
        return outcome
    except asyncio.CancelledError:
        if not attempt.lost:
            if attempt.sent:
                await settled(session, claimed, Unknown("We were stopped before the shop's answer came."))
            else:
                await session.engine.threads.sure(claims.give_back, command_id=claimed.id, now=session.engine.clock())
        raise
    except Exception as error:
        return await contain.stumbled(session.engine, claimed, error)


Sender = Callable[[Session, Attempt], Awaitable[Outcome | None]]
# How each kind of command is sent to a shop.
SENDERS: dict[str, Sender] = {}


def sends(kind: CommandKind) -> Callable[[Sender], Sender]:
    def mark(sender: Sender) -> Sender:
        SENDERS[kind] = sender
        return sender

    return mark


async def _carry_out(session: Session, attempt: Attempt) -> Outcome | None:
    kind = attempt.claimed.kind
    if kind in SENDERS:
        return await SENDERS[kind](session, attempt)
    refused = Refused(Why.UNSUPPORTED, f"Nobody here knows how to do “{kind}”.")
    return await settled(session, attempt.claimed, refused)


async def settled(session: Session, claimed: Claimed, outcome: Outcome) -> Outcome:
    """The outcome, which is what the command's row says from now on."""
    await session.engine.threads.sure(
        settle.settle_command,
        command_id=claimed.id,
        outcome=outcome,
        random=session.engine.random,
        count_lag_seconds=session.connector.manifest.lag.count,
        restores=session.connector.manifest.can(Capability.CANCEL_RESTORES),
        keeps_out=claimed.kind in session.connector.manifest.keeps_out,
        now=session.engine.clock(),
    )
    return outcome


@sends(CommandKind.CREATE_ORDER)
async def _create(session: Session, attempt: Attempt) -> Outcome | None:
    claimed = attempt.claimed
    command = CREATE.validate_python(claimed.payload)
    if claimed.look_first or claimed.only_look:
        create, looked = await _look(session, claimed, command)
        if not create:
            return looked
    opened = session.opened
    attempt.sent = True
    point("pump.before_send")
    outcome = await guarded(opened.connector.create(opened.shop, command))
    point("pump.after_send")
    outcome = await session.second_thoughts(outcome, opened)
    if attempt.lost and not isinstance(outcome, Done):
        return None
    await settled(session, claimed, outcome)
    if isinstance(outcome, Done):
        await read_back(session, outcome.shop_id)
    return outcome


def _horizon(manifest: Manifest) -> timedelta:
    """From the sending of a command until what it did is surely to be seen, and it can do nothing more."""
    return timedelta(seconds=MOST_SECONDS + manifest.lag.late_execution + manifest.lag.search)


async def _look(session: Session, claimed: Claimed, command: CreateOrder) -> tuple[bool, Outcome | None]:
    """(whether it is ours to send now, how the shop behaved). If not, the look-up settled or postponed the command."""
    opened, manifest = session.opened, session.connector.manifest
    seen: list[ShopOrder] = []
    horizon = _horizon(manifest)
    point("look.before")
    try:
        async with asyncio.timeout(MOST_SECONDS):
            found = await opened.connector.find(opened.shop, command.reference, since=claimed.since)
            for shop_id in found.shop_ids[:5]:
                seen.append(await opened.connector.order(opened.shop, shop_id))
    except TimeoutError:
        return False, await settled(
            session, claimed, Unknown("The shop did not answer in time when we looked for the order.")
        )
    except Outside as error:
        return False, await settled(session, claimed, await session.second_thoughts(of_look(error), opened))
    # A copy that still stands is kept before one that was cancelled; oldest first among equals.
    seen.sort(key=lambda order: order.state is not ShopOrderState.OPEN)
    ids = tuple(dict.fromkeys([*(order.shop_id for order in seen), *found.shop_ids]))
    standing = await _standing(session, claimed, command, seen) if seen else None
    point("look.after")
    answer = await session.engine.threads.sure(
        look_up.settle_look,
        command_id=claimed.id,
        found=Found(ids),
        horizon=horizon,
        standing=standing,
        unique_reference=manifest.can(Capability.REFERENCE_UNIQUE),
        random=session.engine.random,
        now=session.engine.clock(),
    )
    if answer == "adopted":
        await session.engine.threads.sure(
            snapshots.receive_orders,
            connection_id=session.connection_id,
            orders=seen[:1],
            manifest=manifest,
            now=session.engine.clock(),
        )
        return False, Done(ids[0], already=True)
    return answer == "create", None if isinstance(standing, Done) else standing


async def _standing(session: Session, claimed: Claimed, command: CreateOrder, seen: list[ShopOrder]) -> Outcome:
    """What is to be said of the copy that is kept.

    Beside others it is not judged (when they are cancelled, their units come back), nor when it is to be cancelled.
    """
    opened, first = session.opened, seen[0]
    fresh = session.engine.clock() - (claimed.last_sent_at or claimed.since) < FRESH
    if claimed.only_look or len(seen) > 1 or first.state is not ShopOrderState.OPEN or not fresh:
        return as_found(first)
    return await session.second_thoughts(await guarded(opened.connector.confirm(opened.shop, command, first)), opened)


@sends(CommandKind.CANCEL_ORDER)
async def _cancel(session: Session, attempt: Attempt) -> Outcome | None:
    """Repeating it is harmless, since the shop says "already"; where two at once are not, only after a while."""
    claimed, opened = attempt.claimed, session.opened
    command = CANCEL.validate_python(claimed.payload)
    if not command.shop_order_id:
        try:
            async with asyncio.timeout(MOST_SECONDS):
                found = await opened.connector.find(opened.shop, command.reference, since=claimed.since)
        except TimeoutError:
            return await settled(
                session, claimed, Later("The shop did not answer in time when we looked for the order.")
            )
        except Outside as error:
            return await settled(session, claimed, await session.second_thoughts(of_look(error), opened))
        if not found.shop_ids:
            return await settled(session, claimed, Refused(Why.NOT_FOUND, "The order does not stand in the shop."))
        command = replace(command, shop_order_id=found.shop_ids[0])
    if claimed.look_first and session.connector.manifest.repeats_double:
        command = replace(command, only_look=await still_open(session, claimed))
    attempt.sent = True
    point("cancel.before_send")
    outcome = await guarded(opened.connector.cancel(opened.shop, command))
    point("cancel.after_send")
    outcome = await session.second_thoughts(outcome, opened)
    if attempt.lost and not isinstance(outcome, Done):
        return None
    return await settled(session, claimed, outcome)


async def still_open(session: Session, claimed: Claimed) -> bool:
    """Whether an earlier try can still be carried out. When not, the next sending is written down here."""
    waiting = _horizon(session.connector.manifest) - (session.engine.clock() - (claimed.last_sent_at or claimed.since))
    if waiting > timedelta(0):
        return True
    await session.engine.threads.sure(claims.send_again, command_id=claimed.id, now=session.engine.clock())
    return False


@sends(CommandKind.CANCEL_LINES)
async def _cancel_lines(session: Session, attempt: Attempt) -> Outcome | None:
    """After a lost answer only looked for, until an earlier try can be carried out no more: the shop may know no key
    of ours.
    """
    claimed, opened = attempt.claimed, session.opened
    command = LINES.validate_python(claimed.payload)
    if not command.shop_order_id:
        return await settled(session, claimed, Refused(Why.NOT_FOUND, "The order does not stand in the shop."))
    only_look = claimed.look_first and await still_open(session, claimed)
    attempt.sent = True
    outcome = await guarded(opened.connector.cancel_lines(opened.shop, replace(command, only_look=only_look)))
    return await _changed(session, attempt, outcome, opened, command.shop_order_id)


async def _changed(
    session: Session, attempt: Attempt, outcome: Outcome, opened: Opened, shop_order_id: str
) -> Outcome | None:
    """What came of changing an order there: settled, and what is done is read back. Nothing is settled when the lease
    was lost and nothing is proven.
    """
    outcome = await session.second_thoughts(outcome, opened)
    if attempt.lost and not isinstance(outcome, Done):
        return None
    await settled(session, attempt.claimed, outcome)
    if isinstance(outcome, Done):
        await read_back(session, shop_order_id)
    return outcome


@sends(CommandKind.ADJUST_STOCK)
async def _adjust(session: Session, attempt: Attempt) -> Outcome | None:
    """Rule 10: sent once. Whether an unknown one worked nobody can tell from counts, so a person decides."""
    claimed, opened = attempt.claimed, session.opened
    if claimed.look_first:
        sentence = (
            "Nobody knows whether an earlier correction of the count worked. Compare the counts and correct it by hand."
        )
        return await settled(session, claimed, Refused(Why.CONFLICT, sentence))
    command = ADJUST.validate_python(claimed.payload)
    attempt.sent = True
    outcome = await guarded(opened.connector.adjust(opened.shop, command))
    return await settled(session, claimed, await session.second_thoughts(outcome, opened))


@sends(CommandKind.WRITE_RISK)
async def _write_risk(session: Session, attempt: Attempt) -> Outcome | None:
    """Repeating it is harmless: the connector looks for the judgement's key before it writes."""
    claimed, opened, manifest = attempt.claimed, session.opened, session.connector.manifest
    if not manifest.can(Capability.RISK_WRITE):
        return await settled(session, claimed, Refused(Why.UNSUPPORTED, manifest.sentence(Capability.RISK_WRITE)))
    if not await session.engine.threads.sure(writing.still_wanted, command_id=claimed.id, now=session.engine.clock()):
        return None
    attempt.sent = True
    outcome = await guarded(opened.connector.write_risk(opened.shop, RISK.validate_python(claimed.payload)))
    outcome = await session.second_thoughts(outcome, opened)
    if attempt.lost and not isinstance(outcome, Done):
        return None
    return await settled(session, claimed, outcome)


@sends(CommandKind.WRITE_FULFILMENT)
async def _write_fulfilment(session: Session, attempt: Attempt) -> Outcome | None:
    """The connector looks first, so a repeat finds what an earlier try did; while that try can still be carried out,
    it only looks. Two at once would make two parcels.
    """
    claimed, opened, manifest = attempt.claimed, session.opened, session.connector.manifest
    if not manifest.can(Capability.FULFILMENT_WRITE):
        return await settled(session, claimed, Refused(Why.UNSUPPORTED, manifest.sentence(Capability.FULFILMENT_WRITE)))
    command = FULFILMENT.validate_python(claimed.payload)
    if command.undone and not manifest.can(Capability.FULFILMENT_UNDO):
        return await settled(session, claimed, Refused(Why.CONFLICT, manifest.sentence(Capability.FULFILMENT_UNDO)))
    only_look = claimed.look_first and await still_open(session, claimed)
    attempt.sent = True
    outcome = await guarded(opened.connector.write_fulfilment(opened.shop, replace(command, only_look=only_look)))
    return await _changed(session, attempt, outcome, opened, command.shop_order_id)
