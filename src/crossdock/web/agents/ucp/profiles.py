"""Whom the agent speaks for, by the address in its UCP-Agent header, and what it can do.

The address is read through the house's guarded transport: never in a private network, never over plain http, never
after a redirect, and only for a token that is known. What was read, or that it could not be, is kept in this process
for a while; a token stands for the first profile that it named.
"""

import re
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock
from typing import Annotated, Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from pydantic import BaseModel, Field, StrictStr, ValidationError

from crossdock.domain.agents.negotiation import Capability, shared
from crossdock.domain.agents.ucp import ORDER, VERSION
from crossdock.domain.capability import Pace
from crossdock.kit.ask import ask_sync
from crossdock.kit.connector import Reply
from crossdock.kit.errors import Outside
from crossdock.kit.http import Transport
from crossdock.store.models import ApiToken
from crossdock.usecases.accounts.tokens import speaks_for
from crossdock.web.agents.refusing import Refusal
from crossdock.web.agents.ucp.profile import FULFILLMENT, OURS

SECONDS, MOST, MOST_BYTES, LONGEST = 3.0, 256, 256 * 1024, 500
FLOOR, CEILING, AFTER_FAILURE = 60, 3600, 60
# One string of a structured dictionary (RFC 8941); inside another one a quote would be escaped.
_PROFILE = re.compile(r'(?:^|,)[ \t]*profile="((?:[^"\\]|\\["\\])*)"')
_MAX_AGE = re.compile(r"\bmax-age=(\d{1,9})\b")
_PACE = Pace(per_second=5, burst=10, parallel=2)


class _Said(BaseModel):
    version: Annotated[StrictStr, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    extends: StrictStr | list[StrictStr] | None = None
    config: dict[str, Any] = Field(default_factory=dict)


class _Metadata(BaseModel):
    version: Annotated[StrictStr, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    capabilities: dict[str, list[_Said]] = Field(default_factory=dict, max_length=200)


class _Profile(BaseModel):
    ucp: _Metadata


@dataclass(frozen=True, slots=True)
class Terms:
    """What is active between the agent and us: by name its version."""

    active: Mapping[str, str]
    read_at: datetime
    several_groups: bool = False
    # Where it wants to hear of its orders; empty for nowhere.
    told_at: str = ""

    @property
    def ships(self) -> bool:
        return FULFILLMENT in self.active

    def of(self, root: str) -> dict[str, Any]:
        """What of it has to do with an operation of this capability, as answers name it."""
        own = [name for name in self.active if name == root or root in OURS[name][0].extends]
        return {name: [{"version": self.active[name]}] for name in own}


def terms_of(request: HttpRequest, agent: ApiToken, *, needs: str) -> Terms:
    """Raises Refusal where the agent cannot be known, or does not speak what the operation needs."""
    address = address_in(request.headers.get("UCP-Agent", ""))
    if not speaks_for(token=agent, profile=address):
        words = "This token speaks for another profile. Make a token for each agent."
        raise Refusal(403, "forbidden", words)
    theirs = _Kept.of(address)
    if theirs.version != VERSION:
        words = f"Protocol version {theirs.version} is not supported. This marketplace speaks {VERSION}."
        raise Refusal(422, "version_unsupported", words)
    both = shared(OURS, theirs.capabilities)
    if needs not in both:
        words = f"The profile has no {needs} in a version that is spoken here ({VERSION})."
        raise Refusal(200, "capabilities_incompatible", words, outcome=True)
    several = FULFILLMENT in both and both[FULFILLMENT][1].config.get("supports_multi_group") is True
    told_at = str(both[ORDER][1].config.get("webhook_url", "")) if ORDER in both else ""
    return Terms({name: mine.version for name, (mine, _) in both.items()}, theirs.read_at, several, told_at)


def address_in(header: str) -> str:
    """Of the profile. Raises Refusal."""
    found = _PROFILE.findall(header)
    address = re.sub(r"\\(.)", r"\1", found[-1]) if found else ""
    if not _good(address):
        words = 'Send UCP-Agent: profile="https://…", the address of the agent\'s profile.'
        raise Refusal(400, "invalid_profile_url", words)
    return address


def _good(address: str) -> bool:
    """Whether it is one that we may call, as far as its letters say: the transport looks at the socket."""
    try:
        parts = urlsplit(address)
        good = bool(parts.hostname) and parts.username is None and (parts.port or 443) > 0
        good = good and parts.scheme in (("https", "http") if settings.ALLOW_LOCAL_SHOPS else ("https",))
    except ValueError:
        return False
    return good and len(address) <= LONGEST and address.isascii() and address.isprintable() and " " not in address


@dataclass(frozen=True, slots=True)
class _Theirs:
    version: str
    capabilities: Mapping[str, Sequence[Capability]]
    read_at: datetime = field(default_factory=lambda: datetime.now(UTC))


class _Kept:
    """The newest few hundred profiles, each with the end of its time; a failure is kept as the refusal that it is."""

    found: "OrderedDict[str, tuple[float, _Theirs | tuple[int, str, str]]]" = OrderedDict()
    lock = Lock()

    @classmethod
    def of(cls, address: str) -> _Theirs:
        with cls.lock:
            until, kept = cls.found.get(address, (0.0, None))
        if kept is None or time.monotonic() >= until:
            seconds, kept = _read(address)
            with cls.lock:
                cls.found[address] = (time.monotonic() + seconds, kept)
                cls.found.move_to_end(address)
                while len(cls.found) > MOST:
                    cls.found.popitem(last=False)
        if isinstance(kept, _Theirs):
            return kept
        status, code, words = kept
        raise Refusal(status, code, words)


def forget() -> None:
    """Every profile that was read."""
    with _Kept.lock:
        _Kept.found.clear()


def _read(address: str) -> tuple[int, _Theirs | tuple[int, str, str]]:
    """With for how many seconds it counts."""

    async def asked(transport: Transport) -> Reply:
        party = transport.party(f"agent:{urlsplit(address).hostname}", _PACE, local=settings.ALLOW_LOCAL_SHOPS)
        return await party.send("GET", address, timeout_seconds=SECONDS, follow=False)

    try:
        reply = ask_sync(asked, SECONDS)
        if reply.status != 200:
            return AFTER_FAILURE, (424, "profile_unreachable", f"The profile was answered with {reply.status}.")
    except Outside as why:
        return AFTER_FAILURE, (424, "profile_unreachable", f"The profile could not be read: {why}")
    try:
        if len(reply.body) > MOST_BYTES:
            raise ValueError
        said = _Profile.model_validate_json(reply.body).ucp
    except (ValidationError, ValueError):
        return AFTER_FAILURE, (422, "profile_malformed", "The profile is none of the protocol's.")
    told_at = [one.config["webhook_url"] for one in said.capabilities.get(ORDER, ()) if "webhook_url" in one.config]
    if not all(isinstance(url, str) and _good(url) for url in told_at):
        words = "The webhook_url of the profile's order capability is no public https:// address."
        return AFTER_FAILURE, (422, "profile_malformed", words)
    capabilities = {name: tuple(map(_capability, each)) for name, each in said.capabilities.items()}
    age = _MAX_AGE.search(reply.headers.get("cache-control", ""))
    return min(max(int(age[1]) if age else FLOOR, FLOOR), CEILING), _Theirs(said.version, capabilities)


def _capability(said: _Said) -> Capability:
    return Capability(said.version, config=said.config)
