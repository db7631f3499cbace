"""The people of a seed: buyers who hold and pay, the seller here and in the shop, the shop's own customers; each step
through the product's use-cases.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from crossdock.domain.commands import CancelReason
from crossdock.domain.events import Count
from crossdock.domain.values import Address
from crossdock.kit.ask import ask
from crossdock.kit.connector import VariantRef
from crossdock.kit.errors import Outside
from crossdock.kit.rows import readable
from crossdock.kit.sandbox import Sandbox
from crossdock.kit.shops import open_shop
from crossdock.store.models import Order
from crossdock.usecases.checkout import checkout, confirm_stock
from crossdock.usecases.checkout.basket import Basket, priced
from crossdock.usecases.checkout.confirm_stock import Question, Verdict
from crossdock.usecases.errors import Problem
from crossdock.usecases.orders import reject
from crossdock.usecases.shops import connect
from crossdock.usecases.stock.confirm import confirm_count
from crossdock_lab.proof.clock import Inline, SimulatedLoop
from crossdock_lab.proof.ledger import Ledger
from crossdock_lab.proof.plan import Plan, Step
from crossdock_lab.proof.town import BEGIN_SECONDS, Town
from crossdock_lab.proof.wire import WireTransport

_SHIP_TO = Address("Zoë Müller", "1 Elm St", "Springfield", "US", "12345", region="IL")
# Who is asked to wait presses the button again.
_PRESSES = 2


class Stage(Protocol):
    """The play, as far as its people reach it."""

    loop: SimulatedLoop
    town: Town
    plan: Plan
    shop: Sandbox
    ledger: Ledger
    web: Inline
    page: WireTransport

    def say(self, text: str) -> None: ...

    async def kill(self) -> None: ...


class People:
    """What they did is remembered by buyer, since later steps are about their orders."""

    def __init__(self, play: Stage) -> None:
        self.play = play
        self._orders: dict[int, str] = {}

    async def step(self, step: Step) -> None:
        await asyncio.sleep(BEGIN_SECONDS + step.at - self.play.loop.seconds)
        doing: dict[str, Callable[[Step], Awaitable[None]]] = {
            "buy": self._buy,
            "sell": self._sell,
            "recount": self._recount,
            "reject": self._do_reject,
            "shop_cancel": self._shop_cancel,
            "confirm": self._do_confirm,
            "kill": self._kill,
            "down": self._down,
        }
        try:
            await doing[step.what](step)
        except Problem as problem:
            self.play.say(f"{step.what} {step.who}: {type(problem).__name__}")

    async def _buy(self, step: Step) -> None:
        buyer = self.play.town.buyers[step.who]
        basket: Basket = {"lines": {self.play.town.variants[v].public_id: step.units for v in step.variants}}

        def _open() -> str:
            now = self.play.loop.now()
            shown = priced(basket=basket, country="US", now=now)
            intent = checkout.open_checkout(
                buyer=buyer,
                basket=basket,
                ship_to=_SHIP_TO,
                key=f"checkout-{self.play.plan.seed}-{step.who}-{self.play.town.connection.pk}",
                fingerprint=shown.fingerprint,
                gateway="sandbox",
                now=now,
            )
            return intent.public_id

        def _pay() -> Order:
            return checkout.place_order(
                intent_id=intent, gateway_ref=f"paid {step.who}", checks={}, now=self.play.loop.now()
            )

        intent = await self.play.web.run(_open)
        self.play.say(f"buyer {step.who} holds")
        verdict = await self._asked(step, intent)
        for _ in range(_PRESSES):
            if verdict.wait:
                await asyncio.sleep(1)
                verdict = await self._asked(step, intent)
        if not verdict.go:
            return
        await asyncio.sleep(step.wait)
        order = await self.play.web.run(_pay)
        self._orders[step.who] = order.reference
        self.play.say(f"buyer {step.who} has paid")

    async def _asked(self, step: Step, intent: str) -> Verdict:
        """Before money is taken the shop is asked, as the page does it (web/live.py)."""

        def _question() -> Question | None:
            return next(iter(confirm_stock.questions_of(intent_id=intent, now=self.play.loop.now())), None)

        question = await self.play.web.run(_question)
        if question is None:
            return confirm_stock.GO
        connector, shop = open_shop(
            connect.access_of(connection=self.play.town.connection), self.play.page, lane="interactive"
        )
        heard: Sequence[Count] | None = None
        with contextlib.suppress(Outside):
            heard = readable(await ask(connector.counts(shop, [VariantRef(*ref) for ref in question.refs])))

        def _verdict(*, read_no: int) -> Verdict:
            answers = [(question, heard)]
            return confirm_stock.judged(intent_id=intent, answers=answers, now=self.play.loop.now())

        verdict = await self.play.web.run(_verdict, read_no=question.read_no)
        words = "is silent" if heard is None else "has it" if verdict.go else "has it no more"
        self.play.say(f"the shop, asked for buyer {step.who}, {words}")
        return verdict

    async def _do_reject(self, step: Step) -> None:
        reference = self._orders.get(step.who)
        if reference is None:
            return

        def _reject() -> None:
            order = Order.objects.get(reference=reference)
            reject.reject_order(
                order=order,
                reason=CancelReason(step.how),
                actor=None,
                expected_total=order.total,
                now=self.play.loop.now(),
            )

        await self.play.web.run(_reject)
        self.play.say(f"buyer {step.who}'s order is rejected: {step.how}")

    async def _sell(self, step: Step) -> None:
        ref = self.play.town.refs[step.who]
        if await self.play.shop.hand.count(ref) > 0:
            await self.play.shop.hand.sell(ref, 1)
            self.play.ledger.sold[step.who] += 1
            self.play.say(f"the shop sold one v{step.who}")

    async def _recount(self, step: Step) -> None:
        ref = self.play.town.refs[step.who]
        there = await self.play.shop.hand.count(ref)
        if there >= 0:
            await self.play.shop.hand.recount(ref, there + 1)
            self.play.ledger.found[step.who] += 1
            self.play.say(f"one more v{step.who} is found")

    async def _shop_cancel(self, step: Step) -> None:
        for copy in self.play.ledger.ours().get(self._orders.get(step.who, "-"), []):
            if not copy.cancelled:
                restock = step.how == "restocked"
                await self.play.shop.hand.cancel(copy.shop_id, restock=restock)
                if not restock:
                    for variant_id, units in copy.lines:
                        self.play.ledger.kept[[ref.variant_id for ref in self.play.town.refs].index(variant_id)] += (
                            units
                        )
                self.play.say(f"buyer {step.who}'s order is cancelled in the shop")

    async def _do_confirm(self, step: Step) -> None:
        def _confirm() -> None:
            confirm_count(
                variant=self.play.town.variants[step.who],
                count=None,
                actor=self.play.town.seller.owner,
                now=self.play.loop.now(),
            )

        await self.play.web.run(_confirm)
        self.play.say(f"v{step.who} is confirmed")

    async def _kill(self, step: Step) -> None:
        await self.play.kill()

    async def _down(self, step: Step) -> None:
        self.play.shop.dial.down = True
        await asyncio.sleep(step.wait)
        self.play.shop.dial.down = False
