"""One contract for every carrier: the sandbox over its ledger, and EasyPost's adapter through the official library
against a server that answers like it.
"""

import io
import re
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp
from PIL import Image

from crossdock.carriers import easypost, sandbox
from crossdock.carriers.easypost import mapper, reading
from crossdock.carriers.sandbox.carrier import SIGNATURE, Hand, SandboxCarrier
from crossdock.carriers.sandbox.code128 import check_digit, widths
from crossdock.carriers.sandbox.printing import plain
from crossdock.domain.commands import Done, Later, Refused, SignInAgain, Unknown
from crossdock.domain.events import Look, LookKind
from crossdock.domain.labels import Bought, CustomsItem, Form, Parcel, Purchase, TrackStatus, VoidState, Wanted
from crossdock.domain.values import Address, Money
from crossdock.kit.carrier import Carrier
from crossdock.kit.connector import Forged, Hook
from crossdock.kit.errors import AuthDead, BadInput, Missing, Outside
from crossdock.kit.webhook import told_news
from easypost_wire import FILES, KEY, SECRET, EasyPostWire
from labelling import HOME

BUYER = Address("Zoë Müller", "1 Elm St", "Springfield", "US", "62701", region="IL", phone="2175550100")
BERLIN = Address("Jo", "Hauptstr. 1", "Berlin", "DE", "10115")
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
WANTED = Wanted("CD-1-abc", HOME, BUYER, Parcel(120, 180, 130, 20))
CARDS = CustomsItem("Trading cards", 3, Money(700, "USD"), "JP", "950490")


@dataclass
class Post:
    """A carrier, and the list that it keeps itself."""

    carrier: Carrier
    wire: EasyPostWire | None = None

    @property
    def hand(self) -> Hand:
        assert isinstance(self.carrier, SandboxCarrier)
        return Hand(self.carrier)

    def sold(self) -> list[str]:
        """Our references in the carrier's own list."""
        if self.wire:
            return [one["reference"] for one in self.wire.shipments.values() if one["postage_label"]]
        return [row.reference for row in self.hand.sold()]

    def next_buy(self, fault: str) -> None:
        if self.wire:
            self.wire.faults.append(fault)
        else:
            self.hand.calm()
            self.hand.dial(**{{"lose": "lost", "break": "broken", "throttle": "throttle"}[fault]: 1.0})

    def calm(self) -> None:
        if self.wire:
            self.wire.faults.clear()
        else:
            self.hand.calm()

    def scan(self, bought: Bought, status: TrackStatus, at: datetime) -> None:
        if self.wire:
            words = {TrackStatus.MADE: "pre_transit", TrackStatus.RETURNED: "return_to_sender"}
            self.wire.scan(bought.ref, words.get(status, str(status)), at)
        else:
            self.hand.move(bought.tracking_number, status, at, "Austin")

    async def purchase(self, wanted: Wanted = WANTED, place: int = 0) -> Purchase:
        return Purchase(wanted, (await self.carrier.quote(wanted))[place])

    async def bought(self, wanted: Wanted = WANTED) -> Bought:
        answer = await self.carrier.buy(await self.purchase(wanted))
        assert isinstance(answer, Bought), answer
        return answer


@pytest.fixture(params=["sandbox", "easypost"])
async def post(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Post]:
    if request.param == "sandbox":
        yield Post(sandbox.carrier.opened(tmp_path, {}))
        return
    wire = EasyPostWire()
    await wire.start()
    keys = {"api_key": KEY, "api_base": wire.address, "webhook_secret": SECRET}
    yield Post(easypost.carrier.opened(tmp_path, keys), wire)
    await wire.stop()


async def test_prices_come_cheapest_first_and_cost_nothing(post: Post) -> None:
    quotes = await post.carrier.quote(WANTED)
    assert len(quotes) >= 3
    assert [quote.price.minor for quote in quotes] == sorted(quote.price.minor for quote in quotes)
    assert all(
        quote.price.currency == "USD" and quote.price.minor > 0 and quote.service and quote.carrier for quote in quotes
    )
    assert len({quote.ref for quote in quotes}) == len(quotes)
    assert post.sold() == []


async def test_what_was_quoted_is_bought_at_that_price(post: Post) -> None:
    for place, wanted in enumerate([WANTED, replace(WANTED, reference="CD-1-def")]):
        purchase = await post.purchase(wanted, place)
        answer = await post.carrier.buy(purchase)
        assert isinstance(answer, Bought)
        assert (answer.price, answer.carrier, answer.service) == (
            purchase.quote.price,
            purchase.quote.carrier,
            purchase.quote.service,
        )
        assert answer.ref and len(answer.tracking_number) == 22
    assert sorted(post.sold()) == ["CD-1-abc", "CD-1-def"]


async def test_a_lost_answer_is_found_by_looking_and_was_sold_once(post: Post) -> None:
    purchase = await post.purchase()
    assert await post.carrier.look_up(purchase) == ()
    post.next_buy("lose")
    assert isinstance(await post.carrier.buy(purchase), Unknown)
    post.calm()
    (found,) = await post.carrier.look_up(purchase)
    assert found.price == purchase.quote.price
    assert post.sold() == ["CD-1-abc"]
    if post.wire:
        assert len(post.wire.purchases) == 1, "the library must not repeat a purchase by itself"


async def test_what_broke_before_it_was_done_is_not_found(post: Post) -> None:
    purchase = await post.purchase()
    post.next_buy("break")
    assert isinstance(await post.carrier.buy(purchase), Unknown)
    post.calm()
    assert await post.carrier.look_up(purchase) == ()
    assert isinstance(await post.carrier.buy(purchase), Bought)
    assert post.sold() == ["CD-1-abc"]


async def test_being_too_fast_is_surely_not_bought(post: Post) -> None:
    purchase = await post.purchase()
    post.next_buy("throttle")
    assert isinstance(await post.carrier.buy(purchase), Later)
    assert post.sold() == []


async def test_a_price_that_is_none_buys_nothing(post: Post) -> None:
    purchase = await post.purchase()
    wrong = replace(purchase, quote=replace(purchase.quote, ref=purchase.quote.ref + "x"))
    assert isinstance(await post.carrier.buy(wrong), Refused)
    assert post.sold() == []


async def test_abroad_needs_customs_and_insurance_is_part_of_the_price(post: Post) -> None:
    abroad = replace(WANTED, ship_to=BERLIN, customs=(CARDS,))
    assert (await post.bought(abroad)).price.minor > 0
    plain_price = (await post.carrier.quote(WANTED))[0].price
    insured = replace(WANTED, reference="CD-1-ins", insured=Money(30_000, "USD"))
    purchase = await post.purchase(insured)
    assert purchase.quote.insurance == Money(300, "USD")
    assert purchase.quote.price == plain_price + Money(300, "USD")
    answer = await post.carrier.buy(purchase)
    assert isinstance(answer, Bought)
    assert answer.price == purchase.quote.price


async def test_a_label_is_taken_back_and_asking_again_changes_nothing(post: Post) -> None:
    bought = await post.bought()
    assert (await post.carrier.read(bought.ref)).void is VoidState.NONE
    assert isinstance(await post.carrier.void(bought.ref), Done)
    standing = await post.carrier.read(bought.ref)
    assert standing.void in (VoidState.ASKED, VoidState.DONE)
    assert isinstance(await post.carrier.void(bought.ref), Done)
    assert await post.carrier.read(bought.ref) == standing


async def test_a_parcel_is_followed(post: Post) -> None:
    bought = await post.bought()
    post.scan(bought, TrackStatus.IN_TRANSIT, NOW)
    post.scan(bought, TrackStatus.DELIVERED, NOW + timedelta(days=1))
    events = (await post.carrier.read(bought.ref)).events
    assert [event.status for event in events] == [TrackStatus.IN_TRANSIT, TrackStatus.DELIVERED]
    assert [event.at for event in events] == [NOW, NOW + timedelta(days=1)]
    assert "austin" in events[0].place.lower()


async def test_every_form_can_be_printed(post: Post) -> None:
    bought = await post.bought()
    begins = {Form.PDF: b"%PDF", Form.PNG: b"\x89PNG", Form.ZPL: b"^XA"}
    for form in post.carrier.can.forms:
        assert (await post.carrier.document(bought.ref, form)).startswith(begins[form])
    assert set(post.carrier.can.forms) == set(Form)


async def test_what_nobody_knows_is_missing(post: Post) -> None:
    with pytest.raises(Missing):
        await post.carrier.read("shp_none")
    assert isinstance(await post.carrier.void("shp_none"), Refused)


async def test_only_a_signed_delivery_is_news_and_it_names_the_label(post: Post) -> None:
    bought = await post.bought()
    if post.wire:
        headers, body = post.wire.delivery(bought.ref)
        hook = Hook(headers, body)
    else:
        hook = post.hand.move(bought.tracking_number, TrackStatus.ACCEPTED, NOW)
    assert told_news(post.carrier, hook, NOW).looks == (Look(LookKind.LABEL, bought.ref),)
    for headers in ({}, dict.fromkeys(hook.headers, ""), dict.fromkeys(hook.headers, "hmac-sha256-hex=00")):
        with pytest.raises(Forged):
            told_news(post.carrier, Hook(headers, hook.body), NOW)
    with pytest.raises(Forged):
        told_news(post.carrier, Hook(hook.headers, hook.body + b" "), NOW)


async def test_the_operator_reads_that_it_works(post: Post) -> None:
    assert post.carrier.missing() == ""
    assert all(check.good for check in await post.carrier.check())


# The sandbox alone


def read_label(content: bytes, form: Form) -> list[tuple[str, bytes]]:
    """What a reader sees: (symbology, bytes)."""
    image = (
        Image.open(io.BytesIO(content))
        if form is Form.PNG
        else pypdfium2.PdfDocument(content)[0].render(scale=203 / 72).to_pil()
    )
    return [(code.symbology_identifier, bytes(code.bytes)) for code in zxingcpp.read_barcodes(image)]


@pytest.mark.parametrize("turned", [0, 90, 7])
async def test_a_reader_reads_the_printed_number(tmp_path: Path, turned: int) -> None:
    post = Post(sandbox.carrier.opened(tmp_path, {}))
    for n in range(3):
        bought = await post.bought(replace(WANTED, reference=f"CD-{n}"))
        number = bought.tracking_number
        assert number == f"94001990000001{n + 1:07d}{check_digit(number[:21])}"
        expected = [("]C1", b"42062701\x1d" + number.encode())]
        for form in (Form.PDF, Form.PNG):
            content = await post.carrier.document(bought.ref, form)
            if form is Form.PNG and turned:
                out = io.BytesIO()
                Image.open(io.BytesIO(content)).rotate(turned, expand=True, fillcolor=255).save(out, "PNG")
                content = out.getvalue()
            assert read_label(content, form) == expected


async def test_the_printer_language_holds_the_same_and_no_command_of_a_stranger(tmp_path: Path) -> None:
    post = Post(sandbox.carrier.opened(tmp_path, {}))
    bought = await post.bought(replace(WANTED, ship_to=replace(BUYER, name="^XZ~JA Łukasz")))
    zpl = (await post.carrier.document(bought.ref, Form.ZPL)).decode()
    assert re.findall(r"\^FD>;([^\^]+)\^FS", zpl) == [f">842062701>8{bought.tracking_number}"]
    assert zpl.count("^XA") == zpl.count("^XZ") == 1
    assert "~" not in zpl
    assert zpl.count("SAMPLE - NO POSTAGE") == 2
    assert "USPS" not in zpl


def test_every_pair_of_digits_has_its_bars() -> None:
    import zxingcpp as reader

    for begin in range(0, 100, 20):
        digits = "".join(f"{n:02d}" for n in range(begin, begin + 20))
        image, at = Image.new("L", (20 + 3 * sum(widths((digits,))) + 20, 60), 255), 20
        for place, wide in enumerate(widths((digits,))):
            if place % 2 == 0:
                image.paste(0, (at, 0, at + 3 * wide, 60))
            at += 3 * wide
        (code,) = reader.read_barcodes(image)
        assert code.bytes.decode() == digits
    with pytest.raises(ValueError, match="pairs"):
        widths(("123",))


def test_check_digits_are_gs1s() -> None:
    # Worked examples of the GS1 General Specifications' rule, and of the measured label.
    assert check_digit("940019900000010000001") == "6"
    assert check_digit("629104150021") == "3"
    assert check_digit("37610425002123456") == "9"
    assert plain("Zoë Łódź — 東京") == "Zoe ?odz ? ??"


async def test_the_sandbox_knows_no_key_so_a_repeat_is_a_second_label(tmp_path: Path) -> None:
    """Otherwise no test could notice a marketplace that repeats blindly."""
    post = Post(sandbox.carrier.opened(tmp_path, {}))
    purchase = await post.purchase()
    for _ in range(2):
        assert isinstance(await post.carrier.buy(purchase), Bought)
    assert post.sold() == ["CD-1-abc"] * 2
    assert len(await post.carrier.look_up(purchase)) == 2


async def test_a_late_sale_cannot_be_seen_before_the_horizon(tmp_path: Path) -> None:
    carrier = sandbox.carrier.opened(tmp_path, {})
    now = [1000.0]
    carrier.ledger.clock = lambda: now[0]
    post = Post(carrier)
    purchase = await post.purchase()
    post.hand.dial(late=1.0)
    assert isinstance(await carrier.buy(purchase), Unknown)
    assert await carrier.look_up(purchase) == ()
    now[0] += carrier.horizon.total_seconds()
    assert len(await carrier.look_up(purchase)) == 1


async def test_a_scanned_parcel_keeps_its_label_and_a_slow_refund_is_decided_later(tmp_path: Path) -> None:
    post = Post(sandbox.carrier.opened(tmp_path, {}))
    first = await post.bought()
    post.hand.move(first.tracking_number, TrackStatus.ACCEPTED, NOW)
    assert isinstance(await post.carrier.void(first.ref), Refused)
    second = await post.bought(replace(WANTED, reference="CD-2"))
    post.hand.dial(slow_void=1.0)
    assert isinstance(await post.carrier.void(second.ref), Done)
    assert (await post.carrier.read(second.ref)).void is VoidState.ASKED
    hook = post.hand.decide_void(second.tracking_number, granted=True)
    assert SIGNATURE in hook.headers
    assert (await post.carrier.read(second.ref)).void is VoidState.DONE
    post.hand.decide_void(second.tracking_number, granted=False)
    assert (await post.carrier.read(second.ref)).void is VoidState.DONE, (
        "a carrier does not take back what it gave back"
    )


async def test_distance_and_weight_make_the_price(tmp_path: Path) -> None:
    carrier = sandbox.carrier.opened(tmp_path, {})

    async def ground(**changed: object) -> int:
        return (await carrier.quote(replace(WANTED, **changed)))[0].price.minor  # type: ignore[arg-type]

    near, far = replace(BUYER, region="TX"), replace(BUYER, region="ME")
    assert (
        await ground(ship_to=near)
        < await ground()
        < await ground(ship_to=far)
        < await ground(ship_to=replace(BUYER, region="HI"))
    )
    assert await ground(parcel=Parcel(900, 180, 130, 20)) > await ground()
    with pytest.raises(BadInput, match="only in the US"):
        await carrier.quote(replace(WANTED, ship_from=BERLIN))
    with pytest.raises(BadInput, match="insures in USD"):
        await carrier.quote(replace(WANTED, insured=Money(1000, "EUR")))


# EasyPost alone


@pytest.fixture
async def wire() -> AsyncIterator[EasyPostWire]:
    made = EasyPostWire()
    await made.start()
    yield made
    await made.stop()


def easy(wire: EasyPostWire, **keys: str) -> Post:
    given = {"api_key": KEY, "api_base": wire.address, "webhook_secret": SECRET} | keys
    return Post(easypost.carrier.opened(Path("/nowhere"), given), wire)


async def test_easypost_refuses_the_second_purchase_and_we_read_what_was_bought(wire: EasyPostWire) -> None:
    post = easy(wire)
    purchase = await post.purchase()
    first = await post.carrier.buy(purchase)
    assert isinstance(await post.carrier.buy(purchase), Unknown), "it exists: look it up"
    assert await post.carrier.look_up(purchase) == (first,)
    wire.faults.append("in_progress")
    assert isinstance(await post.carrier.buy(purchase), Unknown)
    assert len(post.sold()) == 1


async def test_the_parcel_is_declared_in_ounces_and_inches_and_never_lighter(wire: EasyPostWire) -> None:
    post = easy(wire)
    await post.carrier.quote(replace(WANTED, ship_to=BERLIN, customs=(CARDS, replace(CARDS, quantity=1, hs_code=""))))
    (body,) = wire.bodies
    assert body["reference"] == "CD-1-abc"
    assert body["parcel"] == {"weight": 4.3, "length": 7.1, "width": 5.1, "height": 0.8}
    assert body["parcel"]["weight"] * 28.349523125 >= 120
    cards, single = body["customs_info"]["customs_items"]
    assert (cards["value"], cards["quantity"], cards["hs_tariff_number"], cards["origin_country"]) == (
        21.0,
        3,
        "950490",
        "JP",
    )
    assert "hs_tariff_number" not in single
    assert body["customs_info"]["eel_pfc"] == "NOEEI 30.37(a)" and body["customs_info"]["customs_signer"] == HOME.name
    assert body["to_address"] == {
        "name": "Jo",
        "street1": "Hauptstr. 1",
        "city": "Berlin",
        "zip": "10115",
        "country": "DE",
    }
    with pytest.raises(BadInput, match="2,500 USD"):
        mapper.shipment(replace(WANTED, ship_to=BERLIN, customs=(replace(CARDS, value=Money(90_000, "USD")),)))


async def test_no_rates_are_a_sentence_of_the_carrier(wire: EasyPostWire) -> None:
    post = easy(wire)
    with pytest.raises(BadInput, match="one or more parameters"):
        await post.carrier.quote(replace(WANTED, ship_to=replace(BUYER, postal_code="")))
    assert reading.why_no_rates({"messages": [{"message": "customs_info is required."}]}).endswith(
        "customs_info is required."
    )


async def test_a_carrier_that_bills_by_itself_leaves_the_rate_as_the_price(wire: EasyPostWire) -> None:
    wire.bills_by_itself = True
    post = easy(wire)
    purchase = await post.purchase(place=2)
    assert (purchase.quote.carrier, purchase.quote.service) == ("UPS", "2nd Day Air")
    answer = await post.carrier.buy(purchase)
    assert isinstance(answer, Bought)
    assert answer.price == purchase.quote.price == Money(1891, "USD")


@pytest.mark.parametrize(
    ("says", "ends", "stands"),
    [
        ("submitted", Done, VoidState.ASKED),
        ("refunded", Done, VoidState.DONE),
        ("rejected", Refused, VoidState.REFUSED),
        ("not_applicable", Refused, VoidState.NONE),
    ],
)
async def test_every_word_about_a_refund(wire: EasyPostWire, says: str, ends: type, stands: VoidState) -> None:
    wire.refund_says = says
    post = easy(wire)
    bought = await post.bought()
    assert isinstance(await post.carrier.void(bought.ref), ends)
    assert (await post.carrier.read(bought.ref)).void is stands


async def test_a_dead_key_and_a_closed_door_are_told_apart(wire: EasyPostWire) -> None:
    post = easy(wire)
    purchase = await post.purchase()
    wrong = easy(wire, api_key="EZTKother")
    assert isinstance(await wrong.carrier.buy(purchase), SignInAgain)
    with pytest.raises(AuthDead):
        await wrong.carrier.quote(WANTED)
    checks = await wrong.carrier.check()
    assert not checks[0].good and "refuses" in checks[0].sentence
    closed = easy(wire, api_base="http://127.0.0.1:9")
    assert isinstance(await closed.carrier.buy(purchase), Unknown)
    with pytest.raises(Outside):
        await closed.carrier.read("shp_1")
    assert post.sold() == []


async def test_a_label_is_fetched_only_from_a_safe_address(wire: EasyPostWire) -> None:
    post = easy(wire)
    bought = await post.bought()
    assert await post.carrier.document(bought.ref, Form.PDF) == FILES[Form.PDF]
    wire.shipments[bought.ref]["postage_label"]["label_url"] = "http://169.254.169.254/latest/meta-data"
    with pytest.raises(Outside, match="not safe"):
        await post.carrier.document(bought.ref, Form.PNG)


async def test_easyposts_own_library_takes_the_signature_that_we_take(wire: EasyPostWire) -> None:
    from easypost.util import validate_webhook

    headers, body = wire.delivery("shp_1")
    validate_webhook(body, {"X-Hmac-Signature": headers["x-hmac-signature"]}, SECRET)
    news = told_news(easy(wire).carrier, Hook(headers, body), NOW)
    assert (news.topic, news.dedupe) == ("tracker.updated", "tracker.updated:evt_1")
    headers, body = wire.delivery("shp_1", "batch.created")
    assert told_news(easy(wire).carrier, Hook(headers, body), NOW).looks == ()
    with pytest.raises(Forged):
        told_news(easy(wire, webhook_secret="").carrier, Hook(headers, body), NOW)


def test_without_key_or_library_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    bare = easypost.carrier.opened(Path("/nowhere"), {})
    assert "CROSSDOCK_EASYPOST_API_KEY" in bare.missing()
    monkeypatch.setattr(sys.modules["crossdock.carriers.easypost.carrier"], "installed", lambda: False)
    assert "pip install" in bare.missing()
