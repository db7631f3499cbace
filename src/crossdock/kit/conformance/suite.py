"""The list of scenarios and how they are run.

A scenario is called for by the capabilities that the manifest answers with yes; the rest is listed as not called for.
"""

import time
from collections.abc import Awaitable, Callable, Collection
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Literal

from crossdock.domain.capability import Capability, Manifest
from crossdock.kit.conformance.stage import NeedsSimulator, Stage, staged
from crossdock.kit.connector import Connector
from crossdock.kit.sandbox import Sandbox


class NotConforming(AssertionError):
    """What the platform or its connector did is not what the scenario calls for; the message says what was seen."""


Run = Callable[[Stage], Awaitable[None]]
Live = Literal["", "reads", "places"]


@dataclass(frozen=True, slots=True)
class Scenario:
    """`needs` are the capabilities it proves.

    `simulated`: it needs the fault dial or the ledger, so a real server cannot play it. `live`: a shop that sells can,
    since it only reads, or places one order and cancels it.
    """

    number: int
    needs: tuple[Capability, ...]
    title: str
    run: Run
    simulated: bool = False
    live: Live = ""


class Verdict(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    NOT_CALLED_FOR = "not called for"
    NOT_PLAYED = "not played"


@dataclass(frozen=True, slots=True)
class Result:
    """How one scenario went on one platform. `sentence` says what was seen when it failed, or why it was not played."""

    platform: str
    number: int
    title: str
    verdict: Verdict
    seconds: float = 0.0
    sentence: str = ""


_all: dict[int, Scenario] = {}


def scenario(
    number: int, *needs: Capability, title: str, simulated: bool = False, live: Live = ""
) -> Callable[[Run], Run]:
    """Enter a scenario into the list. Numbers never change their meaning and are never used again."""

    def enter(function: Run) -> Run:
        if number in _all:
            raise ValueError(f"scenario {number} is there twice")
        _all[number] = Scenario(number, needs, title, function, simulated, live)
        return function

    return enter


def scenarios() -> tuple[Scenario, ...]:
    """All scenarios, by number."""
    return tuple(_all[number] for number in sorted(_all))


def called_for(manifest: Manifest, *, real: bool = False) -> tuple[Scenario, ...]:
    """The scenarios that this manifest has to pass; `real` leaves out those that only a simulator can play."""
    return tuple(
        item for item in scenarios() if all(manifest.can(need) for need in item.needs) and not (real and item.simulated)
    )


Opening = Callable[[], AbstractAsyncContextManager[Stage]]


async def run(item: Scenario, connector: Connector, sandbox_class: type[Sandbox]) -> None:
    """Play one scenario in a fresh simulated shop.

    Raises NotConforming, or whatever the connector should not have raised.
    """
    async with staged(connector, sandbox_class) as stage:
        await item.run(stage)


async def run_all(
    connector: Connector,
    sandbox_class: type[Sandbox],
    *,
    only: Collection[int] = (),
    on_result: Callable[[Result], None] = lambda result: None,
) -> list[Result]:
    """Play everything (or only these numbers), each in a fresh simulated shop; nothing is raised, the results tell."""
    opening = partial(staged, connector, sandbox_class)
    return await play_all(connector.manifest, opening, only=only, on_result=on_result)


async def play_all(
    manifest: Manifest,
    opening: Opening,
    *,
    only: Collection[int] = (),
    on_result: Callable[[Result], None] = lambda result: None,
    left_out: Callable[[Scenario], str] = lambda item: "",
) -> list[Result]:
    """The same wherever `opening` opens a shop that can do what `manifest` says. `left_out` says why a scenario is not
    one for that shop, "" when it is.
    """
    wanted = {item.number for item in called_for(manifest)}
    results = []
    for item in scenarios():
        if not only or item.number in only:
            if item.number in wanted and (why := left_out(item)):
                results.append(Result(manifest.name, item.number, item.title, Verdict.NOT_PLAYED, sentence=why))
            else:
                results.append(await _result(item, manifest.name, opening, item.number in wanted))
            on_result(results[-1])
    return results


async def _result(item: Scenario, name: str, opening: Opening, wanted: bool) -> Result:
    if not wanted:
        return Result(name, item.number, item.title, Verdict.NOT_CALLED_FOR)
    start = time.monotonic()
    try:
        async with opening() as stage:
            await item.run(stage)
    except NeedsSimulator as reason:
        return Result(name, item.number, item.title, Verdict.NOT_PLAYED, sentence=str(reason))
    except Exception as error:  # the suite reports what went wrong, whatever it is, and goes on
        seconds = time.monotonic() - start
        return Result(name, item.number, item.title, Verdict.FAILED, seconds, f"{type(error).__name__}: {error}")
    return Result(name, item.number, item.title, Verdict.PASSED, time.monotonic() - start)


def expect(condition: bool, seen: str) -> None:
    """Go on when the condition holds; otherwise say what was seen instead."""
    if not condition:
        raise NotConforming(seen)
