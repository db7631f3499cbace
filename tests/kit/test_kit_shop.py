"""What connectors share: each function alone, with the smallest platform that there could be."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any, cast

import pytest

from crossdock.domain.capability import Capability, Field, No, Way
from crossdock.domain.commands import AdjustStock, CancelOrder, CancelReason, Done, Refused, SignInAgain, Unknown, Why
from crossdock.kit.connector import Forged, Hook, Looks, Proof, Shop
from crossdock.kit.errors import AuthDead, BadInput, Missing, NoAnswer, Outside, Strange
from crossdock.kit.json_node import Node, node_of
from crossdock.kit.shop import addresses, base, cancel, concurrency, graphql, mapping, oauth, paging, placing, webhooks
from toy import MANIFEST as OF_ANOTHER

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
WRONG = "Type the address of your shop."
NO = {Capability.COUNTS_ADJUST: No("Counts are the shop's."), Capability.SIGN_IN_REDIRECT: No("You paste a key.")}
WAY = Way("key", "With a key", (Field("address", "Address"), Field("key", "Key", secret=True)))
MANIFEST = replace(OF_ANOTHER, answers={**OF_ANOTHER.answers, **NO}, ways=(WAY,))


def a_shop(**known: Any) -> Shop:
    return Shop("https://shop.example", {"key": "k"}, known, cast("Any", None), lambda: NOW, hook_url="https://m/h/7")


# What products say by name


def test_names_and_pairs_are_read_out_of_whatever_stands_there() -> None:
    rows: list[Any] = [
        {"name": "Set &amp; number", "value": 7},
        {"name": "", "value": "NM"},
        {"name": "Empty"},
        "odd",
        3,
    ]
    node = node_of({"rows": rows, "tags": ["a", 5, None, " b  c "]}, "it")
    assert mapping.named(node.rows("rows")) == (("Set & number", "7"), ("", "NM"))
    assert mapping.names(node.raw("tags")) == ("a", "b c")
    assert mapping.names(node.rows("rows")) == ("Set & number", "Empty")
    assert [mapping.names(odd) for odd in (None, "a, b", {"a": 1}, 5)] == [()] * 4
    deep = node_of({"rows": [{"name": "NM", "group": {"name": "Condition"}}, {"name": "LP", "group": None}]}, "it")
    assert mapping.named(deep.rows("rows"), "group.name", "name") == (("Condition", "NM"), ("", "LP"))


# The face


class Folder(ModuleType):
    """Stands for a folder's modules: every promise of its own, and nothing else."""

    async def create(self, client: Shop, command: object) -> Any:
        raise AuthDead("The key is dead.")

    async def cancel(self, client: Shop, command: object) -> Any:
        raise NoAnswer("Nothing came.")


def composed(**more: Any) -> base.Composed[Shop]:
    folder: Any = Folder("folder")
    parts: dict[str, Any] = dict.fromkeys(("connect", "reading", "orders", "fulfilment"), folder)
    return base.Composed(MANIFEST, lambda shop: shop, **parts, **more)


async def test_what_a_platform_does_not_have_is_answered_for_it() -> None:
    connector, shop = composed(), a_shop()
    assert connector.renew_at(shop) is None and await connector.renew(shop) == shop.secrets
    assert (await connector.subscribe(shop)).expected == () and connector.hook_shop(Hook({}, b"")) == ""
    await connector.unsubscribe(shop)
    for read in (connector.verify, connector.news):
        with pytest.raises(Forged, match="sends no webhooks"):
            read(shop, Hook({}, b"{}"))
    with pytest.raises(BadInput):
        connector.begin(shop, way="x", form={}, state="", return_url="", callback_url="")
    outcome = await connector.adjust(shop, AdjustStock("p", "v", 1, "k", "found"))
    assert isinstance(outcome, Refused) and outcome.why is Why.UNSUPPORTED


async def test_a_command_ends_in_an_outcome_whatever_stopped_it() -> None:
    connector, shop = composed(), a_shop()
    assert isinstance(await connector.create(shop, cast("Any", None)), SignInAgain)
    assert isinstance(await connector.cancel(shop, cast("Any", None)), Unknown)


async def test_the_hourly_look_is_there_only_where_the_platform_has_one() -> None:
    async def look(shop: Shop) -> Proof:
        return Proof("", "", "USD", ())

    assert not isinstance(composed(), Looks)
    looking = composed(look=look)
    assert isinstance(looking, Looks) and (await looking.look(a_shop())).currency == "USD"


@pytest.mark.parametrize(
    ("form", "kept"), [({"key": " k "}, {"key": "k"}), ({"address": "a", "key": "k"}, {"key": "k"})]
)
def test_the_fields_of_a_way_come_without_blanks_and_without_the_address(form: Any, kept: Any) -> None:
    assert base.fields(MANIFEST, "key", form) == kept


def test_a_field_that_is_empty_is_named_and_so_are_the_ways() -> None:
    with pytest.raises(BadInput, match="Fill in “Key”"):
        base.fields(MANIFEST, "key", {"key": " "})
    with pytest.raises(BadInput, match="With a key"):
        base.fields(MANIFEST, "magic", {})


async def test_a_right_is_there_when_the_call_gets_as_far_as_it_can() -> None:
    async def ends(error: Exception | None) -> None:
        if error:
            raise error

    assert await base.allowed(ends(None), but=AuthDead)
    assert await base.allowed(ends(Missing("no")), also=(Missing,), but=AuthDead)
    assert not await base.allowed(ends(AuthDead("no")), also=(Missing,), but=AuthDead)


# Addresses


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        (" Shop.Example ", "https://shop.example"),
        ("https://shop.example:8443/store/admin/orders?x=1", "https://shop.example:8443/store"),
        ("https://[2001:db8::1]/administrator", "https://[2001:db8::1]/administrator"),
    ],
)
def test_a_typed_address_is_cut_to_the_shop(typed: str, address: str) -> None:
    assert addresses.typed(typed, local=False, pages=("/admin",), wrong=WRONG, keep="key") == address


@pytest.mark.parametrize("typed", ["", "https://u:p@shop.example", "https://a b", "https://x:port", "http://["])
def test_what_is_no_address_is_said_so(typed: str) -> None:
    with pytest.raises(BadInput, match=WRONG):
        addresses.typed(typed, local=True, pages=("/admin",), wrong=WRONG, keep="key")


def test_nobody_reads_the_key_on_the_way() -> None:
    with pytest.raises(BadInput, match="your key cannot be read"):
        addresses.typed("http://shop.example", local=False, wrong=WRONG, keep="key")
    assert addresses.typed("http://127.0.0.1:80", local=True, wrong=WRONG, keep="key")


# Webhooks


class Subscribed:
    """The subscriptions in a shop."""

    def __init__(self, *there: tuple[str, str]) -> None:
        self.there = [{"id": str(n), "topic": topic, "uri": uri} for n, (topic, uri) in enumerate(there)]

    async def create(self, topic: str) -> None:
        self.there.append({"id": f"new-{topic}", "topic": topic, "uri": "https://m/h/7"})

    async def change(self, node: Node, topic: str) -> None:
        next(row for row in self.there if row["id"] == node.str("id"))["uri"] = "https://m/h/7"

    async def remove(self, node: Node) -> None:
        self.there = [row for row in self.there if row["id"] != node.str("id")]
        raise Missing("Somebody was faster.")

    async def audit(self) -> tuple[str, ...]:
        nodes = [node_of(row, "hook") for row in self.there]
        found = await webhooks.heal(
            ("order", "product"),
            webhooks.ours(nodes, "https://m/h/7", "uri"),
            create=self.create,
            change=self.change,
            remove=self.remove,
            right=lambda node, topic: node.str("uri") == "https://m/h/7",
        )
        return found.healed


async def test_each_topic_is_there_once_and_points_here() -> None:
    shop = Subscribed(("order", "https://old/h/7"), ("order", "https://m/h/7"), ("gone", "https://m/h/7"))
    shop.there.append({"id": "theirs", "topic": "order", "uri": "https://erp/hook"})
    assert await shop.audit() == ("product",)
    assert sorted((row["topic"], row["uri"]) for row in shop.there) == [
        ("order", "https://erp/hook"),
        ("order", "https://m/h/7"),
        ("product", "https://m/h/7"),
    ]
    assert await shop.audit() == ()


async def test_one_that_points_to_an_older_address_of_ours_is_moved() -> None:
    shop = Subscribed(("order", "https://old/h/7"), ("product", "https://m/h/7"))
    assert await shop.audit() == ("order",)
    assert [row["uri"] for row in shop.there] == ["https://m/h/7"] * 2


# Cancelling and taking back


@pytest.mark.parametrize(
    ("changed", "ends"),
    [
        ({"done": None}, Why.NOT_FOUND),
        ({"reference": "CD-2"}, Why.CONFLICT),
        ({"closed": True}, "already"),
        ({"shipped": True}, Why.TOO_LATE),
        ({"closed": True, "shipped": True}, "already"),
        ({}, ""),
    ],
)
def test_a_cancel_ends_by_the_order_as_it_was_read(changed: dict[str, Any], ends: str) -> None:
    command = CancelOrder("CD-1", "7", CancelReason.OTHER)
    known: dict[str, Any] = {"done": Done("7", "#7"), "reference": "CD-1", "closed": False, "shipped": False, **changed}
    outcome = cancel.before(command, known.pop("done"), words="It left.", **known)
    if isinstance(outcome, Refused):
        assert outcome.why == ends
    else:
        assert ("already" if isinstance(outcome, Done) and outcome.already else "") == ends
    looks = cancel.before(
        replace(command, only_look=True), Done("7"), reference="CD-1", closed=False, shipped=False, words=""
    )
    assert isinstance(looks, Unknown)


@pytest.mark.parametrize(("left", "kind"), [("", Refused), ("“processing”", Unknown)])
async def test_an_order_that_stands_all_the_same_is_no_refusal(left: str, kind: type) -> None:
    async def ended() -> str:
        return left

    assert type(await placing.take_back(ended, Refused(Why.NO_STOCK, "Too few."))) is kind


async def test_an_end_that_cannot_be_told_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(concurrency, "PAUSE_SECONDS", 0.0)
    tries = []

    async def lost() -> str:
        tries.append(1)
        raise NoAnswer("Cut.")

    assert isinstance(await placing.take_back(lost, Refused(Why.NO_STOCK, "Too few.")), Unknown)
    assert len(tries) == concurrency.TRIES


# OAuth


def test_a_token_s_end_and_the_old_refresh_token_are_kept() -> None:
    answer = node_of({"access_token": "a", "expires_in": 3600}, "token")
    secrets = oauth.tokens(answer, sent={"refresh_token": "r"}, now=NOW)
    assert secrets == {"access_token": "a", "refresh_token": "r", "expires_at": "2026-11-29T13:00:00+00:00"}
    assert oauth.renew_at(secrets, timedelta(minutes=10)) == NOW + timedelta(minutes=50)
    assert oauth.refresh(secrets)["refresh_token"] == "r" and oauth.renew_at({}, timedelta()) is None
    with pytest.raises(AuthDead):
        oauth.refresh({})
    with pytest.raises(Strange):
        oauth.tokens(node_of({"access_token": "a", "expires_in": -1}, "token"), sent={}, now=NOW)


@pytest.mark.parametrize(
    ("params", "keep"), [({"state": "x"}, {"state": "y"}), ({"state": ""}, {"state": ""}), ({}, {})]
)
def test_an_answer_to_a_sign_in_that_nobody_began_is_refused(
    params: Mapping[str, str], keep: Mapping[str, str]
) -> None:
    with pytest.raises(BadInput, match="not started here"):
        oauth.begun_here(params, keep)


# Paging


def listed(*seconds: int | None) -> list[Node]:
    return [node_of({"at": (NOW + timedelta(seconds=s)).isoformat()} if s is not None else {}, "row") for s in seconds]


async def walked(rows: Sequence[Node], spot: paging.Spot, size: int = 4) -> paging.Walked:
    async def fetch(spot: paging.Spot, size: int) -> paging.Listed:
        return paging.Listed(list(rows), NOW + timedelta(hours=1))

    return await paging.walk(fetch, spot, size, lambda row: row.moment("at"), datetime(2020, 1, 1, tzinfo=UTC))


async def test_the_next_page_begins_before_the_newest_row_of_this_one() -> None:
    page = await walked(listed(0, 1, 2, 5), paging.Spot())
    assert page.more and str(page.spot) == "2026-11-29T12:00:04~0"
    assert paging.Spot.of(str(page.spot)) == page.spot


async def test_a_second_that_fills_a_page_is_gone_through_by_halves() -> None:
    page = await walked(listed(1, 1, 1, 1), paging.Spot("2026-11-29T12:00:00", 2))
    assert page.more and page.spot == paging.Spot("2026-11-29T12:00:00", 4)


async def test_a_row_without_a_usable_date_is_read_and_moves_nothing() -> None:
    page = await walked(listed(None, -(10**9), 10**7), paging.Spot("2026-11-29T11:00:00"))
    assert not page.more and len(page.rows) == 3
    assert page.spot == paging.Spot("2026-11-29T12:59:00"), "up to what was surely seen by the shop's clock"


# GraphQL


def test_what_an_answer_calls_errors_is_read_however_odd_it_is() -> None:
    errors = [
        {"message": "<b>No</b>", "path": ["a", 0], "extensions": {"code": "DENIED"}},
        {"extensions": []},
        {},
    ]
    said, odd, bare = graphql.problems(node_of({"errors": errors}, "answer"))
    assert (said.message, said.code, said.place) == ("No", "DENIED", "a.0")
    assert (odd.code, odd.message) == (None, "no message") and bare.code == ""
    assert graphql.problems(node_of({}, "answer")) == []


async def test_a_connection_is_read_to_its_end_and_one_that_goes_round_is_odd() -> None:
    def page(after: str, node: int) -> Node:
        info = {"hasNextPage": bool(after), "endCursor": after}
        return node_of({"nodes": [{"id": node}], "pageInfo": info}, "page")

    async def more(after: str) -> Node | None:
        return {"x": page("y", 2), "y": page("", 3)}.get(after)

    assert [node.id("id") for node in await graphql.connected(page("x", 1), more)] == ["1", "2", "3"]
    assert [node.id("id") for node in await graphql.connected(page("gone", 1), more)] == ["1"]

    async def round_and_round(after: str) -> Node | None:
        return page("x", 2)

    with pytest.raises(Strange, match="next page"):
        await graphql.connected(page("x", 1), round_and_round)


def test_an_operation_takes_along_just_the_fragments_that_it_needs() -> None:
    parts = graphql.parts_of(
        "query A {\n ...F\n}\nfragment F on X {\n ...G\n}\nfragment G on X {\n y\n}\nfragment H on X { z }\n"
    )
    assert graphql.whole(parts["A"], parts).count("fragment") == 2


# Several at once


async def test_all_are_finished_before_the_first_trouble_is_raised() -> None:
    done = []

    async def read(n: int) -> int:
        done.append(n)
        if n == 1:
            raise Outside("One failed.")
        return n

    with pytest.raises(Outside):
        await concurrency.together([read(n) for n in range(4)])
    assert done == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("Ada Buyer", ("Ada", "Buyer")),
        (" Ada Lou Buyer ", ("Ada Lou", "Buyer")),
        ("Ada", ("Ada", "")),
        ("", ("", "")),
    ],
)
def test_a_name_of_one_word_is_a_first_name(name: str, kept: tuple[str, str]) -> None:
    assert placing.two_names(name) == kept
