"""A test order, step by step: counted, created, read back, counted, cancelled, counted. Each step is kept before the
next one, so one that was cut off goes on where it was: what may stand in the shop is looked for, never made blindly
again.
"""

import asyncio
from datetime import datetime

from crossdock.domain import trial_order
from crossdock.domain.capability import Capability
from crossdock.domain.commands import (
    CancelOrder,
    CancelReason,
    Done,
    Later,
    Outcome,
    Refused,
    Unknown,
    Why,
)
from crossdock.domain.events import Count, ShopOrder, ShopOrderState
from crossdock.domain.orders import as_found
from crossdock.domain.trial_order import Step, StepName, TrialOrder
from crossdock.engine.contain import MOST_SECONDS, guarded
from crossdock.engine.handler import Attempt
from crossdock.engine.shop.commands import of_look, settled, still_open
from crossdock.engine.shop.session import Session
from crossdock.kit.connector import VariantRef
from crossdock.kit.errors import Outside
from crossdock.kit.rows import readable
from crossdock.store.crash import point
from crossdock.usecases.outbox.payloads import TRIAL
from crossdock.usecases.shops import trial_orders


async def try_order(session: Session, attempt: Attempt) -> Outcome | None:
    run = _Run(session, attempt)
    try:
        # The horizon of a look-up counts from the claim, so the sitting ends before it begins; the next one goes on.
        async with asyncio.timeout(MOST_SECONDS):
            outcome = await run.steps()
    except TimeoutError:
        outcome = Unknown("The shop did not answer in time.")
    except Outside as error:
        outcome = run.in_doubt(of_look(error))
    outcome = await session.second_thoughts(outcome, run.opened)
    return None if attempt.lost else await settled(session, attempt.claimed, outcome)


class _Run:
    """One sitting of it. `trial` is what is known so far, and always as it is kept."""

    def __init__(self, session: Session, attempt: Attempt) -> None:
        self._session, self._attempt, self.opened = session, attempt, session.opened
        self._manifest = session.connector.manifest
        self.trial: TrialOrder = TRIAL.validate_python(attempt.claimed.payload)
        attempt.sent = bool(self.trial.shop_id)

    def in_doubt(self, outcome: Outcome) -> Outcome:
        """Once something may stand there, "not now" means: look there first."""
        return Unknown(outcome.sentence) if self._attempt.sent and isinstance(outcome, Later) else outcome

    async def steps(self) -> Outcome:
        """How it ended. Raises Outside."""
        if not self.trial.shop_id and (ended := await self._stand()):
            return ended
        seen = await self._read_back()
        if not self.trial.took(StepName.TAKEN):
            await self._keep(trial_order.taken(self.trial, await self._count(), at=self._now()))
        ended = await self._end(seen)
        if not isinstance(ended, Done | Refused):
            return ended
        restores = self._manifest.can(Capability.CANCEL_RESTORES)
        if isinstance(ended, Done):
            count = await self._count()
            await self._keep(trial_order.given_back(self.trial, count, restores=restores, at=self._now()))
        return ended

    async def _stand(self) -> Outcome | None:
        """Until the order stands there. An outcome is the end, for this time or for good."""
        claimed, create = self._attempt.claimed, self.trial.create
        if claimed.look_first:
            found = await self.opened.connector.find(self.opened.shop, create.reference, since=claimed.since)
            if found.shop_ids:
                return await self._found(found.shop_ids[0])
            if await still_open(self._session, claimed):
                return Unknown("Your shop's answer was lost; the order is being looked for there.")
        if not self.trial.took(StepName.COUNTED):
            count = await self._count()
            self.trial = self.trial.counted(count)
            await self._keep(step := trial_order.counted(count, at=self._now()))
            if step.ok is False:
                return Refused(Why.PRODUCT_GONE, step.sentence)
        self._attempt.sent = True
        point("trial.before_create")
        outcome = await guarded(self.opened.connector.create(self.opened.shop, create))
        point("trial.after_create")
        return await self._stands(outcome)

    async def _found(self, shop_id: str) -> Outcome | None:
        """Made by an earlier sitting, perhaps not to its end: some shops take an order in several calls."""
        self._attempt.sent = True
        seen = await self.opened.connector.order(self.opened.shop, shop_id)
        if seen.state is not ShopOrderState.OPEN:
            return await self._stands(as_found(seen))
        return await self._stands(
            await guarded(self.opened.connector.confirm(self.opened.shop, self.trial.create, seen))
        )

    async def _stands(self, outcome: Outcome) -> Outcome | None:
        if isinstance(outcome, Refused):
            await self._keep(Step(StepName.CREATED, False, outcome.sentence, self._now()))
        if not isinstance(outcome, Done):
            return outcome
        self.trial = self.trial.standing(outcome)
        how = "It was found there as" if outcome.already else "It stands there as"
        await self._keep(Step(StepName.CREATED, True, f"{how} {self.trial.named}.", self._now()))
        return None

    async def _read_back(self) -> ShopOrder:
        seen = await self.opened.connector.order(self.opened.shop, self.trial.shop_id)
        if not self.trial.took(StepName.READ_BACK):
            at_our_price = self._manifest.can(Capability.ORDER_AT_OUR_PRICE)
            await self._keep(trial_order.read_back(self.trial, seen, at_our_price=at_our_price, at=self._now()))
        return seen

    async def _end(self, seen: ShopOrder) -> Outcome:
        trial, claimed = self.trial, self._attempt.claimed
        done = Done(trial.shop_id, trial.number, trial.url)
        if seen.state is not ShopOrderState.OPEN:
            if not trial.took(StepName.CANCELLED) or trial.stands:
                await self._keep(Step(StepName.CANCELLED, True, "It is cancelled there.", self._now()))
            return done
        if not self._manifest.can(Capability.ORDER_CANCEL):
            sentence = f"{self._manifest.sentence(Capability.ORDER_CANCEL)} Cancel order {trial.named} there."
            await self._keep(Step(StepName.CANCELLED, None, sentence, self._now()))
            return Refused(Why.UNSUPPORTED, sentence)
        only_look = claimed.look_first and self._manifest.repeats_double and await still_open(self._session, claimed)
        cancel = CancelOrder(trial.create.reference, trial.shop_id, CancelReason.BUYER_ASKED, only_look=only_look)
        self._attempt.sent = True
        point("trial.before_cancel")
        outcome = await guarded(self.opened.connector.cancel(self.opened.shop, cancel))
        point("trial.after_cancel")
        if isinstance(outcome, Done):
            await self._keep(Step(StepName.CANCELLED, True, "It is cancelled there.", self._now()))
            return done
        if isinstance(outcome, Refused):
            await self._keep(Step(StepName.CANCELLED, False, outcome.sentence, self._now()))
        return self.in_doubt(outcome)

    async def _count(self) -> Count | None:
        """One read of one variant, which is taken in nowhere: the shop's own news of it comes the ordinary way."""
        (line,) = self.trial.create.lines
        counts = await self.opened.connector.counts(self.opened.shop, [VariantRef(line.product_id, line.variant_id)])
        return next((count for count in readable(counts) if count.variant_id == line.variant_id), None)

    async def _keep(self, step: Step) -> None:
        self.trial = self.trial.with_step(step)
        await self._session.engine.threads.sure(
            trial_orders.keep, command_id=self._attempt.claimed.id, trial=self.trial
        )

    def _now(self) -> datetime:
        return self._session.engine.clock()
