"""Spans by OpenTelemetry, along both ways through the house; imported by nobody while CROSSDOCK_TRACES_URL is empty.

Work that is handed on goes on in a trace whose ids are made from its row's key and the marketplace's own secret: so
nothing of traces is stored, and a worker that finds the row days later, in another version, knows them too. The span
that handed it on is linked (docs/decisions/0025-traces.md).

No span holds text of people or shops: kinds, numbers, our ids, statuses. Every text goes through the mask of the logs.
"""

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from types import SimpleNamespace
from typing import Any

from django.db import transaction
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision, ParentBased, TraceIdRatioBased
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, SpanKind, TraceFlags
from opentelemetry.trace.status import StatusCode

from crossdock.config import Config
from crossdock.domain.commands import order_reference
from crossdock.logs import mask_line, worth_masking
from crossdock.seeing.quiet import Quiet, told

Value = str | int | bool
# Whose work this is: the platform, gateway, carrier or office that a command or a reading is for. Calls say it too.
PARTY: ContextVar[str] = ContextVar("party", default="")
_LONGEST = 200
# At the end of a process, and of each try: nobody waits longer for a collector that is away.
_SECONDS = 5.0
# The ids that the next span gets.
_GIVEN: ContextVar[tuple[int, int] | None] = ContextVar("given", default=None)


def _ids() -> Any:
    """The SDK's IdGenerator: at random, but for spans that both sides of a row have to know."""
    random = RandomIdGenerator()

    def trace_id() -> int:
        given = _GIVEN.get()
        return given[0] if given else random.generate_trace_id()

    def span_id() -> int:
        given = _GIVEN.get()
        return given[1] if given else random.generate_span_id()

    return SimpleNamespace(generate_trace_id=trace_id, generate_span_id=span_id, is_trace_id_random=lambda: False)


def exported(service: str, config: Config, secrets: Sequence[str]) -> "Spans":
    """Spans that are sent to the operator's collector, in batches, beside the work."""
    exporter = OTLPSpanExporter(
        endpoint=config.traces_url, headers=dict(config.traces_sent_with), timeout=math.ceil(_SECONDS)
    )
    return Spans(
        service, BatchSpanProcessor(exporter), share=config.traces_share, key=config.secret_key, secrets=secrets
    )


def running() -> "Spans":
    """Those of this process, where traces are on."""
    assert isinstance(told.by, Spans)
    return told.by


class Spans(Quiet):
    def __init__(
        self, service: str, processor: SpanProcessor, *, share: float = 1.0, key: str = "", secrets: Sequence[str] = ()
    ) -> None:
        self._share = TraceIdRatioBased(share)
        about = {"service.name": f"crossdock-{service}", "service.version": version("crossdock")}
        self.provider = TracerProvider(
            sampler=ParentBased(self._share), resource=Resource.create(about), id_generator=_ids()
        )
        self.provider.add_span_processor(processor)
        self._tracer = self.provider.get_tracer("crossdock")
        self._key = hashlib.sha256(b"traces" + key.encode()).digest()
        self._mask: Callable[[str], str] = partial(mask_line, secrets=worth_masking(secrets))

    def said(self, attributes: Mapping[str, Value]) -> dict[str, Value]:
        """As they leave: what is empty left out, each text masked and cut."""
        return {
            name: self._mask(value[: 2 * _LONGEST])[:_LONGEST] if isinstance(value, str) else value
            for name, value in attributes.items()
            if value != ""
        }

    def begin(
        self,
        name: str,
        attributes: Mapping[str, Value],
        *,
        kind: SpanKind = SpanKind.INTERNAL,
        within: Context | None = None,
        links: Sequence[Link] = (),
    ) -> Span:
        """Whoever begins one ends it."""
        return self._tracer.start_span(
            self._mask(name), context=within, kind=kind, attributes=self.said(attributes), links=list(links)
        )

    @contextmanager
    def span(self, name: str, attributes: Mapping[str, Value], **given: Any) -> Iterator[Span]:
        """Around work that runs here; of what it raises the kind alone is said."""
        span = self.begin(name, attributes, **given)
        try:
            with trace.use_span(span, record_exception=False, set_status_on_exception=False):
                yield span
        except BaseException as error:
            failed(span, type(error).__name__)
            raise
        finally:
            span.end()

    # -- Work that is handed on

    def put_in_line(self, commands: Sequence[Any]) -> None:
        """Told once it is sure: what is rolled back was never in line."""
        came_from = _here()
        rows = [(row.cause, row.kind, row.subject, row.party_id) for row in commands]

        def sure() -> None:
            for cause, kind, subject, party_id in rows:
                about: dict[str, Value] = {"crossdock.kind": kind, "crossdock.party_id": party_id}
                name = f"put {kind} in line"
                self._hand_on(f"command {cause}", name, about | order_of(subject), came_from).end()

        transaction.on_commit(sure, robust=True)

    def carrying_out(self, cause: str) -> Context:
        """Where a try at the command of this cause belongs."""
        return self._onward(f"command {cause}")

    def kept(self, party_id: int, dedupe: str, topic: str, done: Any) -> None:
        about: dict[str, Value] = {"crossdock.party_id": party_id, "crossdock.topic": topic}
        span = self._hand_on(_delivery(party_id, dedupe), "keep a delivery", about, _here())

        def over(future: Any) -> None:
            if future.cancelled() or future.exception() is not None:
                failed(span, "not kept")
            span.end()

        done.add_done_callback(over)

    def look(self, look: Any, rows: Sequence[Any]) -> AbstractContextManager[object]:
        """In the trace of the first delivery that named it; of the others it tells."""
        wanted = {"kind": str(look.kind), "entity_id": look.entity_id}
        named = [row for row in rows if wanted in row.news.get("looks", ())]
        if not named:
            return self.span(f"read {look.kind}", {})
        first, *others = (self._onward(_delivery(row.party_id, row.dedupe)) for row in named)
        waited = datetime.now(UTC) - min(row.received_at for row in named)
        about: dict[str, Value] = {
            "crossdock.party_id": named[0].party_id,
            "crossdock.platform": PARTY.get(),
            "crossdock.deliveries": len(named),
            "crossdock.waited_ms": round(waited.total_seconds() * 1000),
        }
        links = [*_here(), *(Link(trace.get_current_span(other).get_span_context()) for other in others[:50])]
        return self.span(f"read {look.kind}", about, kind=SpanKind.CONSUMER, within=first, links=links)

    def _hand_on(self, key: str, name: str, about: Mapping[str, Value], came_from: Sequence[Link]) -> Span:
        """The first span of a trace of its own, which whoever goes on can name without having seen it."""
        token = _GIVEN.set(self._ids_of(key))
        try:
            return self.begin(name, about, kind=SpanKind.PRODUCER, within=Context(), links=came_from)
        finally:
            _GIVEN.reset(token)

    def _onward(self, key: str) -> Context:
        trace_id, span_id = self._ids_of(key)
        drawn = self._share.should_sample(None, trace_id, "").decision is Decision.RECORD_AND_SAMPLE
        flags = TraceFlags(TraceFlags.SAMPLED if drawn else TraceFlags.DEFAULT)
        first = SpanContext(trace_id, span_id, is_remote=True, trace_flags=flags)
        return trace.set_span_in_context(NonRecordingSpan(first), Context())

    def _ids_of(self, key: str) -> tuple[int, int]:
        digest = hashlib.blake2b(key.encode(), key=self._key, digest_size=24).digest()
        return int.from_bytes(digest[:16], "big") or 1, int.from_bytes(digest[16:], "big") or 1


def _delivery(party_id: int, dedupe: str) -> str:
    """News that a shop tells again under the same key goes on in the same trace."""
    return f"delivery {party_id} {dedupe}"


def _here() -> list[Link]:
    """To the span that runs now, if one does."""
    now = trace.get_current_span().get_span_context()
    return [Link(now)] if now.is_valid else []


def failed(span: Span, kind: str) -> None:
    """`kind` is a word of ours, or the name of an exception's class."""
    span.set_status(StatusCode.ERROR)
    span.set_attribute("error.type", kind)


def order_of(subject: str) -> dict[str, Value]:
    """The order's reference, by which all traces of an order are found; a mail's or an event's subject names none."""
    reference = order_reference(subject)
    return {"crossdock.order": "" if ":" in reference else reference}
