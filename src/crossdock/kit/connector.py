"""The Connector protocol: what a platform's folder must offer.

A connector translates and calls; it decides nothing and stores nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from crossdock.domain.capability import Manifest
from crossdock.domain.commands import (
    AdjustStock,
    CancelLines,
    CancelOrder,
    CreateOrder,
    Found,
    Outcome,
    WriteFulfilment,
    WriteRisk,
)
from crossdock.domain.events import Count, HookNews, ProductGone, ShopOrder, ShopProduct, Unreadable
from crossdock.kit import wire

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer of any status. `headers` have lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The parsed body. Raises NotJson."""
        return wire.load(self.body)


class Http(Protocol):
    """One party's handle on the one transport (kit/http.py): budget, timeouts, guard, redaction and recording happen
    inside.

    Raises NotSent when the request surely never left, NoAnswer when it may have been carried out. Any HTTP status is a
    Reply.
    """

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
        """`content` goes out as it is, under the Content-Type in `headers`."""

    def learn(self, *, left: float, per_second: float | None = None) -> None:
        """Correct the budget with what the platform's throttle headers say is left now."""


@dataclass(frozen=True, slots=True)
class Shop:
    """All that a connector may know of one connected shop.

    `address` is the canonical base URL (scheme and host, perhaps a path, no trailing slash). `secrets` come from the
    vault; `settings` are what `prove` and the seller fixed (a pinned location, the shop's currency); `app` holds the
    operator's own app credentials for this platform, by lower-case name. `hook_url` is where this shop should send
    webhooks, empty when the marketplace has no public address.
    """

    address: str
    secrets: Mapping[str, str]
    settings: Mapping[str, str]
    http: Http
    now: Callable[[], datetime]
    app: Mapping[str, str] = field(default_factory=dict)
    hook_url: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the connection test.

    When not ok, `sentence` names what is missing and where to click to give it; `right` is the platform's name of the
    permission that it is about. `limited`: the shop works without it, and `sentence` says what does not.
    """

    ok: bool
    title: str
    sentence: str = ""
    right: str = ""
    limited: bool = False


@dataclass(frozen=True, slots=True)
class Proof:
    """What the connection test found.

    `shop_id` identifies the shop on its platform (the same shop cannot be connected twice). Where the platform gives no
    id that is one shop's alone, it is `stays` with the address behind an "@": `stays` is what the shop keeps when it
    moves to another address.
    """

    shop_id: str
    name: str
    currency: str
    checks: tuple[Check, ...]
    settings: Mapping[str, str] = field(default_factory=dict)
    locations: tuple[tuple[str, str], ...] = ()
    stays: str = ""

    @property
    def ok(self) -> bool:
        return all(check.ok for check in self.checks)


@dataclass(frozen=True, slots=True)
class Redirect:
    """Send the seller's browser there.

    `keep` is stored (encrypted) with the one-time state and handed back to `finish`.
    """

    url: str
    keep: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Page(Generic[T_co]):
    """A page of news. A row that could not be understood stands in it as an Unreadable, so the others are taken.

    `cursor` is stored only together with what the page said; `more` asks for the next page at once.
    """

    items: tuple[T_co, ...]
    cursor: str
    more: bool


@dataclass(frozen=True, slots=True)
class VariantRef:
    product_id: str
    variant_id: str


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """Audit of the shop's webhooks after healing. `healed` names topics that had to be created or switched on again."""

    expected: tuple[str, ...]
    active: tuple[str, ...]
    healed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hook:
    """A delivery as it arrived: raw bytes, headers with lower-case names."""

    headers: Mapping[str, str]
    body: bytes


class Forged(Exception):
    """The signature is missing or wrong: answer 401, count it, keep nothing of the body."""


class Connector(Protocol):
    """One shop platform.

    Every call may raise kit.errors.Outside; commands return an Outcome instead and raise nothing of that family.
    """

    manifest: Manifest

    # Connecting
    def address(self, form: Mapping[str, str], *, local: bool) -> str:
        """The canonical base URL from what the seller typed. `local` admits http and loopback. Raises BadInput."""

    def begin(
        self, shop: Shop, *, way: str, form: Mapping[str, str], state: str, return_url: str, callback_url: str
    ) -> Redirect:
        """Where to send the browser for a redirect way. `state` is one-time and unguessable. Raises BadInput."""

    async def finish(
        self, shop: Shop, *, way: str, form: Mapping[str, str], params: Mapping[str, str], keep: Mapping[str, str]
    ) -> Mapping[str, str]:
        """The secrets to store.

        `form` is the connect form; `params` what the browser (or the shop's own call) brought back. Raises BadInput,
        AuthDead.
        """

    async def prove(self, shop: Shop) -> Proof:
        """The connection test: read-only calls that name every missing right."""

    def renew_at(self, shop: Shop) -> datetime | None:
        """When the secrets must be renewed; None when they last."""

    async def renew(self, shop: Shop) -> Mapping[str, str]:
        """Fresh secrets, to be stored before use. Repeating it after a lost answer is safe. Raises AuthDead."""

    # Reading
    async def products(self, shop: Shop, cursor: str) -> Page[ShopProduct | ProductGone | Unreadable]:
        """Products changed since `cursor` ("" means all), oldest change first, with an overlap that repeats rather
        than misses.
        """

    async def product(self, shop: Shop, product_id: str) -> ShopProduct | ProductGone: ...

    async def counts(self, shop: Shop, variants: Sequence[VariantRef]) -> Sequence[Count | Unreadable]:
        """Counts of at most 100 variants; one that the shop no longer has is left out.

        All counted locations of a variant come from one request.
        """

    async def orders(self, shop: Shop, cursor: str) -> Page[ShopOrder | Unreadable]:
        """Orders changed since `cursor` ("" means from now on), cancelled ones too, whole snapshots."""

    async def order(self, shop: Shop, shop_id: str) -> ShopOrder:
        """The order as it stands; state GONE when the shop no longer has it."""

    async def find(self, shop: Shop, reference: str, *, since: datetime) -> Found:
        """Orders that carry exactly this reference. `since` bounds the search on platforms that can only scan."""

    # Doing
    async def create(self, shop: Shop, command: CreateOrder) -> Outcome: ...

    async def confirm(self, shop: Shop, command: CreateOrder, found: ShopOrder) -> Outcome:
        """`create` lost its answer and a look-up found its order, open, read as `found`: what `create` would have said
        of it.

        Done: it stands, `already`. Refused: the shop had not the units, and the order was taken back there. Any other
        outcome settles nothing.
        """

    async def cancel(self, shop: Shop, command: CancelOrder) -> Outcome: ...

    async def cancel_lines(self, shop: Shop, command: CancelLines) -> Outcome:
        """Take units out, look for the key before. `Done.shop_id` is the refund that arose there, under the id that
        `order` shows it with; else empty.

        `ShopOrder.lines` and `total` are then those of what remains.
        """

    async def adjust(self, shop: Shop, command: AdjustStock) -> Outcome: ...

    async def write_risk(self, shop: Shop, command: WriteRisk) -> Outcome:
        """Look for the key first.

        Whatever is written is for the shop's staff; the buyer must never see it or be told.
        """

    async def write_fulfilment(self, shop: Shop, command: WriteFulfilment) -> Outcome:
        """Read the order first and do what is missing (kit/shop/fulfilment.py). No stock moves but as the shop's own
        fulfilments move it, and the shop mails nobody.

        `Done.shop_id` is the fulfilment under the id that `order` shows it with (several with commas between). A right
        that is missing for this alone is Refused, not SignInAgain: everything else works without it.
        """

    # Webhooks
    def verify(self, shop: Shop, hook: Hook) -> None:
        """Over the raw bytes, before anything is parsed. Raises Forged; an unsigned ping that the platform documents
        passes.
        """

    def news(self, shop: Shop, hook: Hook) -> HookNews:
        """What a delivery says to look at; a ping says nothing.

        It trusts its caller to have verified the delivery (`kit.webhook.verified_news`).
        """

    async def subscribe(self, shop: Shop) -> Subscriptions:
        """Create or heal the webhook subscriptions for `shop.hook_url`."""

    async def unsubscribe(self, shop: Shop) -> None:
        """Best effort on disconnect."""

    def hook_shop(self, hook: Hook) -> str:
        """For deliveries of the operator's app (address `app`): the shop_id it speaks of.

        Empty when the platform has no such deliveries.
        """


@runtime_checkable
class Looks(Protocol):
    """What a connector may have besides: the hourly look in fewer calls than the connection test."""

    async def look(self, shop: Shop) -> Proof:
        """A Proof whose `currency` and `settings` are those that `prove` would tell; the rest is empty."""


@runtime_checkable
class HasContract(Protocol):
    """What a connector may have besides, where the shop's own developer writes the other side."""

    def contract(self) -> bytes:
        """The document that says what the shop has to answer, as JSON."""
