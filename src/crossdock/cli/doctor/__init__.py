"""`crossdock doctor`: what an operator should know before a seller notices, each with what to do about it.

Looks only: no row and no mail is written, and no address but the operator's own is called. A missing key file is
made, as by every command.
"""

import argparse
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from itertools import chain

from crossdock.cli import database
from crossdock.cli.doctor import inside, outside, seen
from crossdock.cli.doctor.finding import Finding, State, fix, ok
from crossdock.cli.trouble import Trouble
from crossdock.config import Config, load

# Asked in this order. Those that need the database are left out when it cannot be used.
ALONE: Sequence[Callable[[Config], Iterable[Finding]]] = (
    inside.settings,
    inside.keys,
    inside.disk,
    inside.packages,
    seen.packages,
)
WITH_DATABASE: Sequence[Callable[[Config], Iterable[Finding]]] = (
    inside.server,
    inside.clock,
    inside.secrets,
    inside.worker,
    inside.shops,
    inside.agents,
    inside.audit,
)
OUTSIDE: Sequence[Callable[[Config], Iterable[Finding]]] = (
    outside.web,
    outside.public,
    outside.mail,
    outside.money,
    outside.identity,
    seen.traces,
)
_WORDS = {State.OK: "ok  ", State.LOOK: "look", State.FIX: "FIX "}


def words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object a line, for a program that watches")


def run(args: argparse.Namespace) -> int:
    """0 when nothing has to be put right, else 1."""
    config, bad = load(), 0
    database.setup()
    for finding in findings(config):
        bad += finding.state is State.FIX
        print(json.dumps(asdict(finding)) if args.json else _line(finding), flush=True)
    return 1 if bad else 0


def findings(config: Config) -> Iterable[Finding]:
    """Each as soon as it is known: the calls outside take seconds."""
    yield from chain.from_iterable(look(config) for look in ALONE)
    try:
        database.ready()
    except Trouble as trouble:
        yield fix("database", *_in_two(str(trouble)))
    else:
        yield ok("database", "It answers, and its tables are of this version.")
        yield from chain.from_iterable(look(config) for look in WITH_DATABASE)
    yield from chain.from_iterable(look(config) for look in OUTSIDE)


def _line(finding: Finding) -> str:
    return f"{_WORDS[finding.state]}  {finding.about}: {finding.said}{' ' + finding.do if finding.do else ''}"


def _in_two(sentence: str) -> tuple[str, str]:
    """What is wrong and what to do, which our own troubles part by a semicolon."""
    said, _, do = sentence.partition("; ")
    return said.rstrip(".") + ".", f"{do[:1].upper()}{do[1:]}"
