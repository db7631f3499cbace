"""Traces: the tree of spans that an order leaves on its way out and a delivery on its way in, and that no span says
what it must not.
"""

# ruff: noqa: F811

import asyncio
import hashlib
import hmac
import json
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import aiohttp.web
import pytest
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import path
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

import market
from aside import sync
from crossdock.domain.capability import Pace
from crossdock.domain.commands import Unknown
from crossdock.domain.events import Look, LookKind
from crossdock.engine.engine import Engine
from crossdock.engine.traced import TracedThreads, traced
from crossdock.engine.worker import HANDLERS
from crossdock.kit import http
from crossdock.kit.errors import NotSent
from crossdock.kit.http import Transport
from crossdock.logs import MASK
from crossdock.seeing.calls import watch
from crossdock.seeing.quiet import NOTHING, Quiet, told
from crossdock.seeing.spans import Spans
from crossdock.store.models import Command, Delivery, Order
from crossdock.store.vault import seal
from crossdock.usecases.record.mail import post_office, write_mail
from crossdock.web.door import Door
from crossdock.web.traced.door import at_the_door
from masked import LOOK_SECRET
from stall import connector, no_jobs, rest, stall, until  # noqa: F401
from toy import SECRET as TOY_SECRET
from toy import ToyConnector

NAME, SECRET = "geheimer-name", "correct horse battery"


def page(request: HttpRequest, public_id: str) -> HttpResponse:
    write_mail(cause="of a page", to="zoe@example.test", subject=NAME, body=NAME, now=datetime.now(UTC))
    return HttpResponse("done", status=int(request.GET.get("status", 200)))


def broken(request: HttpRequest) -> HttpResponse:
    raise ValueError(f"{NAME} token=geheim {SECRET}")


def nowhere(request: HttpRequest, exception: Exception) -> HttpResponse:
    return HttpResponse("nobody here", status=404)


def stumbled(request: HttpRequest) -> HttpResponse:
    return HttpResponse("broken", status=500)


handler404, handler500 = f"{__name__}.nowhere", f"{__name__}.stumbled"
urlpatterns = [path("orders/<slug:public_id>/", page, name="page"), path("broken/<slug:token>/", broken)]


class Book:
    """What was exported so far."""

    def __init__(self, spans: Spans, exporter: InMemorySpanExporter) -> None:
        self.spans, self._exporter = spans, exporter

    def all(self) -> list[ReadableSpan]:
        return list(self._exporter.get_finished_spans())

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.all() if span.name == name]

    def one(self, name: str, **attributes: object) -> ReadableSpan:
        wanted = {key.replace("__", "."): value for key, value in attributes.items()}
        fits = [span for span in self.named(name) if wanted.items() <= dict(span.attributes or {}).items()]
        assert len(fits) == 1, f"{len(fits)} spans {name} {wanted} of {sorted({span.name for span in self.all()})}"
        return fits[0]

    def under(self, above: ReadableSpan) -> list[str]:
        return [span.name for span in self.all() if span.parent and span.parent.span_id == above.context.span_id]

    def text(self) -> str:
        return "\n".join(span.to_json() for span in self.all())


@pytest.fixture
def book(monkeypatch: pytest.MonkeyPatch) -> Iterator[Book]:
    exporter = InMemorySpanExporter()
    spans = Spans("test", SimpleSpanProcessor(exporter), key="a key", secrets=[SECRET])
    monkeypatch.setattr(told, "by", spans)
    monkeypatch.setattr(http, "WATCHED_BY", [watch(spans)])
    yield Book(spans, exporter)
    spans.provider.shutdown()


@pytest.fixture
async def engine(book: Book, transactional_db: None) -> AsyncIterator[Engine]:
    made = Engine(transport=Transport(allow_local=True), threads=TracedThreads(4), handlers=traced(HANDLERS))
    yield made
    await made.stop(grace_seconds=10)
    await made.transport.close()
    await made.threads.close()


def linked(span: ReadableSpan) -> set[int]:
    return {link.context.span_id for link in span.links}


class TestAPage:
    pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db(transaction=True)]

    @pytest.fixture(autouse=True)
    def _on(self, settings: Any, book: Book, no_jobs: list[int]) -> None:
        settings.MIDDLEWARE = ["crossdock.web.middleware.RequestIds", "crossdock.web.traced.pages.Traced"]

    def test_it_says_the_route_and_what_it_put_in_line(self, book: Book) -> None:
        answer = Client().get("/orders/CD-7/?mail=zoe@example.test", HTTP_TRACEPARENT=f"00-{'a' * 32}-{'b' * 16}-01")
        span = book.one("GET /orders/<slug:public_id>/")
        assert span.kind is SpanKind.SERVER and span.parent is None
        assert f"{span.context.trace_id:032x}" != "a" * 32, "a visitor's trace is not taken over"
        assert dict(span.attributes or {}) == {
            "crossdock.request": answer["X-Request-ID"],
            "http.request.method": "GET",
            "http.route": "/orders/<slug:public_id>/",
            "crossdock.order": "CD-7",
            "http.response.status_code": 200,
        }
        put = book.one("put send_mail in line")
        assert put.kind is SpanKind.PRODUCER and put.context.trace_id != span.context.trace_id
        assert linked(put) == {span.context.span_id}
        assert NAME not in book.text() and "zoe@" not in book.text()

    def test_of_an_address_that_was_not_found_nothing_is_repeated(self, book: Book) -> None:
        for status in (302, 403, 404):
            Client().get(f"/orders/geheim/?status={status}")
        Client().get("/nowhere/geheim/")
        assert "geheim" not in book.text()
        assert [dict(span.attributes or {})["http.response.status_code"] for span in book.named("GET")] == [404]

    def test_a_page_that_broke_says_so_and_not_why(self, book: Book) -> None:
        client = Client(raise_request_exception=False)
        assert client.post("/broken/geheim/").status_code == 500
        span = book.one("POST /broken/<slug:token>/")
        assert span.status.status_code is StatusCode.ERROR and not span.events
        assert "geheim" not in book.text() and SECRET not in book.text()

    def test_health_checks_and_invented_methods_make_no_names(self, book: Book) -> None:
        Client().get("/healthz")
        Client().generic("GEHEIM", "/orders/CD-7/")
        assert [span.name for span in book.all() if span.kind is SpanKind.SERVER] == ["OTHER /orders/<slug:public_id>/"]


@pytest.mark.django_db(transaction=True)
def test_what_was_rolled_back_was_never_in_line(book: Book, no_jobs: list[int]) -> None:
    with transaction.atomic():
        write_mail(cause="never", to="zoe@example.test", subject="S", body="B", now=datetime.now(UTC))
        transaction.set_rollback(True)
    assert book.all() == []


@pytest.mark.django_db(transaction=True)
class TestTheWayOut:
    async def test_an_order_until_its_shop_has_it(
        self, book: Book, engine: Engine, connector: ToyConnector, no_jobs: list[int]
    ) -> None:
        here = await sync(stall, connector)

        def placed() -> Order:
            with book.spans.span("place", {}):
                return here.buy()

        order = await sync(placed)
        await engine.accept(here.shop.party_id)
        await until(lambda: Command.objects.filter(kind="create_order", state="done").exists())
        await rest(engine)
        place = book.one("place")
        put = book.one("put create_order in line", crossdock__order=order.reference)
        assert place.context.span_id in linked(put)
        tried = book.one("create_order")
        assert tried.kind is SpanKind.CONSUMER and tried.parent is not None
        assert (tried.parent.trace_id, tried.parent.span_id) == (put.context.trace_id, put.context.span_id)
        about = dict(tried.attributes or {})
        assert about["crossdock.platform"] == "toy" and about["crossdock.order"] == order.reference
        assert about["crossdock.outcome"] == "Done" and about["crossdock.attempt"] == 1
        steps = book.under(tried)
        assert "usecases.outcomes.settle.settle_command" in steps
        # The order was read back, and that is part of the same way.
        assert any(name.startswith("usecases.orders.") for name in steps), steps
        for shown in (market.ADDRESS.name, market.ADDRESS.line1, market.ADDRESS.postal_code, "example.test"):
            assert shown not in book.text()

    async def test_a_second_try_goes_on_in_the_same_trace_and_says_that_the_first_failed(
        self, book: Book, engine: Engine, connector: ToyConnector, no_jobs: list[int]
    ) -> None:
        here = await sync(stall, connector)
        answers = iter([Unknown(f"no answer about {NAME}")])
        here.truth.answer_create = lambda command: next(answers, None)
        await sync(here.buy)
        await engine.accept(here.shop.party_id)
        await until(lambda: Command.objects.filter(kind="create_order", unresolved=True).exists())
        await until(lambda: len(book.named("create_order")) == 1)
        first = book.one("create_order")
        assert first.status.status_code is StatusCode.ERROR
        assert dict(first.attributes or {})["error.type"] == "Unknown" and NAME not in book.text()
        put = book.one("put create_order in line")
        assert first.context.trace_id == put.context.trace_id

    async def test_mails_and_money_say_their_kind_and_party(
        self, book: Book, engine: Engine, no_jobs: list[int], mailoutbox: list[Any]
    ) -> None:
        await sync(write_mail, cause="one", to="zoe@example.test", subject=NAME, body=NAME, now=datetime.now(UTC))
        await engine.accept((await sync(post_office)).pk)
        await until(lambda: Command.objects.filter(state="done").exists())
        await rest(engine)
        about = dict(book.one("send_mail").attributes or {})
        assert (about["crossdock.party"], about["crossdock.platform"]) == ("notify", "mail")
        assert "crossdock.order" not in about
        assert len(mailoutbox) == 1 and NAME not in book.text() and "zoe@" not in book.text()


@pytest.mark.django_db(transaction=True)
class TestTheWayIn:
    async def test_a_delivery_from_the_door_to_what_it_changed(
        self, book: Book, engine: Engine, connector: ToyConnector, no_jobs: list[int]
    ) -> None:
        here = await sync(stall, connector)
        await sync(lambda: type(here.shop).objects.update(secrets=seal({"key": "k", "hook": TOY_SECRET})))
        door = Door()
        body = json.dumps({"topic": "product", "id": "p1", "buyer": NAME}).encode()
        status = await delivered(at_the_door(door), f"/hooks/shop/toy/{here.shop.public_id}", body)
        await door.close()
        assert status == 200
        here.truth.counts["v1"] = 3
        await engine.accept(here.shop.party_id)
        await until(lambda: Delivery.objects.filter(handled_at__isnull=False).exists())
        await rest(engine)
        came = book.one("POST /hooks")
        assert came.kind is SpanKind.SERVER and dict(came.attributes or {}) == {
            "crossdock.party": "shop",
            "crossdock.platform": "toy",
            "http.request.method": "POST",
            "http.response.status_code": 200,
        }
        kept = book.one("keep a delivery", crossdock__topic="product")
        assert linked(kept) == {came.context.span_id} and kept.end_time and kept.start_time
        look = book.one("read product")
        assert look.parent is not None and look.parent.span_id == kept.context.span_id
        assert look.context.trace_id == kept.context.trace_id
        rounds = book.named("read from toy")
        (round_,) = (one for one in rounds if "deliveries" in str(dict(one.attributes or {}).get("crossdock.reads")))
        assert round_.context.span_id in linked(look)
        assert any(name.startswith("engine.shop.reading.read_product") for name in book.under(look)), book.under(look)
        assert NAME not in book.text() and here.shop.public_id not in book.text()

    async def test_a_stranger_at_the_door_leaves_a_status_and_nothing_else(self, book: Book) -> None:
        door = Door()
        for where, method in ((f"/hooks/shop/{NAME}/{NAME}", "POST"), (f"/hooks/{NAME}", "GET")):
            await delivered(at_the_door(door), where, b"{}", method=method)
        await door.close()
        statuses = [dict(span.attributes or {})["http.response.status_code"] for span in book.named("POST /hooks")]
        assert statuses == [404, 405] and NAME not in book.text()

    async def test_what_a_full_inbox_did_not_keep_is_marked(self, book: Book) -> None:
        loop = asyncio.get_running_loop()
        good, bad, gone = (loop.create_future() for _ in range(3))
        for number, done in enumerate((good, bad, gone)):
            told.by.kept(7, f"key {number}", "order", done)
        good.set_result(None)
        bad.set_exception(OSError(NAME))
        gone.cancel()
        await asyncio.sleep(0)
        ended = [span.status.status_code for span in book.named("keep a delivery")]
        assert ended == [StatusCode.UNSET, StatusCode.ERROR, StatusCode.ERROR] and NAME not in book.text()
        assert isinstance(bad.exception(), OSError)

    async def test_one_reading_for_several_deliveries_tells_of_each(self, book: Book) -> None:
        look = Look(LookKind.ORDER, "7")
        news = {"looks": [{"kind": "order", "entity_id": "7"}]}
        rows = [Delivery(party_id=1, dedupe=key, news=news, received_at=datetime.now(UTC)) for key in ("a", "b")]
        rows.append(Delivery(party_id=1, dedupe="c", news={"looks": []}, received_at=datetime.now(UTC)))
        with told.by.look(look, rows):
            pass
        span = book.one("read order", crossdock__deliveries=2)
        assert len(span.links) == 1 and span.parent is not None
        with told.by.look(look, []):
            pass
        assert len(book.named("read order")) == 2


async def delivered(door: Any, path: str, body: bytes, *, method: str = "POST") -> int:
    """The status of the answer."""
    signature = hmac.new(TOY_SECRET.encode(), body, hashlib.sha256).hexdigest()
    headers = [(b"content-length", str(len(body)).encode()), (b"x-toy-signature", signature.encode())]
    answer: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        answer.append(message)

    await door({"type": "http", "method": method, "path": path, "headers": headers}, receive, send)
    return int(answer[0]["status"])


@pytest.mark.django_db(transaction=True)
def test_it_asks_the_database_nothing(book: Book, no_jobs: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(cause: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            write_mail(cause=cause, to="zoe@example.test", subject="S", body="B", now=datetime.now(UTC))
        return len(queries)

    asked("to have an office")
    on = asked("on")
    assert len(book.named("put send_mail in line")) == 2
    monkeypatch.setattr(told, "by", Quiet())
    assert asked("off") == on
    assert len(book.all()) == 2


def test_off_nothing_is_made() -> None:
    quiet, rows = Quiet(), [Command()]
    look, done = Look(LookKind.ORDER, "7"), asyncio.Future[None](loop=asyncio.new_event_loop())

    def worked() -> None:
        for _ in range(200):
            quiet.put_in_line(rows)
            quiet.kept(7, "key", "order", done)
            with quiet.look(look, rows):
                pass

    worked()
    before = sys.getallocatedblocks()
    worked()
    assert sys.getallocatedblocks() - before < 20
    assert quiet.look(look, rows) is NOTHING
    done.get_loop().close()


class TestCalls:
    async def test_a_call_says_its_method_party_and_status_and_sends_nothing_of_a_trace(self, book: Book) -> None:
        heard: list[Any] = []

        async def answer(request: aiohttp.web.Request) -> aiohttp.web.Response:
            heard.append(dict(request.headers))
            return aiohttp.web.Response(status=404 if "none" in request.path else 200, text=NAME)

        app = aiohttp.web.Application()
        app.router.add_route("*", "/{rest:.*}", answer)
        runner = aiohttp.web.AppRunner(app)
        await runner.setup()
        site = aiohttp.web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with Transport(allow_local=True) as transport:
            shop = transport.party("shop:7", Pace(100.0, 100, 4))
            with book.spans.span("create_order", {}) as above:
                await shop.send("POST", f"{host}/a?token=geheim", json={"to": NAME}, headers={"X-Key": "geheim"})
                await shop.send("GET", f"{host}/none")
        await runner.cleanup()
        posted = book.one("call POST")
        assert posted.kind is SpanKind.CLIENT and posted.parent is not None
        assert posted.parent.span_id == above.get_span_context().span_id
        assert dict(posted.attributes or {}) == {
            "http.request.method": "POST",
            "crossdock.called": "shop:7",
            "http.response.status_code": 200,
        }
        assert book.one("call GET").status.status_code is StatusCode.ERROR
        assert not any(name.lower() in ("traceparent", "tracestate", "baggage") for one in heard for name in one)
        assert "geheim" not in book.text() and host.rpartition(":")[2] not in book.text()

    async def test_one_that_never_left_says_so(self, book: Book) -> None:
        async with Transport(allow_local=True) as transport:
            with pytest.raises(NotSent):
                await transport.party("shop:7", Pace(100.0, 100, 4)).send("GET", "http://127.0.0.1:9/")
        span = book.one("call GET")
        assert span.status.status_code is StatusCode.ERROR
        assert str(dict(span.attributes or {})["error.type"]).startswith("ClientConnector")


class TestWhatIsSaid:
    @pytest.mark.parametrize("text", LOOK_SECRET)
    def test_whatever_looks_secret_in_any_text_is_masked(self, book: Book, text: str) -> None:
        with book.spans.span(text, {"crossdock.topic": text, "crossdock.order": f"{SECRET} {text}"}):
            pass
        assert "geheim" not in book.text() and SECRET not in book.text() and MASK in book.all()[0].name

    def test_half_a_secret_at_a_cut_is_not_left(self, book: Book) -> None:
        with book.spans.span("one", {"crossdock.topic": "x" * 195 + SECRET}):
            pass
        assert "correct" not in book.text()

    def test_both_sides_of_a_row_know_its_trace_and_nobody_else(self, book: Book) -> None:
        mine, again, other = (
            Spans("x", SimpleSpanProcessor(InMemorySpanExporter()), key=key) for key in ("a", "a", "b")
        )
        ids = [trace.get_current_span(one.carrying_out("7")).get_span_context() for one in (mine, again, other)]
        assert ids[0].trace_id == ids[1].trace_id and ids[0].span_id == ids[1].span_id
        assert ids[0].trace_id != ids[2].trace_id

    def test_a_share_is_drawn_alike_on_both_sides(self) -> None:
        exporter = InMemorySpanExporter()
        some = Spans("x", SimpleSpanProcessor(exporter), share=0.5, key="a")
        for pk in range(40):
            some._hand_on(f"command {pk}", "put", {}, ()).end()
            with some.span("try", {}, within=some.carrying_out(str(pk))):
                pass
        names = [span.name for span in exporter.get_finished_spans()]
        assert names.count("put") == names.count("try") and 5 < names.count("put") < 35
