"""`crossdock check model`: the stock protocol explored state by state. Without --all, the configurations that a test run bears."""

import argparse
import time
from concurrent.futures import ProcessPoolExecutor

from crossdock.cli.proof.configs import CONFIGS
from crossdock.cli.proof.explore import Verdict, explore
from crossdock.cli.proof.state import Config


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
    return 1 if bad or not configs else 0


def story(verdict: Verdict) -> str:
    """The shortest way to what broke."""
    steps = [f"     {number:2}. {step}" for number, step in enumerate(verdict.steps, 1)]
    return "\n".join([*steps, f"     => {verdict.broken}"])
