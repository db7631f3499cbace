"""`python -m crossdock_lab model`: the stock protocol explored state by state.

Without --all, the configurations that a test run bears.
"""

import argparse
import time
from concurrent.futures import ProcessPoolExecutor

from crossdock_lab.proof.configs import CONFIGS
from crossdock_lab.proof.explore import Verdict, explore
from crossdock_lab.proof.state import Config


def words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--all", action="store_true", help="every configuration, the long ones too")
    parser.add_argument("--only", action="append", default=[], help="this configuration; may be given several times")
    parser.add_argument("--jobs", type=int, default=2, choices=[1, 2])


def chosen(args: argparse.Namespace) -> list[Config]:
    if args.only:
        return [config for config in CONFIGS if config.name in args.only]
    return [config for config in CONFIGS if args.all or config.minute]


def run(args: argparse.Namespace) -> int:
    begun, states, bad = time.monotonic(), 0, 0
    configs = chosen(args)
    with ProcessPoolExecutor(args.jobs) as pool:
        for verdict in pool.map(explore, configs):
            print(verdict.line, flush=True)
            if verdict.broken:
                bad += 1
                print(story(verdict), flush=True)
            states += verdict.states
    print(
        f"{len(configs)} configurations, {states:,} states, {time.monotonic() - begun:.0f} s; {bad} broken", flush=True
    )
    print(explored(configs), flush=True)
    return 1 if bad or not configs else 0


def explored(configs: list[Config]) -> str:
    """What was looked at and what was not, so that nobody takes "ok" for more than it is."""
    left = [config.name for config in CONFIGS if config not in configs]
    most = max((sum(config.budget) for config in configs), default=0)
    buyers = max((len(config.orders) for config in configs), default=0)
    words = (
        f"Explored: each of these worlds whole, every order of events, with up to {buyers} buyers; troubles in one"
        f" world (sales in the shop, losses, crashes, webhooks, cancels there, recounts): at most {most}. Two states"
        " with the same 64-bit hash would be taken for one."
    )
    return f"{words} Not explored now: {', '.join(left)}." if left else words


def story(verdict: Verdict) -> str:
    """The shortest way to what broke."""
    steps = [f"     {number:2}. {step}" for number, step in enumerate(verdict.steps, 1)]
    return "\n".join([*steps, f"     => {verdict.broken}"])
