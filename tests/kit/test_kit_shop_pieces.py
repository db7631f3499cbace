"""The pieces that connectors are made of, each alone: what an answer means, an order in a shop that does not look at
its counts, rows of pages, texts for the staff.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crossdock.domain.commands import (
    CancelOrder,
    CancelReason,
    CreateOrder,
    Done,
    Later,
    Line,
    Refused,
    Unknown,
    Why,
    WriteRisk,
)
from crossdock.domain.events import (
    Count,
    LookKind,
    OrderLine,
    Parcel,
    ShopOrder,
    ShopOrderState,
    ShopVariant,
    Unreadable,
)
from crossdock.domain.risk import RiskLevel
from crossdock.domain.values import Address, Money
from crossdock.kit import rows
from crossdock.kit.connector import Forged, Hook, Reply
from crossdock.kit.errors import (
    AuthDead,
    BadInput,
    Declined,
    Missing,
    NoAnswer,
    NotAllowed,
    NotSent,
    Outside,
    Strange,
    Throttled,
)
from crossdock.kit.json_node import Node, node_of
from crossdock.kit.shop import addresses, base, cancel, counted, mapping, paging, placing, risk_notes
from crossdock.kit.shop.answers import Told, answered, error_in
from crossdock.kit.webhook import verify_standard

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


# What an answer means


def reply(status: int, body: Any = None, **headers: str) -> Reply:
    return Reply(status, headers, (body if isinstance(body, str) else json.dumps(body)).encode())


def told(answer: Reply) -> Told | None:
    node = error_in(answer)
    return Told(node.text("message"), node.text("code")) if node and "message" in node else None


def own(answer: Reply, said: Told | None) -> Outside | None:
    return NoAnswer("Somebody was faster.") if said and said.code == "BUSY" else None


def sorted_out(answer: Reply, **more: Any) -> Reply:
    words = {"refused": "Make a new key.", "lacking": "A right is missing.", "nowhere": "There is no Stall here."}
    return answered(answer, told, by="Stall", own=own, **words, **more)


OURS = {"message": "no", "code": "X"}


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (401, OURS, AuthDead, "Make a new key. It says: no"),
        (403, OURS, NotAllowed, "A right is missing. Stall says: no"),
        (404, OURS, Missing, "Your shop does not have it. Stall says: no"),
        (422, OURS, Declined, "Your shop refused this. Stall says: no"),
        (400, [OURS], Declined, "Your shop refused this. Stall says: no"),
        (409, {"message": "wait", "code": "BUSY"}, NoAnswer, "Somebody was faster."),
        # What somebody else wrote says nothing about our credentials, nor that a thing is not there.
        (401, "<h1>password</h1>", Throttled, "Something in front of your shop"),
        (403, {"hello": 1}, Throttled, "Something in front of your shop"),
        (404, "not found", NoAnswer, "There is no Stall here."),
        (422, "odd", NoAnswer, r"a way that we do not understand \(422\)"),
        (429, OURS, Throttled, "slow down"),
        (500, OURS, NoAnswer, r"an error of its own \(500\)"),
        (302, OURS, NoAnswer, "redirected us"),
    ],
)
def test_an_answer_stands_for_what_to_do_next(status: int, body: Any, kind: type[Outside], words: str) -> None:
    with pytest.raises(kind, match=words) as raised:
        sorted_out(reply(status, body))
    assert type(raised.value) is kind


def test_a_2xx_is_the_answer_unless_it_is_a_firewall_s_page() -> None:
    assert sorted_out(reply(201, [])).status == 201
    with pytest.raises(Outside, match="in front of your shop"):
        sorted_out(reply(200, "Just a moment", **{"content-type": "text/html"}))


def test_a_status_by_which_a_platform_does_not_refuse_leaves_the_end_open() -> None:
    with pytest.raises(Declined):
        sorted_out(reply(400, OURS), refusals=(400, 422))
    with pytest.raises(NoAnswer):
        sorted_out(reply(409, OURS), refusals=(400, 422))
    with pytest.raises(Missing, match="Your site does not"):
        sorted_out(reply(404, OURS), place="site")


@pytest.mark.parametrize("body", ["", "<p>", [], ["text"], 3, None, '{"a":'])
def test_what_is_no_object_is_no_error_of_a_platform(body: Any) -> None:
    assert error_in(reply(400, body)) is None


# An order in a shop that does not look at its counts


def an_order(*units: tuple[str, int], reference: str = "XD-1") -> CreateOrder:
    lines = tuple(Line(f"p{v}", v, "", f"Title {v}", n, Money(500, "EUR")) for v, n in units)
    address = Address("Ada Byron", "Street 1", "", "Bonn", "", "53111", "DE")
    return CreateOrder(reference, lines, Money(300, "EUR"), address, "relay@m.example", NOW)


def as_made(command: CreateOrder, **changed: Any) -> ShopOrder:
    lines = tuple(OrderLine(f"l{n}", x.product_id, x.variant_id, "", x.quantity) for n, x in enumerate(command.lines))
    made = ShopOrder("7", "1007", command.reference, ShopOrderState.OPEN, lines, command.total, stock_taken=True)
    return replace(made, **changed)


class Stall:
    """A shop with counts that takes whatever is ordered. `trouble` is raised by what it is named for."""

    def __init__(self, command: CreateOrder, **counts: int | None) -> None:
        self.command, self.counts = command, {variant: Count(variant, n) for variant, n in counts.items()}
        self.takes, self.order, self.trouble = True, as_made(command), dict[str, Outside]()
        self.taken_back: list[tuple[str, Refused]] = []

    def _trip(self, where: str) -> None:
        if where in self.trouble:
            raise self.trouble[where]

    async def stock(self) -> Mapping[str, Count]:
        self._trip("stock")
        return dict(self.counts)

    async def send(self, there: Mapping[str, Count]) -> str:
        self._trip("send")
        for variant, wanted in placing.units(self.command).items() if self.takes else ():
            if (count := self.counts[variant].count) is not None:
                self.counts[variant] = replace(self.counts[variant], count=count - wanted)
        return "7"

    async def read(self, made: str) -> ShopOrder:
        self._trip("read")
        return self.order

    async def take_back(self, shop_id: str, why: Refused) -> Refused:
        self.taken_back.append((shop_id, why))
        return why

    async def place(self) -> Any:
        return await counted.place(
            self.command,
            address="https://stall.example",
            stock=self.stock,
            send=self.send,
            read=self.read,
            take_back=self.take_back,
        )


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossdock.kit.shop.concurrency.PAUSE_SECONDS", 0)


async def test_counts_that_fell_are_the_evidence_of_the_units() -> None:
    stall = Stall(an_order(("a", 2), ("a", 1), ("b", 1)), a=3, b=5)
    assert await stall.place() == Done("7", "1007", stock_taken=True)
    stall.takes, stall.counts = False, {"a": Count("a", 3), "b": Count("b", None)}
    assert await stall.place() == Done("7", "1007", stock_taken=False)


async def test_what_is_gone_or_too_little_is_not_sent() -> None:
    stall = Stall(an_order(("a", 2), ("b", 1)), a=5)
    stall.trouble["send"] = AssertionError()  # type: ignore[assignment]
    gone = await stall.place()
    assert (gone.why, gone.short) == (Why.PRODUCT_GONE, ("b",)) and "Title b" in gone.sentence
    stall.counts |= {"a": Count("a", 1), "b": Count("b", 0, backorders=True)}
    short = await stall.place()
    assert (short.why, short.short) == (Why.NO_STOCK, ("a",))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"total": Money(1, "EUR")}, "another order of it.* Total"),
        ({"lines": ()}, "another order of it.* Units"),
        ({"total": Money(1300, "USD")}, "in USD"),
    ],
)
async def test_another_order_than_was_asked_for_is_taken_back(changed: dict[str, Any], words: str) -> None:
    stall = Stall(an_order(("a", 2)), a=5)
    stall.order = as_made(stall.command, **changed)
    outcome = await stall.place()
    assert outcome.why is Why.INVALID and re.search(words, outcome.sentence) and stall.taken_back == [("7", outcome)]


async def test_what_somebody_else_bought_meanwhile_is_taken_back() -> None:
    stall = Stall(an_order(("a", 2)), a=2)

    async def sold(there: object) -> str:
        stall.counts["a"] = Count("a", -1)
        return "7"

    stall.send = sold  # type: ignore[method-assign]
    outcome = await stall.place()
    assert outcome.why is Why.NO_STOCK and stall.taken_back == [("7", outcome)]


async def test_what_cannot_be_read_begins_nothing_and_ends_nothing() -> None:
    stall = Stall(an_order(("a", 2)), a=5)
    stall.trouble["stock"] = NoAnswer("Nothing came.")
    assert isinstance(await stall.place(), Later)
    stall.trouble = {"read": NoAnswer("Nothing came.")}
    assert isinstance(await stall.place(), Unknown) and stall.taken_back == []
    stall.trouble, stall.order = {}, mapping.gone("7", "EUR")
    assert isinstance(await stall.place(), Unknown)


async def test_the_counts_say_why_an_order_was_refused() -> None:
    command = an_order(("a", 2))
    stall = Stall(command, a=5)
    stall.trouble["send"] = Declined("No.")
    assert await stall.place() == Refused(Why.INVALID, "No.")
    stall.trouble["send"] = Declined("Too few.", Why.NO_STOCK)
    assert await stall.place() == Refused(Why.NO_STOCK, "Too few.", ("a",))
    stall.counts["a"] = Count("a", 1)
    refused = await counted.why(command, Missing("Not there."), stall.stock)
    assert isinstance(refused, Refused) and refused.why is Why.NO_STOCK
    stall.trouble["stock"] = NotSent("No network.")
    assert isinstance(await counted.why(command, Missing("Not there."), stall.stock), Later)


async def test_an_order_that_is_found_again_is_asked_only_whether_the_units_were_there() -> None:
    stall = Stall(an_order(("a", 2)), a=0)

    async def confirmed(found: ShopOrder) -> Any:
        return await counted.confirm(stall.command, found, stock=stall.stock, take_back=stall.take_back)

    outcome = await confirmed(stall.order)
    assert isinstance(outcome, Done) and outcome.already
    stall.counts["a"] = Count("a", -2)
    assert isinstance(await confirmed(replace(stall.order, parcels=(Parcel("1", ()),))), Done)
    assert (await confirmed(stall.order)).why is Why.NO_STOCK and stall.taken_back[0][0] == "7"
    stall.trouble["stock"] = NoAnswer("Nothing came.")
    assert isinstance(await confirmed(stall.order), Unknown)


# Pages and rows


def page(*values: Any) -> paging.Listed:
    return paging.listed("rows", list(values), NOW)


def number(node: Node) -> str:
    return addresses.number(node)


async def test_a_list_is_read_to_its_end_with_what_is_odd_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    values = [{"id": 1}, "odd", {"id": 3}, {"id": 4}, {"id": 5}]

    async def two(behind: int) -> paging.Listed:
        return page(*values[behind : behind + 2])

    whole = await paging.every(two, 2)
    assert [node.id("id") for node in whole.items] == ["1", "3", "4", "5"] and whole.odd == ("odd",)

    async def always(behind: int) -> paging.Listed:
        return page({"id": 1}, {"id": 2})

    monkeypatch.setattr(paging, "MOST_PAGES", 3)
    with pytest.raises(NoAnswer, match="does not end"):
        await paging.every(always, 2)


def test_an_entry_without_an_id_stands_by_itself() -> None:
    found = paging.entries(LookKind.ORDER, page({"id": 1}, 7, {"id": "../x"}), number)
    assert [isinstance(each, Unreadable) for each in found] == [False, True, True]
    walked = paging.Walked(page({"id": 1}).items, paging.Spot(), False, paging.Spot(), ("odd",))
    assert len(paging.entries(LookKind.ORDER, walked, number)) == 2


@pytest.mark.parametrize("cursor", ["", "nonsense~4", "2026-11-29T12:00:00+01:00~4"])
def test_a_cursor_that_is_none_begins_at_the_beginning(cursor: str) -> None:
    assert paging.Spot.of(cursor) == paging.Spot() and paging.Spot.of(cursor).begins == ""


def test_a_spot_excludes_its_own_second() -> None:
    spot = paging.Spot.of("2026-11-29T12:00:59~3")
    assert (spot.offset, spot.begins) == (3, "2026-11-29T12:01:00")
    # Before the first date was seen as well.
    assert paging.Spot.of("~25") == paging.Spot("", 25)


def test_a_row_may_tell_several_things_and_what_is_decided_by_rows_needs_all() -> None:
    values: Sequence[Node] = page({"id": 1, "n": 2}, {"id": 2}, {"id": 3, "n": 0}).items
    read = rows.read_parts(LookKind.COUNTS, values, number, lambda node: [node.id("id")] * node.int("n"))
    assert [each for each in read if isinstance(each, str)] == ["1", "1"]
    with pytest.raises(NoAnswer, match="whole number"):
        rows.certain(read)
    assert rows.certain(["a", "b"]) == ("a", "b")


# Mapping


def test_what_costs_nothing_is_named_and_left_out() -> None:
    free, one = ShopVariant("v1", "", "", Money(0, "EUR")), ShopVariant("v2", "s", "Red", Money(1, "EUR"))
    assert mapping.priced([free, one], "Mug") == ([one], ["Mug has no price."])
    assert mapping.priced([free], "Mug", "EUR") == ([], ["Mug has no price in EUR."])
    assert mapping.that_hold({"It is hidden.": True, "It is odd.": None, "It is old.": 0}) == ["It is hidden."]


def test_links_come_once_and_others_not_at_all() -> None:
    urls = ["https://a.example/1", None, "javascript:x", "https://a.example/1", "https://a.example/2"]
    assert mapping.images(urls) == ("https://a.example/1", "https://a.example/2")
    assert mapping.options(["Red ", "", "<b>L</b>"]) == "Red / L"
    assert mapping.person(node_of({"f": "Ada", "l": None}, "to"), "f", "l") == "Ada"


def test_units_that_no_parcel_holds() -> None:
    lines = (OrderLine("1", "", "", "", 3), OrderLine("2", "", "", "", 1))
    assert mapping.unheld(lines, [Parcel("x", (("1", 1), ("2", 1)))]) == (("1", 2),)
    assert mapping.unheld(lines, [Parcel("x", ())]) == () and mapping.unheld(lines, []) == (("1", 3), ("2", 1))


@pytest.mark.parametrize(("said", "id_"), [(0, ""), ("", ""), (None, ""), (False, ""), ("0", ""), (7, "7")])
def test_an_id_of_nothing_is_empty(said: Any, id_: str) -> None:
    assert node_of({"id": said}, "row").named_id("id") == id_
    with pytest.raises(Strange):
        node_of({"id": [1]}, "row").named_id("id")


# Addresses and ids


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("https://api.stall.example/shops/a1/v3/", "https://api.stall.example/shops/a1"),
        ("api.stall.example/shops/a1", "https://api.stall.example/shops/a1"),
        ("https://api.other.example/shops/a1", None),
        ("https://api.stall.example/others/a1", None),
        ("http://api.stall.example/shops/a1", None),
        ("https://api.stall.example/shops/a1?x=1", None),
    ],
)
def test_credentials_go_to_the_platform_s_host_alone(typed: str, address: str | None) -> None:
    known: dict[str, Any] = {"host": "api.stall.example", "path": re.compile(r"(/shops/\w+)(?:/v3)?")}
    known |= {"wrong": "Paste the path.", "keep": "token"}
    if address is None:
        with pytest.raises(BadInput):
            addresses.hosted(typed, local=False, **known)
    else:
        assert addresses.hosted(typed, local=False, **known) == address
    assert addresses.hosted("http://127.0.0.1:90/shops/a1", local=True, **known) == "http://127.0.0.1:90/shops/a1"


@pytest.mark.parametrize("said", ["", "-1", "1.5", "٣", "1" * 20, "1/2"])
def test_an_id_that_is_no_whole_number_goes_into_no_address(said: str) -> None:
    assert not addresses.is_number(said)
    with pytest.raises(Strange):
        addresses.number(node_of({"id": said}, "row"))


# The connection test


async def test_a_right_is_said_with_the_place_where_it_is_given() -> None:
    async def fails(error: Outside) -> None:
        raise error

    words = "Give it “{}”."
    missing = await base.may(fails(NotAllowed("No.")), "Orders", "orders:write", words)
    assert (missing.ok, missing.sentence, missing.right) == (False, "Give it “orders:write”.", "orders:write")
    for error in (Missing("Not there."), Declined("Odd.")):
        assert (await base.may(fails(error), "Orders", "orders:write", words)).ok
    with pytest.raises(NoAnswer):
        await base.may(fails(NoAnswer("Nothing.")), "Orders", "orders:write", words)
    assert base.known_currency("EUR").ok and "XQQ" in base.known_currency("XQQ").sentence
    assert base.limited(False, "Prices", "Net.").ok and base.limited(True, "Prices", "Net.").limited


# Cancelling and notes


def test_a_cancel_ends_by_the_order_that_was_read() -> None:
    command = CancelOrder("XD-1", "7", CancelReason.OTHER)
    order = as_made(an_order(("a", 1)), cancel_note="Declined.")
    assert cancel.standing(command, order, "x") is None and cancel.cancelled(order).note == "Declined."
    assert cancel.standing(command, mapping.gone("7", "EUR"), "x") == cancel.GONE
    binned = cancel.standing(command, replace(order, state=ShopOrderState.GONE), "x")
    assert isinstance(binned, Done) and binned.already
    left = replace(order, parcels=(Parcel("1", (), cancelled=True), Parcel("2", ())))
    late = cancel.standing(command, left, "Order {number} has left.")
    assert late == Refused(Why.TOO_LATE, "Order 1007 has left.")
    undone = replace(order, parcels=(Parcel("1", (), cancelled=True),))
    assert cancel.standing(command, undone, "x") is None
    closed = cancel.standing(command, replace(left, state=ShopOrderState.CANCELLED), "x")
    assert isinstance(closed, Done) and closed.already


async def test_a_note_goes_behind_the_others_and_once() -> None:
    command, written = WriteRisk("XD-1", "7", RiskLevel.HIGH, (), 3, 5, "k1"), list[str]()

    async def write(notes: str) -> None:
        written.append(notes)

    assert await risk_notes.behind(command, "By hand.\n\n", reference="XD-1", write=write) == Done("7", "7")
    assert written[0].startswith("By hand.\n\nRisk of fraud: high") and "k1" in written[0]
    again = await risk_notes.behind(command, written[0], reference="XD-1", write=write)
    assert isinstance(again, Done) and again.already and len(written) == 1
    other = await risk_notes.behind(command, "", reference="", write=write)
    assert isinstance(other, Refused) and len(written) == 1


def test_the_staff_read_where_the_order_comes_from() -> None:
    command = an_order(("a", 1))
    assert placing.staff_note(command) == "Marketplace order XD-1.\n\nRelay address of the buyer: relay@m.example."
    assert placing.staff_note(replace(command, email="")) == "Marketplace order XD-1."


# Deliveries


def test_a_delivery_that_nobody_signed_is_forged() -> None:
    from standardwebhooks.webhooks import Webhook

    key, at, body = "c2VjcmV0LWtleS1vZi0yNC1ieXRlcw==", datetime.now(UTC), b'{"a": 1}'
    signature = Webhook(key).sign("m1", at, body.decode())
    headers = {"webhook-id": "m1", "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}
    verify_standard(key, Hook(headers, body))
    old = str(int((at - timedelta(hours=1)).timestamp()))
    for wrong in ({**headers, "webhook-signature": "x"}, {**headers, "webhook-timestamp": old}, {}):
        with pytest.raises(Forged):
            verify_standard(key, Hook(wrong, body))
    for odd in ("", "é", "not base64!"):
        with pytest.raises(Forged):
            verify_standard(odd, Hook(headers, body))
