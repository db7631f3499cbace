"""Spans of what a worker does: each try at a command, each round of reading, and the use-cases within them. Imported by
nobody while traces are off.
"""

from collections.abc import Callable, Mapping
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar

from opentelemetry import trace
from opentelemetry.trace import SpanKind

from crossdock.domain.commands import Outcome, SignInAgain, Unknown
from crossdock.engine.engine import Engine, Opener
from crossdock.engine.handler import Attempt, Handler
from crossdock.seeing.spans import PARTY, Spans, Value, failed, order_of, running
from crossdock.store.threads import Threads
from crossdock.usecases.shops.timers import Due

P = ParamSpec("P")
T = TypeVar("T")
_READS = ("deliveries", "timers", "orders", "counts")


def traced(openers: Mapping[str, Opener]) -> dict[str, Opener]:
    """The same, each handler within spans."""
    spans = running()

    def opened(opener: Opener, engine: Engine, party_id: int, due: Due) -> Handler:
        return TracedHandler(opener(engine, party_id, due), spans, party_id, due)

    return {kind: partial(opened, opener) for kind, opener in openers.items()}


class TracedHandler:
    """A try at a command goes on in the trace that began when the command was put in line."""

    def __init__(self, handler: Handler, spans: Spans, party_id: int, due: Due) -> None:
        self._handler, self._spans = handler, spans
        self._name = due.name
        self._party: dict[str, Value] = {
            "crossdock.party": due.kind,
            "crossdock.platform": due.name,
            "crossdock.party_id": party_id,
        }
        self.parallel = handler.parallel

    @property
    def heard(self) -> bool:
        return self._handler.heard

    @heard.setter
    def heard(self, value: bool) -> None:
        self._handler.heard = value

    async def carry_out(self, attempt: Attempt) -> Outcome | None:
        claimed = attempt.claimed
        about: dict[str, Value] = {
            "crossdock.command": claimed.id,
            "crossdock.kind": claimed.kind,
            "crossdock.attempt": claimed.attempts,
            "crossdock.look_first": claimed.look_first,
        }
        PARTY.set(self._name)
        where = self._spans.carrying_out(claimed.cause)
        said = about | self._party | order_of(claimed.subject)
        with self._spans.span(claimed.kind, said, kind=SpanKind.CONSUMER, within=where) as span:
            outcome = await self._handler.carry_out(attempt)
            ended = type(outcome).__name__ if outcome is not None else "Nobody asked"
            span.set_attribute("crossdock.outcome", ended)
            if isinstance(outcome, Unknown | SignInAgain):
                failed(span, ended)
            return outcome

    async def chores(self, due: Due) -> bool:
        PARTY.set(self._name)
        reads = ",".join(name for name in _READS if getattr(due, name))
        with self._spans.span(f"read from {self._name}", self._party | {"crossdock.reads": reads}):
            return await self._handler.chores(due)

    async def close(self) -> None:
        await self._handler.close()


class TracedThreads(Threads):
    """A span for each use-case that runs for one of these; looking for work is none."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self._spans = running()

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        if not trace.get_current_span().get_span_context().is_valid:
            return await super().run(work, *args, **kwargs)
        with self._spans.span(_name_of(work), {}):
            # What is put in line in there says where it came from.
            here = partial(copy_context().run, partial(work, *args, **kwargs))
            return await super().run(here)


def _name_of(work: Callable[..., object]) -> str:
    while isinstance(work, partial):
        work = work.func
    name = getattr(work, "__qualname__", type(work).__name__)
    return f"{getattr(work, '__module__', '')}.{name}".removeprefix("crossdock.")
