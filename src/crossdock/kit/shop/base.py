"""The Connector protocol out of a folder's modules: each promise is kept in the module of its name, by a function that
takes the platform's client.

What a platform does not have is left out here, and its manifest's sentence is the answer.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from crossdock.domain.capability import Capability, Manifest
from crossdock.domain.commands import (
    AdjustStock,
    CancelLines,
    CancelOrder,
    CreateOrder,
    Found,
    Outcome,
    Refused,
    Why,
    WriteFulfilment,
    WriteRisk,
)
from crossdock.domain.currencies import CURRENCIES
from crossdock.domain.events import Count, HookNews, ProductGone, ShopOrder, ShopProduct, Unreadable
from crossdock.kit.connector import Check, Forged, Hook, Page, Proof, Redirect, Shop, Subscriptions, VariantRef
from crossdock.kit.errors import BadInput, Declined, Missing, NotAllowed, ending

C = TypeVar("C")
T = TypeVar("T")
C_contra = TypeVar("C_contra", contravariant=True)


class Connect(Protocol[C_contra]):
    """`connect`: the address, the secrets and the connection test."""

    def address(self, form: Mapping[str, str], *, local: bool) -> str: ...

    async def finish(
        self,
        client: C_contra,
        /,
        *,
        way: str,
        form: Mapping[str, str],
        params: Mapping[str, str],
        keep: Mapping[str, str],
    ) -> Mapping[str, str]: ...

    async def prove(self, client: C_contra, /) -> Proof: ...


class Reading(Protocol[C_contra]):
    """`reading`: what the shop shows."""

    async def products(self, client: C_contra, cursor: str, /) -> Page[ShopProduct | ProductGone | Unreadable]: ...

    async def product(self, client: C_contra, product_id: str, /) -> ShopProduct | ProductGone: ...

    async def counts(self, client: C_contra, variants: Sequence[VariantRef], /) -> Sequence[Count | Unreadable]: ...

    async def orders(self, client: C_contra, cursor: str, /) -> Page[ShopOrder | Unreadable]: ...

    async def order(self, client: C_contra, shop_id: str, /) -> ShopOrder: ...


class Orders(Protocol[C_contra]):
    """`orders`: our order in the shop."""

    async def find(self, client: C_contra, reference: str, /, *, since: datetime) -> Found: ...

    async def create(self, client: C_contra, command: CreateOrder, /) -> Outcome: ...

    async def confirm(self, client: C_contra, command: CreateOrder, found: ShopOrder, /) -> Outcome: ...

    async def cancel(self, client: C_contra, command: CancelOrder, /) -> Outcome: ...


class Fulfilment(Protocol[C_contra]):
    """`fulfilment`: our parcel in the shop."""

    async def write_fulfilment(self, client: C_contra, command: WriteFulfilment, /) -> Outcome: ...


class Webhooks(Protocol[C_contra]):
    """`webhooks`: deliveries, and the subscriptions to them."""

    def verify(self, shop: Shop, hook: Hook, /) -> None: ...

    def news(self, shop: Shop, hook: Hook, /) -> HookNews: ...

    async def subscribe(self, client: C_contra, /) -> Subscriptions: ...

    async def unsubscribe(self, client: C_contra, /) -> None: ...


class Renewal(Protocol):
    """Where secrets do not last: the module that knows until when, and how to get fresh ones."""

    def renew_at(self, shop: Shop, /) -> datetime | None: ...

    async def renew(self, shop: Shop, /) -> Mapping[str, str]: ...


class Begin(Protocol):
    """Where there is a way to sign in at the platform."""

    def begin(
        self,
        shop: Shop,
        *,
        way: str,
        form: Mapping[str, str],
        state: str,
        return_url: str,
        callback_url: str,
    ) -> Redirect: ...


class Composed(Generic[C]):
    """One connector. It keeps nothing; a command ends in an outcome, whatever stopped it."""

    def __init__(
        self,
        manifest: Manifest,
        client: Callable[[Shop], C],
        *,
        connect: Connect[C],
        reading: Reading[C],
        orders: Orders[C],
        fulfilment: Fulfilment[C],
        webhooks: Webhooks[C] | None = None,
        sign_in: Begin | None = None,
        renewal: Renewal | None = None,
        look: Callable[[C], Awaitable[Proof]] | None = None,
        cancel_lines: Callable[[C, CancelLines], Awaitable[Outcome]] | None = None,
        adjust: Callable[[C, AdjustStock], Awaitable[Outcome]] | None = None,
        write_risk: Callable[[C, WriteRisk], Awaitable[Outcome]] | None = None,
        hook_shop: Callable[[Hook], str] = lambda hook: "",
    ) -> None:
        self.manifest, self.client, self.hook_shop = manifest, client, hook_shop
        self._connect, self._reading, self._orders, self._fulfilment = connect, reading, orders, fulfilment
        self._webhooks, self._sign_in, self._renewal = webhooks, sign_in, renewal
        self._cancel_lines, self._adjust, self._write_risk = cancel_lines, adjust, write_risk
        if look is not None:
            self._look = look
            # There only where the platform has it: kit.connector.Looks.
            self.look = self._looked

    # Connecting

    def address(self, form: Mapping[str, str], *, local: bool) -> str:
        return self._connect.address(form, local=local)

    def begin(self, shop: Shop, **asked: Any) -> Redirect:
        if self._sign_in is None:
            raise BadInput(self.manifest.sentence(Capability.SIGN_IN_REDIRECT))
        return self._sign_in.begin(shop, **asked)

    async def finish(self, shop: Shop, **brought: Any) -> Mapping[str, str]:
        return await self._connect.finish(self.client(shop), **brought)

    async def prove(self, shop: Shop) -> Proof:
        return await self._connect.prove(self.client(shop))

    async def _looked(self, shop: Shop) -> Proof:
        return await self._look(self.client(shop))

    def renew_at(self, shop: Shop) -> datetime | None:
        return None if self._renewal is None else self._renewal.renew_at(shop)

    async def renew(self, shop: Shop) -> Mapping[str, str]:
        return shop.secrets if self._renewal is None else await self._renewal.renew(shop)

    # Reading

    async def products(self, shop: Shop, cursor: str) -> Page[ShopProduct | ProductGone | Unreadable]:
        return await self._reading.products(self.client(shop), cursor)

    async def product(self, shop: Shop, product_id: str) -> ShopProduct | ProductGone:
        return await self._reading.product(self.client(shop), product_id)

    async def counts(self, shop: Shop, variants: Sequence[VariantRef]) -> Sequence[Count | Unreadable]:
        return await self._reading.counts(self.client(shop), variants)

    async def orders(self, shop: Shop, cursor: str) -> Page[ShopOrder | Unreadable]:
        return await self._reading.orders(self.client(shop), cursor)

    async def order(self, shop: Shop, shop_id: str) -> ShopOrder:
        return await self._reading.order(self.client(shop), shop_id)

    async def find(self, shop: Shop, reference: str, *, since: datetime) -> Found:
        return await self._orders.find(self.client(shop), reference, since=since)

    # Doing

    @ending
    async def create(self, shop: Shop, command: CreateOrder) -> Outcome:
        return await self._orders.create(self.client(shop), command)

    @ending
    async def confirm(self, shop: Shop, command: CreateOrder, found: ShopOrder) -> Outcome:
        return await self._orders.confirm(self.client(shop), command, found)

    @ending
    async def cancel(self, shop: Shop, command: CancelOrder) -> Outcome:
        return await self._orders.cancel(self.client(shop), command)

    @ending
    async def cancel_lines(self, shop: Shop, command: CancelLines) -> Outcome:
        return await self._if_there(shop, command, self._cancel_lines, Capability.LINES_CANCEL)

    @ending
    async def adjust(self, shop: Shop, command: AdjustStock) -> Outcome:
        return await self._if_there(shop, command, self._adjust, Capability.COUNTS_ADJUST)

    @ending
    async def write_risk(self, shop: Shop, command: WriteRisk) -> Outcome:
        return await self._if_there(shop, command, self._write_risk, Capability.RISK_WRITE)

    @ending
    async def write_fulfilment(self, shop: Shop, command: WriteFulfilment) -> Outcome:
        return await self._fulfilment.write_fulfilment(self.client(shop), command)

    async def _if_there(
        self, shop: Shop, command: T, act: Callable[[C, T], Awaitable[Outcome]] | None, what: Capability
    ) -> Outcome:
        return await act(self.client(shop), command) if act else Refused(Why.UNSUPPORTED, self.manifest.sentence(what))

    # Webhooks

    def verify(self, shop: Shop, hook: Hook) -> None:
        self._hooks().verify(shop, hook)

    def news(self, shop: Shop, hook: Hook) -> HookNews:
        return self._hooks().news(shop, hook)

    def _hooks(self) -> Webhooks[C]:
        if self._webhooks is None:
            raise Forged(f"{self.manifest.label} sends no webhooks.")
        return self._webhooks

    async def subscribe(self, shop: Shop) -> Subscriptions:
        return Subscriptions((), ()) if self._webhooks is None else await self._webhooks.subscribe(self.client(shop))

    async def unsubscribe(self, shop: Shop) -> None:
        if self._webhooks is not None:
            await self._webhooks.unsubscribe(self.client(shop))


def checked(ok: bool, title: str, missing: str, right: str = "") -> Check:
    """A line of the connection test, with the sentence that says where to click when it is not ok."""
    return Check(ok, title, "" if ok else missing, right)


def limited(wrong: bool, title: str, sentence: str) -> Check:
    """A line about something that works less well than it could, and does not keep the shop from being connected."""
    return Check(not wrong, title, sentence if wrong else "", limited=wrong)


def of_its_server(
    shop: Shop, key: str, name: str, checks: Sequence[Check], settings: Mapping[str, str], currency: str
) -> Proof:
    """What the connection test found of a shop that its server alone knows by `key`: with its name it stays itself at
    another address.
    """
    stays = f"{key}:{name}"
    return Proof(f"{stays}@{shop.address}", name, currency, tuple(checks), settings, stays=stays)


def known_currency(currency: str) -> Check:
    return checked(currency in CURRENCIES, "Currency", f"We do not know the currency {currency[:10]}.")


async def allowed(call: Awaitable[object], *, also: tuple[type[Exception], ...] = (), but: type[Exception]) -> bool:
    """Whether the platform lets us do it, tried with a call that changes nothing: `but` says no, `also` is how far the
    call gets where it is allowed.
    """
    try:
        await call
    except but:
        return False
    except also:
        return True
    return True


async def may(call: Awaitable[object], title: str, right: str, words: str) -> Check:
    """A line of the connection test about a right, tried with a call that changes nothing: what the shop does not
    have, or refuses, is as far as it gets. `words` say where that right is given, with `{}` for its name.
    """
    ok = await allowed(call, also=(Missing, Declined), but=NotAllowed)
    return checked(ok, title, words.format(right), right=right)


def fields(manifest: Manifest, way: str, form: Mapping[str, str]) -> dict[str, str]:
    """What was typed into the fields of a way, but for its first, the shop's address. Raises BadInput.

    A password may begin or end with a blank.
    """
    wanted = next((each.fields[1:] for each in manifest.ways if each.name == way), ())
    if not wanted:
        raise BadInput(f"Choose one of these: {', '.join(each.label for each in manifest.ways)}.")
    found = {each.name: form.get(each.name, "") for each in wanted}
    found = {name: words if name == "password" else words.strip() for name, words in found.items()}
    for each in wanted:
        if each.required and not found[each.name]:
            raise BadInput(f"Fill in “{each.label}”.")
        if each.pattern and found[each.name] and not re.fullmatch(each.pattern, found[each.name]):
            raise BadInput(each.wrong)
    return {name: words for name, words in found.items() if words}


class Finish(Protocol):
    """`finish` of a folder's `connect`."""

    async def __call__(
        self,
        client: object,
        /,
        *,
        way: str,
        form: Mapping[str, str],
        params: Mapping[str, str],
        keep: Mapping[str, str],
    ) -> Mapping[str, str]: ...


def typed_in(manifest: Manifest) -> Finish:
    """Of a platform for which what is typed into the fields is all that there is to keep."""

    async def finish(client: object, /, *, way: str, form: Mapping[str, str], **unused: object) -> Mapping[str, str]:
        return fields(manifest, way, form)

    return finish


def chosen_locations(settings: Mapping[str, str]) -> frozenset[str]:
    """Whose stock counts, by the seller's choice; none named means all of them."""
    return frozenset(filter(None, settings.get("location", "").split(",")))
