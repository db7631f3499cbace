"""`crossdock check connector NAME --live`: what can be tried in a shop that sells, with credentials out of a file or
the environment. It says what it will do there, and does it after a yes.

Nothing secret is taken from the command line, where every program of the machine can read it, nor printed.
"""

import argparse
import os
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from crossdock.cli.trouble import Trouble
from crossdock.domain.capability import Capability, Manifest, Way
from crossdock.domain.events import ShopProduct
from crossdock.kit.conformance.live import Account, LiveStage, first_products, refs_of
from crossdock.kit.conformance.stage import FAST, STREET, Stage
from crossdock.kit.conformance.suite import Result, Scenario, called_for, play_all
from crossdock.kit.connector import Connector
from crossdock.kit.errors import Outside
from crossdock.kit.hand import TestCopies
from crossdock.kit.http import Transport

PREFIX = "CROSSDOCK_LIVE_"
AGAINST = "a live account"
NEAR = ("127.0.0.1", "::1", "localhost")
SHOWN = 10


def words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--live", action="store_true", help="in a shop that sells, by the connector's own calls alone")
    parser.add_argument(
        "--account", type=Path, metavar="FILE", help=f"its credentials, name=value a line (or {PREFIX}NAME is set)"
    )
    parser.add_argument(
        "--place", metavar="PRODUCT", help="also place one order of one unit of this product (its id), and cancel it"
    )
    parser.add_argument("--variant", default="", help="of that product, where it has several")
    parser.add_argument("--country", default="US", help="where the order's made-up buyer lives (two letters)")


async def played(
    connector: Connector, args: argparse.Namespace, *, on_result: Callable[[Result], None]
) -> tuple[Manifest, list[Result]] | None:
    """What this very shop can do, and the results; None when there was no yes, or something was left in the shop, which
    is said. Raises Trouble.
    """
    manifest = connector.manifest
    for needed in (Capability.ORDER_CREATE, Capability.ORDER_CANCEL) if args.place else ():
        if not manifest.can(needed):
            raise Trouble(f"Nothing is placed that cannot be cancelled. {manifest.sentence(needed)}")
    account = _account(connector, _given(args.account))
    near = urlsplit(account.address).hostname in NEAR
    hidden = _Hidden()
    hidden.add(account.form[each.name] for each in _way(manifest, account.way).fields if each.secret)
    async with Transport(allow_local=near) as transport:
        pace = FAST if near else manifest.pace
        stage = LiveStage(connector, account, transport, pace, local=near, country=args.country.upper())
        try:
            await stage.connect()
            hidden.add(stage.shop.secrets.values())
            if isinstance(connector, TestCopies):
                stage.manifest = connector.manifest_of(stage.shop)
            _tell_connection(stage, hidden)
            sold = await _product(stage, args.place, args.variant) if args.place else ""
        except Outside as error:
            raise Trouble(hidden.out_of(str(error))) from None
        if not _yes(stage, sold):
            print("Nothing was done.")
            return None
        left: list[str] = []
        try:
            results = await _play(stage, args.only, lambda result: on_result(hidden.of(result)))
        finally:
            # After Ctrl-C as well: nothing is left standing without a word.
            left += await stage.clean()
            for words in left:
                print(hidden.out_of(words))
        return None if left else (stage.manifest, [hidden.of(result) for result in results])


async def _play(stage: LiveStage, only: Collection[int], on_result: Callable[[Result], None]) -> list[Result]:
    @asynccontextmanager
    async def opened() -> AsyncIterator[Stage]:
        yield stage

    def left_out(item: Scenario) -> str:
        if item.live == "reads" or (item.live == "places" and stage.named):
            return ""
        return "It needs --place." if item.live else "It changes more than a shop that sells should see."

    return await play_all(stage.manifest, opened, only=only, on_result=on_result, left_out=left_out)


# Credentials


def _given(file: Path | None) -> dict[str, str]:
    """By the name of a field of the connect form."""
    if file is None:
        names = [name for name in os.environ if name.startswith(PREFIX)]
        return {name.removeprefix(PREFIX).lower(): os.environ[name] for name in names}
    try:
        if file.stat().st_mode & 0o077:
            raise Trouble(f"Others on this machine may read {file}: run “chmod 600 {file}” first.")
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Trouble(f"{file} cannot be read ({getattr(error, 'strerror', '') or 'it is no text'}).") from None
    rows = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    for row in rows:
        if "=" not in row:
            raise Trouble(f"Each line of {file} is name=value, and one that begins with “{row[:3]}” is not.")
    pairs = [row.partition("=") for row in rows]
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _way(manifest: Manifest, name: str) -> Way:
    return next(way for way in manifest.ways if way.name == name)


def _account(connector: Connector, given: Mapping[str, str]) -> Account:
    """Raises Trouble naming what is missing, or wrong."""
    manifest = connector.manifest
    ways = [way for way in manifest.ways if not way.redirect and given.get("way", way.name) == way.name]
    if not ways:
        names = ", ".join(way.name for way in manifest.ways if not way.redirect)
        raise Trouble(
            f"There is no such way to connect {manifest.label}: way is one of {names}."
            if names
            else f"{manifest.label} is connected by signing in there, so there are no credentials to try."
        )
    missing = {way.name: [each for each in way.fields if each.required and not given.get(each.name)] for way in ways}
    way = min(ways, key=lambda each: len(missing[each.name]))
    if missing[way.name]:
        named = ", ".join(f"{each.name} ({each.label})" for each in missing[way.name])
        raise Trouble(
            f"Missing for {manifest.label}: {named}. Put each into a file as name=value and give it with --account, or"
            f" set {PREFIX}{missing[way.name][0].name.upper()} and its like."
        )
    form = {each.name: given.get(each.name, "") for each in way.fields}
    typed = way.fields[0].name
    near = urlsplit(form[typed]).hostname in NEAR if "://" in form[typed] else False
    try:
        address = connector.address(form, local=near)
    except Outside as error:
        raise Trouble(str(error)) from None
    return Account(address, way.name, {**form, typed: address})


class _Hidden:
    """What must not be printed, whatever a shop's answer repeats of it."""

    def __init__(self) -> None:
        self._values: set[str] = set()

    def add(self, values: Iterable[str]) -> None:
        self._values |= {value for value in values if len(value) > 3}

    def out_of(self, text: str) -> str:
        for value in sorted(self._values, key=len, reverse=True):
            text = text.replace(value, "•••")
        return text

    def of(self, result: Result) -> Result:
        return replace(result, sentence=self.out_of(result.sentence))


# What is said before


def _tell_connection(stage: LiveStage, hidden: _Hidden) -> None:
    """Raises Trouble when the connection test fails."""
    for check in stage.proof.checks:
        mark = "ok" if check.ok else "note" if check.limited else "wrong"
        print(hidden.out_of(f"{mark:<5} {check.title}{': ' if check.sentence else ''}{check.sentence}"))
    if any(not (check.ok or check.limited) for check in stage.proof.checks):
        raise Trouble("The connection test fails, so nothing more was tried.")


async def _product(stage: LiveStage, product_id: str, variant_id: str) -> str:
    """Names the variant that may be ordered; the words for it. Raises Trouble with those that there are."""
    product = await stage.connector.product(stage.shop, product_id)
    if not isinstance(product, ShopProduct):
        shown = [f"  {each.product_id}  {each.title}" for each in (await first_products(stage))[:SHOWN]]
        raise Trouble("\n".join([f"The shop has no product {product_id}. Some that it has:", *shown]))
    found = [each for each in product.variants if each.variant_id == variant_id or not variant_id]
    if len(found) != 1:
        shown = [f"  {each.variant_id}  {each.title or each.sku}" for each in product.variants]
        raise Trouble("\n".join([f"Say with --variant which of “{product.title}” may be ordered:", *shown]))
    refs = {ref.variant_id: ref for ref in refs_of([product])}
    variant = found[0]
    count = (await stage.counted(refs[variant.variant_id])).get(variant.variant_id)
    if count is not None and count < 1:
        raise Trouble(f"The shop has none of “{product.title}” left: name a product that it has.")
    stage.named = refs[variant.variant_id]
    name = f"“{product.title}{' / ' if variant.title else ''}{variant.title}”"
    return f"{name} at {variant.price.words}" + ("" if count is None else f" (of {count} that it counts now)")


def _yes(stage: LiveStage, sold: str) -> bool:
    """Whether the operator wants what was just said."""
    manifest = stage.manifest
    reads = sum(item.live == "reads" for item in called_for(manifest))
    print(f"\nIn {stage.proof.name or stage.site.address} ({manifest.label}, {stage.proof.currency}) this will:")
    print(f"- read products, counts and orders, and connect again: {reads} scenarios that change nothing")
    if sold:
        print(f"- place one order of one {sold}, as paid outside, for the made-up buyer Ada Buyer, {STREET}")
        print("- read it back, cancel it, and look whether its unit came back")
        print(f"  {manifest.sentence(Capability.CANCEL_RESTORES)}")
        print("  An app in the shop may react to a new order, and somebody there may see it before it is cancelled.")
    else:
        print("- place no order (--place PRODUCT does, and cancels it)")
    try:
        return input("Type yes to go on: ").strip().lower() == "yes"
    except EOFError:
        print()
        return False
