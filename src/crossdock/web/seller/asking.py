"""Live questions to a shop while its seller waits.

Never inside a transaction; what was found is kept by a use-case afterwards.
"""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import asdict, replace
from typing import Any, TypeVar

from django.conf import settings
from django.utils import timezone

from crossdock.domain.events import ShopProduct
from crossdock.domain.values import Access
from crossdock.kit import discover
from crossdock.kit.connector import Check, Connector, Proof, Redirect, Reply, Shop
from crossdock.kit.discover import NoSuchFolder
from crossdock.kit.errors import BadInput, NoAnswer, Outside
from crossdock.kit.http import Recorder, Transport
from crossdock.kit.shops import open_shop
from crossdock.store.models import ConnectAttempt, Connection
from crossdock.store.models.shops import ConnectionState
from crossdock.store.vault import VaultLocked
from crossdock.usecases.shops import connect
from crossdock.usecases.shops.connect import Attempt
from crossdock.usecases.shops.connection_test import connection_tested
from crossdock.usecases.shops.identity import is_same_shop
from crossdock.usecases.shops.shop_money import CHECK, change_in_words, money_seen
from crossdock.usecases.stock.limits import keep_locations
from crossdock.web.heard import ask_and_keep
from crossdock.web.seller.care import TooOften, guarded, not_too_often

T = TypeVar("T")

TEST_SECONDS = 20.0
GOODBYE_SECONDS = 6.0
PREVIEW = 20


def _ask(
    access: Access, make: Callable[[Transport, Recorder], Coroutine[Any, Any, T]], seconds: float = TEST_SECONDS
) -> T:
    """Raises Outside, whatever breaks."""
    return guarded(access.platform, lambda: ask_and_keep(make, seconds, party_id=access.party_id))


def platform(name: str) -> Connector | None:
    """None when there is no such platform here."""
    try:
        return discover.connector(name)
    except NoSuchFolder:
        return None


def begin(attempt: ConnectAttempt, *, form: Mapping[str, str], state: str, back: str, callback: str) -> Redirect:
    """Where the seller's browser goes to sign in; somebody must answer there first, or a slip in the address would send
    the browser to nowhere. Raises Outside with the sentence.
    """
    access = connect.access_for_attempt(attempt=attempt, secrets={})

    async def ask(transport: Transport, hear: Recorder) -> Redirect:
        speaker, shop = open_shop(access, transport, lane="interactive", recorder=hear)
        # The same page, without the one-time state: a call like any other, which is recorded.
        there = speaker.begin(shop, way=attempt.way, form=form, state="look", return_url=back, callback_url=callback)
        _is_there(await shop.http.send("GET", there.url), shop.address, speaker.manifest.label)
        return speaker.begin(shop, way=attempt.way, form=form, state=state, return_url=back, callback_url=callback)

    return _ask(access, ask)


def _is_there(reply: Reply, address: str, label: str) -> None:
    """Only what surely is no sign-in page is refused: the page itself says the rest."""
    if reply.status in (404, 410):
        raise BadInput(
            f"At {address} is no {label} shop to sign in to: it answered {reply.status}. Check the address; type the"
            " one that you open your shop with, without a page behind it."
        )
    if reply.status >= 500:
        raise NoAnswer(f"{address} answered {reply.status}. Check the address, or try again in a few minutes.")


def finish(attempt: Attempt, params: Mapping[str, str]) -> None:
    """Secrets, proof and preview of a new connection, kept in the attempt. Raises Outside."""
    row = attempt.row
    access = connect.access_for_attempt(attempt=row, secrets={})

    async def ask(transport: Transport, hear: Recorder) -> Mapping[str, str]:
        speaker, shop = open_shop(access, transport, lane="interactive", recorder=hear)
        return await speaker.finish(shop, way=row.way, form=attempt.form, params=params, keep=attempt.keep)

    prove(row, _ask(access, ask))


def prove(row: ConnectAttempt, secrets: Mapping[str, str]) -> None:
    """The connection test and the first products. Raises Outside."""
    access = connect.access_for_attempt(attempt=row, secrets=secrets)

    async def ask(transport: Transport, hear: Recorder) -> tuple[Proof, list[dict[str, Any]]]:
        speaker, shop = open_shop(access, transport, lane="interactive", recorder=hear)
        proof = await speaker.prove(shop)
        return proof, await _preview(speaker, shop, proof) if proof.ok else []

    proof, preview = _ask(access, ask)
    kept = {**asdict(proof), "checks": [asdict(check) for check in proof.checks]}
    connect.prove_attempt(attempt=row, secrets=secrets, proof=kept, preview=preview, now=timezone.now())


async def _preview(speaker: Connector, shop: Shop, proof: Proof) -> list[dict[str, Any]]:
    page = await speaker.products(replace(shop, settings=proof.settings), "")
    products = [item for item in page.items if isinstance(item, ShopProduct)]
    return [_shown(product) for product in products[:PREVIEW]]


def _shown(product: ShopProduct) -> dict[str, Any]:
    """A product of the preview, as plain values; `problems` say why it would not sell."""
    first = product.variants[0] if product.variants else None
    counts = [variant.count for variant in product.variants if variant.count is not None]
    return {
        "id": product.product_id,
        "title": product.title,
        "variants": len(product.variants),
        "problems": _problems(product),
        "image": next(iter(product.images), first.image if first else ""),
        "price_minor": first.price.minor if first else None,
        "currency": first.price.currency if first else "",
        "count": sum(counts) if counts else None,
    }


def _problems(product: ShopProduct) -> list[str]:
    found = []
    if not product.active:
        found.append("It is not published in your shop, so it will not be for sale here.")
    if not product.variants:
        found.append("It has no variant that can be sold.")
    if any(variant.price.minor <= 0 for variant in product.variants):
        found.append("It has no price.")
    uncounted = sum(variant.count is None for variant in product.variants)
    if uncounted and uncounted == len(product.variants):
        found.append("Your shop does not count its stock, so it will not be for sale here.")
    elif uncounted:
        found.append(f"{uncounted} of its variants are not counted in your shop.")
    return found


def test(shop: Connection) -> tuple[bool, str]:
    """The connection test once more, kept with the connection. Says whether all is well, and if not what is missing."""
    try:
        not_too_often(shop.seller_id)
        access = connect.access_of(connection=shop)
        proof = _proof(access)
        checks = [asdict(check) for check in (*proof.checks, *_another_shop(shop, proof), *_other_money(shop, proof))]
        keep_locations(connection=shop, locations=proof.locations)
    except TooOften as often:
        return False, str(often)
    except (Outside, VaultLocked, NoSuchFolder) as trouble:
        checks = [asdict(Check(False, "Your shop answers", str(trouble)))]
    connection_tested(connection=shop, checks=checks, now=timezone.now())
    missing = [check for check in checks if not check["ok"]]
    return not missing, " ".join(f"{check['title']}: {check['sentence']}" for check in missing)


def _another_shop(shop: Connection, proof: Proof) -> list[Check]:
    """A shop that waits for its seller opens again by a passed test, so it has to be the same shop."""
    if shop.state != ConnectionState.NEEDS_REAUTH or not proof.ok or _same(shop, proof):
        return []
    sentence = f"At this address is another shop now ({proof.name}). Reconnect {shop.name}, or connect this one."
    return [Check(False, "The same shop", sentence)]


def _same(shop: Connection, proof: Proof) -> bool:
    return is_same_shop(shop.shop_key, proof.shop_id, proof.stays)


def _other_money(shop: Connection, proof: Proof) -> list[Check]:
    """Prices that mean something else than when the shop was connected stop its sales here."""
    speaker = platform(shop.platform)
    if not _same(shop, proof) or money_seen(
        connection_id=shop.pk,
        currency=proof.currency,
        settings=proof.settings,
        follows=speaker.manifest.follows if speaker and proof.ok else (),
        now=timezone.now(),
    ):
        return []
    said = change_in_words(connection_id=shop.pk)
    sentence = f"{said} Nothing of this shop is sold until you confirm the change in its alert."
    return [Check(False, CHECK, sentence)]


def _proof(access: Access) -> Proof:
    async def ask(transport: Transport, hear: Recorder) -> Proof:
        speaker, shop = open_shop(access, transport, lane="interactive", recorder=hear)
        return await speaker.prove(shop)

    return _ask(access, ask)


def say_goodbye(shop: Connection) -> str:
    """Remove our webhooks there, as well as it goes. Returns what went wrong, or nothing."""
    try:
        access = connect.access_of(connection=shop)

        async def ask(transport: Transport, hear: Recorder) -> None:
            speaker, opened = open_shop(access, transport, lane="interactive", recorder=hear)
            await speaker.unsubscribe(opened)

        _ask(access, ask, GOODBYE_SECONDS)
    except (Outside, VaultLocked, NoSuchFolder) as trouble:
        return str(trouble)
    return ""


def reachable() -> bool:
    """Whether a shop's own server can call us: over a public https address, or on this machine where simulated shops
    live.
    """
    return settings.PUBLIC_URL.startswith("https://") or settings.ALLOW_LOCAL_SHOPS
