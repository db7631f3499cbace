"""A case played again: today's connector meets the answers of then, offline, from the case's file (docs/cases.md).

Blacked out values are equal to whatever stands in their place, so a difference is only what can be known to be one.
"""

import asyncio
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, get_type_hints
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from pydantic import BaseModel, TypeAdapter, ValidationError

from crossdock.domain.redact import HIDDEN, redact_value
from crossdock.kit.connector import Connector, Forged, Hook, Reply, Shop
from crossdock.kit.errors import NoAnswer, NotSent
from crossdock.kit.redact import LONGEST_READ, redact_body
from crossdock.kit.snapshot import snapshot, snapshot_of_error

FORMAT = "crossdock-case/1"
MOST_SECONDS = 30.0
_CUT = re.compile(r"\.\.\. \(\d+ characters\)\Z|\A\(\d+ bytes\)\Z")
# How the transport says that a request never left (kit/http.py).
_NEVER_LEFT = (
    "does not accept connections",
    "did not accept a connection",
    "no valid certificate",
    "cannot be resolved",
    "no usable web address",
    "not on the public internet",
)


class NotACase(ValueError):
    """The text is no case file of a version that we know; the message is a sentence."""


class Exchange(BaseModel):
    """One recorded call over HTTP. `status` is None when no answer came; then `trouble` says why."""

    method: str
    url: str
    status: int | None = None
    request: str = ""
    headers: dict[str, str] = {}
    answer: str = ""
    trouble: str = ""


class Call(BaseModel):
    """One thing that the connector was asked, with the calls that it took and what it made of them then."""

    key: str
    operation: str
    subject: str = ""
    at: datetime
    given: dict[str, Any] = {}
    made: dict[str, Any] = {}
    exchanges: list[Exchange] = []


class Delivery(BaseModel):
    key: str
    topic: str
    at: datetime
    headers: dict[str, str] = {}
    body: str = ""
    made: dict[str, Any] = {}


class ShopFacts(BaseModel):
    platform: str
    url: str
    api_version: str = ""
    settings: dict[str, str] = {}
    secret_names: list[str] = []
    app_names: list[str] = []
    hook_url: str = ""
    capabilities: dict[str, bool] = {}


class Document(BaseModel):
    """A case file. What only people read (timeline, commands, movements) is left aside here."""

    format: str
    taken_at: datetime
    crossdock: str = ""
    case: dict[str, Any] = {}
    shop: ShopFacts | None = None
    calls: list[Call] = []
    exchanges: list[Exchange] = []
    deliveries: list[Delivery] = []


def read(text: str) -> Document:
    """Raises NotACase."""
    try:
        given = json.loads(text)
    except ValueError:
        raise NotACase("This is no case file: it is not JSON.") from None
    said = given.get("format") if isinstance(given, dict) else None
    if said != FORMAT:
        raise NotACase(
            f"This is no case file that this version reads: its format is {said!r}, and here it is {FORMAT!r}."
        )
    try:
        return Document.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        raise NotACase(f"The case file is broken at {'.'.join(map(str, first['loc']))}: {first['msg']}.") from None


@dataclass(slots=True)
class Played:
    """One call or delivery: what the connector makes of it today beside what it made of it then."""

    title: str
    at: datetime
    then: dict[str, Any]
    now: dict[str, Any]
    differences: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    hidden: int = 0

    @property
    def same(self) -> bool:
        return not self.differences and not self.missing


@dataclass(slots=True)
class Tape:
    """The Http of a played call: answers in the order in which they were recorded. `spare` are calls of nobody in
    particular, like signing in; `cut` is an answer that was asked for and not recorded whole.
    """

    waiting: list[Exchange]
    spare: list[Exchange]
    missing: list[str] = field(default_factory=list)
    asked_differently: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    cut: bool = False

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        content: bytes | None = None,
        timeout_seconds: float | None = None,
    ) -> Reply:
        if query:
            url += ("&" if "?" in url else "?") + urlencode(query, quote_via=quote)
        body = (form if json is None else json) if content is None else redact_body(content, "text/xml", LONGEST_READ)
        said = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
        asked = _Asked(method.upper(), _path(url), said, body)
        found = self._find(asked)
        if found is None:
            self.missing.append(f"no answer was recorded for {asked}")
            raise NoAnswer(f"The case has no answer to {asked}.")
        return self._answer(found, asked)

    def _find(self, asked: "_Asked") -> Exchange | None:
        alike = [(len(list(asked.differs(one))), n) for n, one in enumerate(self.waiting) if asked.fits(one)]
        if alike:
            _, n = min(alike)
            found = self.waiting.pop(n)
            self.asked_differently += [f"{asked}: {line}" for line in asked.differs(found)]
            return found
        return next((one for one in self.spare if asked.fits(one)), None)

    def _answer(self, found: Exchange, asked: "_Asked") -> Reply:
        if found.status is None:
            trouble = found.trouble or "No answer came."
            raise NotSent(trouble) if any(words in trouble for words in _NEVER_LEFT) else NoAnswer(trouble)
        if _CUT.search(found.answer):
            self.cut = True
            self.missing.append(f"the recorded answer to {asked} was too long and is cut")
            raise NoAnswer(f"The answer to {asked} was cut when it was recorded.")
        return Reply(
            found.status, {name.lower(): value for name, value in found.headers.items()}, found.answer.encode()
        )

    def learn(self, *, left: float, per_second: float | None = None) -> None:
        """There is no budget to correct."""


@dataclass(frozen=True, slots=True)
class _Asked:
    method: str
    path: str
    query: Mapping[str, str]
    body: Any

    def __str__(self) -> str:
        name = _document_name(self.body)
        return f"{self.method} {self.path}{f' ({name})' if name else ''}"

    def fits(self, one: Exchange) -> bool:
        """The same method and path, and on a GraphQL endpoint the same operation."""
        if one.method != self.method or not _equal_path(self.path, _path(one.url)):
            return False
        return _document_name(self.body) == _document_name(_loaded(one.request))

    def differs(self, one: Exchange) -> Iterator[str]:
        """What is asked otherwise than then. How a request proves who asks is never compared."""
        then = {
            name: value
            for name, value in parse_qsl(urlsplit(one.url).query, keep_blank_values=True)
            if not name.startswith("oauth_")
        }
        now = {name: value for name, value in self.query.items() if not name.startswith("oauth_")}
        yield from differences(then, redact_value(now), "query")[0]
        if not one.request or _CUT.search(one.request):
            return
        body = redact_value(dict(self.body) if isinstance(self.body, Mapping) else self.body)
        recorded = _loaded(one.request)
        if isinstance(recorded, str) and not isinstance(body, str):
            recorded = dict(parse_qsl(recorded, keep_blank_values=True))
        yield from differences(recorded, body, "body")[0]


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _path(url: str) -> str:
    return unquote(urlsplit(url).path)


def _equal_path(now: str, then: str) -> bool:
    return len(now.split("/")) == len(then.split("/")) and all(
        a == b or HIDDEN in b for a, b in zip(now.split("/"), then.split("/"), strict=True)
    )


def _document_name(body: Any) -> str:
    """The first operation's name of a GraphQL request; nothing for anything else."""
    text = body.get("query") if isinstance(body, Mapping) else None
    found = re.search(r"\b(?:query|mutation)\s+(\w+)", text) if isinstance(text, str) else None
    return found[1] if found else ""


def differences(then: Any, now: Any, path: str = "") -> tuple[list[str], int]:
    """(a line for each place that differs, how many places were blacked out and so could not be compared)."""
    if _is_hidden(then) or _is_hidden(now):
        return [], 1
    if isinstance(then, dict) and isinstance(now, dict):
        pairs = [
            (f"{path}.{key}".lstrip("."), then.get(key, _NOTHING), now.get(key, _NOTHING))
            for key in dict.fromkeys([*then, *now])
        ]
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        pairs = [(f"{path}[{n}]", one, other) for n, (one, other) in enumerate(zip(then, now, strict=True))]
    else:
        return ([] if then == now else [f"{path or 'it'}: then {_short(then)}, now {_short(now)}"]), 0
    lines: list[str] = []
    hidden = 0
    for place, one, other in pairs:
        more, unseen = differences(one, other, place)
        lines, hidden = [*lines, *more], hidden + unseen
    return lines, hidden


class _Nothing:
    def __repr__(self) -> str:
        return "nothing"


_NOTHING = _Nothing()


def _is_hidden(value: Any) -> bool:
    return isinstance(value, str) and HIDDEN in value


def _short(value: Any) -> str:
    text = repr(value) if value is _NOTHING else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 160 else f"{text[:160]}…"


async def play(document: Document, connector: Connector) -> list[Played]:
    """Every recorded call and delivery in the order in which they happened.

    Needs no network, no database and no secrets.
    """
    shop = document.shop
    assert shop is not None
    spare = [*document.exchanges, *(one for call in document.calls for one in call.exchanges if _signs_in(one))]
    steps: list[Call | Delivery] = sorted([*document.calls, *document.deliveries], key=lambda step: step.at)
    played = []
    for step in steps:
        if isinstance(step, Call):
            played.append(await _play_call(step, shop, connector, spare))
        else:
            played.append(_play_delivery(step, shop, connector))
    return played


def _signs_in(one: Exchange) -> bool:
    return '"password"' in one.request or '"client_secret"' in one.request


def _shop(facts: ShopFacts, http: Any, at: datetime) -> Shop:
    hidden = dict.fromkeys(facts.secret_names, HIDDEN)
    return Shop(
        facts.url,
        hidden,
        facts.settings,
        http,
        lambda: at.astimezone(UTC),
        dict.fromkeys(facts.app_names, HIDDEN),
        facts.hook_url,
    )


async def _play_call(call: Call, facts: ShopFacts, connector: Connector, spare: list[Exchange]) -> Played:
    tape = Tape(list(call.exchanges), spare)
    played = Played(f"{call.operation} {call.subject}".strip(), call.at, call.made, {})
    method = getattr(connector, call.operation, None)
    if method is None:
        played.missing.append(f"the connector of today knows no “{call.operation}”")
        return played
    try:
        given = _arguments(call)
    except ValidationError as error:
        played.missing.append(f"what was asked then cannot be asked today: {error.errors()[0]['msg']}")
        return played
    try:
        async with asyncio.timeout(MOST_SECONDS):
            played.now = snapshot(await method(_shop(facts, tape, call.at), **given))
    except Exception as error:
        played.now = snapshot_of_error(error)
        if "stumbled" in played.now:
            played.notes.append(f"the connector stumbled: {type(error).__name__}: {error}")
    played.missing += tape.missing
    if tape.cut:
        # What is made of a part of an answer is no difference; what is missing is told.
        return played
    if call.made.get("cut"):
        played.notes.append("what was made of it then was too long to be kept, so there is nothing to compare")
    else:
        lines, played.hidden = differences(call.made, played.now)
        played.differences += [line.removeprefix("value.") for line in lines]
    played.differences += [f"asked otherwise: {line}" for line in tape.asked_differently]
    played.differences += [
        f"not asked any more: {one.method} {_path(one.url)} {_document_name(_loaded(one.request))}".strip()
        for one in tape.waiting
        if not _signs_in(one)
    ]
    return played


def _arguments(call: Call) -> dict[str, Any]:
    """The recorded values in the types that the protocol names. Raises ValidationError."""
    hints = get_type_hints(getattr(Connector, call.operation, None)) if hasattr(Connector, call.operation) else {}
    return {
        name: TypeAdapter(hints[name]).validate_python(value) if name in hints else value
        for name, value in call.given.items()
    }


def _play_delivery(delivery: Delivery, facts: ShopFacts, connector: Connector) -> Played:
    played = Played(
        f"delivery {delivery.topic}".strip(), delivery.at, {"type": "HookNews", "value": _news(delivery.made)}, {}
    )
    if not delivery.body:
        played.notes.append("its body was erased, so it cannot be read again")
        played.now = played.then
        return played
    hook = Hook({name.lower(): value for name, value in delivery.headers.items()}, delivery.body.encode())
    try:
        # Not verified: its signature was blacked out, and so were the secrets that it could be checked by.
        played.now = snapshot(connector.news(_shop(facts, Tape([], []), delivery.at), hook))
    except Forged:
        played.now = {"type": "Forged"}
    except Exception as error:
        played.now = snapshot_of_error(error)
        played.notes.append(f"the connector stumbled: {type(error).__name__}: {error}")
    if "value" in played.now:
        played.now["value"] = _news(played.now["value"])
    lines, played.hidden = differences(played.then, played.now)
    played.differences = [line.removeprefix("value.") for line in lines]
    return played


def _news(made: Mapping[str, Any]) -> dict[str, Any]:
    """Without our key against doubles: it is a hash of the body as it really was."""
    return {name: value for name, value in made.items() if name != "dedupe"}
