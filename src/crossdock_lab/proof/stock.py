"""`python -m crossdock_lab stock --seeds N`: the product itself under a seeded scheduler; a failing seed is shrunk and
told as a story with its command line.
"""

import argparse
import gc
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING

from crossdock_lab.proof.plan import FAULTS, Plan, plan
from crossdock_lab.trial import Trial

if TYPE_CHECKING:
    from crossdock_lab.proof.play import Result

_MOST_TRIES = 60
_SHOWN = 5
_MOST_LINES = 120
_MOST_PLANS = 5000


def words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seeds", type=int, default=200, help="how many")
    parser.add_argument("--seed", type=int, default=0, help="the first one")
    parser.add_argument("--break", dest="bug", default="", help="plant this bug first")
    parser.add_argument("--drop", default="", help="numbers of steps to leave out, with commas")
    parser.add_argument("--without", default="", help="faults to leave out, with commas")
    parser.add_argument("--jobs", type=int, default=2, choices=[1, 2])
    parser.add_argument("--trace", action="store_true", help="print the whole play")


def run(args: argparse.Namespace) -> int:
    if os.environ.get("PYTHONHASHSEED") != "0":
        # Sets of texts are walked in an order that Python draws per process; a seed has to replay exactly.
        again = [sys.executable, "-m", "crossdock_lab", *sys.argv[1:]]
        os.execve(sys.executable, again, {**os.environ, "PYTHONHASHSEED": "0"})  # noqa: S606
    begun = time.monotonic()
    seeds = range(args.seed, args.seed + args.seeds)
    with Trial():
        jobs = args.jobs if len(seeds) >= 20 and not args.trace else 1
        if jobs == 1:
            outcomes = [some(list(seeds), args.bug, args.drop, args.without, trace=args.trace)]
        else:
            from django.db import connections

            connections.close_all()
            with ProcessPoolExecutor(jobs) as pool:
                outcomes = list(pool.map(some, [list(seeds[i::jobs]) for i in range(jobs)], [args.bug] * jobs))
    stories = [story for _, found in outcomes for story in found]
    for story in stories[:_SHOWN]:
        print(story)
    seconds = time.monotonic() - begun
    print(
        f"{len(seeds)} seeds, {len(stories)} failed, {seconds:.0f} s ({seconds / len(seeds):.2f} s a seed)", flush=True
    )
    return 1 if stories else 0


def some(
    seeds: list[int], bug: str, drop: str = "", without: str = "", *, trace: bool = False
) -> tuple[int, list[str]]:
    """Some seeds in this process: how many, and the stories of those that failed."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    import django

    django.setup()
    quicken()
    from crossdock_lab.proof.bugs import planted
    from crossdock_lab.proof.play import platforms, play
    from crossdock_lab.proof.town import build

    names = platforms()
    towns = {name: build(name) for name in names}
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    stories: list[str] = []
    with planted(bug):
        for done, seed in enumerate(seeds, 1):
            whole = plan(seed, names)
            one = whole.without(
                steps=frozenset(int(n) for n in drop.split(",") if n),
                faults=frozenset(without.split(",")) & set(FAULTS),
            )
            result = play(towns[one.platform], one)
            if trace:
                print("\n".join([*result.trace, f"hash {result.hash}"]))
            if result.broken:
                small = shrunk(result, lambda smaller: play(towns[smaller.platform], smaller))
                stories.append(told(small))
            if done % 100 == 0:
                print(f"  {done} of {len(seeds)} seeds, {len(stories)} failed", flush=True)
            if len(stories) >= _SHOWN:
                break
    return len(seeds), stories


def quicken() -> None:
    """Thousands of the same questions: the server keeps every plan, and makes none for single values."""
    from django.db import connections

    connections.close_all()
    default = connections["default"]
    options = default.settings_dict["OPTIONS"]
    told = f"{options.get('options', '')} -c plan_cache_mode=force_generic_plan -c synchronous_commit=off".strip()
    options.update({"server_side_binding": True, "prepare_threshold": 2, "options": told})
    default.ensure_connection()
    # Psycopg keeps a hundred, and each savepoint, having a name of its own, pushes one of them out.
    default.connection.prepared_max = _MOST_PLANS


def shrunk(result: "Result", again: Callable[[Plan], "Result"], *, most: int = _MOST_TRIES) -> "Result":
    """Leave out steps and faults while it still fails in the same way."""
    kind, tries = _kind(result.broken), 0
    progress = True
    while progress and tries < most:
        progress = False
        plans = [result.plan.without(faults=frozenset({name})) for name, chance in result.plan.faults if chance]
        plans += [result.plan.without(steps=frozenset({number})) for number, _ in reversed(result.plan.left())]
        for smaller in plans:
            tries += 1
            tried = again(smaller)
            if tried.broken and _kind(tried.broken) == kind:
                result, progress = tried, True
                break
            if tries >= most:
                break
    return result


def _kind(broken: str) -> str:
    """Which sentence it was, without its numbers."""
    return "".join(letter for letter in broken.split(":")[0] if not letter.isdigit())


def told(result: "Result") -> str:
    """For a reader: what was planned, what happened, how to see it again."""
    one = result.plan
    faults = ", ".join(f"{name} {chance:.0%}" for name, chance in one.faults if chance) or "none"
    lines = [
        f"FAIL seed {one.seed} ({one.platform}, stock {one.stock}, faults: {faults}): {result.broken}",
        "  planned:",
    ]
    lines += [f"   {number:3}  {step}" for number, step in one.left()]
    trace = [f"   {line}" for line in result.trace]
    if len(trace) > _MOST_LINES:
        left_out = len(trace) - _MOST_LINES
        trace = [*trace[: _MOST_LINES // 2], f"   ... {left_out} lines ...", *trace[-_MOST_LINES // 2 :]]
    lines += ["  what happened:", *trace, f"  again: {one.words}"]
    return "\n".join(lines)
