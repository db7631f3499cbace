"""Every value of a shop's answers replaced by every odd but legal one, one at a time: no reading may stop, the other
rows of its page are kept, and what trips says so.

The answers are those of the platform's simulator, recorded once; each replacement is then played in this process, from
the answer's bytes to what the connector makes of them.
"""

import asyncio
import contextlib
import json
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any

from crossdock.domain.commands import Done, Found, Outcome, Refused, Why
from crossdock.domain.events import Count, HookNews, ProductGone, ShopOrder, ShopProduct, Unreadable
from crossdock.kit.connector import Connector, Hook, Http, Page, Proof, Reply, Shop, Subscriptions
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
    "200 kB of digits": "9" * 200_000,
    "200 kB of an open tag": '"' + "<a " * 66_000 + '"',
    "200 kB of escapes": '"' + "&#" * 100_000 + '"',
}
MARK = "@@odd value@@"
NOT_ASKED = "This was not asked when the answers were recorded."
MOST_PAGES, MOST_WRONG, BIGGEST = 12, 50, 2**63
# Of work for one answer: more is a hang.
MOST_SECONDS = 5
MOST_DECIMALS, LONGEST_SECRET = 8, 8_000
_UNFIT = re.compile("[\x00\ud800-\udfff]")
_MUTATION = re.compile(r"\bmutation\b")
# The open door asks everything with POST.
_READS = re.compile(r"/read ")
_SIGNATURE = re.compile(r"[?&]oauth_[^&]*")


@dataclass(frozen=True, slots=True)
class Exchange:
    """`key` names the request, `document` is its answer."""

    key: str
    reply: Reply
    document: Any

    @property
    def wrote(self) -> bool:
        """Whether it is the answer to something that changes the shop."""
        method, _, asked = self.key.partition(" ")
        return method in ("PUT", "PATCH", "DELETE") or (
            method == "POST" and not _READS.search(asked) and ('"query":' not in asked or bool(_MUTATION.search(asked)))
        )

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
    """The Http of the recording, and of every play of it: what was asked before is answered from memory, the same
    question asked again with what came then.
    """

    def __init__(self, inner: Http, *, live: bool) -> None:
        self.inner, self.live, self.recording = inner, live, True
        self.known: dict[str, list[Exchange]] = {}
        self.bent: tuple[Exchange, Reply] | None = None
        self._times: Counter[str] = Counter()

    def end(self, *, live: bool) -> list[Exchange]:
        """From now on it plays; only one that is `live` asks further. What was answered, in the order of questions."""
        self.recording, self.live = False, live
        return [exchange for exchanges in self.known.values() for exchange in exchanges]

    def begin(self, bent: tuple[Exchange, Reply] | None) -> None:
        """A play of all of it, with one answer replaced."""
        self.bent = bent
        self._times.clear()

    async def send(self, method: str, url: str, **rest: Any) -> Reply:
        key = f"{method} {_SIGNATURE.sub('', url)} {json.dumps(rest.get('json'), sort_keys=True)}"
        before = self.known.get(key, [])
        if before and not self.recording:
            exchange = before[min(self._times[key], len(before) - 1)]
            self._times[key] += 1
            return self.bent[1] if self.bent is not None and self.bent[0] is exchange else exchange.reply
        if not self.recording and not self.live:
            raise NoAnswer(NOT_ASKED)
        reply = await self.inner.send(method, url, **rest)
        with contextlib.suppress(ValueError):
            self.known.setdefault(key, []).append(Exchange(key, reply, json.loads(reply.body)))
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
    """What came of it: replacements tried (and of which answers), rows that could not be understood, what is wrong."""

    tried: int = 0
    unread: int = 0
    refused: int = 0
    wrong: list[str] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)

    def count(self, kind: str) -> None:
        self.tried += 1
        self.kinds[kind] += 1


async def try_all(
    reading: Reading,
    tally: Tally,
    *,
    every: int = 1,
    first: int = 0,
    odd: Mapping[str, str] = ODD,
    most_wrong: int = MOST_WRONG,
) -> None:
    """Each replacement in each answer of one reading; of many, each `every`th from the `first` on."""
    number, prepared = 0, _prepared(reading)
    for place, exchange in enumerate(reading.exchanges):
        for path in places(exchange.document):
            bend = exchange.with_odd(path)
            for word, text in odd.items():
                number += 1
                # The first of each in any case, so that a sample has something of all.
                if (number + first) % every and number > 1:
                    continue
                tally.count(reading.name)
                reading.http.begin((exchange, bend(text)))
                whole = not any(isinstance(step, int) for step in path)
                # Counts may come out of two lists, and neither is a row's own.
                in_row = not whole or (place > 0 and not _are_counts(reading.whole))
                wrong = await _play(reading, tally, in_row=in_row, wrote=exchange.wrote and place >= prepared)
                if wrong:
                    where = ".".join(map(str, path))
                    tally.wrong.append(
                        f"{reading.name}: {where} = {word} in the answer to {exchange.key[:90]}: {wrong}"
                    )
                    if len(tally.wrong) >= most_wrong:
                        return
    reading.http.begin(None)


def _prepared(reading: Reading) -> int:
    """How many answers came before the one that names what was made: until then nothing was done, and a refusal is as
    good as any answer.
    """
    made = reading.whole.shop_id if isinstance(reading.whole, Done) else ""
    names = [
        exchange.wrote and made in exchange.reply.body.decode("utf-8", "replace") for exchange in reading.exchanges
    ]
    return names.index(True) if made and True in names else 0


def _are_counts(rows: Any) -> bool:
    return isinstance(rows, Sequence) and any(isinstance(row, Count) for row in rows)


async def _play(reading: Reading, tally: Tally, *, in_row: bool, wrote: bool) -> str:
    """What is wrong with how one replacement was taken; empty when nothing is."""
    begun = time.process_time()
    try:
        with _hurried():
            got = await reading.call(reading.shop)
        if (spent := time.process_time() - begun) > MOST_SECONDS:
            return f"took {spent:.0f} s of work"
    except Outside as error:
        # One entity that cannot be understood is its row's trouble, a page that cannot be is the shop's.
        # A connection test asks for nobody's rows.
        rows = isinstance(reading.whole, Page | Sequence | Subscriptions)
        alone = isinstance(reading.whole, Proof) or (isinstance(error, Strange) and not rows) or str(error) == NOT_ASKED
        tally.refused += 1
        return "" if alone or not in_row else f"the whole reading stopped: {type(error).__name__}: {error}"
    except Exception as error:
        return f"raised {type(error).__name__}: {error}"
    if isinstance(got, Page):
        lost = _rows(reading.whole.items, got.items, tally, in_row=in_row)
        return lost or _unfit(got.items) or await _ends(reading, got)
    if isinstance(got, Sequence):
        return _rows(reading.whole, got, tally, in_row=in_row) or _unfit(got)
    if isinstance(got, Proof):
        return _money_of(got) or _unfit(got)
    if isinstance(got, Mapping):
        return _secrets(reading.whole, got)
    if not isinstance(got, Outcome | Found | ShopOrder | ShopProduct | ProductGone | HookNews | Subscriptions | None):
        return f"gave {type(got).__name__}"
    return (_unlike(reading.whole, got) if wrote else "") or _unfit(got)


def _money_of(proof: Proof) -> str:
    """A test that passes, or the hourly look, names a currency (whoever connects it looks which), and decimals that
    one can have.
    """
    if not proof.ok:
        return ""
    decimals = proof.settings.get("precision", proof.settings.get("decimals", "0"))
    if not proof.currency.strip() or not decimals.isdigit() or int(decimals) > MOST_DECIMALS:
        return f"its money is {proof.currency!r} with {decimals[:40]!r} decimals"
    return ""


def _secrets(whole: Mapping[str, str], got: Mapping[str, str]) -> str:
    """What is kept of a renewed access must still open something, and be renewed again."""
    lost = [name for name, value in whole.items() if value and not got.get(name) and name != "expires_at"]
    odd = [name for name, value in got.items() if not isinstance(value, str) or len(value) > LONGEST_SECRET]
    return f"secrets are lost: {lost}, or odd: {odd}" if lost or odd else _unfit(got)


def _unlike(whole: Any, got: Any) -> str:
    """What was done is not called refused, nor done under an id that names nothing."""
    if isinstance(whole, Done) and isinstance(got, Refused) and got.why not in (Why.NOT_FOUND, Why.CONFLICT):
        return f"what was done is called refused: {got.sentence}"
    return (
        "done, under no id"
        if isinstance(got, Done) and isinstance(whole, Done) and whole.shop_id and not got.shop_id
        else ""
    )


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
    most = 2 if _are_counts(whole) else 1
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
                tally.count("delivery")
                try:
                    news = connector.news(shop, replace(hook, body=bend(text).body))
                    wrong = _unfit(news)
                except Exception as error:
                    wrong = f"raised {type(error).__name__}: {error}"
                if wrong:
                    tally.wrong.append(f"delivery: {'.'.join(map(str, path))} = {word}: {wrong}")
