"""What connectors of carts share: an order that begins as something else, one that may stand although it was refused,
a parcel that is written step by step, and times without a zone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from crossdock.domain.commands import CreateOrder, Done, Later, Line, Outcome, Refused, Unknown, Why, WriteFulfilment
from crossdock.domain.events import Count, OrderLine, Parcel, ShopOrder, ShopOrderState, ShopVariant
from crossdock.domain.values import Address, Money
from crossdock.kit.connector import Shop
from crossdock.kit.errors import Declined, Missing, NoAnswer, NotAllowed, Outside, Throttled, outcome_of
from crossdock.kit.json_node import node_of
from crossdock.kit.shop import answers, base, clock, counted, facts, fulfilment, mapping, paging, placing
from crossdock.kit.shop.joined import batched
from crossdock.kit.shop.oauth import signed

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")
COMMAND = CreateOrder(
    "CD-1",
    (Line("p", "a", "sku", "Mug", 2, Money(500, "EUR")),),
    Money.zero("EUR"),
    Address("Ada", "Way 1", "Berlin", "10115", "DE"),
    "x@relay.example",
    NOW,
)
ORDER = ShopOrder(
    "7",
    "1007",
    "CD-1",
    ShopOrderState.OPEN,
    (OrderLine("l1", "p", "a", "sku", 2),),
    Money(1000, "EUR"),
    stock_taken=True,
    updated_at=NOW,
)


class Cart:
    """A shop with one product; `trouble` is raised where it is named."""

    def __init__(self, **trouble: Outside) -> None:
        self.trouble, self.count, self.found, self.said = trouble, 5, list[str](), list[object]()

    def _trip(self, where: str) -> None:
        if where in self.trouble:
            raise self.trouble[where]

    async def stock(self) -> Mapping[str, Count]:
        return {"a": Count("a", self.count)}

    async def send(self, earlier: Mapping[str, Count]) -> str:
        with counted.unsent():
            self._trip("cart")
        self._trip("send")
        self.count -= 2
        return "7"

    async def find(self) -> Sequence[str]:
        self._trip("find")
        return self.found

    async def read(self) -> tuple[str, ShopOrder]:
        return "node", ORDER

    async def note(self, seen: str, order: ShopOrder) -> str:
        self.said += [seen, order.number]
        return "It says so."

    async def take_back(self, shop_id: str, why: Refused) -> Outcome:
        return why

    async def finish(self, made: str, earlier: Mapping[str, Count] | None) -> Outcome:
        take_back, note = self.take_back, self.note
        return await counted.finished(
            COMMAND, earlier, read=self.read, stock=self.stock, take_back=take_back, note=note
        )

    async def order(self) -> Outcome:
        address, send, finish = "https://cart.example", self.send, self.finish
        return await counted.sent(COMMAND, address=address, stock=self.stock, send=send, finish=finish, find=self.find)


async def test_a_cart_whose_answer_is_lost_is_nobodys_order_and_an_order_may_stand() -> None:
    with pytest.raises(Throttled) as lost:
        await Cart(cart=NoAnswer("Nothing came.", 7)).order()
    assert outcome_of(lost.value) == Later("Nothing came.", 7)
    with pytest.raises(NoAnswer):
        await Cart(send=NoAnswer("Nothing came.")).order()
    assert await Cart(cart=Declined("Not there.")).order() == Refused(Why.INVALID, "Not there.")


async def test_what_is_said_beside_an_order_is_said_of_the_one_that_stands() -> None:
    cart = Cart()
    assert await cart.order() == Done("7", "1007", stock_taken=True, note="It says so.")
    assert cart.said == ["node", "1007"]
    short = Cart()
    short.count = 1
    assert isinstance(await short.order(), Refused) and short.said == []


async def test_an_order_that_was_refused_is_looked_for_where_it_may_have_been_saved() -> None:
    cart = Cart(send=Declined("A plugin stumbled."))
    assert await cart.order() == Refused(Why.INVALID, "A plugin stumbled.")
    cart.found = ["7"]
    stands = await cart.order()
    assert isinstance(stands, Done) and stands.already, "its counts say nothing: it may be of an earlier try"
    cart.trouble["find"] = NotAllowed("Sign in again.")
    lost = await cart.order()
    assert isinstance(lost, Unknown) and "stumbled" in lost.sentence and "Sign in" in lost.sentence


@pytest.mark.parametrize(
    ("reading", "acting", "kind"),
    [
        (NoAnswer("No answer."), None, Later),
        (Missing(mapping.NO_ORDER), None, Refused),
        (None, NotAllowed("No right."), Refused),
        (None, None, Done),
    ],
)
async def test_a_parcel_is_written_by_the_order_as_it_was_just_read(
    reading: Outside | None, acting: Outside | None, kind: type
) -> None:
    async def read() -> tuple[str, ShopOrder]:
        if reading:
            raise reading
        return "node", ORDER

    async def act(seen: str, order: ShopOrder, wanted: fulfilment.Step | Outcome) -> Outcome:
        assert (seen, order, wanted) == ("node", ORDER, fulfilment.Make({"l1": 2}))
        if acting:
            raise acting
        return Done("9")

    command = WriteFulfilment("CD-1", "7", "f-1", (("a", 2),), "JD01", "DHL", "", NOW)
    outcome = await fulfilment.looked_at(command, read, act, no_right="Give it the right.")
    assert type(outcome) is kind
    assert acting is None or outcome == Refused(Why.NOT_ALLOWED, "Give it the right.")


def test_the_hour_that_comes_twice_is_read_twice_and_lost_never() -> None:
    """On 2026-10-25 at 01:00 UTC the clocks in Paris go from 03:00 back to 02:00."""
    node = node_of({"date_upd": "2026-10-25 02:05:00"}, "order")
    assert clock.moment(node, "date_upd", PARIS) == datetime(2026, 10, 25, 0, 5, tzinfo=UTC)
    later = clock.moment(node, "date_upd", PARIS, "2026-10-25T00:59:00")
    assert later == datetime(2026, 10, 25, 1, 5, tzinfo=UTC)
    assert clock.moment(node, "date_add", PARIS) is None
    assert clock.since("2026-10-25T00:59:00", PARIS) == "2026-10-25 01:59:00", "an hour earlier than the clock says"
    assert clock.since("2026-10-25T01:05:00", PARIS) == "2026-10-25 02:05:00"
    assert clock.since("2026-07-01T12:00:00", PARIS) == "2026-07-01 14:00:00"


def test_pieces_of_what_is_read() -> None:
    good, free = ShopVariant("v1", "s1", "Red", Money(1, "EUR")), ShopVariant("v2", "s2", "", Money(0, "EUR"))
    pack = ShopVariant("v3", "", "", Money(1, "EUR"))
    told = [(good, ""), (free, ""), (pack, "is a pack.")]
    assert mapping.sold(told) == ((good,), ("s2 has no price.", "v3 is a pack."))
    assert mapping.sold(told[1:], "It") == ((), ("It has no price.", "It is a pack."))
    one, two = mapping.numbered((("l1", 2),), [Parcel("1", ()), Parcel("2", ())])
    assert (one.lines, two.lines) == ((("l1", 2),), (("l1", 0),))
    assert fulfilment.ids_of([one, two]) == "1,2" and fulfilment.Renumber((one, two)).ids == {"1", "2"}


async def test_an_order_that_is_gone_says_so() -> None:
    async def read(*, gone: bool) -> tuple[Any, ShopOrder]:
        if gone:
            raise Missing(mapping.NO_ORDER)
        return None, ORDER

    assert await mapping.or_gone(read(gone=False), "7", "EUR") is ORDER
    assert await mapping.or_gone(read(gone=True), "7", "EUR") == mapping.gone("7", "EUR")


def test_pieces_of_what_is_sent_and_found() -> None:
    assert placing.both_names("Ada King Lovelace", 8) == {"firstname": "Ada King", "lastname": "Lovelace"}
    assert placing.both_names("Ada", 9) == {"firstname": "Ada", "lastname": "-"}
    assert placing.oldest_first({"10", "9"}).shop_ids == ("9", "10")
    assert placing.under_way(ORDER, 60, NOW + timedelta(seconds=20)) == 40
    assert facts.fitting(" A<b>\n  c ", "[<>]", 4) == "A b"
    page = paging.from_now(paging.Listed([], NOW))
    assert (page.items, page.cursor, page.more) == ((), "2026-11-29T11:59:00~0", False)


def test_a_platforms_own_code_is_looked_up() -> None:
    meanings: dict[str, tuple[type[Outside], str]] = {"25": (NotAllowed, "A right is lacking.")}
    error = answers.by_code(meanings, answers.Told("no tick", "25"), "Shop")
    assert isinstance(error, NotAllowed) and str(error) == "A right is lacking. Shop says: no tick"
    assert not any(answers.by_code(meanings, told, "Shop") for told in (answers.Told("else", "9"), None))


async def test_a_list_ends_where_it_says_so() -> None:
    """A page may be short in the middle of it, and the last one be full."""
    asked = list[int]()

    async def page(behind: int) -> paging.Listed:
        asked.append(behind)
        rows = [{"id": behind + 1}] if behind == 0 else [{"id": behind + 1}, {"id": behind + 2}]
        return replace(paging.listed("rows", rows, NOW), total=4)

    found = await paging.every(page, 2)
    assert [row.id("id") for row in found.items] == ["1", "3", "4"] and asked == [0, 2]


def test_many_ids_are_asked_for_in_batches() -> None:
    assert batched(["10", "9", "9", "2"], 2) == [["2", "9"], ["10"]] and batched([], 2) == []


def test_a_shop_that_its_server_alone_knows_stays_itself_at_another_address() -> None:
    shops = [Shop(f"https://{host}.example", {}, {}, cast("Any", None), lambda: NOW) for host in ("old", "new")]
    one, two = (base.of_its_server(shop, "1", "Corner", [], {"shop": "1"}, "EUR") for shop in shops)
    assert one.stays == two.stays == "1:Corner" and one.shop_id != two.shop_id


def test_a_request_is_signed_in_its_header_or_in_its_address() -> None:
    keys, url = ("ck", "cs", "at", "ats"), "https://shop.example/rest?a=1"
    where, headers = signed("GET", url, keys, at=NOW)
    assert where == url and 'oauth_token="at"' in headers["Authorization"]
    assert f'oauth_timestamp="{int(NOW.timestamp())}"' in headers["Authorization"]
    where, headers = signed("GET", url, keys[:2], in_query=True)
    assert "oauth_signature=" in where and "oauth_token" not in where and "Authorization" not in headers
