"""`crossdock sandbox [NAME ...]`: simulated shops over real HTTP, each with a shelf file, so that they survive a
restart like real ones.

With `--payments` also a bank that speaks the part of Stripe's wire that is used, to try that provider without an
account.
"""

import argparse
import asyncio
import json
import os
import signal
from pathlib import Path

from crossdock.cli import ports
from crossdock.cli.trouble import Trouble
from crossdock.config import Config, load
from crossdock.kit import discover
from crossdock.kit.sandbox import Sandbox, Shelf
from crossdock.payments.sandbox.wire import SECRET_KEY, Wire


def words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="platforms to simulate, all by default; NAME twice gives two shops"
    )
    parser.add_argument("--port", type=int, help="port of the first shop (CROSSDOCK_SANDBOX_PORT); the others follow")
    parser.add_argument(
        "--list", type=Path, metavar="FILE", help="write the shops' addresses and sign-ins there once all are up"
    )
    parser.add_argument(
        "--payments", action="store_true", help="also a bank that speaks Stripe's wire, on the next port"
    )


def platforms() -> list[str]:
    """Every platform that can be simulated, in a fixed order, so that ports stay the same."""
    return discover.simulated()


def run(args: argparse.Namespace) -> int:
    config = load()
    names = args.names or platforms()
    unknown = sorted(set(names) - set(platforms()))
    if unknown:
        raise Trouble(f"There is no simulated shop called {unknown[0]}; there are {', '.join(platforms())}.")
    first = args.port or config.sandbox_port
    for port in range(first, first + len(names) + args.payments):
        ports.free("127.0.0.1", port, what="a simulated shop", setting="CROSSDOCK_SANDBOX_PORT")
    folder = config.data / "shops"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Trouble(
            f"The folder {folder} cannot be made ({error.strerror}); choose another with CROSSDOCK_DATA."
        ) from None
    bank = _bank(config) if args.payments else None
    asyncio.run(_open(names, first, folder, args.list, bank))
    return 0


def _bank(config: Config) -> Wire:
    bank = Wire(config.data / "payments" / "bank")
    bank.hook_url = f"{config.local_url}/hooks/payments/stripe"
    bank.hook_secret = config.stripe_webhook_secret or bank.hook_secret
    return bank


async def _open(names: list[str], first: int, folder: Path, listing: Path | None, bank: Wire | None) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    shops: list[tuple[str, Sandbox]] = []
    for index, name in enumerate(names):
        nth = names[:index].count(name) + 1
        shelf = Shelf(str(folder / f"{name}{'' if nth == 1 else f'-{nth}'}.sqlite"))
        shop = discover.sandbox(name)(shelf, seed=index)
        await shop.start(port=first + index)
        shops.append((name, shop))
        print(f"{shop.label}: {shop.address}/_shop", flush=True)
    if bank is not None:
        await bank.start(port=first + len(names))
        print(f"Simulated bank: {bank.address}/_bank; the marketplace reaches it with", flush=True)
        print(
            f"  CROSSDOCK_PAYMENT_GATEWAY=stripe CROSSDOCK_STRIPE_API_BASE={bank.address}"
            f" CROSSDOCK_STRIPE_SECRET_KEY={SECRET_KEY} CROSSDOCK_STRIPE_WEBHOOK_SECRET={bank.hook_secret}",
            flush=True,
        )
    if listing is not None:
        _write(listing, shops)
    await stop.wait()
    if bank is not None:
        await bank.stop()
    for _, shop in shops:
        await shop.stop()
        shop.shelf.close()


def _write(listing: Path, shops: list[tuple[str, Sandbox]]) -> None:
    """The file appears whole or not at all; it holds sign-ins, so it is for its owner alone."""
    rows = []
    for name, shop in shops:
        way, form = shop.seller_form()
        rows.append({"platform": name, "address": shop.address, "way": way, "form": form})
    draft = listing.with_name(listing.name + ".part")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(rows, file)
    draft.replace(listing)
