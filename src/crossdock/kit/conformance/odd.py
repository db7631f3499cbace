"""Every value of a shop's answers replaced by every odd but legal one, one at a time: no reading may stop, the other
rows of its page are kept, and what trips says so.

The answers are those of the platform's simulator, recorded once; each replacement is then played in this process, from
the answer's bytes to what the connector makes of them.
"""

import asyncio
import contextlib
import json
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any

from crossdock.domain.commands import CancelLines, CancelReason, Found, Outcome
from crossdock.domain.events import Count, HookNews, ProductGone, ShopOrder, ShopProduct, Unreadable
from crossdock.kit.conformance.stage import Stage
from crossdock.kit.connector import Connector, Hook, Http, Page, Proof, Reply, Shop, Subscriptions, VariantRef
from crossdock.kit.errors import NoAnswer, Outside, Strange

Path = tuple[str | int, ...]
# As JSON text, so that what no Python value can say is there too.
ODD: dict[str, str] = {
    "null": "null",
    "empty text": '""',
    "zero": "0",
    "minus one": "-1",
    "a fraction": "1.5",
    "true": "true",
    "a word": '"odd"',
    "a list": '["odd", 1, null]',
    "an object": '{"odd": {"id": 1}}',
    "a list of empty things": "[{}, [], null]",
    "empty object": "{}",
    "empty list": "[]",
    "NUL": '"a\\u0000b"',
    "half of a pair": '"half \\ud83d"',
    "markup": '"<b>bold</b> &amp; <"',
    "100 kB": '"' + "x" * 100_000 + '"',
    "no date": '"0000-00-00T00:00:00"',
    "an earlier date": '"-0001-11-30T00:00:00"',
    "the last date": '"9999-12-31T23:59:59Z"',
    "1e400": "1e400",
    "many digits": "9" * 60,
    "deep": "[" * 200 + "]" * 200,
}
MARK = "@@odd value@@"
MOST_PAGES, MOST_WRONG, BIGGEST = 12, 50, 2**63
_UNFIT = re.compile("[\x00\ud800-\udfff]")
_SIGNATURE = re.compile(r"[?&]oauth_[^&]*")


@dataclass(frozen=True, slots=True)
class Exchange:
    """`key` names the request, `document` is its answer."""

    key: str
    reply: Reply
    document: Any

    def with_odd(self, path: Path) -> Callable[[str], Reply]:
        """The answer with the value at `path` replaced by some JSON text."""
        document = json.loads(self.reply.body)
        inner = document
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = MARK
        before, after = json.dumps(document).split(f'"{MARK}"')
        return lambda text: Reply(self.reply.status, self.reply.headers, f"{before}{text}{after}".encode())


class Recorder:
    """The Http of the recording, and of every play of it: what was asked before is answered from memory."""

    def __init__(self, inner: Http, *, live: bool) -> None:
        self.inner, self.live = inner, live
        self.known: dict[str, Exchange] = {}
        self.bent: tuple[str, Reply] | None = None
        self.asked: list[str] = []

    async def send(self, method: str, url: str, **rest: Any) -> Reply:
        key = f"{method} {_SIGNATURE.sub('', url)} {json.dumps(rest.get('json'), sort_keys=True)}"
        self.asked.append(key)
        if self.bent is not None and self.bent[0] == key:
            return self.bent[1]
        if key in self.known:
            return self.known[key].reply
        if not self.live:
            raise NoAnswer("This was not asked when the answers were recorded.")
        reply = await self.inner.send(method, url, **rest)
        with contextlib.suppress(ValueError):
            self.known[key] = Exchange(key, reply, json.loads(reply.body))
        return reply

    def learn(self, *, left: float, per_second: float | None = None) -> None:
        """Budgets are of no interest here."""


def places(document: Any, path: Path = ()) -> Iterator[Path]:
    """The place of every value in a document but its root."""
    steps = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for step, inner in steps:
        yield (*path, step)
        yield from places(inner, (*path, step))


@dataclass
class Reading:
    """One call of the connector, with the answers it was given, and what it made of them."""

    name: str
    call: Callable[[Shop], Awaitable[Any]]
    shop: Shop
    http: Recorder
    whole: Any
    exchanges: list[Exchange]
    further: Callable[[Shop, str], Awaitable[Page[Any]]]


@dataclass
class Tally:
    """What came of it: replacements tried, rows that could not be understood, and what is wrong."""

    tried: int = 0
    unread: int = 0
    refused: int = 0
    wrong: list[str] = field(default_factory=list)


async def recorded(
    connector: Connector, shop: Shop, name: str, call: Callable[[Shop], Awaitable[Any]], *, live: bool = True
) -> Reading:
    """Played once against the simulator. A command is not `live` afterwards: its answers are all there will be."""
    http = Recorder(shop.http, live=True)
    played = replace(shop, http=http)
    whole = await call(played)
    http.live = live
    further: Callable[[Shop, str], Awaitable[Page[Any]]] = connector.orders if name == "orders" else connector.products
    return Reading(name, call, played, http, whole, list(http.known.values()), further)


async def readings(stage: Stage) -> list[Reading]:
    """A shop with something of everything in it, and each call that reads it or writes into it."""
    connector, shop = stage.connector, stage.shop
    (single,) = await stage.hand.add_product(
        "Ember Fox", [("FOX-1", "12.50", 50)], image="https://shop.example/fox.jpg", description="<p>One</p><p>Two</p>"
    )
    several = await stage.hand.add_product("River Otter", [("OTTER-S", "9.00", 50), ("OTTER-M", "9.50", 50)])
    cursor = await stage.order_cursor()
    await stage.hand.sell(single, 1)
    shipped = stage.order((single, 2), (several[0], 1))
    done = await stage.placed(shipped)
    await stage.hand.fulfil(done.shop_id, tracking="1Z999", carrier="UPS", lines=[(single.variant_id, 1)])
    await stage.hand.refund(done.shop_id, "1.00")
    open_, ended = stage.order((several[1], 2)), stage.order((single, 1))
    standing, cancelled = await stage.placed(open_), await stage.placed(ended)
    await stage.hand.cancel(cancelled.shop_id)
    refs: list[VariantRef] = [single, *several]
    since = shipped.placed_at
    found = [
        await recorded(connector, shop, "products", lambda at: connector.products(at, "")),
        await recorded(connector, shop, "product", lambda at: connector.product(at, single.product_id)),
        await recorded(connector, shop, "variants", lambda at: connector.product(at, several[0].product_id)),
        await recorded(connector, shop, "counts", lambda at: connector.counts(at, refs)),
        await recorded(connector, shop, "orders", lambda at: connector.orders(at, cursor)),
        await recorded(connector, shop, "order", lambda at: connector.order(at, done.shop_id)),
        await recorded(connector, shop, "look-up", lambda at: connector.find(at, shipped.reference, since=since)),
        await recorded(connector, shop, "connection test", lambda at: connector.prove(at)),
    ]
    taken = CancelLines(
        open_.reference, standing.shop_id, ((several[1].variant_id, 1),), CancelReason.BUYER_ASKED, key="odd-1"
    )
    one = stage.order((single, 1))
    cancel = stage.cancellation(open_, standing)
    found += [
        await recorded(connector, shop, "create", lambda at: connector.create(at, one), live=False),
        await recorded(connector, shop, "cancel units", lambda at: connector.cancel_lines(at, taken), live=False),
        await recorded(connector, shop, "cancel", lambda at: connector.cancel(at, cancel), live=False),
    ]
    return found


async def try_all(
    reading: Reading,
    tally: Tally,
    *,
    every: int = 1,
    first: int = 0,
    odd: Mapping[str, str] = ODD,
    most_wrong: int = 50,
) -> None:
    """Each replacement in each answer of one reading; of many, each `every`th from the `first` on."""
    number = 0
    for place, exchange in enumerate(reading.exchanges):
        for path in places(exchange.document):
            bend = exchange.with_odd(path)
            for word, text in ODD.items():
                number += 1
                if (number + first) % every:
                    continue
                tally.tried += 1
                reading.http.bent = (exchange.key, bend(text))
                wrong = await _play(reading, tally, in_row=place > 0 or any(isinstance(step, int) for step in path))
                if wrong:
                    where = ".".join(map(str, path))
                    tally.wrong.append(
                        f"{reading.name}: {where} = {word} in the answer to {exchange.key[:90]}: {wrong}"
                    )
                    if len(tally.wrong) >= most_wrong:
                        return
    reading.http.bent = None


async def _play(reading: Reading, tally: Tally, *, in_row: bool) -> str:
    """What is wrong with how one replacement was taken; empty when nothing is."""
    try:
        with _hurried():
            got = await reading.call(reading.shop)
    except Outside as error:
        # One entity that cannot be understood is its row's trouble, a page that cannot be is the shop's.
        # A connection test asks for nobody's rows.
        alone = isinstance(reading.whole, Proof) or (
            isinstance(error, Strange) and not isinstance(reading.whole, Page | Sequence)
        )
        tally.refused += 1
        return "" if alone or not in_row else f"the whole reading stopped: {type(error).__name__}: {error}"
    except Exception as error:
        return f"raised {type(error).__name__}: {error}"
    if isinstance(got, Page):
        lost = _rows(reading.whole.items, got.items, tally, in_row=in_row)
        return lost or _unfit(got.items) or await _ends(reading, got)
    if isinstance(got, Sequence):
        return _rows(reading.whole, got, tally, in_row=in_row) or _unfit(got)
    if not isinstance(got, Outcome | Found | Proof | ShopOrder | ShopProduct | ProductGone | HookNews | Subscriptions):
        return f"gave {type(got).__name__}"
    return _unfit(got)


@contextlib.contextmanager
def _hurried() -> Iterator[None]:
    """Nobody changes anything meanwhile, so there is nothing to wait for."""
    sleep = asyncio.sleep

    async def soon(*_: Any) -> None:
        await sleep(0)

    asyncio.sleep = soon  # type: ignore[assignment]
    try:
        yield
    finally:
        asyncio.sleep = sleep


def _rows(whole: Sequence[Any], got: Sequence[Any], tally: Tally, *, in_row: bool) -> str:
    odd = [row for row in got if isinstance(row, Unreadable)]
    tally.unread += bool(odd)
    if any(not row.cause for row in odd):
        return "an unreadable row has no cause"
    missing = {_id(row) for row in whole} - {_id(row) for row in got if not isinstance(row, Unreadable)}
    # One that changed its id, its status or its owner is another row now, or none.
    # And an empty list of rows is an empty page. Counts of a product's two variants may hang on the product's row.
    most = 2 if any(isinstance(row, Count) for row in whole) else 1
    return "" if len(missing) <= most or not in_row else f"{len(missing)} rows are lost: {sorted(missing)}"


def _id(row: Any) -> str:
    match row:
        case ShopProduct() | ProductGone():
            return f"product {row.product_id}"
        case ShopOrder():
            return f"order {row.shop_id}"
        case Count():
            return f"count {row.variant_id}"
    return repr(row)


async def _ends(reading: Reading, page: Page[Any]) -> str:
    """Further pages come to an end, and the cursor moves."""
    for _ in range(MOST_PAGES):
        if not page.more:
            return ""
        try:
            after = await reading.further(reading.shop, page.cursor)
        except Outside:
            return ""
        if after.more and after.cursor == page.cursor:
            return f"the cursor stands still at {page.cursor}"
        page = after
    return f"{MOST_PAGES} pages and no end"


def _unfit(value: Any) -> str:
    """What no database of ours could keep."""
    if isinstance(value, str):
        return f"text with NUL or half of a pair: {value[:40]!r}" if _UNFIT.search(value) else ""
    if isinstance(value, int):
        return f"a number of {len(str(value))} digits" if abs(value) >= BIGGEST else ""
    if is_dataclass(value) and not isinstance(value, type):
        inner: Any = (getattr(value, one.name) for one in fields(value))
    elif isinstance(value, Mapping):
        inner = (*value.keys(), *value.values())
    else:
        inner = value if isinstance(value, list | tuple | set | frozenset) else ()
    return next((wrong for one in inner if (wrong := _unfit(one))), "")


def deliveries(connector: Connector, shop: Shop, hooks: Sequence[Hook], tally: Tally, *, every: int = 1) -> None:
    """The same for bodies of webhooks, as if they were signed: an odd one means nothing, or what it still says."""
    number = 0
    for hook in hooks:
        try:
            document = json.loads(hook.body)
        except ValueError:
            continue
        exchange = Exchange("", Reply(200, {}, hook.body), document)
        for path in places(document):
            bend = exchange.with_odd(path)
            for word, text in ODD.items():
                number += 1
                if number % every:
                    continue
                tally.tried += 1
                try:
                    news = connector.news(shop, replace(hook, body=bend(text).body))
                    wrong = _unfit(news)
                except Exception as error:
                    wrong = f"raised {type(error).__name__}: {error}"
                if wrong:
                    tally.wrong.append(f"delivery: {'.'.join(map(str, path))} = {word}: {wrong}")
