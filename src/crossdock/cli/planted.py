"""Bugs to plant, so that the story can show that it would notice them. `CROSSDOCK_BREAK` names one."""

import asyncio
import importlib
import os
from collections.abc import Callable
from typing import Any

from crossdock.cli.trouble import Trouble


def if_asked() -> None:
    """Plant what CROSSDOCK_BREAK names, in a demo only."""
    name = os.environ.get("CROSSDOCK_BREAK", "")
    if name:
        from django.conf import settings

        if not settings.DEMO:
            raise Trouble("CROSSDOCK_BREAK is for demos only.")
        plant(name)


def plant(name: str) -> None:
    """Break this process. Platforms may offer bugs of their own in their sandbox folder (`planted.BUGS`)."""
    from crossdock.kit import discover

    planted = False
    if name in BUGS:
        BUGS[name]()
        planted = True
    for platform in discover.connectors():
        try:
            own: dict[str, Callable[[], None]] = importlib.import_module(
                f"crossdock.connectors.{platform}.sandbox.planted"
            ).BUGS
        except ModuleNotFoundError:
            continue
        if name in own:
            own[name]()
            planted = True
    if not planted:
        raise Trouble(f"There is no bug called {name!r} to plant.")


def _blind_resend() -> None:
    """An unknown outcome is sent again without looking."""
    from dataclasses import replace

    from crossdock.usecases import work

    good = work.claim_commands

    def claim(**given: Any) -> Any:
        return [replace(claimed, look_first=False) for claimed in good(**given)]

    work.claim_commands = claim


def _answer_before_commit() -> None:
    """The door says yes, and writes the delivery down a little later."""
    from crossdock.web import inbox

    good = inbox.Inbox.put

    def put(self: inbox.Inbox, **given: Any) -> "asyncio.Future[None]":
        loop = asyncio.get_running_loop()
        loop.call_later(5, lambda: good(self, **given))
        kept: asyncio.Future[None] = loop.create_future()
        kept.set_result(None)
        return kept

    inbox.Inbox.put = put  # type: ignore[method-assign]


def _believe_webhook() -> None:
    """The number that a webhook carries becomes the count."""
    from dataclasses import replace

    from crossdock.domain import stock as rules
    from crossdock.domain.stock import Stock

    def take_hint(stock: Stock, *, count: int, no: int) -> Stock:
        return replace(stock, count=count, applied_no=no)

    rules.take_hint = take_hint


BUGS: dict[str, Callable[[], None]] = {
    "blind_resend": _blind_resend,
    "answer_before_commit": _answer_before_commit,
    "believe_webhook": _believe_webhook,
}
